#include "sim/check/by_client.h"

#include <map>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/base/ids.h"

namespace bramah::sim {
namespace {

using Table = ByClient<CallId, int>;

TEST(ByClientTest, FindsNothingWhereNothingWasPut) {
  Table table;
  EXPECT_EQ(table.Find(3, CallId(1)), nullptr);
  EXPECT_EQ(table.Take(3, CallId(1)), std::nullopt);
  table.Forget(3);
}

TEST(ByClientTest, ClientsDoNotSeeEachOther) {
  Table table;
  table.Put(1, CallId(5), 15);
  table.Put(2, CallId(5), 25);
  table.Forget(1);
  EXPECT_EQ(table.Find(1, CallId(5)), nullptr);
  ASSERT_NE(table.Find(2, CallId(5)), nullptr);
  EXPECT_EQ(*table.Find(2, CallId(5)), 25);
}

// Like a map, whatever is put, taken and looked for, in any order.
RC_GTEST_PROP(ByClientTest, AgreesWithAMap, ()) {
  Table table;
  std::map<std::pair<uint32_t, CallId>, int> map;
  const int steps = *rc::gen::inRange(0, 200);
  for (int step = 0; step < steps; ++step) {
    const uint32_t client = *rc::gen::inRange<uint32_t>(0, 3);
    const CallId id(*rc::gen::inRange<uint64_t>(1, 30));
    const auto known = map.find({client, id});
    switch (*rc::gen::weightedElement<int>({{10, 0}, {5, 1}, {10, 2}, {1, 3}})) {
      case 0:
        table.Put(client, id, step);
        map[{client, id}] = step;
        break;
      case 1:
        RC_ASSERT(table.Take(client, id) == (known == map.end() ? std::nullopt : std::optional(known->second)));
        if (known != map.end()) map.erase(known);
        break;
      case 2: {
        const int* found = table.Find(client, id);
        RC_ASSERT((found == nullptr) == (known == map.end()));
        if (found != nullptr) RC_ASSERT(*found == known->second);
        break;
      }
      default:
        table.Forget(client);
        map.erase(map.lower_bound({client, CallId()}), map.lower_bound({client + 1, CallId()}));
    }
  }
  std::map<std::pair<uint32_t, CallId>, int> rest;
  table.ForEach([&](uint32_t client, CallId id, int value) { rest.emplace_hint(rest.end(), std::pair(client, id), value); });
  RC_ASSERT(rest == map);
}

}  // namespace
}  // namespace bramah::sim

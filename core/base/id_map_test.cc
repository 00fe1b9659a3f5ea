#include "core/base/id_map.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "core/base/ids.h"
#include "core/base/keyed.h"

namespace bramah {
namespace {

struct Thing {
  Position id;
  std::string text;
};

Position IdOf(const Thing& thing) { return thing.id; }

using Things = IdMap<Position, Thing>;

std::string Visit(const Things& things) {
  std::string seen;
  for (const auto& [id, thing] : things) seen += std::to_string(id.value()) + thing->text + " ";
  return seen;
}

TEST(IdMap, FindsByIdAndVisitsInOrderOfIds) {
  Things things;
  EXPECT_EQ(things.Find(Position(1)), nullptr);
  for (const uint64_t id : {5, 1, 3}) EXPECT_NE(things.Add({Position(id), "x"}), nullptr);
  EXPECT_EQ(things.Add({Position(3), "y"}), nullptr) << "the id is taken";
  things.Find(Position(5))->text = "five";
  EXPECT_EQ(Visit(things), "1x 3x 5five ");
  EXPECT_EQ(things.last(), Position(5));
  things.Remove(Position(3));
  EXPECT_EQ(things.Find(Position(3)), nullptr);
  EXPECT_EQ(Visit(things), "1x 5five ");
}

TEST(IdMap, ACopyHasObjectsOfItsOwnAndAMoveTakesThem) {
  Things things;
  things.Add({Position(1), "a"});
  Things copy = things;
  copy.Find(Position(1))->text = "b";
  EXPECT_EQ(Visit(things), "1a ");
  Thing* const before = copy.Find(Position(1));
  things = std::move(copy);
  EXPECT_EQ(things.Find(Position(1)), before);
  EXPECT_EQ(Visit(things), "1b ");
}

// Ids of all kinds: dense, far apart, and such as begin their search at the same place.
TEST(IdMap, AgreesWithAnOrderedMapWhateverIsAddedAndRemoved) {
  for (const uint64_t factor : {uint64_t{1}, uint64_t{1} << 40, uint64_t{0xf1de83e19937733d}}) {
    Things things;
    std::map<Position, std::string> model;
    for (uint64_t i = 0; i < 3'000; ++i) {
      const Position id((Draw(7, 1, factor, i) % 300 + 1) * factor);
      if (Draw(7, 2, factor, i) % 2 == 0) {
        EXPECT_EQ(things.Add({id, "x"}) != nullptr, model.emplace(id, "x").second);
      } else if (model.erase(id) > 0) {
        things.Remove(id);
      }
      ASSERT_EQ(things.size(), model.size());
      ASSERT_EQ(things.Find(id) != nullptr, model.contains(id));
    }
    std::string expected;
    for (const auto& [id, text] : model) expected += std::to_string(id.value()) + text + " ";
    EXPECT_EQ(Visit(things), expected);
    for (const auto& [id, text] : model) EXPECT_NE(things.Find(id), nullptr);
  }
}

}  // namespace
}  // namespace bramah

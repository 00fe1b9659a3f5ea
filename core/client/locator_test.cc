#include "core/client/locator.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace bramah::client {
namespace {

ClientConfig ThreeEndpoints() {
  ClientConfig config;
  config.endpoints = {"a:1", "b:1", "c:1"};
  return config;
}

TEST(Locator, StartsAnywhereInTheListAndGoesRound) {
  const ClientConfig config = ThreeEndpoints();
  std::set<std::string> first;
  for (uint64_t seed = 0; seed < 32; ++seed) {
    Locator locator(&config);
    locator.Seed(seed);
    first.insert(locator.endpoint());
    std::set<std::string> seen = {locator.endpoint()};
    for (int turn = 0; turn < 2; ++turn) {
      locator.Fail(0);
      seen.insert(locator.endpoint());
    }
    EXPECT_EQ(seen.size(), 3u);
  }
  EXPECT_EQ(first.size(), 3u);
}

TEST(Locator, BacksOffDoublingWithJitterUpToTheMaximum) {
  const ClientConfig config = ThreeEndpoints();
  Locator locator(&config);
  locator.Seed(1);
  Duration full = config.retry_min;
  for (int failure = 0; failure < 40; ++failure) {
    locator.Fail(1'000);
    const Duration wait = locator.dial_at() - 1'000;
    EXPECT_GE(wait, full / 2);
    EXPECT_LE(wait, full);
    full = std::min(2 * full, config.retry_max);
  }
  locator.Succeed();
  locator.Fail(1'000);
  EXPECT_LE(locator.dial_at() - 1'000, config.retry_min);
}

TEST(Locator, JitterDiffersBetweenClients) {
  const ClientConfig config = ThreeEndpoints();
  std::set<Time> waits;
  for (uint64_t seed = 0; seed < 16; ++seed) {
    Locator locator(&config);
    locator.Seed(seed);
    locator.Fail(0);
    waits.insert(locator.dial_at());
  }
  EXPECT_GT(waits.size(), 12u);
}

TEST(Locator, FollowsAHintAtOnceButNotASecondOne) {
  const ClientConfig config = ThreeEndpoints();
  Locator locator(&config);
  locator.Seed(1);
  const std::string first = locator.endpoint();
  EXPECT_TRUE(locator.NotMaster(1'000, "x:1"));
  EXPECT_EQ(locator.endpoint(), "x:1");
  EXPECT_EQ(locator.dial_at(), 1'000);
  EXPECT_FALSE(locator.NotMaster(1'000, "y:1"));
  EXPECT_NE(locator.endpoint(), "y:1");
  EXPECT_NE(locator.endpoint(), first);
  EXPECT_GT(locator.dial_at(), 1'000);
  EXPECT_TRUE(locator.NotMaster(2'000, "y:1"));  // this one is the list's word, not a hint's
}

// Two deposed masters that name each other are left behind [CL-03].
TEST(Locator, EveryEndpointIsTriedAlthoughHintsPointInACircle) {
  const ClientConfig config = ThreeEndpoints();
  Locator locator(&config);
  locator.Seed(1);
  std::set<std::string> tried;
  for (int turn = 0; turn < 12; ++turn) {
    tried.insert(locator.endpoint());
    locator.NotMaster(turn, locator.endpoint() == "a:1" ? "b:1" : "a:1");
  }
  EXPECT_EQ(tried, (std::set<std::string>{"a:1", "b:1", "c:1"}));
}

TEST(Locator, AHintThatProvedRightMayBeFollowedByAnother) {
  const ClientConfig config = ThreeEndpoints();
  Locator locator(&config);
  locator.Seed(1);
  locator.NotMaster(0, "x:1");
  locator.Succeed();
  EXPECT_TRUE(locator.NotMaster(0, "y:1"));
}

TEST(Locator, UselessHintsCountAsNone) {
  const ClientConfig config = ThreeEndpoints();
  Locator locator(&config);
  locator.Seed(1);
  EXPECT_FALSE(locator.NotMaster(0, ""));
  EXPECT_FALSE(locator.NotMaster(0, locator.endpoint()));
  EXPECT_FALSE(locator.NotMaster(0, std::string(10'000, 'x')));
}

TEST(Locator, WithoutEndpointsThereIsNothingToDial) {
  const ClientConfig config;
  Locator locator(&config);
  locator.Seed(1);
  locator.Fail(0);
  EXPECT_TRUE(locator.endpoint().empty());
}

}  // namespace
}  // namespace bramah::client

#include "core/lock/delays.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/lock/lock_state.h"

namespace bramah::lock {
namespace {

using Paths = std::vector<std::string>;

TEST(Delays, D34ALostExclusiveHoldClosesTheLockToAllAndALostSharedOneToWriters) {
  Delays delays;
  delays.Add("/x", v1::EXCLUSIVE, {0, 1, 10});
  delays.Add("/s", v1::SHARED, {0, 1, 10});
  const LockState lock;
  EXPECT_FALSE(lock.Grantable(v1::SHARED, delays.At("/x")));
  EXPECT_FALSE(lock.Grantable(v1::EXCLUSIVE, delays.At("/x")));
  EXPECT_TRUE(lock.Grantable(v1::SHARED, delays.At("/s")));
  EXPECT_FALSE(lock.Grantable(v1::EXCLUSIVE, delays.At("/s")));
  EXPECT_TRUE(lock.Grantable(v1::EXCLUSIVE, delays.At("/")));
}

TEST(Delays, D34TheLongestOfSeveralCounts) {
  Delays delays;
  delays.Add("/f", v1::SHARED, {0, 1, 10});
  delays.Add("/f", v1::SHARED, {0, 1, 30});
  delays.Add("/f", v1::SHARED, {0, 1, 20});
  EXPECT_FALSE(delays.End("/f", 29));
  EXPECT_TRUE(delays.End("/f", 30));
  EXPECT_EQ(delays.next(), kNever);
}

TEST(Delays, ThePartsOfOneNameEndEachAtItsTime) {
  Delays delays;
  delays.Add("/f", v1::EXCLUSIVE, {0, 1, 10});
  delays.Add("/f", v1::SHARED, {0, 1, 20});
  EXPECT_EQ(delays.next(), 10);
  EXPECT_EQ(delays.Due(10), Paths{"/f"});
  EXPECT_TRUE(delays.End("/f", 10));
  EXPECT_EQ(delays.At("/f"), (Delay{{}, 20}));
  EXPECT_EQ(delays.next(), 20);
  EXPECT_TRUE(delays.Due(19).empty());
}

TEST(Delays, EveryPermitEndsAtItsTime) {
  Delays delays;
  delays.Add("/s", v1::EXCLUSIVE, {2, 3, 10});
  delays.Add("/s", v1::EXCLUSIVE, {0, 3, 20});
  delays.Add("/s", v1::EXCLUSIVE, {2, 3, 15});
  EXPECT_EQ(delays.At("/s"), (Delay{{{0, 3, 20}, {2, 3, 15}}, 0}));
  EXPECT_FALSE(delays.End("/s", 14));
  EXPECT_TRUE(delays.End("/s", 15));
  EXPECT_EQ(delays.At("/s"), (Delay{{{0, 3, 20}}, 0}));
  EXPECT_EQ(delays.digest(), delays.DigestSlow());
  EXPECT_EQ(delays.next(), 20);
}

TEST(Delays, WhatIsDueComesInOrderOfNames) {
  Delays delays;
  delays.Add("/b", v1::EXCLUSIVE, {0, 1, 1});
  delays.Add("/c", v1::EXCLUSIVE, {0, 1, 9});
  delays.Add("/a", v1::EXCLUSIVE, {0, 1, 2});
  EXPECT_EQ(delays.Due(5), (Paths{"/a", "/b"}));
}

TEST(Delays, TheDigestIsThatOfTheContentsWhateverTheirHistory) {
  Delays delays;
  delays.Add("/a", v1::EXCLUSIVE, {0, 1, 5});
  const uint64_t digest = delays.digest();
  EXPECT_NE(digest, Delays().digest());
  delays.Add("/b", v1::SHARED, {0, 1, 7});
  EXPECT_NE(delays.digest(), digest);
  EXPECT_EQ(delays.digest(), delays.DigestSlow());
  delays.End("/b", 7);
  EXPECT_EQ(delays.digest(), digest);
  delays.End("/a", 5);
  EXPECT_EQ(delays.digest(), Delays().digest());
}

TEST(Delays, OnlyWhatCanHaveBeenSavedIsAppended) {
  Delays delays;
  EXPECT_TRUE(delays.Append("/b", {{{0, 1, 5}}, 0}));
  EXPECT_FALSE(delays.Append("/a", {{{0, 1, 5}}, 0}));
  EXPECT_FALSE(delays.Append("/b", {{{0, 1, 5}}, 0}));
  EXPECT_FALSE(delays.Append("/c", {{}, 0}));
  EXPECT_FALSE(delays.Append("/c", {{{0, 1, 5}}, -1}));
  EXPECT_FALSE(delays.Append("/c", {{{0, 1, 0}}, 5}));
  EXPECT_FALSE(delays.Append("/c", {{{1, 2, 5}, {0, 2, 5}}, 0}));
  EXPECT_FALSE(delays.Append("/c", {{{1, 2, 5}, {1, 2, 5}}, 0}));
  EXPECT_FALSE(delays.Append("/c", {{{1, 1, 5}}, 0}));
  EXPECT_TRUE(delays.Append("/c", {{}, 5}));
  EXPECT_EQ(delays.digest(), delays.DigestSlow());
}

}  // namespace
}  // namespace bramah::lock

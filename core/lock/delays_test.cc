#include "core/lock/delays.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bramah::lock {
namespace {

using Paths = std::vector<std::string>;

TEST(Delays, D34ALostExclusiveHoldClosesTheLockToAllAndALostSharedOneToWriters) {
  Delays delays;
  delays.Add("/x", v1::EXCLUSIVE, 10);
  delays.Add("/s", v1::SHARED, 10);
  EXPECT_TRUE(delays.At("/x").Closes(v1::SHARED));
  EXPECT_TRUE(delays.At("/x").Closes(v1::EXCLUSIVE));
  EXPECT_FALSE(delays.At("/s").Closes(v1::SHARED));
  EXPECT_TRUE(delays.At("/s").Closes(v1::EXCLUSIVE));
  EXPECT_FALSE(delays.At("/").Closes(v1::EXCLUSIVE));
}

TEST(Delays, D34TheLongestOfSeveralCounts) {
  Delays delays;
  delays.Add("/f", v1::SHARED, 10);
  delays.Add("/f", v1::SHARED, 30);
  delays.Add("/f", v1::SHARED, 20);
  EXPECT_FALSE(delays.End("/f", 29));
  EXPECT_TRUE(delays.End("/f", 30));
  EXPECT_EQ(delays.next(), kNever);
}

TEST(Delays, ThePartsOfOneNameEndEachAtItsTime) {
  Delays delays;
  delays.Add("/f", v1::EXCLUSIVE, 10);
  delays.Add("/f", v1::SHARED, 20);
  EXPECT_EQ(delays.next(), 10);
  EXPECT_EQ(delays.Due(10), Paths{"/f"});
  EXPECT_TRUE(delays.End("/f", 10));
  EXPECT_FALSE(delays.At("/f").Closes(v1::SHARED));
  EXPECT_TRUE(delays.At("/f").Closes(v1::EXCLUSIVE));
  EXPECT_EQ(delays.next(), 20);
  EXPECT_TRUE(delays.Due(19).empty());
}

TEST(Delays, WhatIsDueComesInOrderOfNames) {
  Delays delays;
  delays.Add("/b", v1::EXCLUSIVE, 1);
  delays.Add("/c", v1::EXCLUSIVE, 9);
  delays.Add("/a", v1::EXCLUSIVE, 2);
  EXPECT_EQ(delays.Due(5), (Paths{"/a", "/b"}));
}

TEST(Delays, TheDigestIsThatOfTheContentsWhateverTheirHistory) {
  Delays delays;
  delays.Add("/a", v1::EXCLUSIVE, 5);
  const uint64_t digest = delays.digest();
  EXPECT_NE(digest, Delays().digest());
  delays.Add("/b", v1::SHARED, 7);
  EXPECT_NE(delays.digest(), digest);
  EXPECT_EQ(delays.digest(), delays.DigestSlow());
  delays.End("/b", 7);
  EXPECT_EQ(delays.digest(), digest);
  delays.End("/a", 5);
  EXPECT_EQ(delays.digest(), Delays().digest());
}

TEST(Delays, OnlyWhatCanHaveBeenSavedIsAppended) {
  Delays delays;
  EXPECT_TRUE(delays.Append("/b", {5, 0}));
  EXPECT_FALSE(delays.Append("/a", {5, 0}));
  EXPECT_FALSE(delays.Append("/b", {5, 0}));
  EXPECT_FALSE(delays.Append("/c", {0, 0}));
  EXPECT_FALSE(delays.Append("/c", {5, -1}));
  EXPECT_TRUE(delays.Append("/c", {0, 5}));
  EXPECT_EQ(delays.digest(), delays.DigestSlow());
}

}  // namespace
}  // namespace bramah::lock

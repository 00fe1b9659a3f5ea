#include "core/replica/cache_table.h"

#include <gtest/gtest.h>

namespace bramah::replica {
namespace {

constexpr SessionId kA(1);
constexpr SessionId kB(2);
constexpr uint64_t kFile = 7;
constexpr uint64_t kOther = 8;
const Touches kWrite = {{kFile, v1::CACHE_DATA | v1::CACHE_STAT}};

using Kept = CacheTable::Kept;

struct CacheTableTest : testing::Test {
  Kept Read(SessionId session, uint64_t id, uint32_t classes, uint64_t number = 0) {
    return table.Register(session, {id, classes}, number);
  }
  // Whom a write tells, by items with these numbers from now on.
  std::vector<SessionId> Write(const Touches& touches) {
    table.Forbid(touches);
    std::vector<SessionId> told;
    for (const CacheTable::Untold& untold : table.ToTell(touches)) {
      table.Told(untold.session, untold.touch, ++number);
      told.push_back(untold.session);
    }
    return told;
  }
  bool Waits(const Touches& touches) const { return table.Cached(touches, SessionId(), 0); }

  CacheTable table{3, 100};
  uint64_t number = 0;
};

// [C-50] [CA-07]
TEST_F(CacheTableTest, AWriteWaitsUntilEveryCacherHasAcknowledged) {
  EXPECT_EQ(Read(kA, kFile, v1::CACHE_DATA), Kept::kYes);
  EXPECT_EQ(Read(kB, kFile, v1::CACHE_STAT), Kept::kYes);
  EXPECT_EQ(Write(kWrite), (std::vector{kA, kB}));
  EXPECT_TRUE(Waits(kWrite)) << "telling is not enough";
  table.Acknowledge(kA, 1);
  EXPECT_TRUE(Waits(kWrite));
  EXPECT_TRUE(table.Acknowledge(kB, 2));
  EXPECT_FALSE(Waits(kWrite));
}

// [C-51]
TEST_F(CacheTableTest, OneRoundServesEveryWriteAndNobodyKeepsAnythingMeanwhile) {
  Read(kA, kFile, v1::CACHE_DATA);
  EXPECT_EQ(Write(kWrite).size(), 1u);
  EXPECT_EQ(Write(kWrite).size(), 0u) << "told already";
  EXPECT_EQ(Read(kB, kFile, v1::CACHE_DATA), Kept::kNo);
  table.Acknowledge(kA, 1);
  table.Allow(kWrite);
  EXPECT_EQ(Read(kB, kFile, v1::CACHE_DATA), Kept::kNo) << "the second write is still under way";
  table.Allow(kWrite);
  EXPECT_EQ(Read(kB, kFile, v1::CACHE_DATA), Kept::kYes);
}

//
TEST_F(CacheTableTest, AReaderOfContentsDoesNotDelayALock) {
  Read(kA, kFile, v1::CACHE_DATA);
  const Touches lock = {{kFile, v1::CACHE_LOCK_STATE}};
  EXPECT_TRUE(Write(lock).empty());
  EXPECT_FALSE(Waits(lock));
  EXPECT_EQ(Read(kB, kFile, v1::CACHE_DATA), Kept::kYes) << "contents do not change";
  EXPECT_EQ(Read(kB, kFile, v1::CACHE_STAT | v1::CACHE_LOCK_STATE), Kept::kNo) << "all or nothing";
}

TEST_F(CacheTableTest, WhatIsRegisteredAfterTheItemIsKeptWhenTheItemIsAcknowledged) {
  Read(kA, kFile, v1::CACHE_DATA);
  Write(kWrite);
  table.Allow(kWrite);  // its own write, that did not wait for it
  EXPECT_EQ(Read(kA, kFile, v1::CACHE_DATA, 1), Kept::kYes);
  table.Acknowledge(kA, 1);
  EXPECT_TRUE(Waits(kWrite)) << "the second copy was not dropped";
  EXPECT_EQ(Write(kWrite).size(), 1u);
  table.Acknowledge(kA, 2);
  EXPECT_FALSE(Waits(kWrite));
}

// One class registered late must not shield another that was told before.
TEST_F(CacheTableTest, ClassesAreAcknowledgedOneByOne) {
  Read(kA, kFile, v1::CACHE_STAT);
  const Touches stat = {{kFile, v1::CACHE_STAT}};
  Write(stat);
  EXPECT_EQ(Read(kA, kFile, v1::CACHE_DATA, 1), Kept::kYes);
  table.Acknowledge(kA, 1);
  EXPECT_FALSE(Waits(stat));
  EXPECT_TRUE(Waits({{kFile, v1::CACHE_DATA}}));
}

// [D-14]
TEST_F(CacheTableTest, AWriterIsNotWaitedForOnTheNodeThatItChanges) {
  Read(kA, kFile, v1::CACHE_DATA);
  Read(kA, kOther, v1::CACHE_CHILDREN);
  const Touches write = {{kFile, v1::CACHE_DATA}, {kOther, v1::CACHE_CHILDREN}};
  EXPECT_TRUE(table.Cached(write, kA, kFile)) << "its copy of the directory counts";
  EXPECT_FALSE(table.Cached({write[0]}, kA, kFile));
  Read(kB, kFile, v1::CACHE_DATA);
  EXPECT_TRUE(table.Cached({write[0]}, kA, kFile));
}

// [C-52]
TEST_F(CacheTableTest, ASessionThatLapsedKeepsNothing) {
  Read(kA, kFile, v1::CACHE_DATA);
  Write(kWrite);
  EXPECT_TRUE(table.Forget(kA));
  EXPECT_FALSE(Waits(kWrite));
  EXPECT_FALSE(table.Forget(kA));
  EXPECT_FALSE(table.Acknowledge(kA, 1));
}

TEST_F(CacheTableTest, WhoKeepsTooMuchIsToldToStartOver) {
  for (const uint64_t id : {1, 2, 3}) EXPECT_EQ(Read(kA, id, v1::CACHE_DATA), Kept::kYes);
  EXPECT_EQ(Read(kA, 3, v1::CACHE_STAT), Kept::kYes) << "known already";
  EXPECT_EQ(Read(kA, 4, v1::CACHE_DATA), Kept::kFull);
  table.Flushing(kA, 5);
  EXPECT_EQ(Read(kA, 1, v1::CACHE_DATA, 5), Kept::kNo) << "until it has";
  EXPECT_TRUE(Waits({{1, v1::CACHE_DATA}}));
  table.Acknowledge(kA, 5);
  EXPECT_FALSE(Waits({{1, v1::CACHE_DATA}}));
  EXPECT_EQ(Read(kA, 4, v1::CACHE_DATA, 5), Kept::kYes);
}

TEST_F(CacheTableTest, ThereIsABoundForAllTogether) {
  CacheTable small(10, 2);
  EXPECT_EQ(small.Register(kA, {1, v1::CACHE_DATA}, 0), Kept::kYes);
  EXPECT_EQ(small.Register(kB, {1, v1::CACHE_DATA}, 0), Kept::kYes);
  EXPECT_EQ(small.Register(kA, {2, v1::CACHE_DATA}, 0), Kept::kNo);
  small.Forget(kB);
  EXPECT_EQ(small.Register(kA, {2, v1::CACHE_DATA}, 0), Kept::kYes);
}

// Held writes are looked at again only when that may help them.
TEST_F(CacheTableTest, AnAcknowledgementCountsWhenAtMostTheWriterIsLeft) {
  for (const SessionId session : {kA, kB, SessionId(3)}) Read(session, kFile, v1::CACHE_DATA);
  Write(kWrite);
  EXPECT_FALSE(table.Acknowledge(kA, 1));
  EXPECT_TRUE(table.Acknowledge(kB, 2)) << "the third may be the writer";
  EXPECT_TRUE(table.Acknowledge(SessionId(3), 3));
}

}  // namespace
}  // namespace bramah::replica

#include "core/replica/lease_length.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/keyed.h"

namespace bramah::replica {
namespace {

constexpr Duration kLease = 12 * kSecond;
constexpr Duration kMargin = 5 * kSecond;

class LeaseLengthTest : public testing::Test {
 protected:
  LeaseLengthTest() { length_.TakeOver(0, kLease, kMargin, kLease); }

  // Lmax grows to what so many sessions need.
  void Raise(Time now, uint64_t sessions) {
    const Duration proposed = length_.Fit(now, sessions);
    ASSERT_GT(proposed, kLease);
    length_.Applied(proposed);
    EXPECT_EQ(length_.Fit(now, sessions), 0);
    EXPECT_EQ(length_.granted(), proposed);
  }

  LeaseLength length_{kSecond};  // aims at one KeepAlive a second
};

// [C-63]
TEST_F(LeaseLengthTest, D25LeasesGrowWithTheSessionsWithinTheirRange) {
  const std::vector<std::pair<uint64_t, Duration>> kWanted = {
      {0, 12}, {7, 12}, {9, 14}, {10, 15}, {40, 45}, {56, 60}, {1'000'000, 60}, {UINT64_MAX, 60}};
  for (const auto& [sessions, seconds] : kWanted) {
    LeaseLength length(kSecond);
    length.TakeOver(0, kLease, kMargin, 60 * kSecond);
    length.Fit(0, sessions);
    EXPECT_EQ(length.granted(), seconds * kSecond) << sessions;
  }
}

TEST_F(LeaseLengthTest, TheDefaultRateNeedsTenThousandSessionsForMore) {
  LeaseLength length(kSecond / 1'500);
  length.TakeOver(0, kLease, kMargin, kLease);
  EXPECT_EQ(length.Fit(0, 10'000), 0);
  EXPECT_EQ(length.Fit(0, 15'000) / kSecond, 14);
}

TEST_F(LeaseLengthTest, D25AFifthMoreOrLessChangesNothing) {
  Raise(0, 20);
  const Duration before = length_.granted();  // 25 s
  for (const uint64_t sessions : {24, 25, 15, 16, 20}) {
    EXPECT_EQ(length_.Fit(kSecond, sessions), 0) << sessions;
    EXPECT_EQ(length_.granted(), before) << sessions;
  }
  EXPECT_EQ(length_.Fit(kSecond, 26), 31 * kSecond);
}

TEST_F(LeaseLengthTest, WithoutASpacingLeasesAreAsConfigured) {
  LeaseLength length(0);
  length.TakeOver(0, kLease, kMargin, kLease);
  EXPECT_EQ(length.Fit(0, 1'000'000), 0);
  EXPECT_EQ(length.granted(), kLease);
}

TEST_F(LeaseLengthTest, AConfiguredLeaseBeyondAMinuteIsNeverChanged) {
  LeaseLength length(kSecond);
  length.TakeOver(0, 600 * kSecond, kMargin, 600 * kSecond);
  for (const uint64_t sessions : {0, 100, 10'000}) {
    EXPECT_EQ(length.Fit(0, sessions), 0);
    EXPECT_EQ(length.granted(), 600 * kSecond);
  }
}

// [C-63] D-08: the entry comes first.
TEST_F(LeaseLengthTest, ALongerLeaseIsGrantedOnlyWhenItsEntryWasApplied) {
  EXPECT_EQ(length_.Fit(0, 30), 35 * kSecond);
  EXPECT_EQ(length_.granted(), kLease);
  EXPECT_EQ(length_.Fit(kSecond, 50), 0) << "one entry is under way at a time";
  EXPECT_EQ(length_.granted(), kLease);
  length_.Applied(35 * kSecond);
  EXPECT_EQ(length_.Fit(2 * kSecond, 50), 55 * kSecond);
  EXPECT_EQ(length_.granted(), 35 * kSecond);
}

// [C-63] A-13
TEST_F(LeaseLengthTest, LmaxFallsWhenTheLastLongerLeaseHasLapsed) {
  Raise(0, 40);
  EXPECT_EQ(length_.Fit(100 * kSecond, 3), 0);
  EXPECT_EQ(length_.granted(), kLease) << "no longer lease from here on";
  EXPECT_EQ(length_.FitAt(), 145 * kSecond + 1);
  EXPECT_EQ(length_.Fit(145 * kSecond, 3), 0);
  EXPECT_EQ(length_.Fit(145 * kSecond + 1, 3), kLease);
  EXPECT_EQ(length_.FitAt(), kNever);
  length_.Applied(kLease);
  EXPECT_EQ(length_.Fit(200 * kSecond, 3), 0);
}

TEST_F(LeaseLengthTest, ACrowdThatReturnsInTimeFindsItsLongLeases) {
  Raise(0, 40);
  EXPECT_EQ(length_.Fit(100 * kSecond, 3), 0);
  EXPECT_EQ(length_.Fit(110 * kSecond, 40), 0);
  EXPECT_EQ(length_.granted(), 45 * kSecond);
  EXPECT_EQ(length_.FitAt(), kNever);
  EXPECT_EQ(length_.Fit(120 * kSecond, 3), 0);
  EXPECT_EQ(length_.FitAt(), 165 * kSecond + 1) << "long leases were granted until then";
}

TEST_F(LeaseLengthTest, AfterASmallerOneIsProposedNoLongerLeaseIsGranted) {
  Raise(0, 40);
  length_.Fit(100 * kSecond, 3);
  EXPECT_EQ(length_.Fit(150 * kSecond, 3), kLease);
  EXPECT_EQ(length_.Fit(151 * kSecond, 40), 0);
  EXPECT_EQ(length_.granted(), kLease) << "Lmax is larger still, but a successor may know of the smaller one";
  length_.Applied(kLease);
  EXPECT_EQ(length_.Fit(152 * kSecond, 40), 45 * kSecond);
  EXPECT_EQ(length_.granted(), kLease);
}

// [C-63] A-13, PR-27: M1 grants a minute and dies. M2, which never granted more than 12 s, must not let M3 believe in less yet.
TEST_F(LeaseLengthTest, TakingOverCountsAsGrantingLmax) {
  length_.TakeOver(1'000 * kSecond, kLease, kMargin, 60 * kSecond);
  EXPECT_EQ(length_.granted(), 60 * kSecond) << "what every session is given";
  EXPECT_EQ(length_.Fit(1'001 * kSecond, 3), 0);
  EXPECT_EQ(length_.granted(), kLease);
  EXPECT_EQ(length_.Fit(1'060 * kSecond, 3), 0);
  EXPECT_EQ(length_.Fit(1'061 * kSecond + 1, 3), kLease);
}

// Chains of masters and crowds at random: whoever takes over, gives every session as much as is left of any lease granted before.
TEST_F(LeaseLengthTest, ANewMastersLmaxCoversEveryLeaseGrantedBefore) {
  int lowered = 0;
  int raised = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    uint64_t ordinal = 0;
    const auto pick = [&](uint64_t bound) { return Below(Draw(seed, 1, 0, ordinal++), bound); };
    LeaseLength length(kSecond);
    Duration lease_max = kLease;
    Duration under_way = 0;
    Time longest = 0;  // end of the lease that ends last
    length.TakeOver(0, kLease, kMargin, lease_max);
    uint64_t sessions = 0;
    for (Time now = 0; now < 600 * kSecond; now += static_cast<Time>(pick(4'000)) * kMillisecond) {
      if (pick(12) == 0) sessions = pick(70);
      if (const Duration proposed = length.Fit(now, sessions); proposed != 0) under_way = proposed;
      EXPECT_LE(length.granted(), lease_max);
      longest = std::max(longest, now + length.granted());
      const bool applied = under_way != 0 && pick(3) == 0;
      if (applied) {
        ++(under_way > lease_max ? raised : lowered);
        lease_max = under_way;
        under_way = 0;
        length.Applied(lease_max);
      }
      // The master dies: what it had under way may come to be applied before the next one takes over.
      if (pick(25) != 0) continue;
      if (under_way != 0 && pick(2) == 0) lease_max = under_way;
      under_way = 0;
      EXPECT_GE(now + lease_max, longest) << "seed " << seed;
      length.TakeOver(now, kLease, kMargin, lease_max);
    }
  }
  EXPECT_GT(lowered, 100);
  EXPECT_GT(raised, 100);
}

}  // namespace
}  // namespace bramah::replica

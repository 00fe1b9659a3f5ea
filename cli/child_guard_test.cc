#include "cli/child_guard.h"

#include "gtest/gtest.h"

namespace bramah::cli {
namespace {

using Action = ChildGuard::Action;
constexpr Time kLeaseEnd = 100 * kSecond;

Belief Healthy() { return {true, kLeaseEnd, false}; }
Belief Overdue() { return {true, kLeaseEnd, true}; }

TEST(ChildGuardTest, LeavesAHealthyChildAloneUntilTheLastInstant) {
  ChildGuard guard;
  for (Time now = 88 * kSecond; now < kLeaseEnd; now += 10 * kMillisecond) EXPECT_EQ(guard.Look(now, Healthy()), Action::kNone);
  EXPECT_FALSE(guard.fired());
}

TEST(ChildGuardTest, LeavesAnOverdueSessionAloneWhileThereIsTime) {
  ChildGuard guard;
  EXPECT_EQ(guard.Look(kLeaseEnd - 3500 * kMillisecond, Overdue()), Action::kNone);
  EXPECT_FALSE(guard.fired());
}

TEST(ChildGuardTest, TerminatesOnceThenKillsBeforeTheLeaseEnds) {
  ChildGuard guard;
  const Time start = kLeaseEnd - 3499 * kMillisecond;
  EXPECT_EQ(guard.Look(start, Overdue()), Action::kTerminate);
  EXPECT_EQ(guard.Look(start + 1, Overdue()), Action::kNone);
  EXPECT_LE(guard.kill_at(), kLeaseEnd - 499 * kMillisecond);
  EXPECT_EQ(guard.Look(guard.kill_at() - 1, Overdue()), Action::kNone);
  EXPECT_EQ(guard.Look(guard.kill_at(), Overdue()), Action::kKill);
  EXPECT_EQ(guard.Look(guard.kill_at() + 1, Overdue()), Action::kKill);
}

TEST(ChildGuardTest, ShortensTheGraceWhenItComesLate) {
  ChildGuard guard;
  EXPECT_EQ(guard.Look(kLeaseEnd - kSecond, Overdue()), Action::kTerminate);
  EXPECT_EQ(guard.kill_at(), kLeaseEnd - 500 * kMillisecond);
  ChildGuard later;
  EXPECT_EQ(later.Look(kLeaseEnd - 100 * kMillisecond, Overdue()), Action::kKill);
}

TEST(ChildGuardTest, KillsAtOnceWhenTheLockIsNotBelievedHeld) {
  ChildGuard guard;
  EXPECT_EQ(guard.Look(kLeaseEnd - 10 * kSecond, {false, kLeaseEnd, false}), Action::kKill);
  ChildGuard paused;  // this process slept through the end of its lease
  EXPECT_EQ(paused.Look(kLeaseEnd, Healthy()), Action::kKill);
}

TEST(ChildGuardTest, DoesNotTakeATerminationBack) {
  ChildGuard guard;
  EXPECT_EQ(guard.Look(kLeaseEnd - 3 * kSecond, Overdue()), Action::kTerminate);
  const Belief recovered{true, kLeaseEnd + 12 * kSecond, false};
  EXPECT_EQ(guard.Look(kLeaseEnd - 2 * kSecond, recovered), Action::kNone);
  EXPECT_EQ(guard.Look(kLeaseEnd, recovered), Action::kKill);
  EXPECT_TRUE(guard.fired());
}

}  // namespace
}  // namespace bramah::cli

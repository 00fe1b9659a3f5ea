// Lock-delay [Chubby §2.4]: after its holder was lost, a lock stays closed for as long as the lost handle asked for.
#include <gtest/gtest.h>

#include "core/cell/test_cell.h"

namespace bramah::cell {
namespace {

constexpr uint32_t kLockable = v1::OPEN_WRITE | v1::OPEN_MAY_CREATE;
constexpr Duration kDelay = 10 * kSecond;

// Session a holds nothing yet; its handle 1 on /l asks for a delay of kDelay. The handles 1 of b and c ask for none.
class CellLockDelay : public ::testing::Test {
 protected:
  void SetUp() override {
    a = Opened("/l", kDelay);
    b = Opened("/l", 0);
    c = Opened("/l", 0);
  }
  uint64_t Opened(const std::string& path, Duration lock_delay, uint32_t flags = kLockable) {
    const uint64_t session = cell.Session();
    EXPECT_EQ(cell.Do(Delayed(OpenPath(session, 1, 1, path, flags), lock_delay)), v1::OK);
    return session;
  }
  v1::Code Acquire(uint64_t session, v1::LockMode mode = v1::EXCLUSIVE) { return cell.Do(AcquireOf(session, 2, 1, mode)); }
  v1::Code TryAcquire(uint64_t session, uint64_t seq, v1::LockMode mode = v1::EXCLUSIVE) {
    return cell.Do(AcquireOf(session, seq, 1, mode, true));
  }
  // Whether the last command granted the lock to `session`, and to nobody else.
  bool Granted(uint64_t session) const {
    const std::vector<Decision>& decisions = cell.applied().decisions;
    return decisions.size() == 1 && decisions[0].kind == Decision::kGranted && decisions[0].session == SessionId(session);
  }

  TestCell cell;
  uint64_t a = 0, b = 0, c = 0;
};

TEST_F(CellLockDelay, C36AfterExpiryNobodyGetsTheLockBeforeTheDelayIsOver) {
  ASSERT_EQ(Acquire(a), v1::OK);
  ASSERT_EQ(Acquire(b), v1::QUEUED);
  ASSERT_EQ(cell.Do(Expire(a)), v1::OK);
  EXPECT_TRUE(cell.applied().decisions.empty());
  EXPECT_TRUE(cell.Reached(ProbeId::kLockDelayed));
  EXPECT_EQ(cell.cell().next_delay_end(), cell.time() + kDelay);
  cell.Advance(kDelay - 1);
  ASSERT_EQ(cell.Do(ExpireDelays()), v1::OK);
  EXPECT_FALSE(cell.applied().effect);
  cell.Advance(1);
  ASSERT_EQ(cell.Do(ExpireDelays()), v1::OK);
  EXPECT_TRUE(Granted(b));
  EXPECT_TRUE(cell.Reached(ProbeId::kLockDelayEnded));
  EXPECT_EQ(cell.cell().next_delay_end(), kNever);
}

// [C-36]
TEST_F(CellLockDelay, D32AnAbandonedSessionIsLostButAClosedOneIsNot) {
  ASSERT_EQ(Acquire(a), v1::OK);
  ASSERT_EQ(Acquire(b), v1::QUEUED);
  ASSERT_EQ(cell.Do(End(a, 3, v1::END_CLOSED)), v1::OK);
  EXPECT_TRUE(Granted(b));
  const uint64_t d = Opened("/k", kDelay);
  const uint64_t e = Opened("/k", 0);
  ASSERT_EQ(Acquire(d), v1::OK);
  ASSERT_EQ(Acquire(e), v1::QUEUED);
  ASSERT_EQ(cell.Do(End(d, 3, v1::END_ABANDONED)), v1::OK);
  EXPECT_TRUE(cell.applied().decisions.empty());
}

// [C-36]
TEST_F(CellLockDelay, D32ReleaseAndCloseOpenTheLockAtOnce) {
  ASSERT_EQ(Acquire(a), v1::OK);
  ASSERT_EQ(Acquire(b), v1::QUEUED);
  ASSERT_EQ(cell.Do(ReleaseOf(a, 3, 1)), v1::OK);
  EXPECT_TRUE(Granted(b));
  ASSERT_EQ(cell.Do(ReleaseOf(b, 3, 1)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, 4, 1, v1::EXCLUSIVE)), v1::OK);
  ASSERT_EQ(Acquire(c), v1::QUEUED);
  ASSERT_EQ(cell.Do(CloseOf(a, 5, 1)), v1::OK);
  EXPECT_TRUE(Granted(c));
}

TEST_F(CellLockDelay, D32PoisonOfTheHolderIsALoss) {
  ASSERT_EQ(Acquire(a), v1::OK);
  ASSERT_EQ(Acquire(b), v1::QUEUED);
  ASSERT_EQ(cell.Do(PoisonOf(a, 3, 1)), v1::OK);
  EXPECT_TRUE(cell.applied().decisions.empty());
  EXPECT_EQ(cell.cell().next_delay_end(), cell.time() + kDelay);
  EXPECT_EQ(cell.Do(Set(a, 4, 1, "x")), v1::BAD_HANDLE) << "nothing of the handle is left at the master [Chubby §4.6]";
}

TEST_F(CellLockDelay, D32PoisonOfAWaiterOrAnIdleHandleIsNone) {
  ASSERT_EQ(Acquire(b), v1::OK);
  ASSERT_EQ(Acquire(a), v1::QUEUED);
  ASSERT_EQ(cell.Do(PoisonOf(a, 3, 1, {2})), v1::OK);
  ASSERT_EQ(cell.Do(PoisonOf(c, 2, 1)), v1::OK);
  EXPECT_EQ(cell.cell().next_delay_end(), kNever);
  ASSERT_EQ(cell.Do(ReleaseOf(b, 3, 1)), v1::OK);
  EXPECT_TRUE(cell.applied().decisions.empty()) << "who was poisoned no longer waits";
}

// [C-24, C-36]
TEST_F(CellLockDelay, AHandleThatAskedForNoneLeavesNone) {
  ASSERT_EQ(Acquire(b), v1::OK);
  ASSERT_EQ(Acquire(c), v1::QUEUED);
  ASSERT_EQ(cell.Do(Expire(b)), v1::OK);
  EXPECT_TRUE(Granted(c));
}

TEST_F(CellLockDelay, C36MoreThanAMinuteCountsAsAMinute) {
  const uint64_t d = Opened("/k", 120 * kSecond);
  ASSERT_EQ(Acquire(d), v1::OK);
  ASSERT_EQ(cell.Do(Expire(d)), v1::OK);
  EXPECT_EQ(cell.cell().next_delay_end(), cell.time() + 60 * kSecond);
}

TEST_F(CellLockDelay, ANegativeDelayIsMalformed) {
  EXPECT_EQ(cell.Do(Delayed(OpenPath(a, 2, 2, "/k", kLockable), -1)), v1::MALFORMED);
}

// [C-36]
TEST_F(CellLockDelay, D34ALostReaderKeepsWritersOutAndLetsReadersIn) {
  ASSERT_EQ(Acquire(a, v1::SHARED), v1::OK);
  ASSERT_EQ(cell.Do(Expire(a)), v1::OK);
  EXPECT_EQ(TryAcquire(b, 2), v1::LOCK_DELAYED);
  EXPECT_EQ(TryAcquire(b, 3, v1::SHARED), v1::OK);
  EXPECT_EQ(TryAcquire(c, 2), v1::LOCK_CONFLICT);
}

TEST_F(CellLockDelay, D36DuringADelayNobodyPassesWhoWaits) {
  ASSERT_EQ(Acquire(a, v1::SHARED), v1::OK);
  ASSERT_EQ(cell.Do(Expire(a)), v1::OK);
  ASSERT_EQ(Acquire(b), v1::QUEUED);
  EXPECT_EQ(TryAcquire(c, 2, v1::SHARED), v1::LOCK_CONFLICT);
  EXPECT_EQ(cell.Do(AcquireOf(c, 3, 1, v1::SHARED)), v1::QUEUED);
}

TEST_F(CellLockDelay, A06AnAcquireAfterTheDelayStandsBehindThoseWhoWaitedForIt) {
  ASSERT_EQ(Acquire(a), v1::OK);
  ASSERT_EQ(cell.Do(Expire(a)), v1::OK);
  ASSERT_EQ(Acquire(b), v1::QUEUED);
  cell.Advance(kDelay);
  EXPECT_EQ(TryAcquire(c, 2), v1::LOCK_CONFLICT);
  EXPECT_TRUE(Granted(b));
}

TEST_F(CellLockDelay, AnAcquireAfterTheDelayNeedsNoOtherEntry) {
  ASSERT_EQ(Acquire(a), v1::OK);
  ASSERT_EQ(cell.Do(Expire(a)), v1::OK);
  EXPECT_EQ(TryAcquire(b, 2), v1::LOCK_DELAYED);
  cell.Advance(kDelay);
  EXPECT_EQ(TryAcquire(b, 3), v1::OK);
  EXPECT_EQ(cell.cell().next_delay_end(), kNever);
}

TEST_F(CellLockDelay, D33ADelayOutlivesTheNode) {
  ASSERT_EQ(Acquire(a), v1::OK);
  ASSERT_EQ(cell.Do(Expire(a)), v1::OK);
  ASSERT_EQ(cell.Do(DeleteOf(b, 2, 1)), v1::OK);
  ASSERT_EQ(cell.Do(OpenPath(b, 3, 2, "/l", kLockable)), v1::OK);
  ASSERT_TRUE(cell.applied().outcome.created());
  EXPECT_EQ(cell.Do(AcquireOf(b, 4, 2, v1::EXCLUSIVE, true)), v1::LOCK_DELAYED);
  cell.Advance(kDelay);
  EXPECT_EQ(cell.Do(AcquireOf(b, 5, 2, v1::EXCLUSIVE, true)), v1::OK);
}

TEST_F(CellLockDelay, D33TheDelayOfAnEphemeralFileOutlivesItsDeath) {
  const uint64_t d = Opened("/e", kDelay, kLockable | v1::OPEN_EPHEMERAL);
  ASSERT_EQ(Acquire(d), v1::OK);
  ASSERT_EQ(cell.Do(Expire(d)), v1::OK);
  ASSERT_FALSE(cell.Exists("/e"));
  const uint64_t e = Opened("/e", 0, kLockable | v1::OPEN_EPHEMERAL);
  EXPECT_EQ(TryAcquire(e, 2), v1::LOCK_DELAYED);
  // It ends whether or not a node of the name exists.
  ASSERT_EQ(cell.Do(CloseOf(e, 3, 1)), v1::OK);
  cell.Advance(kDelay);
  ASSERT_EQ(cell.Do(ExpireDelays()), v1::OK);
  EXPECT_TRUE(cell.applied().effect);
  EXPECT_EQ(cell.cell().next_delay_end(), kNever);
}

TEST_F(CellLockDelay, ALongerDelayOfALaterHolderCounts) {
  const uint64_t d = Opened("/l", 3 * kDelay);
  ASSERT_EQ(Acquire(a, v1::SHARED), v1::OK);
  ASSERT_EQ(Acquire(d, v1::SHARED), v1::OK);
  ASSERT_EQ(cell.Do(Expire(d)), v1::OK);
  ASSERT_EQ(cell.Do(Expire(a)), v1::OK);
  cell.Advance(kDelay);
  EXPECT_EQ(TryAcquire(b, 2), v1::LOCK_DELAYED);
  cell.Advance(2 * kDelay);
  EXPECT_EQ(TryAcquire(b, 3), v1::OK);
}

TEST_F(CellLockDelay, EndedDelaysGrantInPathOrder) {
  std::vector<uint64_t> waiting;
  for (const char* path : {"/z", "/y"}) {
    const uint64_t holder = Opened(path, kDelay);
    waiting.push_back(Opened(path, 0));
    ASSERT_EQ(Acquire(holder), v1::OK);
    ASSERT_EQ(Acquire(waiting.back()), v1::QUEUED);
    ASSERT_EQ(cell.Do(Expire(holder)), v1::OK);
  }
  cell.Advance(kDelay);
  ASSERT_EQ(cell.Do(ExpireDelays()), v1::OK);
  ASSERT_EQ(cell.applied().decisions.size(), 2u);
  EXPECT_EQ(cell.applied().decisions[0].session, SessionId(waiting[1]));
  EXPECT_EQ(cell.applied().decisions[1].session, SessionId(waiting[0]));
}

// A delay that no time can reach would close the lock for ever.
TEST_F(CellLockDelay, NoTimeOfAnEntryMakesADelayOverflowOrLastForEver) {
  ASSERT_EQ(Acquire(a), v1::OK);
  ASSERT_EQ(Acquire(b), v1::QUEUED);
  cell.Advance(kNever - cell.time());
  ASSERT_EQ(cell.Do(Expire(a)), v1::OK);
  EXPECT_TRUE(Granted(b));
  EXPECT_EQ(cell.cell().next_delay_end(), kNever);
}

// A leader that took over may know an earlier time than its predecessor wrote.
TEST_F(CellLockDelay, A14TimeThatFallsBackCountsAsStandingStill) {
  cell.Advance(kDelay);
  ASSERT_EQ(Acquire(a), v1::OK);
  cell.Advance(-kDelay);
  ASSERT_EQ(cell.Do(Expire(a)), v1::OK);
  EXPECT_EQ(cell.cell().next_delay_end(), 2 * kDelay);
}

}  // namespace
}  // namespace bramah::cell

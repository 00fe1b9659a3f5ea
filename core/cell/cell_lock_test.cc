#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "core/cell/test_cell.h"

namespace bramah::cell {
namespace {

constexpr uint32_t kLockable = v1::OPEN_WRITE | v1::OPEN_MAY_CREATE;

// Three sessions a, b, c, each with handle 1 on the permanent file /l, opened by its seq 1.
class CellLock : public ::testing::Test {
 protected:
  void SetUp() override {
    for (uint64_t* session : {&a, &b, &c}) {
      *session = cell.Session();
      ASSERT_EQ(cell.Do(OpenPath(*session, 1, 1, "/l", kLockable)), v1::OK);
    }
  }
  using Who = std::pair<uint64_t, uint64_t>;  // session and seq of the Acquire
  static Who Holder(uint64_t session, uint64_t seq) { return {session, seq}; }
  static std::vector<Who> Holders(const LockView& lock) {
    std::vector<Who> holders;
    for (const HolderView& holder : lock.holders) holders.emplace_back(holder.session.value(), holder.seq.value());
    return holders;
  }
  // The decisions of the last command are exactly these grants, at its own position.
  void ExpectGranted(const std::vector<Who>& expected) const {
    ASSERT_EQ(cell.applied().decisions.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      const Decision& decision = cell.applied().decisions[i];
      EXPECT_EQ(decision.kind, Decision::kGranted);
      EXPECT_EQ(Who(decision.session.value(), decision.seq.value()), expected[i]);
      EXPECT_EQ(decision.generation.value(), generation());
    }
  }
  uint64_t generation() const { return cell.Lock("/l").generation.value(); }
  size_t Waiters() const { return cell.Lock("/l").waiters.size(); }
  bool Held() const { return !cell.cell().HeldLocks().empty(); }

  TestCell cell;
  uint64_t a = 0, b = 0, c = 0;
};

// [C-11]
TEST_F(CellLock, A01GenerationIsThePositionOfTheEntryThatMadeItHeld) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::OK);
  EXPECT_EQ(cell.applied().outcome.lock_generation(), At(cell.index()));
  EXPECT_EQ(cell.applied().outcome.lock_mode(), v1::EXCLUSIVE);
  EXPECT_TRUE(cell.applied().effect);
  const LockView lock = cell.Lock("/l");
  EXPECT_EQ(lock.mode, v1::EXCLUSIVE);
  EXPECT_EQ(lock.generation.value(), At(cell.index()));
  EXPECT_EQ(Holders(lock), std::vector{Holder(a, 2)});
}

TEST_F(CellLock, C11SecondSharedHolderKeepsTheGenerationAndReleaseDoesNotChangeIt) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::SHARED)), v1::OK);
  const uint64_t first = cell.applied().outcome.lock_generation();
  ASSERT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::SHARED)), v1::OK);
  EXPECT_EQ(cell.applied().outcome.lock_generation(), first);
  ASSERT_EQ(cell.Do(ReleaseOf(a, 3, 1, 2)), v1::OK);
  EXPECT_EQ(generation(), first);
  ASSERT_EQ(cell.Do(ReleaseOf(b, 3, 1, 2)), v1::OK);
  EXPECT_EQ(cell.Read(v1::GET_STAT, a, 1).lock_generation(), first);
  ASSERT_EQ(cell.Do(AcquireOf(a, 4, 1, v1::SHARED)), v1::OK);
  EXPECT_EQ(cell.applied().outcome.lock_generation(), At(cell.index()));
}

// [C-32]
TEST_F(CellLock, A01GenerationsRiseAcrossInstancesOfOneName) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::OK);
  const uint64_t before = generation();
  ASSERT_EQ(cell.Do(DeleteOf(a, 3, 1)), v1::OK);
  ASSERT_EQ(cell.Do(OpenPath(a, 4, 2, "/l", kLockable)), v1::OK);
  EXPECT_EQ(cell.Read(v1::GET_STAT, a, 2).lock_generation(), 0u);
  ASSERT_EQ(cell.Do(AcquireOf(a, 5, 2, v1::EXCLUSIVE)), v1::OK);
  EXPECT_GT(generation(), before);
}

// [C-31]
TEST_F(CellLock, ConflictingAcquireQueuesAndIsGrantedByTheReleaseWithItsPosition) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::EXCLUSIVE)), v1::QUEUED);
  EXPECT_TRUE(cell.Reached(ProbeId::kLockQueued));
  EXPECT_EQ(cell.applied().outcome.lock_generation(), 0u);
  ASSERT_EQ(cell.Do(ReleaseOf(a, 3, 1, 2)), v1::OK);
  ExpectGranted({Holder(b, 2)});
  EXPECT_EQ(generation(), At(cell.index()));
  EXPECT_TRUE(cell.Reached(ProbeId::kLockGrantedLater));
}

TEST_F(CellLock, D36WaitersAreServedInOrder) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(c, 2, 1, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(ReleaseOf(a, 3, 1)), v1::OK);
  ExpectGranted({Holder(c, 2)});
  ASSERT_EQ(cell.Do(ReleaseOf(c, 3, 1)), v1::OK);
  ExpectGranted({Holder(b, 2)});
}

// [C-34]
TEST_F(CellLock, D36ConsecutiveSharedWaitersAreGrantedTogetherUpToTheFirstExclusive) {
  const uint64_t d = cell.Session();
  ASSERT_EQ(cell.Do(OpenPath(d, 1, 1, "/l", kLockable)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(c, 2, 1, v1::SHARED)), v1::QUEUED);
  ASSERT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::SHARED)), v1::QUEUED);
  ASSERT_EQ(cell.Do(AcquireOf(d, 2, 1, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(ReleaseOf(a, 3, 1)), v1::OK);
  ExpectGranted({Holder(c, 2), Holder(b, 2)});
  EXPECT_EQ(Waiters(), 1u);
}

TEST_F(CellLock, LK11WaitingExclusiveBlocksLaterShared) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::SHARED)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(AcquireOf(c, 2, 1, v1::SHARED)), v1::QUEUED);
  ASSERT_EQ(cell.Do(ReleaseOf(a, 3, 1)), v1::OK);
  ExpectGranted({Holder(b, 2)});
}

TEST_F(CellLock, SharedWaiterJoinsTheHoldersWhenTheExclusiveAheadGoesAway) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::SHARED)), v1::OK);
  const uint64_t first = generation();
  ASSERT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(AcquireOf(c, 2, 1, v1::SHARED)), v1::QUEUED);
  ASSERT_EQ(cell.Do(CloseOf(b, 3, 1)), v1::OK);
  ExpectGranted({Holder(c, 2)});
  EXPECT_EQ(generation(), first);
}

// [C-31]
TEST_F(CellLock, D36TryAcquireFailsIfHeldOrIfAnybodyWaitsAhead) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::SHARED)), v1::OK);
  EXPECT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::EXCLUSIVE, true)), v1::LOCK_CONFLICT);
  EXPECT_EQ(cell.Do(AcquireOf(b, 3, 1, v1::EXCLUSIVE)), v1::QUEUED);
  EXPECT_EQ(cell.Do(AcquireOf(c, 2, 1, v1::SHARED, true)), v1::LOCK_CONFLICT);
  EXPECT_EQ(Waiters(), 1u);
}

// [C-31]
TEST_F(CellLock, TryAcquireTakesAFreeLock) {
  EXPECT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE, true)), v1::OK);
  EXPECT_EQ(Holders(cell.Lock("/l")), std::vector{Holder(a, 2)});
}

TEST_F(CellLock, D37AcquireInTheSameModeIsANoOpThatKeepsHoldAndGeneration) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::SHARED)), v1::OK);
  const LockView before = cell.Lock("/l");
  ASSERT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::EXCLUSIVE)), v1::QUEUED);
  EXPECT_EQ(cell.Do(AcquireOf(a, 3, 1, v1::SHARED)), v1::OK);
  EXPECT_FALSE(cell.applied().effect);
  EXPECT_EQ(cell.applied().outcome.lock_generation(), before.generation.value());
  EXPECT_EQ(cell.Lock("/l").holders, before.holders);
}

TEST_F(CellLock, D37UpgradeAndDowngradeAreBusy) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::SHARED)), v1::OK);
  EXPECT_EQ(cell.Do(AcquireOf(a, 3, 1, v1::EXCLUSIVE)), v1::BUSY);
  ASSERT_EQ(cell.Do(ReleaseOf(a, 4, 1)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, 5, 1, v1::EXCLUSIVE)), v1::OK);
  EXPECT_EQ(cell.Do(AcquireOf(a, 6, 1, v1::SHARED)), v1::BUSY);
}

TEST_F(CellLock, PR23SecondAcquireOfAWaitingHandleIsBusyAndLeavesTheWaitAlone) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::EXCLUSIVE)), v1::QUEUED);
  EXPECT_EQ(cell.Do(AcquireOf(b, 3, 1, v1::EXCLUSIVE)), v1::BUSY);
  EXPECT_EQ(cell.Do(AcquireOf(b, 4, 1, v1::SHARED, true)), v1::BUSY);
  ASSERT_EQ(cell.Do(ReleaseOf(a, 3, 1)), v1::OK);
  ExpectGranted({Holder(b, 2)});
}

TEST_F(CellLock, TwoHandlesOfOneSessionConflictLikeStrangers) {
  ASSERT_EQ(cell.Do(OpenPath(a, 2, 2, "/l", v1::OPEN_WRITE)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, 3, 1, v1::EXCLUSIVE)), v1::OK);
  EXPECT_EQ(cell.Do(AcquireOf(a, 4, 2, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(ReleaseOf(a, 5, 1)), v1::OK);
  ASSERT_EQ(cell.applied().decisions.size(), 1u);
  EXPECT_EQ(cell.applied().decisions[0].handle, HandleId(2));
}

// [C-34]
TEST_F(CellLock, DirectoriesAndTheRootAreLockable) {
  ASSERT_EQ(cell.Do(OpenPath(a, 2, 2, "/", v1::OPEN_WRITE)), v1::OK);
  EXPECT_EQ(cell.Do(AcquireOf(a, 3, 2, v1::EXCLUSIVE)), v1::OK);
  ASSERT_EQ(cell.Do(OpenPath(a, 4, 3, "/d", kLockable | v1::OPEN_DIRECTORY)), v1::OK);
  EXPECT_EQ(cell.Do(AcquireOf(a, 5, 3, v1::SHARED)), v1::OK);
}

TEST_F(CellLock, C35ALockKeepsNobodyFromReadingAndWriting) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::OK);
  EXPECT_EQ(cell.Do(Set(b, 2, 1, "x")), v1::OK);
  EXPECT_EQ(cell.Read(v1::GET_CONTENTS, c, 1).contents(), "x");
}

// [C-17]
TEST_F(CellLock, LockingNeedsAWritableHandle) {
  ASSERT_EQ(cell.Do(OpenPath(a, 2, 2, "/l", v1::OPEN_READ)), v1::OK);
  EXPECT_EQ(cell.Do(AcquireOf(a, 3, 2, v1::SHARED)), v1::NOT_WRITABLE);
  EXPECT_FALSE(Held());
}

TEST_F(CellLock, D43OnlyTheHandleThatHoldsCanRelease) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::OK);
  EXPECT_EQ(cell.Do(ReleaseOf(b, 2, 1)), v1::LOCK_NOT_HELD);
  ASSERT_EQ(cell.Do(OpenPath(a, 3, 2, "/l", v1::OPEN_WRITE)), v1::OK);
  EXPECT_EQ(cell.Do(ReleaseOf(a, 4, 2)), v1::LOCK_NOT_HELD);
  EXPECT_EQ(Holders(cell.Lock("/l")), std::vector{Holder(a, 2)});
}

TEST_F(CellLock, LK04ReleaseOfAnEarlierAcquireDoesNotTouchALaterHold) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::OK);
  ASSERT_EQ(cell.Do(ReleaseOf(a, 3, 1, 2)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, 4, 1, v1::EXCLUSIVE)), v1::OK);
  EXPECT_EQ(cell.Do(ReleaseOf(a, 5, 1, 2)), v1::LOCK_NOT_HELD);
  EXPECT_EQ(Holders(cell.Lock("/l")), std::vector{Holder(a, 4)});
  EXPECT_EQ(cell.Do(ReleaseOf(a, 6, 1, 4)), v1::OK);
  EXPECT_FALSE(Held());
}

TEST_F(CellLock, ReleaseByAWaitingHandleCancelsTheWait) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::SHARED)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(AcquireOf(c, 2, 1, v1::SHARED)), v1::QUEUED);
  EXPECT_EQ(cell.Do(ReleaseOf(b, 3, 1, 2)), v1::OK);
  ExpectGranted({Holder(c, 2)});
  EXPECT_EQ(Waiters(), 0u);
  // The copy of the cancelled Acquire does not wait again.
  EXPECT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::EXCLUSIVE)), v1::CANCELLED);
  EXPECT_EQ(Waiters(), 0u);
}

TEST_F(CellLock, LK08AcquireThatComesAfterItsOwnReleaseHasNoEffect) {
  EXPECT_EQ(cell.Do(ReleaseOf(a, 3, 1, 2)), v1::LOCK_NOT_HELD);
  EXPECT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::CANCELLED);
  EXPECT_FALSE(Held());
}

TEST_F(CellLock, CloseReleasesAndCancels) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(AcquireOf(c, 2, 1, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(CloseOf(b, 3, 1)), v1::OK);
  ExpectGranted({});
  ASSERT_EQ(cell.Do(CloseOf(a, 3, 1)), v1::OK);
  ExpectGranted({Holder(c, 2)});
}

TEST_F(CellLock, LK05RetriedAcquireReportsItsSuccess) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::OK);
  const uint64_t first = cell.applied().outcome.lock_generation();
  EXPECT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::OK);
  EXPECT_TRUE(cell.applied().duplicate);
  EXPECT_EQ(cell.applied().outcome.lock_generation(), first);
  EXPECT_EQ(cell.applied().outcome.lock_mode(), v1::EXCLUSIVE);
}

TEST_F(CellLock, A05CopyOfAQueuedAcquireAttachesToTheWaiterEvenWhenItsSeqIsTrimmed) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::EXCLUSIVE)), v1::QUEUED);
  // QUEUED ended the call for first-outstanding [PR-18].
  ASSERT_EQ(cell.Do(First(Set(b, 3, 1, "x"), 3)), v1::OK);
  EXPECT_EQ(cell.Do(First(AcquireOf(b, 2, 1, v1::EXCLUSIVE), 4)), v1::QUEUED);
  EXPECT_TRUE(cell.applied().duplicate);
  EXPECT_EQ(Waiters(), 1u);
  ASSERT_EQ(cell.Do(ReleaseOf(a, 3, 1)), v1::OK);
  // The grant's item may be lost with the master; the copy learns of it [PR-17].
  EXPECT_EQ(cell.Do(First(AcquireOf(b, 2, 1, v1::EXCLUSIVE), 4)), v1::OK);
  EXPECT_TRUE(cell.applied().duplicate);
  EXPECT_EQ(cell.applied().outcome.lock_generation(), generation());
}

TEST_F(CellLock, StoredAnswerOfAQueuedAcquireFollowsItsFate) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(ReleaseOf(a, 3, 1)), v1::OK);
  const uint64_t granted = generation();
  ASSERT_EQ(cell.Do(ReleaseOf(b, 3, 1, 2)), v1::OK);
  // Over by now, but what it was is what is told; nothing is granted again.
  EXPECT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::EXCLUSIVE)), v1::OK);
  EXPECT_EQ(cell.applied().outcome.lock_generation(), granted);
  EXPECT_FALSE(Held());
}

TEST_F(CellLock, DeleteTellsTheWaitersAndALaterCopyToo) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(c, 2, 1, v1::SHARED)), v1::QUEUED);
  ASSERT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(First(Set(b, 3, 1, "x"), 3)), v1::OK);
  ASSERT_EQ(cell.Do(DeleteOf(a, 3, 1)), v1::OK);
  ASSERT_EQ(cell.applied().decisions.size(), 2u);
  EXPECT_EQ(cell.applied().decisions[0].kind, Decision::kHandleInvalid);
  EXPECT_EQ(cell.applied().decisions[0].session, SessionId(c));
  EXPECT_EQ(cell.applied().decisions[1].session, SessionId(b));
  EXPECT_EQ(cell.applied().decisions[1].seq, RequestSeq(2));
  EXPECT_FALSE(cell.applied().decisions[1].generation);
  EXPECT_EQ(cell.Do(AcquireOf(c, 2, 1, v1::SHARED)), v1::STALE_HANDLE);              // kept answer
  EXPECT_EQ(cell.Do(First(AcquireOf(b, 2, 1, v1::EXCLUSIVE), 4)), v1::STALE_HANDLE);  // trimmed
}

// It is the master's business that they were told before.
TEST_F(CellLock, DeleteTakesTheLockFromWhoeverElseHoldsAndLeavesTheirDelay) {
  ASSERT_EQ(cell.Do(Delayed(OpenPath(a, 2, 2, "/l", kLockable), 5 * kSecond)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, 3, 2, v1::EXCLUSIVE)), v1::OK);
  ASSERT_EQ(cell.Do(DeleteOf(b, 2, 1)), v1::OK);
  EXPECT_TRUE(cell.Reached(ProbeId::kHeldNodeDeleted));
  EXPECT_EQ(cell.Do(ReleaseOf(a, 4, 2)), v1::STALE_HANDLE);
  ASSERT_EQ(cell.Do(OpenPath(b, 3, 2, "/l", kLockable)), v1::OK);
  EXPECT_EQ(cell.Do(AcquireOf(b, 4, 2, v1::EXCLUSIVE, true)), v1::LOCK_DELAYED) << "what a sent may be under way";
  cell.Advance(5 * kSecond);
  EXPECT_EQ(cell.Do(AcquireOf(b, 5, 2, v1::EXCLUSIVE, true)), v1::OK);
}

//
TEST_F(CellLock, ADeleteTouchesWhatOtherHoldersBelieve) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::SHARED)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::SHARED)), v1::OK);
  Touches touches;
  cell.cell().TouchedBy(DeleteOf(b, 3, 1), 0, touches);
  EXPECT_EQ(touches.back(), (Touch{HoldId(SessionId(a), HandleId(1)), v1::CACHE_HOLD}));
  EXPECT_EQ(std::count_if(touches.begin(), touches.end(), [](const Touch& t) { return t.classes == v1::CACHE_HOLD; }), 1);
}

TEST_F(CellLock, LK10NewInstanceIsBornFree) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::OK);
  ASSERT_EQ(cell.Do(DeleteOf(a, 3, 1)), v1::OK);
  ASSERT_EQ(cell.Do(OpenPath(b, 2, 2, "/l", kLockable)), v1::OK);
  EXPECT_EQ(cell.Read(v1::GET_STAT, b, 2).lock_mode(), v1::FREE);
  EXPECT_EQ(cell.Do(ReleaseOf(a, 4, 1, 2)), v1::STALE_HANDLE);
  EXPECT_EQ(cell.Do(AcquireOf(a, 5, 1, v1::EXCLUSIVE)), v1::STALE_HANDLE);
}

TEST_F(CellLock, LK03NothingIsGrantedToASessionThatEnded) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(AcquireOf(c, 2, 1, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(Expire(b)), v1::OK);
  ExpectGranted({});
  ASSERT_EQ(cell.Do(ReleaseOf(a, 3, 1)), v1::OK);
  ExpectGranted({Holder(c, 2)});
}

TEST_F(CellLock, PR22SessionEndRemovesItsWaitersBeforeItReleasesAndGrantsInPathOrder) {
  // a holds /l and /k; behind it on both waits a's own second handle, then b on /l, c on /k.
  ASSERT_EQ(cell.Do(OpenPath(a, 2, 2, "/l", kLockable)), v1::OK);
  ASSERT_EQ(cell.Do(OpenPath(a, 3, 3, "/k", kLockable)), v1::OK);
  ASSERT_EQ(cell.Do(OpenPath(a, 4, 4, "/k", kLockable)), v1::OK);
  ASSERT_EQ(cell.Do(OpenPath(c, 2, 2, "/k", kLockable)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, 5, 1, v1::EXCLUSIVE)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, 6, 3, v1::EXCLUSIVE)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, 7, 2, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(AcquireOf(a, 8, 4, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(AcquireOf(c, 3, 2, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(Expire(a)), v1::OK);
  EXPECT_EQ(cell.applied().ended, SessionId(a));
  const std::vector<Decision>& decisions = cell.applied().decisions;
  ASSERT_EQ(decisions.size(), 2u);
  EXPECT_EQ(decisions[0].session, SessionId(c));  // /k
  EXPECT_EQ(decisions[1].session, SessionId(b));  // /l
  EXPECT_EQ(decisions[0].generation.value(), At(cell.index()));
  EXPECT_EQ(decisions[1].generation.value(), At(cell.index()));
  EXPECT_TRUE(cell.Reached(ProbeId::kLockRevokedByExpiry));
  EXPECT_TRUE(cell.Reached(ProbeId::kSessionExpired));
}

TEST_F(CellLock, EndOfAWaitingSessionLetsThoseBehindItPass) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::SHARED)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(AcquireOf(c, 2, 1, v1::SHARED)), v1::QUEUED);
  ASSERT_EQ(cell.Do(End(b, 3)), v1::OK);
  ExpectGranted({Holder(c, 2)});
}

// [C-28]
TEST_F(CellLock, StatShowsTheLock) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::SHARED)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::SHARED)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(c, 2, 1, v1::EXCLUSIVE)), v1::QUEUED);
  const v1::Outcome stat = cell.Read(v1::GET_STAT, c, 1);
  EXPECT_EQ(stat.lock_mode(), v1::SHARED);
  EXPECT_EQ(stat.lock_holders(), 2u);
  EXPECT_EQ(stat.lock_waiters(), 1u);
  EXPECT_EQ(stat.lock_generation(), generation());
}

// A lock of two permits at /s, on which every session has handle 2.
class CellSemaphore : public CellLock {
 protected:
  void SetUp() override {
    CellLock::SetUp();
    ASSERT_EQ(cell.Do(Delayed(WithPermits(OpenPath(a, 2, 2, "/s", kLockable), 2), 10 * kSecond)), v1::OK);
    EXPECT_EQ(cell.applied().outcome.permits(), 2u);
    ASSERT_EQ(cell.Do(WithPermits(OpenPath(b, 2, 2, "/s", kLockable), 5)), v1::OK);
    EXPECT_EQ(cell.applied().outcome.permits(), 2u) << "who finds the node does not change it";
    ASSERT_EQ(cell.Do(OpenPath(c, 2, 2, "/s", kLockable)), v1::OK);
  }
  v1::Outcome Take(uint64_t session, uint64_t seq, v1::LockMode mode = v1::EXCLUSIVE) {
    return cell.Apply(AcquireOf(session, seq, 2, mode, /*try_only=*/true)).outcome;
  }
};

TEST_F(CellSemaphore, SoManyHoldAsThereArePermitsEachWithATokenOfItsOwn) {
  const v1::Outcome first = Take(a, 3);
  const v1::Outcome second = Take(b, 3);
  EXPECT_EQ(first.permit(), 0u);
  EXPECT_EQ(second.permit(), 1u);
  EXPECT_LT(first.lock_generation(), second.lock_generation());
  EXPECT_EQ(Take(c, 3).code(), v1::LOCK_CONFLICT);
  EXPECT_EQ(Take(c, 4, v1::SHARED).code(), v1::LOCK_CONFLICT);
  EXPECT_EQ(cell.Read(v1::GET_STAT, a, 2).lock_holders(), 2u);
  EXPECT_EQ(cell.cell().HeldLocks().size(), 2u) << "one for each permit";
}

TEST_F(CellSemaphore, A01APermitThatIsGivenBackGoesToTheFirstWaiterWithAHigherToken) {
  Take(a, 3);
  const v1::Outcome second = Take(b, 3);
  ASSERT_EQ(cell.Do(AcquireOf(c, 3, 2, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(ReleaseOf(b, 4, 2, 3)), v1::OK);
  ASSERT_EQ(cell.applied().decisions.size(), 1u);
  EXPECT_EQ(cell.applied().decisions[0].permit, second.permit());
  EXPECT_GT(cell.applied().decisions[0].generation.value(), second.lock_generation());
}

TEST_F(CellSemaphore, D34OnlyTheLostPermitIsDelayed) {
  Take(a, 3);
  Take(b, 3);
  ASSERT_EQ(cell.Do(AcquireOf(c, 3, 2, v1::EXCLUSIVE)), v1::QUEUED);
  cell.Apply(Expire(a));
  EXPECT_TRUE(cell.applied().decisions.empty());
  ASSERT_EQ(cell.Do(ReleaseOf(b, 4, 2, 3)), v1::OK);
  ASSERT_EQ(cell.applied().decisions.size(), 1u) << "the other one is free for whoever waits";
  EXPECT_EQ(cell.applied().decisions[0].permit, 1u);
  EXPECT_EQ(Take(b, 5).code(), v1::LOCK_DELAYED);
  cell.Advance(10 * kSecond);
  EXPECT_EQ(Take(b, 6).permit(), 0u);
}

TEST_F(CellSemaphore, D33MakingTheNodeAgainWithMorePermitsOpensNothing) {
  Take(a, 3);
  cell.Apply(Expire(a));
  ASSERT_EQ(cell.Do(DeleteOf(b, 3, 2)), v1::OK);
  ASSERT_EQ(cell.Do(WithPermits(OpenPath(b, 4, 3, "/s", kLockable), 3)), v1::OK);
  EXPECT_EQ(cell.Do(AcquireOf(b, 5, 3, v1::EXCLUSIVE, /*try_only=*/true)), v1::LOCK_DELAYED);
  cell.Advance(10 * kSecond);
  EXPECT_EQ(cell.Do(AcquireOf(b, 6, 3, v1::EXCLUSIVE, /*try_only=*/true)), v1::OK);
}

TEST_F(CellSemaphore, TheSequencerOfAPermitIsGoodAsLongAsThatIsHeld) {
  ASSERT_EQ(cell.Do(NewEpoch({1, 2})), v1::OK);
  Take(a, 3);
  Take(b, 3);
  const std::string first = cell.Read(v1::GET_SEQUENCER, a, 2).sequencer();
  const std::string second = cell.Read(v1::GET_SEQUENCER, b, 2).sequencer();
  EXPECT_EQ(cell.Read(CheckOf(c, second)).permit(), 1u);
  ASSERT_EQ(cell.Do(ReleaseOf(b, 4, 2, 3)), v1::OK);
  EXPECT_EQ(cell.Read(CheckOf(c, first)).code(), v1::OK);
  EXPECT_EQ(cell.Read(CheckOf(c, second)).code(), v1::SEQUENCER_INVALID);
  Take(c, 3);
  EXPECT_EQ(cell.Read(CheckOf(c, second)).code(), v1::SEQUENCER_INVALID) << "of the same permit, but an earlier hold";
}

TEST_F(CellSemaphore, MorePermitsThanALockMayHaveAreRefused) {
  EXPECT_EQ(cell.Do(WithPermits(OpenPath(a, 3, 3, "/many", kLockable), 1'025)), v1::TOO_MANY_PERMITS);
  EXPECT_FALSE(cell.Exists("/many"));
  EXPECT_EQ(cell.Do(WithPermits(OpenPath(a, 4, 4, "/most", kLockable), 1'024)), v1::OK);
}

// [C-20]
TEST(CellCheckDigits, NothingIsDoneWithAHandleByWhoDoesNotKnowThem) {
  TestCell cell;
  ASSERT_EQ(cell.Do(NewEpoch({1, 2})), v1::OK);
  const uint64_t a = cell.Session();
  const v1::Outcome opened = cell.Apply(OpenPath(a, 1, 1, "/l", kLockable | v1::OPEN_CHANGE_ACL)).outcome;
  ASSERT_NE(opened.check_digits(), 0u);
  const std::string before = cell.State();
  uint64_t seq = 1;
  for (const v1::Command& right : {Set(a, 0, 1, "x"), AddOf(a, 0, 1, 1), DeleteOf(a, 0, 1), AcquireOf(a, 0, 1, v1::SHARED),
                                   ReleaseOf(a, 0, 1), SetAclOf(a, 0, 1, {"nobody", "", ""})}) {
    v1::Command wrong = right;
    wrong.set_check_digits(opened.check_digits() ^ uint64_t{1} << (7 * seq));
    wrong.set_seq(++seq);
    EXPECT_EQ(cell.Do(wrong), v1::BAD_HANDLE) << v1::CommandKind_Name(right.kind());
    EXPECT_FALSE(cell.applied().effect);
  }
  for (const v1::CommandKind kind : {v1::GET_CONTENTS, v1::GET_STAT, v1::GET_SEQUENCER}) {
    v1::Command wrong = ReadOf(kind, a, 1);
    wrong.set_check_digits(opened.check_digits() + 1);
    EXPECT_EQ(cell.Read(wrong).code(), v1::BAD_HANDLE);
  }
  EXPECT_EQ(cell.Read(v1::GET_STAT, a, 1).content_generation(), 1u);
}

// [C-20]
TEST(CellCheckDigits, EachBitCountsAndThoseOfAnotherSessionDoNotFit) {
  TestCell cell;
  ASSERT_EQ(cell.Do(NewEpoch({1, 2})), v1::OK);
  const uint64_t a = cell.Session();
  const uint64_t b = cell.Session();
  const v1::Outcome of_a = cell.Apply(OpenPath(a, 1, 1, "/l", kLockable)).outcome;
  const v1::Outcome of_b = cell.Apply(OpenPath(b, 1, 1, "/l", kLockable)).outcome;
  v1::Command read = ReadOf(v1::GET_STAT, a, 1);
  for (int bit = 0; bit < 64; ++bit) {
    read.set_check_digits(of_a.check_digits() ^ uint64_t{1} << bit);
    EXPECT_EQ(cell.Read(read).code(), v1::BAD_HANDLE) << bit;
  }
  read.set_check_digits(of_b.check_digits());
  EXPECT_EQ(cell.Read(read).code(), v1::BAD_HANDLE);
}

// Who gave up its Open before it was answered has no digits.
TEST(CellCheckDigits, CloseNeedsNone) {
  TestCell cell;
  ASSERT_EQ(cell.Do(NewEpoch({1, 2})), v1::OK);
  const uint64_t a = cell.Session();
  ASSERT_EQ(cell.Do(OpenPath(a, 1, 1, "/e", kLockable | v1::OPEN_EPHEMERAL)), v1::OK);
  v1::Command close = CloseOf(a, 2, 1);
  close.set_check_digits(1);
  EXPECT_EQ(cell.Do(close), v1::OK);
  EXPECT_FALSE(cell.Exists("/e"));
}

}  // namespace
}  // namespace bramah::cell

// lock.delay, with broken histories that trip it.
#include "sim/check/delay_checker.h"

#include <gtest/gtest.h>

#include <string>

namespace bramah::sim {
namespace {

constexpr Duration kDelay = 10 * kSecond;

cell::LockView Held(v1::LockMode mode, uint64_t generation, uint64_t session, Duration lock_delay) {
  cell::LockView lock;
  lock.path = "/a";
  lock.mode = mode;
  lock.generation = Position(uint64_t{1} << 48 | generation);
  lock.holders.push_back({SessionId(session), HandleId(1), RequestSeq(1), lock_delay});
  return lock;
}

class DelayCheckerTest : public testing::Test {
 protected:
  // Entry `index` is proposed at `at`, and applied at once.
  void Apply(Time at, uint64_t index, v1::CommandKind kind, uint64_t session, uint32_t reason = 0) {
    checker_.Appended(at, LogIndex(index), Term(1));
    CoreEvent event;
    event.kind = CoreEvent::kApplied;
    event.index = LogIndex(index);
    event.term = Term(1);
    event.command = kind;
    event.session = SessionId(session);
    event.handle = HandleId(1);
    event.reason = reason;
    event.effect = true;
    checker_.Applied(event);
  }
  void Look(const std::vector<cell::LockView>& locks) { checker_.Look(1, locks); }
  // Session 1 gets the lock by entry 5 and asks for `lock_delay`.
  void Hold(v1::LockMode mode, Duration lock_delay) {
    Apply(kSecond, 5, v1::ACQUIRE, 1);
    Look({Held(mode, 5, 1, lock_delay)});
  }
  // Session 2 gets it by entry 7, proposed at `at`.
  void Grant(Time at, v1::LockMode mode = v1::EXCLUSIVE) {
    Apply(at, 7, v1::EXPIRE_LOCK_DELAYS, 0);
    Look({Held(mode, 7, 2, 0)});
  }
  std::string Fired() const { return reporter_.failed() ? reporter_.first()->checker : ""; }

  Reporter reporter_;
  DelayChecker checker_{1'000, &reporter_};
};

TEST_F(DelayCheckerTest, AGrantRightAfterAnExpiry) {
  Hold(v1::EXCLUSIVE, kDelay);
  Apply(2 * kSecond, 6, v1::EXPIRE_SESSION, 1);
  Grant(2 * kSecond);
  EXPECT_EQ(Fired(), "lock.delay");
}

// What a deposed leader appends at the same places is never applied.
TEST_F(DelayCheckerTest, AProposalOfAnotherTermChangesNothing) {
  Hold(v1::EXCLUSIVE, kDelay);
  checker_.Appended(2 * kSecond, LogIndex(6), Term(1));
  checker_.Appended(3 * kSecond, LogIndex(6), Term(9));
  Apply(2 * kSecond, 6, v1::EXPIRE_SESSION, 1);
  checker_.Appended(2 * kSecond + kDelay, LogIndex(7), Term(9));
  Grant(3 * kSecond);
  EXPECT_EQ(Fired(), "lock.delay");
}

TEST_F(DelayCheckerTest, OneMillisecondTooEarly) {
  Hold(v1::EXCLUSIVE, kDelay);
  Apply(2 * kSecond, 6, v1::EXPIRE_SESSION, 1);
  Grant(2 * kSecond + kDelay * 1'000 / 1'001 - kMillisecond);
  EXPECT_EQ(Fired(), "lock.delay");
}

TEST_F(DelayCheckerTest, AFastClockMayMakeTheDelayShorterByItsDrift) {
  Hold(v1::EXCLUSIVE, kDelay);
  Apply(2 * kSecond, 6, v1::EXPIRE_SESSION, 1);
  Grant(2 * kSecond + kDelay * 1'000 / 1'001 + 1);
  EXPECT_EQ(Fired(), "");
}

TEST_F(DelayCheckerTest, WhoAskedForNoneIsFollowedAtOnce) {
  Hold(v1::EXCLUSIVE, 0);
  Apply(2 * kSecond, 6, v1::EXPIRE_SESSION, 1);
  Grant(2 * kSecond);
  EXPECT_EQ(Fired(), "");
}

TEST_F(DelayCheckerTest, AnAbandonedSessionIsLost) {
  Hold(v1::EXCLUSIVE, kDelay);
  Apply(2 * kSecond, 6, v1::END_SESSION, 1, v1::END_ABANDONED);
  Grant(3 * kSecond);
  EXPECT_EQ(Fired(), "lock.delay");
}

TEST_F(DelayCheckerTest, AClosedSessionIsNot) {
  Hold(v1::EXCLUSIVE, kDelay);
  Apply(2 * kSecond, 6, v1::END_SESSION, 1, v1::END_CLOSED);
  Grant(2 * kSecond);
  EXPECT_EQ(Fired(), "");
}

TEST_F(DelayCheckerTest, NorIsWhoReleasedBefore) {
  Hold(v1::EXCLUSIVE, kDelay);
  Apply(2 * kSecond, 6, v1::RELEASE, 1);
  Apply(2 * kSecond, 8, v1::EXPIRE_SESSION, 1);
  Grant(2 * kSecond);
  EXPECT_EQ(Fired(), "");
}

TEST_F(DelayCheckerTest, AWriterTooSoonAfterALostReader) {
  Hold(v1::SHARED, kDelay);
  Apply(2 * kSecond, 6, v1::EXPIRE_SESSION, 1);
  Grant(3 * kSecond);
  EXPECT_EQ(Fired(), "lock.delay");
}

TEST_F(DelayCheckerTest, AReaderMayFollowALostReader) {
  Hold(v1::SHARED, kDelay);
  Apply(2 * kSecond, 6, v1::EXPIRE_SESSION, 1);
  Grant(3 * kSecond, v1::SHARED);
  EXPECT_EQ(Fired(), "");
}

TEST_F(DelayCheckerTest, AReaderTooSoonAfterALostWriter) {
  Hold(v1::EXCLUSIVE, kDelay);
  Apply(2 * kSecond, 6, v1::EXPIRE_SESSION, 1);
  Grant(3 * kSecond, v1::SHARED);
  EXPECT_EQ(Fired(), "lock.delay");
}

}  // namespace
}  // namespace bramah::sim

// session.lease_order, session.exactly_once and raft.authority_overlap: the checkers that compare instants and numbers only.
#include <gtest/gtest.h>

#include <string>

#include "sim/check/authority_checker.h"
#include "sim/check/exactly_once_checker.h"
#include "sim/check/session_checker.h"

namespace bramah::sim {
namespace {

using client::SessionState;

constexpr SessionId kSession(7);

std::string FiredBy(const Reporter& reporter) { return reporter.failed() ? reporter.first()->checker : ""; }

// ------------------------------------------------------------------------------------------------------------ lease order

class SessionCheckerTest : public testing::Test {
 protected:
  void Step(Time at, Time lease_end, SessionState state = SessionState::kActive) {
    client::ClientView view;
    view.state = state;
    view.session = kSession;
    view.lease_end = lease_end;
    checker_.AfterStep(at, 1, view);
  }
  void End(Time at, v1::CommandKind kind = v1::EXPIRE_SESSION, bool effect = true) {
    CoreEvent applied;
    applied.kind = CoreEvent::kApplied;
    applied.command = kind;
    applied.session = kSession;
    applied.effect = effect;
    checker_.Applied(at, ReplicaId(1), applied);
  }
  Reporter reporter_;
  SessionChecker checker_{{{0, 500}}, &reporter_};
};

TEST_F(SessionCheckerTest, AcceptsAnExpiryAfterTheLease) {
  Step(100, 1'500);
  End(1'000);
  Step(1'100, 1'500, SessionState::kExpired);
  EXPECT_EQ(FiredBy(reporter_), "");
}

TEST_F(SessionCheckerTest, AnExpiryWithinTheLease) {
  Step(100, 1'500);
  End(999);
  EXPECT_EQ(FiredBy(reporter_), "session.lease_order");
}

TEST_F(SessionCheckerTest, AnExtensionBeyondTheExpiry) {
  Step(100, 1'500);
  End(1'200);
  Step(1'300, 1'900);
  EXPECT_EQ(FiredBy(reporter_), "session.lease_order");
}

TEST_F(SessionCheckerTest, JeopardyAndOwnWishAreExempt) {
  Step(100, 1'500);
  Step(200, 700, SessionState::kJeopardy);  // what was left of the lease was given back
  End(300);
  EXPECT_EQ(FiredBy(reporter_), "");
}

TEST_F(SessionCheckerTest, AnExpiryWithinTheLeaseOfAClientThatDoubtsItsLocks) {
  Step(100, 1'500, SessionState::kJeopardy);
  End(999);
  EXPECT_EQ(FiredBy(reporter_), "session.lease_order");
}

TEST_F(SessionCheckerTest, AnEndThatTheClientAskedForIsExempt) {
  Step(100, 1'500);
  End(200, v1::END_SESSION);
  End(300, v1::EXPIRE_SESSION, false);
  EXPECT_EQ(FiredBy(reporter_), "");
}

// ------------------------------------------------------------------------------------------------------------ exactly once

class ExactlyOnceCheckerTest : public testing::Test {
 protected:
  void Apply(uint64_t index, uint64_t seq, v1::Code code, bool effect, uint64_t generation = 0) {
    CoreEvent applied;
    applied.kind = CoreEvent::kApplied;
    applied.command = v1::ACQUIRE;
    applied.index = LogIndex(index);
    applied.session = kSession;
    applied.seq = RequestSeq(seq);
    applied.code = code;
    applied.effect = effect;
    applied.generation = Position(generation);
    checker_.Applied(1, applied);
  }
  void Answer(uint64_t seq, v1::Code code, uint64_t generation = 0, v1::CommandKind kind = v1::ACQUIRE) {
    v1::Outcome outcome;
    outcome.set_seq(seq);
    outcome.set_code(code);
    outcome.set_lock_generation(generation);
    checker_.Answered(2, 1, kSession, kind, outcome);
  }
  std::string Fired() const { return FiredBy(reporter_); }
  Reporter reporter_;
  ExactlyOnceChecker checker_{&reporter_};
};

TEST_F(ExactlyOnceCheckerTest, AcceptsRepetitionsWithoutEffectAndTrueAnswers) {
  Apply(5, 1, v1::OK, true, 5);
  Apply(6, 1, v1::OK, false, 5);
  Answer(1, v1::OK, 5);
  Apply(7, 2, v1::QUEUED, true);
  Answer(2, v1::OK, 9);
  Apply(8, 3, v1::LOCK_CONFLICT, false);
  Answer(3, v1::LOCK_CONFLICT);
  Apply(9, 4, v1::OK, true);
  Answer(4, v1::TIMED_OUT);
  Answer(5, v1::LIMIT_REACHED);
  Answer(6, v1::OK, 0, v1::CLOSE);
  Answer(7, v1::OK, 0, v1::GET_CONTENTS);
  EXPECT_EQ(Fired(), "");
}

TEST_F(ExactlyOnceCheckerTest, ASecondEffect) {
  Apply(5, 1, v1::OK, true);
  Apply(9, 1, v1::OK, true);
  EXPECT_EQ(Fired(), "session.exactly_once");
}

TEST_F(ExactlyOnceCheckerTest, AnEffectAfterARefusal) {
  Apply(5, 1, v1::LOCK_CONFLICT, false);
  Apply(9, 1, v1::OK, true);
  EXPECT_EQ(Fired(), "session.exactly_once");
}

TEST_F(ExactlyOnceCheckerTest, ACommandTooFarAheadMaySucceedLater) {
  Apply(5, 1, v1::LIMIT_REACHED, false);
  Apply(9, 1, v1::OK, true);
  EXPECT_EQ(Fired(), "");
}

TEST_F(ExactlyOnceCheckerTest, AnAnswerThatWasNeverApplied) {
  Answer(1, v1::OK);
  EXPECT_EQ(Fired(), "session.exactly_once");
}

TEST_F(ExactlyOnceCheckerTest, AnAnswerOtherThanApplied) {
  Apply(5, 1, v1::OK, true);
  Answer(1, v1::LOCK_CONFLICT);
  EXPECT_EQ(Fired(), "session.exactly_once");
}

TEST_F(ExactlyOnceCheckerTest, AnotherGenerationThanApplied) {
  Apply(5, 1, v1::OK, true, 5);
  Answer(1, v1::OK, 6);
  EXPECT_EQ(Fired(), "session.exactly_once");
}

// --------------------------------------------------------------------------------------------------------------- authority

class AuthorityCheckerTest : public testing::Test {
 protected:
  void Step(Time at, uint32_t replica, Time authority_until) {
    replica::ServerView view;
    view.authority_until = authority_until;
    checker_.AfterStep(at, ReplicaId(replica), view);
  }
  Reporter reporter_;
  AuthorityChecker checker_{{{0, 0}, {0, 1'000}}, &reporter_};
};

TEST_F(AuthorityCheckerTest, AcceptsOneAfterTheOther) {
  Step(100, 1, 500);
  Step(500, 2, 2'000);
  checker_.Stopped(ReplicaId(2));
  Step(600, 1, 900);
  Step(700, 1, 0);
  Step(750, 2, 2'000);
  EXPECT_EQ(FiredBy(reporter_), "");
}

TEST_F(AuthorityCheckerTest, TwoAtOneInstant) {
  Step(100, 1, 500);
  Step(499, 2, 2'000);
  EXPECT_EQ(FiredBy(reporter_), "raft.authority_overlap");
}

// ------------------------------------------------------------------------------------------------------------------- clock

TEST(LocalClockTest, ToRealIsTheFirstInstantThatShowsTheLocalTime) {
  EXPECT_EQ((LocalClock{-1'000'000, 500}.ToLocal(7'654'321)), 500);
  EXPECT_EQ((LocalClock{-1'000'000, 500}.ToReal(501)), kNever);
  EXPECT_LE((LocalClock{-1'000'000, 500}.ToReal(500)), 0);
  for (const int64_t drift : {0, 1, -1, 1'000, -1'000, 333'333, -333'333, 500'000, -500'000}) {
    for (const Time offset : {Time{0}, Time{-12'345}, 3'600 * kSecond}) {
      const LocalClock clock{drift, offset};
      for (const Time local : {Time{0}, Time{1}, Time{999'999}, 60 * kSecond, 86'400 * kSecond + 7}) {
        const Time real = clock.ToReal(offset + local);
        EXPECT_GE(clock.ToLocal(real), offset + local) << drift << " " << local;
        EXPECT_LT(clock.ToLocal(real - 1), offset + local) << drift << " " << local;
      }
    }
  }
  EXPECT_EQ(LocalClock().ToReal(kNever), kNever);
}

}  // namespace
}  // namespace bramah::sim

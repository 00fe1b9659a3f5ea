// Each way in which a sequencer can lie, and the honest case next to it.
#include "sim/check/fencing_checker.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bramah::sim {
namespace {

const SessionId kFirst(11), kSecond(12);

cell::LockView Lock(uint64_t generation, SessionId session, uint64_t seq, v1::LockMode mode = v1::EXCLUSIVE) {
  cell::LockView lock;
  lock.path = "/l";
  lock.instance = Position(5);
  lock.mode = mode;
  lock.generation = Position(generation);
  lock.holders.push_back({session, HandleId(1), RequestSeq(seq)});
  return lock;
}

std::string Text(uint64_t generation, v1::LockMode mode = v1::EXCLUSIVE) {
  return FormatSequencer({"local", "/l", Position(5), mode, Position(generation)}, {1, 2});
}

v1::Command Command(v1::CommandKind kind, const std::string& sequencer = "", v1::LockMode mode = v1::FREE) {
  v1::Command command;
  command.set_kind(kind);
  command.set_handle(kind == v1::CHECK_SEQUENCER ? 0 : 1);
  command.set_sequencer(sequencer);
  command.set_mode(mode);
  return command;
}

// The first session holds from 100 to 200 as generation 7, the second from 300 on as generation 9.
class Fencing : public ::testing::Test {
 protected:
  void SetUp() override {
    checker.Look(100, {Lock(7, kFirst, 3)});
    checker.Look(200, {});
  }
  void SecondHolds() { checker.Look(300, {Lock(9, kSecond, 4)}); }
  // A call by client 1 in `session`, answered later.
  void Ask(Time called, Time answered, SessionId session, const v1::Command& command, v1::Code code,
           const std::string& sequencer = "") {
    checker.Called(called, 1, session, CallId(++calls), command);
    v1::Outcome outcome;
    outcome.set_code(code);
    outcome.set_sequencer(sequencer);
    checker.Answered(answered, 1, CallId(calls), outcome);
  }
  void Check(Time called, Time answered, const std::string& sequencer, v1::Code code, v1::LockMode mode = v1::FREE) {
    Ask(called, answered, kSecond, Command(v1::CHECK_SEQUENCER, sequencer, mode), code);
  }
  void Request(Time at, SessionId session, uint64_t seq, bool accepted) {
    checker.Requested(at, {"/l", Position(1), "", 1, session, HandleId(1), RequestSeq(seq)}, accepted);
  }
  testing::AssertionResult Reported(const std::string& part) const {
    if (!reporter.first().has_value()) return testing::AssertionFailure() << "nothing was reported";
    if (reporter.first()->checker == "sequencer.fencing" && reporter.first()->message.find(part) != std::string::npos) {
      return testing::AssertionSuccess();
    }
    return testing::AssertionFailure() << reporter.first()->checker << ": " << reporter.first()->message;
  }

  Reporter reporter;
  FencingChecker checker{true, &reporter};
  uint64_t calls = 0;
};

TEST_F(Fencing, A01EachPermitHasATokenOfItsOwn) {
  cell::LockView one = Lock(21, kFirst, 6);
  cell::LockView other = Lock(22, kSecond, 7);
  other.permit = 1;
  checker.Look(400, {one, other});
  Request(410, kSecond, 7, true);
  Request(420, kFirst, 6, true);
  EXPECT_FALSE(reporter.failed()) << "an earlier period, but of another permit";
  checker.Look(500, {Lock(23, kFirst, 8, v1::SHARED)});
  Request(510, kFirst, 8, true);
  EXPECT_FALSE(reporter.failed());
  Request(520, kSecond, 7, true);
  EXPECT_TRUE(Reported("a former holder")) << "who shares is in conflict with every permit";
}

TEST_F(Fencing, C37TheResourceServesOneHolderAfterTheOther) {
  Request(150, kFirst, 3, true);
  SecondHolds();
  Request(310, kFirst, 3, true);  // late, but nothing of the successor was seen yet
  Request(320, kSecond, 4, true);
  Request(330, kFirst, 3, false);
  EXPECT_FALSE(reporter.failed());
}

TEST_F(Fencing, AFormerHolderAfterItsSuccessor) {
  SecondHolds();
  Request(320, kSecond, 4, true);
  Request(330, kFirst, 3, true);
  EXPECT_TRUE(Reported("former holder"));
}

TEST_F(Fencing, ThePresentHolderIsRefused) {
  SecondHolds();
  Request(320, kSecond, 4, false);
  EXPECT_TRUE(Reported("refused the present holder"));
}

TEST_F(Fencing, HoldsThatWereNeverSeenAreNotJudged) {
  SecondHolds();
  Request(320, kSecond, 4, true);
  Request(330, SessionId(77), 4, true);
  Request(340, SessionId(77), 4, false);
  EXPECT_FALSE(reporter.failed());
}

TEST_F(Fencing, C32CheckSequencerIsJudgedByWhatHeldBetweenQuestionAndAnswer) {
  Check(150, 250, Text(7), v1::OK);
  Check(150, 250, Text(7), v1::SEQUENCER_INVALID);
  Check(90, 110, Text(7), v1::SEQUENCER_INVALID);
  Check(210, 220, Text(7), v1::SEQUENCER_INVALID);
  Check(210, 220, Text(8), v1::OK);  // never seen
  EXPECT_FALSE(reporter.failed());
}

TEST_F(Fencing, ValidAlthoughTheLockHadBeenLost) {
  Check(201, 220, Text(7), v1::OK);
  EXPECT_TRUE(Reported("had been lost"));
}

TEST_F(Fencing, InvalidAlthoughTheLockWasHeldAllTheWhile) {
  Check(110, 190, Text(7), v1::OK);
  SecondHolds();
  Check(310, 320, Text(9), v1::SEQUENCER_INVALID);
  EXPECT_TRUE(Reported("held all the while"));
}

TEST_F(Fencing, ForgedAlthoughTheCellGaveItOut) {
  Check(150, 160, Text(7), v1::BAD_SEQUENCER);
  EXPECT_TRUE(Reported("gave it out"));
}

TEST_F(Fencing, AReadersTokenWhereAWritersIsDemanded) {
  checker.Look(300, {Lock(9, kSecond, 4, v1::SHARED)});
  Check(310, 320, Text(9, v1::SHARED), v1::OK, v1::SHARED);
  Check(310, 320, Text(9, v1::SHARED), v1::SEQUENCER_INVALID, v1::EXCLUSIVE);
  EXPECT_FALSE(reporter.failed());
  Check(310, 320, Text(9, v1::SHARED), v1::OK, v1::EXCLUSIVE);
  EXPECT_TRUE(Reported("not held in mode EXCLUSIVE"));
}

TEST_F(Fencing, SQ04AFormerHolderGetsItsSuccessorsToken) {
  SecondHolds();
  Ask(310, 320, kSecond, Command(v1::GET_SEQUENCER), v1::OK, Text(9));
  EXPECT_FALSE(reporter.failed());
  Ask(310, 320, kFirst, Command(v1::GET_SEQUENCER), v1::OK, Text(9));
  EXPECT_TRUE(Reported("another holder's"));
}

TEST_F(Fencing, ATokenThatSaysWhatNeverWas) {
  SecondHolds();
  Ask(310, 320, kFirst, Command(v1::GET_SEQUENCER), v1::OK, Text(10));  // perhaps it held and lost within a step
  EXPECT_FALSE(reporter.failed());
  Ask(310, 320, kSecond, Command(v1::GET_SEQUENCER), v1::OK, Text(10));
  EXPECT_TRUE(Reported("not of the lock that it held"));
}

TEST_F(Fencing, ATokenOfAnotherName) {
  SecondHolds();
  const std::string other = FormatSequencer({"local", "/other", Position(5), v1::EXCLUSIVE, Position(9)}, {1, 2});
  Ask(310, 320, kSecond, Command(v1::GET_SEQUENCER), v1::OK, other);
  EXPECT_TRUE(Reported("another lock"));
}

TEST_F(Fencing, NoTokenForTheHolder) {
  checker.Called(140, 1, kFirst, CallId(++calls), Command(v1::RELEASE));
  Ask(150, 160, kFirst, Command(v1::GET_SEQUENCER), v1::LOCK_NOT_HELD);  // the library keeps it, the application does not hold
  checker.Called(170, 1, kFirst, CallId(++calls), Command(v1::ACQUIRE));
  Ask(150, 250, kFirst, Command(v1::GET_SEQUENCER), v1::LOCK_NOT_HELD);
  SecondHolds();
  EXPECT_FALSE(reporter.failed());
  Ask(310, 320, kSecond, Command(v1::GET_SEQUENCER), v1::UNAVAILABLE);
  EXPECT_TRUE(Reported("although it held all the while"));
}

TEST_F(Fencing, ATokenOfWhatIsOver) {
  Ask(250, 260, kFirst, Command(v1::GET_SEQUENCER), v1::OK, Text(7));
  EXPECT_TRUE(Reported("was over"));
}

TEST_F(Fencing, WhatIsNoToken) {
  Ask(150, 160, kFirst, Command(v1::GET_SEQUENCER), v1::OK, "x");
  EXPECT_TRUE(Reported("is none"));
}

TEST_F(Fencing, SQ06ATiedHandleWritesAfterTheLockWasLost) {
  const v1::Command write = Command(v1::SET_CONTENTS);
  Ask(210, 220, kFirst, write, v1::OK);  // not tied yet
  Ask(220, 220, kFirst, Command(v1::SET_SEQUENCER, Text(7)), v1::OK);
  Ask(230, 240, kFirst, write, v1::SEQUENCER_INVALID);
  Ask(230, 240, kFirst, Command(v1::RELEASE), v1::OK);
  Ask(230, 240, kSecond, write, v1::OK);  // another handle
  EXPECT_FALSE(reporter.failed());
  Ask(230, 240, kFirst, write, v1::OK);
  EXPECT_TRUE(Reported("SET_CONTENTS"));
}

TEST_F(Fencing, ReadsProveNothingWhenClocksLie) {
  FencingChecker lying(false, &reporter);
  lying.Look(100, {Lock(7, kFirst, 3)});
  lying.Look(200, {});
  lying.Called(210, 1, kFirst, CallId(1), Command(v1::CHECK_SEQUENCER, Text(7)));
  lying.Answered(220, 1, CallId(1), v1::Outcome());
  EXPECT_FALSE(reporter.failed());
}

TEST_F(Fencing, AClientThatStoppedHasNothingTied) {
  Ask(150, 150, kFirst, Command(v1::SET_SEQUENCER, Text(7)), v1::OK);
  checker.Stopped(1);
  Ask(230, 240, kFirst, Command(v1::SET_CONTENTS), v1::OK);
  EXPECT_FALSE(reporter.failed());
}

}  // namespace
}  // namespace bramah::sim

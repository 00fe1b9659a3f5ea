// session.suffix_loss, with answers that trip it.
#include "sim/check/suffix_checker.h"

#include <gtest/gtest.h>

#include <string>

namespace bramah::sim {
namespace {

constexpr uint32_t kClient = 1;

class SuffixCheckerTest : public testing::Test {
 protected:
  void Ask(uint64_t call, v1::CommandKind kind, uint64_t session, uint64_t handle = 0) {
    v1::Command command;
    command.set_kind(kind);
    command.set_handle(handle);
    checker_.Called(kClient, SessionId(session), CallId(call), command);
  }
  void Tell(uint64_t call, v1::Code code, uint64_t handle = 0) {
    v1::Outcome outcome;
    outcome.set_code(code);
    outcome.set_handle(handle);
    checker_.Answered(1, kClient, CallId(call), outcome);
  }
  void Open(uint64_t call, uint64_t session, uint64_t handle) {
    Ask(call, v1::OPEN, session);
    Tell(call, v1::OK, handle);
  }
  std::string Fired() const { return reporter_.failed() ? reporter_.first()->checker : ""; }
  Reporter reporter_;
  SuffixChecker checker_{&reporter_};
};

TEST_F(SuffixCheckerTest, AcceptsSuccessesAndThenNothingButExpiry) {
  Open(1, 7, 1);
  Ask(2, v1::GET_CONTENTS, 7, 1);
  Ask(3, v1::SET_CONTENTS, 7, 1);
  Ask(4, v1::GET_STAT, 7, 1);
  Tell(2, v1::OK);
  Tell(3, v1::SESSION_EXPIRED);
  Tell(4, v1::SESSION_EXPIRED);
  Ask(5, v1::GET_CONTENTS, 7, 1);
  Tell(5, v1::SESSION_EXPIRED);
  EXPECT_EQ(Fired(), "");
}

TEST_F(SuffixCheckerTest, AcceptsThatTheNextSessionWorks) {
  Open(1, 7, 1);
  Ask(2, v1::GET_CONTENTS, 7, 1);
  Tell(2, v1::SESSION_EXPIRED);
  Open(3, 9, 2);
  Ask(4, v1::GET_CONTENTS, 9, 2);
  Tell(4, v1::OK);
  Ask(5, v1::GET_CONTENTS, 9, 1);
  Tell(5, v1::SESSION_EXPIRED);
  EXPECT_EQ(Fired(), "");
}

TEST_F(SuffixCheckerTest, AcceptsThatClosingNeverFails) {
  Open(1, 7, 1);
  Ask(2, v1::CLOSE, 7, 1);
  Ask(3, v1::GET_CONTENTS, 7, 1);
  Tell(3, v1::SESSION_EXPIRED);
  Tell(2, v1::OK);
  Ask(4, v1::POISON, 7, 1);
  Tell(4, v1::OK);
  Ask(5, v1::OPEN, 7);
  Tell(5, v1::NO_SESSION);
  EXPECT_EQ(Fired(), "");
}

TEST_F(SuffixCheckerTest, ASuccessAfterAnExpiry) {
  Open(1, 7, 1);
  Ask(2, v1::SET_CONTENTS, 7, 1);
  Ask(3, v1::GET_CONTENTS, 7, 1);
  Tell(2, v1::SESSION_EXPIRED);
  Tell(3, v1::OK);
  EXPECT_EQ(Fired(), "session.suffix_loss");
}

TEST_F(SuffixCheckerTest, ARefusalAfterAnExpiryKnowsTheSession) {
  Open(1, 7, 1);
  Ask(2, v1::SET_CONTENTS, 7, 1);
  Tell(2, v1::SESSION_EXPIRED);
  Ask(3, v1::DELETE, 7, 1);
  Tell(3, v1::NOT_EMPTY);
  EXPECT_EQ(Fired(), "session.suffix_loss");
}

TEST_F(SuffixCheckerTest, AHandleThatWorksInTheNextSession) {
  Open(1, 7, 1);
  Ask(2, v1::SET_CONTENTS, 7, 1);
  Tell(2, v1::SESSION_EXPIRED);
  Ask(3, v1::GET_CONTENTS, 9, 1);
  Tell(3, v1::OK);
  EXPECT_EQ(Fired(), "session.suffix_loss");
}

TEST_F(SuffixCheckerTest, AnOpenThatIsRepeatedInTheNextSession) {
  Open(1, 7, 1);
  Ask(2, v1::OPEN, 7);
  Ask(3, v1::GET_CONTENTS, 7, 1);
  Tell(3, v1::SESSION_EXPIRED);
  Tell(2, v1::OK, 2);
  EXPECT_EQ(Fired(), "session.suffix_loss");
}

TEST_F(SuffixCheckerTest, AClientThatStartsAnewHasOtherHandles) {
  Open(1, 7, 1);
  Ask(2, v1::GET_CONTENTS, 7, 1);
  Tell(2, v1::SESSION_EXPIRED);
  checker_.Stopped(kClient);
  Open(1, 9, 1);
  Ask(2, v1::GET_CONTENTS, 9, 1);
  Tell(2, v1::OK);
  EXPECT_EQ(Fired(), "");
}

}  // namespace
}  // namespace bramah::sim

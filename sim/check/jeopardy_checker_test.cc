#include "sim/check/jeopardy_checker.h"

#include <gtest/gtest.h>

#include <string>

namespace bramah::sim {
namespace {

using client::SessionState;

class JeopardyCheckerTest : public testing::Test {
 protected:
  // Client 2 makes a call in a session that is in `state` after the step that answers it.
  void Ask(bool wait, SessionState state, v1::Code code) {
    checker_.Called(2, CallId(7), wait);
    checker_.AfterStep(2, state);
    checker_.Answered(5, 2, CallId(7), code);
  }
  void ExpectViolation(const std::string& what) {
    ASSERT_TRUE(reporter_.failed());
    EXPECT_EQ(reporter_.first()->checker, "history.reply");
    EXPECT_NE(reporter_.first()->message.find(what), std::string::npos) << reporter_.first()->message;
  }

  Reporter reporter_;
  JeopardyChecker checker_{3, &reporter_};
};

TEST_F(JeopardyCheckerTest, WhoDoesNotWaitMayBeRefusedInJeopardy) {
  Ask(/*wait=*/false, SessionState::kJeopardy, v1::JEOPARDY);
  Ask(/*wait=*/false, SessionState::kActive, v1::OK);
  Ask(/*wait=*/true, SessionState::kJeopardy, v1::SESSION_EXPIRED);
  EXPECT_FALSE(reporter_.failed());
}

TEST_F(JeopardyCheckerTest, WhoWaitsMayNot) {
  Ask(/*wait=*/true, SessionState::kJeopardy, v1::JEOPARDY);
  ExpectViolation("although it was made to wait");
}

TEST_F(JeopardyCheckerTest, NobodyMayOutsideOfOne) {
  Ask(/*wait=*/false, SessionState::kActive, v1::JEOPARDY);
  ExpectViolation("in which its session is not");
}

// An answered call says nothing about the next of that number, nor does that of an earlier life.
TEST_F(JeopardyCheckerTest, EachCallIsItsOwn) {
  Ask(/*wait=*/false, SessionState::kJeopardy, v1::OK);
  checker_.Called(2, CallId(7), /*wait=*/false);
  checker_.Stopped(2);
  checker_.Answered(9, 2, CallId(7), v1::JEOPARDY);
  ExpectViolation("although it was made to wait");
}

}  // namespace
}  // namespace bramah::sim

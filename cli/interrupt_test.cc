#include "cli/interrupt.h"

#include <signal.h>

#include "gtest/gtest.h"

namespace bramah::cli {
namespace {

TEST(InterruptTest, OnlyASecondCtrlCAfterAMomentEndsAtOnce) {
  EXPECT_FALSE(EndsAtOnce(SIGINT, 0));
  EXPECT_FALSE(EndsAtOnce(SIGINT, kSecond - 1));
  EXPECT_TRUE(EndsAtOnce(SIGINT, kSecond));
  EXPECT_FALSE(EndsAtOnce(SIGTERM, 0));
  EXPECT_FALSE(EndsAtOnce(SIGTERM, 60 * kSecond));
}

TEST(InterruptTest, SignalsAreNotedAndThoseIgnoredStayIgnored) {
  signal(SIGINT, SIG_IGN);
  CatchInterrupts();
  EXPECT_TRUE(IsIgnored(SIGINT));
  EXPECT_FALSE(IsIgnored(SIGTERM));
  raise(SIGINT);
  EXPECT_EQ(Interrupted(), 0);
  raise(SIGTERM);
  raise(SIGTERM);
  EXPECT_EQ(Interrupted(), SIGTERM);
}

}  // namespace
}  // namespace bramah::cli

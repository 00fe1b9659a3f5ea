#include "net_real/failure.h"

#include "gtest/gtest.h"

namespace bramah::net_real {
namespace {

TEST(FailureTest, EveryReasonHasACodeACauseAndARemedy) {
  for (int why = 0; why <= static_cast<int>(HaltReason::kMisconfigured); ++why) {
    const Failure failure = FailureOfHalt(static_cast<HaltReason>(why), "found this", "/data/r1");
    EXPECT_GE(failure.exit_code, kExitBadData) << why;
    EXPECT_LE(failure.exit_code, kExitConfig) << why;
    EXPECT_NE(failure.code, "internal") << why;
    EXPECT_NE(failure.cause.find("found this"), std::string::npos) << why;
    EXPECT_FALSE(failure.remedy.empty()) << why;
  }
}

TEST(FailureTest, ReasonsKeepTheDocumentedCodes) {
  EXPECT_EQ(FailureOfHalt(HaltReason::kForeignDirectory, "", "d").exit_code, 73);
  EXPECT_EQ(FailureOfHalt(HaltReason::kIncompleteFormat, "", "d").exit_code, 73);
  EXPECT_EQ(FailureOfHalt(HaltReason::kCorruptLog, "", "d").exit_code, 65);
  EXPECT_EQ(FailureOfHalt(HaltReason::kCorruptVote, "", "d").exit_code, 65);
  EXPECT_EQ(FailureOfHalt(HaltReason::kCorruptSnapshot, "", "d").exit_code, 65);
  EXPECT_EQ(FailureOfHalt(HaltReason::kDiskFailure, "", "d").exit_code, 74);
  EXPECT_EQ(FailureOfHalt(HaltReason::kMisconfigured, "", "d").exit_code, 78);
}

TEST(FailureTest, RemedyOfTheCoreWins) {
  const Failure failure = FailureOfHalt(HaltReason::kCorruptLog, "damaged; at 7; call the smith", "d");
  EXPECT_EQ(failure.cause, "the log in d is damaged: damaged; at 7");
  EXPECT_EQ(failure.remedy, "call the smith");
}

TEST(FailureTest, SystemsWordsBelongToTheCause) {
  const Failure failure = FailureOfHalt(HaltReason::kDiskFailure, "sync of wal-1 failed", "d", "sync wal-1: Input/output error");
  EXPECT_EQ(failure.cause, "the disk under d failed: sync of wal-1 failed (sync wal-1: Input/output error)");
}

}  // namespace
}  // namespace bramah::net_real

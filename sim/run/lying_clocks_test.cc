// The two tiers of safety: within rho everything holds; beyond it two clients may believe in one lock, but the replicated state and
// whoever checks tokens are right all the same.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "sim/plan/plan.h"
#include "sim/run/run.h"

namespace bramah::sim {
namespace {

v1::Plan Load(const std::string& name) {
  std::ifstream file("testdata/plans/" + name + ".plan");
  std::stringstream text;
  text << file.rdbuf();
  const auto plan = ParsePlan(text.str());
  EXPECT_TRUE(plan.ok()) << plan.status();
  EXPECT_FALSE(plan->comment().empty());
  return *plan;
}

std::string FirstViolation(const RunResult& result) {
  return result.violations.empty() ? result.note : result.violations[0].checker + ": " + result.violations[0].message;
}

class LyingClocks : public testing::TestWithParam<const char*> {};

TEST_P(LyingClocks, TwoBelieveWhatOneHolds) {
  RunOptions options;
  options.judge_beliefs = true;
  const RunResult result = RunPlan(Load(GetParam()), options);
  ASSERT_EQ(result.verdict, Verdict::kViolation) << FirstViolation(result);
  EXPECT_EQ(result.violations[0].checker, "lock.two_believers") << FirstViolation(result);
}

// What is ignored is ignored, and nothing else is.
TEST_P(LyingClocks, AViolationThatIsIgnoredEndsNothing) {
  RunOptions options;
  options.judge_beliefs = true;
  options.ignored = {"lock.two_believers"};
  EXPECT_EQ(RunPlan(Load(GetParam()), options).verdict, Verdict::kOk);
  options.ignored = {"lock.mutual_exclusion"};
  EXPECT_EQ(RunPlan(Load(GetParam()), options).verdict, Verdict::kViolation);
}

TEST_P(LyingClocks, WhatNeedsNoClockHolds) {
  const RunResult result = RunPlan(Load(GetParam()));
  EXPECT_EQ(result.verdict, Verdict::kOk) << FirstViolation(result);
}

// Nothing is left out of the judgement by accident.
TEST_P(LyingClocks, APlanThatDoesNotSaySoIsRefused) {
  v1::Plan plan = Load(GetParam());
  plan.clear_clocks_lie();
  const RunResult result = RunPlan(plan);
  EXPECT_EQ(result.verdict, Verdict::kInconclusive);
  EXPECT_NE(result.note.find("clocks_lie"), std::string::npos) << result.note;
}

std::string NameOf(const testing::TestParamInfo<const char*>& info) { return info.param; }
INSTANTIATE_TEST_SUITE_P(Testdata, LyingClocks, testing::Values("frozen_clock", "lying_rates"), NameOf);

TEST(LyingClocksTest, TheResourceRefusesWhoBelievesInVain) {
  const RunResult result = RunPlan(Load("frozen_clock"));
  EXPECT_EQ(result.verdict, Verdict::kOk) << FirstViolation(result);
  EXPECT_TRUE(result.probes.Reached(ProbeId::kFencedOff));
}

// A driver that compares clocks tells the client within a second or two that its own stands still.
TEST(LyingClocksTest, WhoKnowsThatItsClockIsWrongBelievesNothing) {
  RunOptions options;
  options.judge_beliefs = true;
  v1::Plan plan = Load("frozen_clock");
  plan.set_clock_watch(true);
  const RunResult result = RunPlan(plan, options);
  EXPECT_EQ(result.verdict, Verdict::kOk) << FirstViolation(result);
  EXPECT_TRUE(result.probes.Reached(ProbeId::kClockDoubted));
}

// Without a clock to be trusted nobody leads; when the clocks are right again the cell is back.
TEST(LyingClocksTest, ACellThatKnowsThatAllItsClocksAreWrongWaits) {
  v1::Plan plan = Load("lying_rates");
  plan.set_clock_watch(true);
  RunOptions options;
  options.judge_beliefs = true;
  const RunResult result = RunPlan(plan, options);
  EXPECT_EQ(result.verdict, Verdict::kOk) << FirstViolation(result);
  EXPECT_TRUE(result.probes.Reached(ProbeId::kClockDoubted));
}

// The same clients within the bound: the first has stopped to believe before the second begins.
TEST(LyingClocksTest, WithinTheBoundOneBelieves) {
  v1::Plan plan = Load("lying_rates");
  plan.clear_clocks_lie();
  for (v1::Clock& clock : *plan.mutable_clock()) clock.set_drift_ppm(clock.drift_ppm() / 50);
  const RunResult result = RunPlan(plan);
  EXPECT_EQ(result.verdict, Verdict::kOk) << FirstViolation(result);
}

}  // namespace
}  // namespace bramah::sim

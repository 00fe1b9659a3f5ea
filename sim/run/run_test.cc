#include "sim/run/run.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "sim/plan/plan.h"

namespace bramah::sim {
namespace {

v1::Plan Parse(const std::string& text) {
  const absl::StatusOr<v1::Plan> plan = ParsePlan(text);
  EXPECT_TRUE(plan.ok()) << plan.status().ToString();
  return *plan;
}

v1::Plan Make(uint64_t seed, Duration duration, const std::string& profile = "", bool clocks_lie = false) {
  PlanOptions options;
  options.clocks_lie = clocks_lie;
  options.duration = duration;
  options.profile = profile;
  return *MakePlan(seed, options);
}

std::string Explain(const RunResult& result) {
  if (result.violations.empty()) return result.note;
  const Violation& violation = result.violations[0];
  return absl::StrCat(violation.checker, " at ", violation.at, ": ", violation.message);
}

constexpr char kQuietCell[] = R"(
  version: 1 seed: 1 duration_ns: 10000000000 replicas: 3 clients: 3
  network { delay_min_ns: 100000 delay_max_ns: 1000000 }
  disk { write_min_ns: 10000 write_max_ns: 50000 sync_min_ns: 100000 sync_max_ns: 1000000 }
)";

TEST(RunPlanTest, AQuietCellElectsServesAndSettles) {
  v1::Plan plan = Parse(std::string(kQuietCell) +
                        R"(workload { kind: SET clients: 3 every_ns: 200000000 paths: 2 prefix: "f" bytes: 10 }
                           workload { kind: GET clients: 3 every_ns: 200000000 paths: 2 prefix: "f" }
                           workload { kind: LOCK clients: 3 every_ns: 300000000 paths: 1 prefix: "l" hold_ns: 100000000 })");
  std::vector<std::string> lines;
  RunOptions options;
  options.timeline = [&](Time, const std::string& line) { lines.push_back(line); };
  const RunResult result = RunPlan(plan, options);
  EXPECT_EQ(result.verdict, Verdict::kOk) << Explain(result);
  EXPECT_TRUE(result.probes.Reached(ProbeId::kElectionWon));
  EXPECT_TRUE(result.probes.Reached(ProbeId::kLockQueued));
  EXPECT_GE(result.simulated, 10 * kSecond);
  int masters = 0;
  for (const std::string& line : lines) masters += line.find("serves as master") != std::string::npos;
  EXPECT_EQ(masters, 1);
}

TEST(RunPlanTest, ListenersDoNotChangeTheRun) {
  const v1::Plan plan = Make(3, 10 * kSecond);
  const RunResult plain = RunPlan(plan);
  int traced = 0;
  RunOptions options;
  options.timeline = [](Time, const std::string&) {};
  options.trace = [&](const std::string& json) { traced += json.front() == '{'; };
  options.paranoid = true;
  const RunResult heard = RunPlan(plan, options);
  EXPECT_EQ(plain.trace_hash, heard.trace_hash);
  EXPECT_EQ(plain.events, heard.events);
  EXPECT_GT(traced, 1'000);
}

TEST(RunPlanTest, TheSamePlanGivesTheSameHash) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const v1::Plan plan = Make(seed, 10 * kSecond);
    const RunResult first = RunPlan(plan);
    const RunResult again = RunPlan(*ParsePlan(FormatPlan(plan)));
    EXPECT_EQ(first.trace_hash, again.trace_hash);
    EXPECT_EQ(first.events, again.events);
  }
}

TEST(RunPlanTest, ARunThatGoesAnotherWayTheSecondTimeIsReported) {
  const v1::Plan plan = Make(1, 10 * kSecond);
  RunResult result = RunPlan(plan);
  CheckRepeatable(plan, {}, result);
  EXPECT_EQ(result.verdict, Verdict::kOk) << Explain(result);
  CheckRepeatable(Make(2, 10 * kSecond), {}, result);  // as if something else than the plan had decided
  ASSERT_EQ(result.verdict, Verdict::kViolation);
  EXPECT_EQ(result.violations[0].checker, "trace.repeatable");
}

// With clocks that keep their bound and with such that do not.
TEST(RunPlanTest, EveryProfileIsCleanOnItsFirstSeeds) {
  for (const std::string& profile : ProfileNames()) {
    for (const bool clocks_lie : {false, true}) {
      for (uint64_t seed = 0; seed < 3; ++seed) {
        const RunResult result = RunPlan(Make(seed, 20 * kSecond, profile, clocks_lie));
        EXPECT_EQ(result.verdict, Verdict::kOk) << profile << (clocks_lie ? " lying " : " ") << " " << seed << ": " << Explain(result);
      }
    }
  }
}

// The load that speed figures stand for: 100 clients that make a call a second each, half of them writes.
TEST(RunPlanTest, TheBenchMakesAHundredCallsASecondAndHalfOfThemWrite) {
  constexpr Time kFrom = 60 * kSecond;  // by then most handles are open
  constexpr Time kTo = 90 * kSecond;
  int reads = 0;
  int writes = 0;
  RunOptions options;
  options.trace = [&](const std::string& json) {
    if (json.find(R"("input":"call")") == std::string::npos) return;
    const size_t at = json.find(R"("at_ns":)") + 8;
    const Time when = std::stoll(json.substr(at));
    if (when < kFrom || when >= kTo) return;
    const bool read = json.find("kind: GET_") != std::string::npos;
    ++(read ? reads : writes);
  };
  const RunResult result = RunPlan(Make(1, kTo, "bench"), options);
  EXPECT_EQ(result.verdict, Verdict::kOk) << Explain(result);
  EXPECT_NEAR(reads, 50 * 30, 150);
  EXPECT_NEAR(writes, 50 * 30, 150);
}

TEST(RunPlanTest, ACellWhoseOnlyDiskRotsIsReportedAsDead) {
  std::string text = R"(
    version: 1 seed: 1 duration_ns: 5000000000 replicas: 1 clients: 1
    network { delay_min_ns: 100000 delay_max_ns: 1000000 }
    disk { write_min_ns: 10000 write_max_ns: 50000 sync_min_ns: 100000 sync_max_ns: 1000000 }
    workload { kind: SET clients: 1 every_ns: 50000000 paths: 1 prefix: "f" bytes: 900 }
  )";
  for (int i = 0; i < 60; ++i)
    text += absl::StrCat("fault { kind: BIT_FLIP process: \"r1\" at_ns: 3000000000 amount: ", i, " }\n");
  text += "fault { kind: CRASH_PROCESS process: \"r1\" at_ns: 3001000000 for_ns: 1000 }\n";
  const RunResult result = RunPlan(Parse(text));
  ASSERT_EQ(result.verdict, Verdict::kViolation) << Explain(result);
  EXPECT_EQ(result.violations[0].checker, "liveness.progress");
  EXPECT_NE(result.violations[0].message.find("no replica serves as master"), std::string::npos) << Explain(result);
}

TEST(RunPlanTest, LocksAndSessionsOfStoppedClientsGoAway) {
  const v1::Plan plan = Parse(std::string(kQuietCell) + R"(
    knobs { lease_ns: 2000000000 keepalive_margin_ns: 800000000 grace_ns: 1000000000 }
    operation { kind: LOCK client: "c1" at_ns: 1000000000 path: "/l" hold_ns: 60000000000 }
    operation { kind: LOCK client: "c2" at_ns: 2000000000 path: "/l" hold_ns: 1000 }
    fault { kind: STOP_CLIENT process: "c1" at_ns: 3000000000 })");
  const RunResult result = RunPlan(plan);
  EXPECT_EQ(result.verdict, Verdict::kOk) << Explain(result);
  EXPECT_TRUE(result.probes.Reached(ProbeId::kLockRevokedByExpiry));
}

TEST(RunPlanTest, APlanThatCannotBeRunIsInconclusive) {
  const RunResult result = RunPlan(v1::Plan());
  EXPECT_EQ(result.verdict, Verdict::kInconclusive);
  EXPECT_EQ(result.note, "version: 0 is not 1, the only version there is");
}

TEST(RunPlanTest, TheCheckHandlerIsRestored) {
  const CheckHandler mine = [](const CheckFailure&) {};
  const CheckHandler before = SetCheckHandler(mine);
  RunPlan(Parse(kQuietCell));
  EXPECT_EQ(SetCheckHandler(before), mine);
}

}  // namespace
}  // namespace bramah::sim

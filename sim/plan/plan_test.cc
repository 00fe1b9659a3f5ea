#include "sim/plan/plan.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "sim/plan/streams.h"

namespace bramah::sim {
namespace {

using google::protobuf::util::MessageDifferencer;

v1::Plan Make(uint64_t seed, const std::string& profile = "") {
  PlanOptions options;
  options.profile = profile;
  const absl::StatusOr<v1::Plan> plan = MakePlan(seed, options);
  EXPECT_TRUE(plan.ok()) << plan.status().ToString();
  return *plan;
}

TEST(MakePlanTest, EveryProfileGivesValidPlansThatSurviveTheTextForm) {
  ASSERT_GE(ProfileNames().size(), 8u);
  for (const std::string& profile : ProfileNames()) {
    for (uint64_t seed = 0; seed < 6; ++seed) {
      const v1::Plan plan = Make(seed, profile);
      EXPECT_TRUE(ValidatePlan(plan).ok());
      const std::string text = FormatPlan(plan);
      const absl::StatusOr<v1::Plan> parsed = ParsePlan(text);
      ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
      EXPECT_TRUE(MessageDifferencer::Equals(plan, *parsed));
      EXPECT_EQ(FormatPlan(*parsed), text);
    }
  }
}

TEST(MakePlanTest, IsAFunctionOfSeedAndOptions) {
  EXPECT_TRUE(MessageDifferencer::Equals(Make(5), Make(5)));
  EXPECT_FALSE(MessageDifferencer::Equals(Make(5), Make(6)));
}

TEST(MakePlanTest, UnknownProfilesAreRefused) {
  PlanOptions options;
  options.profile = "nonsense";
  EXPECT_EQ(MakePlan(1, options).status().message(), "unknown profile \"nonsense\"");
}

TEST(MakePlanTest, ARunOfADayHasAPlan) {
  PlanOptions options;
  options.duration = 86'400 * kSecond;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const absl::StatusOr<v1::Plan> plan = MakePlan(seed, options);
    EXPECT_TRUE(plan.ok()) << plan.status().ToString();
  }
}

TEST(MakePlanTest, WhatTheUserFixedStays) {
  for (const std::string& profile : ProfileNames()) {
    for (uint64_t seed = 0; seed < 10; ++seed) {
      PlanOptions options{.replicas = 1 + seed % 5,
                          .clients = seed % 3,
                          .quorum_reads = seed % 2 == 0,
                          .duration = 5 * kSecond,
                          .profile = profile};
      const absl::StatusOr<v1::Plan> plan = MakePlan(seed, options);
      ASSERT_TRUE(plan.ok()) << plan.status().ToString();
      EXPECT_EQ(plan->replicas(), *options.replicas);
      EXPECT_EQ(plan->clients(), *options.clients);
      EXPECT_EQ(plan->knobs().quorum_reads(), *options.quorum_reads);
      EXPECT_EQ(plan->duration_ns(), options.duration);
    }
  }
}

TEST(MakePlanTest, TheSwarmSwitchesFamiliesOnAndOff) {
  std::set<v1::Fault::Kind> seen;
  int quiet_of_crashes = 0;
  int triggered = 0;
  int in_step = 0;
  int quorum = 0;
  int three = 0;
  int drifting = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const v1::Plan plan = Make(seed);
    bool crash = false;
    for (const v1::Fault& fault : plan.fault()) {
      seen.insert(fault.kind());
      crash |= fault.kind() == v1::Fault::CRASH_PROCESS && !fault.has_on();
      triggered += fault.has_on();
      in_step += fault.between_effects();
    }
    quiet_of_crashes += !crash;
    quorum += plan.knobs().quorum_reads();
    three += plan.replicas() == 3;
    drifting += plan.clock_size() > 0;
    EXPECT_GE(plan.clients(), 1u);
    EXPECT_LE(plan.clients(), 20u);
    EXPECT_LE(plan.operation_size(), 3'000);
  }
  EXPECT_EQ(seen.size(), 11u);
  EXPECT_NEAR(quiet_of_crashes, 50, 30);
  EXPECT_GT(triggered, 100);
  EXPECT_GT(in_step, 100);
  EXPECT_NEAR(quorum, 60, 30);
  EXPECT_NEAR(three, 100, 40);
  EXPECT_NEAR(drifting, 120, 40);
}

TEST(MakePlanTest, ClocksKeepTheBoundUnlessTheProfileIsAboutLiars) {
  int beyond = 0;
  int frozen = 0;
  for (const std::string& profile : ProfileNames()) {
    for (uint64_t seed = 0; seed < 10; ++seed) {
      const v1::Plan plan = Make(seed, profile);
      const int64_t rho = RhoOf(plan);
      EXPECT_EQ(plan.clocks_lie(), profile == "lying-clock") << profile;
      for (const v1::Clock& clock : plan.clock()) {
        EXPECT_LE(std::abs(clock.drift_ppm()), plan.clocks_lie() ? 50'000 : rho) << profile;
        beyond += std::abs(clock.drift_ppm()) > rho;
      }
      for (const v1::Fault& fault : plan.fault()) frozen += fault.kind() == v1::Fault::FREEZE_CLOCK;
    }
  }
  EXPECT_GT(beyond, 50);
  EXPECT_GT(frozen, 50);
}

TEST(MakePlanTest, OnlyAMinorityRots) {
  for (const char* profile : {"", "bitrot"}) {
    for (uint64_t seed = 0; seed < 100; ++seed) {
      const v1::Plan plan = Make(seed, profile);
      std::set<std::string> rotten;
      for (const v1::Fault& fault : plan.fault()) {
        if (fault.kind() == v1::Fault::BIT_FLIP) rotten.insert(fault.process(0));
      }
      EXPECT_LE(rotten.size(), (plan.replicas() - 1) / 2);
    }
  }
}

TEST(MakePlanTest, OperationsAreWrittenOutExceptInTheBench) {
  EXPECT_EQ(Make(1).workload_size(), 0);
  EXPECT_GT(Make(1).operation_size(), 0);
  const v1::Plan bench = Make(1, "bench");
  EXPECT_EQ(bench.operation_size(), 0);
  EXPECT_EQ(bench.replicas(), 5u);
  EXPECT_EQ(bench.clients(), 100u);
  int calls = 0;  // a lock operation and an ephemeral file are two calls at least
  const v1::Plan expanded = Expand(bench);
  for (const v1::Operation& operation : expanded.operation()) {
    const bool two = operation.kind() == v1::Operation::LOCK || operation.kind() == v1::Operation::TRY_LOCK ||
                     operation.kind() == v1::Operation::EPHEMERAL;
    calls += two ? 2 : 1;
  }
  EXPECT_NEAR(calls, 6'000, 600);
}

TEST(ParsePlanTest, TheKeptBenchIsInTheFormOfFormatPlan) {
  std::ifstream file("testdata/plans/bench.plan");
  std::stringstream text;
  text << file.rdbuf();
  const absl::StatusOr<v1::Plan> plan = ParsePlan(text.str());
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  EXPECT_EQ(plan->duration_ns(), 600 * kSecond);
  EXPECT_FALSE(plan->knobs().quorum_reads());
  EXPECT_EQ(FormatPlan(*plan), text.str());
}

TEST(ExpandTest, WritesOperationsInOrderOfTime) {
  const v1::Plan plan = Expand(Make(1, "bench"));
  EXPECT_EQ(plan.workload_size(), 0);
  for (int i = 1; i < plan.operation_size(); ++i) EXPECT_LE(plan.operation(i - 1).at_ns(), plan.operation(i).at_ns());
  EXPECT_TRUE(ValidatePlan(plan).ok());
}

TEST(ExpandTest, ClientsDoNotDependOnEachOther) {
  v1::Plan plan = Make(1, "bench");
  const v1::Plan all = Expand(plan);
  for (v1::Workload& workload : *plan.mutable_workload()) workload.set_clients(2);
  const v1::Plan two = Expand(plan);
  std::vector<std::string> of_two[2];
  for (const v1::Operation& operation : all.operation()) {
    if (operation.client() == "c2") of_two[0].push_back(operation.ShortDebugString());
  }
  for (const v1::Operation& operation : two.operation()) {
    if (operation.client() == "c2") of_two[1].push_back(operation.ShortDebugString());
  }
  EXPECT_EQ(of_two[0], of_two[1]);
}

// A small valid plan; `more` is appended.
std::string Text(const std::string& more) {
  return "version: 1\nseed: 4\nduration_ns: 1000000000\nreplicas: 3\nclients: 2\n" + more;
}

TEST(ParsePlanTest, AcceptsASmallPlanAndComments) {
  const absl::StatusOr<v1::Plan> plan = ParsePlan(Text("# a comment\nfault { kind: CUT from: \"r1\" to: \"r*\" at_ns: 5 }\n"));
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  EXPECT_EQ(plan->fault(0).from(0), "r1");
}

struct BadPlan {
  const char* text;
  const char* message;
};

TEST(ParsePlanTest, NamesWhatIsWrong) {
  const BadPlan kBad[] = {
      {"nonsense: 1", "line 6, column 9: Message type \"bramah.v1.Plan\" has no field named \"nonsense\"."},
      {"version: 2", "line 6, column 8: Non-repeated field \"version\" is specified multiple times."},
      {"fault { kind: CRASH_PROCESS process: \"r4\" }", "fault[0].process: unknown process \"r4\""},
      {"fault { kind: CRASH_PROCESS process: \"c3\" }", "fault[0].process: unknown process \"c3\""},
      {"fault { kind: CRASH_PROCESS process: \"r01\" }", "fault[0].process: unknown process \"r01\""},
      {"fault { kind: CRASH_PROCESS process: \"\" }", "fault[0].process: unknown process \"\""},
      {"fault { kind: FAIL_SYNC process: \"c1\" }", "fault[0].process: unknown process \"c1\""},
      {"fault { kind: STOP_CLIENT process: \"r1\" }", "fault[0].process: STOP_CLIENT is for clients"},
      {"fault { kind: CRASH_PROCESS }", "fault[0]: names nobody"},
      {"fault { kind: CUT from: \"r1\" }", "fault[0]: names nobody"},
      {"fault { process: \"r1\" }", "fault[0].kind: missing"},
      {"fault { kind: PAUSE process: \"r1\" at_ns: -5 }", "fault[0].at_ns: -5 is not a time from 0 to 86400000000000 ns"},
      {"fault { kind: PAUSE on { event: \"Nothing\" } }", "fault[0].on.event: unknown event \"Nothing\""},
      {"fault { kind: PAUSE at_ns: 3 on { event: \"Applied\" } }", "fault[0].at_ns: a fault has either at_ns or on"},
      {"clock { process: \"r1\" drift_ppm: 2000000 }", "clock[0].drift_ppm: 2000000 is not in +-500000"},
      {"clock { process: \"r1\" drift_ppm: 1001 }",
       "clock[0].drift_ppm: 1001 is beyond the bound 1000, but clocks_lie is not set"},
      {"knobs { rho_ppm: 5000 } clock { process: \"c1\" drift_ppm: -5001 }",
       "clock[0].drift_ppm: -5001 is beyond the bound 5000, but clocks_lie is not set"},
      {"fault { kind: FREEZE_CLOCK process: \"r1\" }", "fault[0].kind: FREEZE_CLOCK is for plans with clocks_lie"},
      {"fault { kind: FAST_CLOCK process: \"r1\" amount: 400 }", "fault[0].kind: slews are for plans with clock_watch"},
      {"clock_watch: true fault { kind: SLOW_CLOCK process: \"r1\" }", "fault[0].amount: a slew of nothing"},
      {"clock_watch: true fault { kind: FAST_CLOCK process: \"r1\" amount: 400 }",
       "fault[0].amount: 400 is too much for rho_ppm and the shortest of election_min_ns, lease_ns, lock-delays"},
      {"clock_watch: true knobs { rho_ppm: 50000 election_min_ns: 2000000000 }"
       " fault { kind: FAST_CLOCK process: \"r1\" amount: 250000 }"
       " operation { kind: LOCK client: \"c1\" path: \"/a\" lock_delay_ns: 19000000 }",
       "fault[0].amount: 250000 is too much for rho_ppm and the shortest of election_min_ns, lease_ns, lock-delays"},
      {"clock_watch: true fault { kind: FAST_CLOCK process: \"r1\" amount: 200 } fault { kind: PAUSE process: \"c1\" }",
       "fault[0].kind: no slew together with a PAUSE, in which nobody notices it, if no clock lies"},
      {"clock_watch: true clock { process: \"r1\" drift_ppm: 501 }",
       "clock[0].drift_ppm: 501 is beyond the bound 500, but clocks_lie is not set"},
      {"operation { kind: GET client: \"c1\" path: \"relative\" }", "operation[0].path: \"relative\" is no name in a cell"},
      {"operation { kind: GET client: \"r1\" path: \"/a\" }", "operation[0].client: is not a client"},
      {"operation { kind: SET client: \"c1\" path: \"/a\" bytes: 300000 }", "operation[0].bytes: 300000 is more than 262144"},
      {"workload { kind: EPHEMERAL clients: 1 every_ns: 1000000 paths: 1 prefix: \"a\" again: true }", "workload[0].again: is for locks"},
      {"operation { kind: GET client: \"c1\" path: \"/a\" stale: true no_wait: true }",
       "operation[0].no_wait: is for a session, which a stale read has none of"},
      {"workload { kind: GET clients: 3 every_ns: 1000000 }", "workload[0].clients: 3 is more than 2"},
      {"workload { kind: GET clients: 1 }", "workload[0].every_ns: 0 is not in 1000..86400000000000"},
      {"network { delay_min_ns: 5 delay_max_ns: 4 }", "network.delay_max_ns: 4 is less than the minimum 5"},
      {"network { loss_ppm: 1000001 }",
       "network.loss_ppm + duplicate_ppm + break_ppm: 1000001 is more than 1000000 parts per million"},
      {"knobs { election_min_ns: 100 heartbeat_ns: 50 }", "knobs.heartbeat_ns: must be below half of election_min_ns"},
      {"knobs { segment_bytes: 100 }", "knobs.segment_bytes: 100 is not in 4096..1073741824"},
  };
  for (const BadPlan& bad : kBad) {
    const absl::StatusOr<v1::Plan> plan = ParsePlan(Text(bad.text));
    ASSERT_FALSE(plan.ok()) << bad.text;
    EXPECT_EQ(std::string(plan.status().message()), bad.message) << bad.text;
  }
}

TEST(ParsePlanTest, RefusesOtherVersionsAndSizes) {
  EXPECT_EQ(ParsePlan("version: 2\nreplicas: 3").status().message(), "version: 2 is not 1, the only version there is");
  EXPECT_EQ(ParsePlan("replicas: 3").status().message(), "version: 0 is not 1, the only version there is");
  EXPECT_EQ(ParsePlan("version: 1\nreplicas: 100").status().message(), "replicas: 100 is not in 1..99");
  EXPECT_EQ(ParsePlan("version: 1").status().message(), "replicas: 0 is not in 1..99");
  EXPECT_EQ(ParsePlan("version: 1\nreplicas: 1\nclients: 10000").status().message(), "clients: 10000 is more than 9999");
  EXPECT_FALSE(ParsePlan("\x01\x02garbage").ok());
  EXPECT_FALSE(ParsePlan("").ok());
}

TEST(FormatPlanTest, StartsWithTheVersionAndHasALinePerItem) {
  const absl::StatusOr<v1::Plan> plan =
      ParsePlan(Text("fault { kind: PAUSE process: \"r1\" at_ns: 7 for_ns: 8 }\nfault { kind: PAUSE process: \"r2\" }"));
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(FormatPlan(*plan),
            "# proto-file: sim/plan/plan.proto\n# proto-message: bramah.v1.Plan\n"
            "version: 1\nseed: 4\nduration_ns: 1000000000\nreplicas: 3\nclients: 2\n\n"
            "fault { kind: PAUSE at_ns: 7 process: \"r1\" for_ns: 8 }\n"
            "fault { kind: PAUSE process: \"r2\" }\n");
}

TEST(DiceTest, LogarithmicDrawsCoverEveryOctave) {
  Dice dice(1, Stream::kKnobs, 0);
  int low = 0;
  int high = 0;
  for (int i = 0; i < 1'000; ++i) {
    const int64_t value = dice.LogIn(3, 5'000);
    EXPECT_GE(value, 3);
    EXPECT_LE(value, 5'000);
    low += value < 8;
    high += value >= 2'048;
  }
  EXPECT_GT(low, 80);
  EXPECT_GT(high, 80);
}

}  // namespace
}  // namespace bramah::sim

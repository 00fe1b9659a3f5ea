#include "sim/world/world.h"

#include <gtest/gtest.h>

#include "sim/world/fake_node.h"

namespace bramah::sim {
namespace {

constexpr ConnId kDialled(1);

v1::Plan TwoReplicas() {
  v1::Plan plan;
  plan.set_version(1);
  plan.set_seed(7);
  plan.set_replicas(2);
  plan.set_duration_ns(10 * kSecond);
  plan.mutable_network()->set_delay_min_ns(kMillisecond);
  plan.mutable_network()->set_delay_max_ns(kMillisecond);
  plan.mutable_disk()->set_write_min_ns(kMillisecond);
  plan.mutable_disk()->set_write_max_ns(kMillisecond);
  plan.mutable_disk()->set_sync_min_ns(5 * kMillisecond);
  plan.mutable_disk()->set_sync_max_ns(5 * kMillisecond);
  return plan;
}

v1::Fault& AddFault(v1::Plan& plan, v1::Fault::Kind kind, Time at, const std::string& process, Duration length) {
  v1::Fault& fault = *plan.add_fault();
  fault.set_kind(kind);
  fault.set_at_ns(at);
  if (!process.empty()) fault.add_process(process);
  fault.set_for_ns(length);
  return fault;
}

v1::Fault& AddCut(v1::Plan& plan, Time at, const std::string& from, const std::string& to, Duration length) {
  v1::Fault& fault = AddFault(plan, v1::Fault::CUT, at, "", length);
  fault.add_from(from);
  fault.add_to(to);
  return fault;
}

// A world of two fake replicas: r1 (process 0) dials r2 (process 1), which listens.
class WorldTest : public testing::Test {
 protected:
  // Runs for a simulated second with `step` added to the dialling and listening.
  void Run(const v1::Plan& plan, StepFunction step = nullptr, Time until = kSecond) {
    step_ = [step](ProcessId process, Time now, const Input& input, Effects& out) {
      if (std::holds_alternative<Boot>(input)) {
        if (process == 1) out.Listen().set_member(2);
        if (process == 0) out.Connect(kDialled, "r2").set_member(1);
      }
      if (step) step(process, now, input, out);
    };
    diary_ = Diary();
    world_ = std::make_unique<World>(plan, [this](ProcessId id) { return std::make_unique<FakeNode>(id, &step_); }, &diary_);
    while (world_->Advance(until)) {
    }
  }

  StepFunction step_;
  Diary diary_;
  std::unique_ptr<World> world_;
};

void Ping(ConnId conn, uint64_t number, Effects& out, After after = {}) { out.Send<v1::Ping>(conn, after).set_number(number); }

// r1 sends pings 1..count as soon as it is connected.
StepFunction Pings(uint64_t count) {
  return [count](ProcessId process, Time, const Input& input, Effects& out) {
    if (process != 0 || !std::holds_alternative<ConnUp>(input)) return;
    for (uint64_t i = 1; i <= count; ++i) Ping(kDialled, i, out);
  };
}

// ------------------------------------------------------------------------------------------------------------------ connections

TEST_F(WorldTest, BothSidesOfAConnectionHearWhoTheOtherIs) {
  uint32_t heard[2] = {0, 0};
  Run(TwoReplicas(), [&](ProcessId process, Time, const Input& input, Effects&) {
    if (const auto* up = std::get_if<ConnUp>(&input)) heard[process] = up->peer->member();
  });
  EXPECT_EQ(heard[0], 2u);
  EXPECT_EQ(heard[1], 1u);
  EXPECT_EQ(diary_.When("p1 up"), kMillisecond);
  EXPECT_EQ(diary_.When("p0 up"), 2 * kMillisecond);
}

TEST_F(WorldTest, NobodyListensOrNobodyIsThere) {
  Run(TwoReplicas(), [](ProcessId process, Time, const Input& input, Effects& out) {
    if (process != 1 || !std::holds_alternative<Boot>(input)) return;
    out.Connect(ConnId(1), "r1");
    out.Connect(ConnId(3), "r9");
  });
  EXPECT_EQ(diary_.Count("p1 unreachable"), 2);
}

TEST_F(WorldTest, DiallingThroughACutTimesOut) {
  for (const bool forth : {true, false}) {
    v1::Plan plan = TwoReplicas();
    AddCut(plan, 0, forth ? "r1" : "r2", forth ? "r2" : "r1", 0);
    Run(plan);
    EXPECT_EQ(diary_.Count("p0 up"), 0);
    EXPECT_EQ(diary_.Count("p0 unreachable"), 1);
    EXPECT_GT(diary_.When("p0 unreachable"), 100 * kMillisecond);
  }
}

TEST_F(WorldTest, ClosingTellsTheOtherSideOnly) {
  Run(TwoReplicas(), [](ProcessId process, Time, const Input& input, Effects& out) {
    if (process == 0 && std::holds_alternative<ConnUp>(input)) out.Close(kDialled, CloseReason::kShutdown);
  });
  EXPECT_EQ(diary_.Count("p1 down"), 1);
  EXPECT_EQ(diary_.Count("p0 down"), 0);
  EXPECT_EQ(world_->ConnectionsOf(0), 0u);
  EXPECT_EQ(world_->ConnectionsOf(1), 0u);
}

TEST_F(WorldTest, ADeadProcessSaysGoodbyeADeadMachineDoesNot) {
  v1::Plan plan = TwoReplicas();
  AddFault(plan, v1::Fault::CRASH_PROCESS, 100 * kMillisecond, "r2", 0);
  Run(plan);
  EXPECT_EQ(diary_.Count("p0 down"), 1);
  plan.mutable_fault(0)->set_kind(v1::Fault::CRASH_MACHINE);
  Run(plan);
  EXPECT_EQ(diary_.Count("p0 down"), 0);
}

TEST_F(WorldTest, SendingToAnEarlierIncarnationIsAnsweredByAReset) {
  v1::Plan plan = TwoReplicas();
  AddFault(plan, v1::Fault::CRASH_MACHINE, 100 * kMillisecond, "r2", 100 * kMillisecond);
  Run(plan, [](ProcessId process, Time now, const Input& input, Effects& out) {
    if (process != 0) return;
    if (std::holds_alternative<ConnUp>(input)) out.Arm(TimerId::kRetry, now + 400 * kMillisecond);
    if (std::holds_alternative<TimerFired>(input)) Ping(kDialled, 1, out);
  });
  EXPECT_EQ(diary_.Count("p1 ping 1"), 0);
  EXPECT_EQ(diary_.Count("p0 down"), 1);
  EXPECT_GT(diary_.When("p0 down"), 400 * kMillisecond);
}

// --------------------------------------------------------------------------------------------------------------------- messages

TEST_F(WorldTest, MessagesArriveOnceByDefault) {
  Run(TwoReplicas(), Pings(3));
  for (const char* line : {"p1 ping 1", "p1 ping 2", "p1 ping 3"}) EXPECT_EQ(diary_.Count(line), 1);
  EXPECT_EQ(diary_.left, 3);
}

TEST_F(WorldTest, MessagesAreLostDuplicatedAndBreakConnectionsAtTheirRates) {
  v1::Plan plan = TwoReplicas();
  plan.mutable_network()->set_loss_ppm(300'000);
  plan.mutable_network()->set_duplicate_ppm(300'000);
  Run(plan, Pings(1'000));
  int lost = 0;
  int twice = 0;
  for (int i = 1; i <= 1'000; ++i) {
    const int count = diary_.Count("p1 ping " + std::to_string(i));
    lost += count == 0;
    twice += count == 2;
  }
  EXPECT_NEAR(lost, 300, 60);
  EXPECT_NEAR(twice, 300, 60);
  plan.mutable_network()->set_loss_ppm(0);
  plan.mutable_network()->set_duplicate_ppm(0);
  plan.mutable_network()->set_break_ppm(1'000'000);
  Run(plan, Pings(1));
  EXPECT_EQ(diary_.Count("p1 ping 1"), 0);
  EXPECT_EQ(diary_.Count("p0 down"), 1);
  EXPECT_EQ(diary_.Count("p1 down"), 1);
}

TEST_F(WorldTest, MessagesOvertakeEachOther) {
  v1::Plan plan = TwoReplicas();
  plan.mutable_network()->set_delay_max_ns(20 * kMillisecond);
  Run(plan, Pings(100));
  bool overtaken = false;
  for (int i = 2; i <= 100; ++i) {
    overtaken |= diary_.When("p1 ping " + std::to_string(i)) < diary_.When("p1 ping " + std::to_string(i - 1));
  }
  EXPECT_TRUE(overtaken);
}

TEST_F(WorldTest, TheSameBytesAgainHaveAnotherFate) {
  v1::Plan plan = TwoReplicas();
  plan.mutable_network()->set_loss_ppm(500'000);
  Run(plan, [](ProcessId process, Time, const Input& input, Effects& out) {
    if (process != 0 || !std::holds_alternative<ConnUp>(input)) return;
    for (int i = 0; i < 100; ++i) Ping(kDialled, 5, out);
  });
  EXPECT_NEAR(diary_.Count("p1 ping 5"), 50, 20);
}

TEST_F(WorldTest, FatesDoNotDependOnOtherMessages) {
  v1::Plan plan = TwoReplicas();
  plan.mutable_network()->set_delay_max_ns(20 * kMillisecond);
  Run(plan, Pings(1));
  const Time alone = diary_.When("p1 ping 1");
  Run(plan, Pings(50));
  EXPECT_EQ(diary_.When("p1 ping 1"), alone);
}

TEST_F(WorldTest, CutsWorkInOneDirectionAndEnd) {
  v1::Plan plan = TwoReplicas();
  AddCut(plan, 100 * kMillisecond, "r1", "r2", 100 * kMillisecond);
  Run(plan, [](ProcessId process, Time now, const Input& input, Effects& out) {
    const ConnId conn = process == 0 ? kDialled : ConnId(2);
    if (std::holds_alternative<ConnUp>(input)) out.Arm(TimerId::kRetry, now + 120 * kMillisecond);
    if (std::holds_alternative<TimerFired>(input)) {
      Ping(conn, static_cast<uint64_t>(process + 1), out);
      out.Arm(TimerId::kRetry, now + 300 * kMillisecond);
    }
  }, 300 * kMillisecond);
  EXPECT_EQ(diary_.Count("p1 ping 1"), 0);
  EXPECT_EQ(diary_.Count("p0 ping 2"), 1);
  while (world_->Advance(500 * kMillisecond)) {
  }
  EXPECT_EQ(diary_.Count("p1 ping 1"), 1);
}

TEST_F(WorldTest, SlowLinksAddTheirDelay) {
  v1::Plan plan = TwoReplicas();
  v1::Fault& fault = AddCut(plan, 1, "r1", "r2", 0);
  fault.set_kind(v1::Fault::SLOW_LINK);
  fault.set_amount(200 * kMillisecond);
  Run(plan, Pings(1));
  EXPECT_EQ(diary_.When("p1 ping 1"), 203 * kMillisecond);
}

// ------------------------------------------------------------------------------------------------------------ clocks and timers

TEST_F(WorldTest, TimersFollowTheLocalClockAndNeverFireEarly) {
  v1::Plan plan = TwoReplicas();
  v1::Clock& clock = *plan.add_clock();
  clock.set_process("r1");
  clock.set_drift_ppm(1'000);
  Time armed_for = 0;
  Time fired_at = 0;
  Run(plan, [&](ProcessId process, Time now, const Input& input, Effects& out) {
    if (process != 0) return;
    if (std::holds_alternative<Boot>(input)) out.Arm(TimerId::kElection, armed_for = now + 500 * kMillisecond);
    if (std::holds_alternative<TimerFired>(input)) fired_at = now;
  });
  EXPECT_GE(fired_at, armed_for);
  EXPECT_LE(fired_at, armed_for + 2);
  EXPECT_NEAR(static_cast<double>(diary_.When("p0 timer")), 500e6 / 1.001, 10.0);
}

// A clock that stands still holds up what is due by it, also what is armed meanwhile; jumping ahead makes up for it.
TEST_F(WorldTest, TimersWaitForAClockThatStandsStill) {
  for (const Duration ahead : {Duration{0}, 300 * kMillisecond}) {
    v1::Plan plan = TwoReplicas();
    v1::Fault& freeze = AddFault(plan, v1::Fault::FREEZE_CLOCK, 100 * kMillisecond, "r1", 300 * kMillisecond);
    freeze.set_amount(static_cast<uint64_t>(ahead));
    Time booted = 0;
    std::vector<Time> shown;
    Run(plan, [&](ProcessId process, Time now, const Input& input, Effects& out) {
      if (process != 0) return;
      if (std::holds_alternative<Boot>(input)) {
        booted = now;
        out.Arm(TimerId::kElection, now + 150 * kMillisecond);
        out.Arm(TimerId::kRetry, now + 500 * kMillisecond);
      }
      if (std::holds_alternative<TimerFired>(input)) shown.push_back(now - booted);
    });
    ASSERT_EQ(shown.size(), 2u);
    EXPECT_EQ(diary_.When("p0 timer"), (ahead > 0 ? 400 : 450) * kMillisecond);
    EXPECT_EQ(shown[0], (ahead > 0 ? 400 : 150) * kMillisecond);
    EXPECT_EQ(shown[1], 500 * kMillisecond);
  }
}

TEST_F(WorldTest, ArmingReplacesAndCancellingForgets) {
  Run(TwoReplicas(), [](ProcessId process, Time now, const Input& input, Effects& out) {
    if (process != 0 || !std::holds_alternative<Boot>(input)) return;
    out.Arm(TimerId::kElection, now + 50 * kMillisecond);
    out.Arm(TimerId::kElection, now + 10 * kMillisecond);
    out.Arm(TimerId::kElection, now + 90 * kMillisecond);
    out.Arm(TimerId::kRetry, now + 20 * kMillisecond);
    out.Cancel(TimerId::kRetry);
  });
  EXPECT_EQ(diary_.Count("p0 timer"), 1);
  EXPECT_EQ(diary_.When("p0 timer"), 90 * kMillisecond);
}

TEST_F(WorldTest, StandingStillIsReported) {
  Run(TwoReplicas(), [](ProcessId process, Time now, const Input& input, Effects& out) {
    if (process == 0 && !std::holds_alternative<ConnUp>(input)) out.Arm(TimerId::kContinue, now - 5);
  }, 0);
  ASSERT_FALSE(diary_.reports.empty());
  EXPECT_EQ(diary_.reports[0], "resource.bounded");
}

// ------------------------------------------------------------------------------------------------------------------------- disks

constexpr FileId kFile{FileKind::kSegment, 1};

// On Boot a batch of create, write, sync.
void StartBatch(Effects& out) {
  FileOp ops[4];
  for (FileOp& op : ops) op.file = kFile;
  ops[0].kind = FileOp::kCreate;
  ops[1].kind = FileOp::kWrite;
  ops[1].bytes = Blob("0123456789");
  ops[2].kind = FileOp::kSyncData;
  ops[3].kind = FileOp::kSyncDir;
  out.Disk(Lane::kLog, 1, absl::MakeSpan(ops));
}

TEST_F(WorldTest, HeldMessagesLeaveWhenTheirTicketIsDoneBeforeTheNodeHearsOfIt) {
  int left_before_done = -1;
  Run(TwoReplicas(), [&](ProcessId process, Time, const Input& input, Effects& out) {
    if (process != 0) return;
    if (std::holds_alternative<ConnUp>(input)) {
      StartBatch(out);
      Ping(kDialled, 1, out, After{.log = 1});
      Ping(kDialled, 2, out);
    }
    if (std::holds_alternative<DiskDone>(input)) left_before_done = diary_.left;
  });
  EXPECT_EQ(left_before_done, 2);
  EXPECT_EQ(diary_.When("p0 disk"), 2 * kMillisecond + 12 * kMillisecond);
  EXPECT_EQ(diary_.When("p1 ping 1"), diary_.When("p0 disk") + kMillisecond);
  EXPECT_EQ(diary_.When("p1 ping 2"), 3 * kMillisecond);
  EXPECT_EQ(diary_.disk_operations, 4);
  EXPECT_EQ(world_->DiskOf(0).Durable(kFile), "0123456789");
}

TEST_F(WorldTest, HeldMessagesDieWithTheProcess) {
  v1::Plan plan = TwoReplicas();
  AddFault(plan, v1::Fault::CRASH_PROCESS, 8 * kMillisecond, "r1", 0);
  Run(plan, [&](ProcessId process, Time, const Input& input, Effects& out) {
    if (process != 0 || !std::holds_alternative<ConnUp>(input)) return;
    StartBatch(out);
    Ping(kDialled, 1, out, After{.log = 1});
  });
  EXPECT_EQ(diary_.Count("p1 ping 1"), 0);
  EXPECT_EQ(diary_.Count("p0 disk"), 0);
}

TEST_F(WorldTest, AProcessCrashInTheMiddleOfABatchLeavesAPrefixInThePageCache) {
  bool kinds[3] = {false, false, false};  // nothing, part, all of the write
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    v1::Plan plan = TwoReplicas();
    plan.set_seed(seed);
    AddFault(plan, v1::Fault::CRASH_PROCESS, kMillisecond, "r1", 0);
    Run(plan, [&](ProcessId process, Time, const Input& input, Effects& out) {
      if (process == 0 && std::holds_alternative<Boot>(input)) StartBatch(out);
    });
    const std::string view = world_->DiskOf(0).View(kFile).value_or("");
    EXPECT_EQ(view, std::string("0123456789").substr(0, view.size()));
    kinds[view.empty() ? 0 : view.size() < 10 ? 1 : 2] = true;
  }
  EXPECT_TRUE(kinds[0] && kinds[1] && kinds[2]);
}

TEST_F(WorldTest, InjectedDiskErrorsAreReportedWithTheirOperation) {
  const auto batch_at_100ms = [](ProcessId process, Time now, const Input& input, Effects& out) {
    if (process != 0) return;
    if (std::holds_alternative<Boot>(input)) out.Arm(TimerId::kStorage, now + 100 * kMillisecond);
    if (std::holds_alternative<TimerFired>(input)) StartBatch(out);
  };
  v1::Plan plan = TwoReplicas();
  v1::Fault& fault = AddFault(plan, v1::Fault::FAIL_SYNC, 50 * kMillisecond, "r1", 0);
  Run(plan, batch_at_100ms);
  EXPECT_EQ(diary_.Count("p0 disk failed at 2"), 1);
  EXPECT_EQ(world_->DiskOf(0).View(kFile), "0123456789");
  fault.set_kind(v1::Fault::FAIL_WRITE);
  Run(plan, batch_at_100ms);
  EXPECT_EQ(diary_.Count("p0 disk failed at 1"), 1);
  fault.set_kind(v1::Fault::NO_SPACE);
  fault.set_for_ns(kSecond);
  Run(plan, batch_at_100ms);
  EXPECT_EQ(diary_.Count("p0 disk failed at 1"), 1);
  fault.set_for_ns(10 * kMillisecond);
  Run(plan, batch_at_100ms);
  EXPECT_EQ(diary_.Count("p0 disk"), 1);
}

// ------------------------------------------------------------------------------------------------------- crashes, pauses,
// triggers

TEST_F(WorldTest, ACrashedProcessBootsAgainWithItsFilesAndAnotherSeed) {
  v1::Plan plan = TwoReplicas();
  AddFault(plan, v1::Fault::CRASH_PROCESS, 100 * kMillisecond, "r1", 50 * kMillisecond);
  std::vector<uint64_t> seeds;
  size_t files = 0;
  Run(plan, [&](ProcessId process, Time, const Input& input, Effects& out) {
    const auto* boot = std::get_if<Boot>(&input);
    if (process != 0 || boot == nullptr) return;
    seeds.push_back(boot->seed);
    files = boot->files.size();
    if (seeds.size() == 1) StartBatch(out);
  });
  ASSERT_EQ(seeds.size(), 2u);
  EXPECT_NE(seeds[0], seeds[1]);
  EXPECT_EQ(files, 1u);
  EXPECT_EQ(diary_.Count("p0 up"), 2);
}

TEST_F(WorldTest, APausedProcessGetsEverythingAfterwardsInOrder) {
  v1::Plan plan = TwoReplicas();
  AddFault(plan, v1::Fault::PAUSE, 100 * kMillisecond, "r2", 300 * kMillisecond);
  std::vector<uint64_t> numbers;
  Run(plan, [&](ProcessId process, Time now, const Input& input, Effects& out) {
    if (process == 0 && (std::holds_alternative<ConnUp>(input) || std::holds_alternative<TimerFired>(input))) {
      Ping(kDialled, static_cast<uint64_t>(diary_.Count("p0 timer") + 1), out);
      out.Arm(TimerId::kRetry, now + 40 * kMillisecond);
    }
    const auto* deliver = std::get_if<Deliver>(&input);
    if (process == 1 && deliver != nullptr) numbers.push_back(deliver->message.As<v1::Ping>()->number());
  });
  EXPECT_EQ(diary_.When("p1 ping 4"), 400 * kMillisecond);
  EXPECT_EQ(diary_.When("p1 ping 9"), 400 * kMillisecond);
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
  EXPECT_GT(numbers.size(), 15u);
}

TEST_F(WorldTest, TriggeredFaultsWaitForTheirEvent) {
  v1::Plan plan = TwoReplicas();
  v1::Fault& fault = AddFault(plan, v1::Fault::CRASH_PROCESS, 0, "", 0);
  fault.mutable_on()->set_event("Applied");
  fault.mutable_on()->set_process("r2");
  fault.mutable_on()->set_ordinal(3);
  fault.mutable_on()->set_after_ns(2 * kMillisecond);
  Run(plan, [](ProcessId, Time now, const Input& input, Effects& out) {
    if (std::holds_alternative<ConnUp>(input)) out.Arm(TimerId::kRetry, now + 10 * kMillisecond);
    if (!std::holds_alternative<TimerFired>(input)) return;
    out.Event(CoreEvent::kApplied);
    out.Arm(TimerId::kRetry, now + 10 * kMillisecond);
  });
  EXPECT_EQ(diary_.When("p1 down"), (1 + 30 + 2) * kMillisecond);
  EXPECT_EQ(diary_.Count("p1 timer"), 3);
}

TEST_F(WorldTest, ACrashBetweenEffectsLeavesAPrefixOfThem) {
  std::vector<int> pings_by_seed;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    v1::Plan plan = TwoReplicas();
    plan.set_seed(seed);
    v1::Fault& fault = AddFault(plan, v1::Fault::CRASH_PROCESS, 0, "", 0);
    fault.mutable_on()->set_event("Applied");
    fault.set_between_effects(true);
    Run(plan, [](ProcessId process, Time, const Input& input, Effects& out) {
      if (process != 0 || !std::holds_alternative<ConnUp>(input)) return;
      out.Event(CoreEvent::kApplied);
      for (uint64_t i = 1; i <= 4; ++i) Ping(kDialled, i, out);
    });
    EXPECT_EQ(diary_.When("p0 down"), 2 * kMillisecond);
    for (int i = 2; i <= 4; ++i) {
      EXPECT_LE(diary_.Count("p1 ping " + std::to_string(i)), diary_.Count("p1 ping " + std::to_string(i - 1)));
    }
    pings_by_seed.push_back(diary_.left);
  }
  EXPECT_EQ(*std::min_element(pings_by_seed.begin(), pings_by_seed.end()), 0);
  EXPECT_EQ(*std::max_element(pings_by_seed.begin(), pings_by_seed.end()), 4);
}

TEST_F(WorldTest, LiftingFaultsHealsAndRestartsEverything) {
  v1::Plan plan = TwoReplicas();
  AddFault(plan, v1::Fault::CRASH_MACHINE, 10 * kMillisecond, "r1", 0);
  AddFault(plan, v1::Fault::PAUSE, 10 * kMillisecond, "r2", 0);
  AddCut(plan, 5 * kMillisecond, "r*", "r*", 0);
  Run(plan);
  EXPECT_EQ(world_->NodeOf(0), nullptr);
  world_->LiftFaults();
  while (world_->Advance(2 * kSecond)) {
  }
  EXPECT_NE(world_->NodeOf(0), nullptr);
  EXPECT_EQ(diary_.Count("p0 up"), 2);
  EXPECT_EQ(diary_.Count("p1 up"), 2);
}

// ------------------------------------------------------------------------------------------------------------------------- halts

TEST_F(WorldTest, ADiskFailureIsARestartAnUnexcusedCorruptionAReport) {
  for (const HaltReason why : {HaltReason::kDiskFailure, HaltReason::kCorruptLog}) {
    int boots = 0;
    Run(TwoReplicas(), [&](ProcessId process, Time now, const Input& input, Effects& out) {
      if (process != 1) return;
      if (std::holds_alternative<Boot>(input) && ++boots == 1) out.Arm(TimerId::kRetry, now + 50 * kMillisecond);
      if (std::holds_alternative<TimerFired>(input)) out.Halt(why, "detail");
    });
    const bool failure = why == HaltReason::kDiskFailure;
    EXPECT_EQ(boots, failure ? 2 : 1);
    EXPECT_EQ(diary_.reports, failure ? std::vector<std::string>{} : std::vector<std::string>{"liveness.progress"});
    EXPECT_EQ(world_->GoneForGood(1), !failure);
  }
}

// ------------------------------------------------------------------------------------------------------------------- determinism

TEST_F(WorldTest, TheTraceHashIsAFunctionOfThePlan) {
  v1::Plan plan = TwoReplicas();
  plan.mutable_network()->set_delay_max_ns(20 * kMillisecond);
  plan.mutable_network()->set_loss_ppm(100'000);
  AddFault(plan, v1::Fault::CRASH_MACHINE, 10 * kMillisecond, "r1", 20 * kMillisecond);
  Run(plan, Pings(20));
  const uint64_t first = world_->trace_hash();
  Run(plan, Pings(20));
  EXPECT_EQ(world_->trace_hash(), first);
  Run(plan, Pings(21));
  EXPECT_NE(world_->trace_hash(), first);
  plan.set_seed(8);
  Run(plan, Pings(20));
  EXPECT_NE(world_->trace_hash(), first);
}

}  // namespace
}  // namespace bramah::sim

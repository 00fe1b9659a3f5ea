#include "cli/sim_sweep.h"

#include <signal.h>

#include <cstdlib>

#include "core/base/hash.h"
#include "gtest/gtest.h"

namespace bramah::cli {
namespace {

SeedResult Fake(uint64_t seed) {
  SeedResult result;
  result.trace_hash = seed * 1000 + 1;
  result.events = 10;
  result.simulated = kSecond;
  result.probe_bits = uint64_t{1} << (seed % 40);
  if (seed == 12 || seed == 15) {
    result.verdict = sim::Verdict::kViolation;
    result.violations.push_back({"lock.two_believers", 3 * kSecond, "c1 and c2"});
  }
  if (seed == 7) {
    result.verdict = sim::Verdict::kInconclusive;
    result.note = "search limit";
  }
  return result;
}

SweepResult RunSweep(uint64_t first, uint64_t last, uint32_t jobs, bool stop = false, SeedResult (*work)(uint64_t) = Fake) {
  SweepArgs args;
  args.first = first;
  args.last = last;
  args.jobs = jobs;
  args.stop_on_first = stop;
  SweepResult result;
  EXPECT_TRUE(Sweep(
      args, work, [](uint64_t, uint64_t) {}, &result));
  return result;
}

TEST(SimSweepTest, ResultsTravelUnchanged) {
  SeedResult before = Fake(12);
  before.note = std::string("a\0b", 3);
  SeedResult after;
  ASSERT_TRUE(ReadResult(WriteResult(before), &after));
  EXPECT_EQ(WriteResult(after), WriteResult(before));
  EXPECT_EQ(after.violations[0].checker, "lock.two_believers");
  SeedResult refused;
  EXPECT_FALSE(ReadResult(WriteResult(before).substr(1), &refused));
  EXPECT_FALSE(ReadResult("", &refused));
}

TEST(SimSweepTest, SuiteHashDoesNotDependOnTheNumberOfWorkers) {
  const SweepResult one = RunSweep(0, 10, 1);
  const SweepResult three = RunSweep(0, 10, 3);
  EXPECT_EQ(one.seeds.size(), 10u);
  EXPECT_EQ(one.suite_hash(), three.suite_hash());
  EXPECT_NE(one.suite_hash(), RunSweep(0, 9, 1).suite_hash());
  EXPECT_EQ(one.events(), 100u);
  EXPECT_EQ(one.simulated(), 10 * kSecond);
  EXPECT_EQ(one.probes().bits(), 0x3ffu);
}

TEST(SimSweepTest, SuiteHashIsTheDocumentedFold) {
  const SweepResult result = RunSweep(2, 3, 1);
  const char bytes[16] = {2, 0, 0, 0, 0, 0, 0, 0, static_cast<char>(0xd1), 7, 0, 0, 0, 0, 0, 0};  // 2, 2001
  EXPECT_EQ(result.suite_hash(), Hash64({bytes, sizeof(bytes)}));
}

TEST(SimSweepTest, AViolationOutweighsAnInconclusiveSeed) {
  EXPECT_EQ(RunSweep(0, 7, 2).verdict(), sim::Verdict::kOk);
  EXPECT_EQ(RunSweep(0, 12, 2).verdict(), sim::Verdict::kInconclusive);
  EXPECT_EQ(RunSweep(0, 20, 2).verdict(), sim::Verdict::kViolation);
}

TEST(SimSweepTest, StopsAtTheFirstViolationInSeedOrder) {
  const SweepResult one = RunSweep(0, 100, 1, true);
  const SweepResult four = RunSweep(0, 100, 4, true);
  EXPECT_EQ(one.seeds.size(), 13u);
  EXPECT_EQ(four.seeds.size(), 13u);
  EXPECT_EQ(one.suite_hash(), four.suite_hash());
}

TEST(SimSweepTest, OnlySeedsThatWereLeftOutMakeItCutShort) {
  for (const uint64_t stop_after : {2, 3}) {
    volatile std::sig_atomic_t interrupted = 0;
    SweepArgs args;
    args.last = 4;
    args.interrupted = &interrupted;
    const auto progress = [&](uint64_t done, uint64_t) { interrupted = done >= stop_after ? SIGTERM : 0; };
    SweepResult result;
    ASSERT_TRUE(Sweep(args, Fake, progress, &result));
    // The next one has been begun when a seed is told to be done.
    EXPECT_EQ(result.seeds.size(), stop_after + 1);
    EXPECT_EQ(result.cut_short, stop_after + 1 < 4);
  }
}

TEST(SimSweepTest, ACrashIsAViolationOfItsSeed) {
  const SweepResult result = RunSweep(0, 6, 2, false, [](uint64_t seed) {
    if (seed == 3) abort();
    return Fake(seed);
  });
  ASSERT_EQ(result.seeds.size(), 6u);
  ASSERT_EQ(result.seeds.at(3).violations.size(), 1u);
  EXPECT_EQ(result.seeds.at(3).violations[0].checker, "core.check");
  EXPECT_EQ(result.verdict(), sim::Verdict::kViolation);
}

// By somebody who ran out of memory, most likely: no word about the seed.
TEST(SimSweepTest, AWorkerThatIsKilledLeavesItsSeedUndecided) {
  const SweepResult result = RunSweep(0, 6, 2, false, [](uint64_t seed) {
    if (seed == 3) raise(SIGKILL);
    return Fake(seed);
  });
  ASSERT_EQ(result.seeds.size(), 6u);
  EXPECT_TRUE(result.seeds.at(3).violations.empty());
  EXPECT_NE(result.seeds.at(3).note.find("signal 9"), std::string::npos) << result.seeds.at(3).note;
  EXPECT_EQ(result.verdict(), sim::Verdict::kInconclusive);
}

}  // namespace
}  // namespace bramah::cli

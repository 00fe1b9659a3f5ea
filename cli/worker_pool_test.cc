#include "cli/worker_pool.h"

#include <signal.h>
#include <unistd.h>

#include <map>

#include "gtest/gtest.h"

namespace bramah::cli {
namespace {

struct Outcome {
  std::map<uint64_t, std::string> done;
  std::map<uint64_t, std::string> crashed;
};

Outcome RunJobs(uint32_t workers, uint64_t count, std::function<std::string(uint64_t)> work) {
  Outcome outcome;
  uint64_t next = 0;
  PoolJobs jobs;
  jobs.next = [&]() -> std::optional<uint64_t> { return next < count ? std::optional(next++) : std::nullopt; };
  jobs.work = std::move(work);
  jobs.done = [&](uint64_t job, std::string result) { outcome.done[job] = std::move(result); };
  jobs.crashed = [&](uint64_t job, const std::string& how, bool killed) {
    outcome.crashed[job] = how + (killed ? ", from outside" : "");
  };
  jobs.tick = [] {};
  EXPECT_TRUE(RunPool(workers, jobs));
  return outcome;
}

TEST(WorkerPoolTest, DoesEveryJobOnce) {
  for (const uint32_t workers : {1u, 3u}) {
    const Outcome outcome = RunJobs(workers, 50, [](uint64_t job) { return std::to_string(job * job); });
    ASSERT_EQ(outcome.done.size(), 50u);
    EXPECT_EQ(outcome.done.at(7), "49");
    EXPECT_TRUE(outcome.crashed.empty());
  }
}

TEST(WorkerPoolTest, BlamesTheJobThatCrashedAndGoesOn) {
  const Outcome outcome = RunJobs(2, 20, [](uint64_t job) {
    if (job == 5) raise(SIGKILL);
    if (job == 9) _exit(3);
    return std::string("x");
  });
  EXPECT_EQ(outcome.done.size(), 18u);
  ASSERT_EQ(outcome.crashed.size(), 2u);
  EXPECT_EQ(outcome.crashed.at(5), "signal 9 (Killed), from outside");
  EXPECT_EQ(outcome.crashed.at(9), "exit code 3");
}

TEST(WorkerPoolTest, CarriesLargeAndEmptyResults) {
  const Outcome outcome = RunJobs(2, 4, [](uint64_t job) { return std::string(job % 2 == 0 ? 0 : 5'000'000, 'y'); });
  ASSERT_EQ(outcome.done.size(), 4u);
  EXPECT_EQ(outcome.done.at(0).size(), 0u);
  EXPECT_EQ(outcome.done.at(3).size(), 5'000'000u);
}

TEST(WorkerPoolTest, NeedsNoWorkerForNoJob) {
  const Outcome outcome = RunJobs(4, 0, [](uint64_t) { return std::string(); });
  EXPECT_TRUE(outcome.done.empty());
}

}  // namespace
}  // namespace bramah::cli

// WorkerPool: many independent jobs in forked processes, so that a crash of one is a result of that one and nothing else.
#ifndef BRAMAH_CLI_WORKER_POOL_H_
#define BRAMAH_CLI_WORKER_POOL_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace bramah::cli {

struct PoolJobs {
  // The next job, in the parent; nothing: no more. Jobs are handed out in this order, one per idle worker.
  std::function<std::optional<uint64_t>()> next;
  // Does the job, in a worker; the bytes go to `done`.
  std::function<std::string(uint64_t job)> work;
  // In the parent, in order of completion.
  std::function<void(uint64_t job, std::string result)> done;
  // In the parent: the worker ended while it did `job`. `how` is "signal 11 (...)" or "exit code 3"; `killed`: by somebody
  // else, who ran out of memory or patience. A new worker takes its place.
  std::function<void(uint64_t job, const std::string& how, bool killed)> crashed;
  // In the parent, at least every 200 ms.
  std::function<void()> tick;
};

// Runs until `next` has nothing more and all jobs given out are done. False if no worker could be started.
// REQUIRES: workers >= 1, and that this process has one thread.
bool RunPool(uint32_t workers, const PoolJobs& jobs);

}  // namespace bramah::cli

#endif  // BRAMAH_CLI_WORKER_POOL_H_

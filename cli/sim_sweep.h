// Sweep: many seeds, merged in seed order, the same result whatever the number of workers.
#ifndef BRAMAH_CLI_SIM_SWEEP_H_
#define BRAMAH_CLI_SIM_SWEEP_H_

#include <csignal>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cli/sim_common.h"

namespace bramah::cli {

struct SweepArgs {
  SimArgs sim;  // subject unused
  uint64_t first = 0;
  uint64_t last = 0;        // not included
  Duration wall_limit = 0;  // no seed is begun after this much wall time; 0: no limit
  uint32_t jobs = 1;
  const volatile std::sig_atomic_t* interrupted = nullptr;  // once it is not 0, no seed is begun
  bool stop_on_first = false;  // no higher seed than the first with a violation counts
};

struct SeedResult {
  sim::Verdict verdict = sim::Verdict::kOk;
  uint64_t trace_hash = 0;
  uint64_t events = 0;
  Duration simulated = 0;
  uint64_t probe_bits = 0;
  std::string note;
  std::vector<sim::Violation> violations;
};

// How a result travels from a worker. ReadResult gives false for anything WriteResult did not make.
std::string WriteResult(const SeedResult& result);
bool ReadResult(const std::string& bytes, SeedResult* result);

struct SweepResult {
  std::map<uint64_t, SeedResult> seeds;
  Duration wall = 0;
  bool cut_short = false;  // seeds were left out because of args.interrupted

  sim::Verdict verdict() const;
  uint64_t events() const;
  Duration simulated() const;
  Probes probes() const;
  // XXH3-64 over (seed, trace hash), little-endian, in seed order.
  uint64_t suite_hash() const;
};

// Runs `work(seed)` for every seed in worker processes. A worker that dies is a `core.check` violation of its seed. `progress`
// hears (seeds done, violations) now and then. False if no worker could be started.
bool Sweep(const SweepArgs& args, const std::function<SeedResult(uint64_t seed)>& work,
           const std::function<void(uint64_t done, uint64_t violations)>& progress, SweepResult* result);

}  // namespace bramah::cli

#endif  // BRAMAH_CLI_SIM_SWEEP_H_

// One simulated run: a plan in, a verdict out. Safety phase, then all faults are lifted and everything pending must finish
// (liveness phase), then the history is checked.
#ifndef BRAMAH_SIM_RUN_RUN_H_
#define BRAMAH_SIM_RUN_RUN_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/probe.h"
#include "sim/check/checkers.h"
#include "sim/plan/plan.pb.h"

namespace bramah::sim {

enum class Verdict : uint8_t { kOk = 0, kViolation = 1, kInconclusive = 2 };

struct RunOptions {
  bool paranoid = false;
  // lock.two_believers is in force although the plan's clocks lie.
  bool judge_beliefs = false;
  // Checkers whose reports do not count, by id.
  std::vector<std::string> ignored;
  // Receives one line per notable thing (elections, faults, leases, locks, the violation); null: no timeline.
  std::function<void(Time at, const std::string& line)> timeline;
  // Receives every event as a JSON line; null: none.
  std::function<void(const std::string& json)> trace;
};

struct RunResult {
  Verdict verdict = Verdict::kOk;
  std::vector<Violation> violations;  // the first one found; later ones may be consequences
  uint64_t trace_hash = 0;
  uint64_t events = 0;        // inputs given to live processes, and faults applied
  Duration simulated = 0;
  Probes probes;
  std::string note;           // why inconclusive; with kOk: what was not judged
};

RunResult RunPlan(const v1::Plan& plan, const RunOptions& options = {});

// Runs `plan` once more. Unless that goes the way that `result`, of an earlier run, went, it is a violation of trace.repeatable,
// which is added to `result`: something decides that is not in the plan. Nothing is told to options.timeline and options.trace.
void CheckRepeatable(const v1::Plan& plan, const RunOptions& options, RunResult& result);

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_RUN_RUN_H_

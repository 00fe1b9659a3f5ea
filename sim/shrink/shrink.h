// Shrinking: from a failing plan to a small one that still trips the same checker.
#ifndef BRAMAH_SIM_SHRINK_SHRINK_H_
#define BRAMAH_SIM_SHRINK_SHRINK_H_

#include <cstdint>
#include <functional>
#include <string>

#include "core/base/time.h"
#include "sim/plan/plan.pb.h"

namespace bramah::sim {

struct ShrinkOptions {
  Duration budget = 100'000 * kSecond;  // simulated time to spend: while the plan is large a run costs much, later little
  // Called after each accepted or tried candidate: runs so far, items left.
  std::function<void(uint32_t runs, uint32_t items)> progress;
};

struct ShrinkResult {
  v1::Plan plan;          // expanded; fails with `checker`, and says so: comment, expect_checker, trace_hash
  std::string checker;
  uint32_t runs = 0;
  uint32_t items_before = 0;
  uint32_t items_after = 0;
};

// Number of faults, operations and clocks with drift, plus clients: the lines a person has to read.
uint32_t CountItems(const v1::Plan& plan);

// REQUIRES: `plan` fails with `checker`. Drops faults, clients, operations and replicas, and shortens times, while the same
// checker still fails. Deterministic.
ShrinkResult Shrink(const v1::Plan& plan, const std::string& checker, const ShrinkOptions& options = {});

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_SHRINK_SHRINK_H_

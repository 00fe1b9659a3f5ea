#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "sim/plan/plan.h"
#include "sim/plan/streams.h"

namespace bramah::sim {
namespace {

void AddOperations(const v1::Plan& plan, const v1::Workload& workload, uint64_t number, uint32_t client, v1::Plan* out) {
  Dice dice(plan.seed(), Stream::kWorkload, number << 32 | client);
  const std::string name = "c" + std::to_string(client);
  const int64_t every = workload.every_ns();
  Time at = dice.In(0, every);
  while (at < plan.duration_ns()) {
    v1::Operation& operation = *out->add_operation();
    operation.set_kind(workload.kind());
    operation.set_client(name);
    operation.set_at_ns(at);
    const int64_t path = dice.In(0, std::max<int64_t>(1, workload.paths()) - 1);
    if (workload.kind() != v1::Operation::END_SESSION) {
      const bool exact = workload.prefix().empty() || workload.kind() == v1::Operation::MAKE_DIRECTORY;
      operation.set_path("/" + workload.prefix() + (exact ? "" : std::to_string(path)));
    }
    operation.set_shared(workload.shared());
    operation.set_permits(workload.permits());
    const int64_t hold = dice.In(0, workload.hold_ns());
    operation.set_hold_ns(hold);
    operation.set_bytes(workload.bytes());
    if (workload.lock_delay_ns() > 0 && dice.Hit(500'000)) operation.set_lock_delay_ns(dice.In(1, workload.lock_delay_ns()));
    operation.set_with_stat(workload.with_stat());
    operation.set_stale(workload.stale());
    if (workload.fenced()) operation.set_fenced(dice.Hit(500'000));
    at += dice.In(every / 2, every + every / 2);
  }
}

}  // namespace

v1::Plan Expand(const v1::Plan& plan) {
  if (plan.workload_size() == 0) return plan;
  v1::Plan out = plan;
  out.clear_workload();
  for (int i = 0; i < plan.workload_size(); ++i) {
    for (uint32_t client = 1; client <= plan.workload(i).clients(); ++client) {
      AddOperations(plan, plan.workload(i), static_cast<uint64_t>(i), client, &out);
    }
  }
  std::stable_sort(out.mutable_operation()->pointer_begin(), out.mutable_operation()->pointer_end(),
                   [](const v1::Operation* a, const v1::Operation* b) { return a->at_ns() < b->at_ns(); });
  return out;
}

}  // namespace bramah::sim

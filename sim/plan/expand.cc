#include <algorithm>
#include <string>
#include <vector>

#include "sim/plan/plan.h"
#include "sim/plan/streams.h"

namespace bramah::sim {
namespace {

// An operation, before it is written down.
struct Draft {
  Time at = 0;
  const v1::Operation* given = nullptr;  // by the plan; else it is drawn:
  const v1::Workload* workload = nullptr;
  uint32_t client = 0;
  int64_t path = 0;
  int64_t hold = 0;
  int64_t lock_delay = 0;
  int64_t patience = 0;
  bool fenced = false;
};

void DrawOperations(const v1::Plan& plan, const v1::Workload& workload, uint64_t number, uint32_t client,
                    std::vector<Draft>* drafts) {
  Dice dice(plan.seed(), Stream::kWorkload, number << 32 | client);
  const int64_t every = workload.every_ns();
  Time at = dice.In(0, every);
  while (at < plan.duration_ns()) {
    Draft& draft = drafts->emplace_back();
    draft.at = at;
    draft.workload = &workload;
    draft.client = client;
    draft.path = dice.In(0, std::max<int64_t>(1, workload.paths()) - 1);
    draft.hold = dice.In(0, workload.hold_ns());
    if (workload.lock_delay_ns() > 0 && dice.Hit(500'000)) draft.lock_delay = dice.In(1, workload.lock_delay_ns());
    if (workload.fenced()) draft.fenced = dice.Hit(500'000);
    if (workload.patience_ns() > 0 && dice.Hit(500'000)) draft.patience = dice.In(1, workload.patience_ns());
    at += dice.In(every / 2, every + every / 2);
  }
}

void Write(const Draft& draft, v1::Operation* operation) {
  if (draft.given != nullptr) {
    *operation = *draft.given;
    return;
  }
  const v1::Workload& workload = *draft.workload;
  operation->set_kind(workload.kind());
  operation->set_client("c" + std::to_string(draft.client));
  operation->set_at_ns(draft.at);
  if (workload.kind() != v1::Operation::END_SESSION) {
    const bool exact = workload.prefix().empty() || workload.kind() == v1::Operation::MAKE_DIRECTORY;
    operation->set_path("/" + workload.prefix() + (exact ? "" : std::to_string(draft.path)));
  }
  operation->set_shared(workload.shared());
  operation->set_permits(workload.permits());
  operation->set_hold_ns(draft.hold);
  operation->set_bytes(workload.bytes());
  if (draft.lock_delay > 0) operation->set_lock_delay_ns(draft.lock_delay);
  if (draft.patience > 0) operation->set_patience_ns(draft.patience);
  operation->set_with_stat(workload.with_stat());
  operation->set_stale(workload.stale());
  operation->set_again(workload.again());
  operation->set_no_wait(workload.no_wait());
  if (workload.fenced()) operation->set_fenced(draft.fenced);
}

}  // namespace

// Sorted before it is written: what is done one after the other then lies side by side in memory.
v1::Plan Expand(const v1::Plan& plan) {
  if (plan.workload_size() == 0) return plan;
  std::vector<Draft> drafts;
  for (const v1::Operation& operation : plan.operation()) drafts.push_back({.at = operation.at_ns(), .given = &operation});
  for (int i = 0; i < plan.workload_size(); ++i) {
    for (uint32_t client = 1; client <= plan.workload(i).clients(); ++client) {
      DrawOperations(plan, plan.workload(i), static_cast<uint64_t>(i), client, &drafts);
    }
  }
  std::stable_sort(drafts.begin(), drafts.end(), [](const Draft& a, const Draft& b) { return a.at < b.at; });
  v1::Plan out = plan;
  out.clear_workload();
  out.clear_operation();
  out.mutable_operation()->Reserve(static_cast<int>(drafts.size()));
  for (const Draft& draft : drafts) Write(draft, out.add_operation());
  return out;
}

}  // namespace bramah::sim

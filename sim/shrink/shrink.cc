#include "sim/shrink/shrink.h"

#include "absl/strings/str_cat.h"
#include "sim/plan/plan.h"
#include "sim/run/run.h"
#include "sim/shrink/shrinker.h"

namespace bramah::sim {

ShrinkResult Shrink(const v1::Plan& plan, const std::string& checker, const ShrinkOptions& options) {
  const auto run = [](const v1::Plan& candidate) -> std::optional<Failure> {
    const RunResult result = RunPlan(candidate);
    if (result.verdict != Verdict::kViolation || result.violations.empty()) return std::nullopt;
    return Failure{result.violations.front().checker, result.violations.front().at};
  };
  ShrinkResult result = Shrinker(run, checker, options).Shrink(Expand(plan));
  const RunResult last = RunPlan(result.plan);
  result.plan.set_expect_checker(checker);
  result.plan.set_trace_hash(absl::StrCat(absl::Hex(last.trace_hash, absl::kZeroPad16)));
  if (!last.violations.empty()) result.plan.set_comment(last.violations.front().message);
  return result;
}

}  // namespace bramah::sim

// Prints the trace hash of every seed, a line each: what two builds must agree on. usage: trace_hashes FIRST LAST
// Seeds from FIRST up to and not including LAST. Exit code 1 if a seed was not clean.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "sim/plan/plan.h"
#include "sim/run/run.h"

namespace {

using namespace bramah;

bool RunSeed(uint64_t seed) {
  const auto plan = sim::MakePlan(seed, {});
  if (!plan.ok()) {
    std::printf("%llu no plan: %s\n", static_cast<unsigned long long>(seed), plan.status().ToString().c_str());
    return false;
  }
  const sim::RunResult result = sim::RunPlan(*plan);
  std::printf("%llu %016llx\n", static_cast<unsigned long long>(seed), static_cast<unsigned long long>(result.trace_hash));
  for (const sim::Violation& violation : result.violations)
    std::printf("  %s: %s\n", violation.checker.c_str(), violation.message.c_str());
  if (result.verdict == sim::Verdict::kInconclusive) std::printf("  inconclusive: %s\n", result.note.c_str());
  std::fflush(stdout);
  return result.verdict == sim::Verdict::kOk;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: trace_hashes FIRST LAST\n");
    return 64;
  }
  bool clean = true;
  for (uint64_t seed = std::strtoull(argv[1], nullptr, 10); seed < std::strtoull(argv[2], nullptr, 10); ++seed)
    clean = RunSeed(seed) && clean;
  return clean ? 0 : 1;
}

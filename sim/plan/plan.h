// Plans: from a seed, from a file, to a file, and expanded.
#ifndef BRAMAH_SIM_PLAN_PLAN_H_
#define BRAMAH_SIM_PLAN_PLAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/time.h"
#include "sim/plan/plan.pb.h"

namespace bramah::sim {

// The bound on the rates of clocks if knobs.rho_ppm is not set.
inline constexpr int64_t kRhoPpmDefault = 1'000;
inline int64_t RhoOf(const v1::Plan& plan) { return plan.knobs().rho_ppm() > 0 ? plan.knobs().rho_ppm() : kRhoPpmDefault; }

// The shortest election timeout if knobs.election_min_ns is not set.
inline constexpr Duration kElectionMinDefault = 150 * kMillisecond;
inline Duration ElectionMinOf(const v1::Plan& plan) {
  return plan.knobs().election_min_ns() > 0 ? plan.knobs().election_min_ns() : kElectionMinDefault;
}

// What a user fixed; everything else is drawn from the seed.
struct PlanOptions {
  std::optional<uint32_t> replicas;  // else 3 or 5
  std::optional<uint32_t> clients;   // else 1..20
  std::optional<bool> quorum_reads;  // else of 3 seeds in 10
  Duration duration = 60 * kSecond;
  bool clocks_lie = false;  // whatever the profile: clocks beyond their bound, and what needs it is not checked
  // A named mix of settings: "" (the swarm), "bench", and those that make a class of bug likely: see PROFILES in plan.cc.
  std::string profile;
};

// The plan of a seed: a pure function of both arguments. Errors: unknown profile.
absl::StatusOr<v1::Plan> MakePlan(uint64_t seed, const PlanOptions& options);
// All profiles, the swarm ("") first; and their names with a one-line description each.
std::vector<std::string> ProfileNames();
std::string DescribeProfiles();

// Replaces workloads by their operations, sorted by time. Pure.
v1::Plan Expand(const v1::Plan& plan);

// Whether a plan can be run; names the field that is wrong.
absl::Status ValidatePlan(const v1::Plan& plan);

// Text format. ParsePlan refuses unknown fields, versions, processes and impossible numbers, naming the line or field.
absl::StatusOr<v1::Plan> ParsePlan(std::string_view text);
std::string FormatPlan(const v1::Plan& plan);

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_PLAN_PLAN_H_

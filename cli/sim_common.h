// What the sim verbs share: seeds and plans by name, verdicts in words, the line that reproduces a run.
#ifndef BRAMAH_CLI_SIM_COMMON_H_
#define BRAMAH_CLI_SIM_COMMON_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "nlohmann/json.hpp"
#include "sim/plan/plan.h"
#include "sim/run/run.h"

namespace bramah::cli {

// What a seed or plan is given as, and the flags that matter for a seed.
struct SimArgs {
  std::string subject;  // a seed (digits or 0x) or a plan file
  sim::PlanOptions options;
  uint32_t replicas = 0;  // 0: drawn from the seed
  uint32_t clients = 0;
  std::string reads;   // empty: drawn from the seed
  std::string clocks;  // "lie", or empty: as the profile has it
  std::vector<std::string> ignored;  // checkers whose reports do not count
};

// Adds --replicas, --clients, --reads, --clocks, --duration and --profile.
void AddPlanFlags(CLI::App& verb, SimArgs& args);
// Adds --ignore.
void AddIgnoreFlag(CLI::App& verb, SimArgs& args);
// The options as MakePlan wants them. REQUIRES: the command line was parsed.
sim::PlanOptions OptionsOf(const SimArgs& args);

// The plan of args.subject; exit 64 for a bad profile, 65 for a bad file, 74 for one that cannot be read.
std::optional<Failure> LoadPlan(const SimArgs& args, v1::Plan* plan);

const char* VerdictName(sim::Verdict verdict);

// "bramah sim replay 17 --duration 60s --replicas 5": brings the same run back.
std::string ReproLine(uint64_t seed, const SimArgs& args);
// The same for whatever args.subject is.
std::string ReproLine(const SimArgs& args);

nlohmann::ordered_json ViolationJson(const sim::Violation& violation, uint64_t seed, const std::string& repro);

// Seconds with enough digits for people and scripts.
double Seconds(Duration duration);
// a / b, 0 if b is 0.
double Ratio(double a, double b);

}  // namespace bramah::cli

#endif  // BRAMAH_CLI_SIM_COMMON_H_

#include "cli/sim_common.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "cli/text.h"
#include "sim/check/checker_ids.h"

namespace bramah::cli {
namespace {

bool IsSeed(const std::string& text) {
  return text.starts_with("0x") || text.starts_with("0X") || text.find_first_not_of("0123456789") == std::string::npos;
}

std::string Quoted(const std::string& text) {
  if (!text.empty() &&
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+:=") == std::string::npos)
    return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

std::string IgnoreFlag(const SimArgs& args) {
  std::string flag;
  for (const std::string& id : args.ignored) flag += (flag.empty() ? " --ignore " : ",") + id;
  return flag;
}

}  // namespace

void AddPlanFlags(CLI::App& verb, SimArgs& args) {
  verb.add_option("--replicas", args.replicas, "Number of replicas; else 3 or 5, drawn from the seed")
      ->check(CLI::Range(1, 15))
      ->type_name("N");
  verb.add_option("--clients", args.clients, "Number of clients; else 1 to 20, drawn from the seed")
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
  verb.add_option("--reads", args.reads, "What a master needs to answer reads; else drawn from the seed")
      ->check(CLI::IsMember({"lease", "quorum"}))
      ->type_name("lease|quorum");
  verb.add_option("--clocks", args.clocks, "Clocks beyond their bound, whatever the profile; what needs it is not checked")
      ->check(CLI::IsMember({"lie"}))
      ->type_name("lie");
  AddDuration(verb, "--duration", &args.options.duration, "Simulated time before faults are lifted");
  verb.add_option("--profile", args.options.profile, "Mix of faults and load, see below")->type_name("P");
  verb.footer("Profiles:\n" + sim::DescribeProfiles());
}

void AddIgnoreFlag(CLI::App& verb, SimArgs& args) {
  const auto refusal = [](const std::string& id) -> std::string {
    if (!sim::IsChecker(id)) return "no checker is called '" + id + "'; see 'bramah sim checkers'";
    return sim::MayBeIgnored(id) ? "" : "no run goes on after " + id + "; ignore another";
  };
  verb.add_option("--ignore", args.ignored, "Checkers whose reports do not count: would another have noticed?")
      ->check(refusal)
      ->delimiter(',')
      ->type_name("CHECKER,...");
}

sim::PlanOptions OptionsOf(const SimArgs& args) {
  sim::PlanOptions options = args.options;
  if (args.replicas != 0) options.replicas = args.replicas;
  if (args.clients != 0) options.clients = args.clients;
  if (!args.reads.empty()) options.quorum_reads = args.reads == "quorum";
  options.clocks_lie = args.clocks == "lie";
  return options;
}

std::optional<Failure> LoadPlan(const SimArgs& args, v1::Plan* plan) {
  if (IsSeed(args.subject)) {
    const std::optional<uint64_t> seed = ParseNumber(args.subject);
    if (!seed.has_value())
      return UsageFailure("'" + args.subject + "' is no 64-bit seed", "pass a decimal or 0x number, or a plan file");
    absl::StatusOr<v1::Plan> made = sim::MakePlan(*seed, OptionsOf(args));
    if (!made.ok()) return UsageFailure(std::string(made.status().message()), "see 'bramah sim plan --help'");
    *plan = *std::move(made);
    return std::nullopt;
  }
  std::ifstream file(args.subject, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) {
    return Failure{net_real::kExitIo, "io", "cannot read plan " + args.subject + ": " + std::strerror(errno),
                   "pass a seed or an existing plan file"};
  }
  absl::StatusOr<v1::Plan> parsed = sim::ParsePlan(text.str());
  if (!parsed.ok()) {
    return Failure{net_real::kExitBadData, "bad_plan", args.subject + ": " + std::string(parsed.status().message()),
                   "repair the plan; 'bramah sim plan SEED' prints a good one"};
  }
  *plan = *std::move(parsed);
  return std::nullopt;
}

const char* VerdictName(sim::Verdict verdict) {
  switch (verdict) {
    case sim::Verdict::kOk: return "ok";
    case sim::Verdict::kViolation: return "violation";
    case sim::Verdict::kInconclusive: return "inconclusive";
  }
  return "inconclusive";
}

std::string ReproLine(uint64_t seed, const SimArgs& args) {
  std::string line = "bramah sim replay " + std::to_string(seed) + " --duration " + FormatDuration(args.options.duration);
  if (args.replicas != 0) line += " --replicas " + std::to_string(args.replicas);
  if (args.clients != 0) line += " --clients " + std::to_string(args.clients);
  if (!args.reads.empty()) line += " --reads " + args.reads;
  if (!args.clocks.empty()) line += " --clocks " + args.clocks;
  if (!args.options.profile.empty()) line += " --profile " + Quoted(args.options.profile);
  return line + IgnoreFlag(args);
}

std::string ReproLine(const SimArgs& args) {
  if (IsSeed(args.subject)) return ReproLine(ParseNumber(args.subject).value_or(0), args);
  return "bramah sim replay " + Quoted(args.subject) + IgnoreFlag(args);
}

nlohmann::ordered_json ViolationJson(const sim::Violation& violation, uint64_t seed, const std::string& repro) {
  return {{"seed", seed},          {"checker", violation.checker}, {"at", FormatDuration(violation.at)},
          {"at_ns", violation.at}, {"message", violation.message}, {"repro", repro}};
}

double Seconds(Duration duration) { return static_cast<double>(duration) / 1e9; }
double Ratio(double a, double b) { return b > 0 ? a / b : 0; }

}  // namespace bramah::cli

// bramah sim run | replay | shrink | plan.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "cli/context.h"
#include "cli/interrupt.h"
#include "cli/sim_common.h"
#include "cli/sim_sweep.h"
#include "cli/text.h"
#include "net_real/clock.h"
#include "nlohmann/json.hpp"
#include "sim/check/checker_ids.h"
#include "sim/plan/plan.h"
#include "sim/run/run.h"
#include "sim/shrink/shrink.h"

namespace bramah::cli {
namespace {

using nlohmann::ordered_json;

constexpr Duration kTellEvery = 10 * kSecond;  // where nobody looks at a terminal

void PrintJson(const ordered_json& json) {
  std::printf("%s\n", json.dump(2, ' ', false, ordered_json::error_handler_t::replace).c_str());
}

// ---------------------------------------------------------------------------------------------------------------- sim run

struct RunArgs {
  SweepArgs sweep;
  std::string seeds;
  Duration wall = 0;
};

// Of so many seeds one is run twice.
constexpr uint64_t kRepeatEvery = 32;

SeedResult RunSeed(uint64_t seed, const sim::PlanOptions& options, const sim::RunOptions& run_options) {
  SeedResult result;
  const absl::StatusOr<v1::Plan> plan = sim::MakePlan(seed, options);
  if (!plan.ok()) {
    result.verdict = sim::Verdict::kInconclusive;
    result.note = std::string(plan.status().message());
    return result;
  }
  sim::RunResult run = sim::RunPlan(*plan, run_options);
  if (seed % kRepeatEvery == 0) sim::CheckRepeatable(*plan, run_options, run);
  result.verdict = run.verdict;
  result.trace_hash = run.trace_hash;
  result.events = run.events;
  result.simulated = run.simulated;
  result.probe_bits = run.probes.bits();
  result.note = std::move(run.note);
  result.violations = std::move(run.violations);
  return result;
}

ordered_json JsonOf(const SweepResult& sweep, const SimArgs& args) {
  ordered_json violations = ordered_json::array();
  ordered_json inconclusive = ordered_json::array();
  uint64_t partly_judged = 0;
  for (const auto& [seed, result] : sweep.seeds) {
    for (const sim::Violation& violation : result.violations)
      violations.push_back(ViolationJson(violation, seed, ReproLine(seed, args)));
    if (result.verdict == sim::Verdict::kInconclusive)
      inconclusive.push_back({{"seed", seed}, {"note", result.note}, {"repro", ReproLine(seed, args)}});
    partly_judged += result.verdict == sim::Verdict::kOk && !result.note.empty() ? 1 : 0;
  }
  ordered_json missing = ordered_json::array();
  for (size_t i = 0; i < kProbeCount; ++i) {
    if (!sweep.probes().Reached(static_cast<ProbeId>(i))) missing.push_back(ProbeName(static_cast<ProbeId>(i)));
  }
  const double wall = Seconds(sweep.wall);
  return {{"verdict", VerdictName(sweep.verdict())},
          {"seeds_run", sweep.seeds.size()},
          {"events", sweep.events()},
          {"events_per_second", Ratio(static_cast<double>(sweep.events()), wall)},
          {"simulated_seconds", Seconds(sweep.simulated())},
          {"wall_seconds", wall},
          {"simulated_to_wall", Ratio(Seconds(sweep.simulated()), wall)},
          {"suite_hash", Hex16(sweep.suite_hash())},
          {"violations", violations},
          {"inconclusive", inconclusive},
          {"partly_judged", partly_judged},
          {"probes_missing", missing}};
}

void PrintText(const ordered_json& json) {
  for (const ordered_json& violation : json["violations"]) {
    std::printf("seed %s: %s at %s: %s\n    %s\n", violation["seed"].dump().c_str(),
                violation["checker"].get<std::string>().c_str(), violation["at"].get<std::string>().c_str(),
                violation["message"].get<std::string>().c_str(), violation["repro"].get<std::string>().c_str());
  }
  for (const ordered_json& cut : json["inconclusive"]) {
    std::printf("seed %s: inconclusive: %s\n    %s\n", cut["seed"].dump().c_str(), cut["note"].get<std::string>().c_str(),
                cut["repro"].get<std::string>().c_str());
  }
  std::printf(
      "%s: %s seeds, %s events, %.0f simulated seconds in %.1f s (%.0f simulated seconds per second, %.0f events per second)\n",
      json["verdict"].get<std::string>().c_str(), json["seeds_run"].dump().c_str(), json["events"].dump().c_str(),
      json["simulated_seconds"].get<double>(), json["wall_seconds"].get<double>(), json["simulated_to_wall"].get<double>(),
      json["events_per_second"].get<double>());
  if (json["partly_judged"] > 0)
    std::printf("%s seeds had names whose Adds were not all judged, too many being of unknown outcome\n",
                json["partly_judged"].dump().c_str());
  std::printf("probes: %zu of %zu reached; suite hash %s\n", kProbeCount - json["probes_missing"].size(), kProbeCount,
              json["suite_hash"].get<std::string>().c_str());
}

int RunSweepVerb(const Context& context, RunArgs args) {
  if (args.seeds.empty() && args.wall == 0)
    return Report(context, UsageFailure("how many seeds?", "pass --seeds A..B, --for DURATION or both"));
  args.sweep.last = UINT64_MAX;
  if (!args.seeds.empty()) {
    const auto range = ParseSeedRange(args.seeds);
    if (!range.has_value())
      return Report(context,
                    UsageFailure("'" + args.seeds + "' is no range of seeds", "write --seeds A..B with A < B; B is not run"));
    std::tie(args.sweep.first, args.sweep.last) = *range;
  }
  args.sweep.wall_limit = args.wall;
  const sim::PlanOptions options = OptionsOf(args.sweep.sim);
  sim::RunOptions run_options;
  run_options.ignored = args.sweep.sim.ignored;
  if (const auto probe = sim::MakePlan(args.sweep.first, options); !probe.ok()) {
    return Report(context, UsageFailure(std::string(probe.status().message()), "see 'bramah sim run --help'"));
  }
  const bool terminal = isatty(STDERR_FILENO) != 0;
  Time told = net_real::Now();
  const auto progress = [terminal, &told](uint64_t done, uint64_t violations) {
    if (!terminal && net_real::Now() - told < kTellEvery) return;
    told = net_real::Now();
    std::fprintf(stderr, terminal ? "\r%llu seeds, %llu with violations " : "%llu seeds, %llu with violations\n",
                 static_cast<unsigned long long>(done), static_cast<unsigned long long>(violations));
  };
  CatchInterrupts();
  args.sweep.interrupted = &Interrupted();
  SweepResult result;
  const bool started = Sweep(
      args.sweep, [&](uint64_t seed) { return RunSeed(seed, options, run_options); }, progress, &result);
  if (terminal) std::fprintf(stderr, "\r\033[K");
  if (result.cut_short) std::fprintf(stderr, "interrupted: what follows is of the seeds that were done\n");
  if (!started)
    return Report(context, {net_real::kExitInternal, "cannot_fork", "no worker process could be started",
                            "lower --jobs or end other processes"});
  const ordered_json json = JsonOf(result, args.sweep.sim);
  if (context.json) {
    PrintJson(json);
  } else {
    PrintText(json);
  }
  const bool undecided = result.cut_short && result.verdict() == sim::Verdict::kOk;
  return undecided ? 128 + Interrupted() : static_cast<int>(result.verdict());
}

// ------------------------------------------------------------------------------------------------------------- sim replay

struct ReplayArgs {
  SimArgs sim;
  std::string trace;
  bool paranoid = false;
};

struct Replay {
  v1::Plan plan;
  sim::RunResult result;
  Duration wall = 0;
};

ordered_json JsonOf(const Replay& replay, const SimArgs& args) {
  ordered_json violations = ordered_json::array();
  for (const sim::Violation& violation : replay.result.violations)
    violations.push_back(ViolationJson(violation, replay.plan.seed(), ReproLine(args)));
  const double wall = Seconds(replay.wall);
  return {{"verdict", VerdictName(replay.result.verdict)},
          {"trace_hash", Hex16(replay.result.trace_hash)},
          {"violations", violations},
          {"events", replay.result.events},
          {"events_per_second", Ratio(static_cast<double>(replay.result.events), wall)},
          {"simulated_seconds", Seconds(replay.result.simulated)},
          {"wall_seconds", wall},
          {"simulated_to_wall", Ratio(Seconds(replay.result.simulated), wall)},
          {"note", replay.result.note}};
}

void PrintSummary(const Replay& replay, const SimArgs& args) {
  for (const sim::Violation& violation : replay.result.violations) {
    std::printf("%s at %s: %s\n", violation.checker.c_str(), FormatDuration(violation.at).c_str(), violation.message.c_str());
  }
  const std::string note = replay.result.note.empty() ? "" : " (" + replay.result.note + ")";
  std::printf("%s%s: %llu events, %.1f simulated seconds, trace hash %s\n", VerdictName(replay.result.verdict), note.c_str(),
              static_cast<unsigned long long>(replay.result.events), Seconds(replay.result.simulated),
              Hex16(replay.result.trace_hash).c_str());
  const std::string& recorded = replay.plan.trace_hash();
  if (!recorded.empty() && recorded != Hex16(replay.result.trace_hash))
    std::printf("the plan recorded trace hash %s: the build has changed\n", recorded.c_str());
  if (replay.result.verdict != sim::Verdict::kOk) std::printf("    %s\n", ReproLine(args).c_str());
}

int RunReplay(const Context& context, const ReplayArgs& args) {
  Replay replay;
  if (auto failure = LoadPlan(args.sim, &replay.plan)) return Report(context, *failure);
  std::ofstream trace;
  sim::RunOptions options;
  options.paranoid = args.paranoid;
  options.ignored = args.sim.ignored;
  if (!args.trace.empty()) {
    trace.open(args.trace);
    options.trace = [&trace](const std::string& line) { trace << line << "\n"; };
  }
  if (!context.json) {
    options.timeline = [](Time at, const std::string& line) { std::printf("%12.6f  %s\n", Seconds(at), line.c_str()); };
  }
  const Time start = net_real::Now();
  replay.result = sim::RunPlan(replay.plan, options);
  replay.wall = net_real::Now() - start;
  if (replay.result.verdict == sim::Verdict::kOk) sim::CheckRepeatable(replay.plan, options, replay.result);
  if (context.json) {
    PrintJson(JsonOf(replay, args.sim));
  } else {
    PrintSummary(replay, args.sim);
  }
  trace.flush();
  if (!args.trace.empty() && !trace) {
    return Report(context,
                  {net_real::kExitIo, "io", "cannot write trace " + args.trace, "pass a --trace FILE that can be written"});
  }
  return static_cast<int>(replay.result.verdict);
}

// --------------------------------------------------------------------------------------- sim shrink, sim plan, sim checkers

struct ShrinkArgs {
  SimArgs sim;
  std::string out;
  Duration budget = sim::ShrinkOptions().budget;
};

int RunShrink(const Context& context, const ShrinkArgs& args) {
  v1::Plan plan;
  if (auto failure = LoadPlan(args.sim, &plan)) return Report(context, *failure);
  const sim::RunResult before = sim::RunPlan(plan);
  if (before.violations.empty()) {
    return Report(context, {net_real::kExitBadData, "nothing_to_shrink", args.sim.subject + " runs without a violation",
                            "pass a seed or plan that fails"});
  }
  sim::ShrinkOptions options;
  options.budget = args.budget;
  if (isatty(STDERR_FILENO) != 0) {
    options.progress = [](uint32_t runs, uint32_t items) { std::fprintf(stderr, "\r%u runs, %u items ", runs, items); };
  }
  const sim::ShrinkResult shrunk = sim::Shrink(plan, before.violations[0].checker, options);
  if (options.progress != nullptr) std::fprintf(stderr, "\r\033[K");
  std::ofstream file(args.out);
  file << sim::FormatPlan(shrunk.plan);
  file.close();
  if (!file)
    return Report(context, {net_real::kExitIo, "io", "cannot write " + args.out + ": " + std::strerror(errno),
                            "pass an --out FILE that can be written"});
  const std::string repro = "bramah sim replay " + args.out;
  if (context.json) {
    PrintJson({{"checker", shrunk.checker},
               {"runs", shrunk.runs},
               {"items_before", shrunk.items_before},
               {"items_after", shrunk.items_after},
               {"trace_hash", shrunk.plan.trace_hash()},
               {"out", args.out},
               {"repro", repro}});
  } else {
    std::printf("%s: %u items became %u in %u runs\n    %s\n", shrunk.checker.c_str(), shrunk.items_before, shrunk.items_after,
                shrunk.runs, repro.c_str());
  }
  return net_real::kExitOk;
}

int RunPlanVerb(const Context& context, const SimArgs& args) {
  v1::Plan plan;
  if (auto failure = LoadPlan(args, &plan)) return Report(context, *failure);
  const std::string text = sim::FormatPlan(plan);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return net_real::kExitOk;
}

int RunCheckers(const Context& context) {
  ordered_json json = ordered_json::array();
  for (const sim::CheckerInfo& checker : sim::KnownCheckers()) {
    if (!context.json) std::printf("%-28s%s\n", std::string(checker.id).c_str(), std::string(checker.meaning).c_str());
    json.push_back({{"id", std::string(checker.id)}, {"meaning", std::string(checker.meaning)}});
  }
  if (context.json) PrintJson({{"checkers", json}});
  return net_real::kExitOk;
}

// ------------------------------------------------------------------------------------------------------------------- flags

// A subcommand of `sim` that works on one seed or plan.
template <class Args, class Run>
CLI::App* AddSubjectVerb(CLI::App& sim, Context& context, const std::string& name, const std::string& help,
                         std::shared_ptr<Args> args, SimArgs& common, Run run) {
  CLI::App* verb = sim.add_subcommand(name, help);
  verb->add_option("subject", common.subject, "A seed (decimal or 0x) or a plan file")->required()->type_name("SEED|PLAN");
  AddPlanFlags(*verb, common);
  verb->callback([args, run, &context] { context.run = [args, run, &context] { return run(context, *args); }; });
  return verb;
}

}  // namespace

void AddSimVerbs(CLI::App& app, Context& context) {
  CLI::App* sim = app.add_subcommand("sim", "The simulator: verdict ok 0, violation 1, inconclusive 2");
  sim->require_subcommand(1);
  CLI::App* run = sim->add_subcommand("run", "Run many seeds");
  auto run_args = std::make_shared<RunArgs>();
  run_args->sweep.jobs = std::max(1u, std::thread::hardware_concurrency());
  run->add_option("--seeds", run_args->seeds, "Half-open range, decimal or 0x")->type_name("A..B");
  AddDuration(*run, "--for", &run_args->wall, "Wall time after which no further seed is begun; 0s: never",
              /*may_be_zero=*/true);
  AddPlanFlags(*run, run_args->sweep.sim);
  AddIgnoreFlag(*run, run_args->sweep.sim);
  run->add_option("--jobs", run_args->sweep.jobs, "Worker processes")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  run->add_flag("--stop-on-first", run_args->sweep.stop_on_first, "Stop at the first seed with a violation");
  run->callback([run_args, &context] { context.run = [run_args, &context] { return RunSweepVerb(context, *run_args); }; });

  auto replay_args = std::make_shared<ReplayArgs>();
  CLI::App* replay = AddSubjectVerb(*sim, context, "replay", "Run one seed or plan and show what mattered", replay_args,
                                    replay_args->sim, RunReplay);
  AddIgnoreFlag(*replay, replay_args->sim);
  replay->add_option("--trace", replay_args->trace, "Write every event as a JSON line")->type_name("FILE");
  replay->add_flag("--paranoid", replay_args->paranoid, "Full re-checks at role changes, crashes and every 64th event");
  auto shrink_args = std::make_shared<ShrinkArgs>();
  CLI::App* shrink =
      AddSubjectVerb(*sim, context, "shrink", "Make a failing plan small", shrink_args, shrink_args->sim, RunShrink);
  shrink->add_option("--out", shrink_args->out, "Where the small plan goes")->required()->type_name("FILE");
  AddDuration(*shrink, "--budget", &shrink_args->budget, "Simulated time to spend");
  auto plan_args = std::make_shared<SimArgs>();
  AddSubjectVerb(*sim, context, "plan", "Print the plan of a seed", plan_args, *plan_args, RunPlanVerb);
  sim->add_subcommand("checkers", "List what every run is checked for")->callback([&context] {
    context.run = [&context] { return RunCheckers(context); };
  });
}

}  // namespace bramah::cli

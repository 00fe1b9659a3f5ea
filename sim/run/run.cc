#include "sim/run/run.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "sim/plan/plan.h"
#include "sim/run/liveness.h"
#include "sim/run/nodes.h"
#include "sim/trace/trace.h"
#include "sim/world/world.h"

namespace bramah::sim {
namespace {

// How often the liveness phase looks whether everything has settled.
constexpr Duration kLook = 50 * kMillisecond;

// A failed BRAMAH_CHECK ends the run, not the program.
struct CheckFailed {
  CheckFailure failure;
};

class ScopedCheckHandler {
 public:
  ScopedCheckHandler() : previous_(SetCheckHandler([](const CheckFailure& failure) { throw CheckFailed{failure}; })) {}
  ~ScopedCheckHandler() { SetCheckHandler(previous_); }

 private:
  CheckHandler previous_;
};

CheckContext ContextOf(const v1::Plan& plan, const std::vector<LocalClock>& clocks, const RunOptions& options) {
  CheckContext context;
  context.replicas = plan.replicas();
  context.clients = plan.clients();
  context.replica_clocks.assign(clocks.begin(), clocks.begin() + plan.replicas());
  context.client_clocks.assign(clocks.begin() + plan.replicas(), clocks.end());
  context.rho_ppm = TimingOf(plan).rho_ppm;
  context.clocks_within_rho = !plan.clocks_lie();
  context.judge_beliefs = options.judge_beliefs;
  context.paranoid = options.paranoid;
  context.ignored = options.ignored;
  return context;
}

// Passes what happens on to the checkers, the timeline and the trace.
class Run : public Observer {
 public:
  Run(const v1::Plan& plan, const RunOptions& options)
      : plan_(plan),
        options_(options),
        nodes_(plan),
        checkers_(ContextOf(plan, MakeClocks(plan), options)),
        world_(plan, [this](ProcessId process) { return nodes_.Make(process); }, this) {}

  RunResult Execute();

  void Booted(Time at, ProcessId process) override {
    if (world_.IsReplica(process)) checkers_.ReplicaBooted(at, ReplicaId(process + 1));
    Tell(at, [&] { return absl::StrCat(world_.NameOf(process), " starts"); });
  }
  void Crashed(Time at, ProcessId process, bool machine) override {
    if (world_.IsReplica(process)) {
      checkers_.ReplicaCrashed(at, ReplicaId(process + 1), machine);
    } else {
      checkers_.ClientStopped(at, ClientNumber(process));
    }
    Tell(at, [&] { return absl::StrCat(world_.NameOf(process), machine ? "'s machine" : "'s process", " is down"); });
  }
  void Stepped(Time at, ProcessId process, const Node& node, const Input& input, const Effects& effects) override {
    if (world_.IsReplica(process)) {
      const Deliver* const delivered = std::get_if<Deliver>(&input);
      const v1::Request* const request = delivered == nullptr ? nullptr : delivered->message.As<v1::Request>();
      if (request != nullptr) checkers_.RequestArrived(ReplicaId(process + 1), *request);
      checkers_.AfterReplicaStep(at, ReplicaId(process + 1), static_cast<const ServerNode&>(node).view(), effects);
    } else {
      checkers_.AfterClientStep(at, ClientNumber(process), static_cast<const ClientNode&>(node).view(), effects);
    }
    for (const CoreEvent& event : effects.events()) {
      if (event.kind == CoreEvent::kApplied) sessions_.Applied(event);
      if (options_.timeline == nullptr) continue;
      const std::string line = TimelineLine(world_.NameOf(process), event);
      if (!line.empty()) options_.timeline(at, line);
    }
    if (options_.trace != nullptr) options_.trace(TraceLine(at, world_.NameOf(process), input, effects));
  }
  void DiskOperation(Time at, ProcessId process, const FileOp& op) override {
    checkers_.DiskOperation(at, ReplicaId(process + 1), op);
  }
  void MessageLeft(Time at, ProcessId process, const Claim& claim) override {
    checkers_.MessageLeft(at, ReplicaId(process + 1), claim);
  }
  void Called(Time at, ProcessId process, const Call& made, std::string_view path) override {
    checkers_.Called(at, ClientNumber(process), made, path);
  }
  void Answered(Time at, ProcessId process, CallId call, const v1::Outcome& outcome) override {
    checkers_.Answered(at, ClientNumber(process), call, outcome);
  }
  void Requested(Time at, const ResourceRequest& request, bool accepted) override { checkers_.Requested(at, request, accepted); }
  void ClockChanged(Time at, ProcessId process, const LocalClock& clock) override {
    if (world_.IsReplica(process)) return checkers_.ReplicaClockChanged(ReplicaId(process + 1), clock);
    checkers_.ClientClockChanged(at, ClientNumber(process), clock);
  }
  void FaultApplied(Time at, const std::string& what) override {
    Tell(at, [&] { return absl::StrCat("fault: ", what); });
  }
  void Report(std::string_view checker, Time at, const std::string& message) override { checkers_.Report(checker, at, message); }

 private:
  uint32_t ClientNumber(ProcessId process) const { return process - plan_.replicas() + 1; }
  // Renders the line only if somebody listens.
  template <class Render>
  void Tell(Time at, Render&& render) {
    if (options_.timeline != nullptr) options_.timeline(at, render());
  }
  // Lets things happen up to `until`; false as soon as there is a violation.
  bool AdvanceTo(Time until) {
    while (world_.Advance(until)) {
      if (checkers_.violation().has_value()) return false;
    }
    return !checkers_.violation().has_value();
  }
  bool SafetyPhase() { return AdvanceTo(plan_.duration_ns()); }
  bool LivenessPhase();

  const v1::Plan& plan_;
  const RunOptions& options_;
  Nodes nodes_;
  Checkers checkers_;
  LiveSessions sessions_;
  World world_;
};

bool Run::LivenessPhase() {
  world_.LiftFaults();
  Tell(world_.now(), [] { return std::string("all faults are lifted"); });
  const Time deadline = world_.now() + SettlingBound(plan_, world_);
  for (Time look = world_.now();; look += kLook) {
    if (!AdvanceTo(look)) return false;
    const std::optional<Obstacle> obstacle = FindObstacle(world_, sessions_, !plan_.clocks_lie());
    if (!obstacle) return true;
    if (look < deadline) continue;
    const Duration waited = (look - plan_.duration_ns()) / kMillisecond;
    checkers_.Report(obstacle->checker, look, absl::StrCat(waited, " ms after the last fault: ", obstacle->what));
    return !checkers_.violation().has_value();  // one that is ignored leaves the history to be judged
  }
}

RunResult Run::Execute() {
  if (options_.trace != nullptr) options_.trace(TraceHeader(plan_));
  RunResult result;
  bool complete = true;
  try {
    if (SafetyPhase() && LivenessPhase()) complete = checkers_.Finish(world_.now());
  } catch (const CheckFailed& failed) {
    checkers_.Report("core.check", world_.now(),
                     absl::StrCat(failed.failure.file, ":", failed.failure.line, ": ", failed.failure.condition));
  }
  if (checkers_.violation().has_value()) {
    const Violation& violation = *checkers_.violation();
    result.verdict = Verdict::kViolation;
    result.violations.push_back(violation);
    Tell(violation.at, [&] { return absl::StrCat("VIOLATION of ", violation.checker, ": ", violation.message); });
  } else if (!complete) {
    result.verdict = Verdict::kInconclusive;
    result.note = "the search through the history reached its limit";
  } else if (checkers_.sums_unjudged() > 0) {
    result.note = absl::StrCat("the Adds on ", checkers_.sums_unjudged(), " names were not all judged: too many of unknown outcome");
  }
  result.trace_hash = world_.trace_hash();
  result.events = world_.events();
  result.simulated = world_.now();
  result.probes = world_.probes();
  return result;
}

}  // namespace

RunResult RunPlan(const v1::Plan& plan, const RunOptions& options) {
  if (const absl::Status status = ValidatePlan(plan); !status.ok()) {
    RunResult result;
    result.verdict = Verdict::kInconclusive;
    result.note = std::string(status.message());
    return result;
  }
  const v1::Plan expanded = Expand(plan);
  const ScopedCheckHandler handler;
  return Run(expanded, options).Execute();
}

void CheckRepeatable(const v1::Plan& plan, const RunOptions& options, RunResult& result) {
  const bool ignored = std::find(options.ignored.begin(), options.ignored.end(), "trace.repeatable") != options.ignored.end();
  if (ignored) return;
  RunOptions silent = options;
  silent.timeline = nullptr;
  silent.trace = nullptr;
  const RunResult again = RunPlan(plan, silent);
  if (again.trace_hash == result.trace_hash && again.events == result.events) return;
  result.verdict = Verdict::kViolation;
  result.violations.push_back({"trace.repeatable", result.simulated,
                               absl::StrCat("the same plan had ", result.events, " events the first time and ", again.events,
                                            " the second, and another trace hash")});
}

}  // namespace bramah::sim

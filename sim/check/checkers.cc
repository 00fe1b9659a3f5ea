#include "sim/check/checkers.h"

#include <optional>
#include <string>
#include <utility>

#include "core/cell/cell.h"
#include "core/cell/invariants.h"
#include "sim/check/acl_checker.h"
#include "sim/check/authority_checker.h"
#include "sim/check/belief_checker.h"
#include "sim/check/by_client.h"
#include "sim/check/cache_checker.h"
#include "sim/check/delay_checker.h"
#include "sim/check/digest_checker.h"
#include "sim/check/durability_checker.h"
#include "sim/check/epoch_checker.h"
#include "sim/check/event_checker.h"
#include "sim/check/exactly_once_checker.h"
#include "sim/check/fencing_checker.h"
#include "sim/check/fifo_checker.h"
#include "sim/check/handle_checker.h"
#include "sim/check/history/history.h"
#include "sim/check/history/linearizability.h"
#include "sim/check/jeopardy_checker.h"
#include "sim/check/lock_checker.h"
#include "sim/check/raft_checker.h"
#include "sim/check/reporter.h"
#include "sim/check/session_checker.h"
#include "sim/check/stale_checker.h"
#include "sim/check/suffix_checker.h"

namespace bramah::sim {
namespace {

constexpr uint64_t kRecheckEvery = 64;  // steps, in paranoid mode

}  // namespace

struct Checkers::State {
  explicit State(const CheckContext& c)
      : context(c),
        reporter(c.ignored),
        raft(c.replicas, &reporter),
        durability(c.replicas, &raft, &reporter),
        authority(c.replica_clocks, &reporter),
        digest(c.replicas, &reporter),
        beliefs(c.client_clocks, c.clocks_within_rho || c.judge_beliefs, &reporter),
        sessions(c.client_clocks, &reporter),
        exactly_once(&reporter),
        epochs(c.replicas, &reporter),
        locks(&reporter),
        fifo(&reporter),
        delays(c.rho_ppm, &reporter),
        fencing(c.clocks_within_rho, &reporter),
        handle_states(&reporter),
        handles(c.clocks_within_rho, &reporter),
        suffixes(&reporter),
        jeopardies(c.clients, &reporter),
        events(c.clocks_within_rho, &reporter),
        acls(&reporter),
        caches(c.client_clocks, &reporter),
        waits(c.replica_clocks, &reporter),
        stale(&reporter),
        history(c.clocks_within_rho),
        roles(c.replicas, {replica::Role::kFollower, false}),
        session_of(c.clients) {}

  void Applied(Time at, ReplicaId replica, const CoreEvent& event);
  // A change by the Batch that was applied just before: to who watches the state, the same as one that is alone.
  void PartApplied(ReplicaId replica, const CoreEvent& event);
  void Changed(const CoreEvent& event);
  void Recheck(Time at, ReplicaId replica, const replica::ServerView& view);

  CheckContext context;
  Reporter reporter;
  RaftChecker raft;
  DurabilityChecker durability;
  AuthorityChecker authority;
  DigestChecker digest;
  BeliefChecker beliefs;
  SessionChecker sessions;
  ExactlyOnceChecker exactly_once;
  EpochChecker epochs;
  LockChecker locks;
  FifoChecker fifo;
  DelayChecker delays;
  FencingChecker fencing;
  HandleStateChecker handle_states;
  HandleChecker handles;
  SuffixChecker suffixes;
  JeopardyChecker jeopardies;
  EventChecker events;
  AclChecker acls;
  CacheChecker caches;
  WriteWaitChecker waits;
  StaleChecker stale;
  History history;
  uint64_t sums_unjudged = 0;

  LogIndex applied_max;  // highest index that any replica was seen to apply
  ReplicaId newest;      // the first that did
  uint64_t steps = 0;
  std::vector<std::pair<replica::Role, bool>> roles;  // role and readiness after the last step, for paranoid mode
  std::vector<SessionId> session_of;                  // of a client, by its last step
  struct Asked {
    v1::CommandKind kind = v1::NONE;
    SessionId session;
  };
  ByClient<CallId, Asked> asked;  // calls without an answer
};

Checkers::Checkers(const CheckContext& context) : state_(std::make_unique<State>(context)) {}
Checkers::~Checkers() = default;

void Checkers::ReplicaBooted(Time, ReplicaId replica) {
  state_->raft.Booted(replica);
  state_->digest.Booted(replica);
  state_->authority.Stopped(replica);
}

void Checkers::ReplicaCrashed(Time, ReplicaId replica, bool machine) {
  state_->durability.Crashed(replica, machine);
  state_->raft.Crashed(replica);
  state_->authority.Stopped(replica);
}

void Checkers::RequestArrived(ReplicaId replica, const v1::Request& request) {
  if (state_->reporter.failed()) return;
  if (request.stale()) return state_->stale.Arrived(request);
  state_->epochs.Arrived(replica, request);
}

void Checkers::AfterReplicaStep(Time at, ReplicaId replica, const replica::ServerView& view, const Effects& effects) {
  State& s = *state_;
  ++s.steps;
  if (s.reporter.failed()) return;
  const LogIndex rewritten = s.raft.AfterStep(at, replica, view);
  if (s.context.clocks_within_rho) s.authority.AfterStep(at, replica, view);
  s.epochs.AfterStep(replica, view.epoch, effects.events());
  const LogIndex before = s.applied_max;
  bool recovered = false;
  for (const CoreEvent& event : effects.events()) {
    if (event.kind == CoreEvent::kApplied) s.Applied(at, replica, event);
    if (event.kind == CoreEvent::kPartApplied) s.PartApplied(replica, event);
    if (event.kind == CoreEvent::kEntryAppended) s.delays.Appended(at, event.index, event.term);
    recovered = recovered || event.kind == CoreEvent::kRecovered;
  }
  s.durability.AfterStep(at, replica, view, rewritten, recovered);
  if (view.ready) s.digest.AfterStep(at, replica, view);
  if (s.applied_max != before && view.cell != nullptr) {
    const auto held = s.locks.AfterStep(at, replica, *view.cell);
    s.acls.AfterStep(at, *view.cell);
    s.handle_states.AfterStep(at, *view.cell);
    if (held.has_value()) s.fifo.Look(at, *view.cell, *held);
    if (held.has_value()) s.fencing.Look(at, *held);
    if (held.has_value() && s.context.clocks_within_rho) s.delays.Look(at, *held);
  }
  if (s.context.clocks_within_rho && view.cell != nullptr && view.applied == s.applied_max) s.caches.Look(at, *view.cell);
  if (view.cell != nullptr) s.stale.AfterStep(at, replica, view.applied, *view.cell, effects);
  if (view.held_since != kNever) s.waits.AfterStep(at, replica, view);
  if (s.context.paranoid) s.Recheck(at, replica, view);
}

void Checkers::State::Applied(Time at, ReplicaId replica, const CoreEvent& event) {
  if (event.index <= applied_max) return;
  applied_max = event.index;
  if (event.index.value() % 1'024 == 0) digest.TrimBelow(raft.floor());
  if (context.clocks_within_rho) sessions.Applied(at, replica, event);
  newest = replica;
  exactly_once.Applied(at, event);
  epochs.Applied(at, event);
  Changed(event);
}

void Checkers::State::PartApplied(ReplicaId replica, const CoreEvent& event) {
  if (event.index == applied_max && replica == newest) Changed(event);
}

void Checkers::State::Changed(const CoreEvent& event) {
  locks.Applied(event);
  fifo.Applied(event);
  delays.Applied(event);
  acls.Applied(event);
  handle_states.Applied(event);
}

void Checkers::State::Recheck(Time at, ReplicaId replica, const replica::ServerView& view) {
  auto& known = roles[replica.value() - 1];
  const std::pair<replica::Role, bool> now{view.role, view.ready};
  if (std::exchange(known, now) == now && steps % kRecheckEvery != 0) return;
  if (!view.ready || view.cell == nullptr) return;
  raft.Recheck(at, replica, view);
  digest.Recheck(at, replica, view);
  const cell::CellView cell_view = view.cell->View();
  // Generations are followed along the newest state; what a replica that lags behind holds was looked at when it was new.
  if (view.applied == applied_max) locks.CheckLocks(at, replica, view.cell->HeldLocks(), view.cell);
  if (const auto broken = cell::CheckInvariants(cell_view)) {
    reporter.Report("core.check", at, "r" + std::to_string(replica.value()) + ": " + *broken);
  }
}

void Checkers::DiskOperation(Time, ReplicaId replica, const FileOp& op) { state_->durability.Carried(replica, op); }

void Checkers::MessageLeft(Time at, ReplicaId from, const Claim& claim) {
  if (!state_->reporter.failed()) state_->durability.MessageLeft(at, from, claim);
}

void Checkers::AfterClientStep(Time at, uint32_t client, const client::ClientView& view, const Effects& effects) {
  State& s = *state_;
  if (s.reporter.failed()) return;
  s.session_of[client - 1] = view.session;
  s.jeopardies.AfterStep(client, view.state);
  s.beliefs.AfterStep(at, client, view);
  if (s.context.clocks_within_rho) s.caches.AfterStep(at, client, view);
  s.events.AfterStep(at, client, effects.events());
  if (s.context.clocks_within_rho) s.sessions.AfterStep(at, client, view);
}

void Checkers::ClientStopped(Time, uint32_t client) {
  State& s = *state_;
  s.beliefs.Stopped(client);
  s.caches.Stopped(client);
  s.sessions.Stopped(client);
  s.history.Stopped(client);
  s.fencing.Stopped(client);
  s.events.Stopped(client);
  s.handles.Stopped(client);
  s.suffixes.Stopped(client);
  s.jeopardies.Stopped(client);
  s.stale.Stopped(client);
  s.asked.Forget(client);
  s.session_of[client - 1] = SessionId();
}

void Checkers::Called(Time at, uint32_t client, const Call& made, std::string_view path) {
  State& s = *state_;
  const CallId call = made.call;
  const v1::Command& command = *made.command;
  if (command.stale()) return s.stale.Called(client, call, command);
  s.asked.Put(client, call, {command.kind(), s.session_of[client - 1]});
  s.jeopardies.Called(client, call, made.wait);
  s.handles.Called(client, s.session_of[client - 1], call, command);
  s.suffixes.Called(client, s.session_of[client - 1], call, command);
  s.history.Called(client, call, command, path);
  s.fencing.Called(at, client, s.session_of[client - 1], call, command);
  s.events.Called(client, s.session_of[client - 1], call, command);
}

void Checkers::Answered(Time at, uint32_t client, CallId call, const v1::Outcome& outcome) {
  State& s = *state_;
  if (s.reporter.failed() || s.stale.Answered(at, client, call, outcome)) return;
  s.jeopardies.Answered(at, client, call, outcome.code());
  s.handles.Answered(at, client, call, outcome);
  s.suffixes.Answered(at, client, call, outcome);
  if (const auto problem = s.history.Answered(client, call, outcome)) s.reporter.Report("history.reply", at, *problem);
  s.fencing.Answered(at, client, call, outcome);
  s.events.Answered(at, client, call, outcome);
  const std::optional<State::Asked> asked = s.asked.Take(client, call);
  // The numbers of a session that has ended meanwhile mean nothing in the next one.
  if (!asked.has_value() || asked->session != s.session_of[client - 1]) return;
  s.exactly_once.Answered(at, client, asked->session, asked->kind, outcome);
  if (outcome.code() == v1::OK && !MayBeAnsweredLocally(asked->kind)) {
    s.stale.Confirmed(client, s.exactly_once.EffectOf(asked->session, RequestSeq(outcome.seq())));
  }
}

void Checkers::Requested(Time at, const ResourceRequest& request, bool accepted) {
  if (!state_->reporter.failed()) state_->fencing.Requested(at, request, accepted);
}

void Checkers::ReplicaClockChanged(ReplicaId replica, const LocalClock& clock) {
  state_->waits.ClockChanged(replica, clock);
  state_->authority.ClockChanged(replica, clock);
}

void Checkers::ClientClockChanged(Time at, uint32_t client, const LocalClock& clock) {
  if (state_->reporter.failed()) return;
  state_->beliefs.ClockChanged(at, client, clock);
  state_->sessions.ClockChanged(client, clock);
  state_->caches.ClockChanged(client, clock);
}

const std::optional<Violation>& Checkers::violation() const { return state_->reporter.first(); }

void Checkers::Report(std::string_view checker, Time at, std::string message) {
  state_->reporter.Report(checker, at, std::move(message));
}

uint64_t Checkers::sums_unjudged() const { return state_->sums_unjudged; }

bool Checkers::Finish(Time at) {
  State& s = *state_;
  if (s.reporter.failed()) return true;
  s.history.Close();
  const HistoryVerdict verdict = JudgeHistory(s.history, kSearchSteps, s.context.ignored);
  s.sums_unjudged = verdict.sums_unjudged;
  if (verdict.kind == HistoryVerdict::kBad) s.reporter.Report(verdict.checker, at, verdict.message);
  return verdict.kind != HistoryVerdict::kInconclusive;
}

}  // namespace bramah::sim

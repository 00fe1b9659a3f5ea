#include "core/replica/server.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/container/btree_map.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/cell/cell.h"
#include "core/raft/raft.h"
#include "core/replica/comparison.h"
#include "core/replica/master.h"
#include "core/replica/peers.h"
#include "core/storage/storage.h"

namespace bramah::replica {
namespace {

constexpr uint32_t kProtocolVersion = 1;

raft::Options RaftOptions(const ServerConfig& config) {
  raft::Options options;
  options.self = config.self;
  options.heartbeat = config.heartbeat;
  options.append_entries_max = config.append_entries_max;
  options.append_bytes_max = config.append_bytes_max;
  options.append_inflight_max = config.append_inflight_max;
  options.snapshot_chunk_bytes = config.snapshot_chunk_bytes;
  return options;
}

// Takes over the cell state that stands for the log up to `snapshot`'s index. False if the bytes are no such state; `cell` is
// then not to be used.
bool LoadCell(const raft::Snapshot& snapshot, cell::Cell& cell) {
  return cell.Load(snapshot.state.view()) && cell.last() <= cell.PositionOf(snapshot.meta.index) &&
         cell.time() <= snapshot.meta.cluster_time;
}

std::string NewEpoch(const MacKey& secret, const std::string& cell) {
  v1::Command command;
  command.set_kind(v1::NEW_EPOCH);
  command.set_nonce_low(secret.low);
  command.set_nonce_high(secret.high);
  command.set_path(cell);
  return command.SerializeAsString();
}

constexpr uint64_t MakeEpoch(uint32_t incarnation, Term term) { return uint64_t{incarnation} << 48 | term.value(); }

}  // namespace

struct Server::State {
  explicit State(const ServerConfig* c)
      : config(c),
        storage(&c->storage),
        raft(RaftOptions(*c), c->bootstrap),
        cell(&c->limits, c->bootstrap.incarnation()),
        master(c) {}

  // An accepted connection, by what its Hello said.
  struct Accepted {
    v1::Hello::Role role = v1::Hello::UNKNOWN;
    ReplicaId member;     // PEER
    uint64_t stream = 0;    // CLIENT, as the following
    session::Nonce nonce;   // of the session that it speaks for
    std::string principal;
  };

  // ---- inputs
  void OnBoot(Time now, const Boot& boot, Effects& out);
  void OnConnUp(raft::Context& ctx, const ConnUp& up);
  void OnConnDown(raft::Context& ctx, const ConnDown& down);
  void OnDeliver(raft::Context& ctx, const Deliver& deliver);
  void OnTimer(raft::Context& ctx, TimerId timer);
  void OnDiskDone(raft::Context& ctx, const DiskDone& done);
  void OnClockRate(raft::Context& ctx, const ClockRate& rate);
  void Dispatch(raft::Context& ctx, const Input& input);

  // ---- consequences, once per step
  void Settle(raft::Context& ctx);
  void StartTakingPart(raft::Context& ctx);
  void InstallIncoming(raft::Context& ctx);
  void FollowRole(raft::Context& ctx);
  void ApplyCommitted(raft::Context& ctx);
  // Tells the others what the state is now.
  void TellState(raft::Context& ctx);
  bool HasDiverged(Effects& out);
  void ApplyEntry(raft::Context& ctx, LogIndex index);
  void TellOfParts(raft::Context& ctx, CoreEvent event);
  void KeepSnapshots(raft::Context& ctx);
  void RefreshView();

  bool HelloFits(const v1::Hello& hello, ReplicaId expected) const;
  void AnswerStale(raft::Context& ctx, ConnId conn, const std::string& principal, const v1::Request& request);
  void AnswerStatus(raft::Context& ctx, ConnId conn, const v1::StatusRequest& request) const;
  MasterContext ForMaster(raft::Context& ctx) { return MasterContext{ctx, raft, cell, applied}; }

  const ServerConfig* config;
  storage::Storage storage;
  raft::Raft raft;
  cell::Cell cell;
  Master master;
  Peers peers;
  Comparison comparison;
  absl::btree_map<ConnId, Accepted> accepted;

  bool booted = false;
  bool started = false;  // recovered and taking part
  bool halted = false;
  bool clock_trusted = true;
  uint64_t seed = 0;
  MacKey secret;  // the cell's, if this replica is its first leader
  After done;            // tickets completed
  v1::Hello hello;       // what this replica says of itself
  LogIndex applied;
  std::optional<raft::Snapshot> saving;  // being made durable; the log is compacted when it is
  ServerView view;

  // Reused from entry to entry.
  v1::Command command;
  cell::Applied result;
};

Server::Server(const ServerConfig* config) : state_(std::make_unique<State>(config)) {}
Server::~Server() = default;
Server::Server(const Server& other) : state_(std::make_unique<State>(*other.state_)) { state_->RefreshView(); }
Server& Server::operator=(const Server& other) {
  state_ = std::make_unique<State>(*other.state_);
  state_->RefreshView();
  return *this;
}

const ServerView& Server::view() const { return state_->view; }

void Server::Step(Time now, const Input& input, Effects& out) {
  State& s = *state_;
  if (s.halted) return;
  if (const Boot* boot = std::get_if<Boot>(&input)) {
    if (!s.booted) s.OnBoot(now, *boot, out);
  } else if (!s.booted) {
    return;
  }
  raft::Context ctx{now, out, s.storage, s.done};
  if (!std::holds_alternative<Boot>(input)) s.Dispatch(ctx, input);
  if (!s.storage.halted() && !s.halted) s.Settle(ctx);
  s.storage.Flush(now, out);
  s.halted = s.halted || s.storage.halted();
  s.RefreshView();
}

void Server::State::OnBoot(Time now, const Boot& boot, Effects& out) {
  booted = true;
  seed = boot.seed;
  secret = boot.secret;
  storage.Boot(now, boot, out);
}

void Server::State::OnClockRate(raft::Context& ctx, const ClockRate& rate) {
  if (rate.trusted == clock_trusted) return;
  clock_trusted = rate.trusted;
  ctx.out.Event(clock_trusted ? CoreEvent::kClockTrusted : CoreEvent::kClockDoubted);
  SOMETIMES(ctx.out.probes(), kClockDoubted, !clock_trusted);
  if (started) raft.OnClockRate(ctx, clock_trusted);
}

void Server::State::Dispatch(raft::Context& ctx, const Input& input) {
  if (const auto* done_input = std::get_if<DiskDone>(&input)) return OnDiskDone(ctx, *done_input);
  if (const auto* failed = std::get_if<DiskFailed>(&input)) return storage.OnDiskFailed(ctx.now, *failed, ctx.out);
  if (const auto* timer = std::get_if<TimerFired>(&input)) return OnTimer(ctx, timer->timer);
  if (const auto* rate = std::get_if<ClockRate>(&input)) return OnClockRate(ctx, *rate);
  if (!started) return;  // nothing listens yet, so this can only be late
  if (const auto* up = std::get_if<ConnUp>(&input)) return OnConnUp(ctx, *up);
  if (const auto* down = std::get_if<ConnDown>(&input)) return OnConnDown(ctx, *down);
  if (const auto* deliver = std::get_if<Deliver>(&input)) return OnDeliver(ctx, *deliver);
  // Writable: what is unsent is sent again by the next round. Call: a server has no application.
}

void Server::State::OnDiskDone(raft::Context& ctx, const DiskDone& input) {
  (input.lane == Lane::kLog ? done.log : done.bulk) = input.ticket;
  ctx.done = done;
  storage.OnDiskDone(ctx.now, input, ctx.out);
  if (started) raft.OnDurable(ctx);
}

void Server::State::OnTimer(raft::Context& ctx, TimerId timer) {
  if (timer == TimerId::kStorage) return storage.OnTimer(ctx.now, ctx.out);
  if (!started) return;
  if (timer == TimerId::kElection) raft.OnElectionTimer(ctx);
  if (timer == TimerId::kHeartbeat) raft.OnHeartbeatTimer(ctx);
  if (timer == TimerId::kSessions) {
    MasterContext m = ForMaster(ctx);
    master.OnTimer(m);
  }
  // kConnect, kContinue: settling does the work.
}

// ----------------------------------------------------------------------------------------------------------------- start-up

void Server::State::StartTakingPart(raft::Context& ctx) {
  storage::Recovered recovered = storage.TakeRecovered();
  if (recovered.snapshot.has_value()) {
    if (!LoadCell(*recovered.snapshot, cell)) {
      halted = true;
      ctx.out.Halt(HaltReason::kCorruptSnapshot,
                   absl::StrCat("the snapshot at index ", recovered.snapshot->meta.index.value(),
                                " holds no cell state of this version; restore this replica's directory from another's"));
      return;
    }
    applied = recovered.snapshot->meta.index;
  }
  started = true;
  hello.set_version(kProtocolVersion);
  hello.set_cell(config->cell);
  hello.set_member(config->self.value());
  hello.set_disk_high(recovered.identity.disk_high);
  hello.set_disk_low(recovered.identity.disk_low);
  raft.Start(ctx, recovered, seed, NewEpoch(secret, config->cell));
  raft.OnClockRate(ctx, clock_trusted);
  v1::Hello& accept = ctx.out.Listen();
  accept = hello;
  accept.set_role(v1::Hello::SERVER);
  hello.set_role(v1::Hello::PEER);
  CoreEvent& event = ctx.out.Event(CoreEvent::kRecovered);
  event.term = raft.term();
  event.index = raft.log().last();
}

// -------------------------------------------------------------------------------------------------------------- connections

bool Server::State::HelloFits(const v1::Hello& theirs, ReplicaId expected) const {
  if (theirs.version() != kProtocolVersion || theirs.cell() != config->cell) return false;
  for (const v1::Member& member : raft.configuration().members()) {
    if (ReplicaId(member.id()) != ReplicaId(theirs.member())) continue;
    if (expected && ReplicaId(member.id()) != expected) return false;
    const bool any_disk = member.disk_high() == 0 && member.disk_low() == 0;
    return any_disk || (member.disk_high() == theirs.disk_high() && member.disk_low() == theirs.disk_low());
  }
  return false;
}

void Server::State::OnConnUp(raft::Context& ctx, const ConnUp& up) {
  const v1::Hello& theirs = *up.peer;
  const ReplicaId dialled = peers.MemberOf(up.conn);
  if (dialled) {
    if (theirs.role() == v1::Hello::SERVER && HelloFits(theirs, dialled)) {
      peers.Up(up.conn);
      raft.SetPeerConn(ctx, dialled, up.conn);
    } else {
      peers.Down(ctx.now, up.conn, config->connect_retry);
      ctx.out.Close(up.conn, CloseReason::kForeign);
    }
    return;
  }
  // A client may say "local" for whatever cell it reached.
  const bool client = theirs.role() == v1::Hello::CLIENT && theirs.version() == kProtocolVersion &&
                      (theirs.cell() == config->cell || theirs.cell() == "local");
  const bool peer = theirs.role() == v1::Hello::PEER && HelloFits(theirs, ReplicaId());
  if (!client && !peer) {
    ctx.out.Close(up.conn, CloseReason::kForeign);
    return;
  }
  accepted[up.conn] = Accepted{theirs.role(), peer ? ReplicaId(theirs.member()) : ReplicaId(), theirs.connection_number(),
                                session::Nonce{theirs.nonce_high(), theirs.nonce_low()}, theirs.principal()};
}

void Server::State::OnConnDown(raft::Context& ctx, const ConnDown& down) {
  accepted.erase(down.conn);
  const ReplicaId peer = peers.Down(ctx.now, down.conn, config->connect_retry);
  if (peer) raft.SetPeerConn(ctx, peer, ConnId());
}

void Server::State::OnDeliver(raft::Context& ctx, const Deliver& deliver) {
  const ReplicaId dialled = peers.IsUp(deliver.conn) ? peers.MemberOf(deliver.conn) : ReplicaId();
  if (dialled) return raft.OnMessage(ctx, dialled, deliver.conn, deliver.message);
  const auto it = accepted.find(deliver.conn);
  if (it == accepted.end()) return;
  const Message& message = deliver.message;
  if (const auto* ping = message.As<v1::Ping>()) {
    v1::Ping& pong = ctx.out.Send<v1::Ping>(deliver.conn);
    pong.set_number(ping->number());
    pong.set_reply(true);
    return;
  }
  if (const auto* status = message.As<v1::StatusRequest>()) return AnswerStatus(ctx, deliver.conn, *status);
  if (it->second.role == v1::Hello::PEER) {
    const auto* const state = message.As<v1::StateDigest>();
    if (state != nullptr) return comparison.Hear(it->second.member, {LogIndex(state->index()), state->digest()});
    return raft.OnMessage(ctx, it->second.member, deliver.conn, message);
  }
  const auto* const create = message.As<v1::CreateSession>();
  if (create != nullptr) it->second.nonce = {create->nonce_high(), create->nonce_low()};
  MasterContext m = ForMaster(ctx);
  const ClientConn from{deliver.conn, it->second.stream, it->second.nonce, it->second.principal};
  const auto* const request = message.As<v1::Request>();
  if (request != nullptr && request->stale()) return AnswerStale(ctx, deliver.conn, it->second.principal, *request);
  if (request != nullptr) return master.OnRequest(m, from, *request);
  if (const auto* keepalive = message.As<v1::KeepAlive>()) return master.OnKeepAlive(m, from, *keepalive);
  if (create != nullptr) return master.OnCreateSession(m, from, *create);
  ctx.out.probes().Reach(ProbeId::kMalformedMessage);
}

// From what is applied here, whoever is master. Who has seen more than that is told to ask another replica: waiting here
// would need an end of its own, and the client has others to try. Before the first entry there is no state to show.
void Server::State::AnswerStale(raft::Context& ctx, ConnId conn, const std::string& principal, const v1::Request& request) {
  const v1::Command& question = request.command();
  const bool fits = question.kind() == v1::GET_CONTENTS || question.kind() == v1::GET_STAT || question.kind() == v1::READ_DIR;
  v1::Reply& reply = ctx.out.Send<v1::Reply>(conn);
  reply.set_id(request.id());
  reply.set_applied_index(applied.value());
  v1::Outcome& outcome = *reply.mutable_outcome();
  if (!fits) {
    ctx.out.probes().Reach(ProbeId::kMalformedMessage);
    outcome.set_code(v1::MALFORMED);
  } else if (applied == LogIndex() || applied.value() < request.applied_at_least()) {
    outcome.set_code(v1::UNAVAILABLE);
    const MasterContext m = ForMaster(ctx);
    master.Locate(m, *reply.mutable_located());
  } else {
    cell.ReadPath(principal, question, outcome);
  }
}

void Server::State::AnswerStatus(raft::Context& ctx, ConnId conn, const v1::StatusRequest& request) const {
  static constexpr const char* kRoles[] = {"follower", "candidate", "leader"};
  static constexpr const char* kPhases[] = {"none", "recovering", "serving"};
  v1::StatusReply& reply = ctx.out.Send<v1::StatusReply>(conn);
  reply.set_id(request.id());
  reply.set_member(config->self.value());
  reply.set_role(kRoles[static_cast<int>(raft.role())]);
  reply.set_phase(kPhases[static_cast<int>(master.phase())]);
  reply.set_term(raft.term().value());
  reply.set_commit_index(raft.commit().value());
  reply.set_applied_index(applied.value());
  reply.set_epoch(master.epoch().value());
  reply.set_master(raft.leader().value());
  for (const v1::Member& member : raft.configuration().members()) {
    if (ReplicaId(member.id()) == raft.leader()) reply.set_master_endpoint(member.endpoint());
  }
  reply.set_sessions(cell.session_count());
  reply.set_nodes(cell.node_count());
  reply.set_state_digest(cell.digest());
  reply.set_lease_max_ns(LeaseMax(raft, cell));
}

// ------------------------------------------------------------------------------------------------------------- consequences

void Server::State::Settle(raft::Context& ctx) {
  if (!started) {
    if (!storage.ready()) return;
    StartTakingPart(ctx);
    if (!started) return;
  }
  InstallIncoming(ctx);
  FollowRole(ctx);
  ApplyCommitted(ctx);
  if (HasDiverged(ctx.out)) return;
  MasterContext m = ForMaster(ctx);
  master.Settle(m);
  raft.Replicate(ctx);
  // More was committed than one step may apply.
  if (applied < raft.commit()) ctx.out.Arm(TimerId::kContinue, ctx.now);
  KeepSnapshots(ctx);
  peers.Dial(ctx.now, raft.configuration(), raft.configuration_version(), hello, config->connect_retry, ctx.out);
}

void Server::State::FollowRole(raft::Context& ctx) {
  const Epoch epoch(MakeEpoch(raft.configuration().incarnation(), raft.term()));
  const bool leads = raft.role() == raft::Role::kLeader;
  if (master.phase() != Phase::kNone && (!leads || master.epoch() != epoch)) {
    MasterContext m = ForMaster(ctx);
    master.Resign(m);
  }
  if (leads && master.phase() == Phase::kNone) master.Recover(epoch);
}

void Server::State::ApplyCommitted(raft::Context& ctx) {
  for (uint32_t work = 0; applied < raft.commit() && work < config->step_work_max; ++work) {
    ApplyEntry(ctx, applied.Next());
    if (applied.value() % Comparison::kEvery == 0) TellState(ctx);
  }
}

void Server::State::TellState(raft::Context& ctx) {
  comparison.Note({applied, cell.digest()});
  v1::StateDigest state;
  state.set_index(applied.value());
  state.set_digest(cell.digest());
  peers.TellAll(state, ctx.out);
}

bool Server::State::HasDiverged(Effects& out) {
  if (!comparison.Outvoted(raft.configuration().members_size())) return false;
  halted = true;
  out.Halt(HaltReason::kDivergedState,
           absl::StrCat("the others agree on another state after index ", comparison.mine().index.value(),
                        "; have the memory of this machine tested, and keep the directory for whoever looks into it"));
  return true;
}

// So that whoever watches need not know what a Batch is.
void Server::State::TellOfParts(raft::Context& ctx, CoreEvent event) {
  event.kind = CoreEvent::kPartApplied;
  for (const v1::Command& part : result.outcome.guarded() ? command.parts() : command.otherwise()) {
    event.command = part.kind();
    event.handle = HandleId(part.handle());
    ctx.out.Event(event.kind) = event;
  }
}

void Server::State::ApplyEntry(raft::Context& ctx, LogIndex index) {
  const raft::Entry& entry = raft.log().At(index);
  CoreEvent& event = ctx.out.Event(CoreEvent::kApplied);
  event.index = index;
  event.term = entry.term();
  event.time = entry.cluster_time();
  applied = index;
  const std::string_view payload = entry.payload();
  if (entry.kind() != raft::EntryKind::kCommand) return;
  // Bytes that are no command change nothing, on every replica alike.
  if (!command.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) command.Clear();
  cell.Apply(index, entry.cluster_time(), command, result, ctx.out.probes());
  event.command = command.kind();
  event.session = SessionId(command.kind() == v1::CREATE_SESSION ? result.outcome.session() : command.session());
  event.seq = RequestSeq(command.seq());
  event.handle = HandleId(command.handle());
  event.code = result.outcome.code();
  event.generation = Position(result.outcome.lock_generation());
  event.effect = result.effect;
  event.reason = command.reason();
  if (command.kind() == v1::BATCH && result.effect) TellOfParts(ctx, event);
  MasterContext m = ForMaster(ctx);
  const bool own_epoch = command.kind() == v1::NEW_EPOCH && entry.term() == raft.term();
  if (own_epoch && master.phase() == Phase::kRecovering) master.TakeOver(m);
  master.OnApplied(m, index, command, result);
}

void Server::State::InstallIncoming(raft::Context& ctx) {
  const raft::Snapshot* incoming = raft.Incoming();
  if (incoming == nullptr || raft.installing() || storage.saving()) return;
  cell::Cell fresh(&config->limits, config->bootstrap.incarnation());
  const bool follows = raft.role() == raft::Role::kFollower;
  if (!follows || raft.Holds(incoming->meta.index, incoming->meta.term) || !LoadCell(*incoming, fresh)) {
    ctx.out.probes().Reach(ProbeId::kSnapshotRestarted);
    raft.RefuseIncoming();
    return;
  }
  cell = std::move(fresh);
  applied = incoming->meta.index;
  raft.Install(ctx);
}

void Server::State::KeepSnapshots(raft::Context& ctx) {
  if (saving.has_value() && !storage.saving()) {
    if (storage.snapshot_index() >= saving->meta.index) raft.Compact(*saving);
    saving.reset();
  }
  if (saving.has_value() || storage.saving() || raft.installing()) return;
  const raft::Log& log = raft.log();
  const bool due = applied - log.base() >= config->snapshot_after_entries || log.bytes() >= config->snapshot_after_bytes;
  // Only what is applied and durable here may stand for the log [ST-15].
  if (!due || applied == log.base() || applied > storage.durable_index()) return;
  std::string bytes;
  cell.Save(&bytes);
  saving = raft::Snapshot{{applied, log.TermAt(applied), log.TimeAt(applied), raft.EncodedConfigurationAt(applied)}, Blob(bytes)};
  storage.SaveSnapshot(ctx.now, *saving, ctx.out);
  ctx.out.probes().Reach(ProbeId::kSnapshotTaken);
  ctx.out.Event(CoreEvent::kSnapshotTaken).index = applied;
}

void Server::State::RefreshView() {
  view.ready = started;
  view.halted = halted;
  view.role = static_cast<Role>(raft.role());
  view.phase = master.phase();
  view.term = raft.term();
  view.vote = raft.vote();
  view.leader = raft.leader();
  view.epoch = master.epoch();
  view.held_since = master.HeldSince();
  view.lease_max = LeaseMax(raft, cell);
  view.commit = raft.commit();
  view.applied = applied;
  view.durable = started ? storage.durable_index() : LogIndex();
  view.changed_from = raft.TakeChangedFrom();
  view.rho_ppm = raft.configuration().rho_ppm();
  view.authority_until = raft.AuthorityUntil();
  view.log = &raft.log();
  view.cell = &cell;
}

}  // namespace bramah::replica

#include "core/replica/master.h"

#include <algorithm>

#include "core/api/path.h"

namespace bramah::replica {
namespace {

// A client takes no more at once.
constexpr int kItemsPerReply = 256;

bool IsRead(v1::CommandKind kind) { return kind >= v1::GET_CONTENTS && kind <= v1::CHECK_SEQUENCER; }

bool IsReplicatedForClients(v1::CommandKind kind) { return kind >= v1::END_SESSION && kind <= v1::BATCH; }

// OK, or why no log entry is spent on the command.
v1::Code TooMuch(const v1::Command& command) {
  size_t bytes = command.contents().size();
  for (const auto* parts : {&command.guards(), &command.parts(), &command.otherwise()}) {
    if (parts->size() > kBatchPartsMax) return v1::TOO_MANY_PARTS;
    size_t of_parts = 0;
    for (const v1::Command& part : *parts) of_parts += part.contents().size();
    bytes = std::max(bytes, of_parts);
  }
  return bytes > kContentBytesMax ? v1::TOO_LARGE : v1::OK;
}

v1::ItemKind ItemOf(v1::EventKind kind) {
  switch (kind) {
    case v1::EVENT_CONTENTS:
      return v1::ITEM_CONTENTS;
    case v1::EVENT_CHILDREN:
      return v1::ITEM_CHILDREN;
    case v1::EVENT_HANDLE_INVALID:
      return v1::ITEM_HANDLE_INVALID;
    case v1::EVENT_LOCK_ACQUIRED:
      return v1::ITEM_LOCK_ACQUIRED;
    case v1::EVENT_LOCK_REQUESTED:
      return v1::ITEM_LOCK_REQUESTED;
    default:
      return v1::ITEM_UNKNOWN;
  }
}

}  // namespace

Duration LeaseMax(const raft::Raft& raft, const cell::Cell& cell) {
  return std::max<Duration>(raft.configuration().lease_ns(), cell.lease_max());
}

Master::Master(const ServerConfig* config)
    : config_(config), length_(config->keepalive_spacing), caches_(config->session_cache_max, config->cache_max) {}

void Master::Recover(Epoch epoch) {
  phase_ = Phase::kRecovering;
  epoch_ = epoch;
}

void Master::TakeOver(MasterContext& m) {
  taken_over_ = true;
  const Duration least = m.raft.configuration().lease_ns();
  leases_.Configure(least, config_->keepalive_margin, config_->session_items_max);
  length_.TakeOver(m.ctx.now, least, leases_.margin(), LeaseMax(m.raft, m.cell));
  // L3: from now on, the longest lease that any predecessor may have granted.
  leases_.SetLength(length_.granted());
  leases_.TakeOver(m.ctx.now, m.cell.Sessions());
  m.ctx.out.Event(CoreEvent::kMasterRecovering).epoch = epoch_;
  for (const SessionId session : m.cell.Sessions()) {
    if (m.cell.Caches(session)) unflushed_.insert(session);
  }
  SOMETIMES(m.ctx.out.probes(), kFailOverBarrier, !unflushed_.empty());
  ServeIfFlushed(m);
}

void Master::ServeIfFlushed(MasterContext& m) {
  if (phase_ != Phase::kRecovering || !taken_over_ || !unflushed_.empty()) return;
  phase_ = Phase::kServing;
  retry_held_ = true;
  m.ctx.out.Event(CoreEvent::kMasterServing).epoch = epoch_;
}

void Master::FitLeases(MasterContext& m) {
  const Duration lease_max = length_.Fit(m.ctx.now, leases_.size());
  leases_.SetLength(length_.granted());
  if (lease_max == 0) return;
  m.ctx.out.Event(CoreEvent::kLeaseMaxProposed).time = lease_max;
  v1::Command command;
  command.set_kind(v1::SET_LEASE_MAX);
  command.set_lease_max_ns(lease_max);
  m.raft.Propose(m.ctx, raft::EntryKind::kCommand, command.SerializeAsString());  // refused: the mastership is over
}

void Master::Resign(MasterContext& m) {
  phase_ = Phase::kNone;
  epoch_ = Epoch();
  const auto send_elsewhere = [&](ConnId conn, uint64_t id, SessionId session) {
    v1::Reply& reply = m.ctx.out.Send<v1::Reply>(conn);
    reply.set_id(id);
    reply.set_session(session.value());
    reply.mutable_outcome()->set_code(v1::NOT_MASTER);
    Locate(m, *reply.mutable_located());
  };
  for (const auto& [index, pending] : pending_) {
    if (pending.session) send_elsewhere(pending.conn, pending.id, pending.session);
  }
  for (const Held& held : held_) {
    if (held.from.session) send_elsewhere(held.from.conn, held.from.id, held.from.session);
  }
  for (const Waiting& waiting : waiting_) {
    if (waiting.kind == Waiting::kRead) send_elsewhere(waiting.conn, waiting.id, waiting.session);
  }
  m.ctx.out.Cancel(TimerId::kSessions);
  *this = Master(config_);
}

void Master::Locate(const MasterContext& m, v1::Located& located) const {
  const ReplicaId leader = m.raft.leader();
  for (const v1::Member& member : m.raft.configuration().members()) {
    if (ReplicaId(member.id()) != leader) continue;
    located.set_master(member.id());
    located.set_endpoint(member.endpoint());
  }
  located.set_epoch(epoch_.value());
}

bool Master::HasAuthority(const MasterContext& m) const { return m.ctx.now < m.raft.AuthorityUntil(); }

bool Master::AcceptStream(MasterContext& m, ClientConn from, SessionId session, Lease& lease) {
  // The numbers of sessions are easily guessed, so whoever knows one could act for it otherwise [Chubby §2.3].
  if (!m.cell.CreatedWith(session, from.nonce, from.principal)) {
    m.ctx.out.probes().Reach(ProbeId::kMalformedMessage);
    return false;
  }
  // A number that comes again on another connection is a replay: a client counts its connections.
  if (from.stream < lease.stream || (from.stream == lease.stream && lease.conn && from.conn != lease.conn)) {
    m.ctx.out.probes().Reach(ProbeId::kStaleStreamDropped);
    return false;
  }
  lease.stream = from.stream;
  lease.conn = from.conn;
  return true;
}

// ------------------------------------------------------------------------------------------------------------------ sessions

void Master::OnKeepAlive(MasterContext& m, ClientConn from, const v1::KeepAlive& request) {
  const Epoch theirs(request.epoch());
  if (!taken_over_ || theirs > epoch_) return RefuseKeepAlive(m, from.conn, request, v1::NOT_MASTER);
  if (theirs < epoch_) {
    m.ctx.out.probes().Reach(ProbeId::kOldEpochRefused);
    return RefuseKeepAlive(m, from.conn, request, v1::WRONG_EPOCH);
  }
  const SessionId session(request.session());
  Lease* lease = leases_.Find(session);
  if (lease == nullptr) return RefuseKeepAlive(m, from.conn, request, v1::SESSION_EXPIRED, ReasonOf(session));
  if (!AcceptStream(m, from, session, *lease)) return;
  if (m.ctx.now > lease->expires) ExpireLapsed(m, session);
  leases_.Receive(m.ctx.now, session, request);
  unflushed_.erase(session);
  // What was never told cannot have been obeyed.
  if (caches_.Acknowledge(session, std::min(request.acknowledged(), lease->items.sent()))) retry_held_ = true;
  OnTimer(m);
}

void Master::RefuseKeepAlive(MasterContext& m, ConnId conn, const v1::KeepAlive& request, v1::Code code,
                             v1::SessionEnd reason) {
  v1::KeepAliveReply& reply = m.ctx.out.Send<v1::KeepAliveReply>(conn);
  reply.set_session(request.session());
  reply.set_nonce(request.nonce());
  reply.set_code(code);
  reply.set_epoch(epoch_.value());
  if (code == v1::NOT_MASTER) Locate(m, *reply.mutable_located());
  reply.set_reason(reason);
}

// On this replica's clock; kNever if none is pending, or a command that ends what has passed is under way.
Time Master::LockDelaysDue(const MasterContext& m) const {
  if (phase_ != Phase::kServing) return kNever;
  const Time end = m.cell.next_delay_end();
  return end == kNever || expiring_delays_ ? kNever : m.raft.WhenClusterTime(end);
}

// The entry says the time, so all replicas end the same delays by it [D-30].
void Master::ExpireLockDelays(MasterContext& m) {
  if (m.ctx.now < LockDelaysDue(m)) return;
  expiring_delays_ = true;
  WriteOwn(m, v1::EXPIRE_LOCK_DELAYS, SessionId(), v1::END_UNKNOWN);
}

void Master::OnTimer(MasterContext& m) {
  armed_at_ = kNever;
  if (!taken_over_) return;
  ExpireLockDelays(m);
  for (const SessionId session : leases_.Due(m.ctx.now)) {
    Lease* lease = leases_.Find(session);
    if (m.ctx.now > lease->expires) ExpireLapsed(m, session);
    if (!lease->held.has_value()) continue;
    if (lease->closing) {
      m.ctx.out.probes().Reach(ProbeId::kSessionClosingSeen);
      v1::KeepAlive request;
      request.set_session(session.value());
      request.set_nonce(lease->held->nonce);
      RefuseKeepAlive(m, lease->conn, request, v1::SESSION_CLOSING, lease->reason);
      leases_.Answered(session);
    } else if (config_->read_mode == ReadMode::kLease && HasAuthority(m)) {
      AnswerKeepAlive(m, session, m.ctx.now);
    } else {
      leases_.SetProving(session, true);
      Waiting waiting;
      waiting.kind = Waiting::kKeepAlive;
      waiting.session = session;
      Prove(m, std::move(waiting));
    }
  }
}

void Master::AnswerKeepAlive(MasterContext& m, SessionId session, Time proven_at) {
  Lease* lease = leases_.Find(session);
  if (lease == nullptr || !lease->held.has_value() || lease->closing) return;
  // An answer that only brings news does not extend: the client may be dead, and somebody may wait until it has read them. If it
  // lives, its next KeepAlive follows at once, and extends [C-52].
  if (lease->items.empty()) leases_.Extend(session, proven_at);
  v1::KeepAliveReply& reply = m.ctx.out.Send<v1::KeepAliveReply>(lease->conn);
  reply.set_session(session.value());
  reply.set_epoch(epoch_.value());
  reply.set_nonce(lease->held->nonce);
  reply.set_code(v1::OK);
  reply.set_hold_ns(m.ctx.now - lease->held->received);
  const Time told = std::min(lease->expires, proven_at + leases_.lease());
  reply.set_lease_ns(std::max<Duration>(0, told - m.ctx.now));
  reply.set_rho_ppm(m.raft.configuration().rho_ppm());
  reply.set_applied_index(m.applied.value());
  for (const ItemQueue::Entry& entry : lease->items.entries()) {
    if (reply.items_size() == kItemsPerReply) break;  // the next KeepAlive is answered at once
    *reply.add_items() = entry.item;
    lease->items.Sent(entry.item.number());
  }
  CoreEvent& event = m.ctx.out.Event(CoreEvent::kSessionLease);
  event.session = session;
  event.time = lease->expires;
  leases_.Answered(session, told);
}

void Master::AnswerCreate(MasterContext& m, const Waiting& waiting, Time proven_at) {
  Lease* lease = leases_.Find(waiting.session);
  if (lease == nullptr) return;  // it ended meanwhile; the client's next question is answered so
  leases_.Extend(waiting.session, proven_at);
  v1::CreateSessionReply& reply = m.ctx.out.Send<v1::CreateSessionReply>(waiting.conn);
  reply.set_code(v1::OK);
  reply.set_nonce_high(waiting.command.nonce_high());
  reply.set_nonce_low(waiting.command.nonce_low());
  reply.set_session(waiting.session.value());
  reply.set_epoch(epoch_.value());
  reply.set_hold_ns(m.ctx.now - waiting.received);
  reply.set_lease_ns(std::max<Duration>(0, std::min(lease->expires - m.ctx.now, proven_at + leases_.lease() - m.ctx.now)));
  reply.set_rho_ppm(m.raft.configuration().rho_ppm());
}

// ------------------------------------------------------------------------------------------------------------------ requests

void Master::Refuse(MasterContext& m, ConnId conn, const v1::Request& request, v1::Code code) {
  v1::Reply& reply = m.ctx.out.Send<v1::Reply>(conn);
  reply.set_id(request.id());
  reply.set_session(request.command().session());
  reply.set_epoch(epoch_.value());
  reply.mutable_outcome()->set_code(code);
  reply.mutable_outcome()->set_seq(request.command().seq());
  if (code == v1::NOT_MASTER) Locate(m, *reply.mutable_located());
}

void Master::OnRequest(MasterContext& m, ClientConn from, const v1::Request& request) {
  const v1::Command& command = request.command();
  const Epoch theirs(request.epoch());
  if (!taken_over_ || theirs > epoch_) return Refuse(m, from.conn, request, v1::NOT_MASTER);
  if (theirs < epoch_) {
    m.ctx.out.probes().Reach(ProbeId::kOldEpochRefused);
    return Refuse(m, from.conn, request, v1::WRONG_EPOCH);
  }
  const SessionId session(command.session());
  Lease* lease = leases_.Find(session);
  if (lease == nullptr) return Refuse(m, from.conn, request, v1::SESSION_EXPIRED);
  if (!AcceptStream(m, from, session, *lease)) return;
  if (lease->closing) return Refuse(m, from.conn, request, v1::SESSION_CLOSING);
  if (IsRead(command.kind())) {
    Waiting waiting;
    waiting.kind = Waiting::kRead;
    waiting.conn = from.conn;
    waiting.id = request.id();
    waiting.session = session;
    waiting.read_index = m.raft.commit();
    waiting.command = command;
    if (phase_ != Phase::kServing) return Hold(std::move(waiting));
    const bool authority = config_->read_mode == ReadMode::kLease && HasAuthority(m);
    if (authority && waiting.read_index <= m.applied) return AnswerRead(m, waiting);
    if (authority) waiting.round = m.raft.ConfirmedRound();  // only what is committed has to be applied yet
    SOMETIMES(m.ctx.out.probes(), kReadRefusedNoAuthority, !authority);
    return Prove(m, std::move(waiting));
  }
  // Refusals that depend on the request alone are the same for every copy of it, so they need no entry.
  const bool good = IsReplicatedForClients(command.kind()) && command.seq() != 0 && command.covers().empty();
  if (!good) return Refuse(m, from.conn, request, v1::MALFORMED);
  if (const v1::Code code = TooMuch(command); code != v1::OK) return Refuse(m, from.conn, request, code);
  WriteFor(m, from, request);
}

void Master::OnApplied(MasterContext& m, LogIndex index, const v1::Command& command, const cell::Applied& applied) {
  if (!taken_over_ || Settled(m, index, command, applied)) return;
  if (command.kind() == v1::SET_LEASE_MAX) length_.Applied(LeaseMax(m.raft, m.cell));
  const SessionId created(command.kind() == v1::CREATE_SESSION && applied.outcome.code() == v1::OK ? applied.outcome.session()
                                                                                                   : 0);
  if (created && leases_.Find(created) == nullptr) leases_.Open(m.ctx.now, created);
  if (applied.ended) OnEnded(m, applied.ended, static_cast<v1::SessionEnd>(command.reason()));
  for (const cell::Decision& decision : applied.decisions) {
    const bool granted = decision.kind == cell::Decision::kGranted;
    leases_.Queue(m.ctx.now, decision.session, granted ? v1::ITEM_LOCK_GRANTED : v1::ITEM_HANDLE_INVALID, decision.handle,
                  decision.seq, decision.generation, decision.permit);
  }
  for (const cell::Notice& notice : applied.notices) {
    const bool merged =
        leases_.QueueEvent(m.ctx.now, notice.session, ItemOf(notice.kind), notice.handle, notice.generation);
    SOMETIMES(m.ctx.out.probes(), kEventsMerged, merged);
  }
  const auto it = pending_.find(index);
  if (it == pending_.end()) return;
  const Pending pending = it->second;
  pending_.erase(it);
  if (command.kind() == v1::CREATE_SESSION) {
    creating_.erase({command.nonce_high(), command.nonce_low()});
    if (!created) {
      v1::CreateSessionReply& reply = m.ctx.out.Send<v1::CreateSessionReply>(pending.conn);
      reply.set_code(applied.outcome.code());
      reply.set_nonce_high(command.nonce_high());
      reply.set_nonce_low(command.nonce_low());
      reply.set_epoch(epoch_.value());
      return;
    }
    Waiting waiting;
    waiting.kind = Waiting::kCreate;
    waiting.conn = pending.conn;
    waiting.session = created;
    waiting.command = command;
    waiting.received = pending.received;
    if (config_->read_mode == ReadMode::kLease && HasAuthority(m)) {
      AnswerCreate(m, waiting, m.ctx.now);
    } else {
      Prove(m, std::move(waiting));
    }
    return;
  }
  in_flight_.erase({pending.session, pending.seq});
  v1::Reply& reply = m.ctx.out.Send<v1::Reply>(pending.conn);
  reply.set_id(pending.id);
  reply.set_session(pending.session.value());
  reply.set_epoch(epoch_.value());
  reply.set_applied_index(m.applied.value());
  *reply.mutable_outcome() = applied.outcome;
  if (!applied.duplicate) LetKeep(m, command, reply);  // a repeated answer says what was, not what is
}

void Master::LetKeep(MasterContext& m, const v1::Command& command, v1::Reply& reply) {
  const SessionId session(command.session());
  Lease* lease = leases_.Find(session);
  if (lease == nullptr || lease->closing || !m.cell.Caches(session)) return;
  const Touch touch = DependsOn(command, reply.outcome());
  if (touch.classes == 0) return;
  // A kept Open lets the handle be opened again: with rights that only the node itself can take away.
  if (command.kind() == v1::OPEN && touch.id == reply.outcome().instance() && !m.cell.RightsAreItsOwn(Position(touch.id))) return;
  reply.set_item_number(lease->items.last_number());
  const CacheTable::Kept kept = caches_.Register(session, touch, lease->items.last_number());
  if (kept == CacheTable::Kept::kYes) reply.set_classes(touch.classes);
  if (kept == CacheTable::Kept::kFull) caches_.Flushing(session, leases_.QueueInvalidation(m.ctx.now, session, Touch()));
}

void Master::AnswerRead(MasterContext& m, const Waiting& waiting) {
  v1::Reply& reply = m.ctx.out.Send<v1::Reply>(waiting.conn);
  reply.set_id(waiting.id);
  reply.set_session(waiting.session.value());
  reply.set_epoch(epoch_.value());
  reply.set_applied_index(m.applied.value());
  m.cell.Read(waiting.command, *reply.mutable_outcome());
  LetKeep(m, waiting.command, reply);
}

// -------------------------------------------------------------------------------------------------------------------- proofs

void Master::Prove(MasterContext& m, Waiting waiting) {
  waiting.asked = m.ctx.now;
  waiting_.push_back(std::move(waiting));
}

// A read that came before this master serves; copies take each other's place.
void Master::Hold(Waiting read) {
  for (Waiting& other : waiting_) {
    if (other.kind != Waiting::kRead || other.session != read.session || other.id != read.id) continue;
    other = std::move(read);
    return;
  }
  if (waiting_.size() < config_->requests_inflight_max) waiting_.push_back(std::move(read));
}

void Master::AnswerProven(MasterContext& m, const Waiting& waiting, Time proven_at) {
  switch (waiting.kind) {
    case Waiting::kRead:
      m.ctx.out.probes().Reach(ProbeId::kReadConfirmedByRound);
      return AnswerRead(m, waiting);
    case Waiting::kCreate:
      return AnswerCreate(m, waiting, proven_at);
    case Waiting::kKeepAlive: {
      const Lease* lease = leases_.Find(waiting.session);
      if (lease == nullptr || !lease->held.has_value()) return;
      // The proof must not be older than the KeepAlive that it answers.
      if (lease->held->received <= proven_at) return AnswerKeepAlive(m, waiting.session, proven_at);
      return leases_.SetProving(waiting.session, false);
    }
  }
}

void Master::Settle(MasterContext& m) {
  if (!taken_over_) return;
  FitLeases(m);
  ServeIfFlushed(m);
  if (retry_held_) RetryHeld(m);
  const auto unproven = [this](const Waiting& w) {
    return w.round == 0 && (w.kind == Waiting::kKeepAlive || phase_ == Phase::kServing);
  };
  if (std::any_of(waiting_.begin(), waiting_.end(), unproven)) {
    const uint64_t round = m.raft.StartRound(m.ctx);
    for (Waiting& waiting : waiting_) {
      if (unproven(waiting)) waiting.round = round;
    }
  }
  const auto proven = [&](const Waiting& w) {
    return w.round != 0 && w.round <= m.raft.ConfirmedRound() && w.read_index <= m.applied;
  };
  for (const Waiting& waiting : waiting_) {
    if (proven(waiting)) AnswerProven(m, waiting, waiting.asked);
  }
  waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), proven), waiting_.end());
  const Time due = std::min({leases_.NextDue(), LockDelaysDue(m), length_.FitAt()});
  // Moved only to an earlier instant: almost every step would move it a little later.
  if (due >= armed_at_) return;
  armed_at_ = due;
  m.ctx.out.Arm(TimerId::kSessions, std::max(due, m.ctx.now));
}

}  // namespace bramah::replica

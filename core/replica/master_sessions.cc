// Sessions that come and go: creation, takeover, and the two steps of an end that the client did not ask for.
//
// Takeover. A client that starts again may name the session of its former life, with the nonce by which that was created: only
// its creator knows it. The former session ends first, by an entry of its own, and the new one is proposed when that has been
// applied: so its client never meets locks that its former life seems to hold. Two entries rather than one, because an end may
// have to wait for caches and to be proposed again, which a creation never has to; nothing is lost between the two, for a
// takeover of a session that is gone is an ordinary creation, under this master or the next.
//
// Whether somebody relies on the former session yet is the caller's word (`former_is_gone`), which needs a proof such as a lock
// of the operating system. Without it the session is closing until its lease has run out, like any other. That its client has
// acknowledged this cannot be told from its next KeepAlive: an answer of before may have been the one that it read.
#include <utility>

#include "core/replica/master.h"

namespace bramah::replica {
namespace {

// Taken over sessions whose clients are told so when they ask; the others hear of an ordinary end.
constexpr size_t kSupplantedMax = 1'024;

bool SameNonce(const v1::CreateSession& a, const v1::CreateSession& b) {
  return a.nonce_high() == b.nonce_high() && a.nonce_low() == b.nonce_low();
}

}  // namespace

void Master::OnCreateSession(MasterContext& m, ClientConn from, const v1::CreateSession& request) {
  if (taken_over_ && phase_ == Phase::kRecovering) return;  // the client asks again
  if (phase_ != Phase::kServing) return RefuseCreate(m, from.conn, request, v1::NOT_MASTER);
  const auto under_way = creating_.find({request.nonce_high(), request.nonce_low()});
  if (under_way != creating_.end()) {
    pending_[under_way->second].conn = from.conn;
    return;
  }
  if (pending_.size() >= config_->requests_inflight_max) return;
  if (request.takes_over() != 0 && takeovers_.size() >= config_->requests_inflight_max) return;
  if (TakesOver(m, from, request)) Create(m, {from.conn, from.principal, request, m.ctx.now});
}

void Master::Create(MasterContext& m, const Takeover& creation) {
  v1::Command command;
  command.set_kind(v1::CREATE_SESSION);
  command.set_nonce_high(creation.request.nonce_high());
  command.set_nonce_low(creation.request.nonce_low());
  command.set_principal(creation.principal);
  command.set_caches(creation.request.caches());
  const auto index = m.raft.Propose(m.ctx, raft::EntryKind::kCommand, command.SerializeAsString());
  if (!index.has_value()) return;
  creating_[{creation.request.nonce_high(), creation.request.nonce_low()}] = *index;
  pending_[*index] = Pending{creation.conn, 0, SessionId(), RequestSeq(), creation.received};
}

void Master::RefuseCreate(MasterContext& m, ConnId conn, const v1::CreateSession& request, v1::Code code) {
  v1::CreateSessionReply& reply = m.ctx.out.Send<v1::CreateSessionReply>(conn);
  reply.set_code(code);
  reply.set_nonce_high(request.nonce_high());
  reply.set_nonce_low(request.nonce_low());
  reply.set_epoch(epoch_.value());
  if (code == v1::NOT_MASTER) Locate(m, *reply.mutable_located());
}

// By whom and for whom a session was created never changes, so the answer is right even if this master has been deposed.
bool Master::TakesOver(MasterContext& m, ClientConn from, const v1::CreateSession& request) {
  const SessionId former(request.takes_over());
  if (!former || !m.cell.HasSession(former)) return true;  // it is gone, as was wanted
  const session::Nonce nonce{request.former_high(), request.former_low()};
  const bool itself = nonce == session::Nonce{request.nonce_high(), request.nonce_low()};
  if (itself || !m.cell.CreatedWith(former, nonce, from.principal)) {
    RefuseCreate(m, from.conn, request, v1::TAKEOVER_REFUSED);
    return false;
  }
  const auto [at, first] = takeovers_.try_emplace(former);
  Takeover& takeover = at->second;
  // The hold of the answer is counted from the first copy; a still later life takes the place of this one.
  const bool copy = !first && SameNonce(takeover.request, request);
  takeover = {from.conn, from.principal, request, copy ? takeover.received : m.ctx.now};
  CloseSession(m, former, v1::END_TAKEN_OVER);
  if (request.former_is_gone()) ExpireClosing(m, former);
  return false;
}

void Master::CloseSession(MasterContext& m, SessionId session, v1::SessionEnd reason) {
  const Lease* lease = leases_.Find(session);
  if (lease == nullptr || lease->closing) return;
  leases_.Close(session, reason);
  CoreEvent& event = m.ctx.out.Event(CoreEvent::kSessionClosing);
  event.session = session;
  event.reason = reason;
}

void Master::ExpireClosing(MasterContext& m, SessionId session) {
  const Lease* lease = leases_.Find(session);
  if (lease == nullptr || lease->ending) return;
  leases_.SetEnding(session);
  unflushed_.erase(session);
  if (caches_.Forget(session)) {
    retry_held_ = true;
    const bool lapsed = m.ctx.now > lease->expires;
    SOMETIMES(m.ctx.out.probes(), kWriteOutlastedCacher, lapsed && HeldSince() != kNever);
  }
  WriteOwn(m, v1::EXPIRE_SESSION, session, lease->reason);
}

// Closing begins and the lease has ended in the same instant, so the second step may follow at once.
void Master::ExpireLapsed(MasterContext& m, SessionId session) {
  const Lease* lease = leases_.Find(session);
  const bool asks = lease != nullptr && lease->AsksWithoutAcknowledging();
  CloseSession(m, session, asks ? v1::END_UNACKNOWLEDGED : v1::END_NO_KEEPALIVE);
  ExpireClosing(m, session);
}

void Master::OnEnded(MasterContext& m, SessionId session, v1::SessionEnd reason) {
  leases_.End(session);
  unflushed_.erase(session);
  if (caches_.Forget(session)) retry_held_ = true;
  if (reason == v1::END_TAKEN_OVER) {
    SOMETIMES(m.ctx.out.probes(), kSessionTakenOver, true);
    supplanted_.insert(session);
    if (supplanted_.size() > kSupplantedMax) supplanted_.erase(supplanted_.begin());
  }
  const auto at = takeovers_.find(session);
  if (at == takeovers_.end()) return;
  const Takeover creation = std::move(at->second);
  takeovers_.erase(at);
  Create(m, creation);
}

// An end that the client has begun it knows of itself.
v1::SessionEnd Master::ReasonOf(SessionId session) const {
  return supplanted_.contains(session) ? v1::END_TAKEN_OVER : v1::END_NO_KEEPALIVE;
}

}  // namespace bramah::replica

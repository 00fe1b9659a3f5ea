// How a command comes into the log: first nobody may keep what it touches, then it is proposed [Chubby §2.7, D-13, A-02].
//
// A command that has to wait does not stand in the way of others: those that touch the same things wait for the same clients, and
// those that become ready together are proposed in the order of their arrival [D-19]. What a command touches is asked again when
// it is ready, for the state has changed meanwhile: what is new then has to be waited for, too.
#include <algorithm>
#include <string>
#include <utility>

#include "core/replica/master.h"

namespace bramah::replica {
namespace {

// Gives something up, so that it makes room rather than taking it.
bool GivesUp(v1::CommandKind kind) {
  return kind == v1::CLOSE || kind == v1::POISON || kind == v1::RELEASE || kind == v1::END_SESSION;
}

// Whoever holds the locks of these nodes has no say in it.
bool TakesNodes(v1::CommandKind kind) {
  return kind == v1::DELETE || kind == v1::BATCH || kind == v1::END_SESSION || kind == v1::EXPIRE_SESSION;
}

// What `now` has beyond `before`.
Touches Beyond(const Touches& now, const Touches& before) {
  absl::btree_map<uint64_t, uint32_t> known;
  for (const Touch& touch : before) known[touch.id] |= touch.classes;
  Touches beyond;
  for (const Touch& touch : now) {
    const auto at = known.find(touch.id);
    const uint32_t classes = touch.classes & ~(at == known.end() ? 0 : at->second);
    if (classes == 0) continue;
    beyond.push_back({touch.id, classes});
    known[touch.id] |= classes;  // a command of several parts may name it again
  }
  return beyond;
}

}  // namespace

Time Master::HeldSince() const {
  for (const Held& held : held_) {
    if (held.prepared) return held.since;
  }
  return kNever;
}

Master::Held* Master::FindHeld(SessionId session, RequestSeq seq) {
  for (Held& held : held_) {
    if (held.from.session == session && held.from.seq == seq) return &held;
  }
  return nullptr;
}

void Master::WriteFor(MasterContext& m, ClientConn from, const v1::Request& request) {
  const v1::Command& command = request.command();
  const std::pair<SessionId, RequestSeq> key(SessionId(command.session()), RequestSeq(command.seq()));
  const auto copy = in_flight_.find(key);
  if (copy != in_flight_.end()) {
    Held* const held = copy->second ? nullptr : FindHeld(key.first, key.second);
    Pending& pending = held != nullptr ? held->from : pending_[copy->second];
    pending.conn = from.conn;
    pending.id = request.id();
    return;
  }
  const bool full = pending_.size() >= config_->requests_inflight_max || held_.size() >= config_->writes_held_max;
  if (full && !GivesUp(command.kind())) return;  // the client asks again
  // Whoever ends his session keeps nothing any more.
  if (command.kind() == v1::END_SESSION && caches_.Forget(key.first)) retry_held_ = true;
  Held write;
  write.from = Pending{from.conn, request.id(), key.first, key.second, m.ctx.now};
  write.command = command;
  Write(m, std::move(write));
}

void Master::WriteOwn(MasterContext& m, v1::CommandKind kind, SessionId session, v1::SessionEnd reason) {
  Held write;
  write.command.set_kind(kind);
  write.command.set_session(session.value());
  write.command.set_reason(reason);
  Write(m, std::move(write));
}

void Master::Write(MasterContext& m, Held write) {
  if (phase_ == Phase::kServing) {
    Prepare(m, write);
    if (Ready(write)) return Propose(m, write);
    m.ctx.out.probes().Reach(ProbeId::kWriteHeld);
    CoreEvent& event = m.ctx.out.Event(CoreEvent::kWriteHeld);
    event.session = SessionId(write.command.session());
    event.seq = RequestSeq(write.command.seq());
    event.command = write.command.kind();
  }
  if (write.from.session) in_flight_[{write.from.session, write.from.seq}] = LogIndex();
  held_.push_back(std::move(write));
}

// Makes uncachable what the command touches now and did not when it was prepared before, if it was.
void Master::Prepare(MasterContext& m, Held& write) {
  Touches touches;
  m.cell.TouchedBy(write.command, m.raft.ClusterTime(m.ctx.now), touches);
  Touches more = Beyond(touches, write.touches);
  if (write.prepared && more.empty()) return;
  RegisterHolders(m, write.command, more);
  caches_.Forbid(more);
  for (const CacheTable::Untold& untold : caches_.ToTell(more)) {
    const uint64_t number = leases_.QueueInvalidation(m.ctx.now, untold.session, untold.touch);
    caches_.Told(untold.session, untold.touch, number);
  }
  write.touches.insert(write.touches.end(), more.begin(), more.end());
  write.prepared = true;
  write.since = m.ctx.now;
}

// Whoever holds the lock of a node that is to go believes so until it is told.
void Master::RegisterHolders(MasterContext& m, const v1::Command& command, const Touches& touches) {
  if (!TakesNodes(command.kind())) return;
  for (const auto& [holder, id] : m.cell.HoldersToTell(command)) {
    Lease* lease = leases_.Find(holder);
    const Touch hold{id, v1::CACHE_HOLD};
    const bool untold = std::find(touches.begin(), touches.end(), hold) != touches.end();
    if (untold && lease != nullptr && !lease->ending) caches_.Believes(holder, hold, lease->items.last_number());
  }
}

bool Master::Ready(const Held& write) const {
  const bool own = WriterDropsOwn(write.command.kind()) && !write.touches.empty();
  return !caches_.Cached(write.touches, SessionId(write.command.session()), own ? write.touches.front().id : 0);
}

void Master::Propose(MasterContext& m, const Held& write) {
  v1::Command covers;  // two messages behind each other are one that has the fields of both
  SetCovers(write.touches, covers);
  const std::string payload = write.command.SerializeAsString() + covers.SerializeAsString();
  const uint32_t positions = write.command.kind() == v1::BATCH ? cell::PositionsOf(write.command) : 1;
  for (uint32_t i = 1; i < positions; ++i) ProposeReserve(m);
  const auto index = m.raft.Propose(m.ctx, raft::EntryKind::kCommand, payload);
  if (!index.has_value()) return;  // no longer leader: everything of this mastership is about to be forgotten
  if (!write.from.session) return;
  in_flight_[{write.from.session, write.from.seq}] = *index;
  pending_[*index] = write.from;
}

// Should the leader fall before the Batch is in the log, a position was not used.
void Master::ProposeReserve(MasterContext& m) {
  v1::Command reserve;
  reserve.set_kind(v1::RESERVE);
  m.raft.Propose(m.ctx, raft::EntryKind::kCommand, reserve.SerializeAsString());
}

void Master::RetryHeld(MasterContext& m) {
  retry_held_ = false;
  if (phase_ != Phase::kServing) return;
  for (Held& held : held_) {
    if (!held.prepared || Ready(held)) Prepare(m, held);
  }
  const auto wait = std::stable_partition(held_.begin(), held_.end(), [this](const Held& held) { return Ready(held); });
  for (auto at = held_.begin(); at != wait; ++at) Propose(m, *at);
  held_.erase(held_.begin(), wait);
}

bool Master::Settled(MasterContext& m, LogIndex index, const v1::Command& command, const cell::Applied& applied) {
  caches_.Allow(CoversOf(command));
  if (applied.outcome.code() != v1::RECHECK) {
    if (command.kind() == v1::EXPIRE_LOCK_DELAYS) expiring_delays_ = false;
    return false;
  }
  Held write;
  const auto pending = pending_.find(index);
  if (pending != pending_.end()) {
    write.from = pending->second;
    pending_.erase(pending);
  }
  write.command = command;
  write.command.clear_covers();
  Write(m, std::move(write));
  return true;
}

}  // namespace bramah::replica

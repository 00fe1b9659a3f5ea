#include "core/replica/leases.h"

#include <algorithm>

namespace bramah::replica {

void Leases::Configure(Duration lease, Duration margin, uint32_t items) {
  lease_ = lease;
  items_max_ = items;
  margin_ = std::min(margin, lease / 2);
}

void Leases::TakeOver(Time now, const std::vector<SessionId>& sessions) {
  Clear();
  for (const SessionId session : sessions) Open(now, session);
}

void Leases::Clear() {
  leases_.clear();
  due_.clear();
}

void Leases::Open(Time now, SessionId session) {
  Slot& slot = leases_[session];
  slot.lease.expires = std::max(slot.lease.expires, now + lease_);
  Schedule(session, slot.lease);
}

void Leases::End(SessionId session) {
  const auto it = leases_.find(session);
  if (it == leases_.end()) return;
  due_.erase({it->second.scheduled, session});
  leases_.erase(it);
}

Lease* Leases::Find(SessionId session) {
  const auto it = leases_.find(session);
  return it == leases_.end() ? nullptr : &it->second.lease;
}

void Leases::Receive(Time now, SessionId session, const v1::KeepAlive& request) {
  Lease* lease = Find(session);
  if (lease == nullptr || request.nonce() < lease->answered.nonce) return;
  if (lease->held.has_value() && request.nonce() < lease->held->nonce) return;
  lease->items.Acknowledge(request.acknowledged());
  Extend(session, now);
  // After leases became shorter the client may trust in less than it has.
  HeldKeepAlive held{request.nonce(), now, std::min(lease->expires, lease->told) - margin_};
  const auto repeats = [&](uint64_t nonce, Time received) {
    if (nonce != held.nonce) return;
    held.received = received;
    held.answer_at = now;
  };
  if (lease->held.has_value()) repeats(lease->held->nonce, lease->held->received);
  if (lease->introduced) repeats(lease->answered.nonce, lease->answered.received);
  const bool at_once = lease->closing || !lease->introduced || !lease->items.empty();
  if (at_once) held.answer_at = now;
  lease->held = held;
  Schedule(session, *lease);
}

uint64_t Leases::Queue(Time now, SessionId session, v1::ItemKind kind, HandleId handle, RequestSeq seq, Position generation,
                       uint32_t permit) {
  Lease* lease = Find(session);
  if (lease == nullptr) return 0;
  const uint64_t number = lease->items.Add(now, kind, handle, seq, generation.value(), 0, permit);
  Hurry(now, session, *lease);
  return number;
}

uint64_t Leases::QueueInvalidation(Time now, SessionId session, const Touch& touch) {
  Lease* lease = Find(session);
  if (lease == nullptr) return 0;
  const v1::ItemKind kind = touch.classes == 0 ? v1::ITEM_FLUSH : v1::ITEM_INVALIDATE;
  const uint64_t number = lease->items.Add(now, kind, HandleId(), RequestSeq(), touch.id, touch.classes);
  Hurry(now, session, *lease);
  return number;
}

bool Leases::QueueEvent(Time now, SessionId session, v1::ItemKind kind, HandleId handle, uint64_t generation) {
  Lease* lease = Find(session);
  if (lease == nullptr) return false;
  const bool merged = lease->items.AddEvent(now, kind, handle, generation, items_max_);
  Hurry(now, session, *lease);
  return merged;
}

void Leases::Hurry(Time now, SessionId session, Lease& lease) {
  if (lease.held.has_value()) lease.held->answer_at = now;
  Schedule(session, lease);
}

void Leases::Extend(SessionId session, Time at) {
  Lease* lease = Find(session);
  if (lease == nullptr || lease->closing) return;
  const Time from = lease->items.empty() ? at : std::min(at, lease->items.oldest());
  lease->expires = std::max(lease->expires, from + lease_);
  Schedule(session, *lease);
}

void Leases::SetProving(SessionId session, bool proving) {
  Lease* lease = Find(session);
  if (lease == nullptr) return;
  lease->proving = proving;
  Schedule(session, *lease);
}

void Leases::Answered(SessionId session, Time told) {
  Lease* lease = Find(session);
  if (lease == nullptr || !lease->held.has_value()) return;
  lease->told = told;
  lease->answered = {lease->held->nonce, lease->held->received};
  lease->held.reset();
  lease->proving = false;
  lease->introduced = true;
  Schedule(session, *lease);
}

void Leases::Close(SessionId session, v1::SessionEnd reason) {
  Lease* lease = Find(session);
  if (lease == nullptr || lease->closing) return;
  lease->closing = true;
  lease->reason = reason;
  lease->proving = false;  // the refusal needs no proof
  if (lease->held.has_value()) lease->held->answer_at = 0;
  Schedule(session, *lease);
}

void Leases::SetEnding(SessionId session) {
  Lease* lease = Find(session);
  if (lease == nullptr) return;
  lease->ending = true;
  Schedule(session, *lease);
}

std::vector<SessionId> Leases::Due(Time now) {
  std::vector<SessionId> sessions;
  for (const auto& [at, session] : due_) {
    if (at > now) break;
    sessions.push_back(session);
  }
  return sessions;
}

Time Leases::NextDue() const { return due_.empty() ? kNever : due_.begin()->first; }

Time Leases::DueTime(const Lease& lease) const {
  Time due = lease.ending ? kNever : lease.expires + 1;
  if (lease.held.has_value() && !lease.proving) due = std::min(due, lease.held->answer_at);
  return due;
}

void Leases::Schedule(SessionId session, const Lease& lease) {
  Slot& slot = leases_[session];
  const Time due = DueTime(lease);
  if (due == slot.scheduled) return;
  if (slot.scheduled != kNever) due_.erase({slot.scheduled, session});
  if (due != kNever) due_.insert({due, session});
  slot.scheduled = due;
}

}  // namespace bramah::replica

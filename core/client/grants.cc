// What becomes of Acquires: grants, and what may end a hold without a Release - Deletes of the node, by whomever.
#include <algorithm>
#include <vector>

#include "core/client/calls.h"
#include "core/client/handle_ids.h"

namespace bramah::client {

void Calls::OnGrantItem(const Context& context, const v1::SessionItem& item) {
  const auto at = std::find_if(calls_.begin(), calls_.end(), [&item](const auto& entry) {
    const Pending& pending = entry.second;
    return pending.command.kind() == v1::ACQUIRE && pending.command.seq() != 0 && pending.command.seq() == item.seq() &&
           AtMaster(HandleId(pending.command.handle())).value() == item.handle() && pending.stage != Stage::kGranted;
  });
  if (at == calls_.end()) return;  // given up since, or told by a Reply
  if (item.kind() == v1::ITEM_LOCK_GRANTED) {
    return OnGrant(context, at, {Position(item.generation()), item.permit()});
  }
  v1::Outcome outcome;
  outcome.set_code(v1::STALE_HANDLE);
  if (item.kind() == v1::ITEM_HANDLE_INVALID) Complete(context, at, outcome);
}

// The lock is held in the cell, or was before the node went away. Only an active session may believe it, and only if no Delete of
// the node is on its way; else it is told later.
void Calls::OnGrant(const Context& context, PendingMap::iterator at, const Grant& grant) {
  Pending& pending = at->second;
  const HandleId id(pending.command.handle());
  if (context.state != SessionState::kActive || Deletes(id)) {
    pending.stage = Stage::kGranted;
    pending.grant = grant;
    return;
  }
  Handle* const handle = Find(id);
  if (handle != nullptr && (handle->deleted || handle->revoked)) {
    v1::Outcome gone;
    gone.set_code(handle->deleted ? v1::STALE_HANDLE : v1::CANCELLED);
    if (!handle->hold) handle->hold = RequestSeq(pending.command.seq());
    Complete(context, at, gone);
    return GiveBack(context, id);
  }
  if (handle != nullptr) {
    // A second Acquire of the same handle and mode changes nothing: the hold keeps the seq of the first [D-37].
    if (!handle->hold) handle->hold = RequestSeq(pending.command.seq());
    handle->granted = grant;
    handle->granted_mode = pending.command.mode();
    const v1::LockMode mode = pending.command.mode();
    beliefs_.Start(context.session, {handle->path, id, mode, grant.generation, handle->hold, grant.permit}, context.out);
  }
  v1::Outcome outcome;
  outcome.set_code(v1::OK);
  outcome.set_lock_generation(grant.generation.value());
  outcome.set_permit(grant.permit);
  outcome.set_lock_mode(pending.command.mode());
  Complete(context, at, outcome);
}

// The application does not know that the handle holds; should the node stay, nobody else would get the lock.
void Calls::GiveBack(const Context& context, HandleId id) {
  const auto at = calls_.emplace(++last_id_, Pending()).first;
  at->second.told = true;
  at->second.command.set_kind(v1::RELEASE);
  at->second.command.set_handle(id.value());
  Advance(context, id);
}

// A Delete of the node may happen, or has, that nothing more will be heard of here.
void Calls::RevokeAll(Position instance) {
  for (auto& [id, handle] : handles_) handle.revoked = handle.revoked || (instance && handle.instance == instance);
}

bool Calls::Deletes(HandleId id) {
  const Handle* const handle = Find(id);
  return handle != nullptr && std::any_of(calls_.begin(), calls_.end(), [&](const auto& entry) {
           const Pending& pending = entry.second;
           const bool issued = pending.stage == Stage::kIssued && pending.command.kind() == v1::DELETE;
           return issued && (pending.command.handle() == id.value() || pending.instance == handle->instance);
         });
}

// Also those of other handles on the node: they would lose it without being told.
void Calls::EndBeliefsOf(const Context& context, HandleId id) {
  const Handle* const handle = Find(id);
  beliefs_.End(context.session, id, context.out);
  if (handle == nullptr || !handle->instance) return;
  for (const auto& [other, its] : handles_) {
    if (its.instance == handle->instance) beliefs_.End(context.session, other, context.out);
  }
}

// A Delete of the node was answered, or given up: what was granted meanwhile is held, or gone with it, or nobody knows.
void Calls::SettleGrants(const Context& context, Position instance) {
  std::vector<uint64_t> granted;
  for (const auto& [call, pending] : calls_) {
    if (pending.stage == Stage::kGranted && pending.instance == instance) granted.push_back(call);
  }
  for (const uint64_t call : granted) {
    const auto at = calls_.find(call);
    if (at != calls_.end()) OnGrant(context, at, at->second.grant);
  }
}

// Somebody deletes the node whose lock is held here. Even if that fails in the end, nothing is believed of the handle any more:
// the master goes on as soon as it hears that this was read.
void Calls::Revoke(const Context& context, uint64_t hold) {
  for (auto& [id, handle] : handles_) {
    if (HoldId(context.session, AtMaster(id)) != hold) continue;
    Revoke(context, id, handle);
  }
}

void Calls::Revoke(const Context& context, HandleId id, Handle& handle) {
  handle.revoked = true;
  beliefs_.End(context.session, id, context.out);
}

// ---- after a lapse

// An Acquire that was sent may have been granted before the lapse, and its answer been lost.
void Calls::DoubtHolds() {
  for (auto& [id, handle] : handles_) {
    handle.doubted = handle.doubted || (handle.open && !handle.poisoned && handle.hold);
  }
  for (const auto& [call, pending] : calls_) {
    Handle* const handle = Find(HandleId(pending.command.handle()));
    const bool acquires = pending.command.kind() == v1::ACQUIRE && pending.stage != Stage::kBlocked;
    if (acquires && handle != nullptr && handle->open) handle->doubted = true;
  }
  NoteDoubts();
}

// What holds at the present master cannot be deleted without its holder being told.
void Calls::SettleDoubt(const Context& context, HandleId id, const v1::Outcome& look) {
  Handle* const handle = Find(id);
  if (handle == nullptr || !handle->doubted) return;
  handle->doubted = false;
  NoteDoubts();
  if (look.code() != v1::STALE_HANDLE && look.code() != v1::BAD_HANDLE) return;
  SOMETIMES(context.out.probes(), kHoldLostInLapse, true);
  Revoke(context, id, *handle);
}

void Calls::NoteDoubts() {
  any_doubt_ = std::any_of(handles_.begin(), handles_.end(), [](const auto& entry) { return entry.second.doubted; });
}

}  // namespace bramah::client

// What becomes of calls when their answers come, and the library's own questions about what a handle still holds.
#include <utility>

#include "core/client/calls.h"
#include "core/client/handle_ids.h"
#include "core/client/kinds.h"

namespace bramah::client {

void Calls::OnOutcome(const Context& context, uint64_t id, const v1::Outcome& outcome, const Freshness& fresh) {
  const auto at = calls_.find(id);
  if (at == calls_.end() || (at->second.stage != Stage::kIssued && at->second.stage != Stage::kQueued)) return;
  const v1::Command& command = at->second.command;
  const bool acquire = command.kind() == v1::ACQUIRE;
  SettleReads(at->second);
  if (outcome.code() == v1::QUEUED) {
    if (!acquire || command.try_only()) return;
    at->second.confirmed = true;
    if (at->second.stage == Stage::kQueued) return;
    // The wait is replicated: the call no longer keeps the cell from forgetting later answers.
    at->second.stage = Stage::kQueued;
    unanswered_.erase(command.seq());
    const HandleId handle(command.handle());
    if (Handle* const target = Find(handle)) target->issued = 0;
    return GoOn(context, handle);
  }
  if (acquire && outcome.code() == v1::OK) {
    return OnGrant(context, at, {Position(outcome.lock_generation()), outcome.permit()});
  }
  if (outcome.code() == v1::TOO_MANY_HANDLES && AskAgainWithoutKept(context, at)) return;
  Keep(context, at->second, outcome, fresh);
  Complete(context, at, outcome);
}

void Calls::OnItem(const Context& context, const v1::SessionItem& item) {
  if (item.kind() == v1::ITEM_EVENTS_LOST) {
    context.out.Event(CoreEvent::kEventsLost).session = context.session;
    SOMETIMES(context.out.probes(), kEventsLost, true);
    return LookAtAll(context);
  }
  if (item.kind() == v1::ITEM_INVALIDATE || item.kind() == v1::ITEM_FLUSH) return Invalidate(context, item);
  if (item.kind() == v1::ITEM_LOCK_REQUESTED) OnLockRequested(context, NameOf(HandleId(item.handle())));
  if (item.seq() == 0) return watches_.OnItem(context.session, item, context.out);
  OnGrantItem(context, item);
}

void Calls::Complete(const Context& context, PendingMap::iterator at, const v1::Outcome& outcome) {
  Pending& pending = at->second;
  const bool leave = Leaves(pending.command.kind());
  const bool remove = pending.command.kind() == v1::DELETE;
  const Position instance = pending.instance;
  if (leave && outcome.code() == v1::LIMIT_REACHED) return;  // sent again by Retry
  const HandleId id(pending.command.handle());
  Settle(pending, outcome);
  Answer(context, pending, leave ? v1::OK : outcome.code(), leave ? nullptr : &outcome);
  if (Handle* const handle = Find(id); handle != nullptr && handle->issued == at->first) handle->issued = 0;
  if (pending.command.kind() == v1::BATCH) {
    SettleBatch(context, at->first, pending, outcome);
    Erase(at);
    return Resume(context);
  }
  if (pending.look) SettleDoubt(context, id, outcome);
  SettleWatch(context, pending, outcome);
  const uint64_t call = at->first;
  Erase(at);
  if (leave) LookAfterGivenUp(context, call);
  if (remove) SettleGrants(context, instance);
  GoOn(context, id);
}

void Calls::SettleWatch(const Context& context, const Pending& pending, const v1::Outcome& outcome) {
  const HandleId id(pending.command.handle());
  const bool ok = outcome.code() == v1::OK;
  Handle* const handle = Find(id);
  if (pending.look && handle != nullptr && ChangesNode(handle->issued)) {
    handle->look_again = true;  // else the application would be told of what it does itself [D-23]
  } else if (pending.look) {
    if (ok || outcome.code() == v1::STALE_HANDLE) watches_.OnLook(context.session, id, outcome, context.out);
  } else if (pending.command.kind() == v1::OPEN && ok) {
    if (watches_.Opened(context.session, id, outcome, context.out)) Look(context, id);
  } else if (pending.command.kind() == v1::OPEN) {
    watches_.Remove(id);
  } else if (ChangesContents(pending.command.kind()) || pending.command.kind() == v1::DELETE) {
    if (ok && ChangesContents(pending.command.kind())) {
      watches_.Wrote(context.session, id, outcome.content_generation(), context.out);
    }
    if (ok && pending.command.kind() == v1::DELETE) watches_.Deleted(id);
    if (handle != nullptr && std::exchange(handle->look_again, false)) Look(context, id);
  }
}

bool Calls::ChangesNode(uint64_t id) const {
  const auto at = calls_.find(id);
  if (at == calls_.end()) return false;
  const v1::CommandKind kind = at->second.command.kind();
  return ChangesContents(kind) || kind == v1::DELETE || kind == v1::BATCH;
}

bool Calls::IsLook(uint64_t id) const {
  const auto at = calls_.find(id);
  return at != calls_.end() && at->second.look;
}

void Calls::LookAtAll(const Context& context) {
  GiveBackKeptLocks(context);
  for (const HandleId handle : watches_.Suspect()) Look(context, handle);
  for (const auto& [id, handle] : handles_) {
    if (handle.doubted) Look(context, id);
  }
}

// Beside the handle's queue: it is a read, and nobody waits for it. One question at a time is enough, but it must be asked after
// whatever made it necessary.
void Calls::Look(const Context& context, HandleId handle) {
  for (auto at = calls_.begin(); at != calls_.end();) {
    at = at->second.look && at->second.command.handle() == handle.value() ? Erase(at) : std::next(at);
  }
  const uint64_t id = ++last_id_;
  Pending& look = calls_[id];
  look.told = true;
  look.look = true;
  look.stage = Stage::kIssued;
  look.command.set_kind(v1::GET_STAT);
  look.command.set_handle(handle.value());
  if (const Handle* const target = Find(handle)) look.instance = target->instance;
  Transmit(context, id, look);
}

// A call of the handle no longer stands in the way of others.
void Calls::GoOn(const Context& context, HandleId id) {
  if (starved_ && !WindowFull()) return Resume(context);
  Advance(context, id);
}

// What the answer means for the handle.
void Calls::Settle(const Pending& pending, const v1::Outcome& outcome) {
  const HandleId id(pending.command.handle());
  Handle* const handle = Find(id);
  if (handle == nullptr) return;
  const bool ok = outcome.code() == v1::OK;
  switch (pending.command.kind()) {
    case v1::OPEN:
      handle->open = ok;
      owns_ = owns_ || (ok && outcome.created() && outcome.owner() != 0);
      handle->instance = Position(outcome.instance());
      handle->check_digits = outcome.check_digits();
      if (!ok) handles_.erase(id);
      break;
    case v1::DELETE:
      if (ok) Removed(*handle);
      break;
    case v1::RELEASE:
      // Refused without being executed: the lock is still held, though no longer believed, and may be released again.
      if (outcome.code() == v1::LIMIT_REACHED) handle->hold = RequestSeq(pending.command.acquire_seq());
      break;
    default:
      break;
  }
}

void Calls::Removed(Handle& handle) {
  handle.hold = RequestSeq();
  handle.lock_kept = false;
  handle.deleted = true;
  RevokeAll(handle.instance);
}

}  // namespace bramah::client

// What calls have to do with the cache: which are answered from it, which answers go into it.
#include <algorithm>

#include "core/client/calls.h"

namespace bramah::client {
bool Calls::KnownAbsent(const Context& context, const v1::Command& open) const {
  if (context.state != SessionState::kActive || MayCreate(open)) return false;
  return cache_.Absent(open.path(), open);
}

// Only through a handle that has read before: then it may. A handle with a sequencer must ask, for the lock may be lost [D-42].
const v1::Outcome* Calls::FromCache(const v1::Command& command) const {
  const auto handle = handles_.find(HandleId(command.handle()));
  if (handle == handles_.end() || !handle->second.reads || !handle->second.sequencer.empty()) return nullptr;
  return cache_.Find(CacheId(handle->second.instance), command);
}

// The copy goes before the change is sent, lest it be read after the change has been made [D-14].
void Calls::DropOwn(const Pending& pending) {
  if (!WriterDropsOwn(pending.command.kind()) || !pending.instance) return;
  cache_.Drop({CacheId(pending.instance), kCacheNode});
}

// A change of the node is over, or waits in a queue: what was read of it before may be what it was before.
void Calls::SettleReads(const Pending& change) {
  if (!WriterDropsOwn(change.command.kind()) || !change.instance) return;
  for (auto& [id, pending] : calls_) {
    if (pending.instance == change.instance) pending.keep = false;
    if (pending.command.kind() == v1::OPEN) pending.changed.push_back(change.instance);
  }
}

bool Calls::IsChanging(Position instance) const {
  return std::any_of(calls_.begin(), calls_.end(), [&](const auto& entry) {
    const Pending& pending = entry.second;
    return pending.stage == Stage::kIssued && pending.instance == instance && WriterDropsOwn(pending.command.kind());
  });
}

void Calls::Keep(const Context& context, const Pending& pending, const v1::Outcome& outcome, const Freshness& fresh) {
  Handle* const handle = Find(HandleId(pending.command.handle()));
  const Touch touch = DependsOn(pending.command, outcome);
  if (touch.classes == 0) return;
  const bool open = pending.command.kind() == v1::OPEN;
  if (handle != nullptr && outcome.code() == v1::OK && !open) handle->reads = true;
  if (!config_->cache || (touch.classes & ~fresh.classes) != 0 || context.state != SessionState::kActive) return;
  SOMETIMES(context.out.probes(), kOvertakenReply, fresh.overtaken);
  if (fresh.overtaken || !pending.keep || pending.cache_generation != cache_.generation()) return;
  const Position instance = open ? Position(outcome.instance()) : pending.instance;
  if (instance && IsChanging(instance)) return;
  if (std::find(pending.changed.begin(), pending.changed.end(), instance) != pending.changed.end()) return;
  // What is known of the node stays so without a gap, for the sake of handles that were opened before.
  if (!open || cache_.Since(touch.id, pending.command) == 0) cache_.Keep(touch, pending.command, outcome);
  if (open && handle != nullptr) handle->known_since = cache_.Since(touch.id, pending.command);
}

void Calls::Invalidate(const Context& context, const v1::SessionItem& item) {
  if (item.kind() == v1::ITEM_FLUSH) return FlushCache(context);
  if (item.classes() & v1::CACHE_HOLD) return Revoke(context, item.generation());
  const bool dropped = cache_.Drop({item.generation(), item.classes()});
  SOMETIMES(context.out.probes(), kCacheInvalidated, dropped);
}

void Calls::FlushCache(const Context& context) {
  if (cache_.Flush()) context.out.Event(CoreEvent::kCacheFlushed).session = context.session;
}

}  // namespace bramah::client

// Handles that the application has closed and the library has not, because the application may soon open the same again [Chubby
// §2.7, C-48]. To the cell a kept handle is one that its client does not use.
//
// When it may be used again. The answer to the new Open must be what the master would say now. The answer to the Open that
// made the handle is kept like any other, and depends on the node's metadata: while it is kept, the name denotes that instance
// and its ACL generation has not changed. The handle is given out only if that answer has been kept without a gap since its own
// Open, so that the rights it has are those that it would be given. The master gives leave to keep it only if the ACLs depend on
// no file. An Open that has to create goes to the master.
//
// What a kept handle must not be. One use must not be felt in the next: so it holds no lock and waits for none, has no sequencer,
// no unanswered call and no events, and was not poisoned; and one handle is never two to the application, for locks are its own.
// An ephemeral node lives by its handles, so their Close must be told.
//
// What it costs. It counts against the handles that a session may have: all are given back when there are too many. One that is
// of no use any more is closed when its name is opened again, or when there are too many kept, and not at once: a write to a file
// that many have kept open would be followed by as many Closes. None keeps an idle session from ending.
#include <algorithm>
#include <utility>

#include "core/client/calls.h"
#include "core/client/handle_ids.h"

namespace bramah::client {

uint32_t Calls::RightsOf(const v1::Command& open) {
  return open.open_flags() & ~static_cast<uint32_t>(v1::OPEN_MAY_CREATE | v1::OPEN_MUST_CREATE);
}

const v1::Outcome* Calls::StillKnown(const Handle& handle) const {
  v1::Command open;
  open.set_kind(v1::OPEN);
  const uint64_t id = CacheId(handle.instance);
  return handle.known_since != 0 && cache_.Since(id, open) == handle.known_since ? cache_.Find(id, open) : nullptr;
}

// Answers the Close, if the handle can be of use once more.
bool Calls::KeepHandle(const Context& context, CallId close, HandleId id, Handle& handle) {
  if (!handle.may_be_kept || !MayBeUsedAgain(id) || context.state != SessionState::kActive || ending()) return false;
  const bool at_rest = !handle.hold && !handle.deleted && !handle.revoked && handle.sequencer.empty();
  const bool called = std::any_of(calls_.begin(), calls_.end(),
                                  [id](const auto& entry) { return Uses(entry.second.command, id); });
  if (!at_rest || called || StillKnown(handle) == nullptr) return false;
  handle.lock_wanted = false;
  kept_handles_.push_back({id, std::move(handle)});
  handles_.erase(id);
  if (kept_handles_.size() > kKeptHandlesMax) CloseKeptHandle(context, kept_handles_.begin());
  v1::Outcome& answer = context.out.Reply(close);
  answer.set_code(v1::OK);
  answer.set_handle(id.value());
  return true;
}

// Answers the Open with the latest of the handles that do for it.
bool Calls::OpenKeptHandle(const Context& context, CallId call, const v1::Command& open) {
  if (context.state != SessionState::kActive || (open.open_flags() & v1::OPEN_MUST_CREATE) || open.events() != 0) return false;
  const auto found = std::find_if(kept_handles_.rbegin(), kept_handles_.rend(), [&](const KeptHandle& kept) {
    const Handle& handle = kept.handle;
    return handle.path == open.path() && handle.open_flags == RightsOf(open) && handle.lock_delay_ns == open.lock_delay_ns() &&
           StillKnown(handle) != nullptr;
  });
  if (found == kept_handles_.rend()) return false;
  const HandleId id = NextUse(found->id);
  const Handle& handle = handles_[id] = std::move(found->handle);
  kept_handles_.erase(std::next(found).base());
  CoreEvent& event = context.out.Event(CoreEvent::kCacheHit);
  event.session = context.session;
  event.handle = id;
  event.command = v1::OPEN;
  v1::Outcome& answer = context.out.Reply(call);
  answer = *StillKnown(handle);
  answer.clear_seq();
  answer.clear_created();
  answer.set_handle(id.value());
  answer.set_check_digits(handle.check_digits);
  return true;
}

void Calls::CloseUselessHandles(const Context& context, const std::string& path) {
  for (auto at = kept_handles_.begin(); at != kept_handles_.end();) {
    if (at->handle.path != path || StillKnown(at->handle) != nullptr) {
      ++at;
      continue;
    }
    const auto place = at - kept_handles_.begin();
    CloseKeptHandle(context, at);
    at = kept_handles_.begin() + place;
  }
}

// It holds nothing and its node is not ephemeral, so this changes nothing that anybody keeps: it names no instance.
void Calls::CloseKeptHandle(const Context& context, std::vector<KeptHandle>::iterator at) {
  Pending leave;
  leave.told = true;
  leave.command.set_kind(v1::CLOSE);
  leave.command.set_handle(at->id.value());
  kept_handles_.erase(at);
  Issue(context, calls_.emplace(++last_id_, std::move(leave)).first);
}

// True: the Open is asked again, behind the Closes of what was kept, under a number of its own, for the first is answered.
bool Calls::AskAgainWithoutKept(const Context& context, PendingMap::iterator open) {
  if (open->second.command.kind() != v1::OPEN || kept_handles_.empty()) return false;
  const HandleId id(open->second.command.handle());
  Pending again = open->second;
  Erase(open);
  while (!kept_handles_.empty()) CloseKeptHandle(context, kept_handles_.begin());
  again.command.clear_seq();
  again.stage = Stage::kBlocked;
  again.sent = false;
  again.changed.clear();
  calls_.emplace(++last_id_, std::move(again));
  if (Handle* const handle = Find(id)) handle->issued = 0;
  Advance(context, id);
  return true;
}

// Rarely asked for, and rarer still of one that was used before.
HandleId Calls::NameOf(HandleId at_master) const {
  if (handles_.contains(at_master)) return at_master;
  const auto found = std::find_if(handles_.begin(), handles_.end(),
                                  [at_master](const auto& entry) { return AtMaster(entry.first) == at_master; });
  return found == handles_.end() ? HandleId() : found->first;
}

}  // namespace bramah::client

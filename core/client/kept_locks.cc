// Locks that the application has released and the library has not, because the application may soon want them again and nobody
// else does [Chubby §2.7, C-49]. The cell has the handle as holder all the while, so nothing is less safe than if the
// application had not released yet. What may go wrong is that others wait: the lock is given back as soon as one of them is heard
// of, and whenever that may have been missed.
#include <algorithm>
#include <utility>
#include <vector>

#include "core/client/calls.h"

namespace bramah::client {

bool Calls::AnswerFromKeptLock(const Context& context, Pending& pending) {
  const HandleId id(pending.command.handle());
  Handle* const handle = Find(id);
  if (handle == nullptr || !handle->keeps_lock || pending.told) return false;
  switch (pending.command.kind()) {
    case v1::RELEASE:
      return KeepLock(context, pending, *handle);
    case v1::GET_SEQUENCER:
      if (handle->lock_kept) Answer(context, pending, v1::LOCK_NOT_HELD);
      return handle->lock_kept;
    case v1::ACQUIRE:
      return TakeKeptLock(context, pending, *handle);
    default:
      return false;
  }
}

bool Calls::KeepLock(const Context& context, Pending& release, Handle& handle) {
  if (handle.lock_kept) {
    Answer(context, release, v1::LOCK_NOT_HELD);
    return true;
  }
  const HandleId id(release.command.handle());
  // What waits on the handle may be an Acquire that this would cancel, or one in another mode.
  const bool alone = std::none_of(calls_.begin(), calls_.end(), [&](const auto& entry) {
    return &entry.second != &release && !entry.second.look && entry.second.command.handle() == id.value();
  });
  const bool usable = handle.hold && !handle.revoked && !handle.deleted && handle.sequencer.empty() && !Deletes(id);
  if (!alone || !usable || handle.lock_wanted) return false;
  handle.lock_kept = true;
  beliefs_.End(context.session, id, context.out);
  Answer(context, release, v1::OK);
  SOMETIMES(context.out.probes(), kLockKept, true);
  return true;
}

bool Calls::TakeKeptLock(const Context& context, Pending& acquire, Handle& handle) {
  const HandleId id(acquire.command.handle());
  const bool kept = std::exchange(handle.lock_kept, false);
  if (!kept || handle.revoked || handle.deleted || Deletes(id)) {
    // Who holds already is not told again of those who wait.
    if (!handle.hold) handle.lock_wanted = false;
    return false;
  }
  const Grant& grant = handle.granted;
  const v1::LockMode mode = handle.granted_mode;
  beliefs_.Start(context.session, {handle.path, id, mode, grant.generation, handle.hold, grant.permit}, context.out);
  acquire.command.set_seq(handle.hold.value());  // which is what the cell knows of
  v1::Outcome outcome;
  outcome.set_lock_generation(grant.generation.value());
  outcome.set_permit(grant.permit);
  outcome.set_lock_mode(mode);
  Answer(context, acquire, v1::OK, &outcome);
  SOMETIMES(context.out.probes(), kKeptLockTaken, true);
  return true;
}

void Calls::OnLockRequested(const Context& context, HandleId id) {
  Handle* const handle = Find(id);
  if (handle == nullptr || !handle->keeps_lock) return;
  handle->lock_wanted = true;
  GiveBackKeptLock(context, id, *handle);
}

// An Acquire that waits its turn on the handle will take the kept lock; a Release behind it would take that from the application.
void Calls::GiveBackKeptLock(const Context& context, HandleId id, Handle& handle) {
  const bool asked_for = std::any_of(calls_.begin(), calls_.end(), [id](const auto& entry) {
    return entry.second.command.kind() == v1::ACQUIRE && entry.second.command.handle() == id.value();
  });
  if (!asked_for && std::exchange(handle.lock_kept, false)) GiveBack(context, id);
}

// Somebody may have asked for any of them without our being told.
void Calls::GiveBackKeptLocks(const Context& context) {
  std::vector<HandleId> handles;
  for (const auto& [id, handle] : handles_) {
    if (handle.keeps_lock) handles.push_back(id);
  }
  for (const HandleId id : handles) OnLockRequested(context, id);
}

}  // namespace bramah::client

#include "core/client/beliefs.h"

#include <algorithm>
#include <utility>

namespace bramah::client {
namespace {

void Tell(CoreEvent::Kind kind, SessionId session, const HeldLock& lock, Effects& out) {
  CoreEvent& event = out.Event(kind);
  event.session = session;
  event.handle = lock.handle;
  event.generation = lock.generation;
  event.mode = lock.mode;
}

}  // namespace

void Beliefs::Start(SessionId session, HeldLock lock, Effects& out) {
  auto at = std::lower_bound(held_.begin(), held_.end(), lock.handle,
                             [](const HeldLock& held, HandleId handle) { return held.handle < handle; });
  if (at != held_.end() && at->handle == lock.handle) {
    if (at->generation == lock.generation && at->mode == lock.mode) return;
    Tell(CoreEvent::kLockDropped, session, *at, out);
    *at = std::move(lock);
  } else {
    at = held_.insert(at, std::move(lock));
  }
  Tell(CoreEvent::kLockHeld, session, *at, out);
}

void Beliefs::End(SessionId session, HandleId handle, Effects& out) {
  const auto at = std::find_if(held_.begin(), held_.end(), [handle](const HeldLock& held) { return held.handle == handle; });
  if (at == held_.end()) return;
  Tell(CoreEvent::kLockDropped, session, *at, out);
  held_.erase(at);
}

void Beliefs::EndAll(SessionId session, Effects& out) {
  for (const HeldLock& lock : held_) Tell(CoreEvent::kLockDropped, session, lock, out);
  held_.clear();
}

}  // namespace bramah::client

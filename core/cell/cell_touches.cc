// What a command would change that clients may keep [A-02, D-17]. One function for both who must know: the master, before it
// proposes, and every replica, when it applies. So the two can disagree only because the state has changed in between, and then
// the entry has no effect and the master asks again.
//
// It may name more than the command changes, never less; tests compare every command's touches with what it did.
#include <algorithm>
#include <map>
#include <string>

#include "core/api/path.h"
#include "core/cell/cell.h"

namespace bramah::cell {
namespace {

void Add(Touches& touches, Position instance, uint32_t classes) {
  for (Touch& touch : touches) {
    if (touch.id != CacheId(instance)) continue;
    touch.classes |= classes;
    return;
  }
  touches.push_back({CacheId(instance), classes});
}

bool MayCreate(const v1::Command& command) {
  return (command.open_flags() & (v1::OPEN_MAY_CREATE | v1::OPEN_MUST_CREATE)) != 0;
}

}  // namespace

void Cell::TouchedBy(const v1::Command& command, Time time, Touches& touches) const {
  touches.clear();
  if (command.kind() == v1::EXPIRE_LOCK_DELAYS) return TouchedByDelays(std::max(time, time_), touches);
  const session::Session* session = sessions_.Find(SessionId(command.session()));
  if (session == nullptr) return;
  if (command.kind() == v1::EXPIRE_SESSION || command.kind() == v1::END_SESSION) return TouchedByEnd(*session, touches);
  if (command.kind() == v1::OPEN) return TouchedByOpen(command, touches);
  const session::Handle* handle = session->Find(HandleId(command.handle()));
  const lock::Node* node = handle == nullptr ? nullptr : tree_.Find(handle->instance);
  if (node == nullptr) return;
  const lock::Owner owner{session->id(), HandleId(command.handle())};
  switch (command.kind()) {
    case v1::SET_CONTENTS:
      if (command.compare() && command.generation() != node->content_generation) return;
      Add(touches, node->instance, v1::CACHE_DATA | v1::CACHE_STAT);
      return Add(touches, node->parent, v1::CACHE_CHILDREN);
    case v1::SET_ACL:
      return Add(touches, node->instance, v1::CACHE_STAT);
    case v1::DELETE:
      return TouchedByRemoval(*node, touches);
    case v1::ACQUIRE:
      return TouchedByAcquire(command, *node, time, touches);
    case v1::RELEASE:
      return Add(touches, node->instance, v1::CACHE_LOCK_STATE);
    case v1::CLOSE:
    case v1::POISON:
      if (handle->waits || node->lock.HoldOf(owner) != nullptr) Add(touches, node->instance, v1::CACHE_LOCK_STATE);
      if (node->ephemeral && node->references <= 1) TouchedByRemoval(*node, touches);
      return;
    default:
      return;
  }
}

void Cell::TouchedByDelays(Time time, Touches& touches) const {
  for (const std::string& path : delays_.Due(time)) {
    if (const lock::Node* node = tree_.Resolve(path)) Add(touches, node->instance, v1::CACHE_LOCK_STATE);
  }
}

// The locks and waits of its handles, and every ephemeral node that nobody else refers to.
void Cell::TouchedByEnd(const session::Session& session, Touches& touches) const {
  std::map<Position, uint32_t> references;
  for (const auto& [id, handle] : session.handles()) {
    const lock::Node* node = tree_.Find(handle.instance);
    if (node == nullptr) continue;
    if (handle.waits || node->lock.HoldOf({session.id(), id}) != nullptr) {
      Add(touches, node->instance, v1::CACHE_LOCK_STATE);
    }
    if (node->ephemeral && ++references[node->instance] >= node->references) TouchedByRemoval(*node, touches);
  }
}

void Cell::TouchedByOpen(const v1::Command& command, Touches& touches) const {
  if (!MayCreate(command) || !IsCellPath(command.path()) || tree_.Resolve(command.path()) != nullptr) return;
  const lock::Node* parent = tree_.Resolve(ParentPath(command.path()));
  if (parent == nullptr) return;
  touches.push_back({AbsenceId(command.path()), v1::CACHE_ABSENCE});
  Add(touches, parent->instance, v1::CACHE_CHILDREN);
}

// Any Acquire that is not refused on the spot: also one that waits changes the number of those who do.
void Cell::TouchedByAcquire(const v1::Command& command, const lock::Node& node, Time time, Touches& touches) const {
  const bool delays_end = delays_.next() <= std::max(time, time_);
  const bool open = node.lock.Grantable(command.mode(), delays_.At(node.path));
  if (command.try_only() && !open && !delays_end) return;
  Add(touches, node.instance, v1::CACHE_LOCK_STATE);
}

// The node, and with it every ephemeral directory above that may live by its children alone [D-47].
void Cell::TouchedByRemoval(const lock::Node& node, Touches& touches) const {
  for (const lock::Node* next = &node; next != nullptr;) {
    Add(touches, next->instance, kCacheNode);
    const lock::Node* parent = tree_.Find(next->parent);
    if (parent == nullptr) return;
    Add(touches, parent->instance, v1::CACHE_CHILDREN);
    next = parent->ephemeral ? parent : nullptr;
  }
}

// `covers` is a list of pairs.
bool Cell::Covered(Entry& entry) const {
  const v1::Command& command = entry.command;
  TouchedBy(command, time_, entry.applied.touches);
  const auto covered = [&command](const Touch& touch) {
    uint64_t classes = 0;
    for (int i = 0; i + 1 < command.covers_size(); i += 2) {
      if (command.covers(i) == touch.id) classes |= command.covers(i + 1);
    }
    return (touch.classes & ~classes) == 0;
  };
  const Touches& touches = entry.applied.touches;
  if (std::all_of(touches.begin(), touches.end(), covered)) return true;
  SOMETIMES(entry.probes, kRecheck, true);
  entry.Refuse(v1::RECHECK);
  return false;
}

}  // namespace bramah::cell

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

// Lock-delays that one entry ends.
constexpr size_t kDelaysMax = 256;

// A few touches are compared one by one, many through an index.
constexpr size_t kFew = 8;

void Add(Touches& touches, Position instance, uint32_t classes) { touches.push_back({CacheId(instance), classes}); }

// Whether it was executed before, or never will be: then it only asks for the answer.
bool IsSettled(const session::Session& session, const v1::Command& command) {
  const RequestSeq seq(command.seq());
  return seq < session.results.first() || session.results.Find(seq) != nullptr;
}

bool EndsSession(v1::CommandKind kind) { return kind == v1::END_SESSION || kind == v1::EXPIRE_SESSION; }

}  // namespace

void Cell::TouchedBy(const v1::Command& command, Time time, Touches& touches) const {
  TouchedBy(command, sessions_.Find(SessionId(command.session())), time, touches);
}

void Cell::TouchedBy(const v1::Command& command, const session::Session* session, Time time, Touches& touches) const {
  touches.clear();
  if (command.kind() == v1::EXPIRE_LOCK_DELAYS) return TouchedByDelays(std::max(time, time_), touches);
  if (session == nullptr) return;
  if (command.kind() == v1::EXPIRE_SESSION) return TouchedByEnd(*session, touches);
  if (IsSettled(*session, command)) return;
  if (command.kind() == v1::END_SESSION) return TouchedByEnd(*session, touches);
  if (command.kind() == v1::OPEN) return TouchedByOpen(command, touches);
  if (command.kind() == v1::BATCH) return TouchedByBatch(command, *session, time, touches);
  const session::Handle* handle = HandleOf(*session, command);
  const lock::Node* node = handle == nullptr ? nullptr : tree_.Find(handle->instance);
  if (node != nullptr) TouchedOnHandle(command, *handle, *node, time, touches);
}

// What would be refused touches nothing: nobody's cache is flushed for it.
void Cell::TouchedOnHandle(const v1::Command& command, const session::Handle& handle, const lock::Node& node, Time time,
                           Touches& touches) const {
  const SessionId session(command.session());
  const bool holds = node.lock.HoldOf({session, HandleId(command.handle())}) != nullptr;
  const bool in_lock = holds || handle.waits;
  switch (command.kind()) {
    case v1::SET_CONTENTS:
      if (!handle.writable || !node.HasContents()) return;
      if (command.compare() && command.generation() != node.content_generation) return;
      Add(touches, node.instance, v1::CACHE_DATA | v1::CACHE_STAT);
      return Add(touches, node.parent, v1::CACHE_CHILDREN);
    case v1::SET_ACL:
      if (!handle.changes_acl || (command.compare() && command.generation() != node.acl_generation)) return;
      return Add(touches, node.instance, v1::CACHE_STAT);
    case v1::ADD:
      if (!handle.writable || !node.HasContents()) return;
      Add(touches, node.instance, v1::CACHE_DATA | v1::CACHE_STAT);
      return Add(touches, node.parent, v1::CACHE_CHILDREN);
    case v1::DELETE:
      if (JudgeDelete({v1::OK, &handle, &node}, *sessions_.Find(session)) == v1::OK) {
        TouchedByTaking(node, session, touches);
      }
      return;
    case v1::ACQUIRE:
      if (handle.writable) TouchedByAcquire(command, node, in_lock, time, touches);
      return;
    case v1::RELEASE:
      if (in_lock) Add(touches, node.instance, v1::CACHE_LOCK_STATE);
      return;
    case v1::CLOSE:
    case v1::POISON:
      if (in_lock) Add(touches, node.instance, v1::CACHE_LOCK_STATE);
      if (node.ephemeral && node.references <= 1) TouchedByRemoval(node, touches);
      return;
    default:
      return;
  }
}

// Also what others believe who hold the lock.
void Cell::TouchedByTaking(const lock::Node& node, SessionId knows, Touches& touches) const {
  TouchedByRemoval(node, touches);
  for (const auto& [owner, hold] : node.lock.holders()) {
    if (owner.session != knows) touches.push_back({HoldId(owner.session, owner.handle), v1::CACHE_HOLD});
  }
}

std::vector<std::pair<SessionId, uint64_t>> Cell::HoldersToTell(const v1::Command& command) const {
  std::vector<std::pair<SessionId, uint64_t>> holders;
  const session::Session* session = sessions_.Find(SessionId(command.session()));
  if (session == nullptr) return holders;
  const auto add = [&](const lock::Node* node, SessionId knows) {
    if (node == nullptr) return;
    for (const auto& [owner, hold] : node->lock.holders()) {
      if (owner.session != knows) holders.emplace_back(owner.session, HoldId(owner.session, owner.handle));
    }
  };
  const auto add_deleted = [&](const v1::Command& remove, SessionId knows) {
    const session::Handle* handle = remove.kind() == v1::DELETE ? HandleOf(*session, remove) : nullptr;
    if (handle != nullptr) add(tree_.Find(handle->instance), knows);
  };
  add_deleted(command, session->id());
  for (const v1::Command& part : command.parts()) add_deleted(part, SessionId());
  for (const v1::Command& part : command.otherwise()) add_deleted(part, SessionId());
  if (!EndsSession(command.kind())) return holders;
  for (const Position instance : tree_.OwnedBy(session->id())) add(tree_.Find(instance), session->id());
  return holders;
}

void Cell::TouchedByDelays(Time time, Touches& touches) const {
  for (const std::string& path : delays_.Due(time)) {
    if (touches.size() >= kDelaysMax) return;
    if (const lock::Node* node = tree_.Resolve(path)) Add(touches, node->instance, v1::CACHE_LOCK_STATE);
  }
}

// The locks and waits of its handles, the nodes that it owns, and every ephemeral node that nobody else refers to.
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
  for (const Position instance : tree_.OwnedBy(session.id())) TouchedByTaking(*tree_.Find(instance), session.id(), touches);
}

void Cell::TouchedByOpen(const v1::Command& command, Touches& touches) const {
  if (!MayCreate(command) || !IsCellPath(command.path()) || tree_.Resolve(command.path()) != nullptr) return;
  const lock::Node* parent = tree_.Resolve(ParentPath(command.path()));
  if (parent == nullptr) return;
  touches.push_back({AbsenceId(command.path()), v1::CACHE_ABSENCE});
  Add(touches, parent->instance, v1::CACHE_CHILDREN);
}

// Also one that waits changes the number of those who do. One that is refused, or repeats what its handle has, changes nothing
// but may find that a delay has ended.
void Cell::TouchedByAcquire(const v1::Command& command, const lock::Node& node, bool in_lock, Time time,
                            Touches& touches) const {
  const bool delays_end = delays_.next() <= std::max(time, time_);
  const bool open = node.lock.Grantable(command.mode(), delays_.At(node.path.view()));
  const bool refused = in_lock || (command.try_only() && !open);
  if (!refused || delays_end) Add(touches, node.instance, v1::CACHE_LOCK_STATE);
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

bool Cell::Covered(Entry& entry) const {
  const SessionId id(entry.command.session());
  TouchedBy(entry.command, entry.session != nullptr ? entry.session : sessions_.Find(id), time_, entry.applied.touches);
  if (entry.applied.touches.empty() || Covers(entry.command, entry.applied.touches)) return true;
  SOMETIMES(entry.probes, kRecheck, true);
  entry.Refuse(v1::RECHECK);
  return false;
}

bool Cell::Covers(const v1::Command& command, const Touches& touches) {
  if (touches.size() > kFew) {
    std::map<uint64_t, uint32_t> covered;
    for (const Touch& touch : CoversOf(command)) covered[touch.id] |= touch.classes;
    return std::all_of(touches.begin(), touches.end(), [&](const Touch& touch) {
      const auto at = covered.find(touch.id);
      return at != covered.end() && (touch.classes & ~at->second) == 0;
    });
  }
  return std::all_of(touches.begin(), touches.end(), [&](const Touch& touch) {
    uint64_t classes = 0;
    for (int i = 0; i + 1 < command.covers_size(); i += 2) {
      if (command.covers(i) == touch.id) classes |= command.covers(i + 1);
    }
    return (touch.classes & ~classes) == 0;
  });
}

}  // namespace bramah::cell

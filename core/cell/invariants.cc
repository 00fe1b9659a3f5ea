#include "core/cell/invariants.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/api/path.h"
#include "core/lock/lock_state.h"

namespace bramah::cell {
namespace {

using Problem = std::optional<std::string>;

std::string Name(SessionId session, HandleId handle) {
  return "handle " + std::to_string(handle.value()) + " of session " + std::to_string(session.value());
}

// Look-ups into one view.
struct Index {
  std::map<Position, const NodeView*> nodes;
  std::map<Position, uint64_t> children;
  std::map<Position, uint64_t> references;
  std::map<std::pair<SessionId, HandleId>, const HandleView*> handles;
  std::map<std::pair<SessionId, HandleId>, Position> waits;  // owner -> since, as the queues have it
  std::map<std::string, const DelayView*> delays;
  std::set<SessionId> sessions;
};

Index MakeIndex(const CellView& view) {
  Index index;
  for (const NodeView& node : view.nodes) {
    index.nodes.emplace(node.instance, &node);
    if (node.path != "/") ++index.children[node.parent];
    for (const WaiterView& waiter : node.lock.waiters) index.waits[{waiter.session, waiter.handle}] = waiter.since;
  }
  for (const SessionView& session : view.sessions) {
    index.sessions.insert(session.session);
    for (const HandleView& handle : session.handles) {
      index.handles.emplace(std::pair(session.session, handle.handle), &handle);
      ++index.references[handle.instance];
    }
  }
  for (const DelayView& delay : view.delays) index.delays.emplace(delay.path, &delay);
  return index;
}

uint64_t CountAt(const std::map<Position, uint64_t>& counts, Position key) {
  const auto it = counts.find(key);
  return it == counts.end() ? 0 : it->second;
}

Problem CheckPlace(const NodeView& node, const Index& index) {
  if (node.path == "/") {
    if (!node.directory || node.ephemeral) return "the root is not a permanent directory";
    return std::nullopt;
  }
  if (index.nodes.at(node.instance) != &node) return node.path + ": shares its instance with another node";
  if (!IsCellPath(node.path)) return node.path + ": not a name";
  const auto parent = index.nodes.find(node.parent);
  if (parent == index.nodes.end()) return node.path + ": the parent does not exist";
  if (parent->second->path != ParentPath(node.path)) return node.path + ": hangs below " + parent->second->path;
  if (!parent->second->directory) return node.path + ": hangs below a file";
  if (node.instance <= node.parent) return node.path + ": is not younger than its directory";
  if (parent->second->children_changed < node.instance) return node.path + ": its directory does not know when it was made";
  return std::nullopt;
}

Problem CheckNode(const NodeView& node, const Index& index) {
  if (node.children != CountAt(index.children, node.instance)) return node.path + ": miscounts its children";
  if (node.references != CountAt(index.references, node.instance)) return node.path + ": miscounts its handles";
  if (node.both && !node.directory) return node.path + ": has children as well, and is no directory";
  if (node.directory && !node.both && node.content_length > 0) return node.path + ": is a directory with contents";
  if (node.content_generation == 0) return node.path + ": has no content generation";
  if (node.acl_generation == 0) return node.path + ": has no ACL generation";
  if (!node.directory && node.children_changed) return node.path + ": is a file whose children changed";
  const bool rewritten = node.content_generation > 1;
  if (rewritten ? node.content_changed <= node.instance : node.content_changed != node.instance) {
    return node.path + ": its contents were not written when they were";
  }
  if (node.children_made < node.children) return node.path + ": has more children than were made";
  if ((node.children_made > 0) != static_cast<bool>(node.children_changed)) return node.path + ": does not count its children";
  if (node.ephemeral && node.references == 0 && node.children == 0) {
    return node.path + ": is ephemeral, and no handle and no child keeps it";
  }
  return std::nullopt;
}

// [D-46]
Problem CheckOwned(const NodeView& node, const Index& index) {
  if (!node.owner) return std::nullopt;
  if (index.sessions.count(node.owner) == 0) return node.path + ": outlives the session that owns it";
  if (node.owner.value() >= node.instance.value()) return node.path + ": is not younger than the session that owns it";
  if (node.directory || node.ephemeral) return node.path + ": is owned, and would go with something else as well";
  return std::nullopt;
}

// Whether (session, handle) may be in the lock of `node`.
Problem CheckOwner(const NodeView& node, SessionId session, HandleId handle, const Index& index) {
  const std::string who = node.path + ": " + Name(session, handle);
  const auto it = index.handles.find({session, handle});
  if (it == index.handles.end()) return who + " is in the lock and is not open";
  if (it->second->instance != node.instance) return who + " is in the lock and bound to another node";
  if (!it->second->writable) return who + " is in the lock and not writable";
  return std::nullopt;
}

// `taken`: by the holders before this one.
Problem CheckPermit(const NodeView& node, const HolderView& holder, std::set<uint32_t>& taken) {
  const LockView& lock = node.lock;
  const std::string who = node.path + ": " + Name(holder.session, holder.handle);
  const bool shared = lock.mode == v1::SHARED;
  if (shared ? holder.permit != 0 : holder.permit >= lock.permits) return who + " holds a permit that there is not";
  if (!shared && !taken.insert(holder.permit).second) return who + " holds another's permit";
  const bool same = shared || lock.permits == 1;
  if (same ? holder.generation != lock.generation : holder.generation > lock.generation) {
    return who + " holds with another generation than the lock's";
  }
  if (holder.generation <= node.instance) return who + " holds with a generation older than the node";
  return std::nullopt;
}

Problem CheckHolders(const NodeView& node, const Index& index) {
  const LockView& lock = node.lock;
  if (lock.mode == v1::FREE && !lock.holders.empty()) return node.path + ": the lock is free and has a holder";
  if (lock.mode != v1::FREE && lock.holders.empty()) return node.path + ": the lock is held by nobody";
  if (lock.permits == 0 || lock.permits > lock::kPermitsMax) return node.path + ": has no number of permits that a lock may have";
  if (lock.mode == v1::EXCLUSIVE && lock.holders.size() > lock.permits) return node.path + ": too many hold the lock exclusively";
  if (lock.mode != v1::FREE && !lock.generation) return node.path + ": the lock is held without a generation";
  if (lock.generation && lock.generation <= node.instance) return node.path + ": the lock generation is older than the node";
  std::set<std::pair<SessionId, HandleId>> seen;
  std::set<uint32_t> permits;
  for (const HolderView& holder : lock.holders) {
    if (Problem problem = CheckPermit(node, holder, permits)) return problem;
    if (Problem problem = CheckOwner(node, holder.session, holder.handle, index)) return problem;
    if (!seen.insert({holder.session, holder.handle}).second) {
      return node.path + ": " + Name(holder.session, holder.handle) + " holds twice";
    }
  }
  return std::nullopt;
}

Problem CheckWaiters(const NodeView& node, const Index& index) {
  const LockView& lock = node.lock;
  if (lock.waiters.empty()) return std::nullopt;
  const v1::LockMode wanted = lock.waiters.front().mode;
  const auto at = index.delays.find(node.path);
  const DelayView delay = at == index.delays.end() ? DelayView() : *at->second;
  const bool shares = wanted == v1::SHARED && lock.mode != v1::EXCLUSIVE;
  const bool writes = wanted == v1::EXCLUSIVE && lock.mode != v1::SHARED && lock.holders.size() < lock.permits;
  const bool of_another = std::any_of(delay.permits.begin(), delay.permits.end(),
                                      [&lock](const auto& lost) { return lost.second.of != lock.permits; });
  const bool closed = delay.exclusive != 0 || of_another || lock.holders.size() + delay.permits.size() >= lock.permits;
  const bool delayed = wanted == v1::SHARED ? !delay.permits.empty() : closed;
  const bool blocked = !shares && !writes;
  if (!blocked && !delayed) return node.path + ": the first waiter could be granted";
  Position previous;
  for (const WaiterView& waiter : lock.waiters) {
    const std::string who = node.path + ": " + Name(waiter.session, waiter.handle);
    if (Problem problem = CheckOwner(node, waiter.session, waiter.handle, index)) return problem;
    if (index.handles.at({waiter.session, waiter.handle})->waits != waiter.since) return who + " does not know that it waits";
    if (waiter.since <= previous) return who + " stands out of order in the queue";
    for (const HolderView& holder : lock.holders) {
      if (holder.session == waiter.session && holder.handle == waiter.handle) return who + " holds and waits";
    }
    previous = waiter.since;
  }
  return std::nullopt;
}

// Positions come from entries, and those that are still to come must be younger than all there are.
Problem CheckPositions(const CellView& view) {
  for (const NodeView& node : view.nodes) {
    if (node.instance > view.last) return node.path + ": is younger than the last entry";
    if (node.children_changed > view.last) return node.path + ": its children changed after the last entry";
    if (node.content_changed > view.last) return node.path + ": its contents were written after the last entry";
    if (node.changed_at < 0 || node.changed_at > view.time) return node.path + ": its contents were written in the future";
    if (node.lock.generation > view.last) return node.path + ": the lock generation is younger than the last entry";
    for (const WaiterView& waiter : node.lock.waiters) {
      if (waiter.since > view.last) return node.path + ": a waiter is younger than the last entry";
    }
  }
  for (const SessionView& session : view.sessions) {
    const std::string who = "session " + std::to_string(session.session.value());
    if (session.session.value() > view.last.value()) return who + " is younger than the last entry";
    for (const HandleView& handle : session.handles) {
      if (handle.instance > view.last) return who + " has a handle on a node younger than the last entry";
    }
  }
  return std::nullopt;
}

Problem CheckSession(const SessionView& session, const Index& index) {
  const std::string who = "session " + std::to_string(session.session.value());
  if (!session.reopened.empty()) return Name(session.session, session.reopened.front()) + " was closed before";
  if (!session.answered.empty() && session.answered.front() < session.first_outstanding) {
    return who + " keeps an answer below its first outstanding seq";
  }
  for (const HandleView& handle : session.handles) {
    if (!handle.handle) return who + " has a handle without an id";
    const auto it = index.waits.find({session.session, handle.handle});
    const Position since = it == index.waits.end() ? Position() : it->second;
    if (handle.waits != since) return Name(session.session, handle.handle) + " waits, but stands in no queue";
  }
  return std::nullopt;
}

// One generation is one uninterrupted period of being held, in one mode.
Problem CheckLockSuccession(const LockView& before, const LockView& after) {
  if (after.generation < before.generation) return before.path + ": the lock generation went back";
  if (after.permits != before.permits) return before.path + ": the number of permits changed";
  if (after.generation > before.generation || after.mode == before.mode || after.mode == v1::FREE) return std::nullopt;
  return before.path + ": the lock was taken without a new generation";
}

// Of one instance.
Problem CheckNodeSuccession(const NodeView& before, const NodeView& after) {
  const std::string& path = before.path;
  if (after.owner != before.owner || after.both != before.both) return path + ": became a node of another kind";
  if (after.content_generation < before.content_generation) return path + ": the content generation went back";
  const bool written = after.content_generation > before.content_generation;
  if (written ? after.content_changed <= before.content_changed : after.content_changed != before.content_changed) {
    return path + ": a content generation and its entry do not go together";
  }
  if (written ? after.changed_at < before.changed_at : after.changed_at != before.changed_at) {
    return path + ": a content generation and its time do not go together";
  }
  if (after.acl_generation < before.acl_generation) return path + ": the ACL generation went back";
  const bool same =
      after.acl_read == before.acl_read && after.acl_write == before.acl_write && after.acl_change == before.acl_change;
  if (!same && after.acl_generation == before.acl_generation) return path + ": its ACL names changed without a new generation";
  if (after.children_changed < before.children_changed) return path + ": the last change of its children went back";
  if (after.children_made < before.children_made) return path + ": the number of children made went back";
  return CheckLockSuccession(before.lock, after.lock);
}

Problem CheckDelay(const DelayView& delay, Time now) {
  if (delay.permits.empty() && delay.exclusive == 0) return delay.path + ": a lock-delay of nothing";
  Time latest = delay.exclusive;
  for (const auto& [permit, lost] : delay.permits) latest = std::max(latest, lost.until);
  if (latest > now + kLockDelayMax) return delay.path + ": the lock-delay is longer than any that could be asked for";
  return std::nullopt;
}

// What was pending and has not passed is pending still [C-36].
Problem CheckDelays(const CellView& before, const CellView& after) {
  std::map<std::string, const DelayView*> delays;
  for (const DelayView& delay : after.delays) delays.emplace(delay.path, &delay);
  for (const DelayView& old : before.delays) {
    const auto it = delays.find(old.path);
    const DelayView now = it == delays.end() ? DelayView() : *it->second;
    bool early = old.exclusive > after.time && now.exclusive < old.exclusive;
    for (const auto& [permit, lost] : old.permits) {
      const auto same = now.permits.find(permit);
      early = early || (lost.until > after.time && (same == now.permits.end() || same->second.until < lost.until));
    }
    if (early) return old.path + ": the lock-delay ended early";
  }
  return std::nullopt;
}

}  // namespace

Problem CheckInvariants(const CellView& view) {
  if (view.nodes.empty() || view.nodes.front().path != "/") return "there is no root";
  if (Problem problem = CheckPositions(view)) return problem;
  const Index index = MakeIndex(view);
  std::set<std::string> paths;
  for (const NodeView& node : view.nodes) {
    if (!paths.insert(node.path).second) return node.path + ": two nodes have this name";
    if (Problem problem = CheckPlace(node, index)) return problem;
  }
  for (const NodeView& node : view.nodes) {
    if (Problem problem = CheckNode(node, index)) return problem;
    if (Problem problem = CheckOwned(node, index)) return problem;
    if (Problem problem = CheckHolders(node, index)) return problem;
    if (Problem problem = CheckWaiters(node, index)) return problem;
  }
  for (const DelayView& delay : view.delays) {
    if (Problem problem = CheckDelay(delay, view.time)) return problem;
  }
  if (view.lease_max < 0 || view.lease_max > kLeaseLongest) return "the longest lease is longer than load makes any";
  std::set<std::pair<uint64_t, uint64_t>> nonces;
  for (const SessionView& session : view.sessions) {
    if (Problem problem = CheckSession(session, index)) return problem;
    if (!nonces.insert({session.nonce_high, session.nonce_low}).second) return "two sessions have one nonce";
  }
  return std::nullopt;
}

Problem CheckSuccession(const CellView& before, const CellView& after) {
  if (after.last < before.last) return "the last entry went back";
  if (after.time < before.time) return "the cluster time went back";
  if (Problem problem = CheckDelays(before, after)) return problem;
  std::map<std::string, const NodeView*> nodes;
  for (const NodeView& node : after.nodes) nodes.emplace(node.path, &node);
  for (const NodeView& old : before.nodes) {
    const auto it = nodes.find(old.path);
    if (it == nodes.end()) continue;
    const NodeView& now = *it->second;
    if (now.instance < old.instance) return old.path + ": the instance went back";
    if (now.instance > old.instance) continue;
    if (Problem problem = CheckNodeSuccession(old, now)) return problem;
  }
  std::map<SessionId, const SessionView*> sessions;
  for (const SessionView& session : after.sessions) sessions.emplace(session.session, &session);
  for (const SessionView& old : before.sessions) {
    const auto it = sessions.find(old.session);
    if (it != sessions.end() && it->second->first_outstanding < old.first_outstanding) {
      return "session " + std::to_string(old.session.value()) + ": the first outstanding seq went back";
    }
  }
  return std::nullopt;
}

}  // namespace bramah::cell

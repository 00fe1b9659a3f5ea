// Sessions of a cell: beginning, end, and what the master may ask about them.
#include <algorithm>

#include "core/cell/cell.h"

namespace bramah::cell {

void Cell::CreateSession(Entry& entry) {
  const session::Nonce nonce{entry.command.nonce_high(), entry.command.nonce_low()};
  SessionId id = sessions_.WithNonce(nonce);
  if (id && sessions_.Find(id)->principal() != entry.command.principal()) {
    return entry.Refuse(v1::PERMISSION_DENIED);
  } else if (id) {
    entry.applied.duplicate = true;
    SOMETIMES(entry.probes, kDuplicateAnswered, true);
  } else if (sessions_.size() >= limits_->sessions_max) {
    return entry.Refuse(v1::TOO_MANY_SESSIONS);
  } else {
    id = SessionId(entry.position.value());
    const session::Session* made = sessions_.Create(id, nonce, entry.command.principal(), entry.command.caches());
    if (made == nullptr) return entry.Refuse(v1::MALFORMED);
    entry.applied.effect = true;
  }
  entry.outcome().set_session(id.value());
}

void Cell::ExpireSession(Entry& entry) {
  const SessionId id(entry.command.session());
  if (sessions_.Find(id) == nullptr) return entry.Refuse(v1::SESSION_EXPIRED);
  if (!Covered(entry)) return;
  EndSession(id, /*lost=*/true, entry);
  SOMETIMES(entry.probes, kSessionExpired, true);
}

// It binds masters, present and future; here it is only kept [D-08].
void Cell::SetLeaseMax(Entry& entry) {
  const Duration wanted = entry.command.lease_max_ns();
  SOMETIMES(entry.probes, kLeaseMaxRaised, wanted > lease_max_);
  SOMETIMES(entry.probes, kLeaseMaxLowered, wanted < lease_max_);
  entry.applied.effect = wanted != lease_max_;
  lease_max_ = wanted;
}

// One entry, removals before grants: first no waiter of the session is left anywhere, then its locks are released, then the nodes
// that it owns go, then the queues of others move, in path order [A-06, PR-22]. So nothing is granted to a session that is ending
// [LK-03], and nobody is granted the lock of a node that goes.
void Cell::EndSession(SessionId id, bool lost, Entry& entry) {
  session::Session& session = *sessions_.Find(id);
  std::vector<lock::Node*> touched;
  std::vector<HandleId> handles;
  for (const auto& [handle_id, handle] : session.handles()) {
    handles.push_back(handle_id);
    subscriptions_.Remove(handle.instance, {id, handle_id});  // it is told nothing of its own end
    lock::Node* node = tree_.Find(handle.instance);
    if (node != nullptr && handle.waits) {
      node->lock.Cancel(handle.waits);
      touched.push_back(node);
    }
  }
  for (const auto& [handle_id, handle] : session.handles()) {
    lock::Node* node = tree_.Find(handle.instance);
    const lock::Hold* hold = node == nullptr ? nullptr : node->lock.HoldOf({id, handle_id});
    if (hold != nullptr) {
      if (lost) StartLockDelay(*node, *hold, handle.lock_delay, entry);
      node->lock.Release({id, handle_id});
      touched.push_back(node);
      SOMETIMES(entry.probes, kLockRevokedByExpiry, true);
    }
  }
  const auto by_path = [](const lock::Node* a, const lock::Node* b) { return a->path.view() < b->path.view(); };
  std::sort(touched.begin(), touched.end(), by_path);
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  std::erase_if(touched, [id](const lock::Node* node) { return node->owner() == id; });
  const absl::btree_set<Position> owned = tree_.OwnedBy(id);
  for (const Position instance : owned) TakeNode(*tree_.Find(instance), entry);
  for (lock::Node* node : touched) Promote(*node, entry);
  for (const HandleId handle_id : handles) CloseHandle(session, handle_id, entry);
  sessions_.Remove(id);
  entry.applied.ended = id;
  entry.applied.effect = true;
}

bool Cell::CreatedWith(SessionId session, const session::Nonce& nonce, const std::string& principal) const {
  const session::Session* found = sessions_.Find(session);
  return found != nullptr && found->nonce() == nonce && found->principal() == principal;
}

bool Cell::Caches(SessionId session) const {
  const session::Session* found = sessions_.Find(session);
  return found != nullptr && found->caches();
}

bool Cell::HasSession(SessionId session) const { return sessions_.Find(session) != nullptr; }

std::vector<SessionId> Cell::Sessions() const {
  std::vector<SessionId> ids;
  ids.reserve(sessions_.size());
  for (const auto& [id, session] : sessions_.sessions()) ids.push_back(id);
  return ids;
}

size_t Cell::session_count() const { return sessions_.size(); }

size_t Cell::node_count() const { return tree_.nodes().size() - 1; }

}  // namespace bramah::cell

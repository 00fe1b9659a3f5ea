// Who is told of what a command did [Chubby §2.5]. The master passes it on; replicas that are not master forget it, which is why
// a new master makes clients look for themselves [D-22].
#include "core/cell/cell.h"

namespace bramah::cell {

// Whoever did something through a handle has its answer, and is not told again through that handle [D-23].
void Cell::Tell(const lock::Node& node, v1::EventKind kind, uint64_t generation, Entry& entry) const {
  const lock::Subscriptions::Subscribers* subscribers = subscriptions_.Of(node.instance);
  if (subscribers == nullptr) return;
  for (const auto& [owner, events] : *subscribers) {
    if ((events & kind) == 0 || owner == entry.owner()) continue;
    entry.applied.notices.push_back({kind, owner.session, owner.handle, generation});
  }
}

void Cell::TellHolders(const lock::Node& node, Entry& entry) const {
  const lock::Subscriptions::Subscribers* subscribers = subscriptions_.Of(node.instance);
  if (subscribers == nullptr) return;
  for (const auto& [owner, events] : *subscribers) {
    if ((events & v1::EVENT_LOCK_REQUESTED) == 0 || node.lock.HoldOf(owner) == nullptr || owner == entry.owner()) continue;
    entry.applied.notices.push_back({v1::EVENT_LOCK_REQUESTED, owner.session, owner.handle, entry.position.value()});
  }
}

// Those who hold it now know anyhow.
void Cell::TellAcquired(const lock::Node& node, Entry& entry) const {
  const lock::Subscriptions::Subscribers* subscribers = subscriptions_.Of(node.instance);
  if (subscribers == nullptr) return;
  for (const auto& [owner, events] : *subscribers) {
    if ((events & v1::EVENT_LOCK_ACQUIRED) == 0 || node.lock.HoldOf(owner) != nullptr) continue;
    entry.applied.notices.push_back({v1::EVENT_LOCK_ACQUIRED, owner.session, owner.handle, node.lock.generation().value()});
  }
}

void Cell::TellOfChildren(const lock::Node& parent, Entry& entry) const {
  Tell(parent, v1::EVENT_CHILDREN, entry.position.value(), entry);
}

}  // namespace bramah::cell

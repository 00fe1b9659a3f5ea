// Subscriptions: which handles want to hear what about which node [Chubby §2.5]. Handles are replicated, so a new master knows
// them; the table itself is derived from them and in no snapshot.
#ifndef BRAMAH_CORE_LOCK_SUBSCRIPTIONS_H_
#define BRAMAH_CORE_LOCK_SUBSCRIPTIONS_H_

#include <cstdint>

#include "absl/container/btree_map.h"
#include "core/base/ids.h"
#include "core/lock/lock_state.h"

namespace bramah::lock {

class Subscriptions {
 public:
  using Subscribers = absl::btree_map<Owner, uint32_t>;  // value: bits of v1::EventKind

  // `events` 0 subscribes to nothing.
  void Add(Position instance, const Owner& owner, uint32_t events) {
    if (events != 0) table_[instance][owner] = events;
  }
  void Remove(Position instance, const Owner& owner) {
    const auto it = table_.find(instance);
    if (it == table_.end()) return;
    it->second.erase(owner);
    if (it->second.empty()) table_.erase(it);
  }
  // The node is gone.
  void RemoveAll(Position instance) { table_.erase(instance); }
  void Clear() { table_.clear(); }
  // Null if nobody wants to hear of the node.
  const Subscribers* Of(Position instance) const {
    const auto it = table_.find(instance);
    return it == table_.end() ? nullptr : &it->second;
  }

 private:
  absl::btree_map<Position, Subscribers> table_;
};

}  // namespace bramah::lock

#endif  // BRAMAH_CORE_LOCK_SUBSCRIPTIONS_H_

// LockState: the advisory reader/writer lock of one node [Chubby §2.4] and its FIFO queue of waiters [A-05, D-36].
//
// Held exclusively by one handle, or shared by any number. The lock's generation is the position of the entry that made it held;
// later shared holders keep it, so a generation names one period of being held [A-01, C-11].
//
// A pending lock-delay of the name closes the lock beyond what its holders do; it is kept elsewhere and handed in (delays.h).
//
// Invariant between any two calls: the head of the queue conflicts with the holders or with a delay, else Promote would have
// granted it. A caller that removes a holder or a waiter, or ends a delay, calls Promote before its command ends.
#ifndef BRAMAH_CORE_LOCK_LOCK_STATE_H_
#define BRAMAH_CORE_LOCK_LOCK_STATE_H_

#include <compare>
#include <cstdint>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/base/box.h"
#include "core/base/ids.h"
#include "core/lock/delays.h"
#include "core/wire/wire.pb.h"

namespace bramah::lock {

// Names a handle cell-wide; what holds a lock is a handle, never a session or a process.
struct Owner {
  SessionId session;
  HandleId handle;
  friend auto operator<=>(const Owner&, const Owner&) = default;
};

// An Acquire in the queue.
struct Waiter {
  Owner owner;
  RequestSeq seq;  // of the Acquire
  v1::LockMode mode = v1::FREE;
};

class LockState {
 public:
  using Holders = absl::btree_map<Owner, RequestSeq>;  // value: seq of the Acquire that holds
  using Queue = absl::btree_map<Position, Waiter>;     // key: position of the entry that queued it, hence FIFO

  v1::LockMode mode() const { return mode_; }
  // Of the present or latest period of being held; none if it was never held.
  Position generation() const { return generation_; }
  const Holders& holders() const { return parties().holders; }
  const Queue& waiters() const { return parties().waiters; }
  // Seq of the Acquire by which `owner` holds; null if it does not.
  const RequestSeq* HoldOf(const Owner& owner) const;
  // Whether an Acquire that arrives now is granted at once: no conflict with holders or `delay`, and nobody waits ahead [D-36].
  bool Grantable(v1::LockMode mode, const Delay& delay) const { return waiters().empty() && Compatible(mode, delay); }

  // Makes `owner` a holder at entry `now`. REQUIRES: it is grantable, and `owner` neither holds nor waits.
  void Grant(const Owner& owner, RequestSeq seq, v1::LockMode mode, Position now);
  // Appends to the queue at entry `now`, which is later than all in it. REQUIRES: it is not grantable.
  void Enqueue(const Waiter& waiter, Position now);
  // REQUIRES: `owner` holds.
  void Release(const Owner& owner);
  // REQUIRES: a waiter was queued at `since`.
  void Cancel(Position since);
  // Grants from the head as long as it is compatible, at entry `now`: one exclusive, or consecutive shared ones together.
  // Appends the granted to `granted` in queue order.
  void Promote(Position now, const Delay& delay, std::vector<Waiter>& granted);

  // For loading a snapshot: sets everything, judges nothing.
  static LockState Restored(v1::LockMode mode, Position generation, Holders holders, Queue waiters);

  // Sum of the hashes of holders and waiters, folded with mode and generation.
  uint64_t digest() const;
  uint64_t DigestSlow() const;

 private:
  struct Parties {
    Holders holders;
    Queue waiters;
    uint64_t hashes = 0;  // sum of those of holders and waiters
  };

  const Parties& parties() const { return parties_ ? *parties_ : Nobody(); }
  static const Parties& Nobody();
  Parties& MutableParties();
  // Gives back the memory if nobody holds or waits.
  void Tidy();
  bool Compatible(v1::LockMode mode, const Delay& delay) const {
    return (mode_ == v1::FREE || (mode_ == v1::SHARED && mode == v1::SHARED)) && !delay.Closes(mode);
  }
  void AddHolder(const Owner& owner, RequestSeq seq, v1::LockMode mode, Position now);
  void Dequeue(Position since);

  Position generation_;
  Box<Parties> parties_;  // none if nobody holds or waits: most nodes are never locked
  v1::LockMode mode_ = v1::FREE;
};

}  // namespace bramah::lock

#endif  // BRAMAH_CORE_LOCK_LOCK_STATE_H_

// LockState: the advisory reader/writer lock of one node [Chubby §2.4] and its FIFO queue of waiters [A-05, D-36].
//
// Held exclusively by one handle, or shared by any number. The lock's generation is the position of the entry that made it held;
// later shared holders keep it, so a generation names one period of being held [A-01, C-11].
//
// Invariant between any two calls: the head of the queue conflicts with the holders, else Promote would have granted it. A caller
// that removes a holder or a waiter calls Promote before its command ends.
#ifndef BRAMAH_CORE_LOCK_LOCK_STATE_H_
#define BRAMAH_CORE_LOCK_LOCK_STATE_H_

#include <compare>
#include <cstdint>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/base/ids.h"
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
  const Holders& holders() const { return holders_; }
  const Queue& waiters() const { return waiters_; }
  // Seq of the Acquire by which `owner` holds; null if it does not.
  const RequestSeq* HoldOf(const Owner& owner) const;
  // Whether an Acquire that arrives now is granted at once: no conflict with the holders, and nobody waits ahead [D-36].
  bool Grantable(v1::LockMode mode) const { return waiters_.empty() && Compatible(mode); }

  // Makes `owner` a holder at entry `now`. REQUIRES: Grantable(mode), and `owner` neither holds nor waits.
  void Grant(const Owner& owner, RequestSeq seq, v1::LockMode mode, Position now);
  // Appends to the queue at entry `now`, which is later than all in it. REQUIRES: !Grantable(waiter.mode).
  void Enqueue(const Waiter& waiter, Position now);
  // REQUIRES: `owner` holds.
  void Release(const Owner& owner);
  // REQUIRES: a waiter was queued at `since`.
  void Cancel(Position since);
  // Grants from the head as long as it is compatible, at entry `now`: one exclusive, or consecutive shared ones together.
  // Appends the granted to `granted` in queue order.
  void Promote(Position now, std::vector<Waiter>& granted);

  // For loading a snapshot: sets everything, judges nothing.
  static LockState Restored(v1::LockMode mode, Position generation, Holders holders, Queue waiters);

  // Sum of the hashes of holders and waiters, folded with mode and generation.
  uint64_t digest() const;
  uint64_t DigestSlow() const;

 private:
  bool Compatible(v1::LockMode mode) const { return mode_ == v1::FREE || (mode_ == v1::SHARED && mode == v1::SHARED); }
  void AddHolder(const Owner& owner, RequestSeq seq, v1::LockMode mode, Position now);

  v1::LockMode mode_ = v1::FREE;
  Position generation_;
  Holders holders_;
  Queue waiters_;
  uint64_t items_ = 0;  // sum of the hashes of holders and waiters
};

}  // namespace bramah::lock

#endif  // BRAMAH_CORE_LOCK_LOCK_STATE_H_

// LockState: the advisory reader/writer lock of one node [Chubby §2.4] and its FIFO queue of waiters [A-05, D-36].
//
// Held exclusively by one handle, or shared by any number. The lock's generation is the position of the entry that made it held;
// later shared holders keep it, so a generation names one period of being held [A-01, C-11].
//
// A lock with several permits is a counting semaphore: so many hold it exclusively side by side, each one permit, by number. Of
// each permit the above is true: it has one holder, and its generation is the position of the entry that made it held.
//
// A pending lock-delay of the name closes the lock, or permits of it, beyond what its holders do; it is kept elsewhere and handed
// in (delays.h).
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

// What an owner has of the lock.
struct Hold {
  RequestSeq seq;           // of the Acquire
  uint32_t permit = 0;      // which one; 0 if shared
  Position generation;      // of the permit, or of the lock if shared
};

// How many permits a lock may have.
inline constexpr uint32_t kPermitsMax = 1'024;

// An Acquire in the queue.
struct Waiter {
  Owner owner;
  RequestSeq seq;  // of the Acquire
  v1::LockMode mode = v1::FREE;
};

class LockState {
 public:
  using Holders = absl::btree_map<Owner, Hold>;
  using Queue = absl::btree_map<Position, Waiter>;  // key: position of the entry that queued it, hence FIFO

  LockState() = default;
  // REQUIRES: 1 <= permits <= kPermitsMax.
  explicit LockState(uint32_t permits);

  uint32_t permits() const { return facts().permits; }
  v1::LockMode mode() const { return facts().mode; }
  // Of the latest period of being held, of whichever permit; none if it was never held.
  Position generation() const { return facts().generation; }
  const Holders& holders() const { return parties().holders; }
  const Queue& waiters() const { return parties().waiters; }
  // Null if `owner` does not hold.
  const Hold* HoldOf(const Owner& owner) const;
  // Whether an Acquire that arrives now is granted at once: no conflict with holders or `delay`, and nobody waits ahead [D-36].
  bool Grantable(v1::LockMode mode, const Delay& delay) const { return waiters().empty() && Compatible(mode, delay); }

  // Makes the owner a holder at entry `now`. REQUIRES: it is grantable, and the owner neither holds nor waits.
  void Grant(const Waiter& waiter, const Delay& delay, Position now);
  // Appends to the queue at entry `now`, which is later than all in it. REQUIRES: it is not grantable.
  void Enqueue(const Waiter& waiter, Position now);
  // REQUIRES: `owner` holds.
  void Release(const Owner& owner);
  // REQUIRES: a waiter was queued at `since`.
  void Cancel(Position since);
  // Grants from the head as long as it is compatible, at entry `now`: one exclusive for each free permit, or consecutive shared
  // ones together.
  // Appends the granted to `granted` in queue order.
  void Promote(Position now, const Delay& delay, std::vector<Waiter>& granted);

  // For loading a snapshot: sets everything, judges nothing.
  static LockState Restored(uint32_t permits, v1::LockMode mode, Position generation, Holders holders, Queue waiters);

  // Sum of the hashes of holders and waiters, folded with the rest.
  uint64_t digest() const;
  uint64_t DigestSlow() const;

 private:
  struct Parties {
    Holders holders;
    Queue waiters;
    uint64_t hashes = 0;  // sum of those of holders and waiters
  };

  struct Facts {
    Position generation;
    v1::LockMode mode = v1::FREE;
    uint16_t permits = 1;
    Box<Parties> parties;  // none if nobody holds or waits
  };

  const Facts& facts() const { return facts_ ? *facts_ : Untouched(); }
  const Parties& parties() const {
    const Box<Parties>* const all = facts_ ? &facts_->parties : nullptr;
    return all != nullptr && *all ? **all : Nobody();
  }
  static const Facts& Untouched();
  static const Parties& Nobody();
  Facts& MutableFacts();
  Parties& MutableParties();
  // Gives back the memory if nobody holds or waits.
  void Tidy();
  bool Compatible(v1::LockMode mode, const Delay& delay) const;
  // The first permit that is neither held nor closed by the delay. REQUIRES: there is one.
  uint32_t FreePermit(const Delay& delay) const;
  void AddHolder(const Waiter& waiter, const Delay& delay, Position now);
  void Dequeue(Position since);

  Box<Facts> facts_;  // none if they are those of an Untouched() lock, as most are
};

}  // namespace bramah::lock

#endif  // BRAMAH_CORE_LOCK_LOCK_STATE_H_

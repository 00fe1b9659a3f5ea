// lock.fifo: nobody is granted a lock before who was already waiting for it [INV-17, D-36, A-06].
//
// Whoever holds came before whoever waits, in every state: consecutive shared waiters are granted together, so even they leave
// nobody behind; a waiting exclusive stops later shared ones; who waits for a lock-delay only is passed by nobody; and a
// TryAcquire that finds somebody ahead fails.
//
// The checker keeps its own queues: an Acquire arrived with the entry that queued or granted it first, and waits until its handle
// is seen to hold by it, gives it up, or is gone. So a waiter that the cell forgot, or put back to the end, is missed, too.
#ifndef BRAMAH_SIM_CHECK_FIFO_CHECKER_H_
#define BRAMAH_SIM_CHECK_FIFO_CHECKER_H_

#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/api/event.h"
#include "core/cell/cell.h"
#include "sim/check/reporter.h"

namespace bramah::sim {

class FifoChecker {
 public:
  explicit FifoChecker(Reporter* reporter) : reporter_(reporter) {}

  // At the first application of an index; only collects.
  void Applied(const CoreEvent& applied);
  // After the step that applied: `locks` are held, and `cell` says which nodes the handles are about.
  void Look(Time at, const cell::Cell& cell, const std::vector<cell::LockView>& locks);

 private:
  using Key = std::pair<SessionId, HandleId>;
  struct Waiter {
    LogIndex since;
    RequestSeq seq;
    Position instance;  // none: not looked up yet
  };

  void Ended(SessionId session);
  void LookUp(const cell::Cell& cell);
  void CheckLock(Time at, const cell::LockView& lock) const;

  Reporter* reporter_;
  absl::btree_map<std::pair<SessionId, RequestSeq>, LogIndex> arrived_;  // Acquires that were queued or granted
  absl::btree_map<Key, Waiter> waiting_;                                 // a handle waits once at a time
  bool deleted_ = false;                                                 // a DELETE took effect since the last look
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_FIFO_CHECKER_H_

// lock.delay: after a holder was lost, nobody is granted its lock before the lock-delay that it asked for is over, in real time
// [INV-10, C-36, L6].
//
// Both instants are those at which a leader proposed the entry: the one that ended the session and the one that granted, which a
// lock's generation names. The checker keeps its own account of who held what, so it shares no arithmetic with the cell.
#ifndef BRAMAH_SIM_CHECK_DELAY_CHECKER_H_
#define BRAMAH_SIM_CHECK_DELAY_CHECKER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/api/event.h"
#include "core/cell/view.h"
#include "sim/check/reporter.h"

namespace bramah::sim {

// When a holder was lost, and until when its lock is closed.
struct LostHold {
  Time at = 0;
  Time until = 0;  // real time; 0: none
};
// What the checker knows of the lock of one name, or of one permit of it.
struct DelayedLock {
  Position instance;
  Position generation;  // of the latest period of being held that was seen
  v1::LockMode mode = v1::FREE;
  std::vector<cell::HolderView> holders;  // at present
  LostHold exclusive;  // of an exclusive holder: closed to all
  LostHold shared;     // of a shared holder: closed to exclusive ones
};

class DelayChecker {
 public:
  // Clocks keep their rates within `rho_ppm`.
  DelayChecker(int64_t rho_ppm, Reporter* reporter) : rho_ppm_(rho_ppm), reporter_(reporter) {}

  // A leader took entry `index` into its log at the real time `at`.
  void Appended(Time at, LogIndex index, Term term);
  // At the first application of an index.
  void Applied(const CoreEvent& applied);
  // The locks that are held after the step at real time `at`, in which everything collected so far was applied.
  void Look(Time at, const std::vector<cell::LockView>& locks);

 private:
  void Left(SessionId session, HandleId handle);
  void Lost(SessionId session, HandleId handle, Time at);
  void LoseDeleted(const std::vector<cell::LockView>& locks);
  void Close(DelayedLock& lock, const cell::HolderView& holder, Time at) const;
  // `lock` was granted anew: no loss of its name may be in the way.
  void CheckGrants(Time at, const cell::LockView& lock);
  void CheckGrant(Time at, const cell::LockView& lock, const LostHold& loss);

  int64_t rho_ppm_;
  Reporter* reporter_;
  // Real times of recent proposals: of all, since an index may have seen several leaders; and of those that were applied.
  absl::btree_map<std::pair<LogIndex, Term>, Time> proposed_;
  absl::btree_map<LogIndex, Time> applied_;
  absl::btree_map<std::pair<std::string, uint32_t>, DelayedLock> locks_;  // by path and permit; shared holders have permit 0
  // When the first entry was proposed that may have taken nodes away, of those applied since the last look.
  Time deleted_ = kNever;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_DELAY_CHECKER_H_

// What the replicated state says about locks and ephemeral nodes, looked at where an index is applied first (equality of the
// other replicas is state.digest's business).
//
//   lock.mutual_exclusion  an exclusive lock has one holder for each permit, a shared one only shared holders, and their sessions
//                          exist [INV-1]
//   lock.generation        every period of being held has a higher generation than the one before, by name and permit
//                          [INV-8, A-01]
//   ephemeral.lifetime     an ephemeral node exists iff a handle refers to it, or it is a directory with children; one that a
//                          session owns iff that session does, unless it was deleted [INV-9]
#ifndef BRAMAH_SIM_CHECK_LOCK_CHECKER_H_
#define BRAMAH_SIM_CHECK_LOCK_CHECKER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/api/event.h"
#include "core/cell/cell.h"
#include "sim/check/reporter.h"

namespace bramah::sim {

class LockChecker {
 public:
  explicit LockChecker(Reporter* reporter) : reporter_(reporter) {}

  // At the first application of an index; only collects.
  void Applied(const CoreEvent& applied);
  // After the step that applied: looks at the state of the replica if anything relevant was applied, and returns the locks that
  // are held if these may have changed. REQUIRES: the cell has applied everything that was collected.
  std::optional<std::vector<cell::LockView>> AfterStep(Time at, ReplicaId replica, const cell::Cell& cell);
  // The expensive part at once.
  void CheckNodes(Time at, ReplicaId replica, const cell::CellView& view);
  void CheckLocks(Time at, ReplicaId replica, const std::vector<cell::LockView>& locks, const cell::Cell* cell);

 private:
  struct Period {  // of being held
    Position generation;
    v1::LockMode mode = v1::FREE;
    std::vector<cell::HolderView> holders;
  };
  void CheckGeneration(Time at, ReplicaId replica, const cell::LockView& lock);

  Reporter* reporter_;
  bool locks_changed_ = false;
  bool nodes_changed_ = false;
  bool deleted_ = false;       // a DELETE took effect since the nodes were looked at
  uint32_t effects_ = 0;       // since the nodes were looked at
  absl::btree_map<std::pair<std::string, uint32_t>, Period> periods_;  // latest by path and permit
  // Instances of ephemeral and of owned nodes that existed when the nodes were looked at last; rising.
  std::vector<Position> ephemerals_;
  absl::btree_map<Position, SessionId> owners_;  // of the owned ones among them
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_LOCK_CHECKER_H_

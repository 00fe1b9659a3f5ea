// session.epoch_fence: what a master accepted is done in its epoch or not at all [INV-13, C-65, D-07].
//
// An entry carries the term of the leader that proposed it, which is its epoch. So an entry that takes effect needs, in that very
// epoch: if a client asked for it, a Request that named the epoch and reached its master; if it ends a session, the master's
// decision to close it. What was asked of a former master, or decided by it, does not count, however it came into the log. And no
// entry of a former epoch takes effect after a NewEpoch.
#ifndef BRAMAH_SIM_CHECK_EPOCH_CHECKER_H_
#define BRAMAH_SIM_CHECK_EPOCH_CHECKER_H_

#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/types/span.h"
#include "core/api/event.h"
#include "core/wire/wire.pb.h"
#include "sim/check/reporter.h"

namespace bramah::sim {

class EpochChecker {
 public:
  EpochChecker(uint32_t replicas, Reporter* reporter) : reporter_(reporter), epochs_(replicas) {}

  // Before AfterStep of the step that it was given to.
  void Arrived(ReplicaId replica, const v1::Request& request);
  // `epoch`: of its mastership; none: it is not master.
  void AfterStep(ReplicaId replica, Epoch epoch, absl::Span<const CoreEvent> events);
  // At the first application of an index.
  void Applied(Time at, const CoreEvent& applied);

 private:
  void Begin(Term term);

  Reporter* reporter_;
  std::vector<Epoch> epochs_;  // by id - 1, after its last step
  Term present_;               // of the last NewEpoch
  // Of the masters of the present and of later terms.
  absl::btree_set<std::tuple<Term, SessionId, RequestSeq>> asked_;
  absl::btree_set<std::pair<Term, SessionId>> closing_;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_EPOCH_CHECKER_H_

// raft.durable_before_ack: nothing that a replica has told others may depend on bytes that a crash can still take away.
//
//   - a granted vote leaves when both slots hold it, an acknowledged append or snapshot when log, snapshot and term are on disk
//   - a leader counts its own vote and its own entries only when they are durable: what it commits is on a majority of the disks
//   - what was told is still there after every recovery
#ifndef BRAMAH_SIM_CHECK_DURABILITY_CHECKER_H_
#define BRAMAH_SIM_CHECK_DURABILITY_CHECKER_H_

#include <string>
#include <vector>

#include "core/api/files.h"
#include "core/replica/view.h"
#include "sim/check/claim.h"
#include "sim/check/durable_state.h"
#include "sim/check/raft_checker.h"
#include "sim/check/reporter.h"

namespace bramah::sim {

class DurabilityChecker {
 public:
  // `raft` sees every step before this checker does.
  DurabilityChecker(uint32_t replicas, const RaftChecker* raft, Reporter* reporter);

  void Carried(ReplicaId replica, const FileOp& op) { Of(replica).disk.Carried(op); }
  void Crashed(ReplicaId replica, bool machine);
  // `rewritten`: lowest index whose entry this step replaced or removed in memory, none if none; `recovered`: the step ended a
  // recovery.
  void AfterStep(Time at, ReplicaId replica, const replica::ServerView& view, LogIndex rewritten, bool recovered);
  void MessageLeft(Time at, ReplicaId from, const Claim& claim);

 private:
  struct Replica {
    DurableState disk;
    // What was told to others.
    Term term;
    ReplicaId vote;       // in `term`, none if no vote was told
    LogIndex acked;       // highest index that was acknowledged and not replaced since
    EntryMark acked_mark;
    // What the last step showed.
    replica::Role role = replica::Role::kFollower;
    Term seen_term;
    LogIndex commit;
    bool halted = false;
  };
  Replica& Of(ReplicaId replica) { return replicas_[replica.value() - 1]; }
  void Fail(Time at, ReplicaId replica, const std::string& what);

  void CheckRecovery(Time at, ReplicaId replica, const replica::ServerView& view);
  void CheckElected(Time at, ReplicaId replica, const replica::ServerView& view);
  void CheckCommit(Time at, ReplicaId replica, const replica::ServerView& view);
  void Told(Replica& replica, Term term);
  void OnVote(Time at, ReplicaId from, Term term);
  void OnAppend(Time at, ReplicaId from, Term term, LogIndex index);
  void OnSnapshot(Time at, ReplicaId from, Term term, LogIndex index);

  const RaftChecker* raft_;
  Reporter* reporter_;
  std::vector<Replica> replicas_;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_DURABILITY_CHECKER_H_

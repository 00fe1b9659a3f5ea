// A read-only look into a server for checkers, traces and status; decides nothing.
#ifndef BRAMAH_CORE_REPLICA_VIEW_H_
#define BRAMAH_CORE_REPLICA_VIEW_H_

#include <cstdint>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/raft/log.h"

namespace bramah::cell {
class Cell;
}

namespace bramah::replica {

enum class Role : uint8_t { kFollower, kCandidate, kLeader };
enum class Phase : uint8_t { kNone, kRecovering, kServing };

struct ServerView {
  bool ready = false;   // recovered and taking part
  bool halted = false;
  Role role = Role::kFollower;
  Phase phase = Phase::kNone;
  Term term;
  ReplicaId vote;
  ReplicaId leader;     // believed leader of `term`, none if unknown
  Epoch epoch;          // of the mastership, if phase is not kNone
  LogIndex commit;
  LogIndex applied;
  LogIndex durable;     // this replica's log is durable up to here
  // Lowest log index whose entry was appended or replaced by the last Step; none if the log did not change. After a snapshot
  // was installed it is the snapshot's index + 1 and `log` is empty.
  LogIndex changed_from;
  // Local instant since which the oldest write waits for caches to be flushed, and how long a lease is at most, as far as is
  // applied here; kNever: none waits.
  Time held_since = kNever;
  Duration lease_max = 0;
  int64_t rho_ppm = 0;       // bound on the rate error of clocks that the cell works by; 0 before it is ready
  Time authority_until = 0;  // local; the leader may act strictly before this instant [L1]; 0: no authority
  const raft::Log* log = nullptr;
  const cell::Cell* cell = nullptr;
};

}  // namespace bramah::replica

#endif  // BRAMAH_CORE_REPLICA_VIEW_H_

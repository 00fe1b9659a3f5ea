// The five properties of Raft [Raft Figure 3], and that commit and applied indexes never fall.
//
//   raft.election_safety       at most one leader per term, elected by votes of a majority, one vote per voter and term
//   raft.leader_append_only    a leader never replaces or removes entries of its own log while its term lasts
//   raft.log_matching          equal index and term mean equal entry and equal predecessor, for ever
//   raft.leader_completeness   a leader's log holds everything that was committed in an earlier term
//   raft.state_machine_safety  no two replicas apply different entries at an index
//   raft.commit_monotonic      commit and applied never fall within an incarnation, and what was committed stays
//
// Everything is compared against what the checker saw and kept itself. A step costs a few comparisons unless terms, roles or logs
// changed, and O(1) per appended entry.
#ifndef BRAMAH_SIM_CHECK_RAFT_CHECKER_H_
#define BRAMAH_SIM_CHECK_RAFT_CHECKER_H_

#include <cstdint>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/inlined_vector.h"
#include "core/replica/view.h"
#include "sim/check/reporter.h"
#include "sim/check/shadow_log.h"

namespace bramah::sim {

class RaftChecker {
 public:
  RaftChecker(uint32_t replicas, Reporter* reporter);

  void Booted(ReplicaId replica);
  void Crashed(ReplicaId replica);
  // Returns the lowest index whose entry was replaced or removed in memory, none if there is none.
  LogIndex AfterStep(Time at, ReplicaId replica, const replica::ServerView& view);

  // The log of `replica` as its memory holds it, or held it when it crashed.
  const ShadowLog& log(ReplicaId replica) const { return Of(replica).log; }
  // Whom `replica` was seen to vote for in `term`; none if it was not seen, or is long ago.
  ReplicaId VoteIn(Term term, ReplicaId replica) const;
  // The whole log of `replica` against the table, entry by entry.
  void Recheck(Time at, ReplicaId replica, const replica::ServerView& view);
  // No replica needs anything below this index again.
  LogIndex floor() const { return floor_; }

 private:
  struct Seen {  // what the last step of this incarnation showed
    bool any = false;
    uint64_t incarnation = 0;
    replica::Role role = replica::Role::kFollower;
    Term term;
    ReplicaId vote;
    LogIndex commit;
    LogIndex applied;
    ShadowLog log;
  };
  struct Row {  // an entry that exists or existed at one index
    EntryMark mark;
    Term previous_term;
  };
  using Rows = absl::InlinedVector<Row, 1>;
  struct Ballot {
    ReplicaId candidate;
    uint64_t incarnation = 0;
  };
  struct Committed {  // the highest entry that was seen committed in a term
    LogIndex index;
    Term term;
  };

  Seen& Of(ReplicaId replica) { return seen_[replica.value() - 1]; }
  const Seen& Of(ReplicaId replica) const { return seen_[replica.value() - 1]; }

  void NoteVote(Time at, ReplicaId replica, const Seen& seen, const replica::ServerView& view);
  void NoteLeader(Time at, ReplicaId replica, const replica::ServerView& view);
  void CheckComplete(Time at, ReplicaId leader, Term leader_term, Term commit_term, const Committed& committed);
  // Brings the copy of the log up to date; returns the lowest index at which an entry was replaced or removed, none if none was.
  LogIndex SyncLog(Time at, ReplicaId replica, const replica::ServerView& view);
  void CheckEntry(Time at, ReplicaId replica, LogIndex index, const EntryMark& mark, Term previous_term);
  void NoteRewrite(Time at, ReplicaId replica, const replica::ServerView& view, LogIndex from);
  void NoteCommit(Time at, ReplicaId replica, const replica::ServerView& view);
  void NoteApplied(Time at, ReplicaId replica, const replica::ServerView& view);
  void Trim();

  Reporter* reporter_;
  std::vector<Seen> seen_;
  absl::btree_map<Term, ReplicaId> leaders_;
  absl::btree_map<Term, std::vector<Ballot>> ballots_;  // by voter; the newest terms only
  // By the term in which it was committed. Both the terms and the indexes rise.
  absl::btree_map<Term, Committed> committed_;
  IndexTable<Rows> rows_;
  struct AppliedMark {
    EntryMark mark;
    ReplicaId by;  // none: nobody applied it yet
  };
  IndexTable<AppliedMark> applied_;
  LogIndex floor_;
  uint64_t appended_ = 0;  // entries looked at since the last trimming
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_RAFT_CHECKER_H_

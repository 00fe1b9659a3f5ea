#include "sim/check/durability_checker.h"

#include "absl/strings/str_cat.h"

namespace bramah::sim {

using replica::Role;
using replica::ServerView;

DurabilityChecker::DurabilityChecker(uint32_t replicas, const RaftChecker* raft, Reporter* reporter)
    : raft_(raft), reporter_(reporter), replicas_(replicas) {}

void DurabilityChecker::Fail(Time at, ReplicaId replica, const std::string& what) {
  reporter_->Report("raft.durable_before_ack", at, absl::StrCat("r", replica.value(), " ", what));
}

void DurabilityChecker::Crashed(ReplicaId replica, bool machine) {
  Replica& own = Of(replica);
  if (machine) own.disk.MachineCrashed();
  own.role = Role::kFollower;
  own.commit = LogIndex();
  own.halted = false;
}

void DurabilityChecker::AfterStep(Time at, ReplicaId replica, const ServerView& view, LogIndex rewritten, bool recovered) {
  Replica& own = Of(replica);
  if (view.halted && !own.halted) own.disk.DropUnsynced();
  own.halted = view.halted;
  if (recovered) CheckRecovery(at, replica, view);
  if (rewritten && rewritten <= own.acked) {
    const ShadowLog& log = raft_->log(replica);
    own.acked = log.Holds(rewritten.Prev()) ? rewritten.Prev() : LogIndex();
    if (own.acked) own.acked_mark = log.At(own.acked);
  }
  if (view.role == Role::kLeader && (own.role != Role::kLeader || view.term != own.seen_term)) CheckElected(at, replica, view);
  if (view.role == Role::kLeader && view.commit > own.commit) CheckCommit(at, replica, view);
  own.role = view.role;
  own.seen_term = view.term;
  own.commit = view.commit;
}

void DurabilityChecker::CheckRecovery(Time at, ReplicaId replica, const ServerView& view) {
  const Replica& own = Of(replica);
  if (view.term < own.term) {
    Fail(at, replica, absl::StrCat("recovered in term ", view.term.value(), "; it had answered in term ", own.term.value()));
  } else if (view.term == own.term && own.vote && view.vote != own.vote) {
    Fail(at, replica, absl::StrCat("lost its vote for r", own.vote.value(), " in term ", own.term.value()));
  }
  const ShadowLog& log = raft_->log(replica);
  if (own.acked <= log.base()) return;
  if (log.Holds(own.acked) && log.At(own.acked) == own.acked_mark) return;
  Fail(at, replica, absl::StrCat("recovered a log that ends at ", log.last().value(), " and lacks the entry of term ",
                                 own.acked_mark.term.value(), " at index ", own.acked.value(), ", which it had acknowledged"));
}

void DurabilityChecker::CheckElected(Time at, ReplicaId replica, const ServerView& view) {
  if (Of(replica).disk.HoldsVote(view.term, replica)) return;
  size_t others = 0;
  for (uint32_t voter = 1; voter <= replicas_.size(); ++voter) {
    if (ReplicaId(voter) != replica && raft_->VoteIn(view.term, ReplicaId(voter)) == replica) ++others;
  }
  if (others > replicas_.size() / 2) return;
  Fail(at, replica, absl::StrCat("leads term ", view.term.value(), " by its own vote, which is not durable"));
}

void DurabilityChecker::CheckCommit(Time at, ReplicaId replica, const ServerView& view) {
  const ShadowLog& log = raft_->log(replica);
  if (!log.Holds(view.commit)) return;
  size_t durable = 0;
  for (const Replica& other : replicas_) durable += other.disk.Covers(view.commit, log.At(view.commit)) ? 1 : 0;
  if (durable > replicas_.size() / 2) return;
  Fail(at, replica, absl::StrCat("committed index ", view.commit.value(), ", which is durable on ", durable, " of ",
                                 replicas_.size(), " disks"));
}

void DurabilityChecker::MessageLeft(Time at, ReplicaId from, const Claim& claim) {
  switch (claim.kind) {
    case Claim::kNone:
      return;
    case Claim::kVote:
      return OnVote(at, from, claim.term);
    case Claim::kLog:
      return OnAppend(at, from, claim.term, claim.index);
    case Claim::kSnapshot:
      return OnSnapshot(at, from, claim.term, claim.index);
  }
}

void DurabilityChecker::Told(Replica& replica, Term term) {
  if (term <= replica.term) return;
  replica.term = term;
  replica.vote = ReplicaId();
}

void DurabilityChecker::OnVote(Time at, ReplicaId from, Term term) {
  Replica& own = Of(from);
  const ReplicaId vote = raft_->VoteIn(term, from);
  if (!own.disk.HoldsVote(term, vote)) {
    Fail(at, from, absl::StrCat("told r", vote.value(), " of its vote in term ", term.value(), ", which is not durable"));
  }
  Told(own, term);
  if (term == own.term) own.vote = vote;
}

void DurabilityChecker::OnAppend(Time at, ReplicaId from, Term term, LogIndex index) {
  Replica& own = Of(from);
  if (!own.disk.HoldsTerm(term))
    Fail(at, from, absl::StrCat("acknowledged an append of term ", term.value(), ", which is not durable"));
  Told(own, term);
  const ShadowLog& log = raft_->log(from);
  if (index <= log.base()) {
    if (index && !own.disk.Covers(index)) {
      Fail(at, from, absl::StrCat("acknowledged index ", index.value(), " behind a snapshot that is not durable"));
    }
    return;
  }
  // A leader of a later term replaced the entry while the answer waited for the disk: it goes to a leader that is deposed.
  if (!log.Holds(index) || log.At(index).term > term) return;
  if (!own.disk.Covers(index, log.At(index))) {
    Fail(at, from,
         absl::StrCat("acknowledged index ", index.value(), " of term ", log.At(index).term.value(), ", which is not durable"));
  }
  if (index < own.acked) return;
  own.acked = index;
  own.acked_mark = log.At(index);
}

void DurabilityChecker::OnSnapshot(Time at, ReplicaId from, Term term, LogIndex index) {
  Replica& own = Of(from);
  if (!own.disk.HoldsTerm(term))
    Fail(at, from, absl::StrCat("acknowledged a snapshot in term ", term.value(), ", which is not durable"));
  Told(own, term);
  if (own.disk.Covers(index)) return;
  Fail(at, from, absl::StrCat("acknowledged the snapshot at index ", index.value(), ", which is not durable"));
}

}  // namespace bramah::sim

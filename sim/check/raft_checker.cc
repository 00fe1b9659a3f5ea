#include "sim/check/raft_checker.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/hash.h"

namespace bramah::sim {
namespace {

using replica::Role;
using replica::ServerView;

constexpr size_t kTermsKept = 64;       // ballots of so many newest terms
constexpr uint64_t kTrimEvery = 1'024;  // entries
constexpr uint64_t kSlack = 64;         // indexes kept below every base

std::string Name(ReplicaId replica) { return absl::StrCat("r", replica.value()); }

}  // namespace

RaftChecker::RaftChecker(uint32_t replicas, Reporter* reporter) : reporter_(reporter), seen_(replicas) {}

void RaftChecker::Booted(ReplicaId replica) { Crashed(replica); }

void RaftChecker::Crashed(ReplicaId replica) {
  Seen& seen = Of(replica);
  seen.any = false;
  seen.role = Role::kFollower;
  ++seen.incarnation;
}

LogIndex RaftChecker::AfterStep(Time at, ReplicaId replica, const ServerView& view) {
  if (!view.ready || view.log == nullptr) return LogIndex();
  Seen& seen = Of(replica);
  if (!seen.any) {
    seen.log.Reset(view.log->base(), view.log->TermAt(view.log->base()));
    seen.commit = seen.applied = LogIndex();
    seen.term = Term();
    seen.vote = ReplicaId();
  }
  if (view.term < seen.term) {
    reporter_->Report("raft.election_safety", at,
                      absl::StrCat(Name(replica), " fell from term ", seen.term.value(), " to ", view.term.value()));
  }
  if (view.vote && (view.vote != seen.vote || view.term != seen.term)) NoteVote(at, replica, seen, view);
  const LogIndex rewritten = SyncLog(at, replica, view);
  if (rewritten) NoteRewrite(at, replica, view, rewritten);
  if (view.role == Role::kLeader && (seen.role != Role::kLeader || view.term != seen.term)) NoteLeader(at, replica, view);
  if (view.commit != seen.commit) NoteCommit(at, replica, view);
  if (view.applied != seen.applied) NoteApplied(at, replica, view);
  seen.any = true;
  seen.role = view.role;
  seen.term = view.term;
  seen.vote = view.vote;
  seen.commit = view.commit;
  seen.applied = view.applied;
  return rewritten;
}

ReplicaId RaftChecker::VoteIn(Term term, ReplicaId replica) const {
  const auto it = ballots_.find(term);
  return it == ballots_.end() ? ReplicaId() : it->second[replica.value() - 1].candidate;
}

void RaftChecker::NoteVote(Time at, ReplicaId replica, const Seen& seen, const ServerView& view) {
  auto& ballots = ballots_[view.term];
  if (ballots.empty()) ballots.resize(seen_.size());
  if (ballots_.size() > kTermsKept) ballots_.erase(ballots_.begin());
  const auto it = ballots_.find(view.term);
  if (it == ballots_.end()) return;
  Ballot& ballot = it->second[replica.value() - 1];
  // A vote that died in memory with its process was never told to anybody: the next incarnation may vote again.
  if (ballot.candidate && ballot.candidate != view.vote && ballot.incarnation == seen.incarnation) {
    reporter_->Report("raft.election_safety", at,
                      absl::StrCat(Name(replica), " voted for ", Name(ballot.candidate), " and for ", Name(view.vote),
                                   " in term ", view.term.value()));
  }
  ballot = {view.vote, seen.incarnation};
}

void RaftChecker::NoteLeader(Time at, ReplicaId replica, const ServerView& view) {
  const auto [it, first] = leaders_.try_emplace(view.term, replica);
  if (!first && it->second != replica) {
    reporter_->Report("raft.election_safety", at,
                      absl::StrCat(Name(it->second), " and ", Name(replica), " are both leaders of term ", view.term.value()));
  }
  size_t votes = 0;
  for (uint32_t voter = 1; voter <= seen_.size(); ++voter) votes += VoteIn(view.term, ReplicaId(voter)) == replica ? 1 : 0;
  if (votes <= seen_.size() / 2 && ballots_.contains(view.term)) {
    reporter_->Report(
        "raft.election_safety", at,
        absl::StrCat(Name(replica), " leads term ", view.term.value(), " with ", votes, " of ", seen_.size(), " votes"));
  }
  auto committed = committed_.lower_bound(view.term);
  if (committed != committed_.begin()) {
    --committed;
    CheckComplete(at, replica, view.term, committed->first, committed->second);
  }
}

void RaftChecker::CheckComplete(Time at, ReplicaId leader, Term leader_term, Term commit_term, const Committed& committed) {
  const ShadowLog& log = Of(leader).log;
  if (committed.index <= log.base()) return;
  if (log.Holds(committed.index) && log.At(committed.index).term == committed.term) return;
  reporter_->Report("raft.leader_completeness", at,
                    absl::StrCat(Name(leader), ", leader of term ", leader_term.value(), ", has ",
                                 log.Holds(committed.index)
                                     ? absl::StrCat("an entry of term ", log.At(committed.index).term.value())
                                     : "nothing",
                                 " at index ", committed.index.value(), ", where an entry of term ", committed.term.value(),
                                 " was committed in term ", commit_term.value()));
}

LogIndex RaftChecker::SyncLog(Time at, ReplicaId replica, const ServerView& view) {
  ShadowLog& shadow = Of(replica).log;
  const raft::Log& log = *view.log;
  LogIndex rewritten;
  if (log.base() != shadow.base()) shadow.CompactTo(log.base(), log.TermAt(log.base()));
  // A view that does not tell of a change, although the length changed, is not believed.
  LogIndex from = view.changed_from;
  if (!from && log.last() != shadow.last()) from = std::min(log.last(), shadow.last()).Next();
  if (!from) return rewritten;
  from = std::clamp(from, log.base().Next(), shadow.last().Next());
  for (LogIndex index = from; index <= log.last(); index = index.Next()) {
    const raft::Entry& entry = log.At(index);
    const EntryMark mark{entry.term(), Hash64(entry.bytes().view())};
    if (shadow.Holds(index)) {
      if (shadow.At(index) == mark) continue;
      rewritten = index;
      shadow.TruncateFrom(index);
    }
    CheckEntry(at, replica, index, mark, shadow.TermAt(index.Prev()));
    shadow.Append(mark);
  }
  if (shadow.last() > log.last()) {
    rewritten = log.last().Next();
    shadow.TruncateFrom(rewritten);
  }
  if (appended_ >= kTrimEvery) Trim();
  return rewritten;
}

void RaftChecker::CheckEntry(Time at, ReplicaId replica, LogIndex index, const EntryMark& mark, Term previous_term) {
  ++appended_;
  const auto report = [&](const std::string& what) {
    reporter_->Report("raft.log_matching", at,
                      absl::StrCat(Name(replica), " stored at index ", index.value(), ", term ", mark.term.value(), " ", what));
  };
  if (mark.term < previous_term) report(absl::StrCat("behind an entry of the later term ", previous_term.value()));
  Rows* rows = rows_.At(index.value());
  if (rows == nullptr) return;
  for (const Row& row : *rows) {
    if (row.mark.term != mark.term) continue;
    if (row.mark.hash != mark.hash) report("an entry that differs from the one of equal index and term elsewhere");
    if (row.previous_term != previous_term) {
      report(absl::StrCat("behind an entry of term ", previous_term.value(), "; elsewhere it follows term ",
                          row.previous_term.value()));
    }
    return;
  }
  rows->push_back({mark, previous_term});
}

void RaftChecker::NoteRewrite(Time at, ReplicaId replica, const ServerView& view, LogIndex from) {
  const Seen& seen = Of(replica);
  if (seen.role == Role::kLeader && view.role == Role::kLeader && view.term == seen.term) {
    reporter_->Report("raft.leader_append_only", at,
                      absl::StrCat(Name(replica), " replaced its log from index ", from.value(), " while leader of term ",
                                   view.term.value()));
  }
  if (from <= seen.commit) {
    reporter_->Report("raft.commit_monotonic", at,
                      absl::StrCat(Name(replica), " replaced its log from index ", from.value(), " although ",
                                   seen.commit.value(), " was committed"));
  }
}

void RaftChecker::NoteCommit(Time at, ReplicaId replica, const ServerView& view) {
  const Seen& seen = Of(replica);
  if (view.commit < seen.commit) {
    reporter_->Report("raft.commit_monotonic", at,
                      absl::StrCat(Name(replica), " moved its commit index back from ", seen.commit.value(), " to ",
                                   view.commit.value()));
    return;
  }
  if (view.commit > seen.log.last()) {
    reporter_->Report("raft.commit_monotonic", at,
                      absl::StrCat(Name(replica), " calls index ", view.commit.value(), " committed; its log ends at ",
                                   seen.log.last().value()));
    return;
  }
  // What a replica finds committed after its start was committed in a term that is unknown here.
  if (!seen.any || !seen.log.Holds(view.commit)) return;
  const Committed now{view.commit, seen.log.At(view.commit).term};
  auto known = committed_.upper_bound(view.term);
  if (known != committed_.begin() && std::prev(known)->second.index >= now.index) return;
  committed_.insert_or_assign(view.term, now);
  // Of two facts the one with the earlier term and the higher index says more.
  known = std::next(committed_.find(view.term));
  while (known != committed_.end() && known->second.index <= now.index) known = committed_.erase(known);
  for (uint32_t other = 1; other <= seen_.size(); ++other) {
    const Seen& leader = seen_[other - 1];
    if (leader.any && leader.role == Role::kLeader && leader.term > view.term) {
      CheckComplete(at, ReplicaId(other), leader.term, view.term, now);
    }
  }
}

void RaftChecker::NoteApplied(Time at, ReplicaId replica, const ServerView& view) {
  const Seen& seen = Of(replica);
  if (view.applied < seen.applied || view.applied > view.commit) {
    reporter_->Report("raft.commit_monotonic", at,
                      absl::StrCat(Name(replica), " moved its applied index from ", seen.applied.value(), " to ",
                                   view.applied.value(), "; commit is ", view.commit.value()));
    return;
  }
  for (LogIndex index = std::max(seen.applied, seen.log.base()).Next(); index <= view.applied; index = index.Next()) {
    AppliedMark* known = seen.log.Holds(index) ? applied_.At(index.value()) : nullptr;
    if (known == nullptr) continue;
    const EntryMark& mark = seen.log.At(index);
    if (!known->by) *known = {mark, replica};
    if (known->mark == mark) continue;
    reporter_->Report("raft.state_machine_safety", at,
                      absl::StrCat(Name(replica), " applied an entry of term ", mark.term.value(), " at index ", index.value(),
                                   "; ", Name(known->by), " applied another one there, of term ", known->mark.term.value()));
  }
}

void RaftChecker::Recheck(Time at, ReplicaId replica, const ServerView& view) {
  if (!view.ready || view.log == nullptr) return;
  const ShadowLog& shadow = Of(replica).log;
  const raft::Log& log = *view.log;
  if (log.base() != shadow.base() || log.last() != shadow.last()) {
    reporter_->Report("raft.log_matching", at, absl::StrCat(Name(replica), " changed its log without telling"));
    return;
  }
  for (LogIndex index = log.base().Next(); index <= log.last(); index = index.Next()) {
    const raft::Entry& entry = log.At(index);
    const EntryMark mark{entry.term(), Hash64(entry.bytes().view())};
    if (!(shadow.At(index) == mark)) {
      reporter_->Report("raft.log_matching", at,
                        absl::StrCat(Name(replica), " changed the entry at index ", index.value(), " without telling"));
      return;
    }
    CheckEntry(at, replica, index, mark, log.TermAt(index.Prev()));
  }
}

void RaftChecker::Trim() {
  appended_ = 0;
  LogIndex lowest = seen_.front().log.base();
  for (const Seen& seen : seen_) lowest = std::min(lowest, seen.log.base());
  if (lowest.value() <= kSlack) return;
  floor_ = lowest - kSlack;
  rows_.TrimBelow(floor_.value());
  applied_.TrimBelow(floor_.value());
}

}  // namespace bramah::sim

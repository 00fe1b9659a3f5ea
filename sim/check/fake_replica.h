// A replica for checker tests: a view and a log that the test moves by hand.
#ifndef BRAMAH_SIM_CHECK_FAKE_REPLICA_H_
#define BRAMAH_SIM_CHECK_FAKE_REPLICA_H_

#include <string_view>

#include "core/raft/log.h"
#include "core/replica/view.h"

namespace bramah::sim {

class FakeReplica {
 public:
  FakeReplica() { view_.ready = true; }

  void Follow(uint64_t term, ReplicaId vote = ReplicaId()) { Take(replica::Role::kFollower, term, vote); }
  void Campaign(uint64_t term, ReplicaId self) { Take(replica::Role::kCandidate, term, self); }
  void Lead(uint64_t term, ReplicaId self) { Take(replica::Role::kLeader, term, self); }
  void Append(uint64_t term, std::string_view payload) {
    log_.Append(raft::Entry(Term(term), 0, raft::EntryKind::kCommand, payload));
    Changed(log_.last());
  }
  void TruncateFrom(uint64_t index) {
    log_.TruncateFrom(LogIndex(index));
    Changed(LogIndex(index));
  }
  void Install(uint64_t index, uint64_t term) {
    log_.Reset(LogIndex(index), Term(term), 0);
    view_.changed_from = LogIndex(index + 1);
    view_.commit = view_.applied = LogIndex(index);
  }
  void Commit(uint64_t index) { view_.commit = LogIndex(index); }
  void Apply(uint64_t index) { view_.applied = LogIndex(index); }
  void CompactTo(uint64_t index) { log_.CompactTo(LogIndex(index)); }
  void Restart(uint64_t commit) {
    view_.role = replica::Role::kFollower;
    view_.commit = view_.applied = LogIndex(commit);
    view_.changed_from = log_.base().Next();
  }

  // The view after a step: changes of the log are told once.
  const replica::ServerView& Step() {
    told_ = view_;
    told_.log = &log_;
    view_.changed_from = LogIndex();
    return told_;
  }
  replica::ServerView& view() { return view_; }
  const raft::Log& log() const { return log_; }

 private:
  void Take(replica::Role role, uint64_t term, ReplicaId vote) {
    view_.role = role;
    view_.term = Term(term);
    view_.vote = vote;
  }
  void Changed(LogIndex index) {
    if (!view_.changed_from || index < view_.changed_from) view_.changed_from = index;
  }
  raft::Log log_;
  replica::ServerView view_;
  replica::ServerView told_;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_FAKE_REPLICA_H_

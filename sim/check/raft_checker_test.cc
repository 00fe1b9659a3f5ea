#include "sim/check/raft_checker.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "sim/check/fake_replica.h"

namespace bramah::sim {
namespace {

constexpr ReplicaId kR1(1);
constexpr ReplicaId kR2(2);
constexpr ReplicaId kR3(3);

// Three replicas; r1 was elected in term 1 by itself and r2.
class RaftCheckerTest : public testing::Test {
 protected:
  RaftCheckerTest() : checker_(3, &reporter_) {
    for (const ReplicaId id : {kR1, kR2, kR3}) Step(id);
    Vote(kR2, 1, kR1);
    Elect(kR1, 1);
  }

  FakeReplica& At(ReplicaId id) { return replicas_[id.value() - 1]; }
  void Step(ReplicaId id) { checker_.AfterStep(++now_, id, At(id).Step()); }
  void Vote(ReplicaId id, uint64_t term, ReplicaId candidate) {
    At(id).Follow(term, candidate);
    Step(id);
  }
  void Elect(ReplicaId id, uint64_t term) {
    At(id).Campaign(term, id);
    Step(id);
    At(id).Lead(term, id);
    Step(id);
  }
  void Append(ReplicaId id, uint64_t term, const std::string& payload) {
    At(id).Append(term, payload);
    Step(id);
  }
  void Commit(ReplicaId id, uint64_t index) {
    At(id).Commit(index);
    Step(id);
  }
  void Apply(ReplicaId id, uint64_t index) {
    At(id).Commit(index);
    At(id).Apply(index);
    Step(id);
  }
  void Restart(ReplicaId id, uint64_t commit = 0) {
    checker_.Crashed(id);
    checker_.Booted(id);
    At(id).Restart(commit);
    Step(id);
  }
  std::string Fired() const { return reporter_.failed() ? reporter_.first()->checker : ""; }

  Reporter reporter_;
  RaftChecker checker_;
  std::array<FakeReplica, 3> replicas_;
  Time now_ = 0;
};

TEST_F(RaftCheckerTest, AcceptsElectionsReplicationConflictsAndRestarts) {
  Append(kR1, 1, "a");
  Append(kR2, 1, "a");
  Apply(kR1, 1);
  Append(kR1, 1, "lost");
  Vote(kR3, 2, kR2);
  Elect(kR2, 2);
  Append(kR2, 2, "b");
  At(kR1).Follow(2);
  At(kR1).TruncateFrom(2);
  Append(kR1, 2, "b");
  Apply(kR2, 2);
  Apply(kR1, 2);
  At(kR1).CompactTo(1);
  Restart(kR1, 1);
  Apply(kR1, 2);
  At(kR3).Follow(2, kR2);
  At(kR3).Install(2, 2);
  Step(kR3);
  EXPECT_EQ(Fired(), "");
}

TEST_F(RaftCheckerTest, TwoLeadersOfATermBreakElectionSafety) {
  Vote(kR3, 1, kR3);
  At(kR3).Lead(1, kR3);
  Step(kR3);
  EXPECT_EQ(Fired(), "raft.election_safety");
}

TEST_F(RaftCheckerTest, TwoVotesInATermBreakElectionSafety) {
  Vote(kR2, 2, kR1);
  Vote(kR2, 2, kR3);
  EXPECT_EQ(Fired(), "raft.election_safety");
}

TEST_F(RaftCheckerTest, AVoteThatDiedInMemoryMayBeGivenAgain) {
  Vote(kR2, 2, kR1);
  At(kR2).Follow(1);
  Restart(kR2);
  Vote(kR2, 2, kR3);
  EXPECT_EQ(Fired(), "");
}

TEST_F(RaftCheckerTest, ALeaderWithoutAMajorityBreaksElectionSafety) {
  Elect(kR3, 5);
  EXPECT_EQ(Fired(), "raft.election_safety");
}

TEST_F(RaftCheckerTest, AFallingTermBreaksElectionSafety) {
  At(kR2).Follow(7);
  Step(kR2);
  At(kR2).Follow(6);
  Step(kR2);
  EXPECT_EQ(Fired(), "raft.election_safety");
}

TEST_F(RaftCheckerTest, ALeaderThatRewritesItsEntryBreaksLogMatching) {
  Append(kR1, 1, "a");
  At(kR1).TruncateFrom(1);
  Append(kR1, 1, "a'");
  EXPECT_EQ(Fired(), "raft.log_matching");
}

TEST_F(RaftCheckerTest, ALeaderThatRemovesItsEntryBreaksAppendOnly) {
  Append(kR1, 1, "a");
  At(kR1).TruncateFrom(1);
  Step(kR1);
  EXPECT_EQ(Fired(), "raft.leader_append_only");
}

TEST_F(RaftCheckerTest, DifferentEntriesOfEqualIndexAndTermBreakLogMatching) {
  Append(kR1, 1, "a");
  Append(kR2, 1, "b");
  EXPECT_EQ(Fired(), "raft.log_matching");
}

TEST_F(RaftCheckerTest, DifferentPredecessorsBreakLogMatching) {
  Append(kR3, 1, "x");
  Vote(kR2, 2, kR1);
  Elect(kR1, 2);
  Append(kR1, 2, "a");
  Append(kR1, 2, "b");
  Append(kR3, 2, "b");
  EXPECT_EQ(Fired(), "raft.log_matching");
}

TEST_F(RaftCheckerTest, AFallingTermInALogBreaksLogMatching) {
  At(kR3).Follow(4);
  Append(kR3, 4, "a");
  Append(kR3, 3, "b");
  EXPECT_EQ(Fired(), "raft.log_matching");
}

TEST_F(RaftCheckerTest, AChangeThatTheViewHidesIsFoundByARecheck) {
  Append(kR1, 1, "a");
  Append(kR1, 1, "b");
  Append(kR2, 1, "a");
  At(kR2).Append(1, "b'");
  At(kR2).view().changed_from = LogIndex();
  At(kR2).TruncateFrom(2);
  At(kR2).Append(1, "b");
  At(kR2).view().changed_from = LogIndex();
  Step(kR2);
  EXPECT_EQ(Fired(), "");
  At(kR2).TruncateFrom(2);
  At(kR2).Append(1, "b'");
  At(kR2).view().changed_from = LogIndex();
  Step(kR2);
  EXPECT_EQ(Fired(), "");
  checker_.Recheck(++now_, kR2, At(kR2).Step());
  EXPECT_EQ(Fired(), "raft.log_matching");
}

TEST_F(RaftCheckerTest, ALeaderWithoutACommittedEntryBreaksCompleteness) {
  Append(kR1, 1, "a");
  Append(kR2, 1, "a");
  Commit(kR1, 1);
  Vote(kR2, 2, kR3);
  Elect(kR3, 2);
  EXPECT_EQ(Fired(), "raft.leader_completeness");
}

TEST_F(RaftCheckerTest, AnEntryCommittedTooLateBreaksCompletenessOfALaterLeader) {
  Append(kR1, 1, "a");
  Vote(kR2, 2, kR3);
  Elect(kR3, 2);
  Commit(kR1, 1);
  EXPECT_EQ(Fired(), "raft.leader_completeness");
}

// A candidate of an old term that wins belatedly need not know what a later term committed.
TEST_F(RaftCheckerTest, ALateLeaderOfAnOldTermMayLackLaterCommits) {
  At(kR3).Campaign(2, kR3);
  Step(kR3);
  Vote(kR2, 2, kR3);
  Vote(kR2, 3, kR1);
  Elect(kR1, 3);
  Append(kR1, 3, "a");
  Append(kR2, 3, "a");
  Commit(kR1, 1);
  At(kR3).Lead(2, kR3);
  Step(kR3);
  EXPECT_EQ(Fired(), "");
}

TEST_F(RaftCheckerTest, DifferentEntriesAppliedBreakStateMachineSafety) {
  Append(kR1, 1, "a");
  Apply(kR1, 1);
  At(kR3).Follow(2);
  Append(kR3, 2, "b");
  Apply(kR3, 1);
  EXPECT_EQ(Fired(), "raft.state_machine_safety");
}

TEST_F(RaftCheckerTest, AFallingCommitIndexBreaksCommitMonotonic) {
  Append(kR2, 1, "a");
  Append(kR2, 1, "b");
  Commit(kR2, 2);
  Commit(kR2, 1);
  EXPECT_EQ(Fired(), "raft.commit_monotonic");
}

TEST_F(RaftCheckerTest, ACommitBeyondTheLogBreaksCommitMonotonic) {
  Append(kR2, 1, "a");
  Commit(kR2, 2);
  EXPECT_EQ(Fired(), "raft.commit_monotonic");
}

TEST_F(RaftCheckerTest, ApplyingWhatIsNotCommittedBreaksCommitMonotonic) {
  Append(kR2, 1, "a");
  At(kR2).Apply(1);
  Step(kR2);
  EXPECT_EQ(Fired(), "raft.commit_monotonic");
}

TEST_F(RaftCheckerTest, ReplacingACommittedEntryBreaksCommitMonotonic) {
  Append(kR2, 1, "a");
  Commit(kR2, 1);
  At(kR2).Follow(2);
  At(kR2).TruncateFrom(1);
  Append(kR2, 2, "b");
  EXPECT_EQ(Fired(), "raft.commit_monotonic");
}

TEST_F(RaftCheckerTest, ForgetsWhatNobodyNeedsAndGoesOn) {
  for (uint64_t i = 1; i <= 5'000; ++i) {
    for (const ReplicaId id : {kR1, kR2, kR3}) {
      Append(id, 1, std::to_string(i));
      Apply(id, i);
      if (i % 100 == 0) At(id).CompactTo(i - 10);
    }
  }
  EXPECT_EQ(Fired(), "");
  EXPECT_GT(checker_.floor(), LogIndex(4'000));
  Append(kR1, 1, "x");
  Append(kR2, 1, "y");
  EXPECT_EQ(Fired(), "raft.log_matching");
}

}  // namespace
}  // namespace bramah::sim

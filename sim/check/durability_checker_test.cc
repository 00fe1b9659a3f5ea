#include "sim/check/durability_checker.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "core/base/hash.h"
#include "sim/check/durable_state.h"
#include "sim/check/fake_disk.h"
#include "sim/check/fake_replica.h"

namespace bramah::sim {
namespace {

using fake::Create;
using fake::MakeEntry;
using fake::Segment;
using fake::Slot;
using fake::Sync;
using fake::SyncDir;
using fake::Unlink;
using fake::WriteEntries;
using fake::WriteHeader;
using fake::WriteVote;

constexpr ReplicaId kR1(1);
constexpr ReplicaId kR2(2);

EntryMark MarkOf(const raft::Entry& entry) { return {entry.term(), Hash64(entry.bytes().view())}; }

void Carry(DurableState& disk, const std::vector<FileOp>& ops) {
  for (const FileOp& op : ops) disk.Carried(op);
}

// What formatting does.
std::vector<FileOp> Format() {
  return {Create(Slot(0)),    WriteVote(0, 0, 0),   Sync(Slot(0)),    Create(Slot(1)), WriteVote(1, 0, 0),
          Sync(Slot(1)),      Create(Segment(1)),   Sync(Segment(1)), SyncDir(),       WriteHeader(1, 0, 1),
          Sync(Segment(1))};
}

// ----------------------------------------------------------------------------------------------------------- durable state

class DurableStateTest : public testing::Test {
 protected:
  DurableStateTest() { Carry(disk_, Format()); }
  void Write(uint64_t first, const std::vector<raft::Entry>& entries, uint64_t segment = 1) {
    Carry(disk_, {WriteEntries(segment, first, entries), Sync(Segment(segment))});
  }
  DurableState disk_;
};

TEST_F(DurableStateTest, AVoteNeedsBothSlotsSynced) {
  Carry(disk_, {WriteVote(0, 3, 2), Sync(Slot(0)), WriteVote(1, 3, 2)});
  EXPECT_FALSE(disk_.HoldsVote(Term(3), kR2));
  EXPECT_FALSE(disk_.HoldsTerm(Term(3)));
  Carry(disk_, {Sync(Slot(1))});
  EXPECT_TRUE(disk_.HoldsVote(Term(3), kR2));
  EXPECT_FALSE(disk_.HoldsVote(Term(3), kR1));
  EXPECT_TRUE(disk_.HoldsVote(Term(2), kR1));
  EXPECT_FALSE(disk_.HoldsTerm(Term(4)));
}

TEST_F(DurableStateTest, EntriesCountWhenTheirSegmentIsSynced) {
  const raft::Entry a = MakeEntry(1, "a");
  const raft::Entry b = MakeEntry(1, "b");
  Carry(disk_, {WriteEntries(1, 1, {a, b})});
  EXPECT_FALSE(disk_.Covers(LogIndex(1)));
  Carry(disk_, {Sync(Segment(1))});
  EXPECT_TRUE(disk_.Covers(LogIndex(2), MarkOf(b)));
  EXPECT_FALSE(disk_.Covers(LogIndex(2), MarkOf(a)));
  EXPECT_FALSE(disk_.Covers(LogIndex(3)));
}

TEST_F(DurableStateTest, ALowerIndexSupersedesTheTail) {
  Write(1, {MakeEntry(1, "a"), MakeEntry(1, "b"), MakeEntry(1, "c")});
  Write(2, {MakeEntry(2, "d")});
  EXPECT_TRUE(disk_.Covers(LogIndex(2), MarkOf(MakeEntry(2, "d"))));
  EXPECT_FALSE(disk_.Covers(LogIndex(3)));
}

TEST_F(DurableStateTest, ASegmentWithoutADirectoryEntryIsNotDurable) {
  Write(1, {MakeEntry(1, "a")});
  Carry(disk_, {Create(Segment(2)), WriteHeader(2, 1, 2), Sync(Segment(2))});
  Write(2, {MakeEntry(1, "b")}, 2);
  EXPECT_FALSE(disk_.Covers(LogIndex(2)));
  Carry(disk_, {SyncDir()});
  EXPECT_TRUE(disk_.Covers(LogIndex(2)));
}

TEST_F(DurableStateTest, AMachineCrashTakesWhatIsNotSyncedAProcessCrashDoesNot) {
  Carry(disk_, {WriteEntries(1, 1, {MakeEntry(1, "a")})});
  DurableState machine = disk_;
  machine.MachineCrashed();
  Carry(machine, {Sync(Segment(1))});
  EXPECT_FALSE(machine.Covers(LogIndex(1)));
  Carry(disk_, {Sync(Segment(1))});
  EXPECT_TRUE(disk_.Covers(LogIndex(1)));
}

TEST_F(DurableStateTest, AFailedSyncDropsWhatItShouldHaveKept) {
  Carry(disk_, {WriteEntries(1, 1, {MakeEntry(1, "a")})});
  disk_.DropUnsynced();
  Carry(disk_, {Sync(Segment(1))});
  EXPECT_FALSE(disk_.Covers(LogIndex(1)));
}

TEST_F(DurableStateTest, ASnapshotCountsAfterSyncRenameAndDirectorySync) {
  const FileId tmp{FileKind::kSnapshotTmp, 10};
  const FileId snapshot{FileKind::kSnapshot, 10};
  FileOp write = fake::Op(FileOp::kWrite, tmp);
  write.bytes = Blob("state");
  Carry(disk_, {Create(tmp), write, Sync(tmp), fake::Rename(tmp, snapshot)});
  EXPECT_FALSE(disk_.Covers(LogIndex(10)));
  Carry(disk_, {SyncDir()});
  EXPECT_TRUE(disk_.Covers(LogIndex(10)));
  EXPECT_EQ(disk_.snapshot(), LogIndex(10));
  Carry(disk_, {Unlink(snapshot)});
  EXPECT_FALSE(disk_.Covers(LogIndex(10)));
}

TEST_F(DurableStateTest, ASnapshotThatWasNeverSyncedDoesNotCount) {
  const FileId tmp{FileKind::kSnapshotTmp, 10};
  FileOp write = fake::Op(FileOp::kWrite, tmp);
  write.bytes = Blob("state");
  Carry(disk_, {Create(tmp), write, fake::Rename(tmp, {FileKind::kSnapshot, 10}), SyncDir()});
  EXPECT_FALSE(disk_.Covers(LogIndex(10)));
}

TEST_F(DurableStateTest, RemovingASegmentLeavesAGapUnlessASnapshotCoversIt) {
  Write(1, {MakeEntry(1, "a"), MakeEntry(1, "b")});
  Carry(disk_, {Create(Segment(2)), Sync(Segment(2)), SyncDir(), WriteHeader(2, 1, 3), Sync(Segment(2))});
  Write(3, {MakeEntry(1, "c")}, 2);
  EXPECT_TRUE(disk_.Covers(LogIndex(3)));
  Carry(disk_, {Unlink(Segment(1))});
  EXPECT_FALSE(disk_.Covers(LogIndex(3)));
  const FileId snapshot{FileKind::kSnapshot, 2};
  Carry(disk_, {Create(snapshot), Sync(snapshot), SyncDir()});
  EXPECT_TRUE(disk_.Covers(LogIndex(3)));
}

TEST_F(DurableStateTest, ASegmentThatStartsTheLogAnewSupersedesAllOlderOnes) {
  Write(1, {MakeEntry(1, "a"), MakeEntry(1, "b"), MakeEntry(1, "c")});
  const FileId snapshot{FileKind::kSnapshot, 2};
  Carry(disk_, {Create(snapshot), Sync(snapshot), Create(Segment(2)), Sync(Segment(2)), SyncDir()});
  EXPECT_TRUE(disk_.Covers(LogIndex(3)));
  Carry(disk_, {WriteHeader(2, 0, 3), Sync(Segment(2))});
  EXPECT_FALSE(disk_.Covers(LogIndex(3)));
  EXPECT_TRUE(disk_.Covers(LogIndex(2)));
}

TEST_F(DurableStateTest, ASegmentThatContinuesEarlierSupersedesWhatFollowedThere) {
  Write(1, {MakeEntry(1, "a"), MakeEntry(1, "b"), MakeEntry(1, "c")});
  Carry(disk_, {Create(Segment(2)), Sync(Segment(2)), SyncDir(), WriteHeader(2, 1, 3), Sync(Segment(2))});
  EXPECT_TRUE(disk_.Covers(LogIndex(2)));
  EXPECT_FALSE(disk_.Covers(LogIndex(3)));
}

// ----------------------------------------------------------------------------------------------------------------- checker

class DurabilityCheckerTest : public testing::Test {
 protected:
  DurabilityCheckerTest() : raft_(3, &reporter_), checker_(3, &raft_, &reporter_) {
    for (uint32_t i = 1; i <= 3; ++i) {
      Disk(ReplicaId(i), Format());
      Step(ReplicaId(i), true);
    }
  }

  FakeReplica& At(ReplicaId id) { return replicas_[id.value() - 1]; }
  void Step(ReplicaId id, bool recovered = false) {
    const replica::ServerView& view = At(id).Step();
    const LogIndex rewritten = raft_.AfterStep(++now_, id, view);
    checker_.AfterStep(now_, id, view, rewritten, recovered);
  }
  void Disk(ReplicaId id, const std::vector<FileOp>& ops) {
    for (const FileOp& op : ops) checker_.Carried(id, op);
  }
  void SaveVote(ReplicaId id, uint64_t term, uint32_t vote) {
    Disk(id, {WriteVote(0, term, vote), Sync(Slot(0)), WriteVote(1, term, vote), Sync(Slot(1))});
  }
  void Vote(ReplicaId id, uint64_t term, ReplicaId candidate) {
    At(id).Follow(term, candidate);
    Step(id);
  }
  template <class M>
  void Leave(ReplicaId from, const M& body) {
    checker_.MessageLeft(++now_, from, ClaimOf({KindOf<M>::kKind, &body}));
  }
  void TellVote(ReplicaId id, uint64_t term) {
    v1::VoteReply reply;
    reply.set_term(term);
    reply.set_granted(true);
    Leave(id, reply);
  }
  void Acknowledge(ReplicaId id, uint64_t term, uint64_t index) {
    v1::AppendReply reply;
    reply.set_term(term);
    reply.set_success(true);
    reply.set_match_index(index);
    Leave(id, reply);
  }
  void Append(ReplicaId id, uint64_t term, const std::string& payload) {
    At(id).Append(term, payload);
    Step(id);
  }
  void Save(ReplicaId id, uint64_t first, const std::vector<raft::Entry>& entries) {
    Disk(id, {WriteEntries(1, first, entries), Sync(Segment(1))});
  }
  void Crash(ReplicaId id, bool machine) {
    raft_.Crashed(id);
    checker_.Crashed(id, machine);
  }
  std::string Fired() const { return reporter_.failed() ? reporter_.first()->checker : ""; }

  Reporter reporter_;
  RaftChecker raft_;
  DurabilityChecker checker_;
  std::array<FakeReplica, 3> replicas_;
  Time now_ = 0;
};

constexpr const char* kId = "raft.durable_before_ack";

TEST_F(DurabilityCheckerTest, AcceptsVotesAcknowledgementsAndRecoveriesOfDurableThings) {
  Vote(kR2, 1, kR1);
  SaveVote(kR2, 1, 1);
  TellVote(kR2, 1);
  Append(kR2, 1, "a");
  Save(kR2, 1, {MakeEntry(1, "a")});
  Acknowledge(kR2, 1, 1);
  Crash(kR2, true);
  At(kR2).Restart(0);
  Step(kR2, true);
  EXPECT_EQ(Fired(), "");
}

TEST_F(DurabilityCheckerTest, AVoteToldBeforeItIsSynced) {
  Vote(kR2, 1, kR1);
  Disk(kR2, {WriteVote(0, 1, 1), Sync(Slot(0)), WriteVote(1, 1, 1)});
  TellVote(kR2, 1);
  EXPECT_EQ(Fired(), kId);
}

TEST_F(DurabilityCheckerTest, AVoteSavedForAnother) {
  Vote(kR2, 1, kR1);
  SaveVote(kR2, 1, 3);
  TellVote(kR2, 1);
  EXPECT_EQ(Fired(), kId);
}

TEST_F(DurabilityCheckerTest, PreVotesAndRefusalsPromiseNothing) {
  v1::VoteReply reply;
  reply.set_term(5);
  Leave(kR2, reply);
  reply.set_granted(true);
  reply.set_pre_vote(true);
  Leave(kR2, reply);
  v1::AppendReply refusal;
  refusal.set_term(5);
  Leave(kR2, refusal);
  EXPECT_EQ(Fired(), "");
}

TEST_F(DurabilityCheckerTest, AnEntryAcknowledgedBeforeItIsSynced) {
  At(kR2).Follow(1);
  SaveVote(kR2, 1, 0);
  Append(kR2, 1, "a");
  Disk(kR2, {WriteEntries(1, 1, {MakeEntry(1, "a")})});
  Acknowledge(kR2, 1, 1);
  EXPECT_EQ(Fired(), kId);
}

TEST_F(DurabilityCheckerTest, AnEntryAcknowledgedInATermThatIsNotSaved) {
  At(kR2).Follow(2);
  SaveVote(kR2, 1, 0);
  Append(kR2, 1, "a");
  Save(kR2, 1, {MakeEntry(1, "a")});
  Acknowledge(kR2, 2, 1);
  EXPECT_EQ(Fired(), kId);
}

TEST_F(DurabilityCheckerTest, AnotherEntryOnDiskThanInMemory) {
  At(kR2).Follow(1);
  SaveVote(kR2, 1, 0);
  Append(kR2, 1, "a");
  Save(kR2, 1, {MakeEntry(1, "b")});
  Acknowledge(kR2, 1, 1);
  EXPECT_EQ(Fired(), kId);
}

// The answer of an old leader's append waited for the disk while a new leader replaced the entry: nobody counts it any more.
TEST_F(DurabilityCheckerTest, AnOldAnswerAboutAReplacedEntryIsHarmless) {
  At(kR2).Follow(1);
  SaveVote(kR2, 1, 0);
  Append(kR2, 1, "a");
  At(kR2).Follow(2);
  At(kR2).TruncateFrom(1);
  Append(kR2, 2, "b");
  Acknowledge(kR2, 1, 1);
  EXPECT_EQ(Fired(), "");
  SaveVote(kR2, 2, 0);
  Acknowledge(kR2, 2, 1);
  EXPECT_EQ(Fired(), kId);
}

TEST_F(DurabilityCheckerTest, ASnapshotAcknowledgedBeforeItIsDurable) {
  v1::SnapshotReply reply;
  reply.set_last_index(10);
  Leave(kR2, reply);
  EXPECT_EQ(Fired(), "");
  reply.set_installed(true);
  Leave(kR2, reply);
  EXPECT_EQ(Fired(), kId);
}

TEST_F(DurabilityCheckerTest, ALostVoteIsFoundAtRecovery) {
  Vote(kR2, 1, kR1);
  SaveVote(kR2, 1, 1);
  TellVote(kR2, 1);
  Crash(kR2, true);
  At(kR2).Follow(1);
  At(kR2).Restart(0);
  Step(kR2, true);
  EXPECT_EQ(Fired(), kId);
}

TEST_F(DurabilityCheckerTest, ALostEntryIsFoundAtRecovery) {
  At(kR2).Follow(1);
  SaveVote(kR2, 1, 0);
  Append(kR2, 1, "a");
  Save(kR2, 1, {MakeEntry(1, "a")});
  Acknowledge(kR2, 1, 1);
  Crash(kR2, false);
  At(kR2).TruncateFrom(1);
  At(kR2).Restart(0);
  Step(kR2, true);
  EXPECT_EQ(Fired(), kId);
}

TEST_F(DurabilityCheckerTest, AnEntryThatALeaderReplacedNeedNotSurvive) {
  At(kR2).Follow(1);
  SaveVote(kR2, 1, 0);
  Append(kR2, 1, "a");
  Save(kR2, 1, {MakeEntry(1, "a")});
  Acknowledge(kR2, 1, 1);
  SaveVote(kR2, 2, 0);
  At(kR2).Follow(2);
  At(kR2).TruncateFrom(1);
  Append(kR2, 2, "b");
  Crash(kR2, true);
  At(kR2).TruncateFrom(1);
  At(kR2).Restart(0);
  Step(kR2, true);
  EXPECT_EQ(Fired(), "");
}

TEST_F(DurabilityCheckerTest, ALeaderByItsOwnUnsavedVote) {
  Vote(kR2, 1, kR1);
  At(kR1).Campaign(1, kR1);
  Step(kR1);
  At(kR1).Lead(1, kR1);
  Step(kR1);
  EXPECT_EQ(Fired(), kId);
}

TEST_F(DurabilityCheckerTest, ACommitThatIsNotOnAMajorityOfTheDisks) {
  Vote(kR2, 1, kR1);
  At(kR1).Campaign(1, kR1);
  Step(kR1);
  SaveVote(kR1, 1, 1);
  At(kR1).Lead(1, kR1);
  Append(kR1, 1, "a");
  Append(kR2, 1, "a");
  Save(kR2, 1, {MakeEntry(1, "a")});
  At(kR1).Commit(1);
  Step(kR1);
  EXPECT_EQ(Fired(), kId);
}

TEST_F(DurabilityCheckerTest, ACommitOnAMajorityWithoutTheLeaderIsFine) {
  Vote(kR2, 1, kR1);
  At(kR1).Campaign(1, kR1);
  Step(kR1);
  SaveVote(kR1, 1, 1);
  At(kR1).Lead(1, kR1);
  Append(kR1, 1, "a");
  Save(kR2, 1, {MakeEntry(1, "a")});
  Save(ReplicaId(3), 1, {MakeEntry(1, "a")});
  At(kR1).Commit(1);
  Step(kR1);
  EXPECT_EQ(Fired(), "");
}

}  // namespace
}  // namespace bramah::sim

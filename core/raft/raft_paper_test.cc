// One test per claim of the Raft paper, the dissertation, and our additions to them; the section stands above each.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "core/base/hash.h"
#include "core/raft/test_cluster.h"

namespace bramah::raft {
namespace {

constexpr Duration kMin = TestCluster::kElectionMin;

int Leaders(TestCluster& cluster, uint32_t size) {
  int leaders = 0;
  for (uint32_t id = 1; id <= size; ++id) leaders += cluster.raft(id).role() == Role::kLeader ? 1 : 0;
  return leaders;
}

// [Raft §5.2]
TEST(RaftPaper, ACandidateWithAMajorityLeadsAndTheOthersFollow) {
  TestCluster cluster(3);
  cluster.Campaign(1);
  EXPECT_EQ(cluster.raft(1).role(), Role::kLeader);
  EXPECT_EQ(cluster.raft(2).leader(), ReplicaId(1));
  EXPECT_EQ(Leaders(cluster, 3), 1);
}

TEST(RaftPaper, AloneAReplicaLeadsAndCommitsByItself) {
  TestCluster cluster(1);
  cluster.Campaign(1);
  EXPECT_EQ(cluster.raft(1).role(), Role::kLeader);
  EXPECT_EQ(cluster.raft(1).commit(), cluster.raft(1).log().last());
}

// [Raft §5.2] A voter grants one vote per term.
TEST(RaftPaper, OfTwoCandidatesInATermAtMostOneWins) {
  TestCluster cluster(3);
  cluster.Advance(3 * kMin);
  for (const uint32_t id : {1u, 2u}) cluster.Do(id, [](Raft& raft, Context& ctx) { raft.OnElectionTimer(ctx); });
  cluster.Run();
  EXPECT_LE(Leaders(cluster, 3), 1);
  EXPECT_EQ(cluster.raft(3).vote(), cluster.raft(3).leader());
}

// A vote that arrives twice is one vote.
TEST(RaftPaper, ADuplicatedVoteReplyIsCountedOnce) {
  TestCluster cluster(5);
  int replies = 0;
  cluster.Advance(3 * kMin);
  cluster.Do(1, [](Raft& raft, Context& ctx) { raft.OnElectionTimer(ctx); });
  cluster.Run([&](const Envelope& e) {
    if (e.kind != MessageKind::kVoteReply) return true;
    MessageSlots slots;
    const bool pre_vote = DecodeFrame(e.frame, slots).message.As<v1::VoteReply>()->pre_vote();
    if (pre_vote) return true;
    if (++replies > 1) return false;
    cluster.Deliver(e);
    cluster.Deliver(e);
    return true;
  });
  EXPECT_EQ(cluster.raft(1).role(), Role::kCandidate);
}

// [Raft §5.4.1]
TEST(RaftPaper, ACandidateWithAShorterLogIsRefused) {
  TestCluster cluster(3);
  cluster.Campaign(1);
  cluster.Propose(1, "only on 1 and 2");
  cluster.Run(TestCluster::Without({3}));
  cluster.Crash(1);
  cluster.Campaign(3);
  EXPECT_NE(cluster.raft(3).role(), Role::kLeader);
  cluster.Campaign(2);
  EXPECT_EQ(cluster.raft(2).role(), Role::kLeader);
}

// [Raft §5.3] A conflicting suffix is replaced.
TEST(RaftPaper, AFollowersConflictingTailIsReplaced) {
  TestCluster cluster(3);
  cluster.Campaign(1);
  cluster.Propose(1, "lost");
  cluster.TakeQueue();
  cluster.Campaign(2, TestCluster::Without({1}));
  ASSERT_EQ(cluster.raft(2).role(), Role::kLeader);
  cluster.Propose(2, "kept");
  cluster.Run(TestCluster::Without({1}));
  cluster.Heartbeat(2);
  cluster.Heartbeat(2);
  EXPECT_EQ(cluster.raft(1).log().last(), cluster.raft(2).log().last());
  EXPECT_EQ(cluster.raft(1).log().At(cluster.raft(1).log().last()).payload(), "kept");
}

// [Raft §5.3] A short old message must not cut what a later one stored.
TEST(RaftPaper, ADelayedShorterAppendLeavesTheLogAsItIs) {
  TestCluster cluster(3);
  cluster.Campaign(1);
  cluster.Run();
  cluster.Propose(1, "a");
  const std::vector<Envelope> first = cluster.TakeQueue();
  cluster.Propose(1, "b");
  for (const Envelope& e : first) cluster.Deliver(e);
  cluster.Run();
  const LogIndex last = cluster.raft(2).log().last();
  for (const Envelope& e : first) cluster.Deliver(e);
  EXPECT_EQ(cluster.raft(2).log().last(), last);
}

// Stamps never fall along a log; a leader that says otherwise is not believed.
TEST(RaftPaper, AnEntryWhoseStampFallsIsRefused) {
  TestCluster cluster(3);
  cluster.Campaign(1);
  cluster.Run();
  const Raft& leader = cluster.raft(1);
  const LogIndex last = cluster.raft(2).log().last();
  v1::AppendRequest request;
  request.set_term(leader.term().value());
  request.set_prev_index(last.value());
  request.set_prev_term(leader.log().TermAt(last).value());
  const Time before = leader.log().TimeAt(last);
  for (const Time time : {before - 1, before}) {
    request.clear_entries();
    request.add_entries(std::string(Entry(leader.term(), time, EntryKind::kCommand, "x").bytes().view()));
    Envelope envelope{ReplicaId(1), ReplicaId(2), MessageKind::kAppendRequest, {}};
    EncodeFrame(envelope.kind, request, &envelope.frame);
    cluster.Deliver(envelope);
    EXPECT_EQ(cluster.raft(2).log().last(), time < before ? last : last.Next()) << time;
  }
}

// [Raft §5.4.2, figure 8] An entry of an earlier term on a majority is not committed by counting.
TEST(RaftPaper, OldTermEntriesAreCommittedOnlyBehindAnEntryOfTheOwnTerm) {
  TestCluster cluster(5);
  cluster.Campaign(1);
  const LogIndex contested = cluster.Propose(1, "old");
  cluster.Run([](const Envelope& e) { return e.to.value() <= 2 && e.from.value() <= 2; });
  const LogIndex committed = cluster.raft(1).commit();
  ASSERT_LT(committed, contested);
  // Another reign, whose entries reach nobody, raises the term.
  cluster.Campaign(5, [](const Envelope& e) {
    return e.kind != MessageKind::kAppendRequest && e.to.value() > 2 && e.from.value() > 2;
  });
  ASSERT_EQ(cluster.raft(5).role(), Role::kLeader);
  cluster.Crash(5);
  cluster.TakeQueue();
  // The new leader's own entry reaches nobody, its copies of the old one reach a majority.
  const auto only_old = [&](const Envelope& e) {
    if (e.kind != MessageKind::kAppendRequest) return true;
    MessageSlots slots;
    const auto* request = DecodeFrame(e.frame, slots).message.As<v1::AppendRequest>();
    return request->prev_index() + static_cast<uint64_t>(request->entries_size()) <= contested.value();
  };
  for (int attempt = 0; attempt < 3 && cluster.raft(2).role() != Role::kLeader; ++attempt) cluster.Campaign(2, only_old);
  ASSERT_EQ(cluster.raft(2).role(), Role::kLeader);
  EXPECT_EQ(cluster.raft(2).commit(), committed);
  for (const uint32_t id : {2u, 3u, 4u}) EXPECT_LE(cluster.raft(id).commit(), committed);
}

// What a heartbeat did not verify is not committed by it.
TEST(RaftPaper, AFollowerCommitsOnlyWhatTheMessageVerified) {
  TestCluster cluster(3);
  cluster.Campaign(1);
  const LogIndex shared = cluster.raft(1).log().last();
  for (int i = 0; i < 3; ++i) cluster.Propose(1, "stale tail");
  cluster.TakeQueue();
  Envelope envelope{ReplicaId(2), ReplicaId(1), MessageKind::kAppendRequest, {}};
  v1::AppendRequest request;
  request.set_term(cluster.raft(1).term().value() + 1);
  request.set_prev_index(shared.value());
  request.set_prev_term(cluster.raft(1).log().TermAt(shared).value());
  request.set_commit(shared.value() + 3);
  EncodeFrame(envelope.kind, request, &envelope.frame);
  cluster.Deliver(envelope);
  EXPECT_EQ(cluster.raft(1).log().last(), shared + 3);
  EXPECT_EQ(cluster.raft(1).commit(), shared);
}

// [Diss §9.6] A replica that was cut off does not raise the term.
TEST(RaftPaper, PreVoteKeepsARejoiningReplicaFromDeposingTheLeader) {
  TestCluster cluster(3);
  cluster.Campaign(1);
  const Term term = cluster.raft(1).term();
  for (int i = 0; i < 20; ++i) {
    cluster.Advance(100 * kMillisecond);
    cluster.Heartbeat(1, TestCluster::Without({3}));
    cluster.Do(3, [](Raft& raft, Context& ctx) { raft.OnElectionTimer(ctx); });
    cluster.Run(TestCluster::Without({3}));
  }
  EXPECT_EQ(cluster.raft(3).term(), term);
  cluster.Heartbeat(1);
  EXPECT_EQ(cluster.raft(1).role(), Role::kLeader);
  EXPECT_EQ(cluster.raft(3).leader(), ReplicaId(1));
}

// While a leader was heard recently, neither vote nor term changes.
TEST(RaftPaper, AVoterKeepsItsPromise) {
  TestCluster cluster(3);
  cluster.Campaign(1);
  cluster.Heartbeat(1);
  const Term term = cluster.raft(2).term();
  Envelope envelope;
  envelope.from = ReplicaId(3);
  envelope.to = ReplicaId(2);
  envelope.kind = MessageKind::kVoteRequest;
  v1::VoteRequest request;
  request.set_term(term.value() + 5);
  request.set_last_index(1000);
  request.set_last_term(1000);
  EncodeFrame(envelope.kind, request, &envelope.frame);
  cluster.Deliver(envelope);
  EXPECT_EQ(cluster.raft(2).term(), term);
  cluster.Advance(kMin + 2);
  cluster.Deliver(envelope);
  EXPECT_EQ(cluster.raft(2).term(), Term(term.value() + 5));
}

// [L1] What a restarted voter last heard was volatile: it waits as if it had just heard a leader.
TEST(RaftPaper, ARestartedVoterWaitsBeforeItVotes) {
  TestCluster cluster(3);
  cluster.Campaign(1);
  cluster.Crash(2);
  cluster.Boot(2);
  cluster.TakeQueue();
  cluster.Crash(1);
  cluster.Do(3, [](Raft& raft, Context& ctx) { raft.OnElectionTimer(ctx); });
  cluster.Advance(3 * kMin);  // 3 may campaign; 2 is booted anew just before
  cluster.Crash(2);
  cluster.Boot(2);
  cluster.Do(3, [](Raft& raft, Context& ctx) { raft.OnElectionTimer(ctx); });
  cluster.Run();
  EXPECT_NE(cluster.raft(3).role(), Role::kLeader);
  cluster.Campaign(3);
  EXPECT_EQ(cluster.raft(3).role(), Role::kLeader);
}

// [Raft §5.2, §3.8 of the dissertation] A vote leaves only when it is durable, and survives a crash.
TEST(RaftPaper, AVoteIsDurableBeforeItIsTold) {
  TestCluster cluster(3);
  cluster.HoldDisk(2, true);
  cluster.Campaign(1, TestCluster::Without({3}));
  EXPECT_EQ(cluster.raft(2).vote(), ReplicaId(1));
  EXPECT_EQ(cluster.raft(1).role(), Role::kCandidate);  // the grant is held back
  cluster.HoldDisk(2, false);
  cluster.Run(TestCluster::Without({3}));
  EXPECT_EQ(cluster.raft(1).role(), Role::kLeader);
  const Term term = cluster.raft(2).term();
  cluster.Crash(2);
  cluster.Boot(2);
  EXPECT_EQ(cluster.raft(2).term(), term);
  EXPECT_EQ(cluster.raft(2).vote(), ReplicaId(1));
}

// [Raft §5.3] An entry is acknowledged only when it is durable.
TEST(RaftPaper, AnAppendIsAcknowledgedOnlyWhenItIsDurable) {
  TestCluster cluster(3);
  cluster.Campaign(1);
  cluster.HoldDisk(2, true);
  const LogIndex index = cluster.Propose(1, "x");
  cluster.Run(TestCluster::Without({3}));
  EXPECT_LT(cluster.raft(1).commit(), index);
  cluster.HoldDisk(2, false);
  cluster.Run(TestCluster::Without({3}));
  EXPECT_EQ(cluster.raft(1).commit(), index);
}

// [Diss §10.2.1] The leader's disk works in parallel: a majority of followers is enough.
TEST(RaftPaper, AnEntryMayBeCommittedBeforeTheLeaderHasSyncedIt) {
  TestCluster cluster(3);
  cluster.Campaign(1);
  cluster.HoldDisk(1, true);
  const LogIndex index = cluster.Propose(1, "x");
  cluster.Run(TestCluster::Without({3}));
  EXPECT_LT(cluster.raft(1).commit(), index);  // one follower and an unsynced leader are no majority
  cluster.Heartbeat(1);
  EXPECT_EQ(cluster.raft(1).commit(), index);
}

//
TEST(RaftPaper, ALeaderWithoutAMajorityStepsDown) {
  TestCluster cluster(3);
  cluster.Campaign(1);
  cluster.Heartbeat(1);
  for (int i = 0; i < 20; ++i) {
    cluster.Advance(50 * kMillisecond);
    cluster.Heartbeat(1, TestCluster::Without({2, 3}));
  }
  EXPECT_EQ(cluster.raft(1).role(), Role::kFollower);
}

// Nor does it matter how busy it is: what it sends to nobody's ear does not put the heartbeat timer off for long.
TEST(RaftPaper, ABusyLeaderWithoutAMajorityStepsDown) {
  TestCluster cluster(3);
  cluster.Campaign(1);
  cluster.Heartbeat(1);
  Time heartbeat_at = cluster.now();
  for (int i = 0; i < 80 && cluster.raft(1).role() == Role::kLeader; ++i) {
    cluster.Advance(5 * kMillisecond);
    cluster.Do(1, [&](Raft& raft, Context& ctx) {
      if (ctx.now >= heartbeat_at) raft.OnHeartbeatTimer(ctx);
      raft.Propose(ctx, EntryKind::kCommand, "entry");
      raft.Replicate(ctx);
      for (const Effects::Ref ref : ctx.out.ops()) {
        const bool arms = ref.op == Effects::Op::kArm && ctx.out.timer(ref).timer == TimerId::kHeartbeat;
        if (arms) heartbeat_at = ctx.out.timer(ref).at;
      }
    });
    cluster.TakeQueue();
  }
  EXPECT_EQ(cluster.raft(1).role(), Role::kFollower);
}

// [L1] Authority counts from the start of a round that a majority has answered, shortened by the drift bound.
TEST(RaftPaper, AuthorityEndsBeforeAnyVoterMayElectAnother) {
  TestCluster cluster(3);
  cluster.Campaign(1);
  cluster.Advance(10 * kMillisecond);
  const Time start = cluster.now();
  cluster.Heartbeat(1);
  EXPECT_EQ(cluster.raft(1).AuthorityUntil(), start + ShrinkByDrift(kMin, 1000));
  cluster.Advance(20 * kMillisecond);
  cluster.Heartbeat(1, TestCluster::Without({2, 3}));
  EXPECT_EQ(cluster.raft(1).AuthorityUntil(), start + ShrinkByDrift(kMin, 1000));
}

// [Diss §6.4] A round is confirmed by answers to it, not by answers to earlier ones.
TEST(RaftPaper, ARoundIsConfirmedOnlyByItsOwnAnswers) {
  TestCluster cluster(3);
  cluster.Campaign(1);
  cluster.Do(1, [](Raft& raft, Context& ctx) { raft.OnHeartbeatTimer(ctx); });
  const std::vector<Envelope> earlier = cluster.TakeQueue();
  uint64_t round = 0;
  cluster.Do(1, [&](Raft& raft, Context& ctx) { round = raft.StartRound(ctx); });
  cluster.TakeQueue();
  for (const Envelope& e : earlier) cluster.Deliver(e);
  cluster.Run();
  EXPECT_LT(cluster.raft(1).ConfirmedRound(), round);
}

// When the heartbeat timer goes off next, as far as a step that proposes says so.
std::optional<Time> HeartbeatAfterProposal(TestCluster& cluster, uint32_t leader) {
  std::optional<Time> armed;
  cluster.Do(leader, [&](Raft& raft, Context& ctx) {
    raft.Propose(ctx, EntryKind::kCommand, "entry");
    raft.Replicate(ctx);
    for (const Effects::Ref ref : ctx.out.ops()) {
      if (ref.op == Effects::Op::kArm && ctx.out.timer(ref).timer == TimerId::kHeartbeat) armed = ctx.out.timer(ref).at;
    }
  });
  return armed;
}

// [Raft §5.2] Heartbeats are for idle times: entries for everybody prevent elections, and prove authority, as well.
TEST(RaftPaper, EntriesForEverybodyCountAsAHeartbeat) {
  TestCluster cluster(3);
  cluster.Campaign(1);
  cluster.Heartbeat(1);
  cluster.Advance(40 * kMillisecond);
  const uint64_t before = cluster.raft(1).ConfirmedRound();
  EXPECT_EQ(HeartbeatAfterProposal(cluster, 1), cluster.now() + Options().heartbeat);
  cluster.Run();
  EXPECT_EQ(cluster.raft(1).ConfirmedRound(), before + 1);
  EXPECT_EQ(cluster.raft(1).AuthorityUntil(), cluster.now() + ShrinkByDrift(kMin, 1000));
}

// A follower whose log is not known yet gets nothing but heartbeats: entries for the others must not put them off.
TEST(RaftPaper, EntriesForSomeDoNotPostponeTheHeartbeat) {
  TestCluster cluster(3);
  cluster.Campaign(1, [](const Envelope& e) { return e.from != ReplicaId(3) || e.kind == MessageKind::kVoteReply; });
  EXPECT_EQ(HeartbeatAfterProposal(cluster, 1), std::nullopt);
}

// [Raft §7]
TEST(RaftPaper, AFollowerThatNeedsForgottenEntriesGetsASnapshot) {
  TestCluster cluster(3);
  cluster.Campaign(1);
  for (int i = 0; i < 10; ++i) {
    cluster.Propose(1, "entry");
    cluster.Run(TestCluster::Without({3}));
  }
  const LogIndex upto = cluster.raft(1).commit();
  Snapshot snapshot;
  snapshot.meta = {upto, cluster.raft(1).log().TermAt(upto), 0, cluster.raft(1).EncodedConfigurationAt(upto)};
  snapshot.state = Blob("the state");
  cluster.Do(1, [&](Raft& raft, Context&) { raft.Compact(snapshot); });
  cluster.Heartbeat(1);
  cluster.Heartbeat(1);
  ASSERT_NE(cluster.raft(3).Incoming(), nullptr);
  EXPECT_EQ(cluster.raft(3).Incoming()->state.view(), "the state");
  cluster.Do(3, [](Raft& raft, Context& ctx) { raft.Install(ctx); });
  cluster.Run();
  EXPECT_EQ(cluster.raft(3).log().base(), upto);
  cluster.Propose(1, "behind it");
  cluster.Run();
  cluster.Heartbeat(1);
  EXPECT_EQ(cluster.raft(3).log().last(), cluster.raft(1).log().last());
  cluster.Crash(3);
  cluster.Boot(3);
  EXPECT_EQ(cluster.raft(3).log().base(), upto);
  EXPECT_EQ(cluster.raft(3).log().last(), cluster.raft(1).log().last());
}

// [Raft §7] What a follower has acknowledged stays, even if the leader, misled by a late refusal, sends a snapshot of its prefix.
class SnapshotOfAHeldPrefix : public testing::Test {
 protected:
  void SetUp() override {
    cluster_.Campaign(1);
    cluster_.Run();
    for (int i = 0; i < 4; ++i) cluster_.Propose(1, "entry");
    const auto only_appends_to_3 = [](const Envelope& e) {
      return e.kind == MessageKind::kAppendRequest && e.to == ReplicaId(3);
    };
    if (entries_first_) cluster_.Run(only_appends_to_3);
    appends_ = cluster_.TakeQueue();
    const LogIndex upto(cluster_.raft(1).log().last().value() - 2);
    chunk_.set_term(cluster_.raft(1).term().value());
    chunk_.set_last_index(upto.value());
    chunk_.set_last_term(chunk_.term());
    chunk_.set_configuration(cluster_.raft(1).EncodedConfigurationAt(upto));
    chunk_.set_total(5);
    chunk_.set_data("state");
    chunk_.set_checksum(Hash64("state"));
  }
  void DeliverChunk() {
    Envelope envelope{ReplicaId(1), ReplicaId(3), MessageKind::kSnapshotChunk, {}};
    EncodeFrame(envelope.kind, chunk_, &envelope.frame);
    cluster_.Deliver(envelope);
  }
  Raft& follower() { return cluster_.raft(3); }
  LogIndex upto() const { return LogIndex(chunk_.last_index()); }

  bool entries_first_ = true;
  TestCluster cluster_{3};
  std::vector<Envelope> appends_;
  v1::SnapshotChunk chunk_;
};

TEST_F(SnapshotOfAHeldPrefix, IsAnsweredAsInstalledAndOnlyCommits) {
  const LogIndex last = follower().log().last();
  ASSERT_GT(last, upto());
  ASSERT_LT(follower().commit(), upto());
  DeliverChunk();
  EXPECT_EQ(follower().Incoming(), nullptr);
  EXPECT_EQ(follower().log().last(), last);
  EXPECT_EQ(follower().commit(), upto());
  const auto answers = cluster_.TakeQueue();
  ASSERT_EQ(answers.size(), 1u);
  MessageSlots slots;
  const auto* reply = DecodeFrame(answers[0].frame, slots).message.As<v1::SnapshotReply>();
  ASSERT_NE(reply, nullptr);
  EXPECT_TRUE(reply->installed());
}

class SnapshotOvertakenByItsEntries : public SnapshotOfAHeldPrefix {
 protected:
  SnapshotOvertakenByItsEntries() { entries_first_ = false; }
};

TEST_F(SnapshotOvertakenByItsEntries, IsHeldByTheTimeItIsComplete) {
  DeliverChunk();
  ASSERT_NE(follower().Incoming(), nullptr);
  EXPECT_FALSE(follower().Holds(upto(), Term(chunk_.last_term())));
  for (const Envelope& e : appends_) {
    if (e.to == ReplicaId(3)) cluster_.Deliver(e);
  }
  EXPECT_EQ(follower().log().last(), cluster_.raft(1).log().last());
  EXPECT_TRUE(follower().Holds(upto(), Term(chunk_.last_term())));
}

// An append of a deposed leader that starts at the very beginning reaches a follower whose log starts later.
TEST(RaftPaper, AnOldAppendFromTheStartIsRefusedBehindASnapshot) {
  TestCluster cluster(3);
  cluster.Campaign(1);
  cluster.Campaign(2);
  const LogIndex upto = cluster.raft(3).commit();
  Snapshot snapshot;
  snapshot.meta = {upto, cluster.raft(3).log().TermAt(upto), 0, cluster.raft(3).EncodedConfigurationAt(upto)};
  snapshot.state = Blob("the state");
  cluster.Do(3, [&](Raft& raft, Context&) { raft.Compact(snapshot); });
  Envelope envelope{ReplicaId(1), ReplicaId(3), MessageKind::kAppendRequest, {}};
  v1::AppendRequest request;
  request.set_term(1);
  EncodeFrame(envelope.kind, request, &envelope.frame);
  ASSERT_GT(cluster.raft(3).term(), Term(1));
  cluster.Deliver(envelope);
  MessageSlots slots;
  const auto answers = cluster.TakeQueue();
  ASSERT_EQ(answers.size(), 1u);
  const auto* reply = DecodeFrame(answers[0].frame, slots).message.As<v1::AppendReply>();
  EXPECT_FALSE(reply->success());
  EXPECT_EQ(reply->hint_index(), upto.value());
}

// Cluster time never falls along the log, whoever leads.
TEST(RaftPaper, ClusterTimeNeverFallsAcrossLeaders) {
  TestCluster cluster(3);
  Time last = 0;
  for (int reign = 0; reign < 6; ++reign) {
    const uint32_t leader = 1 + static_cast<uint32_t>(reign) % 3;
    cluster.Campaign(leader);
    cluster.Advance(7 * kMillisecond);
    cluster.Propose(leader, "t");
    cluster.Run();
    const Log& log = cluster.raft(leader).log();
    for (LogIndex i = log.base().Next(); i <= log.last(); i = i.Next()) {
      EXPECT_GE(log.TimeAt(i), i == log.base().Next() ? 0 : log.TimeAt(i.Prev()));
    }
    EXPECT_GE(log.last_time(), last);
    last = log.last_time();
  }
}

}  // namespace
}  // namespace bramah::raft

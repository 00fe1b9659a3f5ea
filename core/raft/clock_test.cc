// A replica whose clock runs at a wrong rate gives up what rests on time.
#include "core/raft/raft.h"
#include "core/raft/test_cluster.h"
#include "gtest/gtest.h"

namespace bramah::raft {
namespace {

constexpr Duration kMin = TestCluster::kElectionMin;

void Tell(TestCluster& cluster, uint32_t id, bool trusted) {
  cluster.Do(id, [trusted](Raft& raft, Context& ctx) { raft.OnClockRate(ctx, trusted); });
}

TEST(RaftClock, ALeaderStepsDownAndAnotherTakesOver) {
  TestCluster cluster(3);
  cluster.Campaign(1);
  cluster.Heartbeat(1);
  ASSERT_GT(cluster.raft(1).AuthorityUntil(), cluster.now());
  Tell(cluster, 1, false);
  EXPECT_EQ(cluster.raft(1).role(), Role::kFollower);
  EXPECT_EQ(cluster.raft(1).AuthorityUntil(), 0);
  cluster.Campaign(2);
  EXPECT_EQ(cluster.raft(2).role(), Role::kLeader);
  EXPECT_EQ(cluster.raft(1).leader(), ReplicaId(2));
}

TEST(RaftClock, AReplicaThatDoubtsDoesNotCampaign) {
  TestCluster cluster(3);
  Tell(cluster, 1, false);
  cluster.Campaign(1);
  EXPECT_EQ(cluster.raft(1).role(), Role::kFollower);
  Tell(cluster, 1, true);
  cluster.Campaign(1);
  EXPECT_EQ(cluster.raft(1).role(), Role::kLeader);
}

TEST(RaftClock, AReplicaThatDoubtsGivesNobodyItsVote) {
  TestCluster cluster(3);
  Tell(cluster, 2, false);
  cluster.Campaign(1, TestCluster::Without({3}));
  EXPECT_NE(cluster.raft(1).role(), Role::kLeader);
  EXPECT_EQ(cluster.raft(2).vote(), ReplicaId());
  cluster.Campaign(1);
  EXPECT_EQ(cluster.raft(1).role(), Role::kLeader);
}

// What it promised by a wrong clock may not be over.
TEST(RaftClock, AReplicaThatTrustsAgainWaitsAsAfterARestart) {
  TestCluster cluster(3);
  cluster.Campaign(1);
  cluster.Heartbeat(1);
  Tell(cluster, 2, false);
  cluster.Advance(10 * kMin);
  Tell(cluster, 2, true);
  cluster.Do(3, [](Raft& raft, Context& ctx) { raft.OnElectionTimer(ctx); });
  cluster.Run(TestCluster::Without({1}));
  EXPECT_NE(cluster.raft(3).role(), Role::kLeader);
  cluster.Advance(kMin + 2);
  cluster.Campaign(3, TestCluster::Without({1}));
  EXPECT_EQ(cluster.raft(3).role(), Role::kLeader);
}

TEST(RaftClock, BeingToldTheSameAgainChangesNothing) {
  TestCluster cluster(3);
  cluster.Campaign(1);
  Tell(cluster, 1, true);
  Tell(cluster, 2, true);
  EXPECT_EQ(cluster.raft(1).role(), Role::kLeader);
  cluster.Crash(1);
  cluster.Campaign(3);
  EXPECT_EQ(cluster.raft(3).role(), Role::kLeader);
}

}  // namespace
}  // namespace bramah::raft

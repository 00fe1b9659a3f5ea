// Replicas compare their states.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/raft/types.h"
#include "core/replica/comparison.h"
#include "core/replica/lone_server.h"

namespace bramah::replica {
namespace {

constexpr LogIndex kAt(Comparison::kEvery);

TEST(Comparison, WhoIsContradictedByAMajorityOfAllIsOutvoted) {
  Comparison mine;
  mine.Note({kAt, 7});
  EXPECT_FALSE(mine.Outvoted(3));
  mine.Hear(ReplicaId(2), {kAt, 8});
  EXPECT_FALSE(mine.Outvoted(3));  // one against one
  mine.Hear(ReplicaId(3), {kAt, 8});
  EXPECT_TRUE(mine.Outvoted(3));
  EXPECT_FALSE(mine.Outvoted(5));  // two others may side with it
}

TEST(Comparison, OnlyOneOtherStateCanBeTheRightOne) {
  Comparison mine;
  mine.Note({kAt, 7});
  mine.Hear(ReplicaId(2), {kAt, 8});
  mine.Hear(ReplicaId(3), {kAt, 9});
  EXPECT_FALSE(mine.Outvoted(3));
}

TEST(Comparison, StatesAfterDifferentEntriesSayNothing) {
  Comparison mine;
  mine.Note({kAt, 7});
  for (const ReplicaId id : {ReplicaId(2), ReplicaId(3)}) mine.Hear(id, {kAt + Comparison::kEvery, 8});
  EXPECT_FALSE(mine.Outvoted(3));
  mine.Note({kAt + Comparison::kEvery, 7});
  EXPECT_TRUE(mine.Outvoted(3));
}

// A follower of three that has applied the first kEvery entries.
class ServerComparison : public testing::Test {
 protected:
  ServerComparison() {
    v1::AppendRequest append;
    append.set_term(1);
    append.set_round(1);
    append.set_commit(kAt.value());
    for (uint64_t i = 0; i < kAt.value(); ++i) {
      append.add_entries(std::string(raft::Entry(Term(1), 0, raft::EntryKind::kCommand, "no command").bytes().view()));
    }
    server_.Send(peers_[0], append);
    EXPECT_EQ(server_.view().applied, kAt);
  }
  void Tell(size_t peer, uint64_t digest) {
    v1::StateDigest state;
    state.set_index(kAt.value());
    state.set_digest(digest);
    server_.Send(peers_[peer], state);
  }

  LoneServer server_{3};
  std::vector<ConnId> peers_ = {server_.ConnectPeer(ReplicaId(2)), server_.ConnectPeer(ReplicaId(3))};
};

// [C-77]
TEST_F(ServerComparison, HaltsWhenTheOthersAgreeOnAnotherState) {
  const uint64_t mine = server_.view().cell->digest();
  Tell(0, mine);
  Tell(1, mine + 1);
  EXPECT_FALSE(server_.view().halted);
  Tell(0, mine + 1);
  EXPECT_TRUE(server_.view().halted);
  EXPECT_EQ(server_.halt(), HaltReason::kDivergedState);
}

TEST_F(ServerComparison, WhatAClientSaysOfItCountsForNothing) {
  const ConnId client = server_.Connect();
  v1::StateDigest state;
  state.set_index(kAt.value());
  server_.Send(client, state);
  Tell(0, 0);
  EXPECT_FALSE(server_.view().halted);
}

}  // namespace
}  // namespace bramah::replica

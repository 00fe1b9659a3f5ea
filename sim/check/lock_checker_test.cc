// What is checked of the replicated state: lock.mutual_exclusion, lock.generation, ephemeral.lifetime and state.digest.
#include "sim/check/lock_checker.h"

#include <gtest/gtest.h>

#include <string>

#include "sim/check/digest_checker.h"

namespace bramah::sim {
namespace {

using cell::HolderView;
using cell::LockView;

LockView Held(v1::LockMode mode, uint64_t generation, std::vector<uint64_t> sessions) {
  LockView lock;
  lock.path = "/a";
  lock.instance = Position(3);
  lock.mode = mode;
  lock.generation = Position(generation);
  for (const uint64_t session : sessions) lock.holders.push_back({SessionId(session), HandleId(1), RequestSeq(1)});
  return lock;
}

class LockCheckerTest : public testing::Test {
 protected:
  LockCheckerTest() : limits_(), cell_(&limits_, 0) {
    for (const uint64_t index : {1, 2}) {
      v1::Command create;
      create.set_kind(v1::CREATE_SESSION);
      create.set_nonce_low(index);
      cell_.Apply(LogIndex(index), 1, create, applied_, probes_);
      EXPECT_EQ(applied_.outcome.code(), v1::OK);
    }
  }
  void Check(const std::vector<LockView>& locks) { checker_.CheckLocks(1, ReplicaId(1), locks, &cell_); }
  void CheckNodes(const cell::CellView& view) { checker_.CheckNodes(1, ReplicaId(1), view); }
  void Apply(v1::CommandKind kind) {
    CoreEvent event;
    event.command = kind;
    event.effect = true;
    checker_.Applied(event);
  }
  std::string Fired() const { return reporter_.failed() ? reporter_.first()->checker : ""; }

  Reporter reporter_;
  LockChecker checker_{&reporter_};
  cell::Limits limits_;
  cell::Cell cell_;
  cell::Applied applied_;
  Probes probes_;
};

TEST_F(LockCheckerTest, AcceptsHoldersOneAfterTheOtherAndSharedOnesTogether) {
  Check({Held(v1::EXCLUSIVE, 10, {1})});
  Check({Held(v1::EXCLUSIVE, 12, {2})});
  Check({Held(v1::SHARED, 14, {1})});
  Check({Held(v1::SHARED, 14, {1, 2})});
  Check({Held(v1::SHARED, 14, {2})});
  EXPECT_EQ(Fired(), "");
}

TEST_F(LockCheckerTest, TwoExclusiveHolders) {
  Check({Held(v1::EXCLUSIVE, 10, {1, 2})});
  EXPECT_EQ(Fired(), "lock.mutual_exclusion");
}

TEST_F(LockCheckerTest, AFreeLockWithAHolder) {
  Check({Held(v1::FREE, 10, {1})});
  EXPECT_EQ(Fired(), "lock.mutual_exclusion");
}

TEST_F(LockCheckerTest, AHolderWhoseSessionIsGone) {
  Check({Held(v1::SHARED, 10, {1, 99})});
  EXPECT_EQ(Fired(), "lock.mutual_exclusion");
}

TEST_F(LockCheckerTest, AGenerationThatFalls) {
  Check({Held(v1::EXCLUSIVE, 12, {1})});
  Check({Held(v1::EXCLUSIVE, 10, {2})});
  EXPECT_EQ(Fired(), "lock.generation");
}

TEST_F(LockCheckerTest, AGenerationForTwoHolds) {
  Check({Held(v1::EXCLUSIVE, 12, {1})});
  Check({Held(v1::EXCLUSIVE, 12, {2})});
  EXPECT_EQ(Fired(), "lock.generation");
}

// ------------------------------------------------------------------------------------------------------------- ephemerals

cell::CellView WithEphemeral(bool there, bool referred) {
  cell::CellView view;
  if (there) {
    cell::NodeView& node = view.nodes.emplace_back();
    node.path = "/e";
    node.instance = Position(5);
    node.ephemeral = true;
  }
  if (referred) view.sessions.emplace_back().handles.push_back({HandleId(1), Position(5), true, true, false, 0, 0, Position()});
  return view;
}

TEST_F(LockCheckerTest, AcceptsAnEphemeralThatLivesAndDiesWithItsHandle) {
  CheckNodes(WithEphemeral(true, true));
  CheckNodes(WithEphemeral(false, false));
  EXPECT_EQ(Fired(), "");
}

TEST_F(LockCheckerTest, AnEphemeralWithoutAHandle) {
  CheckNodes(WithEphemeral(true, false));
  EXPECT_EQ(Fired(), "ephemeral.lifetime");
}

TEST_F(LockCheckerTest, AnEphemeralThatVanishesBeforeItsHandle) {
  CheckNodes(WithEphemeral(true, true));
  Apply(v1::CLOSE);
  CheckNodes(WithEphemeral(false, true));
  EXPECT_EQ(Fired(), "ephemeral.lifetime");
}

TEST_F(LockCheckerTest, AnEphemeralThatSomebodyDeletedLeavesItsHandles) {
  CheckNodes(WithEphemeral(true, true));
  Apply(v1::DELETE);
  CheckNodes(WithEphemeral(false, true));
  EXPECT_EQ(Fired(), "");
}

TEST_F(LockCheckerTest, AnEphemeralDirectoryMayLiveByItsChildren) {
  cell::CellView view = WithEphemeral(true, false);
  view.nodes[0].directory = true;
  view.nodes[0].children = 1;
  CheckNodes(view);
  EXPECT_EQ(Fired(), "");
}

cell::CellView WithOwned(bool there, bool owner_lives) {
  cell::CellView view = WithEphemeral(there, false);
  if (there) view.nodes[0].ephemeral = false;
  if (there) view.nodes[0].owner = SessionId(4);
  if (owner_lives) view.sessions.emplace_back().session = SessionId(4);
  return view;
}

TEST_F(LockCheckerTest, AcceptsAnOwnedNodeThatLivesAndDiesWithItsSession) {
  CheckNodes(WithOwned(true, true));
  CheckNodes(WithOwned(false, false));
  EXPECT_EQ(Fired(), "");
}

TEST_F(LockCheckerTest, AnOwnedNodeWithoutItsSession) {
  CheckNodes(WithOwned(true, false));
  EXPECT_EQ(Fired(), "ephemeral.lifetime");
}

TEST_F(LockCheckerTest, AnOwnedNodeThatVanishesBeforeItsSession) {
  CheckNodes(WithOwned(true, true));
  Apply(v1::CLOSE);
  CheckNodes(WithOwned(false, true));
  EXPECT_EQ(Fired(), "ephemeral.lifetime");
}

TEST_F(LockCheckerTest, AnOwnedNodeThatSomebodyDeletedLeavesItsSession) {
  CheckNodes(WithOwned(true, true));
  Apply(v1::DELETE);
  CheckNodes(WithOwned(false, true));
  EXPECT_EQ(Fired(), "");
}

// ----------------------------------------------------------------------------------------------------------------- digest

// [C-77]
TEST(DigestCheckerTest, ComparesReplicasAtEqualAppliedIndexes) {
  Reporter reporter;
  DigestChecker checker(2, &reporter);
  const cell::Limits limits;
  cell::Cell a(&limits, 0);
  cell::Cell b(&limits, 0);
  cell::Applied applied;
  Probes probes;
  v1::Command create;
  create.set_kind(v1::CREATE_SESSION);
  create.set_nonce_low(1);
  replica::ServerView view;
  view.ready = true;
  const auto step = [&](uint32_t replica, cell::Cell& cell, uint64_t index) {
    cell.Apply(LogIndex(index), 1, create, applied, probes);
    view.applied = LogIndex(index);
    view.cell = &cell;
    checker.AfterStep(1, ReplicaId(replica), view);
    checker.Recheck(1, ReplicaId(replica), view);
  };
  step(1, a, 1);
  step(2, b, 1);
  EXPECT_FALSE(reporter.failed());
  create.set_nonce_low(2);
  step(1, a, 2);
  create.set_nonce_low(3);
  step(2, b, 2);
  ASSERT_TRUE(reporter.failed());
  EXPECT_EQ(reporter.first()->checker, "state.digest");
}

}  // namespace
}  // namespace bramah::sim

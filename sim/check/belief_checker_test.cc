#include "sim/check/belief_checker.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace bramah::sim {
namespace {

using client::HeldLock;
using client::SessionState;

constexpr v1::LockMode kShared = v1::SHARED;
constexpr v1::LockMode kExclusive = v1::EXCLUSIVE;

class BeliefCheckerTest : public testing::Test {
 protected:
  explicit BeliefCheckerTest(bool within_rho = true) : checker_({{0, 0}, {0, 1'000'000}, {1'000, 0}}, within_rho, &reporter_) {}

  // Client `client` steps at `at` and relies on its lease until the local instant `lease_end`.
  void Step(Time at, uint32_t client, Time lease_end, SessionState state = SessionState::kActive) {
    client::ClientView view;
    view.state = state;
    view.session = SessionId(100 + client);
    view.lease_end = lease_end;
    view.held = &held_[client];
    checker_.AfterStep(at, client, view);
  }
  void Hold(uint32_t client, uint64_t generation, v1::LockMode mode = kExclusive, uint64_t handle = 1) {
    held_[client].push_back({"/a", HandleId(handle), mode, Position(generation), RequestSeq(generation)});
  }
  void LetGo(uint32_t client) { held_[client].clear(); }
  std::string Fired() const { return reporter_.failed() ? reporter_.first()->checker : ""; }

  Reporter reporter_;
  BeliefChecker checker_;
  std::map<uint32_t, std::vector<HeldLock>> held_;
};

class LyingClocksTest : public BeliefCheckerTest {
 protected:
  LyingClocksTest() : BeliefCheckerTest(false) {}
};

TEST_F(BeliefCheckerTest, AcceptsAHandOver) {
  Hold(1, 10);
  Step(100, 1, 1'000);
  LetGo(1);
  Step(200, 1, 1'000);
  Hold(2, 20);
  Step(300, 2, 1'000'900);
  EXPECT_EQ(Fired(), "");
}

TEST_F(BeliefCheckerTest, TwoExclusiveBeliefsConflict) {
  Hold(1, 10);
  Step(100, 1, 1'000);
  Hold(2, 20);
  Step(300, 2, 1'000'900);
  EXPECT_EQ(Fired(), "lock.two_believers");
}

TEST_F(BeliefCheckerTest, SharedBeliefsAgreeAndAnExclusiveOneConflictsWithThem) {
  Hold(1, 10, kShared);
  Step(100, 1, 1'000);
  Hold(2, 10, kShared);
  Step(110, 2, 1'001'000);
  EXPECT_EQ(Fired(), "");
  Hold(3, 20);
  Step(120, 3, 1'000);
  EXPECT_EQ(Fired(), "lock.two_believers");
}

TEST_F(BeliefCheckerTest, ABeliefLastsWhileItsClockStandsStill) {
  Hold(1, 10);
  Step(100, 1, 1'000);
  checker_.ClockChanged(500, 1, {-1'000'000, 500});
  Hold(2, 20);
  Step(5'000, 2, 1'009'000);
  EXPECT_EQ(Fired(), "lock.two_believers");
}

TEST_F(BeliefCheckerTest, ABeliefEndsEarlierIfItsClockJumpsAhead) {
  Hold(1, 10);
  Step(100, 1, 1'000);
  checker_.ClockChanged(500, 1, {0, 400});
  Hold(2, 20);
  Step(600, 2, 1'001'000);
  EXPECT_EQ(Fired(), "");
}

TEST_F(BeliefCheckerTest, ABeliefEndsWithTheLeaseWithoutAnyStep) {
  Hold(1, 10);
  Step(100, 1, 1'000);
  Hold(2, 20);
  Step(1'000, 2, 1'002'000);
  EXPECT_EQ(Fired(), "");
}

TEST_F(BeliefCheckerTest, ABeliefThatReturnsIsCompared) {
  Hold(1, 10);
  Step(100, 1, 1'000);
  Hold(2, 20);
  Step(1'500, 2, 1'003'000);
  Step(1'600, 1, 1'700);
  EXPECT_EQ(Fired(), "lock.two_believers");
}

TEST_F(BeliefCheckerTest, JeopardyAndEndedProcessesBelieveNothing) {
  Hold(1, 10);
  Step(100, 1, 1'000);
  Step(200, 1, 1'000, SessionState::kJeopardy);
  Hold(2, 20);
  Step(300, 2, 1'001'000);
  checker_.Stopped(2);
  Hold(3, 30);
  Step(400, 3, 1'000);
  EXPECT_EQ(Fired(), "");
}

// c3's clock runs fast by 1,000 ppm: its lease of local 10 s ends after 9.99 s.
TEST_F(BeliefCheckerTest, LeasesAreJudgedByTheClocksOfTheirOwners) {
  Hold(3, 10);
  Step(100, 3, 10'010'000'000);
  Hold(1, 20);
  Step(10'000'000'000, 1, 20'000'000'000);
  EXPECT_EQ(Fired(), "");
  Step(10'000'000'100, 3, 10'010'000'300);
  EXPECT_EQ(Fired(), "lock.two_believers");
}

TEST_F(BeliefCheckerTest, TwoExclusiveHoldsOfOneGeneration) {
  Hold(1, 10);
  Step(100, 1, 1'000);
  LetGo(1);
  Step(200, 1, 1'000);
  Hold(2, 10);
  Step(300, 2, 1'001'000);
  EXPECT_EQ(Fired(), "lock.generation");
}

TEST_F(BeliefCheckerTest, AGenerationThatFalls) {
  Hold(1, 20);
  Step(100, 1, 1'000);
  LetGo(1);
  Step(200, 1, 1'000);
  Hold(2, 10);
  Step(300, 2, 1'001'000);
  EXPECT_EQ(Fired(), "lock.generation");
}

TEST_F(LyingClocksTest, TwoBelieversAreExpectedButGenerationsStayUnique) {
  Hold(1, 10);
  Step(100, 1, 1'000);
  Hold(2, 20);
  Step(300, 2, 1'000'900);
  EXPECT_EQ(Fired(), "");
  Hold(3, 20);
  Step(400, 3, 1'000);
  EXPECT_EQ(Fired(), "lock.generation");
}

}  // namespace
}  // namespace bramah::sim

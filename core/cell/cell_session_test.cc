// Sessions, the exactly-once table, and commands that no correct client sends.
#include <gtest/gtest.h>

#include "core/cell/test_cell.h"

namespace bramah::cell {
namespace {

constexpr uint32_t kFile = v1::OPEN_WRITE | v1::OPEN_MAY_CREATE;

// [C-54]
TEST(CellSession, A01IdIsThePositionOfTheCreatingEntry) {
  TestCell cell;
  ASSERT_EQ(cell.Do(Create(1)), v1::OK);
  EXPECT_EQ(cell.applied().outcome.session(), At(1));
  EXPECT_TRUE(cell.applied().effect);
  EXPECT_TRUE(cell.cell().HasSession(SessionId(At(1))));
  EXPECT_EQ(cell.cell().session_count(), 1u);
}

TEST(CellSession, A13SameNonceIsTheSameSessionUntilItEnds) {
  TestCell cell;
  ASSERT_EQ(cell.Do(Create(1)), v1::OK);
  const uint64_t first = cell.applied().outcome.session();
  ASSERT_EQ(cell.Do(Create(1)), v1::OK);
  EXPECT_EQ(cell.applied().outcome.session(), first);
  EXPECT_TRUE(cell.applied().duplicate);
  EXPECT_FALSE(cell.applied().effect);
  ASSERT_EQ(cell.Do(Create(2)), v1::OK);
  EXPECT_NE(cell.applied().outcome.session(), first);
  ASSERT_EQ(cell.Do(Expire(first)), v1::OK);
  ASSERT_EQ(cell.Do(Create(1)), v1::OK);
  EXPECT_EQ(cell.applied().outcome.session(), At(cell.index()));
  const std::vector<SessionId> all = cell.cell().Sessions();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_LT(all[0], all[1]);
}

//
TEST(CellSession, OnlyNonceAndPrincipalTogetherShowWhoCreatedIt) {
  TestCell cell;
  v1::Command create = Create(1, "me");
  create.set_nonce_low(2);
  ASSERT_EQ(cell.Do(create), v1::OK);
  const SessionId id(At(1));
  const session::Nonce nonce{create.nonce_high(), create.nonce_low()};
  EXPECT_TRUE(cell.cell().CreatedWith(id, nonce, "me"));
  EXPECT_FALSE(cell.cell().CreatedWith(id, nonce, "you"));
  EXPECT_FALSE(cell.cell().CreatedWith(id, nonce, ""));
  EXPECT_FALSE(cell.cell().CreatedWith(id, {nonce.high + 1, nonce.low}, "me"));
  EXPECT_FALSE(cell.cell().CreatedWith(id, {nonce.high, nonce.low + 1}, "me"));
  EXPECT_FALSE(cell.cell().CreatedWith(SessionId(At(2)), nonce, "me"));
}

TEST(CellSession, NonceIsAll128Bits) {
  TestCell cell;
  v1::Command other = Create(1);
  other.set_nonce_high(8);
  ASSERT_EQ(cell.Do(Create(1)), v1::OK);
  ASSERT_EQ(cell.Do(other), v1::OK);
  EXPECT_EQ(cell.cell().session_count(), 2u);
}

TEST(CellSession, CommandsOfAnUnknownSessionAreExpiredAndHaveNoEffect) {
  TestCell cell;
  const uint64_t a = cell.Session();
  ASSERT_EQ(cell.Do(Expire(a)), v1::OK);
  EXPECT_EQ(cell.applied().ended, SessionId(a));
  const std::string before = cell.State();
  EXPECT_EQ(cell.Do(Expire(a)), v1::SESSION_EXPIRED);
  EXPECT_FALSE(cell.applied().ended);
  EXPECT_EQ(cell.Do(End(a, 1)), v1::SESSION_EXPIRED);
  EXPECT_EQ(cell.Do(OpenPath(a, 1, 1, "/f", kFile | v1::OPEN_EPHEMERAL)), v1::SESSION_EXPIRED);  // EP-02
  EXPECT_EQ(cell.Do(CloseOf(a, 2, 1)), v1::SESSION_EXPIRED);
  EXPECT_EQ(cell.Do(AcquireOf(a, 3, 1, v1::SHARED)), v1::SESSION_EXPIRED);
  EXPECT_EQ(cell.State(), before);
}

// [C-54]
TEST(CellSession, EndTakesEverythingOfTheSession) {
  TestCell cell;
  const uint64_t a = cell.Session();
  ASSERT_EQ(cell.Do(OpenPath(a, 1, 1, "/f", kFile | v1::OPEN_EPHEMERAL)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::OK);
  ASSERT_EQ(cell.Do(End(a, 3)), v1::OK);
  EXPECT_EQ(cell.applied().ended, SessionId(a));
  const CellView view = cell.cell().View();
  EXPECT_EQ(view.nodes.size(), 1u);
  EXPECT_EQ(view.nodes[0].references, 0u);
  EXPECT_TRUE(view.sessions.empty());
  EXPECT_TRUE(cell.cell().HeldLocks().empty());
}

TEST(CellSession, EndOfOneLeavesTheOthers) {
  TestCell cell;
  const uint64_t a = cell.Session();
  const uint64_t b = cell.Session();
  ASSERT_EQ(cell.Do(OpenPath(a, 1, 1, "/f", kFile)), v1::OK);
  ASSERT_EQ(cell.Do(OpenPath(b, 1, 1, "/f", kFile)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::SHARED)), v1::OK);
  ASSERT_EQ(cell.Do(Expire(a)), v1::OK);
  EXPECT_EQ(cell.Lock("/f").holders.size(), 1u);
  EXPECT_EQ(cell.Do(Set(b, 3, 1, "x")), v1::OK);
}

TEST(CellSession, NewEpochWithoutASecretChangesNothing) {
  TestCell cell;
  const std::string before = cell.State();
  v1::Command command;
  command.set_kind(v1::NEW_EPOCH);
  EXPECT_EQ(cell.Do(command), v1::OK);
  EXPECT_FALSE(cell.applied().effect);
  EXPECT_EQ(cell.State(), before);
}

TEST(CellSession, TheFirstSecretIsKeptForEver) {
  TestCell cell;
  EXPECT_TRUE(cell.Apply(NewEpoch({1, 2})).effect);
  const std::string state = cell.State();
  EXPECT_FALSE(cell.Apply(NewEpoch({3, 4})).effect);
  EXPECT_FALSE(cell.Apply(NewEpoch({})).effect);
  EXPECT_EQ(cell.State(), state);
}

TEST(CellSession, TheSecretIsPartOfTheDigest) {
  std::set<uint64_t> digests;
  for (const MacKey& secret : {MacKey{}, MacKey{1, 2}, MacKey{2, 1}, MacKey{1, 6}, MacKey{5, 2}, MacKey{5, 5}}) {
    TestCell cell;
    cell.Apply(NewEpoch(secret));
    EXPECT_TRUE(digests.insert(cell.cell().digest()).second);
  }
}

TEST(CellSession, EntriesMustComeInOrder) {
  Limits limits;
  Cell cell(&limits, kTestIncarnation);
  Applied applied;
  Probes probes;
  cell.Apply(LogIndex(5), 1, Create(1), applied, probes);
  ASSERT_EQ(applied.outcome.code(), v1::OK);
  EXPECT_EQ(cell.last().value(), At(5));
  for (const uint64_t index : {5, 4}) {
    cell.Apply(LogIndex(index), 1, Create(2), applied, probes);
    EXPECT_EQ(applied.outcome.code(), v1::MALFORMED);
    EXPECT_FALSE(applied.effect);
  }
  EXPECT_EQ(cell.session_count(), 1u);
}

// ---- exactly once

class ExactlyOnce : public ::testing::Test {
 protected:
  void SetUp() override {
    a = cell.Session();
    ASSERT_EQ(cell.Do(OpenPath(a, 1, 1, "/f", kFile, "x")), v1::OK);
  }
  uint64_t Generation() const { return cell.Read(v1::GET_STAT, a, 1).content_generation(); }
  TestCell cell;
  uint64_t a = 0;
};

TEST_F(ExactlyOnce, CL01CopyIsAnsweredFromTheTable) {
  ASSERT_EQ(cell.Do(Set(a, 2, 1, "y")), v1::OK);
  const v1::Outcome first = cell.applied().outcome;
  ASSERT_EQ(cell.Do(Set(a, 2, 1, "y")), v1::OK);
  EXPECT_TRUE(cell.applied().duplicate);
  EXPECT_FALSE(cell.applied().effect);
  EXPECT_EQ(cell.applied().outcome.SerializeAsString(), first.SerializeAsString());
  EXPECT_EQ(Generation(), 2u);
  EXPECT_TRUE(cell.Reached(ProbeId::kDuplicateAnswered));
}

TEST_F(ExactlyOnce, EveryKindOfAnswerIsRepeatedWhole) {
  const std::vector<v1::Command> commands = {
      OpenPath(a, 2, 2, "/e", kFile | v1::OPEN_EPHEMERAL | v1::OPEN_DIRECTORY),
      OpenPath(a, 3, 3, "/e", kFile | v1::OPEN_MUST_CREATE),
      Set(a, 4, 1, "y"), CompareAndSet(a, 5, 1, "z", 9), AcquireOf(a, 6, 1, v1::EXCLUSIVE), AcquireOf(a, 7, 1, v1::SHARED),
      ReleaseOf(a, 8, 1, 6), ReleaseOf(a, 9, 1, 6), DeleteOf(a, 10, 1), DeleteOf(a, 11, 1), CloseOf(a, 12, 1)};
  for (const v1::Command& command : commands) {
    const std::string first = cell.Apply(command).outcome.SerializeAsString();
    EXPECT_FALSE(cell.applied().duplicate) << command.ShortDebugString();
    EXPECT_EQ(cell.Apply(command).outcome.SerializeAsString(), first) << command.ShortDebugString();
    EXPECT_TRUE(cell.applied().duplicate) << command.ShortDebugString();
  }
}

TEST_F(ExactlyOnce, FailuresAreStoredToo) {
  ASSERT_EQ(cell.Do(CompareAndSet(a, 2, 1, "y", 2)), v1::GENERATION_MISMATCH);
  ASSERT_EQ(cell.Do(Set(a, 3, 1, "z")), v1::OK);
  // It would succeed now.
  EXPECT_EQ(cell.Do(CompareAndSet(a, 2, 1, "y", 2)), v1::GENERATION_MISMATCH);
  EXPECT_TRUE(cell.applied().duplicate);
  EXPECT_EQ(cell.Read(v1::GET_CONTENTS, a, 1).contents(), "z");
}

TEST_F(ExactlyOnce, SettledSeqIsDroppedNotExecuted) {
  ASSERT_EQ(cell.Do(First(Set(a, 3, 1, "y"), 3)), v1::OK);
  EXPECT_EQ(cell.Do(Set(a, 2, 1, "late")), v1::CANCELLED);  // never executed before
  EXPECT_FALSE(cell.applied().effect);
  EXPECT_FALSE(cell.applied().duplicate);
  ASSERT_EQ(cell.Do(First(Set(a, 4, 1, "z"), 4)), v1::OK);
  EXPECT_EQ(cell.Do(Set(a, 3, 1, "y")), v1::CANCELLED);  // executed, answered and trimmed
  EXPECT_EQ(Generation(), 3u);
}

TEST_F(ExactlyOnce, FirstOutstandingTrimsAndNeverGoesBack) {
  ASSERT_EQ(cell.Do(Set(a, 2, 1, "y")), v1::OK);
  ASSERT_EQ(cell.Do(First(Set(a, 3, 1, "z"), 3)), v1::OK);
  SessionView view = cell.cell().View().sessions.at(0);
  EXPECT_EQ(view.first_outstanding, RequestSeq(3));
  EXPECT_EQ(view.answered, std::vector{RequestSeq(3)});
  ASSERT_EQ(cell.Do(First(Set(a, 5, 1, "z"), 1)), v1::OK);
  view = cell.cell().View().sessions.at(0);
  EXPECT_EQ(view.first_outstanding, RequestSeq(3));
  EXPECT_EQ(view.answered, (std::vector{RequestSeq(3), RequestSeq(5)}));
}

TEST_F(ExactlyOnce, SeqsMayArriveInAnyOrderWithinTheWindow) {
  ASSERT_EQ(cell.Do(Set(a, 9, 1, "nine")), v1::OK);
  ASSERT_EQ(cell.Do(Set(a, 4, 1, "four")), v1::OK);
  EXPECT_EQ(cell.Read(v1::GET_CONTENTS, a, 1).contents(), "four");
}

TEST(ExactlyOnceWindow, IsBoundedAndMovesOn) {
  Limits limits;
  limits.results_per_session_max = 4;
  TestCell cell(limits);
  const uint64_t a = cell.Session();
  ASSERT_EQ(cell.Do(OpenPath(a, 4, 1, "/f", kFile)), v1::OK);
  EXPECT_EQ(cell.Do(Set(a, 5, 1, "x")), v1::LIMIT_REACHED);
  EXPECT_FALSE(cell.applied().effect);
  EXPECT_EQ(cell.Do(First(Set(a, 5, 1, "x"), 2)), v1::OK);  // not stored: the seq is still good
  EXPECT_EQ(cell.Do(First(Set(a, UINT64_MAX, 1, "x"), 2)), v1::LIMIT_REACHED);
}

TEST_F(ExactlyOnce, A22CloseSettlesTheCallsItGivesUp) {
  // Open(h2) as seq 2 and Acquire(h2) as seq 3 were sent, then the application closed h2 as seq 4, which arrives first.
  EXPECT_EQ(cell.Do(CloseOf(a, 4, 2, {2, 3})), v1::OK);
  EXPECT_EQ(cell.Do(OpenPath(a, 2, 2, "/e", kFile | v1::OPEN_EPHEMERAL)), v1::CANCELLED);
  EXPECT_EQ(cell.Do(AcquireOf(a, 3, 2, v1::EXCLUSIVE)), v1::CANCELLED);
  EXPECT_FALSE(cell.Exists("/e"));
}

TEST_F(ExactlyOnce, PR06LateAcquireOfAClosedHandleIsNotGranted) {
  ASSERT_EQ(cell.Do(CloseOf(a, 3, 1, {2})), v1::OK);
  EXPECT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::CANCELLED);
  EXPECT_TRUE(cell.cell().HeldLocks().empty());
}

TEST_F(ExactlyOnce, GivingUpDoesNotChangeWhatWasAnswered) {
  ASSERT_EQ(cell.Do(Set(a, 2, 1, "y")), v1::OK);
  ASSERT_EQ(cell.Do(CloseOf(a, 3, 1, {2})), v1::OK);
  EXPECT_EQ(cell.Do(Set(a, 2, 1, "y")), v1::OK);
  EXPECT_TRUE(cell.applied().duplicate);
}

TEST_F(ExactlyOnce, GivingUpAWaitCancelsIt) {
  const uint64_t b = cell.Session();
  ASSERT_EQ(cell.Do(OpenPath(b, 1, 1, "/f", kFile)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(b, 2, 1, v1::EXCLUSIVE)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(CloseOf(a, 3, 1, {2})), v1::OK);
  EXPECT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::CANCELLED);
  ASSERT_EQ(cell.Do(ReleaseOf(b, 3, 1)), v1::OK);
  EXPECT_TRUE(cell.cell().HeldLocks().empty());
}

TEST_F(ExactlyOnce, TablesOfSessionsAreSeparate) {
  const uint64_t b = cell.Session();
  ASSERT_EQ(cell.Do(OpenPath(b, 1, 1, "/g", kFile)), v1::OK);
  EXPECT_FALSE(cell.applied().duplicate);
  EXPECT_TRUE(cell.Exists("/g"));
}

// ---- malformed

class Malformed : public ExactlyOnce {
 protected:
  void Expect(const v1::Command& command) {
    const std::string before = cell.State();
    EXPECT_EQ(cell.Do(command), v1::MALFORMED) << command.ShortDebugString();
    EXPECT_FALSE(cell.applied().effect);
    EXPECT_EQ(cell.State(), before) << command.ShortDebugString();
  }
};

TEST_F(Malformed, CommandsThatAreNotForTheLog) {
  Expect(v1::Command());
  for (const v1::CommandKind kind : {v1::GET_CONTENTS, v1::GET_STAT, v1::READ_DIR, v1::OPEN_SESSION}) Expect(ReadOf(kind, a, 1));
  v1::Command command = Set(a, 2, 1, "x");
  command.set_kind(static_cast<v1::CommandKind>(77));
  Expect(command);
}

TEST_F(Malformed, NumbersOutOfPlace) {
  Expect(Set(a, 0, 1, "x"));
  Expect(First(Set(a, 2, 1, "x"), 3));  // it waits for its own answer
  Expect(First(End(a, 2), 3));
  Expect(Set(a, 2, 0, "x"));
  Expect(OpenPath(a, 2, 0, "/f", kFile));
  Expect(CloseOf(a, 2, 0));
  Expect(CloseOf(a, 3, 1, {2, 3}));  // gives up itself
  Expect(CloseOf(a, 3, 1, {0}));
  Expect(ReleaseOf(a, 3, 1, 3));
  v1::Command create = Create(0);
  create.set_nonce_high(0);
  Expect(create);
}

TEST_F(Malformed, FlagsAndModesOutOfRange) {
  Expect(OpenPath(a, 2, 2, "/g", 256));
  Expect(OpenPath(a, 2, 2, "/g", kFile | v1::OPEN_DIRECTORY, "contents"));
  Expect(AcquireOf(a, 2, 1, v1::FREE));
  Expect(AcquireOf(a, 2, 1, static_cast<v1::LockMode>(3)));
}

TEST_F(Malformed, FirstOutstandingMayBeLeftOut) { EXPECT_EQ(cell.Do(First(Set(a, 2, 1, "x"), 0)), v1::OK); }

// [C-63]
TEST(CellSession, D08TheLongestLeaseIsWhatTheLastEntrySaid) {
  TestCell cell;
  EXPECT_EQ(cell.cell().lease_max(), 0);
  EXPECT_EQ(cell.Do(SetLeaseMax(20 * kSecond)), v1::OK);
  EXPECT_TRUE(cell.applied().effect);
  EXPECT_EQ(cell.cell().lease_max(), 20 * kSecond);
  EXPECT_EQ(cell.Do(SetLeaseMax(20 * kSecond)), v1::OK);
  EXPECT_FALSE(cell.applied().effect);
  EXPECT_EQ(cell.Do(SetLeaseMax(13 * kSecond)), v1::OK);
  EXPECT_EQ(cell.cell().lease_max(), 13 * kSecond);
  EXPECT_TRUE(cell.Reached(ProbeId::kLeaseMaxRaised));
  EXPECT_TRUE(cell.Reached(ProbeId::kLeaseMaxLowered));
}

TEST(CellSession, WhatIsNoLeaseIsRefused) {
  TestCell cell;
  for (const Duration lease_max : {Duration{0}, Duration{-1}, 60 * kSecond + 1}) {
    EXPECT_EQ(cell.Do(SetLeaseMax(lease_max)), v1::MALFORMED);
    EXPECT_EQ(cell.cell().lease_max(), 0);
  }
}

}  // namespace
}  // namespace bramah::cell

#include "core/lock/lock_state.h"

#include <gtest/gtest.h>

namespace bramah::lock {
namespace {

Owner Of(uint64_t session) { return {SessionId(session), HandleId(1)}; }

Waiter Wants(uint64_t session, v1::LockMode mode) { return {Of(session), RequestSeq(session), mode}; }

std::vector<uint64_t> Promoted(LockState& lock, uint64_t now) {
  std::vector<Waiter> granted;
  lock.Promote(Position(now), Delay(), granted);
  EXPECT_EQ(lock.digest(), lock.DigestSlow());
  std::vector<uint64_t> sessions;
  for (const Waiter& waiter : granted) sessions.push_back(waiter.owner.session.value());
  return sessions;
}

TEST(LockState, IsBornFreeWithoutGeneration) {
  const LockState lock;
  EXPECT_EQ(lock.mode(), v1::FREE);
  EXPECT_FALSE(lock.generation());
  EXPECT_TRUE(lock.Grantable(v1::EXCLUSIVE, Delay()));
}

TEST(LockState, OnceLeftByAllItDiffersFromANewOneByItsGenerationOnly) {
  LockState lock;
  lock.Grant({Of(1), RequestSeq(1), v1::EXCLUSIVE}, Delay(), Position(10));
  lock.Enqueue(Wants(2, v1::SHARED), Position(11));
  const LockState copy = lock;
  lock.Cancel(Position(11));
  lock.Release(Of(1));
  EXPECT_EQ(lock.HoldOf(Of(1)), nullptr);
  EXPECT_EQ(lock.digest(), LockState::Restored(1, v1::FREE, Position(10), {}, {}).digest());
  EXPECT_EQ(copy.holders().size() + copy.waiters().size(), 2u) << "a copy is on its own";
  EXPECT_EQ(copy.digest(), copy.DigestSlow());
}

// [C-34]
TEST(LockState, GrantabilityFollowsModeAndQueue) {
  LockState lock;
  lock.Grant({Of(1), RequestSeq(1), v1::SHARED}, Delay(), Position(10));
  EXPECT_TRUE(lock.Grantable(v1::SHARED, Delay()));
  EXPECT_FALSE(lock.Grantable(v1::EXCLUSIVE, Delay()));
  lock.Enqueue(Wants(2, v1::EXCLUSIVE), Position(11));
  EXPECT_FALSE(lock.Grantable(v1::SHARED, Delay()));
  LockState exclusive;
  exclusive.Grant({Of(1), RequestSeq(1), v1::EXCLUSIVE}, Delay(), Position(10));
  EXPECT_FALSE(exclusive.Grantable(v1::SHARED, Delay()));
  EXPECT_FALSE(exclusive.Grantable(v1::EXCLUSIVE, Delay()));
}

// [C-11]
TEST(LockState, GenerationChangesOnlyFromFreeToHeld) {
  LockState lock;
  lock.Grant({Of(1), RequestSeq(1), v1::SHARED}, Delay(), Position(10));
  lock.Grant({Of(2), RequestSeq(2), v1::SHARED}, Delay(), Position(11));
  EXPECT_EQ(lock.generation(), Position(10));
  lock.Release(Of(1));
  EXPECT_EQ(lock.mode(), v1::SHARED);
  lock.Release(Of(2));
  EXPECT_EQ(lock.mode(), v1::FREE);
  EXPECT_EQ(lock.generation(), Position(10));
  lock.Grant({Of(1), RequestSeq(3), v1::EXCLUSIVE}, Delay(), Position(12));
  EXPECT_EQ(lock.generation(), Position(12));
}

TEST(LockState, HoldOfNamesTheAcquire) {
  LockState lock;
  lock.Grant({Of(1), RequestSeq(7), v1::SHARED}, Delay(), Position(10));
  ASSERT_NE(lock.HoldOf(Of(1)), nullptr);
  EXPECT_EQ(lock.HoldOf(Of(1))->seq, RequestSeq(7));
  EXPECT_EQ(lock.HoldOf({SessionId(1), HandleId(2)}), nullptr);
}

TEST(LockState, PromoteServesOneExclusiveOrARunOfShared) {
  LockState lock;
  lock.Grant({Of(1), RequestSeq(1), v1::EXCLUSIVE}, Delay(), Position(10));
  lock.Enqueue(Wants(2, v1::SHARED), Position(11));
  lock.Enqueue(Wants(3, v1::SHARED), Position(12));
  lock.Enqueue(Wants(4, v1::EXCLUSIVE), Position(13));
  lock.Enqueue(Wants(5, v1::SHARED), Position(14));
  EXPECT_TRUE(Promoted(lock, 15).empty());
  lock.Release(Of(1));
  EXPECT_EQ(Promoted(lock, 16), (std::vector<uint64_t>{2, 3}));
  EXPECT_EQ(lock.generation(), Position(16));
  lock.Release(Of(2));
  EXPECT_TRUE(Promoted(lock, 17).empty());
  lock.Release(Of(3));
  EXPECT_EQ(Promoted(lock, 18), (std::vector<uint64_t>{4}));
  EXPECT_EQ(lock.mode(), v1::EXCLUSIVE);
  lock.Release(Of(4));
  EXPECT_EQ(Promoted(lock, 19), (std::vector<uint64_t>{5}));
  EXPECT_TRUE(lock.waiters().empty());
}

TEST(LockState, CancelTakesOneWaiterOut) {
  LockState lock;
  lock.Grant({Of(1), RequestSeq(1), v1::EXCLUSIVE}, Delay(), Position(10));
  lock.Enqueue(Wants(2, v1::EXCLUSIVE), Position(11));
  lock.Enqueue(Wants(3, v1::EXCLUSIVE), Position(12));
  lock.Cancel(Position(11));
  lock.Release(Of(1));
  EXPECT_EQ(Promoted(lock, 13), (std::vector<uint64_t>{3}));
}

TEST(LockState, DigestSeesHoldersWaitersModeAndGeneration) {
  LockState held, other_seq, other_generation, waited;
  held.Grant({Of(1), RequestSeq(1), v1::SHARED}, Delay(), Position(10));
  other_seq.Grant({Of(1), RequestSeq(2), v1::SHARED}, Delay(), Position(10));
  other_generation.Grant({Of(1), RequestSeq(1), v1::SHARED}, Delay(), Position(11));
  waited = held;
  waited.Enqueue(Wants(2, v1::EXCLUSIVE), Position(12));
  const LockState exclusive = LockState::Restored(1, v1::EXCLUSIVE, held.generation(), held.holders(), held.waiters());
  EXPECT_NE(held.digest(), LockState().digest());
  EXPECT_NE(held.digest(), other_seq.digest());
  EXPECT_NE(held.digest(), other_generation.digest());
  EXPECT_NE(held.digest(), waited.digest());
  EXPECT_NE(held.digest(), exclusive.digest());
  waited.Cancel(Position(12));
  EXPECT_EQ(held.digest(), waited.digest());
}

TEST(LockState, RestoredEqualsTheOriginal) {
  LockState lock;
  lock.Grant({Of(1), RequestSeq(1), v1::SHARED}, Delay(), Position(10));
  lock.Enqueue(Wants(2, v1::EXCLUSIVE), Position(11));
  const LockState copy = LockState::Restored(lock.permits(), lock.mode(), lock.generation(), lock.holders(), lock.waiters());
  EXPECT_EQ(copy.digest(), lock.digest());
  EXPECT_EQ(copy.digest(), copy.DigestSlow());
}

TEST(LockState, D34ADelayClosesWhatTheHoldersLeaveOpen) {
  const Delay for_all{{{0, 1, 9}}, 0};
  const Delay for_writers{{}, 9};
  LockState lock;
  EXPECT_FALSE(lock.Grantable(v1::SHARED, for_all));
  EXPECT_TRUE(lock.Grantable(v1::SHARED, for_writers));
  EXPECT_FALSE(lock.Grantable(v1::EXCLUSIVE, for_writers));
  lock.Enqueue({{SessionId(1), HandleId(1)}, RequestSeq(1), v1::SHARED}, Position(5));
  lock.Enqueue({{SessionId(2), HandleId(1)}, RequestSeq(1), v1::EXCLUSIVE}, Position(6));
  std::vector<Waiter> granted;
  lock.Promote(Position(7), for_all, granted);
  EXPECT_TRUE(granted.empty());
  lock.Promote(Position(8), for_writers, granted);
  ASSERT_EQ(granted.size(), 1u);
  EXPECT_EQ(granted[0].mode, v1::SHARED);
  lock.Release({SessionId(1), HandleId(1)});
  lock.Promote(Position(9), for_writers, granted);
  EXPECT_EQ(granted.size(), 1u);
  lock.Promote(Position(10), Delay(), granted);
  EXPECT_EQ(granted.size(), 2u);
}

std::vector<uint32_t> PermitsOf(const LockState& lock) {
  std::vector<uint32_t> permits;
  for (const auto& [owner, hold] : lock.holders()) permits.push_back(hold.permit);
  return permits;
}

TEST(LockState, SoManyHoldItExclusivelyAsItHasPermitsEachWithAGenerationOfItsOwn) {
  LockState lock(2);
  lock.Grant(Wants(1, v1::EXCLUSIVE), Delay(), Position(10));
  EXPECT_FALSE(lock.Grantable(v1::SHARED, Delay()));
  lock.Grant(Wants(2, v1::EXCLUSIVE), Delay(), Position(11));
  EXPECT_FALSE(lock.Grantable(v1::EXCLUSIVE, Delay()));
  EXPECT_EQ(PermitsOf(lock), (std::vector<uint32_t>{0, 1}));
  EXPECT_EQ(lock.HoldOf(Of(1))->generation, Position(10));
  EXPECT_EQ(lock.HoldOf(Of(2))->generation, Position(11));
  EXPECT_EQ(lock.digest(), lock.DigestSlow());
}

TEST(LockState, TheFirstFreePermitIsGrantedToWhoWaitsLongest) {
  LockState lock(3);
  for (uint64_t session = 1; session <= 3; ++session) {
    lock.Grant(Wants(session, v1::EXCLUSIVE), Delay(), Position(session));
  }
  lock.Enqueue(Wants(4, v1::EXCLUSIVE), Position(4));
  lock.Enqueue(Wants(5, v1::SHARED), Position(5));
  lock.Enqueue(Wants(6, v1::EXCLUSIVE), Position(6));
  EXPECT_TRUE(Promoted(lock, 7).empty());
  lock.Release(Of(2));
  lock.Release(Of(3));
  EXPECT_EQ(Promoted(lock, 8), (std::vector<uint64_t>{4})) << "nobody passes the one who wants to share";
  EXPECT_EQ(lock.HoldOf(Of(4))->permit, 1u);
  lock.Release(Of(1));
  lock.Release(Of(4));
  EXPECT_EQ(Promoted(lock, 9), (std::vector<uint64_t>{5}));
  EXPECT_EQ(lock.mode(), v1::SHARED);
  lock.Release(Of(5));
  EXPECT_EQ(Promoted(lock, 10), (std::vector<uint64_t>{6}));
}

TEST(LockState, D34ALostPermitIsClosedAndTheOthersAreNot) {
  LockState lock(2);
  const Delay first{{{0, 2, 9}}, 0};
  EXPECT_FALSE(lock.Grantable(v1::SHARED, first));
  ASSERT_TRUE(lock.Grantable(v1::EXCLUSIVE, first));
  lock.Grant(Wants(1, v1::EXCLUSIVE), first, Position(1));
  EXPECT_EQ(PermitsOf(lock), (std::vector<uint32_t>{1}));
  EXPECT_FALSE(lock.Grantable(v1::EXCLUSIVE, first));
  EXPECT_TRUE(lock.Grantable(v1::EXCLUSIVE, Delay()));
}

// The name had another number of permits before its node was deleted and made again.
TEST(LockState, D33APermitOfAnotherNumberOfThemClosesAll) {
  for (const uint32_t of : {1u, 3u}) {
    const LockState lock(2);
    EXPECT_FALSE(lock.Grantable(v1::EXCLUSIVE, {{{0, of, 9}}, 0})) << of;
    EXPECT_FALSE(lock.Grantable(v1::SHARED, {{{0, of, 9}}, 0})) << of;
  }
}

}  // namespace
}  // namespace bramah::lock

#include "core/replica/leases.h"

#include <gtest/gtest.h>

#include <vector>

namespace bramah::replica {
namespace {

constexpr Duration kLease = 12 * kSecond;
constexpr Duration kMargin = 5 * kSecond;

class LeasesTest : public testing::Test {
 protected:
  LeasesTest() { leases_.Configure(kLease, kMargin, 512); }

  v1::KeepAlive Ask(uint64_t nonce, uint64_t acknowledged = 0) {
    v1::KeepAlive request;
    request.set_nonce(nonce);
    request.set_acknowledged(acknowledged);
    return request;
  }

  // A session whose first KeepAlive, with nonce 0, has been answered at instant 0.
  void OpenIntroduced() {
    leases_.Open(0, session_);
    leases_.Receive(0, session_, Ask(0));
    leases_.Answered(session_);
  }

  Leases leases_;
  const SessionId session_{7};
};

TEST_F(LeasesTest, C56KeepAliveIsHeldUntilTheMarginIsReached) {
  OpenIntroduced();
  leases_.Receive(0, session_, Ask(1));
  EXPECT_EQ(leases_.NextDue(), 7 * kSecond);
  EXPECT_TRUE(leases_.Due(7 * kSecond - 1).empty());
  EXPECT_EQ(leases_.Due(7 * kSecond).size(), 1u);
}

TEST_F(LeasesTest, C55LeaseNeverMovesBack) {
  leases_.Open(5 * kSecond, session_);
  leases_.Extend(session_, 1 * kSecond);
  EXPECT_EQ(leases_.Find(session_)->expires, 17 * kSecond);
}

TEST_F(LeasesTest, ACopyOfAHeldNonceKeepsItsFirstReceipt) {
  OpenIntroduced();
  leases_.Receive(1, session_, Ask(1));
  leases_.Receive(9, session_, Ask(1));
  EXPECT_EQ(leases_.Find(session_)->held->received, 1);
  EXPECT_EQ(leases_.Due(9).size(), 1u);
}

TEST_F(LeasesTest, ACopyOfAnAnsweredNonceIsDueAtOnce) {
  leases_.Open(0, session_);
  leases_.Receive(1, session_, Ask(1));
  leases_.Answered(session_);
  leases_.Receive(2 * kSecond, session_, Ask(1));
  EXPECT_EQ(leases_.Due(2 * kSecond).size(), 1u);
  EXPECT_EQ(leases_.Find(session_)->held->received, 1);
}

TEST_F(LeasesTest, AnOlderNonceIsIgnored) {
  leases_.Open(0, session_);
  leases_.Receive(1, session_, Ask(5));
  leases_.Receive(2, session_, Ask(4));
  EXPECT_EQ(leases_.Find(session_)->held->nonce, 5u);
}

TEST_F(LeasesTest, C57AnItemMakesTheHeldKeepAliveDueAndStaysUntilAcknowledged) {
  OpenIntroduced();
  leases_.Receive(0, session_, Ask(1));
  leases_.Queue(kSecond, session_, v1::ITEM_LOCK_GRANTED, HandleId(3), RequestSeq(4), Position(5));
  EXPECT_EQ(leases_.Due(kSecond).size(), 1u);
  leases_.Find(session_)->items.Sent(1);
  leases_.Answered(session_);
  leases_.Receive(kSecond, session_, Ask(2, 0));
  EXPECT_EQ(leases_.Find(session_)->items.entries().size(), 1u);
  leases_.Receive(kSecond, session_, Ask(3, 1));
  EXPECT_TRUE(leases_.Find(session_)->items.empty());
}

// Whoever does not acknowledge is kept for a lease after the item was queued, no longer.
TEST_F(LeasesTest, AnUnacknowledgedItemBoundsTheExtension) {
  leases_.Open(0, session_);
  leases_.Queue(2 * kSecond, session_, v1::ITEM_LOCK_GRANTED, HandleId(3), RequestSeq(4), Position(5));
  leases_.Receive(9 * kSecond, session_, Ask(1, 0));
  EXPECT_EQ(leases_.Find(session_)->expires, 14 * kSecond);
  EXPECT_TRUE(leases_.Find(session_)->AsksWithoutAcknowledging());
  leases_.Find(session_)->items.Sent(1);
  leases_.Receive(9 * kSecond, session_, Ask(2, 1));
  EXPECT_EQ(leases_.Find(session_)->expires, 21 * kSecond);
  EXPECT_FALSE(leases_.Find(session_)->AsksWithoutAcknowledging());
}

TEST_F(LeasesTest, WhoHasNotAskedSinceAnItemWasQueuedIsOnlySilent) {
  leases_.Open(0, session_);
  leases_.Receive(kSecond, session_, Ask(1));
  leases_.Queue(2 * kSecond, session_, v1::ITEM_LOCK_GRANTED, HandleId(3), RequestSeq(4), Position(5));
  leases_.Answered(session_);
  EXPECT_FALSE(leases_.Find(session_)->AsksWithoutAcknowledging());
}

TEST_F(LeasesTest, ALapsedLeaseIsDueJustAfterItsEnd) {
  leases_.Open(0, session_);
  EXPECT_TRUE(leases_.Due(kLease).empty());
  EXPECT_EQ(leases_.Due(kLease + 1).size(), 1u);
}

TEST_F(LeasesTest, AClosingSessionIsNeverExtended) {
  leases_.Open(0, session_);
  leases_.Close(session_, v1::END_NO_KEEPALIVE);
  leases_.SetEnding(session_);
  leases_.Receive(kSecond, session_, Ask(1));
  EXPECT_EQ(leases_.Find(session_)->expires, kLease);
  EXPECT_EQ(leases_.Due(kSecond).size(), 1u);  // to be told so at once
}

// [C-63] D-24: each is answered when its own lease is nearly over, not all because the length has changed.
TEST_F(LeasesTest, AnotherLengthIsGrantedToEverySessionInItsTurn) {
  for (const Duration length : {60 * kSecond, 13 * kSecond}) {
    std::vector<Time> due;
    leases_.TakeOver(0, {SessionId(1), SessionId(2), SessionId(3)});
    for (uint64_t id = 1; id <= 3; ++id) {
      const Time now = static_cast<Time>(id) * kSecond;
      leases_.Receive(now, SessionId(id), Ask(1));
      leases_.Answered(SessionId(id));
      leases_.Receive(now, SessionId(id), Ask(2));
      due.push_back(leases_.Find(SessionId(id))->held->answer_at);
    }
    leases_.SetLength(length);
    for (uint64_t id = 1; id <= 3; ++id) {
      EXPECT_EQ(leases_.NextDue(), due[id - 1]);
      EXPECT_EQ(leases_.Due(due[id - 1]).size(), 1u);
      leases_.Extend(SessionId(id), due[id - 1]);
      leases_.Answered(SessionId(id));
      EXPECT_EQ(leases_.Find(SessionId(id))->expires, due[id - 1] + length);
    }
  }
}

// A new master gives everybody the longest lease there may be, and tells of a shorter one: the client trusts in that.
TEST_F(LeasesTest, AKeepAliveIsAnsweredBeforeWhatTheClientWasToldEnds) {
  leases_.SetLength(60 * kSecond);
  leases_.TakeOver(0, {session_});
  leases_.SetLength(12 * kSecond);
  leases_.Receive(kSecond, session_, Ask(1));
  leases_.Answered(session_, 13 * kSecond);
  leases_.Receive(kSecond, session_, Ask(2));
  EXPECT_EQ(leases_.Find(session_)->expires, 60 * kSecond);
  EXPECT_EQ(leases_.NextDue(), 13 * kSecond - kMargin);
}

TEST_F(LeasesTest, TheMarginIsThatOfTheShortestLease) {
  leases_.Configure(4 * kSecond, kMargin, 512);
  leases_.SetLength(60 * kSecond);
  OpenIntroduced();
  leases_.Receive(0, session_, Ask(1));
  EXPECT_EQ(leases_.NextDue(), 58 * kSecond);
}

TEST_F(LeasesTest, NothingIsDueForAKeepAliveThatWaitsForAProof) {
  OpenIntroduced();
  leases_.Receive(0, session_, Ask(1));
  leases_.SetProving(session_, true);
  EXPECT_EQ(leases_.NextDue(), kLease + 1);
  leases_.SetProving(session_, false);
  EXPECT_EQ(leases_.NextDue(), 7 * kSecond);
}

// [C-64, L3]
TEST_F(LeasesTest, TakeOverGivesEverySessionAWholeLease) {
  leases_.TakeOver(100, {SessionId(1), SessionId(2)});
  EXPECT_EQ(leases_.Find(SessionId(1))->expires, 100 + kLease);
  EXPECT_EQ(leases_.Find(SessionId(2))->expires, 100 + kLease);
  leases_.End(SessionId(1));
  EXPECT_EQ(leases_.Find(SessionId(1)), nullptr);
  EXPECT_EQ(leases_.Due(200 * kSecond).size(), 1u);
}

TEST_F(LeasesTest, TheFirstKeepAliveOfAMastershipIsAnsweredAtOnce) {
  leases_.TakeOver(100, {session_});
  leases_.Receive(200, session_, Ask(9));
  EXPECT_EQ(leases_.Due(200).size(), 1u);
  leases_.Answered(session_);
  leases_.Receive(300, session_, Ask(10));
  EXPECT_TRUE(leases_.Due(300).empty());
}

}  // namespace
}  // namespace bramah::replica

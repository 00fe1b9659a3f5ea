// The session as the application sees it: opening, local lease, jeopardy, end.
#include <gtest/gtest.h>

#include <vector>

#include "core/base/time.h"
#include "core/client/client_harness.h"

namespace bramah::client {
namespace {

using Kind = CoreEvent::Kind;

// [C-54]
TEST(ClientSession, OpensWithTheFirstSendOfItsNonceAsStartOfTheLease) {
  Harness h;
  const CallId open = h.Call(v1::OPEN_SESSION);
  EXPECT_EQ(h.client.view().state, SessionState::kOpening);
  h.Accept();
  const Time first_sent = h.now;
  const v1::CreateSession first = h.Last<v1::CreateSession>();
  h.Run(1'500 * kMillisecond);
  ASSERT_EQ(h.Count<v1::CreateSession>(), 2);
  EXPECT_EQ(h.Last<v1::CreateSession>().nonce_high(), first.nonce_high());
  EXPECT_EQ(h.Last<v1::CreateSession>().nonce_low(), first.nonce_low());
  EXPECT_FALSE(h.Answered(open));

  h.Deliver(h.Created());
  EXPECT_EQ(h.client.view().state, SessionState::kActive);
  EXPECT_EQ(h.client.view().lease_end, first_sent + kLease);
  EXPECT_EQ(h.CodeOf(open), v1::OK);
  EXPECT_EQ(h.answers[open].session(), h.session);
  EXPECT_EQ(h.answers[open].epoch(), h.epoch);
  EXPECT_EQ(h.Kinds(), (std::vector<Kind>{Kind::kMasterFound, Kind::kSessionOpened, Kind::kSessionActive}));
}

TEST(ClientSession, SurvivesRedialWhileOpeningWithTheSameNonce) {
  Harness h;
  h.Call(v1::OPEN_SESSION);
  h.Accept();
  const Time first_sent = h.now;
  const uint64_t nonce = h.Last<v1::CreateSession>().nonce_high();
  h.Reconnect();
  EXPECT_EQ(h.Last<v1::CreateSession>().nonce_high(), nonce);
  h.Deliver(h.Created());
  EXPECT_EQ(h.client.view().lease_end, first_sent + kLease);
}

TEST(ClientSession, AGrantThatCameTooLateIsNoOpenSessionYet) {
  Harness h;
  const CallId open = h.Call(v1::OPEN_SESSION);
  h.Accept();
  for (int second = 0; second < 15; ++second) {  // pings are answered, CreateSession is not
    h.Run(kSecond);
    v1::Ping pong;
    pong.set_reply(true);
    if (h.client.view().state == SessionState::kOpening) h.Deliver(pong);
    if (h.closes.size() == 1 && h.dials.size() == 2) h.Accept();
  }
  h.Deliver(h.Created());
  EXPECT_EQ(h.client.view().state, SessionState::kOpening);
  EXPECT_FALSE(h.Answered(open));
  h.Deliver(h.Kept());
  EXPECT_EQ(h.client.view().state, SessionState::kActive);
  EXPECT_EQ(h.client.view().lease_end, h.now + kLease);
  EXPECT_EQ(h.CodeOf(open), v1::OK);
}

TEST(ClientSession, TwoClientsAndTwoSessionsOfOneClientUseDifferentNonces) {
  Harness a(DefaultConfig(), 1);
  Harness b(DefaultConfig(), 2);
  a.OpenSession();
  b.OpenSession();
  const v1::CreateSession first = a.Last<v1::CreateSession>();
  EXPECT_NE(first.nonce_high(), b.Last<v1::CreateSession>().nonce_high());
  EXPECT_NE(first.nonce_low(), b.Last<v1::CreateSession>().nonce_low());
  a.Call(v1::END_SESSION);
  a.Reply(a.Last<v1::Request>(), v1::OK);
  a.OpenSession();
  EXPECT_NE(first.nonce_high(), a.Last<v1::CreateSession>().nonce_high());
}

// [C-58]
TEST(ClientSession, KeepAliveFollowsAtOnceAndIsTheOnlyOneOutstanding) {
  Harness h;
  h.OpenSession();
  ASSERT_EQ(h.Count<v1::KeepAlive>(), 1);
  h.Run(1'900 * kMillisecond);
  EXPECT_EQ(h.Count<v1::KeepAlive>(), 1);
  const uint64_t nonce = h.Last<v1::KeepAlive>().nonce();
  h.Deliver(h.Kept(1'900 * kMillisecond));
  EXPECT_EQ(h.Count<v1::KeepAlive>(), 2);
  EXPECT_GT(h.Last<v1::KeepAlive>().nonce(), nonce);
}

// [C-59]
TEST(ClientSession, LeaseCountsFromTheFirstSendOfTheNonce) {
  Harness h;
  h.OpenSession();
  const Time first_sent = h.now;
  h.Run(kSecond);
  h.Reconnect();  // the same nonce goes out again, later
  ASSERT_EQ(h.Count<v1::KeepAlive>(), 2);
  const Duration hold = 500 * kMillisecond;
  h.Deliver(h.Kept(hold));
  EXPECT_EQ(h.client.view().lease_end, first_sent + hold + kLease);
}

// [C-59]
TEST(ClientSession, HoldAndLeaseShrinkByTheDriftBound) {
  Harness h;
  h.rho_ppm = 1'000;
  h.OpenSession();
  const Time first_sent = h.now;
  const Duration hold = 1'700 * kMillisecond;
  h.Run(1'800 * kMillisecond);
  h.Deliver(h.Kept(hold));
  EXPECT_EQ(h.client.view().lease_end, first_sent + ShrinkByDrift(hold + kLease, 1'000));
  EXPECT_LT(h.client.view().lease_end, first_sent + hold + kLease);
}

// [C-55]
TEST(ClientSession, TheLeaseNeverMovesBack) {
  Harness h;
  h.OpenSession();
  const Time end = h.client.view().lease_end;
  h.Run(kSecond);
  h.Deliver(h.Kept(kSecond, 3 * kSecond));
  EXPECT_EQ(h.client.view().lease_end, end);
}

TEST(ClientSession, AnswersThatDoNotFitAreIgnored) {
  Harness h;
  h.epoch = 8;
  h.OpenSession();
  const Time end = h.client.view().lease_end;
  h.Run(kSecond);
  v1::KeepAliveReply stale = h.Kept();
  stale.set_nonce(stale.nonce() - 1);
  h.Deliver(stale);
  v1::KeepAliveReply future = h.Kept();
  future.set_nonce(future.nonce() + 1);
  h.Deliver(future);
  v1::KeepAliveReply old_master = h.Kept();
  old_master.set_epoch(7);
  h.Deliver(old_master);
  v1::KeepAliveReply other_session = h.Kept();
  other_session.set_session(h.session + 1);
  h.Deliver(other_session);
  v1::KeepAliveReply expired_by_old_master = h.Kept(0, 0, v1::SESSION_EXPIRED);
  expired_by_old_master.set_epoch(7);
  h.Deliver(expired_by_old_master);
  EXPECT_FALSE(h.probes.Reached(ProbeId::kMalformedMessage));
  for (const Duration nonsense : {Duration{-1}, INT64_MAX}) {
    h.Deliver(h.Kept(nonsense, kLease));
    h.Deliver(h.Kept(0, nonsense));
  }
  EXPECT_TRUE(h.probes.Reached(ProbeId::kMalformedMessage));
  EXPECT_EQ(h.client.view().lease_end, end);
  EXPECT_EQ(h.client.view().state, SessionState::kActive);
  h.Deliver(h.Kept(kSecond));
  EXPECT_GT(h.client.view().lease_end, end);
}

TEST(ClientSession, ADuplicateOfAnAnswerChangesNothing) {
  Harness h;
  h.OpenSession();
  h.Run(kSecond);
  const v1::KeepAliveReply reply = h.Kept();
  h.Deliver(reply);
  const Time end = h.client.view().lease_end;
  const int sent = h.Count<v1::KeepAlive>();
  h.Run(500 * kMillisecond);
  h.Deliver(reply);
  EXPECT_EQ(h.client.view().lease_end, end);
  EXPECT_EQ(h.Count<v1::KeepAlive>(), sent);
}

TEST(ClientSession, AHigherEpochIsAdoptedAndAnsweredWithAFreshNonceAtOnce) {
  Harness h;
  h.OpenSession();
  h.Run(kSecond);
  const uint64_t nonce = h.Last<v1::KeepAlive>().nonce();
  h.epoch = 6;
  h.Deliver(h.Kept(0, 0, v1::WRONG_EPOCH));
  EXPECT_EQ(h.client.view().epoch, Epoch(6));
  EXPECT_EQ(h.Last<v1::KeepAlive>().epoch(), 6u);
  EXPECT_GT(h.Last<v1::KeepAlive>().nonce(), nonce);
  EXPECT_EQ(h.Last<v1::KeepAlive>().acknowledged(), 0u);
  const Time resent = h.now;
  h.Run(kSecond);
  h.Deliver(h.Kept(kSecond));
  EXPECT_EQ(h.client.view().lease_end, resent + kSecond + kLease);
}

TEST(ClientSession, TheEpochNeverFallsAndAnEarlierMasterIsLeft) {
  Harness h;
  h.OpenSession();
  h.epoch = 4;
  h.Deliver(h.Kept(0, 0, v1::WRONG_EPOCH));
  EXPECT_EQ(h.client.view().epoch, Epoch(5));
  ASSERT_EQ(h.closes.size(), 1u);
  h.Run(kSecond);
  EXPECT_EQ(h.dials.size(), 2u);
}

// [C-44]
TEST(ClientSession, JeopardyComesExactlyAtTheEndOfTheLease) {
  Harness h;
  h.OpenSession();
  const Time end = h.client.view().lease_end;
  h.RunTo(end - 1);
  EXPECT_EQ(h.client.view().state, SessionState::kActive);
  h.RunTo(end);
  EXPECT_EQ(h.client.view().state, SessionState::kJeopardy);
  EXPECT_EQ(h.events.back().kind, Kind::kSessionJeopardy);
}

// [C-44]
TEST(ClientSession, JeopardyEndsWithTheNextLease) {
  Harness h;
  h.OpenSession();
  h.RunTo(h.client.view().lease_end + 20 * kSecond);
  ASSERT_EQ(h.client.view().state, SessionState::kJeopardy);
  h.AwaitDial();
  h.Accept(2);
  const Time first_sent = h.now;
  h.epoch = 6;
  h.Deliver(h.Kept(0, 0, v1::WRONG_EPOCH));
  EXPECT_EQ(h.client.view().state, SessionState::kJeopardy);
  h.Deliver(h.Kept());
  EXPECT_EQ(h.client.view().state, SessionState::kActive);
  EXPECT_EQ(h.client.view().lease_end, first_sent + kLease);
  EXPECT_EQ(h.events.back().kind, Kind::kSessionSafe);
  EXPECT_EQ(h.events.back().time, first_sent + kLease);
  EXPECT_TRUE(h.probes.Reached(ProbeId::kClientSafe));
}

// [C-44, C-60]
TEST(ClientSession, JeopardyEndsInExpiryAfterTheGracePeriod) {
  Harness h;
  ASSERT_EQ(h.config.grace, 45 * kSecond);
  h.OpenSession();
  const Time end = h.client.view().lease_end;
  h.RunTo(end + h.config.grace - 1);
  EXPECT_EQ(h.client.view().state, SessionState::kJeopardy);
  h.RunTo(end + h.config.grace);
  EXPECT_EQ(h.client.view().state, SessionState::kExpired);
  EXPECT_EQ(h.events.back().kind, Kind::kSessionEnded);
  EXPECT_EQ(h.events.back().reason, static_cast<uint32_t>(v1::END_ABANDONED));
  EXPECT_EQ(h.CodeOf(h.Open("/f")), v1::SESSION_EXPIRED);
  const size_t dials = h.dials.size();
  h.Run(100 * kSecond);
  EXPECT_EQ(h.dials.size(), dials) << "nothing is left to say";
}

TEST(ClientSession, AnAbandonedSessionIsToldToTheMasterOnce) {
  Harness h;
  h.OpenSession();
  h.Run(20 * kSecond);
  h.Sleep(100 * kSecond);
  h.Accept(2);  // woken by the stream it had dialled before; the lease comes first
  EXPECT_EQ(h.client.view().state, SessionState::kExpired);

  Harness up;
  up.OpenSession();
  up.Sleep(100 * kSecond);
  up.RunTo(up.now);
  ASSERT_EQ(up.client.view().state, SessionState::kExpired);
  const auto ends = up.Requests(v1::END_SESSION);
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].command().reason(), static_cast<uint32_t>(v1::END_ABANDONED));
  EXPECT_EQ(ends[0].command().session(), up.session);
  EXPECT_GE(ends[0].command().seq(), 1u);
  EXPECT_EQ(ends[0].command().first_outstanding(), ends[0].command().seq());
  up.Reply(ends[0], v1::OK);
  EXPECT_EQ(up.client.view().state, SessionState::kExpired);
}

// A pause swallows the timer of the lease; the first input afterwards is an answer that would extend it.
TEST(ClientSession, APausedClientEntersJeopardyBeforeItLooksAtItsMail) {
  Harness h;
  h.OpenSession();
  const Time first_sent = h.now;
  h.Run(kSecond);
  h.Sleep(15 * kSecond);
  h.Deliver(h.Kept(7 * kSecond));
  EXPECT_EQ(h.client.view().state, SessionState::kActive);
  EXPECT_EQ(h.client.view().lease_end, first_sent + 7 * kSecond + kLease);
  const std::vector<Kind> kinds = h.Kinds();
  ASSERT_GE(kinds.size(), 2u);
  EXPECT_EQ(kinds[kinds.size() - 2], Kind::kSessionJeopardy);
  EXPECT_EQ(kinds.back(), Kind::kSessionSafe);
}

TEST(ClientSession, APausedClientThatSleptPastGraceIsExpiredWhateverItsMailSays) {
  Harness h;
  h.OpenSession();
  h.Sleep(kLease + h.config.grace);
  h.Deliver(h.Kept(kLease + h.config.grace));
  EXPECT_EQ(h.client.view().state, SessionState::kExpired);
}

// A stream that lives and says nothing of use.
void Chat(Harness& h, Time until) {
  while (h.now < until) {
    h.RunTo(std::min(until, h.now + 500 * kMillisecond));
    v1::Ping pong;
    pong.set_reply(true);
    h.Deliver(pong);
  }
}

TEST(ClientSession, OverdueMeansLessThanAThirdOfTheLeaseAndRepeatsTheNonceEachSecond) {
  Harness h;
  h.OpenSession();
  const Time end = h.client.view().lease_end;
  const uint64_t nonce = h.Last<v1::KeepAlive>().nonce();
  Chat(h, end - kLease / 3 - kMillisecond);
  EXPECT_FALSE(h.client.view().keepalive_overdue);
  EXPECT_EQ(h.Count<v1::KeepAlive>(), 1);
  Chat(h, end - kLease / 3 + 1'500 * kMillisecond);
  EXPECT_TRUE(h.client.view().keepalive_overdue);
  EXPECT_EQ(h.Count<v1::KeepAlive>(), 3);
  EXPECT_EQ(h.Last<v1::KeepAlive>().nonce(), nonce);
  EXPECT_EQ(h.closes.size(), 0u);
  Chat(h, end - 2 * kSecond);  // the last call: another stream may still save the lease
  ASSERT_EQ(h.closes.size(), 1u);
  EXPECT_EQ(h.closes[0].why, CloseReason::kStalled);
}

TEST(ClientSession, ClosingIsJeopardyAtOnceAndNotTheEnd) {
  Harness h;
  h.OpenSession();
  h.Run(kSecond);
  h.Deliver(h.Kept(0, 0, v1::SESSION_CLOSING));
  EXPECT_EQ(h.client.view().state, SessionState::kJeopardy);
  EXPECT_LE(h.client.view().lease_end, h.now);
  EXPECT_TRUE(h.probes.Reached(ProbeId::kSessionClosingSeen));
  const int sent = h.Count<v1::KeepAlive>();
  h.Run(500 * kMillisecond);
  EXPECT_EQ(h.Count<v1::KeepAlive>(), sent) << "the master said no; asking again at once would be a circle";
  h.Run(kSecond);
  EXPECT_GT(h.Count<v1::KeepAlive>(), sent);
  h.Deliver(h.Kept());  // a new master knows nothing of the closing
  EXPECT_EQ(h.client.view().state, SessionState::kActive);
}

TEST(ClientSession, TheMastersWordThatItIsOverIsFinalAndCarriesTheReason) {
  Harness h;
  h.OpenSession();
  v1::KeepAliveReply over = h.Kept(0, 0, v1::SESSION_EXPIRED);
  over.set_reason(v1::END_NO_KEEPALIVE);
  h.Deliver(over);
  EXPECT_EQ(h.client.view().state, SessionState::kExpired);
  EXPECT_EQ(h.events.back().kind, Kind::kSessionEnded);
  EXPECT_EQ(h.events.back().reason, static_cast<uint32_t>(v1::END_NO_KEEPALIVE));
  EXPECT_EQ(h.client.view().reason, v1::END_NO_KEEPALIVE);
}

// [C-54]
TEST(ClientSession, EndsWhenTheMasterConfirms) {
  Harness h;
  h.OpenSession();
  const CallId end = h.Call(v1::END_SESSION);
  EXPECT_FALSE(h.Answered(end));
  EXPECT_EQ(h.CodeOf(h.Open("/f")), v1::SESSION_CLOSING);
  h.Run(1'500 * kMillisecond);
  const auto requests = h.Requests(v1::END_SESSION);
  ASSERT_EQ(requests.size(), 2u) << "sent again while unanswered";
  EXPECT_EQ(requests[0].command().seq(), requests[1].command().seq());
  EXPECT_EQ(requests[0].command().reason(), static_cast<uint32_t>(v1::END_CLOSED));
  h.Reply(requests[0], v1::OK);
  EXPECT_EQ(h.CodeOf(end), v1::OK);
  EXPECT_EQ(h.client.view().state, SessionState::kNone);
  EXPECT_EQ(h.events.back().reason, static_cast<uint32_t>(v1::END_CLOSED));
}

TEST(ClientSession, EndIsAnsweredHoweverTheSessionEnds) {
  Harness lost_reply;
  lost_reply.OpenSession();
  CallId end = lost_reply.Call(v1::END_SESSION);
  lost_reply.Reply(lost_reply.Last<v1::Request>(), v1::SESSION_EXPIRED);
  EXPECT_EQ(lost_reply.CodeOf(end), v1::SESSION_EXPIRED);
  EXPECT_EQ(lost_reply.client.view().state, SessionState::kNone);

  Harness told_by_keepalive;
  told_by_keepalive.OpenSession();
  end = told_by_keepalive.Call(v1::END_SESSION);
  v1::KeepAliveReply over = told_by_keepalive.Kept(0, 0, v1::SESSION_EXPIRED);
  over.set_reason(v1::END_CLOSED);
  told_by_keepalive.Deliver(over);
  EXPECT_EQ(told_by_keepalive.CodeOf(end), v1::OK);

  Harness cut_off;
  cut_off.OpenSession();
  end = cut_off.Call(v1::END_SESSION);
  cut_off.Run(2 * kLease + cut_off.config.grace);
  EXPECT_EQ(cut_off.CodeOf(end), v1::SESSION_EXPIRED);
}

// [C-25, C-61]
TEST(ClientSession, ANewSessionAfterTheOldOneIsAnother) {
  Harness h;
  h.OpenSession();
  const HandleId old = h.OpenHandle();
  h.Sleep(kLease + h.config.grace);
  h.RunTo(h.now);
  ASSERT_EQ(h.client.view().state, SessionState::kExpired);
  const CallId failed = h.Call(v1::GET_STAT, old);
  EXPECT_EQ(h.CodeOf(failed), v1::SESSION_EXPIRED);
  h.session = 9'500;
  const CallId open = h.Call(v1::OPEN_SESSION);
  if (h.client.view().state == SessionState::kOpening && h.Count<v1::CreateSession>() < 2) h.Accept();
  h.Deliver(h.Created());
  EXPECT_EQ(h.CodeOf(open), v1::OK);
  EXPECT_EQ(h.client.view().session, SessionId(9'500));
  // Once a handle has failed with SESSION_EXPIRED it always does [C-61].
  EXPECT_EQ(h.CodeOf(h.Call(v1::GET_STAT, old)), v1::SESSION_EXPIRED);
  EXPECT_EQ(h.CodeOf(h.Call(v1::CLOSE, old)), v1::OK);
  EXPECT_NE(h.OpenHandle(), old);
}

TEST(ClientSession, RefusalsToOpen) {
  Harness h;
  const CallId open = h.Call(v1::OPEN_SESSION);
  EXPECT_EQ(h.CodeOf(h.Call(v1::OPEN_SESSION)), v1::BUSY);
  h.Accept();
  v1::CreateSessionReply full = h.Created();
  full.set_code(v1::TOO_MANY_SESSIONS);
  h.Deliver(full);
  EXPECT_EQ(h.CodeOf(open), v1::TOO_MANY_SESSIONS);
  EXPECT_EQ(h.client.view().state, SessionState::kNone);
  EXPECT_EQ(h.CodeOf(h.Open("/f")), v1::NO_SESSION);
  EXPECT_EQ(h.CodeOf(h.Call(v1::END_SESSION)), v1::NO_SESSION);
}

TEST(ClientSession, OpeningCanBeCancelledByEnd) {
  Harness h;
  const CallId open = h.Call(v1::OPEN_SESSION);
  const CallId file = h.Open("/f");
  const CallId end = h.Call(v1::END_SESSION);
  EXPECT_EQ(h.CodeOf(open), v1::CANCELLED);
  EXPECT_EQ(h.CodeOf(file), v1::CANCELLED);
  EXPECT_EQ(h.CodeOf(end), v1::OK);
  EXPECT_EQ(h.client.view().calls_pending, 0u);
}

TEST(ClientSession, ACopyLivesOnItsOwn) {
  Harness h;
  h.OpenSession();
  const HandleId handle = h.Lock();
  Client copy = h.client;
  EXPECT_NE(copy.view().held, h.client.view().held);
  ASSERT_EQ(copy.view().held->size(), 1u);
  h.Call(v1::CLOSE, handle);
  EXPECT_TRUE(h.client.view().held->empty());
  EXPECT_EQ(copy.view().held->size(), 1u);
  h.client = copy;
  EXPECT_EQ(h.client.view().held->size(), 1u);
}

// [C-63] Leases grow with the load of the cell, the time a client needs to be sure of them does not: else it asked more often.
TEST(ClientSession, ALongLeaseIsNotOverdueBeforeTheMasterWouldAnswer) {
  Harness h;
  h.OpenSession();
  h.Deliver(h.Kept(0, 60 * kSecond));
  const Time end = h.client.view().lease_end;
  EXPECT_EQ(end, h.now + 60 * kSecond);
  const uint64_t nonce = h.Last<v1::KeepAlive>().nonce();
  Chat(h, end - 5 * kSecond);
  EXPECT_FALSE(h.client.view().keepalive_overdue);
  EXPECT_EQ(h.Last<v1::KeepAlive>().nonce(), nonce);
}

TEST(ClientSession, AShorterLeaseThanBeforeIsNotOverdueFromItsBeginning) {
  Harness h;
  h.OpenSession();
  h.Deliver(h.Kept(0, 60 * kSecond));
  Chat(h, h.now + 55 * kSecond);
  h.Deliver(h.Kept(55 * kSecond));
  const int asked = h.Count<v1::KeepAlive>();
  Chat(h, h.now + 7 * kSecond);
  EXPECT_FALSE(h.client.view().keepalive_overdue);
  EXPECT_EQ(h.Count<v1::KeepAlive>(), asked);
}

// ------------------------------------------------------------------------------------------------------------------ idle end

// Answers every KeepAlive for so long.
void KeepAlive(Harness& h, Duration for_long) {
  for (const Time until = h.now + for_long; h.now < until;) {
    h.Run(kSecond);
    h.Deliver(h.Kept());
  }
}

TEST(ClientIdle, C54ASessionThatNobodyUsesIsEnded) {
  Harness h;
  h.OpenSession();
  KeepAlive(h, 56 * kSecond);
  EXPECT_TRUE(h.Requests(v1::END_SESSION).empty());
  KeepAlive(h, 8 * kSecond);
  ASSERT_FALSE(h.Requests(v1::END_SESSION).empty());
  EXPECT_EQ(h.Requests(v1::END_SESSION)[0].command().reason(), static_cast<uint32_t>(v1::END_IDLE));
  h.Reply(h.Requests(v1::END_SESSION)[0], v1::OK);
  EXPECT_EQ(h.client.view().state, SessionState::kNone);
  EXPECT_EQ(h.events.back().kind, Kind::kSessionEnded);
  EXPECT_EQ(h.events.back().reason, static_cast<uint32_t>(v1::END_IDLE));
  h.OpenSession();
}

TEST(ClientIdle, AFileThatItOwnsKeepsASession) {
  Harness h;
  h.OpenSession();
  v1::Command open;
  open.set_kind(v1::OPEN);
  open.set_path("/f");
  open.set_open_flags(v1::OPEN_MAY_CREATE | v1::OPEN_SESSION_OWNED);
  const CallId call = h.Call(open);
  v1::Reply reply = h.Replied(h.Last<v1::Request>(), v1::OK);
  reply.mutable_outcome()->set_created(true);
  reply.mutable_outcome()->set_owner(h.session);
  h.Deliver(reply);
  h.Call(v1::CLOSE, HandleId(h.answers[call].handle()));
  h.Reply(h.Requests(v1::CLOSE)[0], v1::OK);
  KeepAlive(h, 80 * kSecond);
  EXPECT_TRUE(h.Requests(v1::END_SESSION).empty());
}

TEST(ClientIdle, AHandleKeepsASession) {
  Harness h;
  h.OpenSession();
  const HandleId handle = h.OpenHandle();
  KeepAlive(h, 80 * kSecond);
  EXPECT_TRUE(h.Requests(v1::END_SESSION).empty());
  h.Call(v1::CLOSE, handle);
  h.Reply(h.Requests(v1::CLOSE)[0], v1::OK);
  KeepAlive(h, 56 * kSecond);
  EXPECT_TRUE(h.Requests(v1::END_SESSION).empty()) << "it was used a minute ago";
}

}  // namespace
}  // namespace bramah::client

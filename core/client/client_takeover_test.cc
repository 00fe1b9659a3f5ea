// A session's token, and the session of a former life.
#include <gtest/gtest.h>

#include "core/client/client_harness.h"

namespace bramah::client {
namespace {

using Kind = CoreEvent::Kind;

v1::Command TakingOver(uint64_t session, bool is_gone = true) {
  v1::Command open;
  open.set_kind(v1::OPEN_SESSION);
  open.set_takes_over(session);
  open.set_former_high(11);
  open.set_former_low(12);
  open.set_former_is_gone(is_gone);
  return open;
}

TEST(ClientTakeover, TheAnswerHoldsTheToken) {
  Harness h;
  const CallId open = h.Call(v1::OPEN_SESSION);
  h.Accept();
  const v1::CreateSession create = h.Last<v1::CreateSession>();
  EXPECT_EQ(create.takes_over(), 0u);
  h.Deliver(h.Created());
  EXPECT_EQ(h.answers[open].session(), h.session);
  EXPECT_EQ(h.answers[open].nonce_high(), create.nonce_high());
  EXPECT_EQ(h.answers[open].nonce_low(), create.nonce_low());
  const CallId again = h.Call(v1::OPEN_SESSION);
  EXPECT_EQ(h.answers[again].nonce_high(), create.nonce_high());
}

TEST(ClientTakeover, EveryCopyNamesTheFormerSession) {
  Harness h;
  const CallId open = h.Call(TakingOver(77));
  h.Accept();
  h.Reconnect();
  h.Run(1'500 * kMillisecond);
  ASSERT_GE(h.Count<v1::CreateSession>(), 3);
  for (const Harness::Sent& sent : h.sent) {
    const auto* create = sent.As<v1::CreateSession>();
    if (create == nullptr) continue;
    EXPECT_EQ(create->takes_over(), 77u);
    EXPECT_EQ(create->former_high(), 11u);
    EXPECT_EQ(create->former_low(), 12u);
    EXPECT_TRUE(create->former_is_gone());
  }
  h.Deliver(h.Created());
  EXPECT_EQ(h.CodeOf(open), v1::OK);
}

TEST(ClientTakeover, TheNextSessionTakesNothingOver) {
  Harness h;
  h.Call(TakingOver(77, false));
  h.Accept();
  EXPECT_FALSE(h.Last<v1::CreateSession>().former_is_gone());
  h.Deliver(h.Created());
  h.Call(v1::END_SESSION);
  h.Reply(h.Requests(v1::END_SESSION)[0], v1::OK);
  h.OpenSession();
  EXPECT_EQ(h.Last<v1::CreateSession>().takes_over(), 0u);
}

TEST(ClientTakeover, ARefusalIsToldAndLeavesNoSession) {
  Harness h;
  const CallId open = h.Call(TakingOver(77));
  h.Accept();
  v1::CreateSessionReply reply = h.Created();
  reply.set_code(v1::TAKEOVER_REFUSED);
  h.Deliver(reply);
  EXPECT_EQ(h.CodeOf(open), v1::TAKEOVER_REFUSED);
  EXPECT_EQ(h.client.view().state, SessionState::kNone);
  h.OpenSession();
}

TEST(ClientTakeover, WhoHasASessionMustEndItFirst) {
  Harness h;
  h.OpenSession();
  EXPECT_EQ(h.CodeOf(h.Call(TakingOver(77))), v1::BUSY);
  EXPECT_EQ(h.client.view().state, SessionState::kActive);
}

TEST(ClientTakeover, WhoIsTakenOverIsToldSo) {
  Harness h;
  h.OpenSession();
  const HandleId lock = h.Lock();
  v1::KeepAliveReply closing = h.Kept(0, 0, v1::SESSION_CLOSING);
  closing.set_reason(v1::END_TAKEN_OVER);
  h.Deliver(closing);
  EXPECT_EQ(h.client.view().state, SessionState::kJeopardy);
  EXPECT_FALSE(h.Believes(lock));
  h.Run(1'200 * kMillisecond);
  v1::KeepAliveReply over = h.Kept(0, 0, v1::SESSION_EXPIRED);
  over.set_reason(v1::END_NO_KEEPALIVE);  // of a master that does not know
  h.Deliver(over);
  EXPECT_EQ(h.client.view().state, SessionState::kExpired);
  EXPECT_EQ(h.events.back().kind, Kind::kSessionEnded);
  EXPECT_EQ(h.events.back().reason, static_cast<uint32_t>(v1::END_TAKEN_OVER));
}

TEST(ClientTakeover, AClosingThatCameToNothingIsForgotten) {
  Harness h;
  h.OpenSession();
  v1::KeepAliveReply closing = h.Kept(0, 0, v1::SESSION_CLOSING);
  closing.set_reason(v1::END_TAKEN_OVER);
  h.Deliver(closing);
  h.Run(1'200 * kMillisecond);
  h.Deliver(h.Kept());
  EXPECT_EQ(h.client.view().state, SessionState::kActive);
  v1::KeepAliveReply over = h.Kept(0, 0, v1::SESSION_EXPIRED);
  over.set_reason(v1::END_NO_KEEPALIVE);
  h.Deliver(over);
  EXPECT_EQ(h.events.back().reason, static_cast<uint32_t>(v1::END_NO_KEEPALIVE));
}

}  // namespace
}  // namespace bramah::client

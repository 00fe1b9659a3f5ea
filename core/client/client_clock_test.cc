// A client whose clock runs at a wrong rate knows of no lease.
#include <gtest/gtest.h>

#include "core/client/client_harness.h"

namespace bramah::client {
namespace {

void Tell(Harness& h, bool trusted) { h.Step(ClockRate{trusted}); }

TEST(ClientClock, ADoubtedClockIsJeopardyAtOnce) {
  Harness h;
  h.OpenSession();
  const HandleId lock = h.Lock();
  ASSERT_TRUE(h.Believes(lock));
  Tell(h, false);
  EXPECT_EQ(h.client.view().state, SessionState::kJeopardy);
  EXPECT_FALSE(h.Believes(lock));
}

TEST(ClientClock, NoLeaseIsCountedByADoubtedClock) {
  Harness h;
  h.OpenSession();
  Tell(h, false);
  h.Run(kMillisecond);
  const uint64_t nonce = h.Last<v1::KeepAlive>().nonce();
  h.Deliver(h.Kept());
  EXPECT_EQ(h.client.view().state, SessionState::kJeopardy);
  // It goes on to ask, for the cell should not think that nobody is there.
  h.Run(h.config.keepalive_retry);
  EXPECT_GT(h.Last<v1::KeepAlive>().nonce(), nonce);
  EXPECT_EQ(h.client.view().state, SessionState::kJeopardy);
}

TEST(ClientClock, WhatWasAskedInDoubtGrantsNoLeaseAfterwards) {
  Harness h;
  h.OpenSession();
  Tell(h, false);
  h.Run(kMillisecond);
  const v1::KeepAliveReply late = h.Kept();
  Tell(h, true);
  h.Deliver(late);
  EXPECT_EQ(h.client.view().state, SessionState::kJeopardy);
  h.Deliver(h.Kept());
  EXPECT_EQ(h.client.view().state, SessionState::kActive);
}

TEST(ClientClock, ASessionIsOpenedOnceTheClockIsTrusted) {
  Harness h;
  Tell(h, false);
  v1::Command open;
  open.set_kind(v1::OPEN_SESSION);
  const CallId call = h.Call(open);
  h.Accept();
  const v1::CreateSessionReply late = h.Created();
  h.Deliver(late);
  EXPECT_FALSE(h.Answered(call));
  Tell(h, true);
  h.Deliver(h.Kept());
  EXPECT_EQ(h.CodeOf(call), v1::OK);
  EXPECT_EQ(h.client.view().state, SessionState::kActive);
}

// The answer to the first copy would be taken for that to a later one, and give more than was granted.
TEST(ClientClock, ASessionThatWasAskedForInDoubtIsAskedForAnew) {
  Harness h;
  Tell(h, false);
  v1::Command open;
  open.set_kind(v1::OPEN_SESSION);
  const CallId call = h.Call(open);
  h.Accept();
  const v1::CreateSessionReply late = h.Created();
  h.Run(kSecond);
  Tell(h, true);
  h.Deliver(late);
  EXPECT_FALSE(h.Answered(call));
  h.Deliver(h.Created());
  EXPECT_EQ(h.CodeOf(call), v1::OK);
}

TEST(ClientClock, ADoubtThatLastsEndsTheSession) {
  Harness h;
  h.OpenSession();
  const HandleId lock = h.Lock();
  Tell(h, false);
  EXPECT_FALSE(h.client.view().clock_trusted);
  h.Run(h.config.grace);
  EXPECT_EQ(h.client.view().reason, v1::END_ABANDONED);
  EXPECT_EQ(h.client.view().state, SessionState::kExpired);
  EXPECT_FALSE(h.Believes(lock));
}

}  // namespace
}  // namespace bramah::client

// Finding the master and noticing that a stream is dead: what is dialled, when, and with which greeting.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/client/client_harness.h"

namespace bramah::client {
namespace {

// [C-62]
TEST(ClientLocation, GreetsWithSessionEpochAndARisingConnectionNumber) {
  Harness h;
  h.Call(v1::OPEN_SESSION);
  ASSERT_EQ(h.dials.size(), 1u);
  EXPECT_EQ(h.dials[0].hello.role(), v1::Hello::CLIENT);
  EXPECT_EQ(h.dials[0].hello.version(), 1u);
  EXPECT_EQ(h.dials[0].hello.cell(), "demo");
  EXPECT_EQ(h.dials[0].hello.session(), 0u);
  h.Accept();
  h.Deliver(h.Created());
  h.Reconnect();
  ASSERT_EQ(h.dials.size(), 2u);
  EXPECT_EQ(h.dials[1].hello.session(), h.session);
  EXPECT_EQ(h.dials[1].hello.epoch(), h.epoch);
  EXPECT_GT(h.dials[1].hello.connection_number(), h.dials[0].hello.connection_number());
  EXPECT_NE(h.dials[1].conn, h.dials[0].conn);
  EXPECT_NE(h.dials[1].endpoint, h.dials[0].endpoint);
}

TEST(ClientLocation, NothingIsDialledBeforeThereIsSomethingToSay) {
  Harness h;
  h.Run(100 * kSecond);
  EXPECT_TRUE(h.dials.empty());
}

TEST(ClientLocation, GoesThroughTheListWithBackOffWhileNobodyAnswers) {
  Harness h;
  h.Call(v1::OPEN_SESSION);
  std::set<std::string> tried;
  for (int attempt = 0; attempt < 6; ++attempt) {
    tried.insert(h.dials.back().endpoint);
    const Time refused = h.now;
    h.Step(ConnDown{h.conn(), CloseReason::kUnreachable});
    h.AwaitDial();
    EXPECT_GE(h.now - refused, h.config.retry_min / 2);
  }
  EXPECT_EQ(tried.size(), 3u);
}

TEST(ClientLocation, ADialThatHangsIsGivenUp) {
  Harness h;
  h.Call(v1::OPEN_SESSION);
  h.Run(h.config.stall - 1);
  EXPECT_TRUE(h.closes.empty());
  h.Run(1);
  ASSERT_EQ(h.closes.size(), 1u);
  EXPECT_EQ(h.closes[0].why, CloseReason::kUnreachable);
  h.Run(h.config.retry_max);
  EXPECT_EQ(h.dials.size(), 2u);
}

TEST(ClientLocation, FollowsTheHintOfAReplicaThatIsNotMaster) {
  Harness h;
  h.Call(v1::OPEN_SESSION);
  h.Accept();
  v1::CreateSessionReply reply = h.Created();
  reply.set_code(v1::NOT_MASTER);
  reply.mutable_located()->set_endpoint("x:9");
  h.Deliver(reply);
  ASSERT_EQ(h.dials.size(), 2u);
  EXPECT_EQ(h.dials[1].endpoint, "x:9");
  ASSERT_EQ(h.closes.size(), 1u);
  EXPECT_EQ(h.closes[0].conn, h.dials[0].conn);
  EXPECT_TRUE(h.probes.Reached(ProbeId::kClientRedirected));
  h.Accept(4);
  EXPECT_EQ(h.Last<v1::CreateSession>().nonce_high(), h.Created().nonce_high());
  h.Deliver(h.Created());
  EXPECT_EQ(h.client.view().master, ReplicaId(4));
}

TEST(ClientLocation, AnswersOfEveryKindRedirect) {
  Harness keep_alive;
  keep_alive.OpenSession();
  keep_alive.ReplyNotMaster("x:9");
  EXPECT_EQ(keep_alive.dials.back().endpoint, "x:9");

  Harness call;
  call.OpenSession();
  const CallId open = call.Open("/f");
  v1::Reply reply = call.Replied(call.Last<v1::Request>(), v1::NOT_MASTER);
  reply.mutable_located()->set_endpoint("x:9");
  call.Deliver(reply);
  EXPECT_EQ(call.dials.back().endpoint, "x:9");
  EXPECT_FALSE(call.Answered(open)) << "a protocol answer is not the application's";
}

TEST(ClientLocation, TwoReplicasThatPointAtEachOtherDoNotHoldTheClient) {
  Harness h;
  h.Call(v1::OPEN_SESSION);
  std::set<std::string> tried;
  for (int turn = 0; turn < 12; ++turn) {
    tried.insert(h.dials.back().endpoint);
    h.Accept();
    v1::CreateSessionReply reply = h.Created();
    reply.set_code(v1::NOT_MASTER);
    reply.mutable_located()->set_endpoint(h.dials.back().endpoint == "a:1" ? "b:1" : "a:1");
    const size_t dials = h.dials.size();
    h.Deliver(reply);
    if (h.dials.size() == dials) h.AwaitDial();
  }
  EXPECT_EQ(tried.size(), 3u);
}

// [C-02]
TEST(ClientLocation, StrangersAreTurnedAway) {
  const auto refuses = [](const std::string& configured, const v1::Hello* hello) {
    ClientConfig config = DefaultConfig();
    config.cell = configured;
    Harness h(config);
    h.Call(v1::OPEN_SESSION);
    h.Step(ConnUp{h.conn(), hello});
    EXPECT_EQ(h.Count<v1::CreateSession>(), h.closes.empty() ? 1 : 0);
    return !h.closes.empty() && h.closes[0].why == CloseReason::kForeign;
  };
  v1::Hello hello;
  hello.set_version(1);
  hello.set_cell("demo");
  hello.set_role(v1::Hello::SERVER);
  EXPECT_FALSE(refuses("demo", &hello));
  EXPECT_FALSE(refuses("local", &hello));
  EXPECT_TRUE(refuses("other", &hello));
  EXPECT_TRUE(refuses("demo", nullptr));
  hello.set_role(v1::Hello::PEER);
  EXPECT_TRUE(refuses("demo", &hello));
  hello.set_role(v1::Hello::SERVER);
  hello.set_version(2);
  EXPECT_TRUE(refuses("demo", &hello));
}

// [C-02]
TEST(ClientLocation, LocalMeansOneCellForTheLifeOfASession) {
  ClientConfig config = DefaultConfig();
  config.cell = "local";
  Harness h(config);
  h.OpenSession();
  h.Step(ConnDown{h.conn(), CloseReason::kPeerClosed});
  h.AwaitDial();
  h.Accept(1, "elsewhere");
  ASSERT_FALSE(h.closes.empty());
  EXPECT_EQ(h.closes.back().why, CloseReason::kForeign);
}

TEST(ClientLocation, AQuietStreamIsAskedAndAnyByteIsAnAnswer) {
  Harness h;
  h.OpenSession();
  for (int second = 0; second < 6; ++second) {
    h.Run(kSecond);
    EXPECT_GE(h.Count<v1::Ping>(), second + 1);
    v1::Ping pong;
    pong.set_number(h.Last<v1::Ping>().number());
    pong.set_reply(true);
    h.Deliver(pong);
  }
  EXPECT_TRUE(h.closes.empty());
}

TEST(ClientLocation, ASilentStreamIsAbandonedAndTheKeepAliveKeepsItsNonce) {
  Harness h;
  h.OpenSession();
  const uint64_t nonce = h.Last<v1::KeepAlive>().nonce();
  h.Run(h.config.stall - 1);
  EXPECT_TRUE(h.closes.empty());
  h.Run(1);
  ASSERT_EQ(h.closes.size(), 1u);
  EXPECT_EQ(h.closes[0].why, CloseReason::kStalled);
  if (h.dials.size() == 1) h.AwaitDial();
  h.Accept(2);
  EXPECT_EQ(h.Last<v1::KeepAlive>().nonce(), nonce);
  EXPECT_EQ(h.Count<v1::KeepAlive>(), 2);
}

TEST(ClientLocation, TheOldStreamHasNothingMoreToSay) {
  Harness h;
  h.OpenSession();
  const ConnId old = h.conn();
  h.Reconnect(2);
  const Time end = h.client.view().lease_end;
  h.Deliver(old, h.Kept(kSecond));
  EXPECT_EQ(h.client.view().lease_end, end);
  EXPECT_TRUE(h.probes.Reached(ProbeId::kStaleStreamDropped));
  h.Step(ConnDown{old, CloseReason::kPeerClosed});
  h.Deliver(h.Kept(kSecond));
  EXPECT_GT(h.client.view().lease_end, end);
}

TEST(ClientLocation, AnswersTheServersPing) {
  Harness h;
  h.OpenSession();
  v1::Ping ping;
  ping.set_number(77);
  h.Deliver(ping);
  EXPECT_EQ(h.Last<v1::Ping>().number(), 77u);
  EXPECT_TRUE(h.Last<v1::Ping>().reply());
}

TEST(ClientLocation, AStreamThatLivesButNeverAnswersIsLeftWhileOpening) {
  Harness h;
  h.Call(v1::OPEN_SESSION);
  h.Accept();
  for (int half = 0; half < 40 && h.closes.empty(); ++half) {
    h.Run(kSecond / 2);
    v1::Ping pong;
    pong.set_reply(true);
    h.Deliver(pong);
  }
  ASSERT_EQ(h.closes.size(), 1u);
}

TEST(ClientLocation, LeavesTheReplicaWhenTheSessionHasEnded) {
  Harness h;
  h.OpenSession();
  h.Call(v1::END_SESSION);
  h.Reply(h.Last<v1::Request>(), v1::OK);
  ASSERT_EQ(h.closes.size(), 1u);
  EXPECT_EQ(h.closes[0].why, CloseReason::kShutdown);
  h.Run(100 * kSecond);
  EXPECT_EQ(h.dials.size(), 1u);
}

}  // namespace
}  // namespace bramah::client

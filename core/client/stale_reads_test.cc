// Reads that any replica may answer.
#include <gtest/gtest.h>

#include <string>

#include "core/client/client_harness.h"

namespace bramah::client {
namespace {

v1::Command Stale(const std::string& path = "/f", v1::CommandKind kind = v1::GET_CONTENTS) {
  v1::Command read;
  read.set_kind(kind);
  read.set_path(path);
  read.set_stale(true);
  return read;
}

// What a replica that has applied so much says to the last request.
v1::Reply Answer(const Harness& h, uint64_t applied, v1::Code code = v1::OK) {
  v1::Reply reply;
  reply.set_id(h.Last<v1::Request>().id());
  reply.set_applied_index(applied);
  reply.mutable_outcome()->set_code(code);
  reply.mutable_outcome()->set_contents("x");
  return reply;
}

TEST(StaleReads, NeedNoSession) {
  Harness h;
  const CallId read = h.Call(Stale());
  h.Accept(2);
  const v1::Request request = h.Last<v1::Request>();
  EXPECT_TRUE(request.stale());
  EXPECT_EQ(request.command().path(), "/f");
  EXPECT_FALSE(request.command().stale()) << "the request says it";
  EXPECT_EQ(request.applied_at_least(), 0u);
  EXPECT_EQ(h.Count<v1::CreateSession>(), 0);
  h.Deliver(Answer(h, 40));
  EXPECT_EQ(h.CodeOf(read), v1::OK);
  EXPECT_EQ(h.answers[read].contents(), "x");
  EXPECT_EQ(h.answers[read].applied_index(), 40u);
  EXPECT_EQ(h.client.view().state, SessionState::kNone);
  EXPECT_EQ(h.closes.size(), 1u) << "nobody needs the stream any more";
  EXPECT_EQ(h.client.view().calls_pending, 0u);
}

TEST(StaleReads, NeverGoBack) {
  Harness h;
  h.Call(Stale());
  h.Accept();
  h.Deliver(Answer(h, 40));
  const CallId next = h.Call(Stale());
  h.AwaitDial();
  h.Accept(2);
  EXPECT_EQ(h.Last<v1::Request>().applied_at_least(), 40u);
  h.Deliver(Answer(h, 39));  // from a server that does not keep to it
  EXPECT_FALSE(h.Answered(next));
  h.Deliver(Answer(h, 40));
  EXPECT_EQ(h.CodeOf(next), v1::OK);
}

TEST(StaleReads, ShowWhatTheSessionHasSeen) {
  Harness h;
  h.OpenSession();
  const CallId open = h.Open("/f");
  v1::Reply opened = h.Replied(h.Last<v1::Request>(), v1::OK);
  opened.set_applied_index(50);
  h.Deliver(opened);
  ASSERT_EQ(h.CodeOf(open), v1::OK);
  const CallId read = h.Call(Stale());
  EXPECT_EQ(h.Last<v1::Request>().applied_at_least(), 50u);
  h.Deliver(Answer(h, 50));
  EXPECT_EQ(h.CodeOf(read), v1::OK);
  v1::KeepAliveReply kept = h.Kept();
  kept.set_applied_index(60);
  h.Deliver(kept);
  h.Call(Stale());
  EXPECT_EQ(h.Last<v1::Request>().applied_at_least(), 60u);
}

TEST(StaleReads, AReplicaThatIsBehindIsLeftForAnother) {
  Harness h;
  const CallId read = h.Call(Stale());
  h.Accept();
  v1::Reply behind = Answer(h, 3, v1::UNAVAILABLE);
  behind.mutable_located()->set_endpoint("m:1");
  h.Deliver(behind);
  EXPECT_FALSE(h.Answered(read));
  EXPECT_EQ(h.dials.back().endpoint, "m:1");
  h.Accept(2);
  h.Deliver(Answer(h, 9));
  EXPECT_EQ(h.CodeOf(read), v1::OK);
}

TEST(StaleReads, AreAnsweredInJeopardyByWhoeverIsThere) {
  Harness h;
  h.OpenSession();
  h.Run(13 * kSecond);
  ASSERT_EQ(h.client.view().state, SessionState::kJeopardy);
  const CallId read = h.Call(Stale());
  h.AwaitDial();
  const size_t before = h.sent.size();
  h.Accept(3);
  // First, so that its answer comes before the replica says that it is not the master.
  ASSERT_NE(h.sent[before].As<v1::Request>(), nullptr);
  EXPECT_TRUE(h.sent[before].As<v1::Request>()->stale());
  h.Deliver(Answer(h, 9));
  EXPECT_EQ(h.CodeOf(read), v1::OK);
  EXPECT_EQ(h.client.view().state, SessionState::kJeopardy);
}

TEST(StaleReads, AreAskedAgain) {
  Harness h;
  const CallId read = h.Call(Stale());
  h.Accept();
  h.Run(1'200 * kMillisecond);
  EXPECT_EQ(h.Requests(v1::GET_CONTENTS).size(), 2u);
  h.Reconnect(2);
  EXPECT_EQ(h.Requests(v1::GET_CONTENTS).size(), 3u);
  h.Deliver(Answer(h, 9));
  h.Deliver(Answer(h, 10));  // to a copy
  EXPECT_EQ(h.CodeOf(read), v1::OK);
  EXPECT_EQ(h.answers[read].applied_index(), 9u);
}

TEST(StaleReads, EndSessionGivesThemUp) {
  Harness h;
  const CallId read = h.Call(Stale());
  EXPECT_EQ(h.CodeOf(h.Call(v1::END_SESSION)), v1::NO_SESSION);
  EXPECT_EQ(h.CodeOf(read), v1::CANCELLED);
}

TEST(StaleReads, WhatCannotBeOneIsRefused) {
  Harness h;
  EXPECT_EQ(h.CodeOf(h.Call(Stale("/f", v1::SET_CONTENTS))), v1::MALFORMED);
  EXPECT_EQ(h.CodeOf(h.Call(Stale("/f", v1::CHECK_SEQUENCER))), v1::MALFORMED);
  EXPECT_EQ(h.CodeOf(h.Call(Stale("f"))), v1::BAD_NAME);
  EXPECT_TRUE(h.dials.empty());
  for (int i = 0; i < 512; ++i) h.Call(Stale());
  EXPECT_EQ(h.CodeOf(h.Call(Stale())), v1::LIMIT_REACHED);
}

TEST(StaleReads, OtherAnswersAreFinal) {
  Harness h;
  const CallId read = h.Call(Stale());
  h.Accept();
  h.Deliver(Answer(h, 9, v1::NOT_FOUND));
  EXPECT_EQ(h.CodeOf(read), v1::NOT_FOUND);
}

}  // namespace
}  // namespace bramah::client

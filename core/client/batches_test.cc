// Batches: their turn among the calls of the handles that they name [D-61].
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/api/path.h"
#include "core/client/client_harness.h"

namespace bramah::client {
namespace {

v1::Command Part(v1::CommandKind kind, HandleId handle) {
  v1::Command part;
  part.set_kind(kind);
  part.set_handle(handle.value());
  return part;
}

v1::Command Named(v1::CommandKind kind, const std::string& path) {
  v1::Command part;
  part.set_kind(kind);
  part.set_path(path);
  return part;
}

v1::Command BatchOf(std::vector<v1::Command> guards, std::vector<v1::Command> parts) {
  v1::Command batch;
  batch.set_kind(v1::BATCH);
  for (const v1::Command& guard : guards) *batch.add_guards() = guard;
  for (const v1::Command& part : parts) *batch.add_parts() = part;
  return batch;
}

class ClientBatches : public ::testing::Test {
 protected:
  void SetUp() override {
    h.OpenSession();
    a = h.OpenHandle("/a");
    b = h.OpenHandle("/b");
  }
  v1::Command Both() { return BatchOf({}, {Part(v1::SET_CONTENTS, a), Part(v1::SET_CONTENTS, b)}); }
  size_t Sent(v1::CommandKind kind) { return h.Requests(kind).size(); }

  Harness h;
  HandleId a, b;
};

TEST_F(ClientBatches, PartsSayWhatTheLibraryKnows) {
  v1::Command guard = Part(v1::GUARD, a);
  guard.set_session(77);
  h.Call(BatchOf({guard}, {Part(v1::DELETE, b), Named(v1::CREATE, "/c")}));
  const v1::Command sent = h.Last<v1::Request>().command();
  EXPECT_EQ(sent.handle(), 0u);
  EXPECT_NE(sent.seq(), 0u);
  EXPECT_EQ(sent.guards(0).session(), h.session);
  EXPECT_EQ(sent.parts(0).session(), h.session);
  EXPECT_EQ(sent.parts(1).open_flags(), uint32_t{v1::OPEN_MUST_CREATE});
}

TEST_F(ClientBatches, ItWaitsForWhatCameBeforeOnAnyOfItsHandles) {
  h.Call(v1::SET_CONTENTS, b);
  const v1::Request before = h.Last<v1::Request>();
  h.Call(Both());
  EXPECT_EQ(Sent(v1::BATCH), 0u);
  h.Reply(before, v1::OK);
  EXPECT_EQ(Sent(v1::BATCH), 1u);
}

TEST_F(ClientBatches, WhatComesAfterOnAnyOfItsHandlesWaitsForIt) {
  h.Call(Both());
  const v1::Request batch = h.Last<v1::Request>();
  h.Call(v1::GET_STAT, a);
  h.Call(v1::GET_STAT, b);
  EXPECT_EQ(Sent(v1::GET_STAT), 0u);
  h.Reply(batch, v1::OK);
  EXPECT_EQ(Sent(v1::GET_STAT), 2u);
}

TEST_F(ClientBatches, OneThatWaitsHoldsUpWhatComesAfterIt) {
  h.Call(v1::SET_CONTENTS, b);
  const v1::Request before = h.Last<v1::Request>();
  h.Call(Both());
  h.Call(v1::GET_STAT, a);
  EXPECT_EQ(Sent(v1::GET_STAT), 0u) << "it would overtake the Batch";
  h.Reply(before, v1::OK);
  h.Reply(h.Last<v1::Request>(), v1::OK);
  EXPECT_EQ(Sent(v1::GET_STAT), 1u);
}

TEST_F(ClientBatches, TwoThatShareAHandleGoOneAfterTheOther) {
  h.Call(Both());
  h.Call(BatchOf({}, {Part(v1::SET_CONTENTS, b)}));
  EXPECT_EQ(Sent(v1::BATCH), 1u);
  h.Reply(h.Last<v1::Request>(), v1::OK);
  EXPECT_EQ(Sent(v1::BATCH), 2u);
}

//
TEST_F(ClientBatches, A22CloseOfOneHandleGivesItUpAndFreesTheOthers) {
  const CallId call = h.Call(Both());
  const uint64_t seq = h.Last<v1::Request>().command().seq();
  h.Call(v1::GET_STAT, b);
  h.Call(v1::CLOSE, a);
  EXPECT_EQ(h.CodeOf(call), v1::CANCELLED);
  const std::vector<v1::Request> closes = h.Requests(v1::CLOSE);
  ASSERT_EQ(closes.size(), 1u);
  ASSERT_EQ(closes[0].command().gives_up_size(), 1);
  EXPECT_EQ(closes[0].command().gives_up(0), seq);
  EXPECT_EQ(Sent(v1::GET_STAT), 0u) << "until the Close is answered the Batch may still be made";
  h.Reply(closes[0], v1::OK);
  EXPECT_EQ(Sent(v1::GET_STAT), 1u);
}

TEST_F(ClientBatches, WhatAGivenUpOneDidIsLookedAt) {
  v1::Command open = Named(v1::OPEN, "/w");
  open.set_events(v1::EVENT_CONTENTS);
  const CallId opened = h.Call(open);
  h.Reply(h.Last<v1::Request>(), v1::OK);
  const HandleId watched(h.answers[opened].handle());
  h.Call(BatchOf({}, {Part(v1::SET_CONTENTS, a), Part(v1::SET_CONTENTS, watched)}));
  h.Call(v1::CLOSE, a);
  EXPECT_EQ(Sent(v1::GET_STAT), 0u);
  h.Reply(h.Requests(v1::CLOSE)[0], v1::OK);
  ASSERT_EQ(Sent(v1::GET_STAT), 1u);
  EXPECT_EQ(h.Requests(v1::GET_STAT)[0].command().handle(), watched.value());
}

TEST_F(ClientBatches, BadOnesAreRefusedWithoutTheMaster) {
  const size_t sent = static_cast<size_t>(h.Count<v1::Request>());
  EXPECT_EQ(h.CodeOf(h.Call(BatchOf({}, {Part(v1::SET_CONTENTS, HandleId(77))}))), v1::BAD_HANDLE);
  EXPECT_EQ(h.CodeOf(h.Call(BatchOf({}, {Part(v1::ACQUIRE, a)}))), v1::MALFORMED);
  EXPECT_EQ(h.CodeOf(h.Call(BatchOf({Part(v1::DELETE, a)}, {}))), v1::MALFORMED);
  EXPECT_EQ(h.CodeOf(h.Call(BatchOf({}, {Named(v1::CREATE, "c")}))), v1::BAD_NAME);
  EXPECT_EQ(h.CodeOf(h.Call(BatchOf(std::vector<v1::Command>(65, Part(v1::GUARD, a)), {}))), v1::TOO_MANY_PARTS);
  v1::Command large = Part(v1::SET_CONTENTS, a);
  large.set_contents(std::string(kContentBytesMax / 2 + 1, 'x'));
  EXPECT_EQ(h.CodeOf(h.Call(BatchOf({}, {large, large}))), v1::TOO_LARGE);
  h.Call(v1::POISON, b);
  EXPECT_EQ(h.CodeOf(h.Call(Both())), v1::POISONED);
  EXPECT_EQ(static_cast<size_t>(h.Count<v1::Request>()), sent + 1);  // the Poison
}

TEST_F(ClientBatches, ADeletedNodeIsKnownToBeGone) {
  h.Call(BatchOf({}, {Part(v1::DELETE, a)}));
  v1::Reply reply = h.Replied(h.Last<v1::Request>(), v1::OK);
  reply.mutable_outcome()->set_guarded(true);
  reply.mutable_outcome()->add_parts();
  h.Deliver(reply);
  const CallId acquire = h.Call(Part(v1::ACQUIRE, a));
  h.Reply(h.Last<v1::Request>(), v1::OK, 9);
  EXPECT_EQ(h.CodeOf(acquire), v1::STALE_HANDLE);
}

}  // namespace
}  // namespace bramah::client

// What an application sees of a lease that ran out: calls that wait, beliefs that are in doubt, and how both are settled.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/api/cache.h"
#include "core/client/client_harness.h"
#include "core/client/waiting_lock.h"

namespace bramah::client {
namespace {

using Kind = CoreEvent::Kind;

// An active client whose lease runs out and who then finds a new master.
struct Uncertain {
  Harness h;
  Uncertain() { h.OpenSession(); }
  void Lapse() {
    h.RunTo(h.client.view().lease_end);
    ASSERT_EQ(h.client.view().state, SessionState::kJeopardy);
  }
  // A new master grants a lease.
  void FailOver() {
    h.AwaitDial();
    h.Accept(2);
    h.epoch = 6;
    h.Deliver(h.Kept(0, 0, v1::WRONG_EPOCH));
    h.Deliver(h.Kept());
  }
  // The answer to the library's own question about what the handle holds.
  void Found(HandleId handle, v1::Code code) {
    for (const v1::Request& look : h.Requests(v1::GET_STAT)) {
      if (look.epoch() == 6 && look.command().handle() == handle.value()) return h.Reply(look, code);
    }
    FAIL() << "nobody looked";
  }
  void Recover() {
    FailOver();
    ASSERT_EQ(h.client.view().state, SessionState::kActive);
  }
};

TEST(ClientJeopardy, CallsWaitAndThenGoInTheOrderTheyWereMade) {
  Uncertain u;
  Harness& h = u.h;
  const HandleId a = h.OpenHandle("/a");
  const HandleId b = h.OpenHandle("/b");
  u.Lapse();
  const CallId one = h.Call(v1::SET_CONTENTS, b);
  const CallId two = h.Call(v1::SET_CONTENTS, a);
  const CallId three = h.Open("/c");
  const int before = h.Count<v1::Request>();
  u.Recover();
  ASSERT_EQ(h.Count<v1::Request>(), before + 3);
  EXPECT_FALSE(h.Answered(one) || h.Answered(two) || h.Answered(three));
  const auto sets = h.Requests(v1::SET_CONTENTS);
  ASSERT_EQ(sets.size(), 2u);
  EXPECT_EQ(sets[0].command().handle(), b.value());
  EXPECT_EQ(sets[1].command().handle(), a.value());
  EXPECT_EQ(sets[0].epoch(), 6u);
  EXPECT_LT(sets[0].command().seq(), sets[1].command().seq());
  EXPECT_LT(sets[1].command().seq(), h.Requests(v1::OPEN).back().command().seq());
}

// [D-28]
TEST(ClientJeopardy, ACallThatIsNotToWaitIsRefusedAndLeavesNothingBehind) {
  Uncertain u;
  Harness& h = u.h;
  const HandleId a = h.OpenHandle("/a");
  const HandleId b = h.OpenHandle("/b");
  v1::Command read;
  read.set_kind(v1::GET_CONTENTS);
  read.set_handle(a.value());
  EXPECT_FALSE(h.Answered(h.Call(read, /*wait=*/false))) << "not in jeopardy yet: it waits for its answer like any other";
  h.Reply(h.Requests(v1::GET_CONTENTS)[0], v1::OK);
  u.Lapse();
  EXPECT_EQ(h.CodeOf(h.Call(read, /*wait=*/false)), v1::JEOPARDY);
  const CallId waiting = h.Call(read);
  EXPECT_FALSE(h.Answered(waiting));
  v1::Command close;
  close.set_kind(v1::CLOSE);
  close.set_handle(b.value());
  EXPECT_EQ(h.CodeOf(h.Call(close, /*wait=*/false)), v1::OK) << "Close never fails";
  const size_t reads = h.Requests(v1::GET_CONTENTS).size();
  u.Recover();
  EXPECT_EQ(h.Requests(v1::GET_CONTENTS).size(), reads + 1) << "only the one that waited";
}

// [C-44]
TEST(ClientJeopardy, BeliefsAreUncertainAndComeBackWithSafe) {
  Uncertain u;
  const HandleId handle = u.h.Lock();
  EXPECT_TRUE(u.h.Believes(handle));
  u.Lapse();
  EXPECT_FALSE(u.h.Believes(handle));
  EXPECT_EQ(u.h.client.view().held->size(), 1u);
  u.FailOver();
  u.Found(handle, v1::OK);
  EXPECT_TRUE(u.h.Believes(handle));
  const auto kinds = u.h.Kinds();
  EXPECT_EQ(std::count(kinds.begin(), kinds.end(), CoreEvent::kSessionSafe), 1);
}

// The former master may have let a Delete go past a holder who had lapsed, and died before it ended the session.
TEST(ClientJeopardy, AfterALapseAndAFailOverALockIsBelievedOnlyWhenItsNodeWasFound) {
  Uncertain u;
  Harness& h = u.h;
  const HandleId stays = h.Lock("/a", 50);
  const HandleId goes = h.Lock("/b", 51);
  u.Lapse();
  u.FailOver();
  EXPECT_EQ(h.client.view().state, SessionState::kJeopardy);
  u.Found(stays, v1::OK);
  EXPECT_EQ(h.client.view().state, SessionState::kJeopardy);
  EXPECT_FALSE(h.Believes(stays));
  u.Found(goes, v1::STALE_HANDLE);
  EXPECT_EQ(h.client.view().state, SessionState::kActive);
  EXPECT_TRUE(h.Believes(stays));
  EXPECT_FALSE(h.Believes(goes));
}

// Without a lapse no master can have gone past it.
TEST(ClientJeopardy, AFailOverWithoutALapseLeavesNoDoubt) {
  Uncertain u;
  const HandleId handle = u.h.Lock();
  u.h.Reconnect(2);
  u.h.epoch = 6;
  u.h.Deliver(u.h.Kept(0, 0, v1::WRONG_EPOCH));
  EXPECT_TRUE(u.h.Believes(handle));
}

// What the cell remembers of an Acquire is what it said then.
TEST(ClientJeopardy, AnOldGrantOfANodeThatWentInTheLapseIsNotBelieved) {
  Uncertain u;
  Harness& h = u.h;
  const HandleId handle = h.OpenHandle("/a");
  const CallId acquire = h.Acquire(handle);
  u.Lapse();
  u.FailOver();
  h.Reply(h.Requests(v1::ACQUIRE).back(), v1::OK, 51);
  EXPECT_FALSE(h.Answered(acquire));
  u.Found(handle, v1::STALE_HANDLE);
  EXPECT_EQ(h.client.view().state, SessionState::kActive);
  EXPECT_EQ(h.CodeOf(acquire), v1::CANCELLED);
  EXPECT_FALSE(h.Believes(handle));
}

// The master tells a holder that has lapsed of nothing, not even of what its own Batch removes.
TEST(ClientJeopardy, ALockWhoseNodeGoesByAnOwnBatchInTheLapseIsNotBelieved) {
  Uncertain u;
  Harness& h = u.h;
  const HandleId handle = h.Lock("/a", 50);
  v1::Command batch;
  batch.set_kind(v1::BATCH);
  v1::Command& part = *batch.add_parts();
  part.set_kind(v1::DELETE);
  part.set_handle(handle.value());
  h.Call(batch);
  v1::Reply done = h.Replied(h.Last<v1::Request>(), v1::OK);
  done.mutable_outcome()->set_guarded(true);
  done.mutable_outcome()->add_parts();
  u.Lapse();
  h.AwaitDial();
  h.Accept(2);
  h.Deliver(done);
  h.epoch = 6;
  h.Deliver(h.Kept(0, 0, v1::WRONG_EPOCH));
  h.Deliver(h.Kept());
  EXPECT_EQ(h.client.view().state, SessionState::kActive);
  EXPECT_FALSE(h.Believes(handle));
}

TEST(ClientJeopardy, ASecondFailOverSettlesNoDoubt) {
  Uncertain u;
  Harness& h = u.h;
  const HandleId handle = h.Lock("/a", 50);
  u.Lapse();
  u.FailOver();
  h.epoch = 7;
  h.Deliver(h.Kept(0, 0, v1::WRONG_EPOCH));
  h.Deliver(h.Kept());
  EXPECT_EQ(h.client.view().state, SessionState::kJeopardy);
  EXPECT_FALSE(h.Believes(handle));
  h.Reply(h.Last<v1::Request>(), v1::STALE_HANDLE);
  EXPECT_EQ(h.client.view().state, SessionState::kActive);
  EXPECT_FALSE(h.Believes(handle));
}

TEST(ClientJeopardy, ADoubtEndsWithItsHandle) {
  Uncertain u;
  const HandleId handle = u.h.Lock();
  u.Lapse();
  u.FailOver();
  ASSERT_EQ(u.h.client.view().state, SessionState::kJeopardy);
  u.h.Call(v1::POISON, handle);
  EXPECT_EQ(u.h.client.view().state, SessionState::kActive);
}

// [C-61]
TEST(ClientJeopardy, BeliefsAndCallsEndWithTheGracePeriod) {
  Uncertain u;
  Harness& h = u.h;
  const HandleId handle = h.Lock();
  const CallId sent = h.Call(v1::SET_CONTENTS, handle);
  u.Lapse();
  const CallId waits = h.Call(v1::GET_STAT, handle);
  h.RunTo(h.client.view().lease_end + h.config.grace);
  EXPECT_EQ(h.CodeOf(sent), v1::SESSION_EXPIRED);
  EXPECT_EQ(h.CodeOf(waits), v1::SESSION_EXPIRED);
  EXPECT_TRUE(h.client.view().held->empty());
  EXPECT_EQ(h.CodeOf(h.Call(v1::GET_STAT, handle)), v1::SESSION_EXPIRED);
  EXPECT_EQ(h.CodeOf(h.Call(v1::CLOSE, handle)), v1::OK);
}

// [C-25]
TEST(ClientJeopardy, CloseIsAnsweredAtOnceAndDeliveredLater) {
  Uncertain u;
  Harness& h = u.h;
  const HandleId early = h.Lock("/a", 50);
  const HandleId late = h.Lock("/b", 51);
  const CallId first = h.Call(v1::CLOSE, early);
  EXPECT_FALSE(h.Answered(first));
  u.Lapse();
  EXPECT_EQ(h.CodeOf(first), v1::OK);
  EXPECT_EQ(h.CodeOf(h.Call(v1::CLOSE, late)), v1::OK);
  EXPECT_TRUE(h.client.view().held->empty());
  EXPECT_EQ(h.client.view().calls_pending, 0u);
  u.Recover();
  std::vector<uint64_t> closed;
  for (const v1::Request& request : h.Requests(v1::CLOSE)) {
    if (request.epoch() == 6) closed.push_back(request.command().handle());
  }
  EXPECT_EQ(closed, (std::vector<uint64_t>{early.value(), late.value()}));
  h.Reply(h.Requests(v1::CLOSE).back(), v1::OK);  // not told twice: the harness would object
}

TEST(ClientJeopardy, AGrantThatArrivesIsToldAndBelievedOnlyWhenSafe) {
  Uncertain u;
  Harness& h = u.h;
  const Waiting waiting = WaitForLock(h, "/a");
  const HandleId other = h.OpenHandle("/b");
  const CallId direct = h.Acquire(other);
  const v1::Request direct_request = h.Last<v1::Request>();
  u.Lapse();
  h.AwaitDial();
  h.Accept(2);
  h.Reply(direct_request, v1::OK, 51);
  v1::KeepAliveReply useless = h.Kept(0, 0);
  *useless.add_items() = Item(1, v1::ITEM_LOCK_GRANTED, waiting.handle, waiting.request.command().seq(), 60);
  h.Deliver(useless);
  EXPECT_EQ(h.client.view().state, SessionState::kJeopardy);
  EXPECT_FALSE(h.Answered(waiting.call) || h.Answered(direct));
  EXPECT_TRUE(h.client.view().held->empty());
  EXPECT_EQ(h.Last<v1::KeepAlive>().acknowledged(), 1u);
  h.Deliver(h.Kept());
  EXPECT_EQ(h.client.view().state, SessionState::kActive);
  EXPECT_EQ(h.CodeOf(waiting.call), v1::OK);
  EXPECT_EQ(h.CodeOf(direct), v1::OK);
  EXPECT_TRUE(h.Believes(waiting.handle) && h.Believes(other));
}

TEST(ClientJeopardy, AGrantThatWasNotToldIsGivenUpByClose) {
  Uncertain u;
  Harness& h = u.h;
  const HandleId handle = h.OpenHandle();
  const CallId acquire = h.Acquire(handle);
  const v1::Request request = h.Last<v1::Request>();
  u.Lapse();
  h.AwaitDial();
  h.Accept(2);
  h.Reply(request, v1::OK, 51);
  h.Call(v1::CLOSE, handle);
  EXPECT_EQ(h.CodeOf(acquire), v1::CANCELLED);
  ASSERT_EQ(h.Last<v1::Request>().command().gives_up_size(), 1);
  h.Deliver(h.Kept());
  EXPECT_FALSE(h.Believes(handle));
}

TEST(ClientJeopardy, EndIsSentAtOnceAndAnswered) {
  Uncertain u;
  Harness& h = u.h;
  const HandleId handle = h.OpenHandle();
  u.Lapse();
  const CallId blocked = h.Call(v1::GET_STAT, handle);
  const CallId end = h.Call(v1::END_SESSION);
  EXPECT_EQ(h.CodeOf(blocked), v1::CANCELLED);
  h.AwaitDial();
  h.Accept(2);
  ASSERT_FALSE(h.Requests(v1::END_SESSION).empty());
  h.Reply(h.Requests(v1::END_SESSION)[0], v1::OK);
  EXPECT_EQ(h.CodeOf(end), v1::OK);
}

}  // namespace
}  // namespace bramah::client

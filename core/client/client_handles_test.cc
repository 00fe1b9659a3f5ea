// What can be done to a handle besides using it: poisoning it, and tying it to a sequencer.
#include <gtest/gtest.h>

#include <string>

#include "core/api/sequencer.h"
#include "core/client/client_harness.h"

namespace bramah::client {
namespace {

const std::string kSequencer = FormatSequencer({"demo", "/l", Position(7), v1::EXCLUSIVE, Position(9)}, {1, 2});

CallId SetSequencer(Harness& h, HandleId handle, const std::string& sequencer) {
  v1::Command command;
  command.set_kind(v1::SET_SEQUENCER);
  command.set_handle(handle.value());
  command.set_sequencer(sequencer);
  return h.Call(command);
}

// -------------------------------------------------------------------------------------------------------------------- poison

// [C-26]
TEST(ClientPoison, OutstandingAndLaterCallsFailAndTheHandleStays) {
  Harness h;
  h.OpenSession();
  const HandleId handle = h.OpenHandle();
  const CallId acquire = h.Acquire(handle);
  const v1::Request sent = h.Last<v1::Request>();
  h.Reply(sent, v1::QUEUED);
  const CallId get = h.Call(v1::GET_STAT, handle);
  const CallId blocked = h.Call(v1::GET_CONTENTS, handle);
  const CallId poison = h.Call(v1::POISON, handle);
  EXPECT_EQ(h.CodeOf(acquire), v1::POISONED) << "a blocked Acquire comes back at once";
  EXPECT_EQ(h.CodeOf(get), v1::POISONED);
  EXPECT_EQ(h.CodeOf(blocked), v1::POISONED);
  const v1::Command leave = h.Last<v1::Request>().command();
  EXPECT_EQ(leave.kind(), v1::POISON);
  ASSERT_EQ(leave.gives_up_size(), 1);
  EXPECT_EQ(leave.gives_up(0), sent.command().seq());
  h.Reply(h.Last<v1::Request>(), v1::OK);
  EXPECT_EQ(h.CodeOf(poison), v1::OK);
  EXPECT_EQ(h.CodeOf(h.Call(v1::GET_STAT, handle)), v1::POISONED);
  EXPECT_EQ(h.CodeOf(SetSequencer(h, handle, kSequencer)), v1::POISONED);
  EXPECT_EQ(h.CodeOf(h.Call(v1::POISON, handle)), v1::OK);
  EXPECT_EQ(h.CodeOf(h.Call(v1::CLOSE, handle)), v1::OK);
  EXPECT_TRUE(h.Requests(v1::CLOSE).empty()) << "the master knows nothing of the handle any more";
  EXPECT_EQ(h.CodeOf(h.Call(v1::GET_STAT, handle)), v1::BAD_HANDLE);
}

TEST(ClientPoison, EndsTheBeliefBeforeItLeaves) {
  Harness h;
  h.OpenSession();
  const HandleId handle = h.Lock();
  ASSERT_TRUE(h.Believes(handle));
  h.Call(v1::POISON, handle);
  EXPECT_FALSE(h.Believes(handle));
}

// The lock must be lost, not given back, although nobody told the master so [D-32].
TEST(ClientPoison, AnEndThatOvertakesItIsNoCleanOne) {
  Harness h;
  h.OpenSession();
  const HandleId handle = h.Lock();
  h.Step(ConnDown{h.conn(), CloseReason::kPeerClosed});
  h.Call(v1::POISON, handle);
  const CallId end = h.Call(v1::END_SESSION);
  h.AwaitDial();
  h.Accept();
  EXPECT_EQ(h.Last<v1::Request>().command().kind(), v1::END_SESSION);
  EXPECT_EQ(h.Last<v1::Request>().command().reason(), static_cast<uint32_t>(v1::END_ABANDONED));
  h.Reply(h.Last<v1::Request>(), v1::OK);
  EXPECT_EQ(h.CodeOf(end), v1::OK);
}

TEST(ClientPoison, AnEndAfterItWasConfirmedIsCleanAgain) {
  Harness h;
  h.OpenSession();
  const HandleId handle = h.Lock();
  h.Call(v1::POISON, handle);
  h.Reply(h.Last<v1::Request>(), v1::OK);
  h.Call(v1::END_SESSION);
  EXPECT_EQ(h.Last<v1::Request>().command().reason(), static_cast<uint32_t>(v1::END_CLOSED));
}

TEST(ClientPoison, IsAnsweredAtOnceInJeopardyAndDeliveredLater) {
  Harness h;
  h.OpenSession();
  const HandleId handle = h.OpenHandle();
  h.Step(ConnDown{h.conn(), CloseReason::kPeerClosed});
  h.Run(kLease);
  ASSERT_EQ(h.client.view().state, SessionState::kJeopardy);
  const CallId waiting = h.Call(v1::GET_STAT, handle);
  EXPECT_EQ(h.CodeOf(h.Call(v1::POISON, handle)), v1::OK);
  EXPECT_EQ(h.CodeOf(waiting), v1::POISONED);
  EXPECT_EQ(h.CodeOf(h.Call(v1::GET_STAT, handle)), v1::POISONED);
  EXPECT_TRUE(h.Requests(v1::POISON).empty());
  h.AwaitDial();
  h.Accept();
  EXPECT_FALSE(h.Requests(v1::POISON).empty());
}

TEST(ClientPoison, NeverFails) {
  Harness h;
  EXPECT_EQ(h.CodeOf(h.Call(v1::POISON, HandleId(3))), v1::OK);
  h.OpenSession();
  EXPECT_EQ(h.CodeOf(h.Call(v1::POISON, HandleId(3))), v1::OK);
  const HandleId handle = h.OpenHandle();
  const CallId poison = h.Call(v1::POISON, handle);
  h.Deliver(h.Kept(0, 0, v1::SESSION_EXPIRED));
  EXPECT_EQ(h.CodeOf(poison), v1::OK);
  EXPECT_EQ(h.CodeOf(h.Call(v1::GET_STAT, handle)), v1::SESSION_EXPIRED);
}

// ---------------------------------------------------------------------------------------------------------------- sequencers

// [C-32]
TEST(ClientSequencer, A25TravelsWithEveryLaterCallOnItsHandle) {
  Harness h;
  h.OpenSession();
  const HandleId guarded = h.OpenHandle("/a");
  const HandleId free = h.OpenHandle("/b");
  const CallId before = h.Call(v1::SET_CONTENTS, guarded);
  EXPECT_EQ(h.CodeOf(SetSequencer(h, guarded, kSequencer)), v1::OK);
  EXPECT_EQ(h.Last<v1::Request>().command().sequencer(), "") << "what was asked before is not guarded";
  h.Reply(h.Last<v1::Request>(), v1::OK);
  EXPECT_EQ(h.CodeOf(before), v1::OK);
  for (const v1::CommandKind kind : {v1::SET_CONTENTS, v1::GET_CONTENTS, v1::GET_STAT, v1::READ_DIR, v1::GET_SEQUENCER,
                                     v1::ACQUIRE, v1::DELETE}) {
    v1::Command command;
    command.set_kind(kind);
    command.set_handle(guarded.value());
    command.set_mode(kind == v1::ACQUIRE ? v1::EXCLUSIVE : v1::FREE);
    const CallId call = h.Call(command);
    EXPECT_EQ(h.Last<v1::Request>().command().kind(), kind);
    EXPECT_EQ(h.Last<v1::Request>().command().sequencer(), kSequencer);
    h.Reply(h.Last<v1::Request>(), v1::SEQUENCER_INVALID);
    EXPECT_EQ(h.CodeOf(call), v1::SEQUENCER_INVALID);
  }
  // The next master knows nothing of the handle but what every call says.
  const CallId late = h.Call(v1::SET_CONTENTS, guarded);
  h.epoch = 9;
  h.Reply(h.Last<v1::Request>(), v1::WRONG_EPOCH);
  EXPECT_EQ(h.Last<v1::Request>().epoch(), 9u);
  EXPECT_EQ(h.Last<v1::Request>().command().sequencer(), kSequencer);
  h.Reply(h.Last<v1::Request>(), v1::SEQUENCER_INVALID);
  EXPECT_EQ(h.CodeOf(late), v1::SEQUENCER_INVALID);
  h.Call(v1::GET_STAT, free);
  EXPECT_EQ(h.Last<v1::Request>().command().sequencer(), "");
}

TEST(ClientSequencer, GivingSomethingUpIsNotGuarded) {
  Harness h;
  h.OpenSession();
  const HandleId handle = h.Lock();
  SetSequencer(h, handle, kSequencer);
  h.Call(v1::RELEASE, handle);
  EXPECT_EQ(h.Last<v1::Request>().command().kind(), v1::RELEASE);
  EXPECT_EQ(h.Last<v1::Request>().command().sequencer(), "");
  h.Reply(h.Last<v1::Request>(), v1::OK);
  for (const v1::CommandKind kind : {v1::CLOSE, v1::POISON}) {
    const HandleId other = h.OpenHandle();
    SetSequencer(h, other, kSequencer);
    h.Call(kind, other);
    EXPECT_EQ(h.Last<v1::Request>().command().kind(), kind);
    EXPECT_EQ(h.Last<v1::Request>().command().sequencer(), "");
  }
}

TEST(ClientSequencer, CheckNeedsNoHandleAndWaitsOutJeopardy) {
  Harness h;
  v1::Command check;
  check.set_kind(v1::CHECK_SEQUENCER);
  check.set_sequencer(kSequencer);
  EXPECT_EQ(h.CodeOf(h.Call(check)), v1::NO_SESSION);
  h.OpenSession();
  const HandleId tied = h.OpenHandle();
  SetSequencer(h, tied, FormatSequencer({"demo", "/other", Position(7), v1::SHARED, Position(9)}, {1, 2}));
  check.set_handle(tied.value());  // means nothing
  const CallId first = h.Call(check);
  const CallId second = h.Call(check);
  ASSERT_EQ(h.Requests(v1::CHECK_SEQUENCER).size(), 2u) << "one does not wait for another";
  EXPECT_EQ(h.Last<v1::Request>().command().handle(), 0u);
  EXPECT_EQ(h.Last<v1::Request>().command().sequencer(), kSequencer);
  h.Reply(h.Requests(v1::CHECK_SEQUENCER)[1], v1::SEQUENCER_INVALID);
  h.Reply(h.Requests(v1::CHECK_SEQUENCER)[0], v1::OK);
  EXPECT_EQ(h.CodeOf(first), v1::OK);
  EXPECT_EQ(h.CodeOf(second), v1::SEQUENCER_INVALID);
  h.Run(kLease);
  ASSERT_EQ(h.client.view().state, SessionState::kJeopardy);
  const CallId late = h.Call(check);
  EXPECT_EQ(h.Requests(v1::CHECK_SEQUENCER).size(), 2u);
  h.Reconnect();
  h.Deliver(h.Kept(10 * kSecond));
  ASSERT_EQ(h.client.view().state, SessionState::kActive);
  EXPECT_EQ(h.Requests(v1::CHECK_SEQUENCER).size(), 3u);
  h.Reply(h.Last<v1::Request>(), v1::OK);
  EXPECT_EQ(h.CodeOf(late), v1::OK);
}

TEST(ClientSequencer, WhatIsNoneIsRefusedWithoutTheMaster) {
  Harness h;
  h.OpenSession();
  const HandleId handle = h.OpenHandle();
  const int before = h.Count<v1::Request>();
  EXPECT_EQ(h.CodeOf(SetSequencer(h, handle, "")), v1::BAD_SEQUENCER);
  EXPECT_EQ(h.CodeOf(SetSequencer(h, handle, "s1:x:1")), v1::BAD_SEQUENCER);
  EXPECT_EQ(h.CodeOf(SetSequencer(h, HandleId(77), kSequencer)), v1::BAD_HANDLE);
  EXPECT_EQ(h.CodeOf(h.Call(v1::CHECK_SEQUENCER)), v1::BAD_SEQUENCER);
  EXPECT_EQ(h.Count<v1::Request>(), before);
  v1::Command stat;
  stat.set_kind(v1::GET_STAT);
  stat.set_handle(handle.value());
  stat.set_sequencer(kSequencer);
  h.Call(stat);
  EXPECT_EQ(h.Last<v1::Request>().command().sequencer(), "") << "a handle is tied to one by SetSequencer only";
}

}  // namespace
}  // namespace bramah::client

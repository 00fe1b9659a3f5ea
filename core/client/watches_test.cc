// Events at the client: told once, in order, and looked for after whatever may have lost them.
#include "core/client/watches.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/client/client_harness.h"

namespace bramah::client {
namespace {

using Kind = CoreEvent::Kind;

constexpr uint32_t kNode = v1::EVENT_CONTENTS | v1::EVENT_CHILDREN | v1::EVENT_HANDLE_INVALID;

class ClientWatches : public ::testing::Test {
 protected:
  void SetUp() override { h.OpenSession(); }
  CallId AskToWatch(uint32_t events) {
    v1::Command command;
    command.set_kind(v1::OPEN);
    command.set_path("/f");
    command.set_events(events);
    return h.Call(command);
  }
  void AnswerOpen(const v1::Request& open, uint64_t contents, uint64_t children = 0) {
    v1::Reply reply = h.Replied(open, v1::OK);
    reply.mutable_outcome()->set_instance(77);
    reply.mutable_outcome()->set_content_generation(contents);
    reply.mutable_outcome()->set_children_changed(children);
    h.Deliver(reply);
  }
  HandleId Watch(uint32_t events, uint64_t contents = 1, uint64_t children = 0) {
    AskToWatch(events);
    const v1::Request open = h.Last<v1::Request>();
    AnswerOpen(open, contents, children);
    return HandleId(open.command().handle());
  }
  void Item(v1::ItemKind kind, HandleId handle, uint64_t generation) {
    v1::KeepAliveReply reply = h.Kept();
    v1::SessionItem& item = *reply.add_items();
    item.set_number(++number);
    item.set_kind(kind);
    item.set_handle(handle.value());
    item.set_generation(generation);
    h.Deliver(reply);
  }
  // The next master answers the KeepAlive.
  void FailOver() {
    h.epoch += 4;
    number = 0;
    v1::KeepAliveReply reply = h.Kept(0, 0, v1::WRONG_EPOCH);
    h.Deliver(reply);
  }
  void AnswerLook(const v1::Request& look, v1::Code code, uint64_t contents, uint64_t children = 0) {
    v1::Reply reply = h.Replied(look, code);
    reply.mutable_outcome()->set_content_generation(contents);
    reply.mutable_outcome()->set_children_changed(children);
    h.Deliver(reply);
  }
  // "ContentsModified 3", one for each event since the last call.
  std::vector<std::string> Told() {
    std::vector<std::string> told;
    for (; read < h.events.size(); ++read) {
      const CoreEvent& event = h.events[read];
      if (event.kind < CoreEvent::kMasterFailedOver) continue;
      const uint64_t generation =
          event.kind == Kind::kContentsModified ? event.content_generation : event.generation.value();
      told.push_back(std::string(EventName(event.kind)) + (generation == 0 ? "" : " " + std::to_string(generation)));
    }
    return told;
  }
  using Strings = std::vector<std::string>;

  Harness h;
  uint64_t number = 0;
  size_t read = 0;
};

TEST_F(ClientWatches, OpenSaysWhatIsAskedFor) {
  Watch(kNode);
  EXPECT_EQ(h.Requests(v1::OPEN)[0].command().events(), kNode);
  ASSERT_EQ(h.client.view().watches->size(), 1u);
  EXPECT_EQ(h.client.view().watches->front().instance, Position(77));
}

// [C-38, C-39, C-41, C-42, C-43]
TEST_F(ClientWatches, EachKindOfItemBecomesItsEvent) {
  const HandleId handle = Watch(31);
  Item(v1::ITEM_CONTENTS, handle, 2);
  Item(v1::ITEM_CHILDREN, handle, 90);
  Item(v1::ITEM_LOCK_ACQUIRED, handle, 91);
  Item(v1::ITEM_LOCK_REQUESTED, handle, 92);
  Item(v1::ITEM_HANDLE_INVALID, handle, 93);
  EXPECT_EQ(Told(), Strings({"ContentsModified 2", "ChildrenChanged 90", "LockAcquired 91", "LockRequested", "HandleInvalid"}));
  EXPECT_EQ(h.events.back().handle, handle);
  EXPECT_EQ(h.events.back().session, SessionId(h.session));
}

TEST_F(ClientWatches, WhatIsNotNewerIsNotTold) {
  const HandleId handle = Watch(kNode, 3, 80);
  Item(v1::ITEM_CONTENTS, handle, 3);
  Item(v1::ITEM_CHILDREN, handle, 80);
  EXPECT_EQ(Told(), Strings());
  Item(v1::ITEM_CONTENTS, handle, 5);
  Item(v1::ITEM_CONTENTS, handle, 5);
  Item(v1::ITEM_HANDLE_INVALID, handle, 90);
  Item(v1::ITEM_HANDLE_INVALID, handle, 90);
  EXPECT_EQ(Told(), Strings({"ContentsModified 5", "HandleInvalid"}));
}

TEST_F(ClientWatches, D23OwnWritesAreKnown) {
  const HandleId handle = Watch(kNode);
  h.Call(v1::SET_CONTENTS, handle);
  v1::Reply reply = h.Replied(h.Last<v1::Request>(), v1::OK);
  reply.mutable_outcome()->set_content_generation(2);
  h.Deliver(reply);
  FailOver();
  AnswerLook(h.Last<v1::Request>(), v1::OK, 2);
  EXPECT_EQ(Told(), Strings({"MasterFailedOver"}));
}

// The new master answers the look at once, and the repeated write only after a round through the log.
TEST_F(ClientWatches, D23AWriteUnderWayIsNotTakenForSomebodyElses) {
  const HandleId handle = Watch(kNode, 4);
  h.Call(v1::SET_CONTENTS, handle);
  const v1::Request write = h.Last<v1::Request>();
  FailOver();
  AnswerLook(h.Last<v1::Request>(), v1::OK, 5);
  v1::Reply reply = h.Replied(write, v1::OK);
  reply.mutable_outcome()->set_content_generation(5);
  h.Deliver(reply);
  EXPECT_EQ(Told(), Strings({"MasterFailedOver"}));
  ASSERT_EQ(h.Requests(v1::GET_STAT).size(), 2u) << "it is looked at again";
  AnswerLook(h.Last<v1::Request>(), v1::OK, 6);
  EXPECT_EQ(Told(), Strings({"ContentsModified 6"}));
}

TEST_F(ClientWatches, D23AnOwnDeleteIsKnown) {
  const HandleId handle = Watch(kNode, 4);
  h.Call(v1::DELETE, handle);
  h.Reply(h.Last<v1::Request>(), v1::OK);
  FailOver();
  AnswerLook(h.Last<v1::Request>(), v1::STALE_HANDLE, 0);
  Item(v1::ITEM_HANDLE_INVALID, handle, 90);
  EXPECT_EQ(Told(), Strings({"MasterFailedOver"}));
}

TEST_F(ClientWatches, AWriteOfSomebodyElseJustBeforeTheOwnIsTold) {
  const HandleId handle = Watch(kNode, 3);
  h.Call(v1::SET_CONTENTS, handle);
  v1::Reply reply = h.Replied(h.Last<v1::Request>(), v1::OK);
  reply.mutable_outcome()->set_content_generation(5);
  h.Deliver(reply);
  Item(v1::ITEM_CONTENTS, handle, 4);
  EXPECT_EQ(Told(), Strings({"ContentsModified 4"}));
}

TEST_F(ClientWatches, ClosedAndPoisonedHandlesAreToldNothing) {
  const HandleId closed = Watch(kNode);
  const HandleId poisoned = Watch(kNode);
  h.Call(v1::CLOSE, closed);
  h.Call(v1::POISON, poisoned);
  Item(v1::ITEM_CONTENTS, closed, 2);
  Item(v1::ITEM_CONTENTS, poisoned, 2);
  EXPECT_EQ(Told(), Strings());
  EXPECT_TRUE(h.client.view().watches->empty());
}

// The stream was lost between the Open and its answer; the next one brings the event first.
TEST_F(ClientWatches, WhatComesBeforeTheAnswerOfOpenIsToldAfterIt) {
  const CallId open = AskToWatch(kNode);
  const v1::Request request = h.Last<v1::Request>();
  Item(v1::ITEM_CONTENTS, HandleId(request.command().handle()), 2);
  EXPECT_EQ(Told(), Strings());
  AnswerOpen(request, 1);
  EXPECT_EQ(h.CodeOf(open), v1::OK);
  EXPECT_EQ(Told(), Strings({"ContentsModified 2"}));
}

// A look may be answered before what the master queued earlier arrives.
TEST_F(ClientWatches, OfANodeThatWasFoundGoneNothingMoreIsTold) {
  const HandleId handle = Watch(31, 3);
  FailOver();
  AnswerLook(h.Last<v1::Request>(), v1::STALE_HANDLE, 0);
  Item(v1::ITEM_CONTENTS, handle, 4);
  Item(v1::ITEM_LOCK_ACQUIRED, handle, 90);
  Item(v1::ITEM_HANDLE_INVALID, handle, 91);
  EXPECT_EQ(Told(), Strings({"MasterFailedOver", "HandleInvalid"}));
}

// [C-40]
TEST_F(ClientWatches, AfterAFailOverEveryWatchedNodeIsLookedAt) {
  Watch(kNode, 3, 80);
  Watch(kNode, 5);
  Watch(kNode, 1);
  h.OpenHandle();
  FailOver();
  EXPECT_EQ(Told(), Strings({"MasterFailedOver"}));
  const auto looks = h.Requests(v1::GET_STAT);
  ASSERT_EQ(looks.size(), 3u);
  EXPECT_EQ(looks[0].epoch(), h.epoch);
  AnswerLook(looks[0], v1::OK, 4, 81);
  AnswerLook(looks[1], v1::OK, 5);
  AnswerLook(looks[2], v1::STALE_HANDLE, 0);
  EXPECT_EQ(Told(), Strings({"ContentsModified 4", "ChildrenChanged 81", "HandleInvalid"}));
  EXPECT_TRUE(h.probes.Reached(ProbeId::kChangeFoundByLooking));
  EXPECT_EQ(h.client.view().calls_pending, 0u);
}

TEST_F(ClientWatches, ALookIsRepeatedUntilThePresentMasterAnswersIt) {
  Watch(kNode, 3);
  FailOver();
  const v1::Request look = h.Last<v1::Request>();
  v1::Reply old = h.Replied(look, v1::OK);
  old.set_epoch(h.epoch - 4);
  old.mutable_outcome()->set_content_generation(3);
  h.Deliver(old);
  h.Run(1'500 * kMillisecond);
  EXPECT_EQ(h.Requests(v1::GET_STAT).size(), 2u);
  AnswerLook(look, v1::OK, 4);
  EXPECT_EQ(Told(), Strings({"MasterFailedOver", "ContentsModified 4"}));
  h.Run(3 * kSecond);
  EXPECT_EQ(h.Requests(v1::GET_STAT).size(), 2u);
}

TEST_F(ClientWatches, AnOpenThatIsAnsweredAfterTheFailOverIsLookedAtThen) {
  AskToWatch(kNode);
  const v1::Request open = h.Last<v1::Request>();
  FailOver();
  EXPECT_TRUE(h.Requests(v1::GET_STAT).empty());
  AnswerOpen(open, 1);  // as it was when it was opened
  ASSERT_EQ(h.Requests(v1::GET_STAT).size(), 1u);
  AnswerLook(h.Last<v1::Request>(), v1::OK, 2);
  EXPECT_EQ(Told(), Strings({"MasterFailedOver", "ContentsModified 2"}));
}

TEST_F(ClientWatches, AfterLostEventsEverythingIsLookedAt) {
  const HandleId handle = Watch(kNode, 3);
  Item(v1::ITEM_EVENTS_LOST, HandleId(), 0);
  ASSERT_EQ(h.Requests(v1::GET_STAT).size(), 1u);
  EXPECT_EQ(h.Last<v1::Request>().command().handle(), handle.value());
  AnswerLook(h.Last<v1::Request>(), v1::OK, 7);
  EXPECT_EQ(Told(), Strings({"EventsLost", "ContentsModified 7"}));
}

TEST_F(ClientWatches, AFailedOpenAndTheEndOfTheSessionLeaveNothing) {
  AskToWatch(kNode);
  h.Reply(h.Last<v1::Request>(), v1::NOT_FOUND);
  EXPECT_TRUE(h.client.view().watches->empty());
  Watch(kNode);
  h.Deliver(h.Kept(0, 0, v1::SESSION_EXPIRED));
  EXPECT_TRUE(h.client.view().watches->empty());
  EXPECT_EQ(Told(), Strings());
}

TEST_F(ClientWatches, TheFirstMasterOfASessionIsNoFailOver) {
  EXPECT_EQ(Told(), Strings());
  FailOver();
  FailOver();
  EXPECT_EQ(Told(), Strings({"MasterFailedOver", "MasterFailedOver"}));
}

}  // namespace
}  // namespace bramah::client

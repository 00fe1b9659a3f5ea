// Handles that the library keeps open when the application closes them [C-48, A-21].
#include <gtest/gtest.h>

#include <string>

#include "core/api/sequencer.h"
#include "core/client/calls.h"
#include "core/client/client_harness.h"
#include "core/client/handle_ids.h"

namespace bramah::client {
namespace {

constexpr uint64_t kInstance = 77;

ClientConfig Keeping() {
  ClientConfig config = DefaultConfig();
  config.cache_handles = true;
  return config;
}

struct ClientHandles : testing::Test {
  ClientHandles() { h.OpenSession(); }

  static v1::Command OpenOf(const std::string& path, uint32_t flags = v1::OPEN_WRITE) {
    v1::Command open;
    open.set_kind(v1::OPEN);
    open.set_path(path);
    open.set_open_flags(flags);
    return open;
  }
  // The master's answer to the last OPEN, with leave to keep it.
  v1::Reply Opened(uint64_t instance = kInstance) const {
    v1::Reply reply = h.Replied(h.Requests(v1::OPEN).back(), v1::OK);
    reply.mutable_outcome()->set_instance(instance);
    reply.mutable_outcome()->set_content_generation(3);
    reply.mutable_outcome()->set_check_digits(500 + reply.outcome().handle());
    reply.set_classes(v1::CACHE_STAT);
    reply.set_item_number(items);
    return reply;
  }
  HandleId Ask(const v1::Command& open, uint64_t instance = kInstance) {
    const CallId call = h.Call(open);
    if (!h.Answered(call)) h.Deliver(Opened(instance));
    EXPECT_EQ(h.CodeOf(call), v1::OK);
    return HandleId(h.answers.at(call).handle());
  }
  HandleId Open(const std::string& path = "/f") { return Ask(OpenOf(path)); }
  void Close(HandleId handle) { h.Call(v1::CLOSE, handle); }
  void OpenAndClose(const std::string& path = "/f") { Close(Open(path)); }
  size_t Opens() const { return h.Requests(v1::OPEN).size(); }
  size_t Closes() const { return h.Requests(v1::CLOSE).size(); }
  // How many messages one more Open and Close take.
  size_t Again(const v1::Command& open) {
    const size_t before = Opens();
    Close(Ask(open));
    return Opens() - before;
  }
  void Invalidate(uint32_t classes, uint64_t id = kInstance) {
    v1::KeepAliveReply kept = h.Kept();
    v1::SessionItem& item = *kept.add_items();
    item.set_number(++items);
    item.set_kind(v1::ITEM_INVALIDATE);
    item.set_generation(id);
    item.set_classes(classes);
    h.Deliver(kept);
  }

  Harness h{Keeping()};
  uint64_t items = 0;
};

TEST_F(ClientHandles, C48AnOpenCloseLoopCostsOneMessage) {
  OpenAndClose();
  const int requests = h.Count<v1::Request>();
  for (int i = 0; i < 10; ++i) OpenAndClose();
  EXPECT_EQ(h.Count<v1::Request>(), requests);
  EXPECT_EQ(requests, 1);
  EXPECT_TRUE(h.Requests(v1::OPEN)[0].command().caches());
}

TEST_F(ClientHandles, C48AnIdThatWasClosedStaysClosed) {
  const HandleId first = Open();
  Close(first);
  const HandleId second = Open();
  EXPECT_NE(second, first);
  EXPECT_EQ(AtMaster(second), first);
  EXPECT_EQ(h.CodeOf(h.Call(v1::GET_STAT, first)), v1::BAD_HANDLE);
  Close(second);
  const HandleId third = Open();
  EXPECT_EQ(h.CodeOf(h.Call(v1::GET_STAT, second)), v1::BAD_HANDLE);
  EXPECT_FALSE(h.Answered(h.Call(v1::GET_STAT, third)));
  EXPECT_EQ(h.Last<v1::Request>().command().handle(), first.value()) << "the only one that the master knows";
  EXPECT_EQ(h.Last<v1::Request>().command().check_digits(), 500 + first.value());
}

// [C-61]
TEST_F(ClientHandles, GoWithTheirSession) {
  OpenAndClose();
  const HandleId handle = Open();
  OpenAndClose("/g");
  h.Deliver(h.Kept(0, 0, v1::SESSION_EXPIRED));
  EXPECT_EQ(h.CodeOf(h.Call(v1::GET_STAT, handle)), v1::SESSION_EXPIRED);
  h.session += 1;
  h.Call(v1::OPEN_SESSION);
  h.Deliver(h.Created());
  EXPECT_EQ(Again(OpenOf("/g")), 1u);
}

TEST_F(ClientHandles, TheAnswerIsThatOfAnOpenWhichFoundTheNode) {
  const CallId first = h.Call(OpenOf("/f", v1::OPEN_WRITE | v1::OPEN_MAY_CREATE));
  v1::Reply created = Opened();
  created.mutable_outcome()->set_created(true);
  h.Deliver(created);
  Close(HandleId(h.answers.at(first).handle()));
  const CallId second = h.Call(OpenOf("/f", v1::OPEN_WRITE | v1::OPEN_MAY_CREATE));
  ASSERT_TRUE(h.Answered(second));
  const v1::Outcome& answer = h.answers.at(second);
  EXPECT_FALSE(answer.created());
  EXPECT_EQ(answer.seq(), 0u) << "no command took effect";
  EXPECT_EQ(answer.instance(), kInstance);
  EXPECT_EQ(answer.content_generation(), 3u);
  EXPECT_EQ(h.events.back().kind, CoreEvent::kCacheHit);
  EXPECT_EQ(h.events.back().handle.value(), answer.handle());
}

TEST_F(ClientHandles, OneThatIsOpenIsNotShared) {
  const HandleId first = Open();
  const HandleId second = Open();
  EXPECT_EQ(Opens(), 2u);
  EXPECT_NE(AtMaster(first), AtMaster(second));
  Close(first);
  const HandleId third = Open();
  const HandleId fourth = Open();
  EXPECT_EQ(Opens(), 3u) << "one was there to be used again";
  EXPECT_EQ(AtMaster(third), first);
  EXPECT_NE(AtMaster(fourth), second);
}

TEST_F(ClientHandles, WhatAsksForOtherThingsGetsAHandleOfItsOwn) {
  OpenAndClose();
  EXPECT_EQ(Again(OpenOf("/g")), 1u);
  EXPECT_EQ(Again(OpenOf("/f", v1::OPEN_READ)), 1u);
  EXPECT_EQ(Again(OpenOf("/f", v1::OPEN_WRITE | v1::OPEN_CHANGE_ACL)), 1u);
  v1::Command delayed = OpenOf("/f");
  delayed.set_lock_delay_ns(kSecond);
  EXPECT_EQ(Again(delayed), 1u);
  EXPECT_EQ(Again(OpenOf("/f", v1::OPEN_WRITE | v1::OPEN_MUST_CREATE)), 1u) << "only the master knows whether it would";
  EXPECT_EQ(Again(OpenOf("/f", v1::OPEN_WRITE | v1::OPEN_MAY_CREATE)), 0u);
  EXPECT_EQ(Again(delayed), 0u);
}

TEST_F(ClientHandles, OneOnAnEphemeralNodeIsClosed) {
  const CallId call = h.Call(OpenOf("/f", v1::OPEN_WRITE | v1::OPEN_MAY_CREATE | v1::OPEN_EPHEMERAL));
  v1::Reply reply = Opened();
  reply.mutable_outcome()->set_ephemeral(true);
  h.Deliver(reply);
  Close(HandleId(h.answers.at(call).handle()));
  EXPECT_EQ(Closes(), 1u) << "the node lives by its handles";
}

TEST_F(ClientHandles, OneThatIsToldOfEventsIsClosed) {
  v1::Command watch = OpenOf("/f");
  watch.set_events(v1::EVENT_CONTENTS);
  Close(Ask(watch));
  EXPECT_EQ(Closes(), 1u);
  OpenAndClose();
  EXPECT_EQ(Again(watch), 1u) << "its subscriptions begin with it";
}

TEST_F(ClientHandles, OneThatHoldsWaitsOrIsUsedIsClosed) {
  const HandleId holds = Open();
  h.Acquire(holds);
  h.Reply(h.Last<v1::Request>(), v1::OK, 50);
  Close(holds);
  EXPECT_EQ(Closes(), 1u);
  h.Reply(h.Last<v1::Request>(), v1::OK);
  const HandleId waits = Open();
  h.Acquire(waits);
  h.Reply(h.Last<v1::Request>(), v1::QUEUED);
  Close(waits);
  EXPECT_EQ(Closes(), 2u);
  h.Reply(h.Last<v1::Request>(), v1::OK);
  const HandleId used = Open();
  h.Call(v1::GET_CONTENTS, used);
  Close(used);
  EXPECT_EQ(Closes(), 3u);
}

TEST_F(ClientHandles, OneThatHasReleasedItsLockIsKeptOnceTheNodeIsKnownAgain) {
  const HandleId handle = Open();
  h.Acquire(handle);
  h.Reply(h.Last<v1::Request>(), v1::OK, 50);
  h.Call(v1::RELEASE, handle);
  h.Reply(h.Last<v1::Request>(), v1::OK);
  Close(handle);
  EXPECT_EQ(Closes(), 1u) << "what was known of the node went with its own Acquire";
}

TEST_F(ClientHandles, OneWithASequencerAndOneThatWasPoisonedAreNotKept) {
  const HandleId guarded = Open();
  v1::Command tie;
  tie.set_kind(v1::SET_SEQUENCER);
  tie.set_handle(guarded.value());
  tie.set_sequencer(FormatSequencer({"demo", "/l", Position(7), v1::EXCLUSIVE, Position(9)}, {1, 2}));
  h.Call(tie);
  Close(guarded);
  EXPECT_EQ(Closes(), 1u);
  h.Reply(h.Last<v1::Request>(), v1::OK);
  const HandleId poisoned = Open();
  h.Call(v1::POISON, poisoned);
  h.Reply(h.Last<v1::Request>(), v1::OK);
  Close(poisoned);
  EXPECT_EQ(Again(OpenOf("/f")), 1u);
}

// The ACL, or the contents; or the node is gone, and the name another's.
TEST_F(ClientHandles, A21WhatIsNoLongerKnownOfTheNodeIsAskedOfTheMaster) {
  OpenAndClose();
  Invalidate(v1::CACHE_STAT);
  EXPECT_EQ(Closes(), 0u) << "nobody needs it closed at once";
  const HandleId fresh = Ask(OpenOf("/f"), kInstance + 1);
  EXPECT_EQ(Opens(), 2u);
  ASSERT_EQ(Closes(), 1u) << "of what is of no use any more";
  EXPECT_EQ(h.Requests(v1::CLOSE)[0].command().handle(), h.Requests(v1::OPEN)[0].command().handle());
  Close(fresh);
  EXPECT_EQ(AtMaster(Open()), AtMaster(fresh));
}

TEST_F(ClientHandles, A21AHandleOfBeforeTheChangeIsNotGivenOutAfterIt) {
  const HandleId before = Open();
  Invalidate(v1::CACHE_STAT);
  const HandleId after = Open();
  Close(before);
  EXPECT_EQ(Closes(), 1u) << "its rights may be others than it would be given now";
  Close(after);
  EXPECT_EQ(Opens(), 2u);
}

// The contents are known here, and whoever may write need not be allowed to read them.
TEST_F(ClientHandles, AnOpenDoesNotShowThatItsHandleMayRead) {
  const HandleId reader = Open();
  h.Call(v1::GET_CONTENTS, reader);
  v1::Reply contents = h.Replied(h.Last<v1::Request>(), v1::OK);
  contents.mutable_outcome()->set_instance(kInstance);
  contents.set_classes(v1::CACHE_DATA);
  h.Deliver(contents);
  EXPECT_TRUE(h.Answered(h.Call(v1::GET_CONTENTS, reader)));
  EXPECT_FALSE(h.Answered(h.Call(v1::GET_CONTENTS, Open())));
}

//
TEST_F(ClientHandles, LocksOfOthersChangeNothing) {
  OpenAndClose();
  Invalidate(v1::CACHE_LOCK_STATE);
  EXPECT_EQ(Again(OpenOf("/f")), 0u);
}

TEST_F(ClientHandles, WithoutLeaveNothingIsKept) {
  const CallId call = h.Call(OpenOf("/f"));
  v1::Reply reply = Opened();
  reply.clear_classes();
  h.Deliver(reply);
  Close(HandleId(h.answers.at(call).handle()));
  EXPECT_EQ(Closes(), 1u);
}

// [D-16]
TEST_F(ClientHandles, AnAnswerThatWasOvertakenIsNotKept) {
  const CallId call = h.Call(OpenOf("/f"));
  const v1::Reply early = Opened();
  Invalidate(v1::CACHE_STAT);
  h.Deliver(early);
  Close(HandleId(h.answers.at(call).handle()));
  EXPECT_EQ(Closes(), 1u);
}

TEST_F(ClientHandles, A17AnOpenAnsweredAcrossAnOwnChangeOfTheNodeIsNotKept) {
  const HandleId writer = Open();
  for (const bool late : {false, true}) {
    const CallId open = h.Call(OpenOf("/f"));
    h.Call(v1::SET_CONTENTS, writer);
    const v1::Request set = h.Last<v1::Request>();
    if (late) h.Reply(set, v1::OK);
    h.Deliver(Opened());
    if (!late) h.Reply(set, v1::OK);
    const size_t closes = Closes();
    Close(HandleId(h.answers.at(open).handle()));
    EXPECT_EQ(Closes(), closes + 1) << late;
    h.Reply(h.Last<v1::Request>(), v1::OK);
  }
}

TEST_F(ClientHandles, AfterAJeopardyTheMasterIsAsked) {
  OpenAndClose();
  h.Run(kLease);
  ASSERT_EQ(h.client.view().state, SessionState::kJeopardy);
  const CallId open = h.Call(OpenOf("/f"));
  EXPECT_FALSE(h.Answered(open));
  h.Reconnect();
  h.Deliver(h.Kept(10 * kSecond));
  ASSERT_EQ(h.client.view().state, SessionState::kActive);
  EXPECT_EQ(Opens(), 2u);
  h.Deliver(Opened());
  EXPECT_EQ(h.CodeOf(open), v1::OK);
}

TEST_F(ClientHandles, InJeopardyACloseIsOne) {
  const HandleId handle = Open();
  h.Run(kLease);
  ASSERT_EQ(h.client.view().state, SessionState::kJeopardy);
  Close(handle);
  h.Reconnect();
  h.Deliver(h.Kept(10 * kSecond));
  EXPECT_GE(Closes(), 1u);
}

TEST_F(ClientHandles, TheOldestAreClosedWhenThereAreTooMany) {
  for (size_t i = 0; i < kKeptHandlesMax; ++i) {
    Close(Ask(OpenOf("/" + std::to_string(i)), 100 + i));
  }
  EXPECT_EQ(Closes(), 0u);
  Close(Ask(OpenOf("/last"), 99));
  ASSERT_EQ(Closes(), 1u);
  EXPECT_EQ(h.Requests(v1::CLOSE)[0].command().handle(), h.Requests(v1::OPEN)[0].command().handle());
  EXPECT_EQ(h.client.view().calls_pending, 0u);
}

TEST_F(ClientHandles, AllAreGivenBackWhenTheSessionHasTooManyAndTheOpenIsAskedAgain) {
  OpenAndClose("/a");
  OpenAndClose("/b");
  const CallId open = h.Call(OpenOf("/c"));
  const v1::Request first = h.Last<v1::Request>();
  h.Reply(first, v1::TOO_MANY_HANDLES);
  EXPECT_FALSE(h.Answered(open));
  EXPECT_EQ(Closes(), 2u);
  const v1::Request second = h.Last<v1::Request>();
  EXPECT_EQ(second.command().kind(), v1::OPEN);
  EXPECT_EQ(second.command().path(), "/c");
  EXPECT_GT(second.command().seq(), h.Requests(v1::CLOSE)[1].command().seq()) << "behind the Closes";
  h.Reply(first, v1::TOO_MANY_HANDLES);
  EXPECT_FALSE(h.Answered(open)) << "that was the answer to the first";
  h.Reply(second, v1::TOO_MANY_HANDLES);
  EXPECT_EQ(h.CodeOf(open), v1::TOO_MANY_HANDLES) << "nothing was left to give back";
}

// [D-57]
TEST_F(ClientHandles, DoNotKeepAnIdleSessionFromEnding) {
  OpenAndClose();
  for (int i = 0; i < 62; ++i) {
    h.Run(kSecond);
    h.Deliver(h.Kept());
  }
  EXPECT_FALSE(h.Requests(v1::END_SESSION).empty());
}

// A lock that the library keeps belongs to its handle.
TEST(ClientHandlesWithLocks, ALockIsAskedBackOfALaterUse) {
  ClientConfig config = Keeping();
  config.cache_locks = true;
  Harness h(config);
  h.OpenSession();
  v1::Command open;
  open.set_kind(v1::OPEN);
  open.set_path("/f");
  open.set_open_flags(v1::OPEN_WRITE);
  h.Call(open);
  v1::Reply reply = h.Replied(h.Last<v1::Request>(), v1::OK);
  reply.mutable_outcome()->set_instance(kInstance);
  reply.set_classes(v1::CACHE_STAT);
  h.Deliver(reply);
  const HandleId first(reply.outcome().handle());
  h.Call(v1::CLOSE, first);
  const CallId again = h.Call(open);
  ASSERT_TRUE(h.Answered(again));
  const HandleId second(h.answers.at(again).handle());
  h.Acquire(second);
  EXPECT_EQ(h.Last<v1::Request>().command().handle(), first.value());
  h.Reply(h.Last<v1::Request>(), v1::OK, 50);
  EXPECT_TRUE(h.Believes(second));
  h.Call(v1::RELEASE, second);
  EXPECT_TRUE(h.Requests(v1::RELEASE).empty());
  v1::KeepAliveReply kept = h.Kept();
  v1::SessionItem& item = *kept.add_items();
  item.set_number(1);
  item.set_kind(v1::ITEM_LOCK_REQUESTED);
  item.set_handle(first.value());
  h.Deliver(kept);
  EXPECT_EQ(h.Requests(v1::RELEASE).size(), 1u);
}

TEST(ClientHandlesOff, EveryCloseIsSentUnlessTheClientWasToldToKeepHandles) {
  Harness h;
  h.OpenSession();
  v1::Command open;
  open.set_kind(v1::OPEN);
  open.set_path("/f");
  open.set_caches(true);  // not the caller's to say
  h.Call(open);
  EXPECT_FALSE(h.Last<v1::Request>().command().caches());
  v1::Reply reply = h.Replied(h.Last<v1::Request>(), v1::OK);
  reply.mutable_outcome()->set_instance(kInstance);
  reply.set_classes(v1::CACHE_STAT);
  h.Deliver(reply);
  h.Call(v1::CLOSE, HandleId(reply.outcome().handle()));
  EXPECT_EQ(h.Requests(v1::CLOSE).size(), 1u);
}

}  // namespace
}  // namespace bramah::client

// Lock beliefs: grants and waits, races between giving up and being granted.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/api/cache.h"
#include "core/client/client_harness.h"
#include "core/client/waiting_lock.h"

namespace bramah::client {
namespace {

using Kind = CoreEvent::Kind;

// ------------------------------------------------------------------------------------------------------------------- locks

// [C-32]
TEST(ClientLocks, AGrantIsBelievedWithItsGeneration) {
  Harness h;
  h.OpenSession();
  const HandleId handle = h.OpenHandle("/f");
  const CallId acquire = h.Acquire(handle, v1::SHARED);
  const uint64_t seq = h.Last<v1::Request>().command().seq();
  h.Reply(h.Last<v1::Request>(), v1::OK, 50);
  EXPECT_EQ(h.answers[acquire].lock_generation(), 50u);
  ASSERT_EQ(h.client.view().held->size(), 1u);
  const HeldLock& lock = h.client.view().held->front();
  EXPECT_EQ(lock.path, "/f");
  EXPECT_EQ(lock.handle, handle);
  EXPECT_EQ(lock.mode, v1::SHARED);
  EXPECT_EQ(lock.generation, Position(50));
  EXPECT_EQ(lock.seq, RequestSeq(seq));
  EXPECT_EQ(h.events.back().kind, Kind::kLockHeld);
}

TEST(ClientLocks, HeldLocksAreSortedByHandle) {
  Harness h;
  h.OpenSession();
  std::vector<HandleId> handles;
  for (const char* path : {"/a", "/b", "/c"}) handles.push_back(h.OpenHandle(path));
  for (const int i : {2, 0, 1}) {
    h.Acquire(handles[i]);
    h.Reply(h.Last<v1::Request>(), v1::OK, 50 + i);
  }
  ASSERT_EQ(h.client.view().held->size(), 3u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ((*h.client.view().held)[i].handle, handles[i]);
}

// The belief ends when what may free the lock is sent, not when it is answered.
TEST(ClientLocks, BeliefEndsWithTheSendingOfReleaseCloseDeleteAndEnd) {
  for (const v1::CommandKind kind : {v1::RELEASE, v1::CLOSE, v1::DELETE, v1::END_SESSION}) {
    Harness h;
    h.OpenSession();
    const HandleId handle = h.Lock();
    ASSERT_TRUE(h.Believes(handle));
    const CallId call = h.Call(kind, kind == v1::END_SESSION ? HandleId() : handle);
    EXPECT_FALSE(h.Answered(call));
    EXPECT_FALSE(h.Believes(handle)) << kind;
    ASSERT_EQ(h.events.back().kind, Kind::kLockDropped) << kind;
    EXPECT_EQ(h.events.back().generation, Position(50));
    EXPECT_EQ(h.Last<v1::Request>().command().kind(), kind);
  }
}

TEST(ClientLocks, ReleaseNamesTheAcquireItUndoes) {
  Harness h;
  h.OpenSession();
  const HandleId handle = h.OpenHandle();
  h.Acquire(handle);
  const uint64_t seq = h.Last<v1::Request>().command().seq();
  h.Reply(h.Last<v1::Request>(), v1::OK, 50);
  h.Acquire(handle);  // the same again: a no-op that keeps the first hold
  h.Reply(h.Last<v1::Request>(), v1::OK, 50);
  const CallId release = h.Call(v1::RELEASE, handle);
  EXPECT_EQ(h.Last<v1::Request>().command().acquire_seq(), seq);
  h.Reply(h.Last<v1::Request>(), v1::OK);
  EXPECT_EQ(h.CodeOf(release), v1::OK);
  EXPECT_EQ(h.CodeOf(h.Call(v1::RELEASE, handle)), v1::LOCK_NOT_HELD);
}

TEST(ClientLocks, AfterAFailedDeleteTheLockIsHeldButNotBelievedAndCanBeReleased) {
  Harness h;
  h.OpenSession();
  const HandleId handle = h.Lock();
  const uint64_t seq = h.Requests(v1::ACQUIRE)[0].command().seq();
  h.Call(v1::DELETE, handle);
  h.Reply(h.Last<v1::Request>(), v1::NOT_EMPTY);
  EXPECT_FALSE(h.Believes(handle));
  h.Call(v1::RELEASE, handle);
  EXPECT_EQ(h.Last<v1::Request>().command().acquire_seq(), seq);
}

// [C-31, C-57]
TEST(ClientLocks, AQueuedAcquireIsGrantedByAnItemWhichIsAcknowledgedAtOnce) {
  Harness h;
  h.OpenSession();
  const Waiting waiting = WaitForLock(h);
  const int before = h.Count<v1::KeepAlive>();
  h.Run(kSecond);
  Grant(h, waiting);
  EXPECT_EQ(h.CodeOf(waiting.call), v1::OK);
  EXPECT_EQ(h.answers[waiting.call].lock_generation(), 60u);
  EXPECT_TRUE(h.Believes(waiting.handle));
  EXPECT_EQ(h.Count<v1::KeepAlive>(), before + 1);
  EXPECT_EQ(h.Last<v1::KeepAlive>().acknowledged(), 1u);
}

TEST(ClientLocks, ItemsAreProcessedOnceInOrderAndCountAnewInEachEpoch) {
  Harness h;
  h.OpenSession();
  const Waiting a = WaitForLock(h, "/a");
  const Waiting b = WaitForLock(h, "/b");
  h.Run(kMillisecond);
  v1::KeepAliveReply gap = h.Kept(kMillisecond);
  *gap.add_items() = Item(2, v1::ITEM_LOCK_GRANTED, b.handle, b.request.command().seq(), 61);
  h.Deliver(gap);
  EXPECT_FALSE(h.Answered(b.call)) << "item 1 was not seen yet";
  v1::KeepAliveReply both = h.Kept();
  *both.add_items() = Item(1, v1::ITEM_LOCK_GRANTED, a.handle, a.request.command().seq(), 60);
  *both.add_items() = Item(2, v1::ITEM_LOCK_GRANTED, b.handle, b.request.command().seq(), 61);
  h.Deliver(both);
  EXPECT_TRUE(h.Believes(a.handle) && h.Believes(b.handle));
  EXPECT_EQ(h.Last<v1::KeepAlive>().acknowledged(), 2u);
  h.Call(v1::RELEASE, a.handle);
  v1::KeepAliveReply again = h.Kept();
  *again.add_items() = both.items(0);
  h.Deliver(again);
  EXPECT_FALSE(h.Believes(a.handle)) << "a repeated item is no new grant";
  h.Run(1'200 * kMillisecond);  // what brought nothing is not followed at once

  h.epoch = 6;
  h.Deliver(h.Kept(0, 0, v1::WRONG_EPOCH));
  EXPECT_EQ(h.Last<v1::KeepAlive>().acknowledged(), 0u);
  const Waiting c = WaitForLock(h, "/c");
  Grant(h, c, 1, 70);
  EXPECT_TRUE(h.Believes(c.handle));
}

// [C-33]
TEST(ClientLocks, AWaitDoesNotKeepAnswersFromBeingForgottenNorOtherCallsFromGoing) {
  Harness h;
  h.OpenSession();
  const Waiting waiting = WaitForLock(h);
  const CallId set = h.Call(v1::SET_CONTENTS, waiting.handle);
  const v1::Command sent = h.Last<v1::Request>().command();
  EXPECT_EQ(sent.kind(), v1::SET_CONTENTS);
  EXPECT_GT(sent.first_outstanding(), waiting.request.command().seq());
  h.Reply(h.Last<v1::Request>(), v1::OK);
  EXPECT_TRUE(h.Answered(set));
  const CallId second = h.Acquire(waiting.handle);
  h.Reply(h.Last<v1::Request>(), v1::BUSY);
  EXPECT_EQ(h.CodeOf(second), v1::BUSY);
  h.Run(3 * kSecond);
  EXPECT_EQ(h.Requests(v1::ACQUIRE).size(), 2u) << "a queued Acquire is not repeated for being late";
  EXPECT_FALSE(h.Answered(waiting.call));
}

TEST(ClientLocks, AQueuedAcquireIsAskedForAgainInANewEpochAndOnANewStream) {
  Harness h;
  h.OpenSession();
  const Waiting waiting = WaitForLock(h);
  h.Reconnect(2);
  auto copies = h.Requests(v1::ACQUIRE);
  ASSERT_EQ(copies.size(), 2u);
  EXPECT_EQ(copies[1].command().seq(), waiting.request.command().seq());
  h.Reply(copies[1], v1::QUEUED);  // attached
  h.epoch = 6;
  h.Deliver(h.Kept(0, 0, v1::WRONG_EPOCH));
  copies = h.Requests(v1::ACQUIRE);
  ASSERT_EQ(copies.size(), 3u);
  EXPECT_EQ(copies[2].epoch(), 6u);
  EXPECT_EQ(copies[2].command().seq(), waiting.request.command().seq());
  h.Reply(copies[2], v1::OK, 60);  // granted while no master could say so
  EXPECT_EQ(h.CodeOf(waiting.call), v1::OK);
  EXPECT_TRUE(h.Believes(waiting.handle));
  Grant(h, waiting);  // and the item besides
  EXPECT_EQ(h.client.view().held->size(), 1u);
}

// The grant happened under a master that died before it could say so; its successor knows of no item. The only news is the answer
// to the repeated Acquire, and that may be lost as well.
TEST(ClientLocks, ARepeatedQueuedAcquireIsRepeatedUntilThePresentMasterAnswers) {
  Harness h;
  h.OpenSession();
  const Waiting waiting = WaitForLock(h);
  const v1::Reply old_news = h.Replied(waiting.request, v1::QUEUED);
  h.epoch = 6;
  h.Deliver(h.Kept(0, 0, v1::WRONG_EPOCH));
  ASSERT_EQ(h.Requests(v1::ACQUIRE).size(), 2u);
  h.Deliver(old_news);  // a late copy of what the earlier master said is no answer of this one
  h.Run(1'100 * kMillisecond);
  ASSERT_EQ(h.Requests(v1::ACQUIRE).size(), 3u);
  h.Reply(h.Requests(v1::ACQUIRE).back(), v1::OK, 60);
  EXPECT_EQ(h.CodeOf(waiting.call), v1::OK);
  EXPECT_TRUE(h.Believes(waiting.handle));
}

TEST(ClientLocks, AGrantBeforeTheNewsThatItWasQueued) {
  Harness h;
  h.OpenSession();
  Waiting waiting;
  waiting.handle = h.OpenHandle();
  waiting.call = h.Acquire(waiting.handle);
  waiting.request = h.Last<v1::Request>();
  Grant(h, waiting);
  EXPECT_EQ(h.CodeOf(waiting.call), v1::OK);
  h.Reply(waiting.request, v1::QUEUED);
  EXPECT_TRUE(h.Believes(waiting.handle));
  EXPECT_FALSE(h.Answered(h.Call(v1::GET_STAT, waiting.handle)));
  EXPECT_EQ(h.Last<v1::Request>().command().kind(), v1::GET_STAT) << "the handle is free for the next call";
}

TEST(ClientLocks, AHandleThatBecameInvalidEndsTheWait) {
  Harness h;
  h.OpenSession();
  const Waiting waiting = WaitForLock(h);
  v1::KeepAliveReply reply = h.Kept();
  *reply.add_items() = Item(1, v1::ITEM_HANDLE_INVALID, waiting.handle, waiting.request.command().seq());
  h.Deliver(reply);
  EXPECT_EQ(h.CodeOf(waiting.call), v1::STALE_HANDLE);
  EXPECT_TRUE(h.client.view().held->empty());
}

// The Delete may be executed before the news of the grant arrives, and somebody else may lock the next node of that name.
TEST(ClientLocks, AGrantDuringADeleteIsBelievedOnlyIfTheDeleteFails) {
  for (const v1::Code outcome : {v1::OK, v1::NOT_EMPTY}) {
    Harness h;
    h.OpenSession();
    const Waiting waiting = WaitForLock(h);
    const CallId remove = h.Call(v1::DELETE, waiting.handle);
    const v1::Request request = h.Last<v1::Request>();
    Grant(h, waiting);
    EXPECT_FALSE(h.Answered(waiting.call));
    EXPECT_FALSE(h.Believes(waiting.handle));
    h.Reply(request, outcome);
    EXPECT_EQ(h.CodeOf(remove), outcome);
    EXPECT_EQ(h.CodeOf(waiting.call), outcome == v1::OK ? v1::STALE_HANDLE : v1::OK);
    EXPECT_EQ(h.Believes(waiting.handle), outcome != v1::OK);
  }
}

// The answers may come in the other order: a copy of the Acquire is answered from the table.
TEST(ClientLocks, AGrantThatIsHeardOfAfterTheDeleteIsNotBelieved) {
  Harness h;
  h.OpenSession();
  const Waiting waiting = WaitForLock(h);
  h.Call(v1::DELETE, waiting.handle);
  h.Reply(h.Last<v1::Request>(), v1::OK);
  Grant(h, waiting);
  EXPECT_EQ(h.CodeOf(waiting.call), v1::STALE_HANDLE);
  EXPECT_FALSE(h.Believes(waiting.handle));
}

// The master waits until it has read that.
TEST(ClientLocks, C41ABeliefEndsWhenTheNodeIsAboutToBeDeleted) {
  Harness h;
  h.OpenSession();
  const CallId open = h.Open("/f");
  v1::Reply opened = h.Replied(h.Last<v1::Request>(), v1::OK);
  opened.mutable_outcome()->set_instance(77);
  h.Deliver(opened);
  const HandleId handle(h.answers.at(open).handle());
  h.Acquire(handle);
  h.Reply(h.Last<v1::Request>(), v1::OK, 50);
  ASSERT_TRUE(h.Believes(handle));
  v1::KeepAliveReply kept = h.Kept();
  v1::SessionItem& item = *kept.add_items();
  item.set_number(1);
  item.set_kind(v1::ITEM_INVALIDATE);
  item.set_generation(HoldId(SessionId(h.session), handle));
  item.set_classes(v1::CACHE_HOLD);
  h.Deliver(kept);
  EXPECT_FALSE(h.Believes(handle));
  EXPECT_EQ(h.Last<v1::KeepAlive>().acknowledged(), 1u);
  // Nothing brings it back: not even a grant that was sent before.
  const CallId again = h.Acquire(handle);
  h.Reply(h.Last<v1::Request>(), v1::OK, 50);
  EXPECT_EQ(h.CodeOf(again), v1::CANCELLED) << "nobody can say yet that it is gone";
  EXPECT_FALSE(h.Believes(handle));
}

//
TEST(ClientLocks, OwnDeleteEndsTheBeliefOfEveryHandleOnTheNode) {
  Harness h;
  h.OpenSession();
  const auto open = [&h] {
    const CallId call = h.Open("/f");
    v1::Reply opened = h.Replied(h.Last<v1::Request>(), v1::OK);
    opened.mutable_outcome()->set_instance(77);
    h.Deliver(opened);
    return HandleId(h.answers.at(call).handle());
  };
  const HandleId holder = open();
  h.Acquire(holder);
  h.Reply(h.Last<v1::Request>(), v1::OK, 50);
  ASSERT_TRUE(h.Believes(holder));
  h.Call(v1::DELETE, open());
  EXPECT_FALSE(h.Believes(holder));
}

TEST(ClientLocks, ReleaseGivesUpAWait) {
  Harness h;
  h.OpenSession();
  const Waiting waiting = WaitForLock(h);
  const CallId release = h.Call(v1::RELEASE, waiting.handle);
  EXPECT_EQ(h.CodeOf(waiting.call), v1::CANCELLED);
  EXPECT_EQ(h.Last<v1::Request>().command().acquire_seq(), waiting.request.command().seq());
  Grant(h, waiting);  // it had been granted a moment before
  EXPECT_FALSE(h.Believes(waiting.handle));
  h.Reply(h.Requests(v1::RELEASE)[0], v1::OK);
  EXPECT_EQ(h.CodeOf(release), v1::OK);
}

// Close does not queue behind what it gives up, and names it, so that no late copy can take the lock [A-22, C-25, D-39].
TEST(ClientLocks, CloseGivesUpWhatIsUnansweredOnItsHandle) {
  Harness h;
  h.OpenSession();
  const HandleId handle = h.OpenHandle();
  const CallId acquire = h.Acquire(handle);
  const uint64_t seq = h.Last<v1::Request>().command().seq();
  const CallId blocked = h.Call(v1::SET_CONTENTS, handle);
  const CallId close = h.Call(v1::CLOSE, handle);
  EXPECT_EQ(h.CodeOf(acquire), v1::CANCELLED);
  EXPECT_EQ(h.CodeOf(blocked), v1::CANCELLED);
  EXPECT_FALSE(h.Answered(close));
  const v1::Command sent = h.Last<v1::Request>().command();
  ASSERT_EQ(sent.kind(), v1::CLOSE);
  ASSERT_EQ(sent.gives_up_size(), 1);
  EXPECT_EQ(sent.gives_up(0), seq);
  EXPECT_GT(sent.seq(), seq);
  EXPECT_EQ(h.CodeOf(h.Call(v1::GET_STAT, handle)), v1::BAD_HANDLE);
  h.Reply(h.Requests(v1::ACQUIRE)[0], v1::OK, 50);  // the race is lost: granted all the same
  EXPECT_FALSE(h.Believes(handle));
  EXPECT_TRUE(h.Kinds().back() != Kind::kLockHeld);
  h.Reply(h.Requests(v1::CLOSE)[0], v1::BAD_HANDLE);
  EXPECT_EQ(h.CodeOf(close), v1::OK) << "Close never fails [C-25]";
}

TEST(ClientLocks, CloseGivesUpAQueuedAcquireToo) {
  Harness h;
  h.OpenSession();
  const Waiting waiting = WaitForLock(h);
  h.Call(v1::CLOSE, waiting.handle);
  EXPECT_EQ(h.CodeOf(waiting.call), v1::CANCELLED);
  const v1::Command sent = h.Last<v1::Request>().command();
  ASSERT_EQ(sent.gives_up_size(), 1);
  EXPECT_EQ(sent.gives_up(0), waiting.request.command().seq());
  Grant(h, waiting);
  EXPECT_FALSE(h.Believes(waiting.handle));
  EXPECT_EQ(h.Last<v1::KeepAlive>().acknowledged(), 1u) << "unwanted items are acknowledged as well";
}

TEST(ClientLocks, AQueuedAnswerToATryIsNone) {
  Harness h;
  h.OpenSession();
  const HandleId handle = h.OpenHandle();
  v1::Command command;
  command.set_kind(v1::ACQUIRE);
  command.set_handle(handle.value());
  command.set_mode(v1::EXCLUSIVE);
  command.set_try_only(true);
  const CallId call = h.Call(command);
  h.Reply(h.Last<v1::Request>(), v1::QUEUED);
  EXPECT_FALSE(h.Answered(call));
  h.Reply(h.Last<v1::Request>(), v1::LOCK_CONFLICT);
  EXPECT_EQ(h.CodeOf(call), v1::LOCK_CONFLICT);
}

}  // namespace
}  // namespace bramah::client

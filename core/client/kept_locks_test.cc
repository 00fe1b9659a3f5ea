// Locks that the library keeps when the application releases them [C-49].
#include <gtest/gtest.h>

#include "core/client/client_harness.h"

namespace bramah::client {
namespace {

ClientConfig Keeping() {
  ClientConfig config = DefaultConfig();
  config.cache_locks = true;
  return config;
}

class KeptLocks : public ::testing::Test {
 protected:
  void SetUp() override {
    h.OpenSession();
    handle = h.Lock();
    asked = h.Requests(v1::ACQUIRE).size();
  }
  void Wanted(HandleId which) {
    v1::KeepAliveReply reply = h.Kept();
    v1::SessionItem& item = *reply.add_items();
    item.set_number(++number);
    item.set_kind(v1::ITEM_LOCK_REQUESTED);
    item.set_handle(which.value());
    h.Deliver(reply);
  }
  size_t Releases() const { return h.Requests(v1::RELEASE).size(); }
  size_t Acquires() const { return h.Requests(v1::ACQUIRE).size() - asked; }

  Harness h{Keeping()};
  HandleId handle;
  uint64_t number = 0;
  size_t asked = 0;
};

TEST_F(KeptLocks, AReleaseIsAnsweredAndNothingIsBelievedAnyMore) {
  EXPECT_TRUE(h.Requests(v1::OPEN)[0].command().events() & v1::EVENT_LOCK_REQUESTED);
  EXPECT_EQ(h.CodeOf(h.Call(v1::RELEASE, handle)), v1::OK);
  EXPECT_FALSE(h.Believes(handle));
  EXPECT_EQ(Releases(), 0u);
  EXPECT_EQ(h.CodeOf(h.Call(v1::RELEASE, handle)), v1::LOCK_NOT_HELD);
  EXPECT_EQ(h.CodeOf(h.Call(v1::GET_SEQUENCER, handle)), v1::LOCK_NOT_HELD);
}

TEST_F(KeptLocks, TheNextAcquireIsGrantedWithTheSameTokenAndNoMessage) {
  h.Call(v1::RELEASE, handle);
  const CallId again = h.Acquire(handle);
  EXPECT_EQ(h.CodeOf(again), v1::OK);
  EXPECT_EQ(h.answers[again].lock_generation(), 50u);
  EXPECT_EQ(h.answers[again].seq(), h.Requests(v1::ACQUIRE)[0].command().seq()) << "by which the cell knows the hold";
  EXPECT_TRUE(h.Believes(handle));
  EXPECT_EQ(Acquires(), 0u);
}

// [C-43]
TEST_F(KeptLocks, IsGivenBackAsSoonAsSomebodyWantsIt) {
  h.Call(v1::RELEASE, handle);
  Wanted(handle);
  ASSERT_EQ(Releases(), 1u);
  EXPECT_EQ(h.Last<v1::Request>().command().acquire_seq(), h.Requests(v1::ACQUIRE)[0].command().seq());
  const CallId again = h.Acquire(handle);
  EXPECT_FALSE(h.Answered(again)) << "behind the Release";
  h.Reply(h.Last<v1::Request>(), v1::OK);
  EXPECT_EQ(Acquires(), 1u);
}

TEST_F(KeptLocks, WhatSomebodyWantsIsReleasedWhenTheApplicationReleasesIt) {
  Wanted(handle);
  EXPECT_EQ(Releases(), 0u) << "the application holds it still";
  const CallId release = h.Call(v1::RELEASE, handle);
  EXPECT_FALSE(h.Answered(release));
  EXPECT_EQ(Releases(), 1u);
}

// The event may overtake the answer to the very Acquire that it is about.
TEST_F(KeptLocks, AWishThatOvertakesTheGrantCounts) {
  h.Call(v1::RELEASE, handle);
  Wanted(handle);
  h.Reply(h.Last<v1::Request>(), v1::OK);
  h.Acquire(handle);
  const v1::Request acquire = h.Last<v1::Request>();
  Wanted(handle);
  h.Reply(acquire, v1::OK, 60);
  h.Call(v1::RELEASE, handle);
  EXPECT_EQ(Releases(), 2u);
}

TEST_F(KeptLocks, AreGivenBackAtAFailOverAndWhenEventsWereLost) {
  h.Call(v1::RELEASE, handle);
  h.epoch += 4;
  h.Deliver(h.Kept(0, 0, v1::WRONG_EPOCH));
  EXPECT_EQ(Releases(), 1u);

  const HandleId other = h.Lock("/g", 70);
  h.Call(v1::RELEASE, other);
  const size_t before = Releases();
  v1::KeepAliveReply reply = h.Kept();
  reply.add_items()->set_number(1);
  reply.mutable_items(0)->set_kind(v1::ITEM_EVENTS_LOST);
  h.Deliver(reply);
  EXPECT_EQ(Releases(), before + 1);
}

TEST_F(KeptLocks, AnotherModeIsAskedForAfterTheRelease) {
  h.Call(v1::RELEASE, handle);
  const CallId shared = h.Acquire(handle, v1::SHARED);
  ASSERT_EQ(Releases(), 1u);
  EXPECT_EQ(Acquires(), 0u);
  h.Reply(h.Last<v1::Request>(), v1::OK);
  ASSERT_EQ(Acquires(), 1u);
  h.Reply(h.Last<v1::Request>(), v1::OK, 60);
  EXPECT_EQ(h.answers[shared].lock_generation(), 60u);
}

TEST_F(KeptLocks, AReleaseBeforeAnotherAcquireOfTheHandleIsARealOne) {
  h.Call(v1::GET_STAT, handle);
  const v1::Request stat = h.Last<v1::Request>();
  const CallId release = h.Call(v1::RELEASE, handle);
  h.Acquire(handle, v1::SHARED);
  h.Reply(stat, v1::OK);
  EXPECT_EQ(Releases(), 1u);
  EXPECT_FALSE(h.Answered(release));
}

// It would take from the application what the Acquire is about to give it.
TEST_F(KeptLocks, AreNotGivenBackBehindAnAcquireThatWaitsItsTurn) {
  h.Call(v1::RELEASE, handle);
  h.Call(v1::GET_STAT, handle);
  const v1::Request stat = h.Last<v1::Request>();
  const CallId again = h.Acquire(handle);
  EXPECT_FALSE(h.Answered(again));
  Wanted(handle);
  h.Reply(stat, v1::OK);
  EXPECT_EQ(h.CodeOf(again), v1::OK);
  EXPECT_TRUE(h.Believes(handle));
  EXPECT_EQ(Releases(), 0u);
  h.Call(v1::RELEASE, handle);
  EXPECT_EQ(Releases(), 1u) << "somebody wanted it meanwhile";
}

TEST_F(KeptLocks, AnAcquireOfWhoHoldsAlreadyDoesNotForgetWhoWaits) {
  Wanted(handle);
  h.Acquire(handle);
  h.Reply(h.Last<v1::Request>(), v1::OK, 50);
  h.Call(v1::RELEASE, handle);
  EXPECT_EQ(Releases(), 1u);
}

TEST_F(KeptLocks, GoWithTheirHandleAndSession) {
  h.Call(v1::RELEASE, handle);
  EXPECT_EQ(h.Last<v1::Request>().command().kind(), v1::ACQUIRE);
  h.Call(v1::CLOSE, handle);
  EXPECT_EQ(h.Last<v1::Request>().command().kind(), v1::CLOSE);
  Wanted(handle);
  EXPECT_EQ(Releases(), 0u) << "the Close frees it";
}

TEST_F(KeptLocks, OneWithALockDelayIsNotKept) {
  v1::Command open;
  open.set_kind(v1::OPEN);
  open.set_path("/delayed");
  open.set_open_flags(v1::OPEN_WRITE | v1::OPEN_MAY_CREATE);
  open.set_lock_delay_ns(kSecond);
  const CallId call = h.Call(open);
  h.Reply(h.Last<v1::Request>(), v1::OK);
  const HandleId delayed(h.answers[call].handle());
  h.Acquire(delayed);
  h.Reply(h.Last<v1::Request>(), v1::OK, 60);
  h.Call(v1::RELEASE, delayed);
  EXPECT_EQ(Releases(), 1u);
}

TEST(KeptLocksOff, EveryReleaseIsSentUnlessTheClientWasToldToKeepLocks) {
  Harness h;
  h.OpenSession();
  const HandleId handle = h.Lock();
  EXPECT_FALSE(h.Answered(h.Call(v1::RELEASE, handle)));
  EXPECT_EQ(h.Requests(v1::RELEASE).size(), 1u);
}

}  // namespace
}  // namespace bramah::client

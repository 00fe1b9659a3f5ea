// Each way in which a library can tell an application the wrong thing, and the right one next to it.
#include "sim/check/event_checker.h"

#include <gtest/gtest.h>

#include <string>

namespace bramah::sim {
namespace {

const SessionId kSession(11);

class Events : public ::testing::Test {
 protected:
  void SetUp() override {
    Ask(v1::OPEN, 0, Open(1));
    Ask(v1::OPEN, 0, Open(2));
  }
  static v1::Outcome Open(uint64_t handle) {
    v1::Outcome outcome;
    outcome.set_handle(handle);
    outcome.set_instance(5);
    outcome.set_content_generation(1);
    return outcome;
  }
  static v1::Outcome Saw(uint64_t contents, uint64_t children = 0) {
    v1::Outcome outcome;
    outcome.set_content_generation(contents);
    outcome.set_children_changed(children);
    return outcome;
  }
  CallId Begin(v1::CommandKind kind, uint64_t handle) {
    v1::Command command;
    command.set_kind(kind);
    command.set_handle(handle);
    checker.Called(1, kSession, CallId(++calls), command);
    return CallId(calls);
  }
  void Ask(v1::CommandKind kind, uint64_t handle, const v1::Outcome& outcome) {
    checker.Answered(20, 1, Begin(kind, handle), outcome);
  }
  void Tell(CoreEvent::Kind kind, uint64_t handle, uint64_t number = 0) {
    CoreEvent event;
    event.kind = kind;
    event.session = kSession;
    event.handle = HandleId(handle);
    event.content_generation = number;
    event.generation = Position(number);
    event.epoch = Epoch(number);
    checker.AfterStep(10, 1, absl::MakeConstSpan(&event, 1));
  }
  testing::AssertionResult Reported(const std::string& part) const {
    if (!reporter.first().has_value()) return testing::AssertionFailure() << "nothing was reported";
    if (reporter.first()->checker == "event.order" && reporter.first()->message.find(part) != std::string::npos) {
      return testing::AssertionSuccess();
    }
    return testing::AssertionFailure() << reporter.first()->checker << ": " << reporter.first()->message;
  }

  Reporter reporter;
  EventChecker checker{true, &reporter};
  uint64_t calls = 0;
};

TEST_F(Events, RisingNumbersOfEachHandleAreInOrder) {
  for (const uint64_t number : {2, 3, 7}) {
    for (const CoreEvent::Kind kind : {CoreEvent::kContentsModified, CoreEvent::kChildrenChanged, CoreEvent::kLockAcquired}) {
      Tell(kind, 1, number);
      Tell(kind, 2, number);
    }
    Tell(CoreEvent::kLockRequested, 1);
    Tell(CoreEvent::kMasterFailedOver, 0, number);
  }
  Tell(CoreEvent::kHandleInvalid, 1);
  Tell(CoreEvent::kContentsModified, 2, 8);
  EXPECT_FALSE(reporter.failed());
}

TEST_F(Events, WhatOpenSaidAlready) {
  Tell(CoreEvent::kContentsModified, 1, 1);
  EXPECT_TRUE(Reported("not above 1"));
}

TEST_F(Events, SomethingOfAHandleThatWasClosed) {
  Begin(v1::CLOSE, 1);
  Tell(CoreEvent::kContentsModified, 2, 2);
  EXPECT_FALSE(reporter.failed());
  Tell(CoreEvent::kContentsModified, 1, 2);
  EXPECT_TRUE(Reported("closed"));
}

TEST_F(Events, TheSameContentsTwice) {
  Tell(CoreEvent::kContentsModified, 1, 2);
  Tell(CoreEvent::kContentsModified, 1, 2);
  EXPECT_TRUE(Reported("not above 2"));
}

TEST_F(Events, ChildrenThatGoBack) {
  Tell(CoreEvent::kChildrenChanged, 1, 9);
  Tell(CoreEvent::kChildrenChanged, 1, 8);
  EXPECT_TRUE(Reported("not above 9"));
}

// [EV-07]
TEST_F(Events, TheSameAcquisitionTwice) {
  Tell(CoreEvent::kLockAcquired, 1, 9);
  Tell(CoreEvent::kLockAcquired, 1, 9);
  EXPECT_TRUE(Reported("LockAcquired"));
}

TEST_F(Events, SomethingOfANodeThatIsGone) {
  Tell(CoreEvent::kHandleInvalid, 1);
  Tell(CoreEvent::kLockRequested, 1);
  EXPECT_TRUE(Reported("is gone"));
}

TEST_F(Events, AMasterTwice) {
  Tell(CoreEvent::kMasterFailedOver, 0, 4);
  Tell(CoreEvent::kMasterFailedOver, 0, 4);
  EXPECT_TRUE(Reported("epoch 4"));
}

TEST_F(Events, ReadsSeeWhatWasToldBeforeTheyBegan) {
  const CallId early = Begin(v1::GET_CONTENTS, 1);
  Tell(CoreEvent::kContentsModified, 1, 4);
  checker.Answered(20, 1, early, Saw(3));
  Ask(v1::GET_CONTENTS, 1, Saw(4));
  Ask(v1::GET_STAT, 2, Saw(5));
  v1::Outcome refused;
  refused.set_code(v1::STALE_HANDLE);
  Ask(v1::GET_STAT, 1, refused);
  EXPECT_FALSE(reporter.failed());
}

TEST_F(Events, AReadThroughAnyHandleOnTheNodeIsOlderThanWhatWasTold) {
  Tell(CoreEvent::kContentsModified, 1, 4);
  Ask(v1::GET_CONTENTS, 2, Saw(3));
  EXPECT_TRUE(Reported("read content generation 3"));
}

TEST_F(Events, AListIsOlderThanWhatWasTold) {
  Tell(CoreEvent::kChildrenChanged, 1, 90);
  Ask(v1::READ_DIR, 1, Saw(1, 90));
  EXPECT_FALSE(reporter.failed());
  Ask(v1::READ_DIR, 1, Saw(1, 89));
  EXPECT_TRUE(Reported("children as of 89"));
}

TEST_F(Events, ReadsProveNothingWhenClocksLie) {
  EventChecker lying(false, &reporter);
  v1::Command command;
  command.set_kind(v1::OPEN);
  lying.Called(1, kSession, CallId(1), command);
  lying.Answered(1, 1, CallId(1), Open(1));
  CoreEvent event;
  event.kind = CoreEvent::kContentsModified;
  event.session = kSession;
  event.handle = HandleId(1);
  event.content_generation = 4;
  lying.AfterStep(2, 1, absl::MakeConstSpan(&event, 1));
  command.set_kind(v1::GET_STAT);
  command.set_handle(1);
  lying.Called(1, kSession, CallId(2), command);
  lying.Answered(3, 1, CallId(2), Saw(3));
  EXPECT_FALSE(reporter.failed());
}

TEST_F(Events, AClientThatStoppedWasToldNothing) {
  Tell(CoreEvent::kContentsModified, 1, 4);
  checker.Stopped(1);
  Tell(CoreEvent::kContentsModified, 1, 3);
  EXPECT_FALSE(reporter.failed());
}

}  // namespace
}  // namespace bramah::sim

#include "sim/check/stale_checker.h"

#include <gtest/gtest.h>

#include <string>

namespace bramah::sim {
namespace {

class StaleCheck : public ::testing::Test {
 protected:
  void SetUp() override {
    v1::Command create;
    create.set_kind(v1::CREATE_SESSION);
    create.set_nonce_low(1);
    Apply(create);
    v1::Command open;
    open.set_kind(v1::OPEN);
    open.set_session(applied.outcome.session());
    open.set_seq(1);
    open.set_handle(1);
    open.set_path("/f");
    open.set_open_flags(v1::OPEN_WRITE | v1::OPEN_MAY_CREATE);
    open.set_contents("one");
    v1::Command covered = open;
    Touches touches;
    cell.TouchedBy(open, 0, touches);
    SetCovers(touches, covered);
    Apply(covered);
    ASSERT_EQ(applied.outcome.code(), v1::OK);
  }
  void Apply(const v1::Command& command) { cell.Apply(LogIndex(++index), 0, command, applied, probes); }
  v1::Command Question(const std::string& path) const {
    v1::Command question;
    question.set_kind(v1::GET_CONTENTS);
    question.set_path(path);
    question.set_stale(true);
    return question;
  }
  // A replica is asked and answers what its cell says; the answer is left in `reply` to be spoilt.
  v1::Reply& Answer(Effects& effects, const std::string& path, uint64_t at_least = 0) {
    v1::Request request;
    request.set_id(7);
    request.set_stale(true);
    request.set_applied_at_least(at_least);
    *request.mutable_command() = Question(path);
    checker.Arrived(request);
    v1::Reply& reply = effects.Send<v1::Reply>(ConnId(2));
    reply.set_id(7);
    reply.set_applied_index(index);
    cell.ReadPath("me", request.command(), *reply.mutable_outcome());
    return reply;
  }
  void AfterStep(const Effects& effects) { checker.AfterStep(1, ReplicaId(1), LogIndex(index), cell, effects); }
  // The client hears of it.
  void Hear(CallId call, const v1::Reply& reply, const std::string& path = "/f") {
    checker.Called(1, call, Question(path));
    v1::Outcome outcome = reply.outcome();
    outcome.set_applied_index(reply.applied_index());
    EXPECT_TRUE(checker.Answered(2, 1, call, outcome));
  }
  std::string Message() const { return reporter.first().has_value() ? reporter.first()->message : ""; }

  const cell::Limits limits = {};
  cell::Cell cell{&limits, 0};
  cell::Applied applied;
  Probes probes;
  uint64_t index = 0;
  Reporter reporter;
  StaleChecker checker{&reporter};
};

TEST_F(StaleCheck, WhatTheStateSays) {
  Effects effects;
  const v1::Reply reply = Answer(effects, "/f");
  EXPECT_EQ(reply.outcome().contents(), "one");
  AfterStep(effects);
  Hear(CallId(1), reply);
  Effects absent;
  const v1::Reply none = Answer(absent, "/none");
  AfterStep(absent);
  Hear(CallId(2), none, "/none");
  EXPECT_EQ(Message(), "");
}

TEST_F(StaleCheck, AnotherIndexThanThatOfTheState) {
  Effects effects;
  Answer(effects, "/f").set_applied_index(index + 1);
  AfterStep(effects);
  EXPECT_NE(Message().find("has applied"), std::string::npos) << Message();
}

TEST_F(StaleCheck, OtherContentsThanThoseOfTheState) {
  Effects effects;
  Answer(effects, "/f").mutable_outcome()->set_contents("two");
  AfterStep(effects);
  EXPECT_NE(Message().find("not what its state says"), std::string::npos) << Message();
}

TEST_F(StaleCheck, AStateBeforeTheOneThatWasAskedFor) {
  Effects effects;
  Answer(effects, "/f", index + 1);
  AfterStep(effects);
  EXPECT_NE(Message().find("which was asked for"), std::string::npos) << Message();
}

TEST_F(StaleCheck, AnAnswerThatMayBeKept) {
  Effects effects;
  Answer(effects, "/f").set_classes(v1::CACHE_DATA);
  AfterStep(effects);
  EXPECT_NE(Message().find("kept"), std::string::npos) << Message();
}

TEST_F(StaleCheck, AnAnswerThatNobodySent) {
  Effects effects;
  v1::Reply reply = Answer(effects, "/f");
  AfterStep(effects);
  reply.mutable_outcome()->set_contents("two");
  Hear(CallId(1), reply);
  EXPECT_NE(Message().find("no replica has sent"), std::string::npos) << Message();
}

TEST_F(StaleCheck, GoingBackFromOneReadToTheNext) {
  Effects before;
  const v1::Reply older = Answer(before, "/f");
  AfterStep(before);
  v1::Command epoch;
  epoch.set_kind(v1::NEW_EPOCH);
  Apply(epoch);
  Effects after;
  const v1::Reply newer = Answer(after, "/f");
  AfterStep(after);
  Hear(CallId(1), newer);
  EXPECT_EQ(Message(), "");
  Hear(CallId(2), older);
  EXPECT_NE(Message().find("after it had seen"), std::string::npos) << Message();
}

TEST_F(StaleCheck, GoingBackBehindAnOwnChange) {
  Effects effects;
  const v1::Reply reply = Answer(effects, "/f");
  AfterStep(effects);
  checker.Confirmed(1, LogIndex(index + 1));
  Hear(CallId(1), reply);
  EXPECT_NE(Message().find("after it had seen"), std::string::npos) << Message();
}

TEST_F(StaleCheck, ANewProcessHasSeenNothing) {
  Effects effects;
  const v1::Reply reply = Answer(effects, "/f");
  AfterStep(effects);
  checker.Confirmed(1, LogIndex(index + 1));
  checker.Stopped(1);
  Hear(CallId(1), reply);
  EXPECT_EQ(Message(), "");
}

}  // namespace
}  // namespace bramah::sim

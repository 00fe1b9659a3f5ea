#include "sim/check/cache_checker.h"

#include <gtest/gtest.h>

#include <string>

namespace bramah::sim {
namespace {

// A cell with a file /f, and a client that keeps what it was told of it.
class CacheCheck : public ::testing::Test {
 protected:
  CacheCheck() {
    Command(v1::CREATE_SESSION).set_nonce_low(1);
    Apply();
    session = applied.outcome.session();
    Open("/f");
    instance = Position(applied.outcome.instance());
    view.state = client::SessionState::kActive;
    view.lease_end = 100;
    view.cache = &cache;
  }

  v1::Command& Command(v1::CommandKind kind) {
    command.Clear();
    command.set_kind(kind);
    command.set_session(session);
    command.set_seq(index + 1);
    command.set_first_outstanding(1);
    return command;
  }
  void Apply() {
    Touches touches;
    cell.TouchedBy(command, 0, touches);
    SetCovers(touches, command);
    cell.Apply(LogIndex(++index), 0, command, applied, probes);
    ASSERT_EQ(applied.outcome.code(), v1::OK);
  }
  void Open(const std::string& path) {
    v1::Command& open = Command(v1::OPEN);
    open.set_handle(++handle);
    open.set_path(path);
    open.set_open_flags(v1::OPEN_WRITE | v1::OPEN_MAY_CREATE | v1::OPEN_CHANGE_ACL);
    Apply();
  }
  void Write() {
    v1::Command& write = Command(v1::SET_CONTENTS);
    write.set_handle(1);
    write.set_contents("new");
    Apply();
  }
  void Keep(v1::CommandKind kind) {
    v1::Command question;
    question.set_kind(kind);
    v1::Outcome outcome;
    cell.ReadNode(instance, question, outcome);
    outcome.set_handle(1);
    cache.Keep({CacheId(instance), v1::CACHE_DATA}, question, outcome);
    checker.AfterStep(1, 1, view);
  }
  // The answer to the Open of /f.
  void KeepOpen() {
    v1::Command question;
    question.set_kind(v1::OPEN);
    question.set_path("/f");
    cache.Keep({CacheId(instance), v1::CACHE_STAT}, question, applied.outcome);
    view.session = SessionId(session);
    checker.AfterStep(1, 1, view);
  }
  std::string LookAt(Time at) {
    checker.Look(at, cell);
    return reporter.first().has_value() ? reporter.first()->message : "";
  }

  cell::Limits limits;
  cell::Cell cell{&limits, 1};
  v1::Command command;
  cell::Applied applied;
  Probes probes;
  uint64_t index = 0;
  uint64_t handle = 0;
  uint64_t session = 0;
  Position instance;
  client::Cache cache;
  client::ClientView view;
  Reporter reporter;
  CacheChecker checker{{LocalClock()}, &reporter};
};

TEST_F(CacheCheck, WhatIsKeptAndTrueIsFine) {
  Keep(v1::GET_CONTENTS);
  EXPECT_EQ(LookAt(2), "");
  Open("/other");
  EXPECT_EQ(LookAt(3), "");
}

TEST_F(CacheCheck, AWriteUnderALiveCopyIsFound) {
  Keep(v1::GET_CONTENTS);
  EXPECT_EQ(LookAt(2), "");
  Write();
  EXPECT_NE(LookAt(3).find("c1 would still answer GET_CONTENTS"), std::string::npos) << LookAt(3);
  EXPECT_EQ(reporter.first()->checker, "cache.no_stale_read");
}

TEST_F(CacheCheck, AnOldAnswerThatIsKeptLateIsFound) {
  v1::Command question;
  question.set_kind(v1::GET_STAT);
  v1::Outcome old;
  cell.ReadNode(instance, question, old);
  Write();
  EXPECT_EQ(LookAt(2), "");
  cache.Keep({CacheId(instance), v1::CACHE_STAT}, question, old);
  checker.AfterStep(3, 1, view);
  EXPECT_NE(LookAt(3), "") << "nothing was applied since";
}

TEST_F(CacheCheck, AbsenceOfWhatExistsIsFound) {
  v1::Command open;
  open.set_kind(v1::OPEN);
  open.set_path("/g");
  v1::Outcome absent;
  absent.set_code(v1::NOT_FOUND);
  cache.Keep({AbsenceId("/g"), v1::CACHE_ABSENCE}, open, absent);
  checker.AfterStep(1, 1, view);
  EXPECT_EQ(LookAt(2), "");
  Open("/g");
  EXPECT_NE(LookAt(3).find("there is no /g"), std::string::npos);
}

//
TEST_F(CacheCheck, AnOpenOfANodeThatIsGoneIsFound) {
  KeepOpen();
  EXPECT_EQ(LookAt(2), "");
  Command(v1::DELETE).set_handle(1);
  Apply();
  EXPECT_NE(LookAt(3).find("which is gone"), std::string::npos) << LookAt(3);
}

TEST_F(CacheCheck, AnOpenWhoseRightsWereTakenAwayIsFound) {
  KeepOpen();
  EXPECT_EQ(LookAt(2), "");
  Command(v1::SET_ACL).set_handle(1);
  command.set_acl_write("nobody");
  Apply();
  EXPECT_NE(LookAt(3), "");
  EXPECT_EQ(reporter.first()->checker, "acl.enforced");
}

TEST_F(CacheCheck, AnOpenThatSaysWhatTheContentsWereIsFound) {
  KeepOpen();
  EXPECT_EQ(LookAt(2), "");
  Write();
  EXPECT_NE(LookAt(3).find("would still answer an OPEN of /f"), std::string::npos) << LookAt(3);
}

TEST_F(CacheCheck, WhoseLeaseIsOverBelievesNothing) {
  Keep(v1::GET_CONTENTS);
  LookAt(2);
  Write();
  EXPECT_EQ(LookAt(100), "");
}

TEST_F(CacheCheck, AClientThatDiedBelievesNothing) {
  Keep(v1::GET_CONTENTS);
  LookAt(2);
  checker.Stopped(1);
  Write();
  EXPECT_EQ(LookAt(3), "");
}

class WaitCheck : public ::testing::Test {
 protected:
  bool Failed(Time at, Time since) {
    view.lease_max = 10;
    view.held_since = since;
    checker.AfterStep(at, ReplicaId(1), view);
    return reporter.failed();
  }
  replica::ServerView view;
  Reporter reporter;
  WriteWaitChecker checker{{LocalClock()}, &reporter};
};

TEST_F(WaitCheck, ALeaseIsNotTooLong) {
  for (Time at = 5; at <= 16; ++at) EXPECT_FALSE(Failed(at, 5));
}

TEST_F(WaitCheck, AProcessThatWasPausedHasOneInstantToNotice) {
  EXPECT_FALSE(Failed(40, 5));
  EXPECT_FALSE(Failed(40, 5));
  EXPECT_FALSE(Failed(41, 35)) << "another write";
}

TEST_F(WaitCheck, LongerThanALeaseIsReported) {
  EXPECT_FALSE(Failed(17, 5));
  EXPECT_TRUE(Failed(18, 5));
  EXPECT_EQ(reporter.first()->checker, "cache.write_wait");
}

}  // namespace
}  // namespace bramah::sim

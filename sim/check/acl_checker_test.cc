#include "sim/check/acl_checker.h"

#include <gtest/gtest.h>

#include <string>

namespace bramah::sim {
namespace {

class AclCheck : public ::testing::Test {
 protected:
  cell::AccessView Access(bool read, bool write, bool change) {
    cell::AccessView access;
    access.path = "/f";
    access.principal = "bar";
    access.handle.readable = read;
    access.handle.writable = write;
    access.handle.changes_acl = change;
    access.read = {"everyone", std::nullopt};
    access.write = {"foo", "baz\nbar qux"};
    access.change = {"nobody", "bar"};
    return access;
  }
  std::string Message() const { return reporter.first().has_value() ? reporter.first()->message : ""; }

  Reporter reporter;
  AclChecker checker{&reporter};
};

TEST_F(AclCheck, RightsThatTheAclsGive) {
  checker.CheckAccess(1, Access(true, true, false));
  checker.CheckAccess(1, Access(false, false, false));
  EXPECT_EQ(Message(), "");
}

TEST_F(AclCheck, NobodyIsNobodyWhateverAFileSays) {
  checker.CheckAccess(1, Access(false, false, true));
  EXPECT_NE(Message().find("change the ACLs of /f"), std::string::npos) << Message();
}

TEST_F(AclCheck, AListWithoutTheName) {
  cell::AccessView access = Access(false, true, false);
  access.write.contents = "barn ba";
  checker.CheckAccess(1, access);
  EXPECT_NE(Message().find("bar may write /f"), std::string::npos) << Message();
}

TEST_F(AclCheck, AListThatDoesNotExist) {
  cell::AccessView access = Access(true, false, false);
  access.read = {"gone", std::nullopt};
  checker.CheckAccess(1, access);
  EXPECT_NE(Message().find("bar may read /f"), std::string::npos) << Message();
}

// What a later entry of the same step changed is not held against an Open.
TEST_F(AclCheck, OnlyTheStateOfTheOpenCounts) {
  const cell::Limits limits;
  cell::Cell cell(&limits, 0);
  cell::Applied applied;
  Probes probes;
  uint64_t index = 0;
  const auto apply = [&](v1::Command command) {
    Touches touches;
    cell.TouchedBy(command, 1, touches);
    SetCovers(touches, command);
    cell.Apply(LogIndex(++index), 1, command, applied, probes);
    EXPECT_EQ(applied.outcome.code(), v1::OK);
    CoreEvent event;
    event.command = command.kind();
    event.effect = true;
    event.session = SessionId(command.session());
    event.handle = HandleId(command.handle());
    checker.Applied(event);
  };
  v1::Command command;
  command.set_kind(v1::CREATE_SESSION);
  command.set_nonce_low(1);
  apply(command);
  const uint64_t session = applied.outcome.session();
  command.Clear();
  command.set_kind(v1::OPEN);
  command.set_session(session);
  command.set_seq(1);
  command.set_handle(1);
  command.set_path("/f");
  command.set_open_flags(v1::OPEN_WRITE | v1::OPEN_MAY_CREATE | v1::OPEN_CHANGE_ACL);
  apply(command);
  v1::Command set;
  set.set_kind(v1::SET_ACL);
  set.set_session(session);
  set.set_seq(2);
  set.set_handle(1);
  set.set_acl_write("nobody");
  apply(set);
  checker.AfterStep(1, cell);
  EXPECT_EQ(Message(), "");
  CoreEvent again;
  again.command = v1::OPEN;
  again.effect = true;
  again.session = SessionId(session);
  again.handle = HandleId(1);
  checker.Applied(again);  // as if it had been opened only now
  checker.AfterStep(2, cell);
  EXPECT_NE(Message().find("may write /f"), std::string::npos) << Message();
}

}  // namespace
}  // namespace bramah::sim

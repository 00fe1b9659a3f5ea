// Reads that any replica answers from what it has applied.
#include <gtest/gtest.h>

#include <string>

#include "core/replica/lone_server.h"

namespace bramah::replica {
namespace {

v1::Request Stale(const std::string& path, uint64_t at_least = 0, v1::CommandKind kind = v1::GET_CONTENTS) {
  v1::Request request;
  request.set_id(1);
  request.set_stale(true);
  request.set_applied_at_least(at_least);
  request.mutable_command()->set_kind(kind);
  request.mutable_command()->set_path(path);
  return request;
}

class StaleRead : public testing::Test {
 protected:
  // Makes "/f".
  void SetUp() override {
    v1::Command open;
    open.set_kind(v1::OPEN);
    open.set_session(server_.Create(conn_, 1));
    open.set_seq(1);
    open.set_handle(1);
    open.set_path("/f");
    open.set_open_flags(v1::OPEN_WRITE | v1::OPEN_MAY_CREATE);
    open.set_contents("hello");
    written_ = server_.Call(conn_, open);
    ASSERT_EQ(written_.outcome().code(), v1::OK);
  }
  v1::Reply Ask(const v1::Request& request) { return server_.Ask(server_.Connect(), request); }
  v1::Code CodeOf(const v1::Request& request) { return Ask(request).outcome().code(); }

  LoneServer server_;
  ConnId conn_ = server_.Connect();
  v1::Reply written_;
};

TEST_F(StaleRead, NeedsNoSessionAndSaysOfWhichEntryItIs) {
  const v1::Reply reply = Ask(Stale("/f"));
  EXPECT_EQ(reply.outcome().code(), v1::OK);
  EXPECT_EQ(reply.outcome().contents(), "hello");
  EXPECT_EQ(reply.applied_index(), server_.view().applied.value());
  EXPECT_EQ(reply.classes(), 0u) << "nobody would be told when it becomes wrong";
  EXPECT_EQ(Ask(Stale("/f", 0, v1::GET_STAT)).outcome().content_length(), 5u);
  EXPECT_EQ(Ask(Stale("/", 0, v1::READ_DIR)).outcome().children_size(), 1);
}

TEST_F(StaleRead, OfAStateBeforeWhatTheReaderHasSeenIsRefused) {
  ASSERT_GT(written_.applied_index(), 0u);
  EXPECT_EQ(CodeOf(Stale("/f", written_.applied_index())), v1::OK);
  const uint64_t applied = server_.view().applied.value();
  EXPECT_EQ(CodeOf(Stale("/f", applied)), v1::OK);
  const v1::Reply reply = Ask(Stale("/f", applied + 1));
  EXPECT_EQ(reply.outcome().code(), v1::UNAVAILABLE);
  EXPECT_TRUE(reply.outcome().contents().empty());
  EXPECT_EQ(reply.located().master(), 1u);
}

TEST_F(StaleRead, RefusalsAreThoseOfARead) {
  EXPECT_EQ(CodeOf(Stale("/none")), v1::NOT_FOUND);
  EXPECT_EQ(CodeOf(Stale("f")), v1::BAD_NAME);
  EXPECT_EQ(CodeOf(Stale("/")), v1::IS_A_DIRECTORY);
  EXPECT_EQ(CodeOf(Stale("/f", 0, v1::READ_DIR)), v1::NOT_A_DIRECTORY);
}

TEST_F(StaleRead, AclsHoldForItToo) {
  v1::Command open;
  open.set_kind(v1::OPEN);
  open.set_session(server_.Create(conn_, 2));
  open.set_seq(1);
  open.set_handle(1);
  open.set_path("/secret");
  open.set_open_flags(v1::OPEN_WRITE | v1::OPEN_MAY_CREATE);
  open.set_acl_read("nobody");
  ASSERT_EQ(server_.Call(conn_, open).outcome().code(), v1::OK);
  EXPECT_EQ(CodeOf(Stale("/secret")), v1::PERMISSION_DENIED);
}

TEST_F(StaleRead, OtherCommandsAreMalformed) {
  for (const v1::CommandKind kind : {v1::NONE, v1::CHECK_SEQUENCER, v1::GET_SEQUENCER, v1::OPEN, v1::SET_CONTENTS, v1::DELETE,
                                     v1::EXPIRE_SESSION}) {
    EXPECT_EQ(CodeOf(Stale("/f", 0, kind)), v1::MALFORMED) << kind;
  }
}

TEST(StaleReadAlone, ThereIsNothingToShowBeforeTheFirstEntry) {
  LoneServer follower(3);
  const v1::Reply reply = follower.Ask(follower.Connect(), Stale("/"));
  EXPECT_EQ(reply.outcome().code(), v1::UNAVAILABLE);
}

}  // namespace
}  // namespace bramah::replica

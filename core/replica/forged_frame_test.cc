// A forged or replayed frame of a client changes nothing: neither the state nor what the master knows of the session.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/cell/cell.h"
#include "core/replica/lone_server.h"

namespace bramah::replica {
namespace {

constexpr uint64_t kNonce = 77;

v1::Command CommandOf(v1::CommandKind kind, uint64_t session, uint64_t seq, uint64_t handle = 0) {
  v1::Command command;
  command.set_kind(kind);
  command.set_session(session);
  command.set_seq(seq);
  command.set_first_outstanding(1);
  command.set_handle(handle);
  return command;
}

// What its owner's second connection says.
v1::Hello HelloOf(uint64_t session, uint64_t number, uint64_t nonce) {
  v1::Hello hello;
  hello.set_principal("me");
  hello.set_session(session);
  hello.set_connection_number(number);
  hello.set_nonce_high(nonce);
  hello.set_nonce_low(~nonce);
  return hello;
}

// A session with an open file, and somebody who would act for it.
class ForgedFrame : public testing::Test {
 protected:
  ForgedFrame() {
    v1::Command open = CommandOf(v1::OPEN, session_, 1, 1);
    open.set_path("/f");
    open.set_open_flags(v1::OPEN_MAY_CREATE | v1::OPEN_READ | v1::OPEN_WRITE);
    EXPECT_EQ(server_.Call(owner_, open).outcome().code(), v1::OK);
    server_.KeepAlive(owner_, session_, 1);
    server_.Take<v1::KeepAliveReply>(owner_);
  }

  // Every kind of frame that names the session.
  void SendAll(ConnId conn) {
    for (int kind = v1::CommandKind_MIN; kind <= v1::CommandKind_MAX; ++kind) {
      if (!v1::CommandKind_IsValid(kind)) continue;
      v1::Request request;
      request.set_epoch(server_.view().epoch.value());
      request.set_id(1);
      *request.mutable_command() = CommandOf(static_cast<v1::CommandKind>(kind), session_, 2, 1);
      request.mutable_command()->set_path("/g");
      request.mutable_command()->set_contents("forged");
      server_.Send(conn, request);
    }
    v1::KeepAlive keep;
    keep.set_session(session_);
    keep.set_epoch(server_.view().epoch.value());
    keep.set_nonce(UINT64_MAX);
    keep.set_acknowledged(UINT64_MAX);
    server_.Send(conn, keep);
  }
  void ExpectNothingCameOf(ConnId conn) {
    const uint64_t digest = server_.view().cell->digest();
    const LogIndex applied = server_.view().applied;
    SendAll(conn);
    EXPECT_EQ(server_.view().cell->digest(), digest);
    EXPECT_EQ(server_.view().applied, applied);
    EXPECT_TRUE(server_.Take<v1::Reply>(conn).empty());
    EXPECT_TRUE(server_.Take<v1::KeepAliveReply>(conn).empty());
    // The owner's stream is still the newest, and its next KeepAlive no old one.
    server_.KeepAlive(owner_, session_, 2);
    server_.Run(kTestLease);
    EXPECT_EQ(server_.Take<v1::KeepAliveReply>(owner_).size(), 1u);
    EXPECT_EQ(server_.Call(owner_, CommandOf(v1::CLOSE, session_, 2, 1)).outcome().code(), v1::OK);
  }

  LoneServer server_;
  ConnId owner_ = server_.Connect();
  uint64_t session_ = server_.Create(owner_, kNonce);
};

TEST_F(ForgedFrame, OfSomebodyWhoGuessedTheNumberOfTheSession) {
  ExpectNothingCameOf(server_.Connect(HelloOf(session_, 1'000, /*nonce=*/0)));
}

TEST_F(ForgedFrame, OfSomebodyWhoHasASessionOfHisOwn) {
  const ConnId other = server_.Connect(HelloOf(0, 1'000, kNonce + 1));
  ASSERT_NE(server_.Create(other, kNonce + 1), 0u);
  ExpectNothingCameOf(other);
}

TEST_F(ForgedFrame, ThatWasRecordedWithItsGreetingAndComesAgain) {
  ExpectNothingCameOf(server_.Connect(HelloOf(session_, 1, kNonce)));
}

TEST_F(ForgedFrame, ButTheOwnersNextConnectionIsBelieved) {
  const ConnId next = server_.Connect(HelloOf(session_, 2, kNonce));
  EXPECT_EQ(server_.Call(next, CommandOf(v1::CLOSE, session_, 2, 1)).outcome().code(), v1::OK);
  const LogIndex applied = server_.view().applied;
  SendAll(owner_);  // frames of the first that were on their way
  EXPECT_EQ(server_.view().applied, applied);
}

}  // namespace
}  // namespace bramah::replica

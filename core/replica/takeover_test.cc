// A client that starts again takes over the session of its former life.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/replica/lone_server.h"

namespace bramah::replica {
namespace {

v1::Command Open(uint64_t session, Duration lock_delay = 0) {
  v1::Command open;
  open.set_kind(v1::OPEN);
  open.set_session(session);
  open.set_seq(1);
  open.set_handle(1);
  open.set_path("/f");
  open.set_open_flags(v1::OPEN_WRITE | v1::OPEN_MAY_CREATE);
  open.set_lock_delay_ns(lock_delay);
  return open;
}

class Takeover : public testing::Test {
 protected:
  void SetUp() override {
    former_ = server_.Create(conn_, 1);
    ASSERT_NE(former_, 0u);
  }
  // Names the former session as its creator would.
  v1::CreateSession Naming(uint64_t nonce, bool is_gone) const {
    v1::CreateSession create = LoneServer::CreateOf(nonce);
    create.set_takes_over(former_);
    create.set_former_high(LoneServer::CreateOf(1).nonce_high());
    create.set_former_low(LoneServer::CreateOf(1).nonce_low());
    create.set_former_is_gone(is_gone);
    return create;
  }
  // Opens "/f" and tries to lock it.
  v1::Outcome Lock(ConnId conn, uint64_t session, Duration lock_delay = 0) {
    const v1::Reply opened = server_.Call(conn, Open(session, lock_delay));
    EXPECT_EQ(opened.outcome().code(), v1::OK);
    v1::Command acquire;
    acquire.set_kind(v1::ACQUIRE);
    acquire.set_session(session);
    acquire.set_seq(2);
    acquire.set_handle(1);
    acquire.set_check_digits(opened.outcome().check_digits());
    acquire.set_mode(v1::EXCLUSIVE);
    acquire.set_try_only(true);
    return server_.Call(conn, acquire).outcome();
  }
  bool Lives(uint64_t session) const { return server_.view().cell->HasSession(SessionId(session)); }
  std::vector<CoreEvent> Ends() const {
    std::vector<CoreEvent> ends;
    for (const CoreEvent& event : server_.events()) {
      if (event.kind == CoreEvent::kApplied && event.command == v1::EXPIRE_SESSION) ends.push_back(event);
    }
    return ends;
  }

  LoneServer server_;
  ConnId conn_ = server_.Connect();   // of the former life
  ConnId later_ = server_.Connect();  // of the next one
  uint64_t former_ = 0;
};

TEST_F(Takeover, OfAProcessThatIsGoneFreesItsLocksAtOnce) {
  ASSERT_EQ(Lock(conn_, former_).code(), v1::OK);
  const v1::CreateSessionReply reply = server_.Create(later_, Naming(2, true));
  EXPECT_EQ(reply.code(), v1::OK);
  EXPECT_FALSE(Lives(former_));
  EXPECT_TRUE(Lives(reply.session()));
  EXPECT_EQ(Lock(later_, reply.session()).code(), v1::OK);
  EXPECT_TRUE(server_.Reached(ProbeId::kSessionTakenOver));
}

TEST_F(Takeover, TheFormerSessionHasEndedBeforeTheNewOneBegins) {
  const uint64_t session = server_.Create(later_, Naming(2, true)).session();
  ASSERT_EQ(Ends().size(), 1u);
  EXPECT_EQ(Ends()[0].session, SessionId(former_));
  EXPECT_EQ(Ends()[0].reason, static_cast<uint32_t>(v1::END_TAKEN_OVER));
  for (const CoreEvent& event : server_.events()) {
    const bool creation = event.kind == CoreEvent::kApplied && event.command == v1::CREATE_SESSION;
    if (creation && event.session == SessionId(session)) {
      EXPECT_GT(event.index, Ends()[0].index);
    }
  }
}

TEST_F(Takeover, ItsLocksCountAsLost) {
  ASSERT_EQ(Lock(conn_, former_, 5 * kSecond).code(), v1::OK);
  const uint64_t session = server_.Create(later_, Naming(2, true)).session();
  EXPECT_EQ(Lock(later_, session).code(), v1::LOCK_DELAYED);
}

TEST_F(Takeover, WithoutProofTheFormerLeaseIsWaitedFor) {
  ASSERT_EQ(Lock(conn_, former_).code(), v1::OK);
  const Time asked = server_.now();
  EXPECT_EQ(server_.Create(later_, Naming(2, false)).session(), 0u);
  server_.Run(kTestLease - kSecond);
  EXPECT_TRUE(Lives(former_));
  EXPECT_TRUE(server_.Take<v1::CreateSessionReply>(later_).empty());
  server_.RunUntil([&] { return !Lives(former_); });
  EXPECT_LE(server_.now(), asked + kTestLease + kMillisecond);
  const auto replies = server_.Take<v1::CreateSessionReply>(later_);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].code(), v1::OK);
  EXPECT_GE(replies[0].hold_ns(), kTestLease - kMillisecond) << "the client counts its lease from when it asked";
  EXPECT_EQ(Lock(later_, replies[0].session()).code(), v1::OK);
}

TEST_F(Takeover, AClosingSessionIsNeitherExtendedNorServed) {
  server_.KeepAlive(conn_, former_, 1);
  server_.Take<v1::KeepAliveReply>(conn_);
  server_.KeepAlive(conn_, former_, 2);  // held
  server_.Create(later_, Naming(2, false));
  server_.Run(kMillisecond);
  for (uint64_t nonce = 3; nonce < 6; ++nonce) {
    const auto replies = server_.Take<v1::KeepAliveReply>(conn_);
    ASSERT_EQ(replies.size(), 1u);
    EXPECT_EQ(replies[0].code(), v1::SESSION_CLOSING);
    EXPECT_EQ(replies[0].reason(), static_cast<uint32_t>(v1::END_TAKEN_OVER));
    server_.KeepAlive(conn_, former_, nonce);
  }
  EXPECT_EQ(server_.Call(conn_, Open(former_)).outcome().code(), v1::SESSION_CLOSING);
  server_.Run(kTestLease);
  EXPECT_FALSE(Lives(former_));
}

TEST_F(Takeover, WhoLivesIsToldWhyItsSessionEnded) {
  server_.Create(later_, Naming(2, true));
  server_.KeepAlive(conn_, former_, 1);
  const auto replies = server_.Take<v1::KeepAliveReply>(conn_);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].code(), v1::SESSION_EXPIRED);
  EXPECT_EQ(replies[0].reason(), static_cast<uint32_t>(v1::END_TAKEN_OVER));
}

TEST_F(Takeover, NeedsTheNonceAndThePrincipal) {
  v1::CreateSession high = Naming(2, true);
  high.set_former_high(high.former_high() + 1);
  EXPECT_EQ(server_.Create(later_, high).code(), v1::TAKEOVER_REFUSED);
  v1::CreateSession low = Naming(3, true);
  low.set_former_low(0);
  EXPECT_EQ(server_.Create(later_, low).code(), v1::TAKEOVER_REFUSED);
  EXPECT_EQ(server_.Create(server_.Connect("you"), Naming(4, true)).code(), v1::TAKEOVER_REFUSED);
  server_.Run(kSecond);
  EXPECT_TRUE(Lives(former_));
  EXPECT_EQ(server_.view().cell->session_count(), 1u);
  server_.KeepAlive(conn_, former_, 1);
  EXPECT_EQ(server_.Take<v1::KeepAliveReply>(conn_).at(0).code(), v1::OK);
}

TEST_F(Takeover, OfItselfIsRefused) {
  EXPECT_EQ(server_.Create(conn_, Naming(1, true)).code(), v1::TAKEOVER_REFUSED);
  EXPECT_TRUE(Lives(former_));
}

TEST_F(Takeover, OfWhatIsGoneIsAnOrdinaryCreation) {
  v1::CreateSession create = Naming(2, true);
  create.set_takes_over(former_ + 1'000);
  EXPECT_EQ(server_.Create(later_, create).code(), v1::OK);
  EXPECT_TRUE(Lives(former_));
}

TEST_F(Takeover, ACopyIsTheSameSession) {
  const uint64_t session = server_.Create(later_, Naming(2, true)).session();
  EXPECT_EQ(server_.Create(later_, Naming(2, true)).session(), session);
  EXPECT_EQ(server_.view().cell->session_count(), 1u);
}

TEST_F(Takeover, ACopyWhileItWaitsIsAnsweredOnceAndWhereItCameFromLast) {
  server_.Create(later_, Naming(2, false));
  server_.Run(kSecond);
  const ConnId again = server_.Connect();
  server_.Create(again, Naming(2, false));
  server_.RunUntil([&] { return !Lives(former_); });
  EXPECT_TRUE(server_.Take<v1::CreateSessionReply>(later_).empty());
  const auto replies = server_.Take<v1::CreateSessionReply>(again);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_GE(replies[0].hold_ns(), kTestLease - kMillisecond) << "counted from the first copy";
}

TEST_F(Takeover, ProofThatComesLaterEndsTheWait) {
  server_.Create(later_, Naming(2, false));
  server_.Run(kSecond);
  EXPECT_TRUE(Lives(former_));
  EXPECT_EQ(server_.Create(later_, Naming(2, true)).code(), v1::OK);
  EXPECT_FALSE(Lives(former_));
  EXPECT_EQ(Ends().size(), 1u);
}

// The former session keeps what it reads; whoever changes that need not wait for it any more.
TEST_F(Takeover, WhatTheFormerLifeKeptStandsInNobodysWay) {
  v1::CreateSession create = LoneServer::CreateOf(5);
  create.set_caches(true);
  const ConnId reader = server_.Connect();
  former_ = server_.Create(reader, create).session();
  v1::Command open = Open(former_);
  const v1::Reply opened = server_.Call(reader, open);
  v1::Command read;
  read.set_kind(v1::GET_CONTENTS);
  read.set_session(former_);
  read.set_handle(1);
  read.set_check_digits(opened.outcome().check_digits());
  ASSERT_NE(server_.Call(reader, read).classes(), 0u);

  const uint64_t writer = server_.Create(later_, 6);
  v1::Command set = Open(writer);
  const uint64_t digits = server_.Call(later_, set).outcome().check_digits();
  set.Clear();
  set.set_kind(v1::SET_CONTENTS);
  set.set_session(writer);
  set.set_seq(2);
  set.set_handle(1);
  set.set_check_digits(digits);
  set.set_contents("new");
  v1::Request request;
  request.set_epoch(server_.view().epoch.value());
  request.set_id(99);
  *request.mutable_command() = set;
  server_.Send(later_, request);
  EXPECT_TRUE(server_.Take<v1::Reply>(later_).empty()) << "it waits for the reader";

  v1::CreateSession next = LoneServer::CreateOf(7);
  next.set_takes_over(former_);
  next.set_former_high(create.nonce_high());
  next.set_former_low(create.nonce_low());
  next.set_former_is_gone(true);
  EXPECT_EQ(server_.Create(reader, next).code(), v1::OK);
  const auto replies = server_.Take<v1::Reply>(later_);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].outcome().code(), v1::OK);
}

}  // namespace
}  // namespace bramah::replica

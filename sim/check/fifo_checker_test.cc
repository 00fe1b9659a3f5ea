// lock.fifo, with broken queues that trip it. Sessions and handles are real, so that the checker can ask what they are about; who
// holds is the test's to say.
#include "sim/check/fifo_checker.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/api/cache.h"

namespace bramah::sim {
namespace {

using cell::LockView;

class FifoCheckerTest : public testing::Test {
 protected:
  FifoCheckerTest() : limits_(), cell_(&limits_, 0) {
    for (uint64_t session = 1; session <= 4; ++session) {
      v1::Command create;
      create.set_kind(v1::CREATE_SESSION);
      create.set_nonce_low(session);
      Do(create);
    }
    for (uint64_t session = 1; session <= 4; ++session) Do(Of(v1::OPEN, session));
    instance_ = Position(applied_.outcome.instance());
  }
  static v1::Command Of(v1::CommandKind kind, uint64_t session) {
    v1::Command command;
    command.set_kind(kind);
    command.set_session(session);
    command.set_seq(kind == v1::OPEN ? 1 : 2);
    command.set_handle(1);
    if (kind != v1::OPEN) return command;
    command.set_path("/a");
    command.set_open_flags(v1::OPEN_WRITE | v1::OPEN_MAY_CREATE);
    return command;
  }
  void Do(v1::Command command) {
    Touches touches;
    cell_.TouchedBy(command, 1, touches);
    SetCovers(touches, command);
    cell_.Apply(LogIndex(++index_), 1, command, applied_, probes_);
    EXPECT_EQ(applied_.outcome.code(), v1::OK);
  }
  // An entry that the cell need not know of.
  void Tell(v1::CommandKind kind, uint64_t session, v1::Code code = v1::OK, bool effect = true, uint64_t seq = 2) {
    CoreEvent event;
    event.command = kind;
    event.index = LogIndex(++index_);
    event.session = SessionId(session);
    event.handle = HandleId(1);
    event.seq = RequestSeq(seq);
    event.code = code;
    event.effect = effect;
    checker_.Applied(event);
  }
  void Queued(uint64_t session) { Tell(v1::ACQUIRE, session, v1::QUEUED); }
  // These sessions hold now.
  void Look(const std::vector<uint64_t>& sessions, uint64_t seq = 2) {
    LockView lock;
    lock.path = "/a";
    lock.instance = instance_;
    for (const uint64_t session : sessions) lock.holders.push_back({SessionId(session), HandleId(1), RequestSeq(seq)});
    checker_.Look(1, cell_, {lock});
  }
  std::string Fired() const { return reporter_.failed() ? reporter_.first()->checker : ""; }

  Reporter reporter_;
  FifoChecker checker_{&reporter_};
  cell::Limits limits_;
  cell::Cell cell_;
  cell::Applied applied_;
  Probes probes_;
  uint64_t index_ = 0;
  Position instance_;
};

TEST_F(FifoCheckerTest, PermitsThatAreGrantedTogetherMayBeSeenInAnyOrder) {
  Queued(1);
  Queued(2);
  std::vector<LockView> permits(2);
  for (uint32_t permit = 0; permit < 2; ++permit) {
    permits[permit].path = "/a";
    permits[permit].instance = instance_;
    permits[permit].permit = permit;
    permits[permit].holders.push_back({SessionId(2 - permit), HandleId(1), RequestSeq(2)});
  }
  checker_.Look(1, cell_, permits);
  EXPECT_EQ(Fired(), "");
}

TEST_F(FifoCheckerTest, APermitThatALaterOneGotIsNoticed) {
  Queued(1);
  Queued(2);
  LockView permit;
  permit.path = "/a";
  permit.instance = instance_;
  permit.permit = 1;
  permit.holders.push_back({SessionId(2), HandleId(1), RequestSeq(2)});
  checker_.Look(1, cell_, {permit});
  EXPECT_EQ(Fired(), "lock.fifo");
}

TEST_F(FifoCheckerTest, AcceptsOneAfterTheOther) {
  Tell(v1::ACQUIRE, 1);
  Look({1});
  Queued(2);
  Queued(3);
  Look({1});
  Tell(v1::RELEASE, 1);
  Look({2});
  Tell(v1::CLOSE, 2);
  Look({3});
  EXPECT_EQ(Fired(), "");
}

TEST_F(FifoCheckerTest, AcceptsConsecutiveSharedOnesTogether) {
  Tell(v1::ACQUIRE, 1);
  Queued(2);
  Queued(3);
  Queued(4);
  Look({1});
  Tell(v1::RELEASE, 1);
  Look({2, 3});
  EXPECT_EQ(Fired(), "");
}

TEST_F(FifoCheckerTest, AcceptsThatAWaiterGivesUpOrEnds) {
  Tell(v1::ACQUIRE, 1);
  Queued(2);
  Queued(3);
  Look({1});
  Tell(v1::RELEASE, 2);
  Tell(v1::EXPIRE_SESSION, 3);
  Tell(v1::RELEASE, 1);
  Tell(v1::ACQUIRE, 4);
  Look({4});
  EXPECT_EQ(Fired(), "");
}

TEST_F(FifoCheckerTest, AcceptsThatWaitersGoWithTheirNode) {
  Tell(v1::ACQUIRE, 1);
  Queued(2);
  Look({1});
  Do(Of(v1::DELETE, 3));
  Tell(v1::DELETE, 3);
  Tell(v1::ACQUIRE, 4);
  Look({4});
  EXPECT_EQ(Fired(), "");
}

TEST_F(FifoCheckerTest, ASharedOnePassesAWaitingExclusive) {
  Tell(v1::ACQUIRE, 1);
  Queued(2);
  Look({1});
  Tell(v1::ACQUIRE, 3);
  Look({1, 3});
  EXPECT_EQ(Fired(), "lock.fifo");
}

TEST_F(FifoCheckerTest, WaitersAreGrantedInAnotherOrder) {
  Tell(v1::ACQUIRE, 1);
  Queued(2);
  Queued(3);
  Look({1});
  Tell(v1::RELEASE, 1);
  Look({3});
  EXPECT_EQ(Fired(), "lock.fifo");
}

TEST_F(FifoCheckerTest, SomebodyPassesWhoWaitsForADelayOnly) {
  Queued(2);
  Look({});
  Tell(v1::ACQUIRE, 3);
  Look({3});
  EXPECT_EQ(Fired(), "lock.fifo");
}

TEST_F(FifoCheckerTest, AWaiterIsForgotten) {
  Tell(v1::ACQUIRE, 1);
  Queued(2);
  Look({1});
  Tell(v1::RELEASE, 1);
  Look({});
  Tell(v1::ACQUIRE, 3);
  Look({3});
  EXPECT_EQ(Fired(), "lock.fifo");
}

// The copy that a new master applies does not come later than the first one.
TEST_F(FifoCheckerTest, AnAcquireArrivesWhenItIsAppliedFirst) {
  Tell(v1::ACQUIRE, 1);
  Queued(2);
  Queued(3);
  Tell(v1::ACQUIRE, 2, v1::QUEUED, false);
  Look({1});
  Tell(v1::RELEASE, 1);
  Look({2});
  EXPECT_EQ(Fired(), "");
}

}  // namespace
}  // namespace bramah::sim

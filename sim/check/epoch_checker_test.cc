// session.epoch_fence, with logs that trip it.
#include "sim/check/epoch_checker.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bramah::sim {
namespace {

constexpr ReplicaId kReplica(1);
constexpr SessionId kSession(7);

Epoch EpochOf(uint64_t term) { return Epoch(uint64_t{1} << 48 | term); }

class EpochCheckerTest : public testing::Test {
 protected:
  EpochCheckerTest() {
    checker_.AfterStep(kReplica, EpochOf(3), {});
    Apply(3, v1::NEW_EPOCH);
  }
  void Ask(uint64_t term, uint64_t seq, ReplicaId replica = kReplica) {
    v1::Request request;
    request.set_epoch(EpochOf(term).value());
    request.mutable_command()->set_kind(v1::SET_CONTENTS);
    request.mutable_command()->set_session(kSession.value());
    request.mutable_command()->set_seq(seq);
    checker_.Arrived(replica, request);
  }
  void Close(Epoch epoch) {
    CoreEvent closing;
    closing.kind = CoreEvent::kSessionClosing;
    closing.session = kSession;
    checker_.AfterStep(kReplica, epoch, {closing});
  }
  void Apply(uint64_t term, v1::CommandKind kind, uint64_t seq = 0, bool effect = true) {
    CoreEvent applied;
    applied.kind = CoreEvent::kApplied;
    applied.term = Term(term);
    applied.command = kind;
    applied.session = kSession;
    applied.seq = RequestSeq(seq);
    applied.effect = effect;
    checker_.Applied(1, applied);
  }
  // This replica becomes master again.
  void Begin(uint64_t term) {
    checker_.AfterStep(kReplica, EpochOf(term), {});
    Apply(term, v1::NEW_EPOCH);
  }
  std::string Fired() const { return reporter_.failed() ? reporter_.first()->checker : ""; }
  Reporter reporter_;
  EpochChecker checker_{2, &reporter_};
};

TEST_F(EpochCheckerTest, AcceptsWhatTheMasterWasAskedInItsEpoch) {
  Ask(3, 1);
  Apply(3, v1::SET_CONTENTS, 1);
  Ask(3, 2);
  Begin(4);
  Ask(4, 2);
  Apply(4, v1::SET_CONTENTS, 2);
  EXPECT_EQ(Fired(), "");
}

TEST_F(EpochCheckerTest, AcceptsACopyWithoutEffect) {
  Apply(3, v1::SET_CONTENTS, 1, false);
  EXPECT_EQ(Fired(), "");
}

TEST_F(EpochCheckerTest, AcceptsAnEndThatItsMasterDecidedEvenAsItsLastAct) {
  Close(Epoch());
  Apply(3, v1::EXPIRE_SESSION);
  EXPECT_EQ(Fired(), "");
}

TEST_F(EpochCheckerTest, ARequestOfAFormerEpochIsAccepted) {
  Begin(4);
  Ask(3, 1);
  Apply(4, v1::SET_CONTENTS, 1);
  EXPECT_EQ(Fired(), "session.epoch_fence");
}

TEST_F(EpochCheckerTest, ARequestThatWasHeldIsProposedInTheNextEpoch) {
  Ask(3, 1);
  Begin(5);
  Apply(5, v1::SET_CONTENTS, 1);
  EXPECT_EQ(Fired(), "session.epoch_fence");
}

TEST_F(EpochCheckerTest, ARequestThatReachedNoMaster) {
  Ask(3, 1, ReplicaId(2));
  Apply(3, v1::SET_CONTENTS, 1);
  EXPECT_EQ(Fired(), "session.epoch_fence");
}

TEST_F(EpochCheckerTest, AnEndThatAFormerMasterDecided) {
  Close(EpochOf(3));
  Begin(4);
  Apply(4, v1::EXPIRE_SESSION);
  EXPECT_EQ(Fired(), "session.epoch_fence");
}

TEST_F(EpochCheckerTest, AnEntryOfAFormerEpochBehindTheNewOne) {
  Ask(3, 1);
  Begin(4);
  Apply(3, v1::SET_CONTENTS, 1);
  EXPECT_EQ(Fired(), "session.epoch_fence");
}

}  // namespace
}  // namespace bramah::sim

// handle.instance, with states and answers that trip it.
#include "sim/check/handle_checker.h"

#include <gtest/gtest.h>

#include <string>

#include "core/api/cache.h"

namespace bramah::sim {
namespace {

// ------------------------------------------------------------------------------------------------------------------- the state

// Nodes and handles are real; what takes effect is the test's to say.
class HandleStateCheckerTest : public testing::Test {
 protected:
  HandleStateCheckerTest() : limits_(), cell_(&limits_, 0) {
    v1::Command create;
    create.set_kind(v1::CREATE_SESSION);
    create.set_nonce_low(1);
    cell_.Apply(LogIndex(++index_), 1, create, applied_, probes_);
  }
  void Do(v1::CommandKind kind, uint64_t handle) {
    v1::Command command;
    command.set_kind(kind);
    command.set_session(1);
    command.set_seq(++seq_);
    command.set_handle(handle);
    if (kind == v1::ACQUIRE) command.set_mode(v1::EXCLUSIVE);
    if (kind == v1::OPEN) {
      command.set_path("/a");
      command.set_open_flags(v1::OPEN_WRITE | v1::OPEN_MAY_CREATE);
    }
    Touches touches;
    cell_.TouchedBy(command, 1, touches);
    SetCovers(touches, command);
    cell_.Apply(LogIndex(index_ + 1), 1, command, applied_, probes_);
    ASSERT_TRUE(applied_.effect);
    Tell(kind, handle);
  }
  void Tell(v1::CommandKind kind, uint64_t handle, uint64_t session = 1) {
    CoreEvent event;
    event.command = kind;
    event.index = LogIndex(++index_);
    event.session = SessionId(session);
    event.handle = HandleId(handle);
    event.effect = true;
    checker_.Applied(event);
    checker_.AfterStep(1, cell_);
  }
  std::string Fired() const { return reporter_.failed() ? reporter_.first()->checker : ""; }
  Reporter reporter_;
  HandleStateChecker checker_{&reporter_};
  cell::Limits limits_;
  cell::Cell cell_;
  cell::Applied applied_;
  Probes probes_;
  uint64_t index_ = 0;
  uint64_t seq_ = 0;
};

TEST_F(HandleStateCheckerTest, AcceptsANodeThatIsMadeAgainAndOpenedAgain) {
  Do(v1::OPEN, 1);
  Do(v1::SET_CONTENTS, 1);
  Do(v1::OPEN, 2);
  Do(v1::DELETE, 1);
  Do(v1::OPEN, 3);
  Do(v1::SET_CONTENTS, 3);
  Do(v1::CLOSE, 2);
  Do(v1::ACQUIRE, 3);
  Do(v1::END_SESSION, 0);
  EXPECT_EQ(Fired(), "");
}

TEST_F(HandleStateCheckerTest, AHandleThatFollowsItsName) {
  Do(v1::OPEN, 1);
  Do(v1::OPEN, 2);
  Do(v1::DELETE, 1);
  Do(v1::OPEN, 3);
  Tell(v1::SET_CONTENTS, 2);
  EXPECT_EQ(Fired(), "handle.instance");
}

TEST_F(HandleStateCheckerTest, AHandleOfAnotherSession) {
  Do(v1::OPEN, 1);
  Tell(v1::SET_CONTENTS, 1, 2);
  EXPECT_EQ(Fired(), "handle.instance");
}

TEST_F(HandleStateCheckerTest, AHandleThatWasClosed) {
  Do(v1::OPEN, 1);
  Do(v1::CLOSE, 1);
  Tell(v1::ACQUIRE, 1);
  EXPECT_EQ(Fired(), "handle.instance");
}

TEST_F(HandleStateCheckerTest, AnInstanceThatComesBack) {
  Do(v1::OPEN, 1);
  Do(v1::OPEN, 2);
  Tell(v1::DELETE, 1);
  Do(v1::OPEN, 3);
  EXPECT_EQ(Fired(), "handle.instance");
}

// ------------------------------------------------------------------------------------------------------------- the application

constexpr uint32_t kClient = 1;

class HandleCheckerTest : public testing::Test {
 protected:
  HandleCheckerTest() {
    Open(1, 1, 30);
    Open(1, 2, 30);
  }
  void Open(uint64_t session, uint64_t handle, uint64_t instance) {
    v1::Outcome outcome = Answer(v1::OK, instance);
    outcome.set_handle(handle);
    Tell(Ask(v1::OPEN, 0, session), outcome);
  }
  CallId Ask(v1::CommandKind kind, uint64_t handle, uint64_t session = 1, uint32_t client = kClient) {
    v1::Command command;
    command.set_kind(kind);
    command.set_handle(handle);
    checker_.Called(client, SessionId(session), CallId(++calls_), command);
    return CallId(calls_);
  }
  static v1::Outcome Answer(v1::Code code, uint64_t instance = 0) {
    v1::Outcome outcome;
    outcome.set_code(code);
    outcome.set_instance(instance);
    return outcome;
  }
  void Tell(CallId call, const v1::Outcome& outcome) { checker_.Answered(1, kClient, call, outcome); }
  void Delete(uint64_t handle) { Tell(Ask(v1::DELETE, handle), Answer(v1::OK)); }
  std::string Fired() const { return reporter_.failed() ? reporter_.first()->checker : ""; }
  Reporter reporter_;
  HandleChecker checker_{true, &reporter_};
  uint64_t calls_ = 0;
};

TEST_F(HandleCheckerTest, AcceptsAnswersAboutTheInstanceAndFailuresAfterItsEnd) {
  Tell(Ask(v1::GET_CONTENTS, 1), Answer(v1::OK, 30));
  const CallId before = Ask(v1::SET_CONTENTS, 2);
  Delete(1);
  Tell(before, Answer(v1::OK, 30));
  Tell(Ask(v1::GET_STAT, 2), Answer(v1::STALE_HANDLE));
  Tell(Ask(v1::SET_SEQUENCER, 2), Answer(v1::OK));
  Tell(Ask(v1::CLOSE, 2), Answer(v1::OK));
  Tell(Ask(v1::GET_STAT, 2), Answer(v1::BAD_HANDLE));
  Open(1, 3, 44);
  Tell(Ask(v1::GET_STAT, 3), Answer(v1::OK, 44));
  Tell(Ask(v1::GET_STAT, 3, 2), Answer(v1::SESSION_EXPIRED));
  EXPECT_EQ(Fired(), "");
}

TEST_F(HandleCheckerTest, AnAnswerAboutAnotherInstance) {
  Tell(Ask(v1::SET_CONTENTS, 1), Answer(v1::GENERATION_MISMATCH, 31));
  EXPECT_EQ(Fired(), "handle.instance");
}

TEST_F(HandleCheckerTest, ASequencerOfAnotherInstance) {
  v1::Outcome outcome = Answer(v1::OK);
  outcome.set_sequencer("s1:x:000000000000001f:0000000000000020:0000000000000000:/ls/local/a");
  Tell(Ask(v1::GET_SEQUENCER, 1), outcome);
  EXPECT_EQ(Fired(), "handle.instance");
}

TEST_F(HandleCheckerTest, ASuccessAfterTheNodeWasDeleted) {
  Delete(1);
  Tell(Ask(v1::SET_CONTENTS, 2), Answer(v1::OK));
  EXPECT_EQ(Fired(), "handle.instance");
}

TEST_F(HandleCheckerTest, ASuccessAfterTheHandleWasClosed) {
  Ask(v1::CLOSE, 1);
  Tell(Ask(v1::GET_CONTENTS, 1), Answer(v1::OK, 30));
  EXPECT_EQ(Fired(), "handle.instance");
}

TEST_F(HandleCheckerTest, ASuccessInAnotherSession) {
  Tell(Ask(v1::GET_CONTENTS, 1, 2), Answer(v1::OK, 30));
  EXPECT_EQ(Fired(), "handle.instance");
}

TEST_F(HandleCheckerTest, AHandleThatIsGivenOutTwice) {
  Open(2, 1, 50);
  EXPECT_EQ(Fired(), "handle.instance");
}

TEST_F(HandleCheckerTest, AnOpenOfWhatWasKnownToBeDeleted) {
  const CallId early = Ask(v1::OPEN, 0);
  Delete(1);
  v1::Outcome outcome = Answer(v1::OK, 30);
  outcome.set_handle(3);
  Tell(early, outcome);
  EXPECT_EQ(Fired(), "") << "it may have come first";
  Open(1, 4, 30);
  EXPECT_EQ(Fired(), "handle.instance");
}

TEST_F(HandleCheckerTest, AClientThatStartsAnewCountsAnew) {
  checker_.Stopped(kClient);
  Open(2, 1, 50);
  Tell(Ask(v1::GET_CONTENTS, 1, 2), Answer(v1::OK, 50));
  EXPECT_EQ(Fired(), "");
}

// Outside of rho a read may be old.
TEST(LyingHandleCheckerTest, ReadsAreNotJudgedByTimeIfClocksLie) {
  for (const auto kind : {v1::GET_CONTENTS, v1::SET_CONTENTS}) {
    Reporter reporter;
    HandleChecker checker(false, &reporter);
    v1::Command command;
    v1::Outcome outcome;
    uint64_t calls = 0;
    const auto call = [&](v1::CommandKind what) {
      command.set_kind(what);
      checker.Called(kClient, SessionId(1), CallId(++calls), command);
      checker.Answered(1, kClient, CallId(calls), outcome);
    };
    outcome.set_handle(1);
    outcome.set_instance(30);
    call(v1::OPEN);
    command.set_handle(1);
    call(v1::DELETE);
    call(kind);
    EXPECT_EQ(reporter.failed(), kind == v1::SET_CONTENTS);
  }
}

}  // namespace
}  // namespace bramah::sim

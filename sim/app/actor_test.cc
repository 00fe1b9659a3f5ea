#include "sim/app/actor.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace bramah::sim {
namespace {

// Plays the client library: collects calls, answers them on demand.
class ActorTest : public testing::Test {
 protected:
  v1::Operation& Add(v1::Operation::Kind kind, Time at = 1, const std::string& path = "/f0") {
    v1::Operation& operation = *plan_.add_operation();
    operation.set_kind(kind);
    operation.set_client("c3");
    operation.set_at_ns(at);
    operation.set_path(path);
    operation.set_hold_ns(50);
    return operation;
  }
  // Boots the actor and gives it a session.
  void Start() {
    std::vector<const v1::Operation*> operations;
    for (const v1::Operation& operation : plan_.operation()) operations.push_back(&operation);
    actor_ = std::make_unique<Actor>(1, 3, operations);
    actor_->Started();
    Answer(Next(v1::OPEN_SESSION), v1::OK);
  }
  // Moves wishes into the lists of calls and wakes.
  void Collect() {
    for (const Actor::Wish& wish : actor_->wishes()) {
      if (wish.kind == Actor::Wish::kWake) wakes_.push_back(wish);
      if (wish.kind == Actor::Wish::kCall) calls_.push_back(actor_->Issue(wish.id));
    }
    actor_->wishes().clear();
  }
  // The next call, which must be of this kind.
  Actor::PendingCall Next(v1::CommandKind kind) {
    Collect();
    if (calls_.empty()) {
      ADD_FAILURE() << "no call, expected " << v1::CommandKind_Name(kind);
      return {};
    }
    Actor::PendingCall call = calls_.front();
    calls_.erase(calls_.begin());
    EXPECT_EQ(v1::CommandKind_Name(call.command.kind()), v1::CommandKind_Name(kind));
    return call;
  }
  void Answer(const Actor::PendingCall& call, v1::Code code, uint64_t handle = 0, uint64_t generation = 0) {
    v1::Outcome outcome;
    outcome.set_code(code);
    outcome.set_handle(handle);
    outcome.set_content_generation(generation);
    actor_->Answered(call.id, outcome);
  }
  void ExpectNoCall() {
    Collect();
    EXPECT_TRUE(calls_.empty());
  }

  v1::Plan plan_;
  std::unique_ptr<Actor> actor_;
  std::vector<Actor::PendingCall> calls_;
  std::vector<Actor::Wish> wakes_;
};

//
TEST_F(ActorTest, AfterARestartMostlyTakesItsFormerSessionOver) {
  Start();
  int at_once = 0;
  int waiting = 0;
  for (uint64_t life = 1; life <= 40; ++life) {
    // The life before was told its token with session number `life`, but for the first.
    actor_->Stopped();
    actor_->Started();
    const auto open = Next(v1::OPEN_SESSION);
    if (open.command.takes_over() != 0) {
      EXPECT_EQ(open.command.takes_over(), life - 1);
      EXPECT_EQ(open.command.former_high(), life - 1 + 100);
      EXPECT_EQ(open.command.former_low(), life - 1 + 200);
      ++(open.command.former_is_gone() ? at_once : waiting);
    }
    v1::Outcome outcome;
    outcome.set_session(life);
    outcome.set_nonce_high(life + 100);
    outcome.set_nonce_low(life + 200);
    actor_->Answered(open.id, outcome);
    // Within one life nothing is taken over.
    actor_->SessionEnded();
    EXPECT_EQ(Next(v1::OPEN_SESSION).command.takes_over(), 0u);
  }
  EXPECT_GT(at_once, 10);
  EXPECT_GT(waiting, 2);
}

TEST_F(ActorTest, CountsMostlyAndNowAndThenWritesANumberOrNone) {
  for (Time at = 1; at <= 400; ++at) Add(v1::Operation::ADD, at, "/n0");
  Start();
  actor_->Due(0);
  Answer(Next(v1::OPEN), v1::OK, 1);
  std::map<std::string, int> seen;
  for (uint32_t i = 0; i < 400; ++i) {
    if (i > 0) actor_->Due(i);
    Collect();
    ASSERT_EQ(calls_.size(), 1u);
    const v1::Command command = calls_.front().command;
    ++seen[v1::CommandKind_Name(command.kind())];
    if (command.kind() == v1::SET_CONTENTS && command.contents().size() > 1) ++seen["none"];
    if (command.delta() < 0) ++seen["down"];
    if (command.bounded()) ++seen["bounded"];
    Answer(Next(command.kind()), v1::OK);
  }
  EXPECT_GT(seen["ADD"], 300);
  EXPECT_GT(seen["SET_CONTENTS"], 30);
  EXPECT_GT(seen["none"], 3);
  EXPECT_GT(seen["down"], 40);
  EXPECT_GT(seen["bounded"], 100);
}

TEST_F(ActorTest, ForgetsTheHandleOfALeak) {
  Add(v1::Operation::LEAK);
  Start();
  actor_->Due(0);
  Answer(Next(v1::OPEN), v1::OK, 1);
  ExpectNoCall();
  EXPECT_TRUE(actor_->idle());
}

//
TEST_F(ActorTest, StaleReadsNeedNoSession) {
  Add(v1::Operation::GET).set_stale(true);
  Add(v1::Operation::LIST, 2, "/").set_stale(true);
  Start();
  actor_->SessionEnded();
  Next(v1::OPEN_SESSION);
  actor_->Due(0);
  const auto get = Next(v1::GET_CONTENTS);
  EXPECT_TRUE(get.command.stale());
  EXPECT_EQ(get.command.path(), "/f0");
  EXPECT_EQ(get.command.handle(), 0u);
  actor_->Due(1);
  const auto list = Next(v1::READ_DIR);
  Answer(get, v1::NOT_FOUND);
  Answer(list, v1::OK);
  ExpectNoCall();
}

TEST_F(ActorTest, OpensOnceAndReusesTheHandle) {
  Add(v1::Operation::SET).set_bytes(20);
  Add(v1::Operation::SET, 2);
  Start();
  actor_->Due(0);
  const auto open = Next(v1::OPEN);
  EXPECT_EQ(open.command.path(), "/f0");
  EXPECT_EQ(open.command.open_flags(), static_cast<uint32_t>(v1::OPEN_WRITE | v1::OPEN_MAY_CREATE));
  Answer(open, v1::OK, 5);
  const auto set = Next(v1::SET_CONTENTS);
  EXPECT_EQ(set.command.handle(), 5u);
  EXPECT_EQ(set.path, "/f0");
  EXPECT_EQ(set.command.contents(), "c3#1................");
  EXPECT_FALSE(actor_->idle());
  Answer(set, v1::OK);
  EXPECT_TRUE(actor_->idle());
  actor_->Due(1);
  EXPECT_EQ(Next(v1::SET_CONTENTS).command.contents(), "c3#2");
}

TEST_F(ActorTest, OperationsOfOneInstantWriteDifferentValues) {
  Add(v1::Operation::SET);
  Add(v1::Operation::SET);
  Start();
  actor_->Due(0);
  actor_->Due(1);
  Answer(Next(v1::OPEN), v1::OK, 5);
  const auto first = Next(v1::SET_CONTENTS);
  const auto second = Next(v1::SET_CONTENTS);
  EXPECT_NE(first.command.contents(), second.command.contents());
}

TEST_F(ActorTest, ReadersDoNotCreateAndWritersUpgradeTheHandle) {
  Add(v1::Operation::GET);
  Add(v1::Operation::SET);
  Start();
  actor_->Due(0);
  const auto open = Next(v1::OPEN);
  EXPECT_EQ(open.command.open_flags(), 0u);
  Answer(open, v1::OK, 5);
  Answer(Next(v1::GET_CONTENTS), v1::OK, 0, 9);
  actor_->Due(1);
  Answer(Next(v1::OPEN), v1::OK, 6);
  EXPECT_EQ(Next(v1::CLOSE).command.handle(), 5u);
  EXPECT_EQ(Next(v1::SET_CONTENTS).command.handle(), 6u);
}

TEST_F(ActorTest, AReaderThatFindsNothingGivesUpButAWriterThatWaitsForItDoesNot) {
  Add(v1::Operation::GET);
  Add(v1::Operation::SET);
  Start();
  actor_->Due(0);
  actor_->Due(1);
  Answer(Next(v1::OPEN), v1::NOT_FOUND);
  const auto open = Next(v1::OPEN);
  EXPECT_NE(open.command.open_flags() & v1::OPEN_MAY_CREATE, 0u);
  Answer(open, v1::OK, 6);
  Answer(Next(v1::SET_CONTENTS), v1::OK);
  EXPECT_TRUE(actor_->idle());
}

TEST_F(ActorTest, ComparesWithTheGenerationSeenLast) {
  Add(v1::Operation::GET);
  Add(v1::Operation::COMPARE_AND_SET);
  Start();
  actor_->Due(0);
  Answer(Next(v1::OPEN), v1::OK, 5);
  Answer(Next(v1::GET_CONTENTS), v1::OK, 0, 9);
  actor_->Due(1);
  Answer(Next(v1::OPEN), v1::OK, 6);
  Next(v1::CLOSE);
  const auto set = Next(v1::SET_CONTENTS);
  EXPECT_TRUE(set.command.compare());
  EXPECT_EQ(set.command.generation(), 9u);
}

TEST_F(ActorTest, HoldsALockForItsTimeAndReleasesIt) {
  Add(v1::Operation::LOCK);
  Start();
  actor_->Due(0);
  Answer(Next(v1::OPEN), v1::OK, 5);
  const auto acquire = Next(v1::ACQUIRE);
  EXPECT_EQ(acquire.command.mode(), v1::EXCLUSIVE);
  Answer(acquire, v1::OK);
  ExpectNoCall();
  ASSERT_EQ(wakes_.size(), 1u);
  EXPECT_EQ(wakes_[0].after, 50);
  EXPECT_EQ(actor_->HoldsLeft(), 50);
  actor_->Woken(wakes_[0].id);
  Answer(Next(v1::RELEASE), v1::OK);
  EXPECT_TRUE(actor_->idle());
}

TEST_F(ActorTest, GivesUpWaitingByReleaseOrWithItsOwnHandle) {
  for (Time at = 8; at < 12; ++at) Add(v1::Operation::LOCK, at).set_patience_ns(30);
  Start();
  actor_->Due(0);
  Answer(Next(v1::OPEN), v1::OK, 5);
  const auto first = Next(v1::ACQUIRE);
  ASSERT_EQ(wakes_.size(), 1u);
  EXPECT_EQ(wakes_[0].after, 30);
  actor_->Woken(wakes_[0].id);
  Answer(Next(v1::RELEASE), v1::OK);
  actor_->Woken(wakes_[0].id);  // once is enough
  ExpectNoCall();
  for (const v1::CommandKind how : {v1::CLOSE, v1::POISON, v1::RELEASE}) {  // the kept handle is in use
    actor_->Due(static_cast<uint32_t>(wakes_.size()));
    Answer(Next(v1::OPEN), v1::OK, 6);
    const auto acquire = Next(v1::ACQUIRE);
    actor_->Woken(wakes_.back().id);
    EXPECT_EQ(Next(how).command.handle(), 6u);
    Answer(acquire, v1::CANCELLED);
    Answer(Next(v1::CLOSE), v1::OK);
  }
  Answer(first, v1::CANCELLED);
  ExpectNoCall();  // the kept handle stays
}

TEST_F(ActorTest, AcquiresAgainInTheSameOrTheOtherModeAndHoldsWhateverItIsTold) {
  Add(v1::Operation::LOCK, 8).set_again(true);
  Add(v1::Operation::LOCK, 9, "/f1").set_again(true);
  Start();
  for (const v1::LockMode mode : {v1::SHARED, v1::EXCLUSIVE}) {
    actor_->Due(mode == v1::SHARED ? 0 : 1);
    Answer(Next(v1::OPEN), v1::OK, mode);
    Answer(Next(v1::ACQUIRE), v1::OK);
    const auto again = Next(v1::ACQUIRE);
    EXPECT_EQ(again.command.mode(), mode);
    Answer(again, mode == v1::SHARED ? v1::BUSY : v1::OK);
    Collect();
    ASSERT_EQ(wakes_.size(), 1u);
    actor_->Woken(wakes_[0].id);
    wakes_.clear();
    Answer(Next(v1::RELEASE), v1::OK);
  }
  EXPECT_TRUE(actor_->idle());
}

TEST_F(ActorTest, ASecondLockOnThePathHasItsOwnHandleAndClosesIt) {
  Add(v1::Operation::LOCK, 1);
  Add(v1::Operation::TRY_LOCK, 3).set_shared(true);
  Start();
  actor_->Due(0);
  Answer(Next(v1::OPEN), v1::OK, 5);
  Next(v1::ACQUIRE);
  actor_->Due(1);
  Answer(Next(v1::OPEN), v1::OK, 6);
  const auto second = Next(v1::ACQUIRE);
  EXPECT_EQ(second.command.handle(), 6u);
  EXPECT_TRUE(second.command.try_only());
  EXPECT_EQ(second.command.mode(), v1::SHARED);
  Answer(second, v1::LOCK_CONFLICT);
  EXPECT_EQ(Next(v1::CLOSE).command.handle(), 6u);
}

TEST_F(ActorTest, AnEphemeralFileLivesAsLongAsItsHandle) {
  Add(v1::Operation::EPHEMERAL, 1, "/e1");
  Start();
  actor_->Due(0);
  const auto open = Next(v1::OPEN);
  EXPECT_NE(open.command.open_flags() & v1::OPEN_EPHEMERAL, 0u);
  Answer(open, v1::OK, 8);
  ExpectNoCall();
  ASSERT_EQ(wakes_.size(), 1u);
  actor_->Woken(wakes_[0].id);
  EXPECT_EQ(Next(v1::CLOSE).command.handle(), 8u);
}

TEST_F(ActorTest, SomeFilesThatDoNotStayGoWithTheirSession) {
  Add(v1::Operation::EPHEMERAL, 3, "/e1");
  Start();
  actor_->Due(0);
  const auto open = Next(v1::OPEN);
  EXPECT_NE(open.command.open_flags() & v1::OPEN_SESSION_OWNED, 0u);
  EXPECT_EQ(open.command.open_flags() & v1::OPEN_EPHEMERAL, 0u);
  Answer(open, v1::OK, 8);
}

TEST_F(ActorTest, AStaleHandleIsClosedAndOpenedAgain) {
  Add(v1::Operation::SET);
  Add(v1::Operation::SET, 2);
  Start();
  actor_->Due(0);
  Answer(Next(v1::OPEN), v1::OK, 5);
  Answer(Next(v1::SET_CONTENTS), v1::STALE_HANDLE);
  Answer(Next(v1::CLOSE), v1::OK);
  actor_->Due(1);
  Next(v1::OPEN);
}

TEST_F(ActorTest, ALostSessionIsReplacedAndItsTasksEnd) {
  Add(v1::Operation::LOCK);
  Add(v1::Operation::SET);
  Add(v1::Operation::GET);
  Start();
  actor_->Due(0);
  Answer(Next(v1::OPEN), v1::OK, 5);
  Answer(Next(v1::ACQUIRE), v1::OK);
  actor_->Due(1);
  const auto set_open = Next(v1::SET_CONTENTS);
  actor_->SessionEnded();
  Answer(set_open, v1::SESSION_EXPIRED);
  actor_->Due(2);  // waits for the new session
  const auto open = Next(v1::OPEN_SESSION);
  ExpectNoCall();
  Answer(open, v1::OK);
  Answer(Next(v1::GET_STAT), v1::SESSION_EXPIRED);  // tried in vain: old handles are gone
  const auto reopen = Next(v1::OPEN);
  Answer(reopen, v1::NOT_FOUND);
  EXPECT_FALSE(actor_->idle());  // the lock's task ends when it would have let go
  actor_->Woken(wakes_[0].id);
  ExpectNoCall();
  EXPECT_TRUE(actor_->idle());
}

TEST_F(ActorTest, TasksThatWaitForAHandleEndWithTheSession) {
  Add(v1::Operation::GET);
  Add(v1::Operation::GET, 2);
  Start();
  actor_->Due(0);
  actor_->Due(1);
  const auto open = Next(v1::OPEN);
  actor_->SessionEnded();
  Answer(open, v1::SESSION_EXPIRED);
  Answer(Next(v1::OPEN_SESSION), v1::OK);
  ExpectNoCall();
  EXPECT_TRUE(actor_->idle());
}

TEST_F(ActorTest, AFailedOpenSessionIsTriedAgainLater) {
  Start();
  actor_->SessionEnded();
  Answer(Next(v1::OPEN_SESSION), v1::UNAVAILABLE);
  ExpectNoCall();
  ASSERT_EQ(wakes_.size(), 1u);
  EXPECT_GT(wakes_[0].after, 0);
  actor_->Woken(wakes_[0].id);
  Next(v1::OPEN_SESSION);
}

TEST_F(ActorTest, WhoDoesNotWaitOutAJeopardyGivesUpButLetsGo) {
  Add(v1::Operation::LOCK).set_no_wait(true);
  Add(v1::Operation::LOCK, 3).set_no_wait(true);
  Start();
  actor_->Due(0);
  const auto open = Next(v1::OPEN);
  EXPECT_FALSE(open.wait);
  Answer(open, v1::OK, 5);
  const auto acquire = Next(v1::ACQUIRE);
  EXPECT_FALSE(acquire.wait);
  Answer(acquire, v1::OK);
  Collect();
  actor_->Woken(wakes_.at(0).id);
  const auto release = Next(v1::RELEASE);
  EXPECT_TRUE(release.wait);
  Answer(release, v1::OK);
  actor_->Due(1);
  Answer(Next(v1::ACQUIRE), v1::JEOPARDY);
  ExpectNoCall();
  EXPECT_TRUE(actor_->idle());
}

TEST_F(ActorTest, OthersWaitOutAJeopardy) {
  Add(v1::Operation::GET);
  Start();
  actor_->Due(0);
  EXPECT_TRUE(Next(v1::OPEN).wait);
}

TEST_F(ActorTest, EndSessionOpensANewOne) {
  Add(v1::Operation::END_SESSION, 1, "");
  Start();
  actor_->Due(0);
  const auto end = Next(v1::END_SESSION);
  actor_->SessionEnded();
  Answer(end, v1::OK);
  Answer(Next(v1::OPEN_SESSION), v1::OK);
  EXPECT_TRUE(actor_->idle());
}

TEST_F(ActorTest, AStoppedActorForgetsEverything) {
  Add(v1::Operation::SET);
  Start();
  actor_->Due(0);
  const auto open = Next(v1::OPEN);
  actor_->Stopped();
  actor_->Started();
  Answer(open, v1::OK, 5);  // of the earlier life
  Answer(Next(v1::OPEN_SESSION), v1::OK);
  ExpectNoCall();
  EXPECT_TRUE(actor_->idle());
}

TEST_F(ActorTest, DescribesWhatItWaitsFor) {
  Add(v1::Operation::SET);
  Start();
  actor_->Due(0);
  Next(v1::OPEN);
  EXPECT_EQ(actor_->Describe(), "call OPEN /f0 is not answered");
}

// ---------------------------------------------------------------------------------------------------------- fences and poison

class FencedLock : public ActorTest {
 protected:
  // Until the lock is held and everything is built on it: lock handle 5, guarded handle 6.
  void Build(v1::Operation& operation) {
    operation.set_fenced(true);
    Start();
    actor_->Due(0);
    Answer(Next(v1::OPEN), v1::OK, 5);
    v1::Outcome granted;
    granted.set_seq(9);
    granted.set_lock_generation(70);
    actor_->Answered(Next(v1::ACQUIRE).id, granted);
    const auto get = Next(v1::GET_SEQUENCER);
    EXPECT_EQ(get.command.handle(), 5u);
    v1::Outcome described;
    described.set_sequencer("s");
    actor_->Answered(get.id, described);
    Answer(Next(v1::OPEN), v1::OK, 6);
    const auto tie = Next(v1::SET_SEQUENCER);
    EXPECT_EQ(tie.command.handle(), 6u);
    EXPECT_EQ(tie.command.sequencer(), "s");
    Answer(tie, v1::OK);
    ExpectWrite("~1");
    Collect();
    ASSERT_EQ(wakes_.size(), 1u);
  }
  Actor::PendingCall ExpectWrite(const std::string& end, v1::Code code = v1::OK) {
    const auto write = Next(v1::SET_CONTENTS);
    EXPECT_EQ(write.command.handle(), 6u);
    EXPECT_TRUE(write.command.contents().ends_with(end)) << write.command.contents();
    Answer(write, code);
    return write;
  }
};

TEST_F(FencedLock, WorksThroughItsSequencerAndTriesItInVainAfterwards) {
  Build(Add(v1::Operation::LOCK, 1, "/l0"));
  ASSERT_EQ(actor_->requests().size(), 1u);
  const ResourceRequest& request = actor_->requests()[0];
  EXPECT_EQ(request.path, "/l0");
  EXPECT_EQ(request.token, Position(70));
  EXPECT_EQ(request.sequencer, "s");
  EXPECT_EQ(request.handle, HandleId(5));
  EXPECT_EQ(request.acquire, RequestSeq(9));
  actor_->Woken(wakes_[0].id);
  EXPECT_EQ(actor_->requests().size(), 2u);
  EXPECT_NE(actor_->requests()[0].ordinal, actor_->requests()[1].ordinal);
  ExpectWrite("~2");
  Answer(Next(v1::RELEASE), v1::OK);
  const auto get = Next(v1::GET_SEQUENCER);
  EXPECT_EQ(get.command.handle(), 5u);
  Answer(get, v1::LOCK_NOT_HELD);
  ExpectWrite("~3", v1::SEQUENCER_INVALID);
  const auto close = Next(v1::CLOSE);
  EXPECT_EQ(close.command.handle(), 6u);
  Answer(close, v1::OK);
  EXPECT_TRUE(actor_->idle());
}

TEST_F(FencedLock, HoldsWithoutAFenceIfThereIsNoSequencer) {
  Add(v1::Operation::LOCK, 1, "/l0").set_fenced(true);
  Start();
  actor_->Due(0);
  Answer(Next(v1::OPEN), v1::OK, 5);
  Answer(Next(v1::ACQUIRE), v1::OK);
  Answer(Next(v1::GET_SEQUENCER), v1::LOCK_NOT_HELD);
  Collect();
  ASSERT_EQ(wakes_.size(), 1u);
  actor_->Woken(wakes_[0].id);
  EXPECT_TRUE(actor_->requests().empty());
  Answer(Next(v1::RELEASE), v1::OK);
  EXPECT_TRUE(actor_->idle());
}

TEST_F(ActorTest, ChecksTheSequencersOfOthers) {
  Start();
  actor_->Check("s", v1::EXCLUSIVE);
  const auto check = Next(v1::CHECK_SEQUENCER);
  EXPECT_EQ(check.command.sequencer(), "s");
  EXPECT_EQ(check.command.mode(), v1::EXCLUSIVE);
  Answer(check, v1::SEQUENCER_INVALID);
  EXPECT_TRUE(actor_->idle());
}

// The second lock of a path has a handle of its own.
TEST_F(ActorTest, PoisonsEveryEighthOfItsOwnHandlesBeforeClosingIt) {
  Add(v1::Operation::LOCK, 1, "/l0");
  Add(v1::Operation::LOCK, 8, "/l0");
  Start();
  actor_->Due(0);
  Answer(Next(v1::OPEN), v1::OK, 5);
  Next(v1::ACQUIRE);
  actor_->Due(1);
  Answer(Next(v1::OPEN), v1::OK, 6);
  Answer(Next(v1::ACQUIRE), v1::OK);
  Collect();
  ASSERT_EQ(wakes_.size(), 1u);
  actor_->Woken(wakes_[0].id);
  const auto poison = Next(v1::POISON);
  EXPECT_EQ(poison.command.handle(), 6u);
  Answer(poison, v1::OK);
  EXPECT_EQ(Next(v1::CLOSE).command.handle(), 6u);
}

// -------------------------------------------------------------------------------------------------------------------- watches

class WatchTest : public ActorTest {
 protected:
  void Begin(uint32_t operation, uint64_t handle) {
    actor_->Due(operation);
    const auto open = Next(v1::OPEN);
    EXPECT_NE(open.command.events(), 0u);
    Answer(open, v1::OK, handle);
  }
  void Notify(CoreEvent::Kind kind, uint64_t handle) {
    CoreEvent event;
    event.kind = kind;
    event.handle = HandleId(handle);
    actor_->Notified(event);
  }
};

TEST_F(WatchTest, LooksWhenSomethingHappenedAndStaysOpen) {
  Add(v1::Operation::WATCH);
  Add(v1::Operation::WATCH, 2, "/");
  Start();
  Begin(0, 5);
  Begin(1, 6);
  EXPECT_TRUE(actor_->idle());
  Notify(CoreEvent::kContentsModified, 5);
  const auto get = Next(v1::GET_CONTENTS);
  EXPECT_EQ(get.command.handle(), 5u);
  Answer(get, v1::OK);
  Notify(CoreEvent::kChildrenChanged, 6);
  Answer(Next(v1::READ_DIR), v1::OK);
  Notify(CoreEvent::kContentsModified, 77);
  ExpectNoCall();
}

TEST_F(WatchTest, ASecondOneOfAPathTakesThePlaceOfTheFirst) {
  Add(v1::Operation::WATCH);
  Add(v1::Operation::WATCH, 2);
  Start();
  Begin(0, 5);
  Begin(1, 6);
  EXPECT_EQ(Next(v1::CLOSE).command.handle(), 5u);
  Notify(CoreEvent::kContentsModified, 5);
  ExpectNoCall();
}

TEST_F(WatchTest, ClosesWhatIsGone) {
  Add(v1::Operation::WATCH);
  Start();
  Begin(0, 5);
  Notify(CoreEvent::kHandleInvalid, 5);
  EXPECT_EQ(Next(v1::CLOSE).command.handle(), 5u);
  Notify(CoreEvent::kContentsModified, 5);
  ExpectNoCall();
}

}  // namespace
}  // namespace bramah::sim

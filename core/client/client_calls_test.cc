// Calls and handles: order, exactly-once, refusals; and that a step takes any input in any state.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/api/path.h"
#include "core/client/calls.h"
#include "core/client/client_harness.h"

namespace bramah::client {
namespace {

using Kind = CoreEvent::Kind;

TEST(ClientCalls, AnswersCarryTheHandleThatTheLibraryChose) {
  Harness h;
  h.OpenSession();
  const HandleId first = h.OpenHandle("/a");
  const HandleId second = h.OpenHandle("/b");
  EXPECT_TRUE(first);
  EXPECT_NE(first, second);
  const auto opens = h.Requests(v1::OPEN);
  ASSERT_EQ(opens.size(), 2u);
  EXPECT_EQ(opens[0].command().handle(), first.value());
  EXPECT_EQ(opens[0].command().session(), h.session);
  EXPECT_EQ(opens[0].epoch(), h.epoch);
  EXPECT_EQ(opens[0].command().path(), "/a");
  EXPECT_EQ(opens[1].command().seq(), opens[0].command().seq() + 1);
}

TEST(ClientCalls, WhatTheApplicationMayNotSayIsNotSent) {
  Harness h;
  h.OpenSession();
  v1::Command forged;
  forged.set_kind(v1::OPEN);
  forged.set_path("/f");
  forged.set_session(1);
  forged.set_seq(99);
  forged.add_gives_up(3);
  forged.set_acquire_seq(4);
  h.Call(forged);
  const v1::Command sent = h.Last<v1::Request>().command();
  EXPECT_EQ(sent.session(), h.session);
  EXPECT_EQ(sent.seq(), 1u);
  EXPECT_EQ(sent.gives_up_size(), 0);
  EXPECT_EQ(sent.acquire_seq(), 0u);
}

// [C-25, C-75]
TEST(ClientCalls, BadCallsAreRefusedWithoutTheMaster) {
  Harness h;
  EXPECT_EQ(h.CodeOf(h.Open("/f")), v1::NO_SESSION);
  h.OpenSession();
  EXPECT_EQ(h.CodeOf(h.Open("f")), v1::BAD_NAME);
  EXPECT_EQ(h.CodeOf(h.Call(v1::GET_STAT, HandleId(77))), v1::BAD_HANDLE);
  EXPECT_EQ(h.CodeOf(h.Call(v1::GET_STAT)), v1::BAD_HANDLE);
  EXPECT_EQ(h.CodeOf(h.Call(v1::NEW_EPOCH)), v1::MALFORMED);
  EXPECT_EQ(h.CodeOf(h.Call(v1::CREATE_SESSION)), v1::MALFORMED);
  EXPECT_EQ(h.CodeOf(h.Call(v1::CLOSE, HandleId(77))), v1::OK) << "Close never fails [C-25]";
  const HandleId handle = h.OpenHandle();
  v1::Command large;
  large.set_kind(v1::SET_CONTENTS);
  large.set_handle(handle.value());
  large.set_contents(std::string(kContentBytesMax + 1, 'x'));
  EXPECT_EQ(h.CodeOf(h.Call(large)), v1::TOO_LARGE);
  EXPECT_EQ(h.Count<v1::Request>(), 1);
}

TEST(ClientCalls, AHandleWhoseOpenFailedOrIsUnansweredIsNone) {
  Harness h;
  h.OpenSession();
  const CallId open = h.Open("/f");
  const HandleId handle(h.Last<v1::Request>().command().handle());
  EXPECT_EQ(h.CodeOf(h.Call(v1::GET_STAT, handle)), v1::BAD_HANDLE);
  h.Reply(h.Last<v1::Request>(), v1::NOT_FOUND);
  EXPECT_EQ(h.CodeOf(open), v1::NOT_FOUND);
  EXPECT_EQ(h.CodeOf(h.Call(v1::GET_STAT, handle)), v1::BAD_HANDLE);
}

// [C-19]
TEST(ClientCalls, OpenIsRelativeToAHandleOnADirectory) {
  Harness h;
  h.OpenSession();
  const auto open_below = [&](HandleId directory, const std::string& name) {
    v1::Command open;
    open.set_kind(v1::OPEN);
    open.set_handle(directory.value());
    open.set_path(name);
    return h.Call(open);
  };
  const CallId made = h.Open("/d");
  v1::Reply opened = h.Replied(h.Last<v1::Request>(), v1::OK);
  opened.mutable_outcome()->set_instance(40);
  h.Deliver(opened);
  const HandleId directory(h.answers[made].handle());
  const CallId call = open_below(directory, "a/b");
  EXPECT_EQ(h.Last<v1::Request>().command().path(), "/d/a/b");
  EXPECT_EQ(h.Last<v1::Request>().command().through(), 40u);
  h.Reply(h.Last<v1::Request>(), v1::STALE_HANDLE);
  EXPECT_EQ(h.CodeOf(call), v1::STALE_HANDLE);
  const HandleId root = h.OpenHandle("/");
  open_below(root, "f");
  EXPECT_EQ(h.Last<v1::Request>().command().path(), "/f");
  EXPECT_EQ(h.CodeOf(open_below(directory, "../f")), v1::BAD_NAME);
  EXPECT_EQ(h.CodeOf(open_below(directory, "")), v1::BAD_NAME);
  EXPECT_EQ(h.CodeOf(open_below(HandleId(77), "f")), v1::BAD_HANDLE);
  h.Call(v1::POISON, directory);
  EXPECT_EQ(h.CodeOf(open_below(directory, "f")), v1::POISONED);
}

// [C-33]
TEST(ClientCalls, OneCallPerHandleAtATimeInOrder) {
  Harness h;
  h.OpenSession();
  const HandleId a = h.OpenHandle("/a");
  const HandleId b = h.OpenHandle("/b");
  const int before = h.Count<v1::Request>();
  const CallId set = h.Call(v1::SET_CONTENTS, a);
  const CallId get = h.Call(v1::GET_CONTENTS, a);
  const CallId other = h.Call(v1::GET_STAT, b);
  EXPECT_EQ(h.Count<v1::Request>(), before + 2);
  EXPECT_TRUE(h.Requests(v1::GET_CONTENTS).empty());
  h.Reply(h.Requests(v1::SET_CONTENTS)[0], v1::OK);
  ASSERT_EQ(h.Requests(v1::GET_CONTENTS).size(), 1u);
  EXPECT_EQ(h.Requests(v1::GET_CONTENTS)[0].command().seq(), 0u) << "reads are not numbered";
  h.Reply(h.Requests(v1::GET_CONTENTS)[0], v1::OK);
  h.Reply(h.Requests(v1::GET_STAT)[0], v1::OK);
  EXPECT_TRUE(h.Answered(set) && h.Answered(get) && h.Answered(other));
  EXPECT_EQ(h.client.view().calls_pending, 0u);
}

TEST(ClientCalls, UnansweredCallsAreSentAgainUnchangedUntilAnswered) {
  Harness h;
  h.OpenSession();
  const HandleId handle = h.OpenHandle();
  const CallId set = h.Call(v1::SET_CONTENTS, handle);
  const v1::Request first = h.Last<v1::Request>();
  h.Run(1'500 * kMillisecond);
  h.Reconnect(2);
  const auto copies = h.Requests(v1::SET_CONTENTS);
  ASSERT_EQ(copies.size(), 3u);
  for (const v1::Request& copy : copies) EXPECT_EQ(copy.SerializeAsString(), first.SerializeAsString());
  EXPECT_TRUE(h.probes.Reached(ProbeId::kClientResent));
  h.Reply(first, v1::OK);
  EXPECT_EQ(h.CodeOf(set), v1::OK);
  h.Reply(first, v1::OK);  // the other copies' answers
  h.Reply(first, v1::GENERATION_MISMATCH);
  h.Run(3 * kSecond);
  EXPECT_EQ(h.Requests(v1::SET_CONTENTS).size(), 3u);
}

TEST(ClientCalls, AWrongEpochIsAdoptedAndEverythingSentAgainInIt) {
  Harness h;
  h.OpenSession();
  const HandleId a = h.OpenHandle("/a");
  const HandleId b = h.OpenHandle("/b");
  const CallId one = h.Call(v1::SET_CONTENTS, a);
  const CallId two = h.Call(v1::GET_STAT, b);
  const v1::Request first = h.Requests(v1::SET_CONTENTS)[0];
  h.epoch = 9;
  h.Reply(first, v1::WRONG_EPOCH);
  EXPECT_EQ(h.client.view().epoch, Epoch(9));
  EXPECT_FALSE(h.Answered(one));
  ASSERT_EQ(h.Requests(v1::SET_CONTENTS).size(), 2u);
  EXPECT_EQ(h.Requests(v1::SET_CONTENTS)[1].epoch(), 9u);
  EXPECT_EQ(h.Requests(v1::SET_CONTENTS)[1].command().seq(), first.command().seq());
  EXPECT_EQ(h.Requests(v1::GET_STAT)[1].epoch(), 9u);
  EXPECT_EQ(h.Last<v1::KeepAlive>().epoch(), 9u);
  h.Reply(h.Requests(v1::GET_STAT)[0], v1::WRONG_EPOCH);  // the same news again
  EXPECT_EQ(h.Requests(v1::GET_STAT).size(), 2u);
  h.Reply(h.Requests(v1::SET_CONTENTS)[1], v1::OK);
  h.Reply(h.Requests(v1::GET_STAT)[1], v1::OK);
  EXPECT_TRUE(h.Answered(one) && h.Answered(two));
}

TEST(ClientCalls, FirstOutstandingIsTheSmallestUnansweredSeq) {
  Harness h;
  h.OpenSession();
  const HandleId a = h.OpenHandle("/a");
  const HandleId b = h.OpenHandle("/b");
  h.Call(v1::SET_CONTENTS, a);
  const v1::Request slow = h.Last<v1::Request>();
  EXPECT_EQ(slow.command().first_outstanding(), slow.command().seq());
  h.Call(v1::SET_CONTENTS, b);
  EXPECT_EQ(h.Last<v1::Request>().command().first_outstanding(), slow.command().seq());
  h.Reply(slow, v1::OK);
  h.Call(v1::SET_CONTENTS, a);
  EXPECT_EQ(h.Last<v1::Request>().command().first_outstanding(), slow.command().seq() + 1);
}

TEST(ClientCalls, SeqsDoNotRunAwayFromOneThatIsNeverAnswered) {
  Harness h;
  h.OpenSession();
  const HandleId stuck = h.OpenHandle("/stuck");
  const HandleId busy = h.OpenHandle("/busy");
  h.Call(v1::SET_CONTENTS, stuck);
  const v1::Request first = h.Last<v1::Request>();
  for (uint64_t i = 0; i < 2 * kSeqWindow; ++i) {
    h.Call(v1::SET_CONTENTS, busy);
    const v1::Request last = h.Last<v1::Request>();
    ASSERT_LT(last.command().seq(), first.command().seq() + kSeqWindow);
    if (last.command().handle() != busy.value() || h.Answered(CallId(h.calls))) break;
    h.Reply(last, v1::OK);
  }
  EXPECT_GT(h.client.view().calls_pending, 1u);
  const int before = h.Count<v1::Request>();
  h.Reply(first, v1::OK);
  EXPECT_GT(h.Count<v1::Request>(), before);
}

TEST(ClientCalls, TooManyCallsAreRefused) {
  Harness h;
  h.OpenSession();
  const HandleId handle = h.OpenHandle();
  CallId last;
  for (size_t i = 0; i <= kCallsMax; ++i) last = h.Call(v1::GET_STAT, handle);
  EXPECT_EQ(h.CodeOf(last), v1::LIMIT_REACHED);
  EXPECT_EQ(h.client.view().calls_pending, kCallsMax);
  EXPECT_FALSE(h.Answered(h.Call(v1::CLOSE, handle)));  // accepted
}

// An application that is told of too many calls has none in its hands by which it could give a lock back later.
TEST(ClientCalls, ALockCanBeGivenBackBesideTooManyCalls) {
  Harness h;
  h.OpenSession();
  const HandleId holder = h.Lock("/a", 50);
  const HandleId handle = h.OpenHandle("/b");
  for (size_t i = 0; i <= kCallsMax; ++i) h.Call(v1::GET_STAT, handle);
  const CallId release = h.Call(v1::RELEASE, holder);
  EXPECT_EQ(h.Requests(v1::RELEASE).size(), 1u);
  EXPECT_FALSE(h.Answered(release));
  EXPECT_EQ(h.CodeOf(h.Call(v1::RELEASE, holder)), v1::LIMIT_REACHED) << "one is enough";
}

TEST(ClientCalls, ProtocolAnswersAreNeverTheApplications) {
  Harness h;
  h.OpenSession();
  const HandleId handle = h.OpenHandle();
  const CallId set = h.Call(v1::SET_CONTENTS, handle);
  h.Reply(h.Last<v1::Request>(), v1::SESSION_CLOSING);
  h.Reply(h.Last<v1::Request>(), v1::QUEUED);
  EXPECT_FALSE(h.Answered(set));
  h.Run(1'500 * kMillisecond);
  EXPECT_GE(h.Requests(v1::SET_CONTENTS).size(), 2u);
}

// [C-61]
TEST(ClientCalls, SessionExpiredInAnyAnswerEndsEverything) {
  Harness h;
  h.OpenSession();
  const HandleId handle = h.Lock();
  const CallId set = h.Call(v1::SET_CONTENTS, handle);
  const CallId queued = h.Call(v1::GET_STAT, handle);
  h.epoch = 4;
  h.Reply(h.Last<v1::Request>(), v1::SESSION_EXPIRED);  // an earlier master cannot know
  EXPECT_EQ(h.client.view().state, SessionState::kActive);
  h.epoch = 5;
  h.Reply(h.Last<v1::Request>(), v1::SESSION_EXPIRED);
  EXPECT_EQ(h.client.view().state, SessionState::kExpired);
  EXPECT_EQ(h.CodeOf(set), v1::SESSION_EXPIRED);
  EXPECT_EQ(h.CodeOf(queued), v1::SESSION_EXPIRED);
  EXPECT_TRUE(h.client.view().held->empty());
  ASSERT_GE(h.events.size(), 2u);
  EXPECT_EQ(h.events[h.events.size() - 2].kind, Kind::kLockDropped);
  EXPECT_EQ(h.events.back().kind, Kind::kSessionEnded);
}

// ------------------------------------------------------------------------------------------------------------ total function

TEST(ClientStep, TakesAnyInputInAnyState) {
  const ClientConfig config = DefaultConfig();
  Client client(&config);
  Effects out;
  const auto step = [&](const Input& input) {
    out.Clear();
    client.Step(kSecond, input, out);
    return out.probes();
  };
  v1::Reply reply;
  step(Deliver{ConnId(1), Message{MessageKind::kReply, &reply}});
  step(TimerFired{TimerId::kElection});
  step(TimerFired{static_cast<TimerId>(200)});
  step(ConnUp{ConnId(3), nullptr});
  step(ConnDown{ConnId(3), CloseReason::kStalled});
  step(Writable{ConnId(1)});
  EXPECT_TRUE(step(DiskDone{Lane::kLog, 1, {}}).Reached(ProbeId::kMalformedMessage));
  EXPECT_TRUE(step(DiskFailed{Lane::kLog, 1, 0, DiskError::kSyncIo}).Reached(ProbeId::kMalformedMessage));
  step(Call{CallId(1), nullptr});
  ASSERT_EQ(out.ops().size(), 1u);
  EXPECT_EQ(out.reply(out.ops()[0]).outcome->code(), v1::MALFORMED);
  EXPECT_FALSE(step(Boot{}).Reached(ProbeId::kMalformedMessage));
  EXPECT_TRUE(step(Boot{}).Reached(ProbeId::kMalformedMessage));
}

TEST(ClientStep, MessagesThatNoServerSendsAreCounted) {
  Harness h;
  h.OpenSession();
  v1::VoteRequest vote;
  h.Deliver(vote);
  EXPECT_TRUE(h.probes.Reached(ProbeId::kMalformedMessage));
  h.Step(Deliver{h.conn(), Message{}});
  EXPECT_EQ(h.client.view().state, SessionState::kActive);
}

TEST(ClientStep, AClockThatStandsStillOrStepsBackDoesNoHarm) {
  Harness h;
  h.OpenSession();
  const Time end = h.client.view().lease_end;
  h.RunTo(end);
  ASSERT_EQ(h.client.view().state, SessionState::kJeopardy);
  h.now = end - kSecond;
  h.Step(TimerFired{TimerId::kLease});
  EXPECT_EQ(h.client.view().state, SessionState::kJeopardy);
}

}  // namespace
}  // namespace bramah::client

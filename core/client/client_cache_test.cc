// What the library answers without asking the master [Chubby §2.7].
#include <gtest/gtest.h>

#include "core/api/sequencer.h"
#include "core/client/cache.h"
#include "core/client/client_harness.h"

namespace bramah::client {
namespace {

constexpr uint64_t kInstance = 77;

struct ClientCache : testing::Test {
  ClientCache() { h.OpenSession(); }

  HandleId OpenFile(uint64_t instance = kInstance) {
    const CallId call = h.Open("/f");
    v1::Reply reply = h.Replied(h.Last<v1::Request>(), v1::OK);
    reply.mutable_outcome()->set_instance(instance);
    h.Deliver(reply);
    return HandleId(h.answers.at(call).handle());
  }
  // The answer to the last request: the contents, and leave to keep them.
  v1::Reply Contents(const std::string& contents, uint64_t item_number = 0, uint32_t classes = v1::CACHE_DATA) const {
    v1::Reply reply = h.Replied(h.Last<v1::Request>(), v1::OK);
    reply.mutable_outcome()->set_instance(kInstance);
    reply.mutable_outcome()->set_contents(contents);
    reply.set_classes(classes);
    reply.set_item_number(item_number);
    return reply;
  }
  // What GET_CONTENTS answers at once; "?" if the master is asked.
  std::string Read(HandleId handle) {
    const CallId call = h.Call(v1::GET_CONTENTS, handle);
    return h.Answered(call) ? h.answers.at(call).contents() : "?";
  }
  // Has read `contents`, and keeps them.
  HandleId Fill(const std::string& contents = "old") {
    const HandleId handle = OpenFile();
    EXPECT_EQ(Read(handle), "?");
    h.Deliver(Contents(contents));
    return handle;
  }
  void Tell(v1::ItemKind kind, uint32_t classes, uint64_t number = 1) {
    v1::KeepAliveReply kept = h.Kept();
    v1::SessionItem& item = *kept.add_items();
    item.set_number(number);
    item.set_kind(kind);
    item.set_generation(kInstance);
    item.set_classes(classes);
    h.Deliver(kept);
  }
  void Invalidate(uint64_t number = 1) { Tell(v1::ITEM_INVALIDATE, v1::CACHE_DATA | v1::CACHE_STAT, number); }
  CallId Write(HandleId handle) { return h.Call(v1::SET_CONTENTS, handle); }

  Harness h;
};

TEST_F(ClientCache, C45ASecondReadCostsNoMessage) {
  const HandleId handle = Fill("x");
  const int requests = h.Count<v1::Request>();
  EXPECT_EQ(Read(handle), "x");
  EXPECT_EQ(h.Count<v1::Request>(), requests);
  EXPECT_EQ(h.Kinds().back(), CoreEvent::kCacheHit);
}

TEST_F(ClientCache, C46MetadataAreKeptToo) {
  const HandleId handle = OpenFile();
  const CallId first = h.Call(v1::GET_STAT, handle);
  EXPECT_FALSE(h.Answered(first));
  h.Deliver(Contents("", 0, v1::CACHE_STAT | v1::CACHE_LOCK_STATE));
  EXPECT_TRUE(h.Answered(h.Call(v1::GET_STAT, handle)));
  // It depends on the lock; contents would not.
  Tell(v1::ITEM_INVALIDATE, v1::CACHE_LOCK_STATE);
  EXPECT_FALSE(h.Answered(h.Call(v1::GET_STAT, handle)));
}

TEST_F(ClientCache, C47ThatThereIsNoFileIsKept) {
  v1::Command open;
  open.set_kind(v1::OPEN);
  open.set_path("/absent");
  const CallId first = h.Call(open);
  v1::Reply reply = h.Replied(h.Last<v1::Request>(), v1::NOT_FOUND);
  reply.set_classes(v1::CACHE_ABSENCE);
  h.Deliver(reply);
  EXPECT_EQ(h.CodeOf(first), v1::NOT_FOUND);
  EXPECT_EQ(h.CodeOf(h.Call(open)), v1::NOT_FOUND);
  EXPECT_EQ(h.Requests(v1::OPEN).size(), 1u) << "a loop that waits for a file asks once";
  // Who creates must ask.
  v1::Command create = open;
  create.set_open_flags(v1::OPEN_MAY_CREATE);
  EXPECT_FALSE(h.Answered(h.Call(create)));
  v1::KeepAliveReply kept = h.Kept();
  v1::SessionItem& item = *kept.add_items();
  item.set_number(1);
  item.set_kind(v1::ITEM_INVALIDATE);
  item.set_generation(AbsenceId("/absent"));
  item.set_classes(v1::CACHE_ABSENCE);
  h.Deliver(kept);
  EXPECT_FALSE(h.Answered(h.Call(open)));
}

// [C-50] [C-53]
TEST_F(ClientCache, AnInvalidationDropsAndIsAcknowledgedAtOnce) {
  const HandleId handle = Fill();
  Invalidate();
  EXPECT_EQ(h.Last<v1::KeepAlive>().acknowledged(), 1u);
  EXPECT_EQ(Read(handle), "?") << "it brings no new value";
}

TEST_F(ClientCache, OnlyWhatDependsOnItIsDropped) {
  const HandleId handle = Fill("x");
  Tell(v1::ITEM_INVALIDATE, v1::CACHE_LOCK_STATE);
  EXPECT_EQ(Read(handle), "x");
  Tell(v1::ITEM_FLUSH, 0, 2);
  EXPECT_EQ(Read(handle), "?");
}

// [C-51]
TEST_F(ClientCache, AnAnswerWithoutLeaveIsNotKept) {
  const HandleId handle = OpenFile();
  Read(handle);
  h.Deliver(Contents("x", 0, v1::CACHE_NOTHING));
  EXPECT_EQ(Read(handle), "?");
}

// [D-16] [CA-05]
TEST_F(ClientCache, AnAnswerThatAnInvalidationHasOvertakenIsNotKept) {
  const HandleId handle = OpenFile();
  Read(handle);
  const v1::Reply late = Contents("old", 0);
  Invalidate(1);
  h.Deliver(late);
  EXPECT_EQ(Read(handle), "?");
  h.Deliver(Contents("new", 1));
  EXPECT_EQ(Read(handle), "new") << "this one was said after it";
}

// [C-60] [CA-06]
TEST_F(ClientCache, NothingIsAnsweredFromItInJeopardy) {
  const HandleId handle = Fill();
  h.RunTo(h.client.view().lease_end);
  ASSERT_EQ(h.client.view().state, SessionState::kJeopardy);
  EXPECT_EQ(Read(handle), "?");
  EXPECT_TRUE(h.client.view().cache->answers().empty());
}

// A process that was stopped past its lease hears an extension before its timer fires.
TEST_F(ClientCache, APausedClientDropsEverythingBeforeItLooksAtTheInput) {
  const HandleId handle = Fill();
  const HandleId other = OpenFile();
  h.Call(v1::GET_STAT, other);
  const v1::Reply late = Contents("", 0, v1::CACHE_STAT | v1::CACHE_LOCK_STATE);
  h.Run(kSecond);
  h.Sleep(15 * kSecond);
  h.Deliver(h.Kept(7 * kSecond));
  ASSERT_EQ(h.client.view().state, SessionState::kActive);
  EXPECT_EQ(Read(handle), "?");
  h.Deliver(late);
  EXPECT_FALSE(h.Answered(h.Call(v1::GET_STAT, other))) << "it was asked before";
}

// [Chubby §2.9] [CA-03]
TEST_F(ClientCache, AFailOverDropsEverythingBeforeTheNewMasterHearsOfTheEpoch) {
  const HandleId handle = Fill();
  ++h.epoch;
  h.Deliver(h.Kept(0, 0, v1::WRONG_EPOCH));
  EXPECT_EQ(h.Last<v1::KeepAlive>().epoch(), h.epoch);
  EXPECT_TRUE(h.client.view().cache->answers().empty());
  EXPECT_EQ(Read(handle), "?");
}

// The master does not wait for the writer.
TEST_F(ClientCache, OwnWritesDropBeforeTheyAreSentAndNothingIsKeptUntilTheyAreAnswered) {
  const HandleId handle = Fill();
  const HandleId reader = OpenFile();
  Write(handle);
  const v1::Request write = h.Last<v1::Request>();
  EXPECT_EQ(Read(reader), "?");
  const v1::Request asked_before = h.Last<v1::Request>();
  h.Deliver(Contents("old"));
  EXPECT_EQ(Read(reader), "?") << "kept while the outcome was unknown";
  const v1::Reply late = Contents("old");
  h.Reply(write, v1::OK);
  h.Deliver(late);
  EXPECT_EQ(Read(reader), "?") << "asked before the outcome";
  h.Deliver(Contents("new"));
  EXPECT_EQ(Read(reader), "new");
}

// A write that was given up may still happen, until the Close that gave it up is answered.
TEST_F(ClientCache, AWriteThatWasGivenUpCountsUntilItsHandleIsClosed) {
  const HandleId handle = OpenFile();
  const HandleId reader = Fill();
  Write(handle);
  h.Call(v1::CLOSE, handle);
  const v1::Request close = h.Last<v1::Request>();
  EXPECT_EQ(Read(reader), "?");
  h.Deliver(Contents("old"));
  EXPECT_EQ(Read(reader), "?");
  h.Reply(close, v1::OK);
  h.Deliver(Contents("old"));
  EXPECT_EQ(Read(reader), "?");
  h.Deliver(Contents("new"));
  EXPECT_EQ(Read(reader), "new");
}

// [C-18] The library does not know what a handle may do before it did it once.
TEST_F(ClientCache, AHandleThatNeverReadAsksTheMaster) {
  Fill();
  EXPECT_EQ(Read(OpenFile()), "?");
}

// [D-42]
TEST_F(ClientCache, AHandleWithASequencerAlwaysAsks) {
  const HandleId handle = Fill();
  v1::Command tie;
  tie.set_kind(v1::SET_SEQUENCER);
  tie.set_handle(handle.value());
  tie.set_sequencer(FormatSequencer({"demo", "/l", Position(7), v1::EXCLUSIVE, Position(9)}, {1, 2}));
  ASSERT_EQ(h.CodeOf(h.Call(tie)), v1::OK);
  EXPECT_EQ(Read(handle), "?");
}

// Calls on one handle are answered in the order in which they were made.
TEST_F(ClientCache, AKnownAnswerWaitsForTheCallsBeforeIt) {
  const HandleId handle = Fill("x");
  const CallId stat = h.Call(v1::GET_STAT, handle);
  const CallId read = h.Call(v1::GET_CONTENTS, handle);
  EXPECT_FALSE(h.Answered(read));
  h.Reply(h.Last<v1::Request>(), v1::OK);
  EXPECT_TRUE(h.Answered(stat));
  EXPECT_EQ(h.answers.at(read).contents(), "x");
}

TEST(ClientWithoutCache, SaysSoAndKeepsNothing) {
  ClientConfig config = DefaultConfig();
  config.cache = false;
  Harness h(config);
  h.OpenSession();
  EXPECT_FALSE(h.Last<v1::CreateSession>().caches());
  const HandleId handle = h.OpenHandle();
  for (int read = 1; read <= 2; ++read) {
    EXPECT_FALSE(h.Answered(h.Call(v1::GET_CONTENTS, handle)));
    v1::Reply reply = h.Replied(h.Last<v1::Request>(), v1::OK);
    reply.mutable_outcome()->set_instance(kInstance);
    reply.set_classes(v1::CACHE_DATA);
    h.Deliver(reply);
  }
}

// Anybody can find two names with one hash.
TEST(Cache, AnotherNameWithTheSameIdIsNotAbsentForThat) {
  Cache cache;
  v1::Command open;
  open.set_kind(v1::OPEN);
  open.set_path("/other");
  v1::Outcome absent;
  absent.set_code(v1::NOT_FOUND);
  cache.Keep({AbsenceId("/f"), v1::CACHE_ABSENCE}, open, absent);
  EXPECT_FALSE(cache.Absent("/f", open));
}

TEST(Cache, TheOldestAnswersGoWhenThereAreTooMany) {
  Cache cache;
  v1::Command question;
  question.set_kind(v1::GET_STAT);
  for (uint64_t id = 1; id <= kCachedAnswersMax + 1; ++id) cache.Keep({id, v1::CACHE_STAT}, question, v1::Outcome());
  EXPECT_EQ(cache.Find(1, question), nullptr);
  EXPECT_NE(cache.Find(2, question), nullptr);
  EXPECT_EQ(cache.answers().size(), kCachedAnswersMax);
}

TEST(Cache, LargeAnswersCountByTheirSize) {
  Cache cache;
  v1::Command question;
  question.set_kind(v1::GET_CONTENTS);
  v1::Outcome outcome;
  outcome.set_contents(std::string(kCachedBytesMax / 2, 'x'));
  for (uint64_t id : {1, 2}) cache.Keep({id, v1::CACHE_DATA}, question, outcome);
  EXPECT_EQ(cache.Find(1, question), nullptr);
  EXPECT_NE(cache.Find(2, question), nullptr);
}

}  // namespace
}  // namespace bramah::client

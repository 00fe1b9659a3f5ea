#include <gtest/gtest.h>

#include <set>

#include "core/base/keyed.h"
#include "core/session/session_table.h"

namespace bramah::session {
namespace {

TEST(IdSet, JoinsTouchingRuns) {
  IdSet set;
  set.Insert(5);
  set.Insert(7);
  EXPECT_EQ(set.runs().size(), 2u);
  set.Insert(6);
  ASSERT_EQ(set.runs().size(), 1u);
  EXPECT_EQ(*set.runs().begin(), (std::pair<const uint64_t, uint64_t>(5, 7)));
  EXPECT_FALSE(set.Contains(4));
  EXPECT_TRUE(set.Contains(6));
  EXPECT_FALSE(set.Contains(8));
}

TEST(IdSet, AgreesWithASetOfIds) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    IdSet set;
    std::set<uint64_t> plain;
    for (uint64_t step = 0; step < 100; ++step) {
      const uint64_t id = 1 + Below(Draw(seed, 1, step, 0), 60);
      set.Insert(id);
      plain.insert(id);
      EXPECT_EQ(set.digest(), set.DigestSlow());
    }
    size_t runs = 0;
    for (uint64_t id = 0; id < 64; ++id) {
      EXPECT_EQ(set.Contains(id), plain.count(id) > 0) << id;
      if (plain.count(id) > 0 && plain.count(id - 1) == 0) ++runs;
    }
    EXPECT_EQ(set.runs().size(), runs);
  }
}

TEST(IdSet, EqualSetsHaveEqualDigestsHoweverTheyCameAbout) {
  IdSet up, down;
  for (uint64_t id = 1; id <= 9; ++id) up.Insert(id);
  for (uint64_t id = 9; id >= 1; --id) down.Insert(id);
  EXPECT_EQ(up.digest(), down.digest());
}

TEST(IdSet, TheLargestIdIsAnIdLikeAnyOther) {
  IdSet set;
  set.Insert(UINT64_MAX);
  set.Insert(UINT64_MAX - 1);
  set.Insert(1);
  EXPECT_EQ(set.runs().size(), 2u);
  EXPECT_FALSE(set.Contains(0));
  EXPECT_TRUE(set.Contains(UINT64_MAX));
}

TEST(IdSet, AppendedRunsMustBeDisjointAndRising) {
  IdSet set;
  EXPECT_FALSE(set.AppendRun(0, 3));
  EXPECT_FALSE(set.AppendRun(4, 3));
  EXPECT_TRUE(set.AppendRun(2, 3));
  EXPECT_FALSE(set.AppendRun(3, 5));
  EXPECT_FALSE(set.AppendRun(4, 5));  // touches: would be one run
  EXPECT_TRUE(set.AppendRun(5, UINT64_MAX));
  EXPECT_FALSE(set.AppendRun(7, 8));
}

Result WithCode(v1::Code code) {
  Result result;
  result.code = code;
  return result;
}

TEST(Results, TrimForgetsAnswersBelowFirstAndNeverGoesBack) {
  Results results;
  for (uint64_t seq = 1; seq <= 3; ++seq) results.Put(RequestSeq(seq), WithCode(v1::OK));
  results.Trim(RequestSeq(3));
  EXPECT_EQ(results.Find(RequestSeq(2)), nullptr);
  EXPECT_NE(results.Find(RequestSeq(3)), nullptr);
  results.Trim(RequestSeq(2));
  EXPECT_EQ(results.first(), RequestSeq(3));
  EXPECT_EQ(results.digest(), results.DigestSlow());
}

TEST(Results, ReviseChangesOnlyWhatIsKept) {
  Results results;
  results.Put(RequestSeq(2), WithCode(v1::QUEUED));
  results.Revise(RequestSeq(2), WithCode(v1::OK));
  results.Revise(RequestSeq(3), WithCode(v1::OK));
  EXPECT_EQ(results.Find(RequestSeq(2))->code, v1::OK);
  EXPECT_EQ(results.Find(RequestSeq(3)), nullptr);
  EXPECT_EQ(results.digest(), results.DigestSlow());
}

TEST(Results, GiveUpSettlesOnlyWhatIsOpen) {
  Results results;
  results.Put(RequestSeq(2), WithCode(v1::OK));
  results.Trim(RequestSeq(2));
  for (uint64_t seq = 1; seq <= 3; ++seq) results.GiveUp(RequestSeq(seq), HandleId(9));
  EXPECT_EQ(results.Find(RequestSeq(1)), nullptr);
  EXPECT_EQ(results.Find(RequestSeq(2))->code, v1::OK);
  EXPECT_EQ(results.Find(RequestSeq(3))->code, v1::CANCELLED);
  EXPECT_EQ(results.Find(RequestSeq(3))->handle, HandleId(9));
}

TEST(Results, AResultCarriesEveryFieldThroughAnOutcome) {
  Result result;
  result.code = v1::EXISTS;
  result.lock_mode = v1::SHARED;
  result.created = result.directory = result.ephemeral = true;
  result.handle = HandleId(1);
  result.instance = Position(2);
  result.content_generation = 3;
  result.content_length = 4;
  result.checksum = 5;
  result.lock_generation = Position(6);
  v1::Outcome outcome;
  ToOutcome(result, outcome);
  EXPECT_EQ(FromOutcome(outcome), result);
}

TEST(Results, DigestSeesEveryField) {
  const auto digest_with = [](auto change) {
    Result result;
    change(result);
    Results results;
    results.Put(RequestSeq(1), result);
    return results.digest();
  };
  std::set<uint64_t> digests;
  digests.insert(digest_with([](Result&) {}));
  digests.insert(digest_with([](Result& r) { r.code = v1::BUSY; }));
  digests.insert(digest_with([](Result& r) { r.lock_mode = v1::SHARED; }));
  digests.insert(digest_with([](Result& r) { r.created = true; }));
  digests.insert(digest_with([](Result& r) { r.directory = true; }));
  digests.insert(digest_with([](Result& r) { r.ephemeral = true; }));
  digests.insert(digest_with([](Result& r) { r.handle = HandleId(1); }));
  digests.insert(digest_with([](Result& r) { r.instance = Position(1); }));
  digests.insert(digest_with([](Result& r) { r.content_generation = 1; }));
  digests.insert(digest_with([](Result& r) { r.content_length = 1; }));
  digests.insert(digest_with([](Result& r) { r.checksum = 1; }));
  digests.insert(digest_with([](Result& r) { r.lock_generation = Position(1); }));
  EXPECT_EQ(digests.size(), 12u);
}

// [C-22]
TEST(Session, HandleIdsAreSpentForEver) {
  Session session(SessionId(1), {1, 1}, "me");
  EXPECT_FALSE(session.Spent(HandleId(4)));
  session.Open(HandleId(4), {Position(9), true, true, false, 0, 0, 0, Position()});
  EXPECT_TRUE(session.Spent(HandleId(4)));
  session.Close(HandleId(4));
  EXPECT_EQ(session.Find(HandleId(4)), nullptr);
  EXPECT_TRUE(session.Spent(HandleId(4)));
  EXPECT_EQ(session.digest(), session.DigestSlow());
}

TEST(SessionTable, FindsByIdAndByNonceAndForgetsBoth) {
  SessionTable table;
  const uint64_t empty = table.digest();
  ASSERT_NE(table.Create(SessionId(5), {1, 2}, "me"), nullptr);
  EXPECT_EQ(table.Create(SessionId(5), {3, 4}, "me"), nullptr);
  EXPECT_EQ(table.Create(SessionId(6), {1, 2}, "me"), nullptr);
  EXPECT_EQ(table.WithNonce({1, 2}), SessionId(5));
  EXPECT_FALSE(table.WithNonce({2, 1}));
  table.Remove(SessionId(5));
  EXPECT_EQ(table.Find(SessionId(5)), nullptr);
  EXPECT_FALSE(table.WithNonce({1, 2}));
  EXPECT_EQ(table.digest(), empty);
}

TEST(SessionTable, DigestFollowsHandlesClosedIdsAndAnswers) {
  SessionTable table;
  Session& session = *table.Create(SessionId(5), {1, 2}, "me");
  uint64_t last = table.digest();
  const auto expect_changed = [&] {
    table.Refresh(session);
    EXPECT_NE(table.digest(), last);
    EXPECT_EQ(table.digest(), table.DigestSlow());
    last = table.digest();
  };
  session.Open(HandleId(1), {Position(9), true, true, false, 0, 0, 0, Position()});
  expect_changed();
  session.Close(HandleId(1));
  expect_changed();
  session.results.Put(RequestSeq(1), Result());
  expect_changed();
  session.results.Trim(RequestSeq(2));
  expect_changed();
}

}  // namespace
}  // namespace bramah::session

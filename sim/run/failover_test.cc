// What a fail-over is to clients, read from the trace of one run: the first master is killed while they hold handles and locks.
#include <set>
#include <string>

#include "sim/run/run_trace.h"

namespace bramah::sim {
namespace {

constexpr char kPlan[] = R"(
  version: 1 seed: 1 duration_ns: 12000000000 replicas: 3 clients: 6 knobs { client_cache: true }
  network { delay_min_ns: 100000 delay_max_ns: 1000000 }
  disk { write_min_ns: 10000 write_max_ns: 50000 sync_min_ns: 100000 sync_max_ns: 1000000 }
  operation { kind: LOCK client: "c1" at_ns: 2000000000 path: "/l" hold_ns: 8000000000 }
  operation { kind: LOCK client: "c2" at_ns: 3000000000 path: "/l" hold_ns: 1000 }
  operation { kind: SET client: "c3" at_ns: 2000000000 path: "/f" bytes: 10 }
  operation { kind: SET client: "c3" at_ns: 8000000000 path: "/f" bytes: 10 }
  fault { kind: CRASH_PROCESS on { event: "MasterServing" ordinal: 1 after_ns: 4000000000 } }
)";

class FailOver : public RunTrace {
 protected:
  void SetUp() override {
    Run(kPlan);
    ASSERT_EQ(masters_.size(), 2u);
    ASSERT_NE(masters_[0].process, masters_[1].process);
  }
};

// [C-64, C-67]
TEST_F(FailOver, TheHolderKeepsItsLockAndTheWaiterItsPlace) {
  const Time over = masters_[1].at;
  EXPECT_LT(Once("c1", "LockHeld"), over);
  EXPECT_GT(Once("c1", "LockDropped"), over);
  EXPECT_GT(Once("c2", "LockHeld"), Once("c1", "LockDropped"));
  EXPECT_LT(Asked("c2", v1::ACQUIRE).front().first, over);
  for (const char* client : {"c1", "c2", "c3"}) EXPECT_LT(Once(client, "SessionOpened"), over);
}

// [C-64] Steps 3 to 7: the new master takes over all sessions, answers KeepAlives only, and serves when the last of those who
// keep answers has heard of it.
TEST_F(FailOver, TheNewMasterServesWhenEveryCacheIsFlushed) {
  const std::string master = masters_[1].process;
  Time taken_over = 0;
  std::set<uint64_t> granted;
  for (const Told& told : told_) {
    if (told.process != master || told.at > masters_[1].at) continue;
    if (told.Is("MasterRecovering")) taken_over = told.at;
    if (taken_over == 0) continue;
    if (told.Is("MasterServing")) break;
    const auto reply = told.Sent<v1::Reply>();
    EXPECT_TRUE(!reply.has_value() || reply->outcome().code() == v1::WRONG_EPOCH) << reply->ShortDebugString();
    const auto kept = told.Sent<v1::KeepAliveReply>();
    if (kept.has_value() && kept->code() == v1::OK) granted.insert(kept->session());
  }
  EXPECT_GT(taken_over, 0);
  EXPECT_GE(granted.size(), 5u) << "the last one is answered in the very step that ends the wait, or after it";
}

// [C-05, C-64]
TEST_F(FailOver, C21AHandleOfBeforeIsGoodAfterwards) {
  EXPECT_EQ(Asked("c3", v1::OPEN).size(), 1u);
  const auto sets = Asked("c3", v1::SET_CONTENTS);
  ASSERT_EQ(sets.size(), 2u);
  EXPECT_GT(sets[1].first, masters_[1].at);
  EXPECT_EQ(sets[1].second.handle(), sets[0].second.handle());
  const v1::Outcome last = Answers("c3").back().second;
  EXPECT_EQ(last.code(), v1::OK);
  EXPECT_EQ(last.content_generation(), 3u);
}

TEST_F(FailOver, C65ARequestOfTheOldEpochIsRefusedWithTheNewOne) {
  std::set<uint64_t> refused;
  for (const Told& told : told_) {
    const auto reply = told.Sent<v1::KeepAliveReply>();
    if (!reply.has_value() || reply->code() != v1::WRONG_EPOCH) continue;
    refused.insert(reply->session());
    EXPECT_EQ(told.process, masters_[1].process);
    EXPECT_EQ(reply->epoch(), masters_[1].effect["epoch"]);
  }
  EXPECT_EQ(refused.size(), 6u);  // every client learns of it
}

TEST_F(FailOver, C66EveryReplicaSaysWhereTheMasterIs) {
  std::set<std::string> said;
  for (const Told& told : told_) {
    const auto reply = told.Sent<v1::CreateSessionReply>();
    if (!reply.has_value() || reply->code() != v1::NOT_MASTER || told.at < masters_[0].at) continue;
    said.insert(told.process);
    EXPECT_EQ(reply->located().endpoint(), masters_[0].process);
  }
  EXPECT_EQ(said.size(), 2u);
  EXPECT_EQ(said.count(masters_[0].process), 0u);
}

TEST_F(FailOver, C62NobodyDialsAClient) {
  int dialled = 0;
  for (const Told& told : told_) {
    if (told.effect["effect"] != "connect") continue;
    EXPECT_EQ(told.effect["endpoint"].get<std::string>()[0], 'r');
    dialled += told.process[0] == 'c';
  }
  EXPECT_GE(dialled, 12);  // each client found both masters
}

}  // namespace
}  // namespace bramah::sim

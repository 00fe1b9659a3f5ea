// What a fail-over is to clients, read from the trace of one run: the first master is killed while they hold handles and locks.
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/time.h"
#include "core/wire/wire.pb.h"
#include "sim/plan/plan.h"
#include "sim/run/run.h"

namespace bramah::sim {
namespace {

using Json = nlohmann::json;

constexpr char kPlan[] = R"(
  version: 1 seed: 1 duration_ns: 12000000000 replicas: 3 clients: 6
  network { delay_min_ns: 100000 delay_max_ns: 1000000 }
  disk { write_min_ns: 10000 write_max_ns: 50000 sync_min_ns: 100000 sync_max_ns: 1000000 }
  operation { kind: LOCK client: "c1" at_ns: 2000000000 path: "/l" hold_ns: 8000000000 }
  operation { kind: LOCK client: "c2" at_ns: 3000000000 path: "/l" hold_ns: 1000 }
  operation { kind: SET client: "c3" at_ns: 2000000000 path: "/f" bytes: 10 }
  operation { kind: SET client: "c3" at_ns: 8000000000 path: "/f" bytes: 10 }
  fault { kind: CRASH_PROCESS on { event: "MasterServing" ordinal: 1 after_ns: 4000000000 } }
)";

// One effect of a step.
struct Told {
  Time at;
  std::string process;
  Json effect;

  bool Is(const std::string& event) const { return effect["effect"] == "event" && effect["event"] == event; }
  // The message, if it is an M.
  template <class M>
  std::optional<M> Sent() const {
    if (effect["effect"] != "send" || effect["message"] != M::descriptor()->name()) return std::nullopt;
    M message;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(effect["body"], &message));
    return message;
  }
};

class FailOver : public testing::Test {
 protected:
  void SetUp() override {
    const auto plan = ParsePlan(kPlan);
    ASSERT_TRUE(plan.ok()) << plan.status();
    RunOptions options;
    options.trace = [this](const std::string& line) {
      const Json step = Json::parse(line);
      if (!step.contains("effects")) return;  // the header
      for (const Json& effect : step["effects"]) told_.push_back({step["at_ns"], step["process"], effect});
    };
    const RunResult result = RunPlan(*plan, options);
    ASSERT_EQ(result.verdict, Verdict::kOk) << result.note;
    for (const Told& told : told_) {
      if (told.Is("MasterServing")) masters_.push_back(told);
    }
    ASSERT_EQ(masters_.size(), 2u);
    ASSERT_NE(masters_[0].process, masters_[1].process);
  }
  // When `process` told of `event`; exactly once.
  Time Once(const std::string& process, const std::string& event) const {
    std::vector<Time> times;
    for (const Told& told : told_) {
      if (told.process == process && told.Is(event)) times.push_back(told.at);
    }
    EXPECT_EQ(times.size(), 1u) << process << " " << event;
    return times.empty() ? 0 : times[0];
  }
  // The Requests of `client` for calls of `kind`.
  std::vector<std::pair<Time, v1::Command>> Asked(const std::string& client, v1::CommandKind kind) const {
    std::vector<std::pair<Time, v1::Command>> asked;
    for (const Told& told : told_) {
      const auto request = told.process == client ? told.Sent<v1::Request>() : std::nullopt;
      if (request.has_value() && request->command().kind() == kind) asked.emplace_back(told.at, request->command());
    }
    return asked;
  }

  std::vector<Told> told_;
  std::vector<Told> masters_;  // what each said when it began to serve
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

// [C-05, C-64]
TEST_F(FailOver, C21AHandleOfBeforeIsGoodAfterwards) {
  EXPECT_EQ(Asked("c3", v1::OPEN).size(), 1u);
  const auto sets = Asked("c3", v1::SET_CONTENTS);
  ASSERT_EQ(sets.size(), 2u);
  EXPECT_GT(sets[1].first, masters_[1].at);
  EXPECT_EQ(sets[1].second.handle(), sets[0].second.handle());
  v1::Outcome last;
  for (const Told& told : told_) {
    if (told.process != "c3" || told.effect["effect"] != "reply") continue;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(told.effect["outcome"], &last));
  }
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

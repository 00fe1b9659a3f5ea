// What becomes of locks in whole runs: kept ones, those with several permits, and those of a client that is not heard of.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "sim/run/run_trace.h"

namespace bramah::sim {
namespace {

constexpr char kQuiet[] = R"(
  version: 1 seed: 1 duration_ns: 30000000000 replicas: 3 clients: 3
  network { delay_min_ns: 100000 delay_max_ns: 1000000 }
  disk { write_min_ns: 10000 write_max_ns: 50000 sync_min_ns: 100000 sync_max_ns: 1000000 }
)";

std::string Lock(const char* client, int seconds, const char* path, int for_seconds, const char* more = "") {
  return std::string("operation { kind: LOCK client: \"") + client + "\" at_ns: " + std::to_string(seconds) +
         "000000000 path: \"" + path + "\" hold_ns: " + std::to_string(for_seconds) + "000000000 " + more + " }\n";
}

class Holding : public RunTrace {
 protected:
  // By whom and when the lock was believed to be held.
  std::vector<std::pair<std::string, Time>> Held() const {
    std::vector<std::pair<std::string, Time>> held;
    for (const Told& told : told_) {
      if (told.Is("LockHeld")) held.emplace_back(told.process, told.at);
    }
    return held;
  }
};

// [C-43, C-49]
TEST_F(Holding, ALockIsAskedForOnceUntilSomebodyElseWantsIt) {
  Run(std::string(kQuiet) + "knobs { cache_locks: true }\n" + Lock("c1", 2, "/l", 1) + Lock("c1", 4, "/l", 1) +
      Lock("c1", 6, "/l", 1) + Lock("c2", 10, "/l", 1) + Lock("c1", 12, "/l", 1));
  EXPECT_EQ(Held().size(), 5u);
  EXPECT_EQ(Asked("c1", v1::ACQUIRE).size(), 2u);
  const auto released = Asked("c1", v1::RELEASE);
  ASSERT_GE(released.size(), 1u);
  EXPECT_GT(released[0].first, 10 * kSecond);
  EXPECT_LT(released[0].first, 11 * kSecond) << "as soon as the other one asked";
}

TEST_F(Holding, SoManyHoldSideBySideAsThereArePermits) {
  Run(std::string(kQuiet) + Lock("c1", 2, "/s", 4, "permits: 2") + Lock("c2", 3, "/s", 9, "permits: 2") +
      Lock("c3", 4, "/s", 1, "permits: 2"));
  const auto held = Held();
  ASSERT_EQ(held.size(), 3u);
  EXPECT_LT(held[1].second, Once("c1", "LockDropped"));
  EXPECT_EQ(held[2].first, "c3");
  EXPECT_GT(held[2].second, Once("c1", "LockDropped")) << "when one of the two let go";
  EXPECT_LT(held[2].second, Once("c2", "LockDropped"));
}

TEST_F(Holding, IsNotChangedByAcquiringAgain) {
  Run(std::string(kQuiet) + Lock("c1", 2, "/l", 3, "again: true") +
      "operation { kind: LOCK client: \"c2\" at_ns: 10000000001 path: \"/l\" hold_ns: 3000000000 again: true }\n");
  const auto held = Held();
  ASSERT_EQ(held.size(), 2u);
  for (const char* client : {"c1", "c2"}) {
    EXPECT_EQ(Asked(client, v1::ACQUIRE).size(), 2u);
    EXPECT_GT(Once(client, "LockDropped"), held[client[1] == '1' ? 0 : 1].second + 3 * kSecond);
  }
  const auto answered = [&](const char* client, v1::Code code) {
    const auto answers = Answers(client);
    return std::count_if(answers.begin(), answers.end(), [&](const auto& answer) { return answer.second.code() == code; });
  };
  EXPECT_EQ(answered("c1", v1::BUSY), 1) << "in the other mode";
  EXPECT_EQ(answered("c2", v1::BUSY), 0) << "in the same";
}

TEST_F(Holding, HandlesThatAreForgottenMeetTheQuotaUntilTheSessionEnds) {
  std::string plan = std::string(kQuiet) + "knobs { session_handles_max: 3 }\n";
  for (int second = 2; second < 10; ++second) {
    const std::string at = "client: \"c1\" at_ns: " + std::to_string(second) + "000000000 ";
    plan += "operation { " + at + (second == 7 ? "kind: END_SESSION" : "kind: LEAK path: \"/f\"") + " }\n";
  }
  Run(plan);
  std::vector<Time> refused;
  for (const auto& [at, outcome] : Answers("c1")) {
    if (outcome.code() == v1::TOO_MANY_HANDLES) refused.push_back(at / kSecond);
  }
  EXPECT_EQ(refused, (std::vector<Time>{5, 6}));
}

// [A-07]
TEST_F(Holding, WhoIsToldThatItsSessionIsOverIsToldWhy) {
  Run(std::string(kQuiet) + Lock("c1", 2, "/l", 25) +
      "fault { kind: CUT at_ns: 4000000000 from: \"c1\" to: \"r*\" for_ns: 20000000000 }\n");
  size_t told = 0;
  for (const Told& effect : told_) {
    const auto reply = effect.Sent<v1::KeepAliveReply>();
    if (!reply.has_value() || reply->code() != v1::SESSION_EXPIRED) continue;
    EXPECT_EQ(reply->reason(), static_cast<uint32_t>(v1::END_NO_KEEPALIVE));
    ++told;
  }
  EXPECT_GT(told, 0u);
}

}  // namespace
}  // namespace bramah::sim

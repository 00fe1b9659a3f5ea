// What caching is to clients, read from the trace of one run.
#include <algorithm>
#include <string>

#include "sim/run/run_trace.h"

namespace bramah::sim {
namespace {

constexpr char kBegin[] = R"(
  version: 1 seed: 1 duration_ns: 20000000000 replicas: 3 clients: 3 knobs { client_cache: true lease_ns: 6000000000 }
  network { delay_min_ns: 100000 delay_max_ns: 1000000 }
  disk { write_min_ns: 10000 write_max_ns: 50000 sync_min_ns: 100000 sync_max_ns: 1000000 }
  operation { kind: SET client: "c2" at_ns: 2000000000 path: "/f" bytes: 10 }
  operation { kind: GET client: "c1" at_ns: 3000000000 path: "/f" }
  operation { kind: GET client: "c1" at_ns: 4000000000 path: "/f" }
  operation { kind: SET client: "c2" at_ns: 5000000000 path: "/f" bytes: 10 }
)";

class Caching : public RunTrace {
 protected:
  // How long the client's last call took, which was one of `kind`; it may have been sent more than once.
  Duration LastTook(const std::string& client, v1::CommandKind kind) const {
    const auto asked = Asked(client, kind);
    Time first = asked.back().first;
    for (const auto& [at, command] : asked) {
      if (command.seq() != 0 && command.seq() == asked.back().second.seq()) first = std::min(first, at);
    }
    return Answers(client).back().first - first;
  }
  // When something of this kind was told to any session first; 0: never.
  Time FirstItem(v1::ItemKind kind) const {
    for (const Told& told : told_) {
      const auto kept = told.Sent<v1::KeepAliveReply>();
      if (!kept.has_value()) continue;
      for (const v1::SessionItem& item : kept->items()) {
        if (item.kind() == kind) return told.at;
      }
    }
    return 0;
  }
};

// [C-45]
TEST_F(Caching, TheSecondReadAsksNobodyAndTheOneAfterAWriteSeesIt) {
  Run(std::string(kBegin) + R"(operation { kind: GET client: "c1" at_ns: 6000000000 path: "/f" })");
  EXPECT_EQ(Asked("c1", v1::GET_CONTENTS).size(), 2u);
  EXPECT_NE(Once("c1", "CacheHit"), 0);
  EXPECT_EQ(Answers("c1").back().second.content_generation(), Answers("c2").back().second.content_generation());
}

TEST_F(Caching, C48AnOpenCloseLoopAsksOnceUntilTheFileIsWritten) {
  std::string loop;
  for (int second = 8; second < 18; second += 2) {
    loop += "operation { kind: CLOSE client: \"c1\" at_ns: " + std::to_string(second) + "000000000 path: \"/f\" }\n";
    loop += "operation { kind: GET client: \"c1\" at_ns: " + std::to_string(second + 1) + "000000000 path: \"/f\" }\n";
  }
  // Its handle of before the write is closed in vain, then once more.
  std::string plan = std::string(kBegin) + loop;
  plan.replace(plan.find("client_cache"), 0, "cache_handles: true ");
  Run(plan);
  EXPECT_EQ(Asked("c1", v1::OPEN).size(), 2u);
  EXPECT_EQ(Asked("c1", v1::CLOSE).size(), 1u);
}

// [C-50]
TEST_F(Caching, AWriteIsProposedAfterTheCacheHasLetGo) {
  Run(kBegin);
  const Time held = Once(masters_[0].process, "WriteHeld");
  const Time told = FirstItem(v1::ITEM_INVALIDATE);
  Time acknowledged = 0;
  Time applied = 0;
  for (const Told& effect : told_) {
    const auto kept = effect.process == "c1" ? effect.Sent<v1::KeepAlive>() : std::nullopt;
    if (kept.has_value() && kept->acknowledged() > 0 && acknowledged == 0) acknowledged = effect.at;
    const bool write = effect.Is("Applied") && effect.effect["command"] == "SET_CONTENTS";
    if (write && effect.at > held && applied == 0) applied = effect.at;
  }
  EXPECT_GE(told, held);
  EXPECT_GT(acknowledged, told);
  EXPECT_GT(applied, acknowledged);
  EXPECT_LT(LastTook("c2", v1::SET_CONTENTS), 50 * kMillisecond);
}

TEST_F(Caching, C52ADeadCacheDelaysAWriteForWhatIsLeftOfItsLease) {
  Run(std::string(kBegin) + R"(fault { kind: STOP_CLIENT process: "c1" at_ns: 4500000000 })");
  const Duration took = LastTook("c2", v1::SET_CONTENTS);
  EXPECT_GT(took, kSecond);
  // It died half a second before, with a KeepAlive at the master: answering that must not extend the lease.
  EXPECT_LE(took, 5'500 * kMillisecond);
}

TEST_F(Caching, C51AReadWhileAWriteWaitsIsAnsweredAtOnceAndNotKept) {
  Run(std::string(kBegin) + R"(
    fault { kind: STOP_CLIENT process: "c1" at_ns: 4500000000 }
    operation { kind: GET client: "c3" at_ns: 5500000000 path: "/f" }
    operation { kind: GET client: "c3" at_ns: 5600000000 path: "/f" })");
  EXPECT_LT(LastTook("c3", v1::GET_CONTENTS), 50 * kMillisecond);
  EXPECT_EQ(Asked("c3", v1::GET_CONTENTS).size(), 2u);
}

// [A-03]
TEST_F(Caching, ADeadReaderOfContentsDelaysNoLock) {
  Run(std::string(kBegin) + R"(
    fault { kind: STOP_CLIENT process: "c1" at_ns: 4500000000 }
    operation { kind: LOCK client: "c3" at_ns: 4600000000 path: "/f" hold_ns: 1000 })");
  EXPECT_LT(Once("c3", "LockDropped"), 4'700 * kMillisecond);
}

// [A-15] A client that died delays a fail-over, because nobody knows what it keeps.
TEST_F(Caching, ANewMasterWaitsForTheLeaseOfAClientThatDied) {
  Run(std::string(kBegin) + R"(
    fault { kind: STOP_CLIENT process: "c1" at_ns: 4500000000 }
    fault { kind: CRASH_PROCESS on { event: "MasterServing" ordinal: 1 after_ns: 4400000000 } })");
  ASSERT_EQ(masters_.size(), 2u);
  EXPECT_GT(masters_[1].at - Once(masters_[1].process, "MasterRecovering"), 5 * kSecond);
}

}  // namespace
}  // namespace bramah::sim

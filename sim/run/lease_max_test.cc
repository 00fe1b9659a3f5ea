// Longer leases under load, read from the trace of one run: most clients of a crowd die, and Lmax follows [C-63, D-08, A-13].
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "sim/run/run_trace.h"

namespace bramah::sim {
namespace {

constexpr Duration kLease = 4 * kSecond;

// The crowd is there from the beginning, which makes leases of about 12 s, and dies at 10 s. Its sessions lapse until 33 s.
constexpr char kCrowd[] = R"(
  version: 1 seed: 1 duration_ns: 56000000000 replicas: 3 clients: 12
  knobs { client_cache: true lease_ns: 4000000000 keepalive_margin_ns: 1600000000 keepalive_spacing_ns: 1000000000 }
  network { delay_min_ns: 100000 delay_max_ns: 1000000 }
  disk { write_min_ns: 10000 write_max_ns: 50000 sync_min_ns: 100000 sync_max_ns: 1000000 }
  operation { kind: SET client: "c1" at_ns: 2000000000 path: "/f" bytes: 10 }
  operation { kind: SET client: "c1" at_ns: 52000000000 path: "/f" bytes: 10 }
  fault { kind: STOP_CLIENT process: "c4" process: "c5" process: "c6" process: "c7" process: "c8" process: "c9" process: "c10"
          process: "c11" process: "c12" at_ns: 10000000000 }
)";
constexpr Time kCrowdDies = 10 * kSecond;
constexpr Time kEnd = 56 * kSecond;

class LeaseMax : public RunTrace {
 protected:
  struct Proposal {
    Time at;
    std::string process;
    Duration lease_max;
  };
  struct Grant {
    Time at;
    std::string process;
    Duration lease;
    bool first;  // with CreateSession's answer
  };

  // Runs, and holds every grant against the entries that its master had applied.
  void RunAndCheck(const std::string& text) {
    Run(text);
    std::map<std::string, Duration> lease_max;
    std::map<uint64_t, Duration> by_index;
    for (size_t i = 0; i < told_.size(); ++i) {
      const Told& told = told_[i];
      lease_max.try_emplace(told.process, kLease);
      if (told.Is("LeaseMaxProposed")) {
        const Duration wanted = told.effect["time_ns"];
        ASSERT_TRUE(told_[i + 1].Is("EntryAppended"));
        by_index[told_[i + 1].effect["index"]] = wanted;
        CheckProposal(told.at, wanted);
        proposals_.push_back({told.at, told.process, wanted});
        longest_ = std::max(longest_, wanted);
        lease_max[told.process] = std::min(lease_max[told.process], wanted);  // binds whoever proposes less at once
      }
      const bool set = told.Is("Applied") && told.effect["command"] == "SET_LEASE_MAX";
      if (set) lease_max[told.process] = by_index.at(told.effect["index"]);
      const auto kept = told.Sent<v1::KeepAliveReply>();
      if (kept.has_value() && kept->code() == v1::OK) CheckGrant(told, kept->lease_ns(), false, lease_max[told.process]);
      const auto created = told.Sent<v1::CreateSessionReply>();
      if (created.has_value() && created->code() == v1::OK) CheckGrant(told, created->lease_ns(), true, lease_max[told.process]);
    }
  }
  void CheckGrant(const Told& told, Duration lease, bool first, Duration lease_max) {
    EXPECT_LE(lease, lease_max) << told.process << " at " << told.at;
    grants_.push_back({told.at, told.process, lease, first});
  }
  // No lease is left that is longer than what is proposed, whichever master granted it.
  void CheckProposal(Time at, Duration wanted) const {
    for (const Grant& grant : grants_) {
      if (grant.lease <= wanted) continue;
      EXPECT_GT(at, grant.at + grant.lease) << "granted at " << grant.at << " by " << grant.process;
    }
  }
  Duration LongestGrant(Time from, Time to) const {
    Duration longest = 0;
    for (const Grant& grant : grants_) {
      if (grant.at >= from && grant.at < to) longest = std::max(longest, grant.lease);
    }
    return longest;
  }

  std::vector<Proposal> proposals_;
  std::vector<Grant> grants_;
  Duration longest_ = 0;  // Lmax while the crowd was there
};

TEST_F(LeaseMax, C63ItRisesBeforeLeasesDoAndFallsAfterTheyHaveLapsed) {
  RunAndCheck(kCrowd);
  ASSERT_EQ(masters_.size(), 1u);
  ASSERT_GE(proposals_.size(), 3u);
  EXPECT_GT(proposals_.front().lease_max, kLease);
  EXPECT_LT(proposals_.front().at, 3 * kSecond);
  EXPECT_EQ(LongestGrant(0, proposals_.front().at), kLease);
  EXPECT_GT(longest_, 10 * kSecond);
  EXPECT_EQ(LongestGrant(proposals_.front().at, kCrowdDies), longest_);
  // Three sessions are left.
  EXPECT_LT(proposals_.back().lease_max, 6 * kSecond);
  EXPECT_GT(proposals_.back().at, kCrowdDies + longest_);
  EXPECT_LT(LongestGrant(proposals_.back().at, kEnd), 6 * kSecond);
}

// [C-63] A-13, PR-25: the answer that opens a session is a grant, and must not promise what is only wanted.
TEST_F(LeaseMax, TheFirstLeaseOfASessionIsBoundTo) {
  RunAndCheck(std::string(kCrowd) + R"(fault { kind: CRASH_PROCESS process: "c4" at_ns: 9000000000 for_ns: 500000000 })");
  Duration longest = 0;
  for (const Grant& grant : grants_) {
    if (grant.first) longest = std::max(longest, grant.lease);
  }
  EXPECT_GT(longest, kLease);
}

// [C-63] L3: nobody knows what the dead ones of a crowd may still answer from their caches.
TEST_F(LeaseMax, AFailOverWaitsForTheLongestLease) {
  RunAndCheck(std::string(kCrowd) + R"(
    fault { kind: CRASH_PROCESS on { event: "MasterServing" ordinal: 1 after_ns: 10500000000 } })");
  ASSERT_EQ(masters_.size(), 2u);
  const Time taken_over = Once(masters_[1].process, "MasterRecovering");
  EXPECT_GT(taken_over, kCrowdDies);
  EXPECT_GE(masters_[1].at, taken_over + longest_);
  EXPECT_LT(masters_[1].at, taken_over + longest_ + kSecond);
}

// [C-63] A-13, PR-27: the crowd is gone when the second master takes over, and it grants short leases only. Still it keeps the
// large Lmax for as long as a lease of its predecessor may last, for a third one may follow.
TEST_F(LeaseMax, AMasterThatGrantedNothingLongWaitsToo) {
  const std::string plan = std::string(kCrowd) + R"(
    fault { kind: CRASH_PROCESS on { event: "MasterServing" ordinal: 1 after_ns: 33000000000 } })";
  RunAndCheck(plan);
  ASSERT_EQ(masters_.size(), 2u);
  const Time taken_over = Once(masters_[1].process, "MasterRecovering");
  for (const Proposal& proposal : proposals_) EXPECT_TRUE(proposal.at < kCrowdDies || proposal.at > taken_over);
  EXPECT_LT(LongestGrant(taken_over, kEnd), 6 * kSecond);
  EXPECT_EQ(proposals_.back().process, masters_[1].process);
  EXPECT_GT(proposals_.back().at, taken_over + longest_);
  EXPECT_LT(proposals_.back().at, taken_over + longest_ + kSecond);
}

}  // namespace
}  // namespace bramah::sim

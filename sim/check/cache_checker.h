// Two checkers of the client cache [Chubby §2.7].
//
// cache.no_stale_read   what an active client would answer from its cache is what the newest state says (L4). Looked at whenever
//                       the newest state or a cache has changed, not only when somebody reads. Needs clocks within rho.
// cache.write_wait      no write waits for longer than a lease after the last cache was told for its sake [INV-16]
#ifndef BRAMAH_SIM_CHECK_CACHE_CHECKER_H_
#define BRAMAH_SIM_CHECK_CACHE_CHECKER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "core/cell/cell.h"
#include "core/client/cache.h"
#include "core/client/client.h"
#include "core/replica/view.h"
#include "sim/check/acl_checker.h"
#include "sim/check/local_clock.h"
#include "sim/check/reporter.h"

namespace bramah::sim {

class CacheChecker {
 public:
  CacheChecker(const std::vector<LocalClock>& clocks, Reporter* reporter)
      : reporter_(reporter), acls_(reporter), clocks_(clocks), clients_(clocks.size()) {}

  void ClockChanged(uint32_t client, const LocalClock& clock) { clocks_[client - 1] = clock; }

  void AfterStep(Time at, uint32_t client, const client::ClientView& view);
  void Stopped(uint32_t client);
  // `newest` is the state after the last entry that any replica has applied.
  void Look(Time at, const cell::Cell& newest);

 private:
  struct Client {
    Time local_end = 0;    // when it stops to believe, by its own clock
    bool active = false;   // it believes at all
    SessionId session;
    uint64_t version = 0;  // of its cache
    bool fresh = false;    // the cache has changed since the last look
    client::Cache::Answers answers;
  };

  // A number that changes with what the answer depends on.
  static uint64_t StateOf(const cell::Cell& cell, const client::Cache::Key& key, const client::Cache::Answer& answer);
  void Check(Time at, uint32_t client, const client::Cache::Key& key, const client::Cache::Answer& answer,
             const cell::Cell& newest);
  // What is wrong with a kept OPEN that found a node; empty: nothing.
  std::string CheckOpen(Time at, uint32_t client, const client::Cache::Key& key, const client::Cache::Answer& answer,
                        const cell::Cell& newest);

  Reporter* reporter_;
  AclChecker acls_;
  std::vector<LocalClock> clocks_;
  std::vector<Client> clients_;
  absl::btree_set<uint32_t> keepers_;         // clients that keep answers, or did at the last look
  bool any_fresh_ = false;
  absl::btree_map<uint64_t, uint64_t> seen_;  // state at the last look, by id of what somebody keeps
  Position looked_;                           // position of that state
};

class WriteWaitChecker {
 public:
  WriteWaitChecker(const std::vector<LocalClock>& clocks, Reporter* reporter)
      : reporter_(reporter), clocks_(clocks), late_(clocks.size()) {}

  void ClockChanged(ReplicaId replica, const LocalClock& clock) { clocks_[replica.value() - 1] = clock; }
  // REQUIRES: view.held_since != kNever.
  void AfterStep(Time at, ReplicaId replica, const replica::ServerView& view);

 private:
  struct Late {
    Time since = kNever;  // of the write
    Time seen = 0;        // when it was found to be late first
  };

  Reporter* reporter_;
  std::vector<LocalClock> clocks_;
  std::vector<Late> late_;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_CACHE_CHECKER_H_

// What clients believe about locks.
//
//   lock.two_believers  at no real instant do two clients with running local leases believe that they hold conflicting locks
//                       [INV-2, L5]; needs clocks within rho
//   lock.generation     a generation names one period of one lock: two exclusive beliefs never share it, and a belief that starts
//                       later carries a higher one [INV-8]
//
// A belief ends by itself when the local lease runs out, and returns without any call when a KeepAlive is answered late but in
// time; so conflicts are looked for whenever a lock or a lease starts to be believed, never only when locks are taken.
#ifndef BRAMAH_SIM_CHECK_BELIEF_CHECKER_H_
#define BRAMAH_SIM_CHECK_BELIEF_CHECKER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/client/client.h"
#include "sim/check/local_clock.h"
#include "sim/check/reporter.h"

namespace bramah::sim {

class BeliefChecker {
 public:
  BeliefChecker(const std::vector<LocalClock>& clocks, bool clocks_within_rho, Reporter* reporter);

  void AfterStep(Time at, uint32_t client, const client::ClientView& view);
  void Stopped(uint32_t client);
  // What it believed until now it may go on to believe for longer.
  void ClockChanged(Time at, uint32_t client, const LocalClock& clock);

 private:
  struct Believer {
    client::SessionState state = client::SessionState::kNone;
    SessionId session;
    Time local_end = 0;
    Time end = 0;  // real; 0: believes nothing
    std::vector<client::HeldLock> held;
  };
  struct Claim {
    uint32_t client = 0;
    HandleId handle;
    v1::LockMode mode = v1::FREE;
    Position generation;
    uint32_t permit = 0;
  };
  // Who was first seen to believe in a generation.
  struct Owner {
    uint32_t client = 0;
    SessionId session;
    HandleId handle;
    v1::LockMode mode = v1::FREE;
  };

  static bool SameLocks(const std::vector<client::HeldLock>& a, const std::vector<client::HeldLock>* b);
  void Index(uint32_t client, const Believer& believer);
  void Unindex(uint32_t client, const Believer& believer);
  void CheckConflicts(Time at, uint32_t client, const client::HeldLock& lock);
  void CheckGeneration(Time at, uint32_t client, const client::HeldLock& lock);

  Reporter* reporter_;
  std::vector<LocalClock> clocks_;
  bool clocks_within_rho_;
  std::vector<Believer> believers_;  // by number - 1
  absl::btree_map<std::string, std::vector<Claim>> claims_;
  absl::btree_map<std::pair<std::string, uint32_t>, absl::btree_map<Position, Owner>> generations_;  // by path and permit
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_BELIEF_CHECKER_H_

// session.lease_order: no session is expired, anywhere, while its client may still rely on it, nor does a client's local lease
// ever reach beyond the expiry [INV-5, L2, L3]. An end that the client asked for is exempt. Needs clocks within rho.
#ifndef BRAMAH_SIM_CHECK_SESSION_CHECKER_H_
#define BRAMAH_SIM_CHECK_SESSION_CHECKER_H_

#include <vector>

#include "absl/container/btree_map.h"
#include "core/api/event.h"
#include "core/client/client.h"
#include "sim/check/local_clock.h"
#include "sim/check/reporter.h"

namespace bramah::sim {

class SessionChecker {
 public:
  SessionChecker(const std::vector<LocalClock>& client_clocks, Reporter* reporter);

  void Applied(Time at, ReplicaId replica, const CoreEvent& applied);
  void AfterStep(Time at, uint32_t client, const client::ClientView& view);
  void Stopped(uint32_t client);
  // It relies on its session for shorter or longer now.
  void ClockChanged(uint32_t client, const LocalClock& clock);

 private:
  struct Belief {
    client::SessionState state = client::SessionState::kNone;
    SessionId session;
    Time local_end = 0;
    Time end = 0;  // real; the client relies on its session strictly before
  };
  Reporter* reporter_;
  std::vector<LocalClock> clocks_;
  std::vector<Belief> beliefs_;
  absl::btree_map<SessionId, Time> expired_;  // at the replica that applied it first
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_SESSION_CHECKER_H_

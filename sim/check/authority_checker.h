// raft.authority_overlap: no two leaders may act as master at one real instant [L1]. Needs clocks within rho.
#ifndef BRAMAH_SIM_CHECK_AUTHORITY_CHECKER_H_
#define BRAMAH_SIM_CHECK_AUTHORITY_CHECKER_H_

#include <vector>

#include "core/replica/view.h"
#include "sim/check/local_clock.h"
#include "sim/check/reporter.h"

namespace bramah::sim {

class AuthorityChecker {
 public:
  AuthorityChecker(const std::vector<LocalClock>& clocks, Reporter* reporter);

  void Stopped(ReplicaId replica) { held_[replica.value() - 1] = Held(); }
  void AfterStep(Time at, ReplicaId replica, const replica::ServerView& view);
  // What it had it has for shorter or longer now.
  void ClockChanged(ReplicaId replica, const LocalClock& clock);

 private:
  struct Held {
    Time local_until = 0;
    Time until = 0;  // real; authority lapses by itself, so what was seen last stays true until the next step
    Term term;
  };
  Reporter* reporter_;
  std::vector<LocalClock> clocks_;
  std::vector<Held> held_;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_AUTHORITY_CHECKER_H_

// Liveness: after all faults were lifted everything pending must finish within a bound that follows from the plan's settings.
#ifndef BRAMAH_SIM_RUN_LIVENESS_H_
#define BRAMAH_SIM_RUN_LIVENESS_H_

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "core/api/event.h"
#include "sim/plan/plan.pb.h"
#include "sim/run/nodes.h"
#include "sim/world/world.h"

namespace bramah::sim {

// The sessions that exist in the replicated state, followed through the entries that replicas apply.
class LiveSessions {
 public:
  void Applied(const CoreEvent& event);
  const std::set<SessionId>& sessions() const { return sessions_; }

 private:
  LogIndex upto_;  // every smaller index was seen
  std::set<SessionId> sessions_;
};

// What is still in the way of a settled world.
struct Obstacle {
  std::string_view checker;  // liveness.progress, liveness.drain or event.delivery
  std::string what;
};

// Nothing if a master serves, every live application got its answers and is done, all live replicas have applied the same, only
// live clients have sessions, and whoever watches a node was told of its latest state [EV-02, EV-05].
// If clocks lie, nobody has to have been told.
std::optional<Obstacle> FindObstacle(const World& world, const LiveSessions& sessions, bool clocks_within_rho);

// How long the world may take to settle from now on: a generous sum of elections, leases, grace periods and of what applications
// mean to hold.
Duration SettlingBound(const v1::Plan& plan, const World& world);

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_RUN_LIVENESS_H_

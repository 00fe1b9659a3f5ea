// Checkers: watch a run from outside and report violations under stable ids. They see views and effects only, never decide
// anything, and are incremental: a step in which nothing changed costs next to nothing.
//
// All times here are simulated real time unless they say local.
#ifndef BRAMAH_SIM_CHECK_CHECKERS_H_
#define BRAMAH_SIM_CHECK_CHECKERS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/effects.h"
#include "core/api/step.h"
#include "core/client/client.h"
#include "core/replica/view.h"
#include "sim/app/resource.h"
#include "sim/check/claim.h"
#include "sim/check/local_clock.h"
#include "sim/check/violation.h"

namespace bramah::sim {

struct CheckContext {
  uint32_t replicas = 0;
  uint32_t clients = 0;
  std::vector<LocalClock> replica_clocks;  // by id - 1
  std::vector<LocalClock> client_clocks;   // by number - 1
  int64_t rho_ppm = 0;
  bool clocks_within_rho = true;           // else the checkers that need the bound are off
  bool judge_beliefs = false;              // lock.two_believers is on nevertheless
  bool paranoid = false;                   // full re-checks at role changes, crashes and every 64th event
  std::vector<std::string> ignored;        // checkers whose reports do not count
};

class Checkers {
 public:
  explicit Checkers(const CheckContext& context);
  ~Checkers();

  // ---- what the world reports
  void ReplicaBooted(Time at, ReplicaId replica);
  // The process is gone with everything in memory; `machine`: unsynced writes may be gone too.
  void ReplicaCrashed(Time at, ReplicaId replica, bool machine);
  // A Request is given to a live replica; AfterReplicaStep of that step follows.
  void RequestArrived(ReplicaId replica, const v1::Request& request);
  // After every Step of a live replica, before its effects are carried out.
  void AfterReplicaStep(Time at, ReplicaId replica, const replica::ServerView& view, const Effects& effects);
  // The disk under a replica carried out an operation (kSyncData, kSyncDir: completed; kWrite: in the page cache).
  void DiskOperation(Time at, ReplicaId replica, const FileOp& op);
  // A message of a replica leaves for the network; all its `after` were satisfied according to the world.
  void MessageLeft(Time at, ReplicaId from, const Claim& claim);
  void AfterClientStep(Time at, uint32_t client, const client::ClientView& view, const Effects& effects);
  // A client process ended or crashed: it believes nothing from now on.
  void ClientStopped(Time at, uint32_t client);
  // The application's calls and their answers: the history. `path` is the name the call's handle was opened with.
  void Called(Time at, uint32_t client, const Call& made, std::string_view path);
  void Answered(Time at, uint32_t client, CallId call, const v1::Outcome& outcome);

  // The fenced resource judged a request.
  void Requested(Time at, const ResourceRequest& request, bool accepted);

  // Clocks that lie: from now on.
  void ReplicaClockChanged(ReplicaId replica, const LocalClock& clock);
  void ClientClockChanged(Time at, uint32_t client, const LocalClock& clock);

  // ---- what the run asks
  // First violation so far, if any.
  const std::optional<Violation>& violation() const;
  // Records a violation found by the run itself: resource.bounded, core.check, liveness.*.
  void Report(std::string_view checker, Time at, std::string message);
  // End of the run: history checks (history.linearizable, history.reply, session.exactly_once over the whole history). Returns
  // false if a search limit was hit: the verdict is then inconclusive unless there is a violation.
  bool Finish(Time at);
  // After Finish: names of which only a part was judged, for too many Adds of unknown outcome.
  uint64_t sums_unjudged() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_CHECKERS_H_

// Smaller plans out of plans: pure functions, each keeps a valid plan valid.
#ifndef BRAMAH_SIM_SHRINK_EDITS_H_
#define BRAMAH_SIM_SHRINK_EDITS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "sim/plan/plan.pb.h"

namespace bramah::sim {

// `plan` with only those faults, operations or clocks whose position is in `kept` (rising).
v1::Plan KeepFaults(const v1::Plan& plan, const std::vector<int>& kept);
v1::Plan KeepOperations(const v1::Plan& plan, const std::vector<int>& kept);
v1::Plan KeepClocks(const v1::Plan& plan, const std::vector<int>& kept);

// Only these replicas or clients (rising numbers, from 1), renumbered from 1, with what belongs to them. Faults lose the names
// that are gone, and go when they name nobody any more or wait for an event of a process that is gone.
v1::Plan KeepReplicas(const v1::Plan& plan, const std::vector<uint32_t>& kept);
v1::Plan KeepClients(const v1::Plan& plan, const std::vector<uint32_t>& kept);

// The safety phase ends at `end`, and nothing is planned for later.
v1::Plan CutAfter(const v1::Plan& plan, Time end);
// What is planned for `from` or later happens `by` earlier; so does the end.
v1::Plan MoveEarlier(const v1::Plan& plan, Time from, Duration by);
// Times at which something is planned, rising, each once.
std::vector<Time> PlannedTimes(const v1::Plan& plan);

// One way to make a plan plainer, without dropping anything: a rate to zero, a knob to its default, a hold to nothing. Changes
// nothing if the plan is as plain as that already.
using Edit = std::function<void(v1::Plan&)>;
// Those of network and disk; those of the knobs; those of single faults and operations.
std::vector<Edit> WeatherEdits();
std::vector<Edit> KnobEdits();
std::vector<Edit> DetailEdits(const v1::Plan& plan);

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_SHRINK_EDITS_H_

// How a run is told to people and programs: one line per notable thing (timeline), one JSON object per step (trace). Renders
// only; whether anybody listens changes nothing in a run.
#ifndef BRAMAH_SIM_TRACE_TRACE_H_
#define BRAMAH_SIM_TRACE_TRACE_H_

#include <string>
#include <string_view>

#include "core/api/effects.h"
#include "core/api/step.h"
#include "sim/plan/plan.pb.h"

namespace bramah::sim {

// "r2 became leader of term 3"; empty if `event` matters only to checkers.
std::string TimelineLine(std::string_view process, const CoreEvent& event);

// First line of a trace: what was run, and by what.
std::string TraceHeader(const v1::Plan& plan);

// One step as a JSON object: when, who, the input, and the effects asked for, with messages in Protocol Buffers text.
std::string TraceLine(Time at, std::string_view process, const Input& input, const Effects& effects);

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_TRACE_TRACE_H_

// The definition of linearizability, tried out literally: for small histories in tests, as a judge of the judge.
#ifndef BRAMAH_SIM_CHECK_HISTORY_BRUTE_FORCE_H_
#define BRAMAH_SIM_CHECK_HISTORY_BRUTE_FORCE_H_

#include <vector>

#include "sim/check/history/history.h"

namespace bramah::sim {

// Whether some order of the operations, each at one instant between its call and its answer, explains every answer. Exponential:
// at most 16 operations.
bool IsLinearizable(const std::vector<Operation>& operations);

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_HISTORY_BRUTE_FORCE_H_

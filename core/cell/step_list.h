// Random lists of steps for rapidcheck, which shrink fast: long ones to a few steps in seconds.
#ifndef BRAMAH_CORE_CELL_STEP_LIST_H_
#define BRAMAH_CORE_CELL_STEP_LIST_H_

#include <rapidcheck.h>

#include <vector>

#include "core/cell/step.h"

namespace bramah::cell {

// As long as the size that rapidcheck asks for, or shorter.
rc::Gen<std::vector<Step>> Steps();

}  // namespace bramah::cell

#endif  // BRAMAH_CORE_CELL_STEP_LIST_H_

// The clock of one simulated process.
#ifndef BRAMAH_SIM_CHECK_LOCAL_CLOCK_H_
#define BRAMAH_SIM_CHECK_LOCAL_CLOCK_H_

#include <cstdint>

#include "core/base/time.h"

namespace bramah::sim {

// local = offset + real * (1 + drift); the mapping of one process, as long as its rate stays the same. A drift of -1,000,000 is a
// clock that stands still.
struct LocalClock {
  int64_t drift_ppm = 0;
  Time offset = 0;
  Time ToLocal(Time real) const;
  Time ToReal(Time local) const;  // rounded up: the first real instant at which the local clock shows at least `local`
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_LOCAL_CLOCK_H_

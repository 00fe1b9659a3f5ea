#include "sim/check/checkers.h"

namespace bramah::sim {
namespace {

// real * ppm / 1,000,000 without overflow, rounded towards zero: never falls as `real` rises while |ppm| < 1,000,000.
int64_t Drift(Time real, int64_t ppm) { return real / kMillion * ppm + real % kMillion * ppm / kMillion; }

}  // namespace

Time LocalClock::ToLocal(Time real) const { return offset + real + Drift(real, drift_ppm); }

Time LocalClock::ToReal(Time local) const {
  if (local == kNever) return kNever;
  const Time elapsed = local - offset;
  Time real = elapsed - Drift(elapsed, drift_ppm);
  // The error of this estimate shrinks by the factor `drift` per round; a handful of rounds reach the neighbourhood.
  for (int round = 0; round < 16; ++round) {
    const Time error = ToLocal(real) - local;
    if (error == 0) break;
    real -= error;
  }
  while (ToLocal(real) < local) ++real;
  while (ToLocal(real - 1) >= local) --real;
  return real;
}

}  // namespace bramah::sim

#include "sim/check/local_clock.h"

namespace bramah::sim {
namespace {

// real * ppm / 1,000,000 without overflow, rounded towards zero: never falls as `real` rises while |ppm| < 1,000,000.
int64_t Drift(Time real, int64_t ppm) { return real / kMillion * ppm + real % kMillion * ppm / kMillion; }

}  // namespace

Time LocalClock::ToLocal(Time real) const { return offset + real + Drift(real, drift_ppm); }

Time LocalClock::ToReal(Time local) const {
  if (local == kNever) return kNever;
  // The quotient is off by a unit or two, because ToLocal rounds.
  Time real = static_cast<Time>(static_cast<__int128>(local - offset) * kMillion / (kMillion + drift_ppm));
  while (ToLocal(real) < local) ++real;
  while (ToLocal(real - 1) >= local) --real;
  return real;
}

}  // namespace bramah::sim

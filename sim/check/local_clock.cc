#include "sim/check/local_clock.h"

namespace bramah::sim {
namespace {

// real * ppm / 1,000,000 without overflow, rounded towards zero: never falls as `real` rises while |ppm| <= 1,000,000.
int64_t Drift(Time real, int64_t ppm) { return real / kMillion * ppm + real % kMillion * ppm / kMillion; }

}  // namespace

Time LocalClock::ToLocal(Time real) const { return offset + real + Drift(real, drift_ppm); }

Time LocalClock::ToReal(Time local) const {
  if (local == kNever) return kNever;
  // local * million / (million + ppm) without overflow; off by a few units, because each part is rounded, as ToLocal is.
  const int64_t scale = kMillion + drift_ppm;
  if (scale == 0) return local <= offset ? 0 : kNever;  // it stands still
  const Time since = local - offset;
  Time real = since / scale * kMillion + since % scale * kMillion / scale;
  while (ToLocal(real) < local) ++real;
  while (ToLocal(real - 1) >= local) --real;
  return real;
}

}  // namespace bramah::sim

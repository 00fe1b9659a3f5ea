#include "net_real/clock.h"

#include <sys/random.h>
#include <time.h>

#include "core/base/check.h"

namespace bramah::net_real {

BootClock::time_point BootClock::now() noexcept { return ToTimePoint(Now()); }

namespace {

Time Read(clockid_t clock) {
  timespec reading;
  BRAMAH_CHECK(clock_gettime(clock, &reading) == 0);
  return static_cast<Time>(reading.tv_sec) * kSecond + reading.tv_nsec;
}

}  // namespace

Time Now() { return Read(CLOCK_BOOTTIME); }

ClockReading ReadClocks() {
  ClockReading best;
  // Whoever is interrupted between the readings tries again; the best of a few is good to microseconds.
  for (int attempt = 0; attempt < 5; ++attempt) {
    ClockReading reading;
    reading.raw = Read(CLOCK_MONOTONIC_RAW);
    reading.now = Read(CLOCK_BOOTTIME);
    reading.suspended = reading.now - Read(CLOCK_MONOTONIC);
    reading.error = Read(CLOCK_MONOTONIC_RAW) - reading.raw;
    if (attempt == 0 || reading.error < best.error) best = reading;
  }
  return best;
}

BootClock::time_point ToTimePoint(Time at) { return BootClock::time_point(BootClock::duration(at)); }

uint64_t EntropySeed() {
  uint64_t seed = 0;
  BRAMAH_CHECK(getrandom(&seed, sizeof(seed), 0) == sizeof(seed));
  return seed;
}

}  // namespace bramah::net_real

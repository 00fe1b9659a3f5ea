#include "net_real/clock.h"

#include <sys/random.h>
#include <time.h>

#include "core/base/check.h"

namespace bramah::net_real {

BootClock::time_point BootClock::now() noexcept { return ToTimePoint(Now()); }

Time Now() {
  timespec reading;
  BRAMAH_CHECK(clock_gettime(CLOCK_BOOTTIME, &reading) == 0);
  return static_cast<Time>(reading.tv_sec) * kSecond + reading.tv_nsec;
}

BootClock::time_point ToTimePoint(Time at) { return BootClock::time_point(BootClock::duration(at)); }

uint64_t EntropySeed() {
  uint64_t seed = 0;
  BRAMAH_CHECK(getrandom(&seed, sizeof(seed), 0) == sizeof(seed));
  return seed;
}

}  // namespace bramah::net_real

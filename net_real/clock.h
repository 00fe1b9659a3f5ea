// The only clock that the real world reads: monotonic, and it counts suspend, so a machine that slept cannot come back believing
// in a lease that ran out meanwhile.
#ifndef BRAMAH_NET_REAL_CLOCK_H_
#define BRAMAH_NET_REAL_CLOCK_H_

#include <chrono>
#include <cstdint>

#include "asio/basic_waitable_timer.hpp"
#include "core/base/time.h"

namespace bramah::net_real {

// CLOCK_BOOTTIME as a chrono clock.
struct BootClock {
  using rep = int64_t;
  using period = std::nano;
  using duration = std::chrono::nanoseconds;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
  static time_point now() noexcept;
};

// The kernel timer below Asio does not count suspend. Waiting in slices bounds how late a deadline is noticed after a resume.
struct SlicedWait {
  static BootClock::duration to_wait_duration(const BootClock::duration& d) { return d < kSlice ? d : kSlice; }
  static BootClock::duration to_wait_duration(const BootClock::time_point& t) { return to_wait_duration(t - BootClock::now()); }
  static constexpr BootClock::duration kSlice = std::chrono::milliseconds(200);
};

using BootTimer = asio::basic_waitable_timer<BootClock, SlicedWait>;

// The reading now, in the unit that the core uses.
Time Now();
BootClock::time_point ToTimePoint(Time at);

// The clock of the core beside the one that no time daemon adjusts (CLOCK_MONOTONIC_RAW), which does not count suspend.
struct ClockReading {
  Time now = 0;
  Time raw = 0;
  Duration error = 0;      // at most so long passed between the two readings
  Duration suspended = 0;  // since the machine started
};
ClockReading ReadClocks();

// 64 bits from the kernel's generator: the seed of one incarnation of a node, or half of a secret.
uint64_t EntropySeed();

}  // namespace bramah::net_real

#endif  // BRAMAH_NET_REAL_CLOCK_H_

// Time is an argument: there is no function here, or anywhere in core/, that reads a clock.
#ifndef BRAMAH_CORE_BASE_TIME_H_
#define BRAMAH_CORE_BASE_TIME_H_

#include <cstdint>

namespace bramah {

using Time = int64_t;      // nanoseconds of one node's monotonic clock; its zero is arbitrary and differs between nodes
using Duration = int64_t;  // nanoseconds

inline constexpr Duration kMicrosecond = 1'000;
inline constexpr Duration kMillisecond = 1'000'000;
inline constexpr Duration kSecond = 1'000'000'000;
inline constexpr Time kNever = INT64_MAX;
// The latest cluster time [L6], 146 years: sums and differences of such times do not overflow, whatever a peer or a disk says.
inline constexpr Time kClusterTimeMax = kNever / 2;

inline constexpr int64_t kMillion = 1'000'000;

// d / R rounded down, where R = (1 + rho) / (1 - rho) is the largest ratio between the rates of two clocks that each keep
// their rate within rho of real time [L1, L2, A-10]. Use for whatever is *claimed*: authority, local leases. What is
// promised or waited for is counted on the own clock, in full, and needs no conversion.
// REQUIRES: d >= 0, 0 <= rho_ppm < 1,000,000.
constexpr Duration ShrinkByDrift(Duration d, int64_t rho_ppm) {
  const int64_t low = kMillion - rho_ppm;
  const int64_t high = kMillion + rho_ppm;
  return (d / high) * low + (d % high) * low / high;
}

}  // namespace bramah

#endif  // BRAMAH_CORE_BASE_TIME_H_

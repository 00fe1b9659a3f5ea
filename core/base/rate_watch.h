// RateWatch: does a clock keep the pace of another that nobody adjusts? A time daemon may slew the monotonic clock by a tenth,
// and every lease rests on a bound of its rate. Pure: whoever drives a node reads the clocks.
#ifndef BRAMAH_CORE_BASE_RATE_WATCH_H_
#define BRAMAH_CORE_BASE_RATE_WATCH_H_

#include <algorithm>
#include <cstdint>
#include <optional>

#include "core/base/time.h"

namespace bramah {

class RateWatch {
 public:
  // How far apart readings are that are compared, at least. Short, because until a comparison fails nothing protects from what
  // the clock measures: the fastest slew that Linux knows, a tenth, makes 12 ms in one window, half of what a lease of 12 s has
  // to spare at the usual rho.
  static constexpr Duration kWindow = 100 * kMillisecond;
  // How often to look: not sooner than a window has passed, also by a clock that runs a sixth too fast.
  static constexpr Duration kLook = 120 * kMillisecond;
  // For how many comparisons in a row a clock that was found wrong has to be right before it is trusted again; some five seconds.
  static constexpr int kCalm = 42;

  // Both clocks, read at instants that lie at most `error` apart, and how much faster or slower than `raw` the clock may run: half
  // of rho, for the raw clock has an error of its own. Returns whether the clock is to be trusted: not from the first comparison
  // that fails until kCalm have not.
  bool Add(Time clock, Time raw, Duration error, int64_t bound_ppm) {
    if (!last_.has_value()) last_ = {clock, raw, error};
    const Duration passed = raw - last_->raw;
    if (passed < kWindow) return doubtful_ == 0;
    const Duration difference = std::max(clock - last_->clock, passed) - std::min(clock - last_->clock, passed);
    const Duration allowed = passed / kMillion * bound_ppm + passed % kMillion * bound_ppm / kMillion + error + last_->error;
    doubtful_ = difference <= allowed ? std::max(0, doubtful_ - 1) : kCalm;
    last_ = {clock, raw, error};
    return doubtful_ == 0;
  }
  // What comes next is not to be compared with what was before: the machine slept, and only one of the clocks counts that.
  void Restart() { last_.reset(); }

 private:
  struct Reading {
    Time clock = 0;
    Time raw = 0;
    Duration error = 0;
  };
  std::optional<Reading> last_;
  int doubtful_ = 0;  // comparisons that must not fail until the clock is trusted
};

}  // namespace bramah

#endif  // BRAMAH_CORE_BASE_RATE_WATCH_H_

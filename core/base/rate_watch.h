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
  // How far apart readings are that are compared, at least, and for how many comparisons in a row a clock that was found wrong has
  // to be right before it is trusted again.
  static constexpr Duration kWindow = kSecond;
  static constexpr int kCalm = 5;

  // `bound_ppm`: how much faster or slower than `raw` the clock may run; half of rho, for the raw clock has an error of its own.
  explicit RateWatch(int64_t bound_ppm) : bound_ppm_(bound_ppm) {}

  // Both clocks, read at instants that lie at most `error` apart. Returns whether the clock is to be trusted: from the first
  // comparison that fails until kCalm have not.
  bool Add(Time clock, Time raw, Duration error) {
    if (!last_.has_value()) last_ = {clock, raw, error};
    const Duration passed = raw - last_->raw;
    if (passed < kWindow) return trusted_;
    const Duration difference = std::max(clock - last_->clock, passed) - std::min(clock - last_->clock, passed);
    const Duration allowed = passed / kMillion * bound_ppm_ + passed % kMillion * bound_ppm_ / kMillion + error + last_->error;
    calm_ = difference <= allowed ? calm_ + 1 : 0;
    trusted_ = calm_ >= kCalm || (trusted_ && calm_ > 0);
    last_ = {clock, raw, error};
    return trusted_;
  }
  // What comes next is not to be compared with what was before: the machine slept, and only one of the clocks counts that.
  void Restart() { last_.reset(); }

 private:
  struct Reading {
    Time clock = 0;
    Time raw = 0;
    Duration error = 0;
  };
  int64_t bound_ppm_;
  std::optional<Reading> last_;
  bool trusted_ = true;
  int calm_ = 0;
};

}  // namespace bramah

#endif  // BRAMAH_CORE_BASE_RATE_WATCH_H_

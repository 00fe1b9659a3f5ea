// ChildGuard: when a command that runs under a lock has to be stopped, so that it is dead before another session may get the
// lock. The lock-delay is for what cannot be stopped: requests that the command has sent. Pure.
#ifndef BRAMAH_CLI_CHILD_GUARD_H_
#define BRAMAH_CLI_CHILD_GUARD_H_

#include <algorithm>
#include <cstdint>

#include "core/base/time.h"

namespace bramah::cli {

struct GuardTimes {
  Duration grace = 3 * kSecond;          // from SIGTERM to SIGKILL
  Duration margin = 500 * kMillisecond;  // SIGKILL is sent so long before the local lease ends, at the latest
};

// What the client library believes right now.
struct Belief {
  bool held = false;               // session active, and the lock among those it holds
  Time lease_end = 0;              // local
  bool keepalive_overdue = false;  // an answer was due and has not come
};

class ChildGuard {
 public:
  enum class Action : uint8_t { kNone, kTerminate, kKill };

  explicit ChildGuard(GuardTimes times = {}) : times_(times) {}

  // What to do to the child now; kTerminate at most once, kKill again and again once it is time. A healthy session never comes
  // near: its KeepAlive is answered with seconds of lease left, and a lease that only runs down is not yet in danger.
  Action Look(Time now, const Belief& belief) {
    if (!belief.held || now >= belief.lease_end) kill_at_ = now;
    if (kill_at_ == kNever) {
      if (!belief.keepalive_overdue || belief.lease_end - now >= times_.grace + times_.margin) return Action::kNone;
      kill_at_ = std::min(now + times_.grace, belief.lease_end - times_.margin);
      if (kill_at_ > now) return Action::kTerminate;
    }
    return now >= kill_at_ ? Action::kKill : Action::kNone;
  }

  // The lock was no longer certain at some Look.
  bool fired() const { return kill_at_ != kNever; }
  // Instant of the next Look that is needed even if nothing happens; kNever if none.
  Time kill_at() const { return kill_at_; }

 private:
  GuardTimes times_;
  Time kill_at_ = kNever;
};

}  // namespace bramah::cli

#endif  // BRAMAH_CLI_CHILD_GUARD_H_

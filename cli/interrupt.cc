#include "cli/interrupt.h"

#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>

#include "net_real/clock.h"

namespace bramah::cli {
namespace {

constexpr Duration kMoment = kSecond;

// What a signal handler may touch.
volatile std::sig_atomic_t interrupted = 0;
std::atomic<Time> interrupted_at{0};
std::atomic<pid_t> catcher{0};
static_assert(std::atomic<Time>::is_always_lock_free && std::atomic<pid_t>::is_always_lock_free);

void Interrupt(int number) {
  if (getpid() != catcher) return;
  const Time now = net_real::Now();
  if (interrupted == 0) {
    interrupted_at = now;
    interrupted = number;
  } else if (EndsAtOnce(number, now - interrupted_at)) {
    std::signal(number, SIG_DFL);
    raise(number);  // arrives when this handler returns
  }
}

}  // namespace

bool IsIgnored(int number) {
  struct sigaction action;
  return sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

void CatchInterrupts() {
  catcher = getpid();
  for (const int number : {SIGINT, SIGTERM}) {
    if (!IsIgnored(number)) std::signal(number, Interrupt);
  }
}

const volatile std::sig_atomic_t& Interrupted() { return interrupted; }

bool EndsAtOnce(int number, Duration since_first) { return number == SIGINT && since_first >= kMoment; }

}  // namespace bramah::cli

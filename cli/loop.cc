#include "cli/loop.h"

#include <csignal>
#include <utility>

#include "asio/signal_set.hpp"
#include "cli/interrupt.h"
#include "net_real/clock.h"

namespace bramah::cli {

struct Signals::State {
  asio::signal_set set;
  std::function<void(int)> on_signal;
  bool over = false;
};

Signals::Signals(asio::io_context& io, const std::vector<int>& numbers, std::function<void(int)> on_signal)
    : state_(new State{asio::signal_set(io), std::move(on_signal)}) {
  for (const int number : numbers) {
    if (number != SIGHUP || !IsIgnored(number)) state_->set.add(number);
  }
  Wait(state_);
}

Signals::~Signals() {
  state_->over = true;
  state_->set.cancel();
  state_->set.clear();  // the default action is back
}

void Signals::Wait(const std::shared_ptr<State>& state) {
  state->set.async_wait([state](std::error_code error, int number) {
    if (error || state->over) return;
    state->on_signal(number);
    if (!state->over) Wait(state);
  });
}

struct Ticker::State {
  net_real::BootTimer timer;
  Duration period;
  std::function<void()> tick;
  bool over = false;
};

Ticker::Ticker(asio::io_context& io, Duration period, std::function<void()> tick)
    : state_(new State{net_real::BootTimer(io), period, std::move(tick)}) {
  Wait(state_);
}

Ticker::~Ticker() {
  state_->over = true;
  state_->timer.cancel();
}

void Ticker::Wait(const std::shared_ptr<State>& state) {
  state->timer.expires_at(net_real::ToTimePoint(net_real::Now() + state->period));
  state->timer.async_wait([state](std::error_code error) {
    if (error || state->over) return;
    state->tick();
    if (!state->over) Wait(state);
  });
}

}  // namespace bramah::cli

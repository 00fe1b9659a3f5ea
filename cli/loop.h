// Signals and ticks on an event loop. Both are silent from the moment they are destroyed, even if the loop has queued a call.
#ifndef BRAMAH_CLI_LOOP_H_
#define BRAMAH_CLI_LOOP_H_

#include <functional>
#include <memory>
#include <vector>

#include "asio/io_context.hpp"
#include "core/base/time.h"

namespace bramah::cli {

// Calls back for each of `numbers` that arrives.
class Signals {
 public:
  Signals(asio::io_context& io, const std::vector<int>& numbers, std::function<void(int)> on_signal);
  Signals(const Signals&) = delete;
  ~Signals();

 private:
  struct State;
  static void Wait(const std::shared_ptr<State>& state);
  const std::shared_ptr<State> state_;
};

// Calls back every `period`.
class Ticker {
 public:
  Ticker(
      asio::io_context& io, Duration period, std::function<void()> tick = [] {});
  Ticker(const Ticker&) = delete;
  ~Ticker();

 private:
  struct State;
  static void Wait(const std::shared_ptr<State>& state);
  const std::shared_ptr<State> state_;
};

}  // namespace bramah::cli

#endif  // BRAMAH_CLI_LOOP_H_

// A client that takes steps: it makes commands of them, and keeps what it was told.
#ifndef BRAMAH_CORE_CELL_STEP_CLIENT_H_
#define BRAMAH_CORE_CELL_STEP_CLIENT_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "core/cell/step.h"
#include "core/wire/wire.pb.h"

namespace bramah::cell {

// The nth element, counted back from the last one; the first one if there are not so many.
template <class Container>
auto FromLast(Container& all, int64_t nth) {
  return all.end() - 1 - std::min(nth, static_cast<int64_t>(all.size()) - 1);
}

struct StepClient {
  // A new session for `step`.
  v1::Command Begin(const Step& step, uint64_t new_nonce);
  // The new command of `step`; sequencers are those given out, whoever got them.
  v1::Command New(const Step& step, const std::vector<std::string>& sequencers);
  // Again what was sent.
  v1::Command Again(const Step& step);
  // The answer to `command`, and whether the session is alive after it.
  void Learn(const v1::Command& command, const v1::Outcome& outcome, bool alive);

  uint64_t nonce = 0;
  int64_t principal = 0;
  uint64_t session = 0;
  uint64_t seq = 0;
  uint64_t first = 1;
  uint64_t handles = 0;           // ids given out
  std::vector<uint64_t> open;     // as far as it knows
  std::vector<uint64_t> instances;  // that it opened, in this session
  std::vector<v1::Command> sent;  // may be sent again, after their session too
  std::vector<v1::Command> kept;  // not sent yet

 private:
  v1::Command OfSession(const Step& step);
  v1::Command OnHandle(const Step& step, uint64_t handle);
  v1::Command Batch(const Step& step) const;
  v1::Command Open(const Step& step);
  uint64_t HandleOf(const Step& step) const;
  // The call that was `back` before the latest; 0 if there is none.
  uint64_t Before(int64_t back) const;
};

}  // namespace bramah::cell

#endif  // BRAMAH_CORE_CELL_STEP_CLIENT_H_

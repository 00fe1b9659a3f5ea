// A call is answered JEOPARDY only if it was made not to wait, and only while its session is in jeopardy [D-28]; part of
// history.reply. That nothing was done is for the history to judge.
#ifndef BRAMAH_SIM_CHECK_JEOPARDY_CHECKER_H_
#define BRAMAH_SIM_CHECK_JEOPARDY_CHECKER_H_

#include <cstdint>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/client/client.h"
#include "core/wire/wire.pb.h"
#include "sim/check/by_client.h"
#include "sim/check/reporter.h"

namespace bramah::sim {

class JeopardyChecker {
 public:
  // For clients 1 to `clients`.
  JeopardyChecker(uint32_t clients, Reporter* reporter) : reporter_(reporter), states_(clients) {}

  // The library answers JEOPARDY in the very step of the call: what matters is the state after that.
  void AfterStep(uint32_t client, client::SessionState state) { states_[client - 1] = state; }
  void Called(uint32_t client, CallId call, bool wait);
  void Answered(Time at, uint32_t client, CallId call, v1::Code code);
  void Stopped(uint32_t client) { hasty_.Forget(client); }

 private:
  struct Hasty {};
  Reporter* reporter_;
  std::vector<client::SessionState> states_;
  ByClient<CallId, Hasty> hasty_;  // calls without an answer that were made not to wait
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_JEOPARDY_CHECKER_H_

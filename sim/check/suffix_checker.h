// session.suffix_loss: a session is lost once and for all its handles [INV-6, C-61, D-29].
//
// Judged where the application sees it. What the calls on the handles of a session are answered is any number of answers of the
// cell and then SESSION_EXPIRED for ever, whatever happened between call and answer: jeopardy, a new master, a new session of the
// same client. Close, Poison and EndSession never fail, so they are no evidence.
#ifndef BRAMAH_SIM_CHECK_SUFFIX_CHECKER_H_
#define BRAMAH_SIM_CHECK_SUFFIX_CHECKER_H_

#include <cstdint>

#include "absl/container/btree_map.h"
#include "core/base/ids.h"
#include "core/wire/wire.pb.h"
#include "sim/check/by_client.h"
#include "sim/check/reporter.h"

namespace bramah::sim {

class SuffixChecker {
 public:
  explicit SuffixChecker(Reporter* reporter) : reporter_(reporter) {}

  // `session`: of the client when it was called.
  void Called(uint32_t client, SessionId session, CallId call, const v1::Command& command);
  void Answered(Time at, uint32_t client, CallId call, const v1::Outcome& outcome);
  void Stopped(uint32_t client);

 private:
  struct Asked {
    v1::CommandKind kind = v1::NONE;
    SessionId session;
  };
  Reporter* reporter_;
  ByClient<HandleId, SessionId> sessions_;   // of handles that were opened
  ByClient<CallId, Asked> asked_;            // unanswered
  absl::btree_map<SessionId, CallId> lost_;  // sessions, and the first call that said so
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_SUFFIX_CHECKER_H_

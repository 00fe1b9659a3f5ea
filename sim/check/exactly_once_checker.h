// session.exactly_once: each (session, seq) changes the state at most once, and the answer that a client got is the outcome that
// was applied [INV-12, D-56].
#ifndef BRAMAH_SIM_CHECK_EXACTLY_ONCE_CHECKER_H_
#define BRAMAH_SIM_CHECK_EXACTLY_ONCE_CHECKER_H_

#include <cstdint>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/api/event.h"
#include "sim/check/reporter.h"

namespace bramah::sim {

// What a client is told although the cell may never have heard of it: closing and ending always succeed locally [C-25].
bool MayBeAnsweredLocally(v1::CommandKind kind);

class ExactlyOnceChecker {
 public:
  explicit ExactlyOnceChecker(Reporter* reporter) : reporter_(reporter) {}

  // At the first application of an index, by whichever replica.
  void Applied(Time at, const CoreEvent& applied);
  // The client `client` got `outcome` for a call of `kind` in `session`.
  // Entry by which the command took effect; none if it did not.
  LogIndex EffectOf(SessionId session, RequestSeq seq) const;
  void Answered(Time at, uint32_t client, SessionId session, v1::CommandKind kind, const v1::Outcome& outcome);

 private:
  struct Result {
    LogIndex effect;  // where it changed the state; none: nowhere
    LogIndex first;   // where it was applied first; none: nothing is known of it
    v1::Code code = v1::OK;
    Position generation;
  };
  // Null if nothing is known.
  const Result* Find(SessionId session, RequestSeq seq) const;

  Reporter* reporter_;
  // By seq: a session numbers its requests one by one, and the cell turns away what is far ahead of the others.
  absl::btree_map<SessionId, std::vector<Result>> results_;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_EXACTLY_ONCE_CHECKER_H_

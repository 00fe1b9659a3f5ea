#include "sim/check/authority_checker.h"

#include "absl/strings/str_cat.h"

namespace bramah::sim {

AuthorityChecker::AuthorityChecker(const std::vector<LocalClock>& clocks, Reporter* reporter)
    : reporter_(reporter), clocks_(clocks), held_(clocks.size()) {}

void AuthorityChecker::ClockChanged(ReplicaId replica, const LocalClock& clock) {
  clocks_[replica.value() - 1] = clock;
  Held& own = held_[replica.value() - 1];
  if (own.until != 0) own.until = clock.ToReal(own.local_until);
}

void AuthorityChecker::AfterStep(Time at, ReplicaId replica, const replica::ServerView& view) {
  Held& own = held_[replica.value() - 1];
  if (view.authority_until == own.local_until && view.term == own.term) return;
  own.local_until = view.authority_until;
  own.term = view.term;
  own.until = view.authority_until == 0 ? 0 : clocks_[replica.value() - 1].ToReal(view.authority_until);
  if (own.until <= at) return;
  for (size_t other = 0; other < held_.size(); ++other) {
    if (other + 1 == replica.value() || held_[other].until <= at) continue;
    reporter_->Report(
        "raft.authority_overlap", at,
        absl::StrCat("r", replica.value(), " has authority in term ", own.term.value(), " until ", own.until, " ns, and r",
                     other + 1, " in term ", held_[other].term.value(), " until ", held_[other].until, " ns"));
  }
}

}  // namespace bramah::sim

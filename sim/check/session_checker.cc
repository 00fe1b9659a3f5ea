#include "sim/check/session_checker.h"

#include "absl/strings/str_cat.h"

namespace bramah::sim {

SessionChecker::SessionChecker(const std::vector<LocalClock>& client_clocks, Reporter* reporter)
    : reporter_(reporter), clocks_(client_clocks), beliefs_(client_clocks.size()) {}

void SessionChecker::Stopped(uint32_t client) { beliefs_[client - 1] = Belief(); }

void SessionChecker::ClockChanged(uint32_t client, const LocalClock& clock) {
  clocks_[client - 1] = clock;
  Belief& belief = beliefs_[client - 1];
  if (belief.end != 0) belief.end = clock.ToReal(belief.local_end);
}

void SessionChecker::Applied(Time at, ReplicaId replica, const CoreEvent& applied) {
  if (applied.command != v1::EXPIRE_SESSION || !applied.effect) return;
  if (!expired_.try_emplace(applied.session, at).second) return;
  for (size_t i = 0; i < beliefs_.size(); ++i) {
    const Belief& belief = beliefs_[i];
    if (belief.session != applied.session || belief.end <= at) continue;
    reporter_->Report("session.lease_order", at,
                      absl::StrCat("r", replica.value(), " expired session ", applied.session.value(), " of c", i + 1,
                                   ", whose local lease runs until ", belief.end, " ns"));
  }
}

void SessionChecker::AfterStep(Time at, uint32_t client, const client::ClientView& view) {
  Belief& belief = beliefs_[client - 1];
  if (view.lease_end == belief.local_end && view.state == belief.state && view.session == belief.session) return;
  // While it doubts its locks a client has a lease, though it is not safe.
  const bool doubts = view.state == client::SessionState::kJeopardy && view.lease_end > clocks_[client - 1].ToLocal(at);
  const bool relies = view.state == client::SessionState::kActive || doubts;
  belief = {view.state, view.session, view.lease_end, relies ? clocks_[client - 1].ToReal(view.lease_end) : 0};
  if (!relies || belief.end <= at) return;
  const auto it = expired_.find(view.session);
  if (it == expired_.end() || belief.end <= it->second) return;
  reporter_->Report("session.lease_order", at,
                    absl::StrCat("c", client, " relies on session ", view.session.value(), " until ", belief.end,
                                 " ns; it was expired at ", it->second, " ns"));
}

}  // namespace bramah::sim

#include "sim/check/epoch_checker.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace bramah::sim {
namespace {

constexpr uint64_t kTermMask = (uint64_t{1} << 48) - 1;  // of an epoch

Term TermOf(Epoch epoch) { return Term(epoch.value() & kTermMask); }

bool IsAskedByClients(v1::CommandKind kind) { return kind >= v1::END_SESSION && kind <= v1::BATCH; }

}  // namespace

// It was judged by the epoch before the step, which may have ended that epoch.
void EpochChecker::Arrived(ReplicaId replica, const v1::Request& request) {
  const Epoch epoch = epochs_[replica.value() - 1];
  const v1::Command& command = request.command();
  if (!epoch || Epoch(request.epoch()) != epoch || !IsAskedByClients(command.kind())) return;
  asked_.insert({TermOf(epoch), SessionId(command.session()), RequestSeq(command.seq())});
}

void EpochChecker::AfterStep(ReplicaId replica, Epoch epoch, absl::Span<const CoreEvent> events) {
  Epoch& known = epochs_[replica.value() - 1];
  for (const CoreEvent& event : events) {
    if (event.kind == CoreEvent::kSessionClosing) closing_.insert({TermOf(known ? known : epoch), event.session});
  }
  known = epoch;
}

void EpochChecker::Applied(Time at, const CoreEvent& applied) {
  const auto report = [&](const std::string& what) {
    reporter_->Report("session.epoch_fence", at,
                      absl::StrCat(v1::CommandKind_Name(applied.command), " of session ", applied.session.value(), ", entry ",
                                   applied.index.value(), " of term ", applied.term.value(), ", took effect, ", what));
  };
  if (applied.command == v1::NEW_EPOCH) return Begin(applied.term);
  if (!applied.effect) return;
  if (applied.term < present_) report(absl::StrCat("after the epoch of term ", present_.value(), " had begun"));
  if (IsAskedByClients(applied.command) && !asked_.contains({applied.term, applied.session, applied.seq})) {
    report(absl::StrCat("although nobody asked the master of that epoch for seq ", applied.seq.value()));
  }
  if (IsAskedByClients(applied.command)) asked_.erase({applied.term, applied.session, applied.seq});  // it may happen only once
  if (applied.command == v1::EXPIRE_SESSION && !closing_.contains({applied.term, applied.session})) {
    report("although the master of that epoch had not decided it");
  }
}

// What former masters accepted can take no effect any more.
void EpochChecker::Begin(Term term) {
  present_ = term;
  asked_.erase(asked_.begin(), asked_.lower_bound({term, SessionId(), RequestSeq()}));
  closing_.erase(closing_.begin(), closing_.lower_bound({term, SessionId()}));
}

}  // namespace bramah::sim

#include "sim/check/exactly_once_checker.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "sim/check/history/history.h"

namespace bramah::sim {
namespace {

bool IsReplicatedClientCommand(v1::CommandKind kind) { return kind >= v1::END_SESSION && kind <= v1::BATCH; }

std::string Name(SessionId session, RequestSeq seq) { return absl::StrCat("seq ", seq.value(), " of session ", session.value()); }

}  // namespace

bool MayBeAnsweredLocally(v1::CommandKind kind) {
  return kind == v1::CLOSE || kind == v1::POISON || kind == v1::END_SESSION;
}

void ExactlyOnceChecker::Applied(Time at, const CoreEvent& applied) {
  if (!IsReplicatedClientCommand(applied.command) || !applied.session || !applied.seq) return;
  // A command too far ahead of the answered ones is turned away without a record, and one that would touch more than its master
  // had covered is as if it had not come: a copy may succeed later.
  if (applied.code == v1::LIMIT_REACHED || applied.code == v1::RECHECK) return;
  std::vector<Result>& results = results_[applied.session];
  if (results.size() <= applied.seq.value()) results.resize(applied.seq.value() + 1);
  Result& result = results[applied.seq.value()];
  if (!result.first) {
    result = {applied.effect ? applied.index : LogIndex(), applied.index, applied.code, applied.generation};
    return;
  }
  if (!applied.effect) return;
  if (result.effect) {
    reporter_->Report("session.exactly_once", at,
                      absl::StrCat(Name(applied.session, applied.seq), " took effect at index ", result.effect.value(),
                                   " and again at index ", applied.index.value()));
    return;
  }
  reporter_->Report("session.exactly_once", at,
                    absl::StrCat(Name(applied.session, applied.seq), " was refused at index ", result.first.value(), " with ",
                                 v1::Code_Name(result.code), " and took effect at index ", applied.index.value()));
}

LogIndex ExactlyOnceChecker::EffectOf(SessionId session, RequestSeq seq) const {
  const Result* result = Find(session, seq);
  return result == nullptr ? LogIndex() : result->effect;
}

const ExactlyOnceChecker::Result* ExactlyOnceChecker::Find(SessionId session, RequestSeq seq) const {
  const auto of_session = results_.find(session);
  if (of_session == results_.end() || of_session->second.size() <= seq.value()) return nullptr;
  const Result& result = of_session->second[seq.value()];
  return result.first ? &result : nullptr;
}

void ExactlyOnceChecker::Answered(Time at, uint32_t client, SessionId session, v1::CommandKind kind, const v1::Outcome& outcome) {
  const RequestSeq seq(outcome.seq());
  if (!IsReplicatedClientCommand(kind) || MayBeAnsweredLocally(kind) || !session || !seq) return;
  const v1::Code code = outcome.code();
  if (OutcomeUnknown(code)) return;
  const auto report = [&](const std::string& what) {
    reporter_->Report("session.exactly_once", at,
                      absl::StrCat("c", client, " was answered ", v1::Code_Name(code), " to ", v1::CommandKind_Name(kind), ", ",
                                   Name(session, seq), ", ", what));
  };
  const Result* known = Find(session, seq);
  if (known == nullptr) {
    // A refusal needs no entry: the master may decide it by itself.
    if (code == v1::OK) report("which was never applied");
    return;
  }
  const Result& result = *known;
  const bool granted_later = result.code == v1::QUEUED;
  if (code != result.code && !granted_later) report(absl::StrCat("which was applied with ", v1::Code_Name(result.code)));
  if (code == v1::OK && kind == v1::ACQUIRE && result.generation && !granted_later &&
      outcome.lock_generation() != result.generation.value()) {
    report(absl::StrCat("with generation ", outcome.lock_generation(), "; applied was ", result.generation.value()));
  }
}

}  // namespace bramah::sim

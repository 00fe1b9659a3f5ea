#include "sim/check/suffix_checker.h"

#include "absl/strings/str_cat.h"

namespace bramah::sim {
namespace {

bool IsEvidence(v1::CommandKind kind) {
  switch (kind) {
    case v1::OPEN_SESSION:
    case v1::END_SESSION:
    case v1::CLOSE:
    case v1::POISON:
      return false;
    default:
      return true;
  }
}

}  // namespace

void SuffixChecker::Called(uint32_t client, SessionId session, CallId call, const v1::Command& command) {
  if (command.kind() == v1::CLOSE || command.kind() == v1::POISON) sessions_.erase({client, HandleId(command.handle())});
  if (!IsEvidence(command.kind())) return;
  // An Open belongs to the session in which it was called; all else to that of its handle, as late as it may come.
  const auto opened = sessions_.find({client, HandleId(command.handle())});
  if (command.handle() != 0 && command.kind() != v1::OPEN && opened == sessions_.end()) return;  // closed, and nobody's
  const bool on_handle = command.kind() != v1::OPEN && opened != sessions_.end();
  const SessionId owner = on_handle ? opened->second : session;
  if (owner) asked_.insert_or_assign({client, call}, Asked{command.kind(), owner});
}

void SuffixChecker::Answered(Time at, uint32_t client, CallId call, const v1::Outcome& outcome) {
  const auto it = asked_.find({client, call});
  if (it == asked_.end()) return;
  const Asked asked = it->second;
  asked_.erase(it);
  if (outcome.code() == v1::SESSION_EXPIRED) {
    lost_.try_emplace(asked.session, call);
    return;
  }
  const bool opened = asked.kind == v1::OPEN && outcome.code() == v1::OK;
  if (opened) sessions_.insert_or_assign({client, HandleId(outcome.handle())}, asked.session);
  const auto lost = lost_.find(asked.session);
  if (lost == lost_.end() || outcome.code() == v1::NO_SESSION) return;
  reporter_->Report("session.suffix_loss", at,
                    absl::StrCat("c", client, " call ", call.value(), " (", v1::CommandKind_Name(asked.kind), ") was answered ",
                                 v1::Code_Name(outcome.code()), " after call ", lost->second.value(), " was told that session ",
                                 asked.session.value(), " is over"));
}

void SuffixChecker::Stopped(uint32_t client) {
  sessions_.erase(sessions_.lower_bound({client, HandleId()}), sessions_.lower_bound({client + 1, HandleId()}));
  asked_.erase(asked_.lower_bound({client, CallId()}), asked_.lower_bound({client + 1, CallId()}));
}

}  // namespace bramah::sim

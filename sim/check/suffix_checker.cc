#include "sim/check/suffix_checker.h"

#include <optional>

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
  if (command.kind() == v1::CLOSE || command.kind() == v1::POISON) sessions_.Take(client, HandleId(command.handle()));
  if (!IsEvidence(command.kind())) return;
  // An Open belongs to the session in which it was called; all else to that of its handle, as late as it may come.
  const SessionId* opened = sessions_.Find(client, HandleId(command.handle()));
  if (command.handle() != 0 && command.kind() != v1::OPEN && opened == nullptr) return;  // closed, and nobody's
  const bool on_handle = command.kind() != v1::OPEN && opened != nullptr;
  const SessionId owner = on_handle ? *opened : session;
  if (owner) asked_.Put(client, call, {command.kind(), owner});
}

void SuffixChecker::Answered(Time at, uint32_t client, CallId call, const v1::Outcome& outcome) {
  const std::optional<Asked> found = asked_.Take(client, call);
  if (!found.has_value()) return;
  const Asked asked = *found;
  if (outcome.code() == v1::SESSION_EXPIRED) {
    lost_.try_emplace(asked.session, call);
    return;
  }
  const bool opened = asked.kind == v1::OPEN && outcome.code() == v1::OK;
  if (opened) sessions_.Put(client, HandleId(outcome.handle()), asked.session);
  const auto lost = lost_.find(asked.session);
  if (lost == lost_.end() || outcome.code() == v1::NO_SESSION) return;
  reporter_->Report("session.suffix_loss", at,
                    absl::StrCat("c", client, " call ", call.value(), " (", v1::CommandKind_Name(asked.kind), ") was answered ",
                                 v1::Code_Name(outcome.code()), " after call ", lost->second.value(), " was told that session ",
                                 asked.session.value(), " is over"));
}

void SuffixChecker::Stopped(uint32_t client) {
  sessions_.Forget(client);
  asked_.Forget(client);
}

}  // namespace bramah::sim

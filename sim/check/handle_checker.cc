#include "sim/check/handle_checker.h"

#include <optional>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "core/api/sequencer.h"

namespace bramah::sim {
namespace {

constexpr std::string_view kChecker = "handle.instance";

// Replicated, and only through a handle. Not a Batch, but its parts.
bool ActsThroughHandle(v1::CommandKind kind) { return kind > v1::OPEN && kind <= v1::ADD; }

bool Leaves(v1::CommandKind kind) { return kind == v1::CLOSE || kind == v1::POISON; }

bool ReadsHandle(v1::CommandKind kind) { return kind >= v1::GET_CONTENTS && kind <= v1::GET_SEQUENCER; }

// The library notes it down, whatever has become of the node.
bool AsksNobody(v1::CommandKind kind) { return kind == v1::SET_SEQUENCER; }

}  // namespace

// ------------------------------------------------------------------------------------------------------------------- the state

void HandleStateChecker::Applied(const CoreEvent& applied) {
  if (!applied.effect) return;
  const bool ends = applied.command == v1::END_SESSION || applied.command == v1::EXPIRE_SESSION;
  if (ends || applied.command == v1::OPEN || ActsThroughHandle(applied.command)) effects_.push_back(applied);
}

void HandleStateChecker::AfterStep(Time at, const cell::Cell& cell) {
  for (const CoreEvent& applied : effects_) {
    if (applied.command == v1::OPEN) Bind(at, applied, cell);
  }
  for (const CoreEvent& applied : effects_) {
    if (applied.command != v1::OPEN) Judge(at, applied);
  }
  effects_.clear();
}

void HandleStateChecker::Bind(Time at, const CoreEvent& open, const cell::Cell& cell) {
  const std::optional<cell::AccessView> access = cell.AccessOf(open.session, open.handle);
  const Position instance = access.has_value() ? access->handle.instance : Position();
  opened_[{open.session, open.handle}] = {instance, false};
  const auto deleted = deleted_.find(instance);
  if (deleted == deleted_.end()) return;
  reporter_->Report(kChecker, at,
                    absl::StrCat("entry ", open.index.value(), " opened ", access->path, " as instance ", instance.value(),
                                 ", which entry ", deleted->second.value(), " had deleted"));
}

void HandleStateChecker::Judge(Time at, const CoreEvent& applied) {
  const auto report = [&](const std::string& what) {
    reporter_->Report(kChecker, at,
                      absl::StrCat(v1::CommandKind_Name(applied.command), " took effect with entry ", applied.index.value(),
                                   " through handle ", applied.handle.value(), ", ", what));
  };
  if (applied.command == v1::END_SESSION || applied.command == v1::EXPIRE_SESSION) {
    const auto first = opened_.lower_bound({applied.session, HandleId()});
    opened_.erase(first, opened_.lower_bound({applied.session.Next(), HandleId()}));
    return;
  }
  const auto found = opened_.find({applied.session, applied.handle});
  if (found == opened_.end()) {
    return report(absl::StrCat("which session ", applied.session.value(), " does not have"));
  }
  Opened& opened = found->second;
  if (opened.closed) report("which was closed");
  if (Leaves(applied.command)) {
    opened.closed = true;
    return;
  }
  if (!opened.instance) return;
  const auto deleted = deleted_.find(opened.instance);
  if (deleted != deleted_.end()) report(absl::StrCat("whose node entry ", deleted->second.value(), " had deleted"));
  if (applied.command == v1::DELETE) deleted_.try_emplace(opened.instance, applied.index);
}

// ------------------------------------------------------------------------------------------------------------- the application

void HandleChecker::Called(uint32_t client, SessionId session, CallId call, const v1::Command& command) {
  const bool on_handle = ActsThroughHandle(command.kind()) || ReadsHandle(command.kind()) || AsksNobody(command.kind());
  if (!on_handle && command.kind() != v1::OPEN) return;
  Asked asked{command.kind(), session, HandleId(command.handle()), "", removed_.size()};
  Bound* handle = bound_.Find(client, asked.handle);
  if (on_handle && (handle == nullptr || handle->closed)) {
    asked.doubt = handle == nullptr ? "which was never opened" : "which had been closed";
  } else if (on_handle) {
    const bool counts = (reads_count_ || !ReadsHandle(asked.kind)) && !AsksNobody(asked.kind);
    const bool stale = counts && removed_.contains(handle->instance);
    if (stale) asked.doubt = "whose node had been deleted";
    if (handle->session != session) asked.doubt = absl::StrCat("which session ", handle->session.value(), " had opened");
    handle->closed = Leaves(asked.kind);
  }
  asked_.Put(client, call, std::move(asked));
}

void HandleChecker::Answered(Time at, uint32_t client, CallId call, const v1::Outcome& outcome) {
  const std::optional<Asked> found = asked_.Take(client, call);
  if (!found.has_value() || Leaves(found->kind)) return;
  const Asked& asked = *found;
  const bool good = outcome.code() == v1::OK;
  if (asked.kind == v1::OPEN) {
    if (good) Open(at, client, asked, outcome);
    return;
  }
  if (good && !asked.doubt.empty()) Report(at, client, asked, outcome, asked.doubt);
  const Bound* bound = bound_.Find(client, asked.handle);
  if (bound == nullptr || bound->closed) return;
  const uint64_t instance = bound->instance;
  const auto mismatch = [&](uint64_t said) {
    Report(at, client, asked, outcome, absl::StrCat("of instance ", said, ", the handle was opened on ", instance));
  };
  if (outcome.instance() != 0 && outcome.instance() != instance) mismatch(outcome.instance());
  if (good && asked.kind == v1::GET_SEQUENCER) {
    const std::optional<Sequencer> said = ParseSequencer(outcome.sequencer());
    if (said.has_value() && said->instance.value() != instance) mismatch(said->instance.value());
  }
  if (good && asked.kind == v1::DELETE) removed_.try_emplace(instance, removed_.size());
}

void HandleChecker::Open(Time at, uint32_t client, const Asked& asked, const v1::Outcome& outcome) {
  const HandleId handle(outcome.handle());
  if (bound_.Find(client, handle) != nullptr) {
    Report(at, client, asked, outcome, "which was given out before");
  } else {
    bound_.Put(client, handle, {asked.session, outcome.instance()});
  }
  // Which the library may answer by itself, like a read.
  const auto removed = removed_.find(outcome.instance());
  const bool gone = reads_count_ && removed != removed_.end() && removed->second < asked.removals;
  if (gone) Report(at, client, asked, outcome, absl::StrCat("of instance ", outcome.instance(), ", which had been deleted"));
}

void HandleChecker::Report(Time at, uint32_t client, const Asked& asked, const v1::Outcome& outcome, const std::string& what) {
  const HandleId handle(asked.kind == v1::OPEN ? outcome.handle() : asked.handle.value());
  reporter_->Report(kChecker, at,
                    absl::StrCat("c", client, " was answered ", v1::Code_Name(outcome.code()), " to ",
                                 v1::CommandKind_Name(asked.kind), " of handle ", handle.value(), " in session ",
                                 asked.session.value(), ", ", what));
}

void HandleChecker::Stopped(uint32_t client) {
  bound_.Forget(client);
  asked_.Forget(client);
}

}  // namespace bramah::sim

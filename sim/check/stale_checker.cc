#include "sim/check/stale_checker.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace bramah::sim {
namespace {

// What the state says of the name, found by looking through all nodes.
v1::Outcome Truth(const cell::Cell& cell, const v1::Command& question) {
  v1::Outcome truth;
  truth.set_code(v1::NOT_FOUND);
  const cell::CellView view = cell.View();
  const auto node = std::find_if(view.nodes.begin(), view.nodes.end(),
                                 [&](const cell::NodeView& candidate) { return candidate.path == question.path(); });
  if (node == view.nodes.end()) return truth;
  truth.set_code(v1::OK);
  cell.ReadNode(node->instance, question, truth);
  return truth;
}

bool Moved(const Effects& effects) {
  return std::any_of(effects.events().begin(), effects.events().end(), [](const CoreEvent& event) {
    return event.kind == CoreEvent::kApplied || event.kind == CoreEvent::kSnapshotInstalled;
  });
}

}  // namespace

void StaleChecker::AfterStep(Time at, ReplicaId replica, LogIndex applied, const cell::Cell& cell, const Effects& effects) {
  if (!asked_.has_value()) return;
  for (const Effects::Ref ref : effects.ops()) {
    if (ref.op != Effects::Op::kSend) continue;
    const auto* reply = Message{effects.send(ref).kind, effects.send(ref).body}.As<v1::Reply>();
    if (reply != nullptr && reply->id() == asked_->id()) Judge(at, replica, applied, cell, effects, *reply);
  }
  asked_.reset();
}

void StaleChecker::Judge(Time at, ReplicaId replica, LogIndex applied, const cell::Cell& cell,
                         const Effects& effects, const v1::Reply& reply) {
  const v1::Command& question = asked_->command();
  const auto report = [&](const std::string& what) {
    reporter_->Report("read.stale", at,
                      absl::StrCat("r", replica.value(), " answered a stale ", v1::CommandKind_Name(question.kind()), " of ",
                                   question.path(), " with index ", reply.applied_index(), ", ", what));
  };
  const v1::Code code = reply.outcome().code();
  if (code == v1::UNAVAILABLE || code == v1::PERMISSION_DENIED) return;  // it shows nothing
  // What it answered from it may have left behind in the same step.
  const bool moved = Moved(effects) && reply.applied_index() < applied.value();
  if (!moved && reply.applied_index() != applied.value()) return report(absl::StrCat("but has applied ", applied.value()));
  if (reply.applied_index() < asked_->applied_at_least()) {
    return report(absl::StrCat("before ", asked_->applied_at_least(), ", which was asked for"));
  }
  if (reply.classes() != 0) return report("and let it be kept");
  const std::string answer = reply.outcome().SerializeAsString();
  if (!moved && answer != Truth(cell, question).SerializeAsString()) return report("which is not what its state says");
  sent_.insert({{reply.applied_index(), question.kind(), question.path()}, answer});
}

void StaleChecker::Confirmed(uint32_t client, LogIndex index) {
  uint64_t& seen = seen_[client];
  seen = std::max(seen, index.value());
}

void StaleChecker::Called(uint32_t client, CallId call, const v1::Command& command) { called_.Put(client, call, command); }

bool StaleChecker::Answered(Time at, uint32_t client, CallId call, const v1::Outcome& outcome) {
  const std::optional<v1::Command> found = called_.Take(client, call);
  if (!found.has_value()) return false;
  const v1::Command& question = *found;
  const uint64_t index = outcome.applied_index();
  if (index == 0 || outcome.code() == v1::PERMISSION_DENIED) return true;  // given up or refused
  const auto report = [&](const std::string& what) {
    reporter_->Report("read.stale", at,
                      absl::StrCat("c", client, " was answered to a stale ", v1::CommandKind_Name(question.kind()), " of ",
                                   question.path(), " with index ", index, ", ", what));
  };
  uint64_t& seen = seen_[client];
  if (index < seen) report(absl::StrCat("after it had seen ", seen));
  seen = std::max(seen, index);
  v1::Outcome answer = outcome;
  answer.clear_applied_index();
  const bool known = sent_.contains({{index, question.kind(), question.path()}, answer.SerializeAsString()});
  if (!known) report("which no replica has sent");
  return true;
}

void StaleChecker::Stopped(uint32_t client) {
  seen_.erase(client);
  called_.Forget(client);
}

}  // namespace bramah::sim

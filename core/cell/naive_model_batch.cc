// A Batch, the naive way: each part is tried alone on a copy of everything.
#include <algorithm>
#include <map>
#include <set>

#include "core/api/path.h"
#include "core/cell/naive_model.h"

namespace bramah::cell {

bool NaiveModel::ActedThrough(const v1::Command& command, uint64_t handle) const {
  const auto uses = [handle](const v1::Command& part) { return part.handle() == handle; };
  const auto& parts = applied_.outcome.guarded() ? command.parts() : command.otherwise();
  return command.handle() == handle || std::any_of(parts.begin(), parts.end(), uses);
}

bool NaiveModel::IsTrue(const v1::Command& guard, v1::Code& refusal) const {
  if (!guard.path().empty()) {
    if (!IsCellPath(guard.path())) refusal = FaultOfPath(guard.path());
    return nodes_.count(guard.path()) == 0;
  }
  const Handle* handle = FindNamed(guard);
  if (handle == nullptr) refusal = v1::BAD_HANDLE;
  const std::string* path = handle == nullptr ? nullptr : PathOf(handle->instance);
  if (path == nullptr) return false;
  if (const v1::Code code = Judge(guard.sequencer()); code != v1::OK) refusal = code;
  const bool reads = guard.compare() || guard.equals();
  if (refusal == v1::OK && reads && !handle->readable) refusal = v1::PERMISSION_DENIED;
  const Node& node = nodes_.at(*path);
  if (guard.compare() && guard.generation() != node.content_generation) return false;
  return !guard.equals() || guard.contents() == node.contents;
}

std::pair<v1::Outcome, size_t> NaiveModel::Try(const v1::Command& part) const {
  NaiveModel alone = *this;
  alone.applied_ = Applied();
  const v1::Outcome outcome = alone.Execute(part);
  const size_t bytes = alone.Bytes();
  return {outcome, bytes > Bytes() ? bytes - Bytes() : 0};
}

void NaiveModel::Batch(const v1::Command& batch, v1::Outcome& outcome) {
  outcome.set_guarded(true);
  if (batch.guards_size() > 64 || batch.parts_size() > 64 || batch.otherwise_size() > 64) {
    return outcome.set_code(v1::TOO_MANY_PARTS);
  }
  for (int i = 0; i < batch.guards_size() && outcome.guarded(); ++i) {
    v1::Code refusal = v1::OK;
    outcome.set_guarded(IsTrue(batch.guards(i), refusal) && refusal == v1::OK);
    if (outcome.guarded() || (refusal == v1::OK && batch.otherwise_size() > 0)) continue;
    outcome.set_failed(static_cast<uint32_t>(i));
    return outcome.set_code(refusal == v1::OK ? v1::GUARD_FAILED : refusal);
  }
  const auto& parts = outcome.guarded() ? batch.parts() : batch.otherwise();
  std::set<uint64_t> instances;
  std::set<std::string> paths;
  std::map<std::string, size_t> children;
  size_t contents = 0, growth = 0;
  for (const v1::Command& part : parts) contents += part.contents().size();
  if (contents > kContentBytesMax) return outcome.set_code(v1::TOO_LARGE);
  for (int i = 0; i < parts.size() && outcome.code() == v1::OK; ++i) {
    const v1::Command& part = parts.Get(i);
    const auto [alone, bytes] = Try(part);
    growth += bytes;
    outcome.set_failed(static_cast<uint32_t>(i));
    const bool creates = part.kind() == v1::CREATE;
    if (alone.code() != v1::OK) {
      outcome.set_code(alone.code());
    } else if (growth > 0 && Bytes() + growth > limits_.bytes_max) {
      outcome.set_code(v1::CELL_FULL);
    } else if (!(creates ? paths.insert(part.path()).second : instances.insert(alone.instance()).second)) {
      outcome.set_code(v1::PARTS_OVERLAP);
    } else if (creates && ChildCount(ParentOf(part.path())) + ++children[ParentOf(part.path())] > limits_.children_max) {
      outcome.set_code(v1::TOO_MANY_CHILDREN);
    }
  }
  for (int i = 0; i < parts.size() && outcome.code() == v1::OK; ++i) {
    const v1::Command& part = parts.Get(i);
    const bool removes = part.kind() == v1::DELETE;
    if (!removes || children.count(*PathOf(FindNamed(part)->instance)) == 0) continue;
    outcome.set_failed(static_cast<uint32_t>(i));
    outcome.set_code(v1::PARTS_OVERLAP);
  }
  if (outcome.code() != v1::OK) return;
  outcome.clear_failed();
  for (int i = 0; i < parts.size(); ++i) outcome.add_parts();
  const uint64_t last = position_;
  const auto creates = [](const v1::Command& part) { return part.kind() == v1::CREATE; };
  uint64_t made = last - static_cast<uint64_t>(std::count_if(parts.begin(), parts.end(), creates));
  judged_ = true;
  applied_.outcome.Clear();
  for (const v1::CommandKind kind : {v1::CREATE, v1::SET_CONTENTS, v1::ADD, v1::SET_ACL, v1::DELETE}) {
    for (int i = 0; i < parts.size(); ++i) {
      if (parts.Get(i).kind() != kind) continue;
      if (kind == v1::CREATE) position_ = ++made;
      *outcome.mutable_parts(i) = Execute(parts.Get(i));
      position_ = last;
    }
  }
  judged_ = false;
}

}  // namespace bramah::cell

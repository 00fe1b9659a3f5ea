// Batches [D-61]: changes of several nodes in one call, hence calls on several handles.
//
// To the cache and to beliefs a Batch is a change by a stranger: nothing is dropped or given up when it is sent. The master tells
// this client like any other what is to be dropped, its own locks on what is removed too, and waits for it. That costs a message
// when the client keeps something of these nodes, and nothing has to be known here of what the Batch will come to.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/api/path.h"
#include "core/client/calls.h"
#include "core/client/handle_ids.h"

namespace bramah::client {
namespace {

using Parts = google::protobuf::RepeatedPtrField<v1::Command>;

bool IsChange(v1::CommandKind kind) {
  return kind == v1::SET_CONTENTS || kind == v1::ADD || kind == v1::SET_ACL || kind == v1::DELETE || kind == v1::CREATE;
}

// By its name, not through a handle.
bool IsNamed(const v1::Command& part) { return part.kind() == v1::CREATE || (part.kind() == v1::GUARD && !part.path().empty()); }

bool AnyUses(const Parts& parts, HandleId handle) {
  return std::any_of(parts.begin(), parts.end(), [&](const v1::Command& part) { return part.handle() == handle.value(); });
}

size_t ContentsIn(const Parts& parts) {
  size_t bytes = 0;
  for (const v1::Command& part : parts) bytes += part.contents().size();
  return bytes;
}

}  // namespace

bool Uses(const v1::Command& command, HandleId handle) {
  if (command.kind() != v1::BATCH) return command.handle() == handle.value();
  return AnyUses(command.guards(), handle) || AnyUses(command.parts(), handle) || AnyUses(command.otherwise(), handle);
}

v1::Code Calls::JudgeBatch(const v1::Command& batch) const {
  if (batch.kind() != v1::BATCH) return v1::OK;
  if (std::max({batch.guards_size(), batch.parts_size(), batch.otherwise_size()}) > kBatchPartsMax) return v1::TOO_MANY_PARTS;
  if (std::max(ContentsIn(batch.parts()), ContentsIn(batch.otherwise())) > kContentBytesMax) return v1::TOO_LARGE;
  if (ContentsIn(batch.guards()) > kContentBytesMax) return v1::TOO_LARGE;
  for (const Parts* parts : {&batch.guards(), &batch.parts(), &batch.otherwise()}) {
    if (const v1::Code code = JudgeParts(*parts, parts == &batch.guards()); code != v1::OK) return code;
  }
  return v1::OK;
}

v1::Code Calls::JudgeParts(const Parts& parts, bool guards) const {
  for (const v1::Command& part : parts) {
    if (guards ? part.kind() != v1::GUARD : !IsChange(part.kind())) return v1::MALFORMED;
    if (IsNamed(part)) {
      if (!IsCellPath(part.path())) return FaultOfPath(part.path());
      continue;
    }
    const HandleId id(part.handle());
    if (id && AtMaster(id).value() <= ended_handles_) return v1::SESSION_EXPIRED;
    const auto handle = handles_.find(id);
    if (handle == handles_.end() || !handle->second.open) return v1::BAD_HANDLE;
    if (handle->second.poisoned) return v1::POISONED;
  }
  return v1::OK;
}

v1::Command Calls::PrepareBatch(const v1::Command& asked) const {
  v1::Command batch = asked;
  batch.clear_handle();
  ForEachPart(batch, [&](v1::Command& part) {
    if (part.kind() == v1::CREATE) part.set_open_flags(part.open_flags() | v1::OPEN_MUST_CREATE);
    if (IsNamed(part)) {
      part.clear_handle();
      part.clear_sequencer();  // which only handles have
      return part.clear_check_digits();
    }
    part.clear_path();
    const Handle& handle = handles_.at(HandleId(part.handle()));
    part.set_sequencer(handle.sequencer);
    part.set_check_digits(handle.check_digits);
  });
  return batch;
}

bool Calls::TryBatch(const Context& context, PendingMap::iterator at) {
  std::vector<Handle*> handles;
  bool free = true;
  const uint64_t id = at->first;
  ForEachPart(at->second.command, [&](const v1::Command& part) {
    if (!free || IsNamed(part)) return;
    const HandleId named(part.handle());
    Handle* const handle = Find(named);
    handles.push_back(handle);
    free = free && handle != nullptr && handle->issued == 0 && std::none_of(calls_.begin(), at, [&](const auto& before) {
             return before.second.stage == Stage::kBlocked && Uses(before.second.command, named);
           });
  });
  if (!free || !Issue(context, at)) return false;
  for (Handle* const handle : handles) handle->issued = id;
  return true;
}

std::vector<HandleId> Calls::PassHandles(uint64_t from, uint64_t to) {
  std::vector<HandleId> passed;
  for (auto& [handle_id, handle] : handles_) {
    if (handle.issued != from) continue;
    handle.issued = to;
    passed.push_back(handle_id);
  }
  return passed;
}

// The Batch may have been made before the Close that gave it up, and nobody is told of what it does itself.
void Calls::LookAfterGivenUp(const Context& context, uint64_t leave) {
  const std::vector<HandleId> freed = PassHandles(leave, 0);
  for (const HandleId id : freed) {
    const auto is_watched = [id](const Watch& watch) { return watch.handle == id; };
    if (std::any_of(watches_.open().begin(), watches_.open().end(), is_watched)) Look(context, id);
  }
  if (!freed.empty()) Resume(context);
}

void Calls::SettleBatch(const Context& context, uint64_t id, const Pending& pending, const v1::Outcome& outcome) {
  const std::vector<HandleId> freed = PassHandles(id, 0);
  if (outcome.code() == v1::OK) SettleParts(context, pending, outcome);
  for (const HandleId handle : freed) {
    Handle* const target = Find(handle);
    if (target != nullptr && std::exchange(target->look_again, false)) Look(context, handle);
  }
}

void Calls::SettleParts(const Context& context, const Pending& pending, const v1::Outcome& outcome) {
  const Parts& parts = outcome.guarded() ? pending.command.parts() : pending.command.otherwise();
  for (int i = 0; i < std::min(parts.size(), outcome.parts_size()); ++i) {
    const v1::Command& part = parts.Get(i);
    const HandleId id(part.handle());
    const bool writes = part.kind() == v1::SET_CONTENTS || part.kind() == v1::ADD;
    if (writes) watches_.Wrote(context.session, id, outcome.parts(i).content_generation(), context.out);
    if (part.kind() != v1::DELETE) continue;
    watches_.Deleted(id);
    EndBeliefsOf(context, id);  // who had lapsed was told of nothing
    if (Handle* const handle = Find(id)) Removed(*handle);
  }
}

}  // namespace bramah::client

// Batch: changes of several nodes, if guards are true; all are made or none [PML §5.6, D-61].
//
// Everything is judged by the state before, permissions too, and then done: first what is created, then what is changed, then what
// is removed.
// For the parts not to meet, no node may be the object of two of them, and none may be removed under which another is made; then
// what was judged alone is still right when the others have been done. Only quotas are shared, and are judged together.
//
// A node is known by the position of the entry that made it. A Batch that makes several takes those of the entries before it,
// which the master proposed for nothing else; if there are too few of them, it has no effect and is proposed again.
#include <algorithm>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "core/api/path.h"
#include "core/cell/cell.h"
#include "core/cell/command_check.h"

namespace bramah::cell {
namespace {

using Parts = google::protobuf::RepeatedPtrField<v1::Command>;

bool IsCreation(const v1::Command& part) { return part.kind() == v1::CREATE; }
bool IsRemoval(const v1::Command& part) { return part.kind() == v1::DELETE; }

enum Turn { kCreations, kWrites, kRemovals };
Turn TurnOf(const v1::Command& part) { return IsCreation(part) ? kCreations : IsRemoval(part) ? kRemovals : kWrites; }

uint32_t CreationsIn(const Parts& parts) {
  return static_cast<uint32_t>(std::count_if(parts.begin(), parts.end(), IsCreation));
}

size_t ContentsIn(const Parts& parts) {
  size_t bytes = 0;
  for (const v1::Command& part : parts) bytes += part.contents().size();
  return bytes;
}

}  // namespace

// One with too many parts is refused, and needs none.
uint32_t PositionsOf(const v1::Command& batch) {
  if (std::max(batch.parts_size(), batch.otherwise_size()) > kBatchPartsMax) return 1;
  return std::max({1u, CreationsIn(batch.parts()), CreationsIn(batch.otherwise())});
}

void Cell::Batch(Entry& entry) {
  const BatchPlan plan = PlanOf(*entry.session, entry.command);
  entry.outcome().set_guarded(plan.guarded);
  if (plan.code != v1::OK) {
    entry.outcome().set_failed(plan.failed);
    return entry.Refuse(plan.code);
  }
  uint64_t position = entry.position.value() - CreationsIn(*plan.parts);
  for (int i = 0; i < plan.parts->size(); ++i) entry.outcome().add_parts();
  for (const Turn turn : {kCreations, kWrites, kRemovals}) {
    for (int i = 0; i < plan.parts->size(); ++i) {
      const v1::Command& change = plan.parts->Get(i);
      if (TurnOf(change) != turn) continue;
      Entry part{entry.position, change, entry.session, entry.applied, entry.probes, entry.outcome().mutable_parts(i)};
      if (turn == kCreations) part.reserved = Position(++position);
      Perform(part);
    }
  }
  SOMETIMES(entry.probes, kBatchDone, plan.parts->size() > 1);
}

Cell::BatchPlan Cell::PlanOf(const session::Session& session, const v1::Command& batch) const {
  BatchPlan plan;
  const int most = std::max({batch.guards_size(), batch.parts_size(), batch.otherwise_size()});
  if (most > kBatchPartsMax) {
    plan.code = v1::TOO_MANY_PARTS;
    return plan;
  }
  for (int i = 0; i < batch.guards_size(); ++i) {
    const v1::Code code = JudgeGuard(session, batch.guards(i));
    if (code == v1::OK) continue;
    plan.guarded = false;
    plan.failed = static_cast<uint32_t>(i);
    if (code != v1::GUARD_FAILED || batch.otherwise().empty()) {
      plan.code = code;
      return plan;
    }
    break;
  }
  plan.failed = 0;
  plan.parts = plan.guarded ? &batch.parts() : &batch.otherwise();
  JudgeParts(session, plan);
  return plan;
}

v1::Code Cell::JudgeGuard(const session::Session& session, const v1::Command& guard) const {
  const auto is = [](bool true_or_not) { return true_or_not ? v1::OK : v1::GUARD_FAILED; };
  if (!guard.path().empty()) {
    return IsCellPath(guard.path()) ? is(tree_.Resolve(guard.path()) == nullptr) : v1::BAD_NAME;
  }
  v1::Outcome unused;
  const Found found = Find(session, guard, unused);
  if (found.code != v1::OK) return found.code == v1::STALE_HANDLE ? v1::GUARD_FAILED : found.code;
  if ((guard.compare() || guard.equals()) && !found.handle->readable) return v1::PERMISSION_DENIED;
  if (guard.compare() && guard.generation() != found.node->content_generation) return v1::GUARD_FAILED;
  return is(!guard.equals() || guard.contents() == found.node->contents.view());
}

void Cell::JudgeParts(const session::Session& session, BatchPlan& plan) const {
  absl::btree_set<std::string> made;
  absl::btree_set<Position> changed;
  absl::btree_map<Position, size_t> children;  // to be made, by directory
  size_t growth = 0;
  const auto judge = [&](const v1::Command& part) {
    v1::Outcome told;
    const v1::Code code = Judge(session, part, told);
    if (code != v1::OK) return code;
    growth += GrowthOf(session, part);
    if (!HasRoom(growth)) return v1::CELL_FULL;
    if (!IsCreation(part)) return changed.insert(Position(told.instance())).second ? v1::OK : v1::PARTS_OVERLAP;
    if (!made.insert(part.path()).second) return v1::PARTS_OVERLAP;
    const lock::Node& parent = *tree_.Resolve(ParentPath(part.path()));
    const bool room = parent.children().size() + ++children[parent.instance] <= limits_->children_max;
    return room ? v1::OK : v1::TOO_MANY_CHILDREN;
  };
  if (ContentsIn(*plan.parts) > kContentBytesMax) plan.code = v1::TOO_LARGE;
  for (int i = 0; i < plan.parts->size() && plan.code == v1::OK; ++i) {
    plan.code = judge(plan.parts->Get(i));
    plan.failed = static_cast<uint32_t>(i);
  }
  for (int i = 0; i < plan.parts->size() && plan.code == v1::OK; ++i) {
    const v1::Command& part = plan.parts->Get(i);
    const bool needed = IsRemoval(part) && children.contains(HandleOf(session, part)->instance);
    if (needed) plan = {v1::PARTS_OVERLAP, static_cast<uint32_t>(i), plan.guarded, plan.parts};
  }
}

// It touches what its parts touch; what would be refused touches nothing. Its client ends no belief by itself, but is told of
// removals like all others.
void Cell::TouchedByBatch(const v1::Command& command, const session::Session& session, Time time, Touches& touches) const {
  const BatchPlan plan = PlanOf(session, command);
  if (plan.code != v1::OK) return;
  for (const v1::Command& part : *plan.parts) {
    if (IsCreation(part)) {
      TouchedByOpen(part, touches);
      continue;
    }
    const session::Handle& handle = *HandleOf(session, part);
    const lock::Node& node = *tree_.Find(handle.instance);
    if (IsRemoval(part)) {
      TouchedByTaking(node, SessionId(), touches);
    } else {
      TouchedOnHandle(part, handle, node, time, touches);
    }
  }
}

}  // namespace bramah::cell

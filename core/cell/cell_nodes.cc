// Commands on handles and nodes.
#include <algorithm>

#include "core/api/path.h"
#include "core/cell/cell.h"

namespace bramah::cell {

Cell::Target Cell::TargetOf(Entry& entry) {
  Target target;
  target.handle = entry.session->Find(HandleId(entry.command.handle()));
  if (target.handle == nullptr) {
    entry.Refuse(v1::BAD_HANDLE);
    return target;
  }
  lock::Node* node = tree_.Find(target.handle->instance);
  const v1::Code code = node == nullptr ? v1::STALE_HANDLE : JudgeSequencer(entry.command);
  SOMETIMES(entry.probes, kGuardRefused, code == v1::SEQUENCER_INVALID);
  if (code != v1::OK) {
    entry.Refuse(code);
    return target;
  }
  target.node = node;
  entry.outcome().set_instance(node->instance.value());
  return target;
}

void Cell::Open(Entry& entry) {
  const v1::Command& command = entry.command;
  const HandleId id(command.handle());
  session::Session& session = *entry.session;
  if (session.Spent(id)) return entry.Refuse(v1::BAD_HANDLE);
  // A client that scatters its ids would let the record of closed ones grow without bound.
  const size_t most = limits_->handles_per_session_max;
  if (session.handles().size() >= most || session.closed().runs().size() > most) return entry.Refuse(v1::LIMIT_REACHED);
  if (!IsCellPath(command.path())) return entry.Refuse(v1::BAD_NAME);
  const lock::Node* found = tree_.Resolve(command.path());
  lock::Node* node = found == nullptr ? CreateNode(entry) : tree_.Find(found->instance);
  if (node == nullptr) return;
  if (found != nullptr && (command.open_flags() & v1::OPEN_MUST_CREATE)) return entry.Refuse(v1::EXISTS);
  if (!node->directory && (command.open_flags() & v1::OPEN_DIRECTORY)) return entry.Refuse(v1::NOT_A_DIRECTORY);
  ++node->references;
  session::Handle handle;
  handle.instance = node->instance;
  handle.writable = (command.open_flags() & v1::OPEN_WRITE) != 0;
  handle.lock_delay = std::min<Duration>(command.lock_delay_ns(), kLockDelayMax);
  handle.events = command.events();
  session.Open(id, handle);
  subscriptions_.Add(handle.instance, entry.owner(), handle.events);
  v1::Outcome& outcome = entry.outcome();
  outcome.set_created(found == nullptr);
  outcome.set_directory(node->directory);
  outcome.set_ephemeral(node->ephemeral);
  outcome.set_instance(node->instance.value());
  outcome.set_content_generation(node->content_generation);
  outcome.set_children_changed(node->children_changed.value());
  entry.applied.effect = true;
}

// Null if the command was refused.
lock::Node* Cell::CreateNode(Entry& entry) {
  const v1::Command& command = entry.command;
  const auto refuse = [&](v1::Code code) {
    entry.Refuse(code);
    return nullptr;
  };
  const lock::Node* parent = tree_.Resolve(ParentPath(command.path()));
  if (parent == nullptr) return refuse(v1::NOT_FOUND);
  if (!parent->directory) return refuse(v1::NOT_A_DIRECTORY);
  const uint32_t flags = command.open_flags();
  if (!(flags & (v1::OPEN_MAY_CREATE | v1::OPEN_MUST_CREATE))) return refuse(v1::NOT_FOUND);
  if (command.contents().size() > kContentBytesMax) return refuse(v1::TOO_LARGE);
  if (parent->children.size() >= limits_->children_max) return refuse(v1::LIMIT_REACHED);
  TellOfChildren(parent->instance, entry);
  return &tree_.Create(entry.position, parent->instance, BaseName(command.path()), (flags & v1::OPEN_DIRECTORY) != 0,
                       (flags & v1::OPEN_EPHEMERAL) != 0, command.contents());
}

// Never fails. The calls it gives up are settled here and now, in replicated state: a copy of one that comes later, from whatever
// stream or master, finds its seq answered and can neither open the handle again nor leave a lock behind [A-22, PR-06]. What a
// poisoned handle sent under its lock may be on its way to others still, so that lock is `lost` [D-32].
void Cell::Close(Entry& entry, bool lost) {
  session::Session& session = *entry.session;
  const HandleId id(entry.command.handle());
  for (const uint64_t seq : entry.command.gives_up()) session.results.GiveUp(RequestSeq(seq), id);
  const session::Handle* handle = session.Find(id);
  if (handle == nullptr) return;
  subscriptions_.Remove(handle->instance, entry.owner());  // of what follows it is not told any more
  lock::Node* node = tree_.Find(handle->instance);
  const bool holds = node != nullptr && node->lock.HoldOf(entry.owner()) != nullptr;
  if (lost && holds) StartLockDelay(*node, handle->lock_delay, entry);
  SOMETIMES(entry.probes, kHolderPoisoned, lost && holds);
  if (node != nullptr && LeaveLock(*node, entry.owner(), entry)) Promote(*node, entry);
  CloseHandle(session, id, entry);
  entry.applied.effect = true;
}

void Cell::SetContents(Entry& entry) {
  const v1::Command& command = entry.command;
  const auto [handle, node] = TargetOf(entry);
  if (node == nullptr) return;
  if (!handle->writable) return entry.Refuse(v1::NOT_WRITABLE);
  if (node->directory) return entry.Refuse(v1::IS_A_DIRECTORY);
  if (command.contents().size() > kContentBytesMax) return entry.Refuse(v1::TOO_LARGE);
  if (command.compare() && command.generation() != node->content_generation) {
    entry.outcome().set_content_generation(node->content_generation);
    return entry.Refuse(v1::GENERATION_MISMATCH);
  }
  node->SetContents(command.contents());
  ++node->content_generation;
  tree_.Refresh(*node);
  tree_.TouchChildren(node->parent, entry.position);
  Tell(*node, v1::EVENT_CONTENTS, node->content_generation, entry);
  TellOfChildren(node->parent, entry);
  entry.outcome().set_content_generation(node->content_generation);
  entry.outcome().set_content_length(node->contents.size());
  entry.outcome().set_checksum(node->checksum);
  entry.applied.effect = true;
}

// Refused while another handle holds the lock: waiting for that holder to hear of it needs invalidations.
void Cell::Delete(Entry& entry) {
  const auto [handle, node] = TargetOf(entry);
  if (node == nullptr) return;
  if (!handle->writable) return entry.Refuse(v1::NOT_WRITABLE);
  if (node->instance == tree_.root()) return entry.Refuse(v1::ROOT_IS_PERMANENT);
  if (!node->children.empty()) return entry.Refuse(v1::NOT_EMPTY);
  const size_t own = node->lock.HoldOf(entry.owner()) != nullptr ? 1 : 0;
  if (node->lock.holders().size() > own) return entry.Refuse(v1::LOCK_HELD);
  for (const auto& [since, waiter] : node->lock.waiters()) Decide(waiter, Decision::kHandleInvalid, *node, entry);
  RemoveNode(*node, entry);
  entry.applied.effect = true;
}

void Cell::CloseHandle(session::Session& session, HandleId id, Entry& entry) {
  lock::Node* node = tree_.Find(session.Find(id)->instance);
  session.Close(id);
  if (node == nullptr) return;
  --node->references;
  if (!node->Abandoned()) return;
  RemoveNode(*node, entry);
  SOMETIMES(entry.probes, kEphemeralRemoved, true);
}

void Cell::RemoveNode(lock::Node& node, Entry& entry) {
  for (lock::Node* next = &node; next != nullptr;) {
    lock::Node* parent = tree_.Find(next->parent);
    Tell(*next, v1::EVENT_HANDLE_INVALID, entry.position.value(), entry);
    subscriptions_.RemoveAll(next->instance);
    tree_.Remove(next->instance, entry.position);
    TellOfChildren(parent->instance, entry);
    next = parent->Abandoned() ? parent : nullptr;
    SOMETIMES(entry.probes, kEphemeralRemoved, next != nullptr);
  }
}

}  // namespace bramah::cell

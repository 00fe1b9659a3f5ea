// Commands on handles and nodes.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/api/path.h"
#include "core/cell/cell.h"
#include "core/session/check_digits.h"

namespace bramah::cell {
namespace {

// Names that a command leaves out are not set.
bool AreAclNames(const v1::Command& command) {
  const auto good = [](const std::string& name) { return name.empty() || IsCellName(name); };
  return good(command.acl_read()) && good(command.acl_write()) && good(command.acl_change());
}

// Exactly as std::to_string writes it.
std::optional<int64_t> ParseNumber(std::string_view text) {
  if (text.empty()) return 0;
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);  // leaves 0 if that is none, or too large
  if (std::to_string(number) != text) return std::nullopt;
  return number;
}

lock::AclPtr Changed(const lock::AclPtr& from, const v1::Command& command) {
  lock::AclNames names = from->names;
  if (!command.acl_read().empty()) names.read = command.acl_read();
  if (!command.acl_write().empty()) names.write = command.acl_write();
  if (!command.acl_change().empty()) names.change = command.acl_change();
  return names == from->names ? from : lock::AclPtr(lock::Acl(std::move(names)));
}

}  // namespace

// Close needs no check digits, for who gives up its Open does not have them. Nothing else can be done with a handle whose Open
// was not answered.
const session::Handle* Cell::HandleOf(const session::Session& session, const v1::Command& command) {
  const session::Handle* handle = session.Find(HandleId(command.handle()));
  const bool leaves = command.kind() == v1::CLOSE || command.kind() == v1::POISON;
  return handle == nullptr || leaves || handle->check_digits == command.check_digits() ? handle : nullptr;
}

Cell::Target Cell::TargetOf(Entry& entry) {
  Target target;
  target.handle = HandleOf(*entry.session, entry.command);
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
  if (session.handles().size() >= most || session.closed().runs().size() > most) return entry.Refuse(v1::TOO_MANY_HANDLES);
  if (!IsCellPath(command.path())) return entry.Refuse(v1::BAD_NAME);
  const lock::Node* found = tree_.Resolve(command.path());
  const lock::Node* parent = found == nullptr ? ParentOf(entry) : nullptr;
  if (found == nullptr && parent == nullptr) return;
  const uint32_t flags = command.open_flags();
  if (found != nullptr && (flags & v1::OPEN_MUST_CREATE)) return entry.Refuse(v1::EXISTS);
  if (found != nullptr && !found->directory && (flags & v1::OPEN_DIRECTORY)) return entry.Refuse(v1::NOT_A_DIRECTORY);
  const lock::AclPtr acl = found != nullptr ? found->acl : Changed(parent->acl, command);
  session::Handle handle;
  if (!Permit(entry, *acl, handle)) return;
  if (found == nullptr) {
    TellOfChildren(*parent, entry);
    found = &tree_.Create(entry.position, parent->instance, BaseName(command.path()), (flags & v1::OPEN_DIRECTORY) != 0,
                          (flags & v1::OPEN_EPHEMERAL) != 0, command.contents(), acl);
  }
  lock::Node& node = *tree_.Find(found->instance);
  if (node.instance == entry.position && command.permits() > 1) {
    node.lock = lock::LockState(command.permits());
    tree_.Refresh(node);
  }
  ++node.references;
  handle.instance = node.instance;
  handle.lock_delay = std::min<Duration>(command.lock_delay_ns(), kLockDelayMax);
  handle.events = command.events();
  handle.check_digits = session::CheckDigits(session.id(), id, handle, secret_);
  session.Open(id, handle);
  subscriptions_.Add(handle.instance, entry.owner(), handle.events);
  v1::Outcome& outcome = entry.outcome();
  outcome.set_created(node.instance == entry.position);
  outcome.set_directory(node.directory);
  outcome.set_ephemeral(node.ephemeral);
  outcome.set_instance(node.instance.value());
  outcome.set_content_generation(node.content_generation);
  outcome.set_children_changed(node.children_changed.value());
  outcome.set_permits(node.lock.permits());
  outcome.set_check_digits(handle.check_digits);
  entry.applied.effect = true;
}

const lock::Node* Cell::ParentOf(Entry& entry) const {
  const v1::Command& command = entry.command;
  const auto refuse = [&](v1::Code code) {
    entry.Refuse(code);
    return nullptr;
  };
  const lock::Node* parent = tree_.Resolve(ParentPath(command.path()));
  if (parent == nullptr) return refuse(v1::NOT_FOUND);
  if (!parent->directory) return refuse(v1::NOT_A_DIRECTORY);
  if (!(command.open_flags() & (v1::OPEN_MAY_CREATE | v1::OPEN_MUST_CREATE))) return refuse(v1::NOT_FOUND);
  if (command.contents().size() > kContentBytesMax) return refuse(v1::TOO_LARGE);
  if (!AreAclNames(command)) return refuse(v1::BAD_NAME);
  if (command.permits() > lock::kPermitsMax) return refuse(v1::TOO_MANY_PERMITS);
  if (!Allows(parent->acl->names.write, entry.session->principal())) return refuse(v1::PERMISSION_DENIED);
  if (parent->children.size() >= limits_->children_max) return refuse(v1::TOO_MANY_CHILDREN);
  if (tree_.bytes() + BaseName(command.path()).size() + command.contents().size() > limits_->bytes_max) {
    return refuse(v1::CELL_FULL);
  }
  return parent;
}

// Looked at here and then no more: the handle keeps its rights, whatever becomes of the ACLs [Chubby §2.3, D-49].
bool Cell::Permit(Entry& entry, const lock::Acl& acl, session::Handle& handle) const {
  const std::string& principal = entry.session->principal();
  const uint32_t flags = entry.command.open_flags();
  handle.readable = Allows(acl.names.read, principal);
  handle.writable = (flags & v1::OPEN_WRITE) != 0;
  handle.changes_acl = (flags & v1::OPEN_CHANGE_ACL) != 0;
  // That somebody else wants the lock is told to its holder only, and says nothing of the node.
  const bool told = (entry.command.events() & ~static_cast<uint32_t>(v1::EVENT_LOCK_REQUESTED)) != 0;
  const bool reads = (!handle.writable && !handle.changes_acl) || told;
  const bool permitted = (!reads || handle.readable) && (!handle.writable || Allows(acl.names.write, principal)) &&
                         (!handle.changes_acl || Allows(acl.names.change, principal));
  if (!permitted) entry.Refuse(v1::PERMISSION_DENIED);
  SOMETIMES(entry.probes, kPermissionDenied, !permitted);
  return permitted;
}

bool Cell::Allows(const std::string& acl, const std::string& principal) const {
  if (acl == lock::kEveryone) return true;
  if (acl == lock::kNobody) return false;
  std::string path(lock::kAclDirectory);
  path += '/';
  path += acl;
  const lock::Node* file = tree_.Resolve(path);
  return file != nullptr && lock::Lists(file->contents.view(), principal);
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
  const lock::Hold* hold = node == nullptr ? nullptr : node->lock.HoldOf(entry.owner());
  if (lost && hold != nullptr) StartLockDelay(*node, *hold, handle->lock_delay, entry);
  SOMETIMES(entry.probes, kHolderPoisoned, lost && hold != nullptr);
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
  entry.outcome().set_code(Write(entry, *node, command.contents()));
}

v1::Code Cell::Write(Entry& entry, lock::Node& node, std::string_view contents) {
  const bool grows = contents.size() > node.contents.size();
  if (grows && tree_.bytes() - node.contents.size() + contents.size() > limits_->bytes_max) return v1::CELL_FULL;
  tree_.SetContents(node, contents);
  ++node.content_generation;
  tree_.Refresh(node);
  const lock::Node& parent = tree_.TouchChildren(node.parent, entry.position);
  Tell(node, v1::EVENT_CONTENTS, node.content_generation, entry);
  TellOfChildren(parent, entry);
  entry.outcome().set_content_generation(node.content_generation);
  entry.outcome().set_content_length(node.contents.size());
  entry.outcome().set_checksum(node.checksum);
  entry.applied.effect = true;
  return v1::OK;
}

// Contents that are a decimal number, or empty: 0.
void Cell::AddNumber(Entry& entry) {
  const v1::Command& command = entry.command;
  const auto [handle, node] = TargetOf(entry);
  if (node == nullptr) return;
  if (!handle->writable) return entry.Refuse(v1::NOT_WRITABLE);
  if (node->directory) return entry.Refuse(v1::IS_A_DIRECTORY);
  const std::optional<int64_t> before = ParseNumber(node->contents.view());
  if (!before) return entry.Refuse(v1::NOT_A_NUMBER);
  int64_t sum = 0;
  const bool overflow = __builtin_add_overflow(*before, command.delta(), &sum);
  entry.outcome().set_value(*before);
  if (overflow || (command.bounded() && (sum < command.min() || sum > command.max()))) return entry.Refuse(v1::OUT_OF_BOUNDS);
  const v1::Code code = Write(entry, *node, std::to_string(sum));
  if (code == v1::OK) entry.outcome().set_value(sum);
  entry.outcome().set_code(code);
}

// The right is looked at again: whoever may set the names must not keep that after it was taken away [D-49].
void Cell::SetAcl(Entry& entry) {
  const v1::Command& command = entry.command;
  const auto [handle, node] = TargetOf(entry);
  if (node == nullptr) return;
  const bool permitted = handle->changes_acl && Allows(node->acl->names.change, entry.session->principal());
  if (!permitted) return entry.Refuse(v1::PERMISSION_DENIED);
  if (!AreAclNames(command)) return entry.Refuse(v1::BAD_NAME);
  entry.outcome().set_acl_generation(node->acl_generation);
  if (command.compare() && command.generation() != node->acl_generation) return entry.Refuse(v1::GENERATION_MISMATCH);
  node->acl = Changed(node->acl, command);
  ++node->acl_generation;
  tree_.Refresh(*node);
  entry.outcome().set_acl_generation(node->acl_generation);
  entry.applied.effect = true;
}

// Locks are advisory, so that others hold this one does not keep the node. They have heard of it before the entry was proposed,
// or have lapsed; what they sent under the lock may be under way, so it is lost to them.
void Cell::Delete(Entry& entry) {
  const auto [handle, node] = TargetOf(entry);
  if (node == nullptr) return;
  if (!handle->writable) return entry.Refuse(v1::NOT_WRITABLE);
  if (!Allows(node->acl->names.write, entry.session->principal())) return entry.Refuse(v1::PERMISSION_DENIED);
  if (node->instance == tree_.root()) return entry.Refuse(v1::ROOT_IS_PERMANENT);
  if (!node->children.empty()) return entry.Refuse(v1::NOT_EMPTY);
  for (const auto& [owner, hold] : node->lock.holders()) {
    if (owner == entry.owner()) continue;
    StartLockDelay(*node, hold, sessions_.Find(owner.session)->Find(owner.handle)->lock_delay, entry);
    SOMETIMES(entry.probes, kHeldNodeDeleted, true);
  }
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
    TellOfChildren(*parent, entry);
    next = parent->Abandoned() ? parent : nullptr;
    SOMETIMES(entry.probes, kEphemeralRemoved, next != nullptr);
  }
}

}  // namespace bramah::cell

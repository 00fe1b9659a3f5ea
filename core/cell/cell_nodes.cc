// Commands on handles and nodes.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/api/cache.h"
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

// Nothing if it is out of bounds.
std::optional<int64_t> SumOf(int64_t before, const v1::Command& add) {
  int64_t sum = 0;
  const bool overflow = __builtin_add_overflow(before, add.delta(), &sum);
  if (overflow || (add.bounded() && (sum < add.min() || sum > add.max()))) return std::nullopt;
  return sum;
}

lock::AclPtr Changed(const lock::AclPtr& from, const v1::Command& command) {
  lock::AclNames names = from->names;
  if (!command.acl_read().empty()) names.read = command.acl_read();
  if (!command.acl_write().empty()) names.write = command.acl_write();
  if (!command.acl_change().empty()) names.change = command.acl_change();
  return names == from->names ? from : lock::AclPtr(lock::Acl(std::move(names)));
}

// What an Open creates if it creates something.
lock::NodeKind KindOf(const v1::Command& open) {
  const uint32_t flags = open.open_flags();
  return {(flags & v1::OPEN_DIRECTORY) != 0, (flags & v1::OPEN_EPHEMERAL) != 0, (flags & v1::OPEN_BOTH) != 0,
          (flags & v1::OPEN_SESSION_OWNED) != 0 ? SessionId(open.session()) : SessionId()};
}

}  // namespace

// Close needs no check digits, for who gives up its Open does not have them. Nothing else can be done with a handle whose Open
// was not answered.
const session::Handle* Cell::HandleOf(const session::Session& session, const v1::Command& command) {
  const session::Handle* handle = session.Find(HandleId(command.handle()));
  const bool leaves = command.kind() == v1::CLOSE || command.kind() == v1::POISON;
  return handle == nullptr || leaves || handle->check_digits == command.check_digits() ? handle : nullptr;
}

Cell::Found Cell::Find(const session::Session& session, const v1::Command& command, v1::Outcome& outcome) const {
  Found found;
  found.handle = HandleOf(session, command);
  if (found.handle == nullptr) {
    found.code = v1::BAD_HANDLE;
    return found;
  }
  const lock::Node* node = tree_.Find(found.handle->instance);
  found.code = node == nullptr ? v1::STALE_HANDLE : JudgeSequencer(command);
  if (found.code != v1::OK) return found;
  found.node = node;
  outcome.set_instance(node->instance.value());
  return found;
}

Cell::Target Cell::TargetOf(Entry& entry) {
  const Found found = Find(*entry.session, entry.command, entry.outcome());
  SOMETIMES(entry.probes, kGuardRefused, found.code == v1::SEQUENCER_INVALID);
  if (found.code != v1::OK) entry.Refuse(found.code);
  return {found.handle, found.node == nullptr ? nullptr : tree_.Find(found.node->instance)};
}

void Cell::Open(Entry& entry) {
  const v1::Command& command = entry.command;
  const HandleId id(command.handle());
  session::Session& session = *entry.session;
  if (session.Spent(id)) return entry.Refuse(v1::BAD_HANDLE);
  // A client that scatters its ids would let the record of closed ones grow without bound.
  const size_t most = limits_->handles_per_session_max;
  const bool exhausted = session.handles().size() >= most || session.closed().runs().size() > most;
  SOMETIMES(entry.probes, kHandlesExhausted, exhausted);
  if (exhausted) return entry.Refuse(v1::TOO_MANY_HANDLES);
  if (const v1::Code fault = FaultOfPath(command.path()); fault != v1::OK) return entry.Refuse(fault);
  if (!LeadsThrough(command)) return entry.Refuse(v1::STALE_HANDLE);
  const lock::Node* found = tree_.Resolve(command.path());
  const lock::Node* parent = nullptr;
  const v1::Code code = found != nullptr ? v1::OK : JudgeCreation(session, command, parent);
  if (code != v1::OK) return entry.Refuse(code);
  const uint32_t flags = command.open_flags();
  if (found != nullptr && (flags & v1::OPEN_MUST_CREATE)) return entry.Refuse(v1::EXISTS);
  if (found != nullptr && !found->directory && (flags & v1::OPEN_DIRECTORY)) return entry.Refuse(v1::NOT_A_DIRECTORY);
  const lock::AclPtr acl = found != nullptr ? found->acl : Changed(parent->acl, command);
  session::Handle handle;
  if (!Permit(entry, *acl, handle)) return;
  lock::Node& node = found != nullptr ? *tree_.Find(found->instance) : MakeNode(entry, *parent);
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
  outcome.set_both(node.both);
  outcome.set_owner(node.owner().value());
  outcome.set_instance(node.instance.value());
  outcome.set_content_generation(node.content_generation);
  outcome.set_children_changed(node.children_changed().value());
  outcome.set_permits(node.lock.permits());
  outcome.set_check_digits(handle.check_digits);
  entry.applied.effect = true;
}

// A directory that was made anew under its name is another one.
bool Cell::LeadsThrough(const v1::Command& open) const {
  if (open.through() == 0) return true;
  const lock::Node* const directory = tree_.Find(Position(open.through()));
  return directory != nullptr && IsBelow(open.path(), directory->path.view());
}

lock::Node& Cell::MakeNode(Entry& entry, const lock::Node& parent) {
  const v1::Command& command = entry.command;
  TellOfChildren(parent, entry);
  lock::Node& node = tree_.Create(entry.creates(), time_, parent.instance, BaseName(command.path()), KindOf(command),
                                  command.contents(), Changed(parent.acl, command));
  if (command.permits() > 1) {
    node.lock = lock::LockState(command.permits());
    tree_.Refresh(node);
  }
  tree_.TouchChildren(parent.instance, entry.position);
  entry.applied.effect = true;
  return node;
}

v1::Code Cell::JudgeCreation(const session::Session& session, const v1::Command& command, const lock::Node*& parent) const {
  parent = tree_.Resolve(ParentPath(command.path()));
  if (parent == nullptr) return v1::NOT_FOUND;
  if (!parent->directory) return v1::NOT_A_DIRECTORY;
  if (!MayCreate(command)) return v1::NOT_FOUND;
  if (command.contents().size() > kContentBytesMax) return v1::TOO_LARGE;
  if (!AreAclNames(command)) return v1::BAD_NAME;
  if (command.permits() > lock::kPermitsMax) return v1::TOO_MANY_PERMITS;
  if (!Allows(parent->acl->names.write, session.principal())) return v1::PERMISSION_DENIED;
  if (parent->children().size() >= limits_->children_max) return v1::TOO_MANY_CHILDREN;
  // The entry that ends the session has to name them all.
  const bool owned = (command.open_flags() & v1::OPEN_SESSION_OWNED) != 0;
  if (owned && tree_.OwnedBy(session.id()).size() >= limits_->handles_per_session_max) return v1::TOO_MANY_HANDLES;
  return HasRoom(BaseName(command.path()).size() + command.contents().size()) ? v1::OK : v1::CELL_FULL;
}

size_t Cell::Growth(const lock::Node& node, size_t contents) {
  return contents > node.contents.size() ? contents - node.contents.size() : 0;
}

size_t Cell::GrowthOf(const session::Session& session, const v1::Command& change) const {
  if (change.kind() == v1::CREATE) return BaseName(change.path()).size() + change.contents().size();
  const lock::Node& node = *tree_.Find(HandleOf(session, change)->instance);
  if (change.kind() == v1::SET_CONTENTS) return Growth(node, change.contents().size());
  if (change.kind() != v1::ADD) return 0;
  return Growth(node, std::to_string(*SumOf(*ParseNumber(node.contents.view()), change)).size());
}

bool Cell::HasRoom(size_t more) const { return more == 0 || tree_.bytes() + more <= limits_->bytes_max; }

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

void Cell::Change(Entry& entry) {
  const v1::Code code = Judge(*entry.session, entry.command, entry.outcome());
  SOMETIMES(entry.probes, kGuardRefused, code == v1::SEQUENCER_INVALID);
  code == v1::OK ? Perform(entry) : entry.Refuse(code);
}

v1::Code Cell::Judge(const session::Session& session, const v1::Command& change, v1::Outcome& outcome) const {
  if (change.kind() == v1::CREATE) {
    const lock::Node* parent = nullptr;
    if (const v1::Code fault = FaultOfPath(change.path()); fault != v1::OK) return fault;
    return tree_.Resolve(change.path()) != nullptr ? v1::EXISTS : JudgeCreation(session, change, parent);
  }
  const Found found = Find(session, change, outcome);
  if (found.code != v1::OK) return found.code;
  switch (change.kind()) {
    case v1::SET_CONTENTS:
      return JudgeWrite(found, change, outcome);
    case v1::ADD:
      return JudgeAdd(found, change, outcome);
    case v1::SET_ACL:
      return JudgeSetAcl(found, session, change, outcome);
    default:
      return JudgeDelete(found, session);
  }
}

v1::Code Cell::JudgeWrite(const Found& found, const v1::Command& change, v1::Outcome& outcome) const {
  if (!found.handle->writable) return v1::NOT_WRITABLE;
  if (!found.node->HasContents()) return v1::IS_A_DIRECTORY;
  if (change.contents().size() > kContentBytesMax) return v1::TOO_LARGE;
  if (change.compare() && change.generation() != found.node->content_generation) {
    outcome.set_content_generation(found.node->content_generation);
    return v1::GENERATION_MISMATCH;
  }
  return HasRoom(Growth(*found.node, change.contents().size())) ? v1::OK : v1::CELL_FULL;
}

// Contents that are a decimal number, or empty: 0.
v1::Code Cell::JudgeAdd(const Found& found, const v1::Command& change, v1::Outcome& outcome) const {
  if (!found.handle->writable) return v1::NOT_WRITABLE;
  if (!found.node->HasContents()) return v1::IS_A_DIRECTORY;
  const std::optional<int64_t> before = ParseNumber(found.node->contents.view());
  if (!before) return v1::NOT_A_NUMBER;
  outcome.set_value(*before);
  const std::optional<int64_t> sum = SumOf(*before, change);
  if (!sum) return v1::OUT_OF_BOUNDS;
  return HasRoom(Growth(*found.node, std::to_string(*sum).size())) ? v1::OK : v1::CELL_FULL;
}

// The right is looked at again: whoever may set the names must not keep that after it was taken away [D-49].
v1::Code Cell::JudgeSetAcl(const Found& found, const session::Session& session, const v1::Command& change,
                           v1::Outcome& outcome) const {
  const lock::Node& node = *found.node;
  const bool permitted = found.handle->changes_acl && Allows(node.acl->names.change, session.principal());
  if (!permitted) return v1::PERMISSION_DENIED;
  if (!AreAclNames(change)) return v1::BAD_NAME;
  outcome.set_acl_generation(node.acl_generation);
  return change.compare() && change.generation() != node.acl_generation ? v1::GENERATION_MISMATCH : v1::OK;
}

v1::Code Cell::JudgeDelete(const Found& found, const session::Session& session) const {
  if (!found.handle->writable) return v1::NOT_WRITABLE;
  if (!Allows(found.node->acl->names.write, session.principal())) return v1::PERMISSION_DENIED;
  if (found.node->instance == tree_.root()) return v1::ROOT_IS_PERMANENT;
  return found.node->children().empty() ? v1::OK : v1::NOT_EMPTY;
}

void Cell::Perform(Entry& entry) {
  const v1::Command& change = entry.command;
  if (change.kind() == v1::CREATE) {
    entry.outcome().set_instance(MakeNode(entry, *tree_.Resolve(ParentPath(change.path()))).instance.value());
    return entry.outcome().set_created(true);
  }
  lock::Node& node = *tree_.Find(HandleOf(*entry.session, change)->instance);
  entry.outcome().set_instance(node.instance.value());
  switch (change.kind()) {
    case v1::SET_CONTENTS:
      return Write(entry, node, change.contents());
    case v1::ADD: {
      const int64_t sum = *SumOf(*ParseNumber(node.contents.view()), change);
      entry.outcome().set_value(sum);
      return Write(entry, node, std::to_string(sum));
    }
    case v1::SET_ACL:
      return SetAcl(entry, node);
    default:
      TakeNode(node, entry);
      entry.applied.effect = true;
  }
}

void Cell::Write(Entry& entry, lock::Node& node, std::string_view contents) {
  tree_.SetContents(node, contents, entry.position, time_);
  ++node.content_generation;
  tree_.Refresh(node);
  const lock::Node& parent = tree_.TouchChildren(node.parent, entry.position);
  Tell(node, v1::EVENT_CONTENTS, node.content_generation, entry);
  TellOfChildren(parent, entry);
  entry.outcome().set_content_generation(node.content_generation);
  entry.outcome().set_content_length(node.contents.size());
  entry.outcome().set_checksum(node.checksum);
  entry.applied.effect = true;
}

void Cell::SetAcl(Entry& entry, lock::Node& node) {
  node.acl = Changed(node.acl, entry.command);
  ++node.acl_generation;
  tree_.Refresh(node);
  entry.outcome().set_acl_generation(node.acl_generation);
  entry.applied.effect = true;
}

// Locks are advisory, so that others hold this one does not keep the node. They have heard of it before the entry was proposed,
// or have lapsed; what they sent under the lock may be under way, so it is lost to them.
void Cell::TakeNode(lock::Node& node, Entry& entry) {
  for (const auto& [owner, hold] : node.lock.holders()) {
    if (owner == entry.owner()) continue;
    StartLockDelay(node, hold, sessions_.Find(owner.session)->Find(owner.handle)->lock_delay, entry);
    SOMETIMES(entry.probes, kHeldNodeDeleted, true);
  }
  for (const auto& [since, waiter] : node.lock.waiters()) Decide(waiter, Decision::kHandleInvalid, node, entry);
  RemoveNode(node, entry);
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

// Reads and views: everything that looks at a cell without changing it.
#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "core/api/path.h"
#include "core/api/sequencer.h"
#include "core/cell/cell.h"

namespace bramah::cell {
namespace {

// Only what cannot change, for whoever keeps the answer would have to be told of the rest.
void FillIdentity(const lock::Node& node, v1::Outcome& outcome) {
  outcome.set_directory(node.directory);
  outcome.set_ephemeral(node.ephemeral);
  outcome.set_both(node.both);
  outcome.set_owner(node.owner().value());
  outcome.set_instance(node.instance.value());
  outcome.set_permits(node.lock.permits());
}

void FillContents(const lock::Node& node, v1::Outcome& outcome) {
  outcome.set_content_generation(node.content_generation);
  outcome.set_checksum(node.checksum);
  outcome.set_content_length(node.contents.size());
  outcome.set_content_changed(node.content_changed.value());
  outcome.set_changed_at_ns(node.changed_at);
}

void FillChildren(const lock::Node& node, v1::Outcome& outcome) {
  outcome.set_child_count(node.children().size());
  outcome.set_children_changed(node.children_changed().value());
  outcome.set_children_made(node.children_made());
}

void FillStat(const lock::Node& node, v1::Outcome& outcome) {
  FillContents(node, outcome);
  FillChildren(node, outcome);
  outcome.set_acl_generation(node.acl_generation);
  outcome.set_acl_read(node.acl->names.read);
  outcome.set_acl_write(node.acl->names.write);
  outcome.set_acl_change(node.acl->names.change);
  outcome.set_lock_generation(node.lock.generation().value());
  outcome.set_lock_mode(node.lock.mode());
  outcome.set_lock_holders(static_cast<uint32_t>(node.lock.holders().size()));
  outcome.set_lock_waiters(static_cast<uint32_t>(node.lock.waiters().size()));
}

void FillChild(const lock::Node& node, v1::ChildStat& child) {
  child.set_name(std::string(BaseName(node.path.view())));
  child.set_directory(node.directory);
  child.set_ephemeral(node.ephemeral);
  child.set_content_length(node.contents.size());
  child.set_content_generation(node.content_generation);
  child.set_instance(node.instance.value());
}

NodeView NodeViewOf(const lock::Node& node, LockView lock) {
  NodeView view;
  view.path = std::string(node.path.view());
  view.instance = node.instance;
  view.parent = node.parent;
  view.directory = node.directory;
  view.ephemeral = node.ephemeral;
  view.both = node.both;
  view.owner = node.owner();
  view.content_changed = node.content_changed;
  view.changed_at = node.changed_at;
  view.content_generation = node.content_generation;
  view.content_length = node.contents.size();
  view.children = node.children().size();
  view.children_made = node.children_made();
  view.references = node.references;
  view.children_changed = node.children_changed();
  view.acl_read = node.acl->names.read;
  view.acl_write = node.acl->names.write;
  view.acl_change = node.acl->names.change;
  view.acl_generation = node.acl_generation;
  view.lock = std::move(lock);
  return view;
}

HandleView ViewOf(HandleId id, const session::Handle& handle) {
  return {id,           handle.instance,     handle.readable, handle.writable, handle.changes_acl,
          handle.lock_delay, handle.events, handle.waits};
}

// A permit is told by its number and generation; shared holders have a generation in common.
bool IsHeld(const lock::LockState& lock, const Sequencer& sequencer) {
  if (lock.mode() == v1::SHARED) return lock.generation() == sequencer.generation && sequencer.permit == 0;
  return std::any_of(lock.holders().begin(), lock.holders().end(), [&](const auto& holder) {
    return holder.second.generation == sequencer.generation && holder.second.permit == sequencer.permit;
  });
}

template <class V>
bool ByPath(const V& a, const V& b) {
  return a.path < b.path;
}

SessionView ViewOf(const session::Session& session) {
  SessionView view;
  view.session = session.id();
  view.nonce_high = session.nonce().high;
  view.nonce_low = session.nonce().low;
  view.principal = session.principal();
  view.first_outstanding = session.results.first();
  for (const auto& [seq, result] : session.results.table()) view.answered.push_back(seq);
  for (const auto& [id, handle] : session.handles()) {
    view.handles.push_back(ViewOf(id, handle));
    if (session.closed().Contains(id.value())) view.reopened.push_back(id);
  }
  return view;
}

}  // namespace

void Cell::ReadPath(const std::string& principal, const v1::Command& question, v1::Outcome& outcome) const {
  if (!IsCellPath(question.path())) return outcome.set_code(FaultOfPath(question.path()));
  const lock::Node* node = tree_.Resolve(question.path());
  if (node == nullptr) return outcome.set_code(v1::NOT_FOUND);
  if (!Allows(node->acl->names.read, principal)) return outcome.set_code(v1::PERMISSION_DENIED);
  Answer(*node, question, outcome);
}

void Cell::Read(const v1::Command& command, v1::Outcome& outcome) const {
  outcome.Clear();
  outcome.set_seq(command.seq());
  outcome.set_handle(command.handle());
  const session::Session* session = sessions_.Find(SessionId(command.session()));
  if (session == nullptr) return outcome.set_code(v1::SESSION_EXPIRED);
  if (command.kind() == v1::CHECK_SEQUENCER) return CheckSequencer(command, outcome);
  const session::Handle* handle = HandleOf(*session, command);
  if (handle == nullptr) return outcome.set_code(v1::BAD_HANDLE);
  const lock::Node* node = tree_.Find(handle->instance);
  if (node == nullptr) return outcome.set_code(v1::STALE_HANDLE);
  if (const v1::Code code = JudgeSequencer(command); code != v1::OK) return outcome.set_code(code);
  if (command.kind() == v1::GET_SEQUENCER) return GetSequencer(*node, {session->id(), HandleId(command.handle())}, outcome);
  if (!handle->readable) return outcome.set_code(v1::PERMISSION_DENIED);
  Answer(*node, command, outcome);
}

void Cell::Answer(const lock::Node& node, const v1::Command& question, v1::Outcome& outcome) const {
  switch (question.kind()) {
    case v1::GET_STAT:
      FillStat(node, outcome);
      break;
    case v1::GET_CONTENTS:
      if (!node.HasContents()) return outcome.set_code(v1::IS_A_DIRECTORY);
      outcome.set_contents(std::string(node.contents.view()));
      question.with_stat() ? FillStat(node, outcome) : FillContents(node, outcome);
      break;
    case v1::READ_DIR:
      if (!node.directory) return outcome.set_code(v1::NOT_A_DIRECTORY);
      for (const auto& [name, instance] : node.children()) FillChild(*tree_.Find(instance), *outcome.add_children());
      FillChildren(node, outcome);
      break;
    default:
      return outcome.set_code(v1::MALFORMED);
  }
  FillIdentity(node, outcome);
}

void Cell::ReadNode(Position instance, const v1::Command& question, v1::Outcome& outcome) const {
  outcome.Clear();
  const lock::Node* node = tree_.Find(instance);
  node == nullptr ? outcome.set_code(v1::STALE_HANDLE) : Answer(*node, question, outcome);
}

uint64_t Cell::NodeDigest(Position instance) const {
  const lock::Node* node = tree_.Find(instance);
  return node == nullptr ? 0 : node->digest;
}

bool Cell::RightsAreItsOwn(Position instance) const {
  const auto own = [](const std::string& name) { return name == lock::kEveryone || name == lock::kNobody; };
  const lock::Node* node = tree_.Find(instance);
  return node != nullptr && own(node->acl->names.read) && own(node->acl->names.write) && own(node->acl->names.change);
}

bool Cell::Exists(std::string_view path) const { return tree_.Resolve(std::string(path)) != nullptr; }

v1::Code Cell::JudgeSequencer(const v1::Command& command) const {
  if (command.sequencer().empty()) return v1::OK;
  const std::optional<Sequencer> sequencer = VerifySequencer(command.sequencer(), secret_);
  if (!sequencer) return v1::BAD_SEQUENCER;
  const lock::Node* node = tree_.Find(sequencer->instance);
  // Whoever holds: a shared lock's sequencer is good as long as one of its holders remains, since the generation is theirs alike.
  // Within a lock-delay nobody holds [D-40, D-41].
  const bool in_mode = node != nullptr && node->lock.mode() == sequencer->mode;
  return in_mode && IsHeld(node->lock, *sequencer) ? v1::OK : v1::SEQUENCER_INVALID;
}

void Cell::CheckSequencer(const v1::Command& command, v1::Outcome& outcome) const {
  const std::optional<Sequencer> sequencer = VerifySequencer(command.sequencer(), secret_);
  if (!sequencer) return outcome.set_code(v1::BAD_SEQUENCER);
  outcome.set_instance(sequencer->instance.value());
  outcome.set_lock_generation(sequencer->generation.value());
  outcome.set_lock_mode(sequencer->mode);
  outcome.set_permit(sequencer->permit);
  const bool mode = command.mode() == v1::FREE || command.mode() == sequencer->mode;
  outcome.set_code(mode ? JudgeSequencer(command) : v1::SEQUENCER_INVALID);
}

// Only to a handle that holds: a former holder must never get the sequencer of its successor.
void Cell::GetSequencer(const lock::Node& node, const lock::Owner& owner, v1::Outcome& outcome) const {
  const lock::Hold* hold = node.lock.HoldOf(owner);
  if (hold == nullptr) return outcome.set_code(v1::LOCK_NOT_HELD);
  if (!secret_) return outcome.set_code(v1::UNAVAILABLE);
  outcome.set_instance(node.instance.value());
  Describe(node, *hold, outcome);
  const std::string path(node.path.view());
  const Sequencer sequencer{name_, path, node.instance, node.lock.mode(), hold->generation, hold->permit};
  outcome.set_sequencer(FormatSequencer(sequencer, secret_));
}

LockView Cell::ViewOf(const lock::Node& node) const {
  LockView view{std::string(node.path.view()), node.instance, node.lock.mode(), node.lock.generation(), node.lock.permits(), 0,
                {}, {}};
  for (const auto& [owner, hold] : node.lock.holders()) {
    const session::Session* session = sessions_.Find(owner.session);
    const session::Handle* handle = session == nullptr ? nullptr : session->Find(owner.handle);
    view.holders.push_back({owner.session, owner.handle, hold.seq, handle == nullptr ? 0 : handle->lock_delay, hold.permit,
                            hold.generation});
  }
  for (const auto& [since, waiter] : node.lock.waiters()) {
    view.waiters.push_back({since, waiter.owner.session, waiter.owner.handle, waiter.seq, waiter.mode});
  }
  return view;
}

std::optional<AccessView> Cell::AccessOf(SessionId session, HandleId handle) const {
  const session::Session* owner = sessions_.Find(session);
  const session::Handle* open = owner == nullptr ? nullptr : owner->Find(handle);
  const lock::Node* node = open == nullptr ? nullptr : tree_.Find(open->instance);
  if (node == nullptr) return std::nullopt;
  const auto list = [this](const std::string& name) {
    AccessView::List list{name, std::nullopt};
    const lock::Node* file = tree_.Resolve(std::string(lock::kAclDirectory) + "/" + name);
    if (file != nullptr) list.contents = std::string(file->contents.view());
    return list;
  };
  const lock::AclNames& names = node->acl->names;
  return AccessView{std::string(node->path.view()), owner->principal(), cell::ViewOf(handle, *open), list(names.read),
                    list(names.write),              list(names.change)};
}

std::vector<LockView> Cell::HeldLocks() const {
  std::vector<LockView> locks;
  for (const Position instance : tree_.locked()) {
    LockView lock = ViewOf(*tree_.Find(instance));
    if (lock.permits == 1 || lock.mode != v1::EXCLUSIVE) {
      locks.push_back(std::move(lock));
      continue;
    }
    const std::vector<HolderView> holders = std::exchange(lock.holders, {});
    for (const HolderView& holder : holders) {
      LockView& permit = locks.emplace_back(lock);
      permit.permit = holder.permit;
      permit.generation = holder.generation;
      permit.holders = {holder};
    }
  }
  std::sort(locks.begin(), locks.end(), [](const LockView& a, const LockView& b) {
    return std::tie(a.path, a.permit) < std::tie(b.path, b.permit);
  });
  return locks;
}

CellView Cell::View() const {
  CellView view;
  view.last = last_;
  view.time = time_;
  view.has_secret = static_cast<bool>(secret_);
  view.lease_max = lease_max_;
  for (const auto& [instance, node] : tree_.nodes()) view.nodes.push_back(NodeViewOf(*node, ViewOf(*node)));
  std::sort(view.nodes.begin(), view.nodes.end(), ByPath<NodeView>);
  for (const auto& [id, session] : sessions_.sessions()) view.sessions.push_back(cell::ViewOf(*session));
  for (const auto& [path, delay] : delays_.table()) {
    DelayView& pending = view.delays.emplace_back(DelayView{path, {}, delay.exclusive});
    for (const lock::LostPermit& lost : delay.lost) pending.permits.emplace(lost.permit, LostPermitView{lost.until, lost.of});
  }
  return view;
}

CellView Cell::ViewOfEphemerals(absl::Span<const Position> also) const {
  CellView view;
  view.last = last_;
  std::vector<Position> wanted(also.begin(), also.end());
  for (const auto& [instance, node] : tree_.nodes()) {
    if (!node->ephemeral && !node->owner()) continue;
    view.nodes.push_back(NodeViewOf(*node, ViewOf(*node)));
    wanted.push_back(instance);
  }
  std::sort(view.nodes.begin(), view.nodes.end(), ByPath<NodeView>);
  if (wanted.empty()) return view;
  std::sort(wanted.begin(), wanted.end());
  for (const auto& [id, session] : sessions_.sessions()) {
    SessionView some;
    some.session = id;
    for (const auto& [handle_id, handle] : session->handles()) {
      const bool relevant = std::binary_search(wanted.begin(), wanted.end(), handle.instance);
      if (relevant) some.handles.push_back(cell::ViewOf(handle_id, handle));
    }
    view.sessions.push_back(std::move(some));
  }
  return view;
}

}  // namespace bramah::cell

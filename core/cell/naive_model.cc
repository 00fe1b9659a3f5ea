#include "core/cell/naive_model.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "core/api/path.h"
#include "core/base/hash.h"
#include "core/session/check_digits.h"

namespace bramah::cell {

std::string NaiveModel::ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool NaiveModel::IsChild(const std::string& path, const std::string& parent) { return path != "/" && ParentOf(path) == parent; }

const std::string* NaiveModel::PathOf(uint64_t instance) const {
  for (const auto& [path, node] : nodes_) {
    if (node.instance == instance) return &path;
  }
  return nullptr;
}

const NaiveModel::Handle* NaiveModel::FindNamed(const v1::Command& command) const {
  const Handle* handle = FindOpen(command.session(), command.handle());
  return handle != nullptr && handle->check_digits == command.check_digits() ? handle : nullptr;
}

const NaiveModel::Handle* NaiveModel::FindOpen(uint64_t session, uint64_t handle) const {
  const auto it = handles_.find({session, handle});
  return it == handles_.end() || !it->second.open ? nullptr : &it->second;
}

size_t NaiveModel::ChildCount(const std::string& path) const {
  return static_cast<size_t>(
      std::count_if(nodes_.begin(), nodes_.end(), [&](const auto& node) { return IsChild(node.first, path); }));
}

Applied NaiveModel::Apply(uint64_t position, Time time, const v1::Command& command) {
  const std::map<std::string, Node> before = nodes_;
  applied_ = Change(position, time, command);
  Compare(before, command);
  return applied_;
}

void NaiveModel::Compare(const std::map<std::string, Node>& before, const v1::Command& command) {
  const auto tell = [&](uint64_t instance, v1::EventKind kind, uint64_t generation, const std::vector<Hold>& not_to,
                        const std::vector<Hold>* only_to) {
    for (const auto& [id, handle] : handles_) {
      const auto is_this = [&id = id](const Hold& hold) { return std::pair(hold.session, hold.handle) == id; };
      // Who let go of a lock is told that the next one got it; of what else it did itself, nobody is told.
      const bool own = kind != v1::EVENT_LOCK_ACQUIRED && id.first == command.session() && ActedThrough(command, id.second);
      if (!handle.open || handle.instance != instance || (handle.events & kind) == 0 || own) continue;
      if (std::any_of(not_to.begin(), not_to.end(), is_this)) continue;
      if (only_to != nullptr && std::none_of(only_to->begin(), only_to->end(), is_this)) continue;
      applied_.notices.push_back({kind, SessionId(id.first), HandleId(id.second), generation});
    }
  };
  const auto children = [](const std::map<std::string, Node>& nodes, const std::string& of) {
    std::set<std::pair<uint64_t, uint64_t>> found;
    for (const auto& [path, node] : nodes) {
      if (IsChild(path, of)) found.insert({node.instance, node.content_generation});
    }
    return found;
  };
  for (const auto& [path, old] : before) {
    const auto now = nodes_.find(path);
    if (now == nodes_.end() || now->second.instance != old.instance) {
      tell(old.instance, v1::EVENT_HANDLE_INVALID, position_, {}, nullptr);
      continue;
    }
    const uint64_t contents = now->second.content_generation;
    if (contents != old.content_generation) tell(old.instance, v1::EVENT_CONTENTS, contents, {}, nullptr);
    const uint64_t lock = now->second.lock_generation;
    if (lock != old.lock_generation) tell(old.instance, v1::EVENT_LOCK_ACQUIRED, lock, now->second.holds, nullptr);
    const auto held_before = [&old = old](const Hold& hold) {
      return std::any_of(old.holds.begin(), old.holds.end(), [&hold](const Hold& other) {
        return other.session == hold.session && other.handle == hold.handle;
      });
    };
    const std::vector<Hold>& holds = now->second.holds;
    const bool granted = !std::all_of(holds.begin(), holds.end(), held_before);
    if (granted && !now->second.waits.empty()) tell(old.instance, v1::EVENT_LOCK_REQUESTED, position_, {}, &holds);
    if (children(before, path) == children(nodes_, path)) continue;
    now->second.children_changed = position_;
    for (const auto& [other, node] : nodes_) {
      const auto was = before.find(other);
      const bool is_new = was == before.end() || was->second.instance != node.instance;
      now->second.children_made += IsChild(other, path) && is_new ? 1 : 0;
    }
    tell(old.instance, v1::EVENT_CHILDREN, position_, {}, nullptr);
  }
  const v1::Code code = applied_.outcome.code();
  const bool refused = code == v1::QUEUED || code == v1::LOCK_CONFLICT || code == v1::LOCK_DELAYED;
  if (command.kind() != v1::ACQUIRE || applied_.duplicate || !refused) return;
  const uint64_t instance = handles_.at({command.session(), command.handle()}).instance;
  const std::vector<Hold>& holds = nodes_.at(*PathOf(instance)).holds;
  tell(instance, v1::EVENT_LOCK_REQUESTED, position_, {}, &holds);
}

Applied NaiveModel::Change(uint64_t position, Time time, const v1::Command& command) {
  position_ = position;
  time_ = std::max(time_, time);
  applied_ = Applied();
  v1::Outcome& outcome = applied_.outcome;
  outcome.set_seq(command.seq());
  outcome.set_handle(command.handle());
  const uint32_t flags = command.open_flags();
  const bool no_kind = ((flags & v1::OPEN_BOTH) && !(flags & v1::OPEN_DIRECTORY)) ||
                       ((flags & v1::OPEN_SESSION_OWNED) && (flags & (v1::OPEN_DIRECTORY | v1::OPEN_EPHEMERAL)));
  if (command.kind() == v1::OPEN && no_kind) {
    outcome.set_code(v1::MALFORMED);
    return applied_;
  }
  const uint64_t session = command.session();
  if (command.kind() == v1::CREATE_SESSION) {
    const std::pair nonce(command.nonce_high(), command.nonce_low());
    for (const auto& [id, other] : sessions_) {
      if (other != nonce) continue;
      if (principals_[id] != command.principal()) {
        outcome.set_code(v1::PERMISSION_DENIED);
        return applied_;
      }
      outcome.set_session(id);
      applied_.duplicate = true;
      return applied_;
    }
    sessions_[position] = nonce;
    principals_[position] = command.principal();
    first_[position] = 1;
    outcome.set_session(position);
    applied_.effect = true;
    return applied_;
  }
  if (command.kind() == v1::NEW_EPOCH) {
    const MacKey offered{command.nonce_low(), command.nonce_high()};
    if (secret_ == MacKey() && offered != MacKey() && IsCellName(command.path())) {
      secret_ = offered;
      name_ = command.path();
      applied_.effect = true;
    }
    return applied_;
  }
  if (command.kind() == v1::RESERVE) return applied_;
  if (command.kind() == v1::SET_LEASE_MAX) {
    const Duration wanted = command.lease_max_ns();
    if (wanted <= 0 || wanted > 60 * kSecond) {
      outcome.set_code(v1::MALFORMED);
      return applied_;
    }
    applied_.effect = lease_max_ != wanted;
    lease_max_ = wanted;
    return applied_;
  }
  if (command.kind() == v1::EXPIRE_LOCK_DELAYS) {
    std::set<std::string> paths;
    for (const auto& [path, permits] : closed_) paths.insert(path);
    for (const auto& [path, until] : no_writers_) paths.insert(path);
    for (const std::string& path : paths) EndDelays(path);
    Settle();
    return applied_;
  }
  if (sessions_.find(session) == sessions_.end()) {
    outcome.set_code(v1::SESSION_EXPIRED);
    return applied_;
  }
  if (command.kind() == v1::EXPIRE_SESSION) {
    Lose(session, 0, true);
    TakeOwned(session);
    Settle();
    return applied_;
  }
  // Exactly once.
  first_[session] = std::max(first_[session], command.first_outstanding());
  for (auto it = answers_.begin(); it != answers_.end();) {
    const auto [owner, seq] = it->first;
    it = owner == session && seq < first_[session] ? answers_.erase(it) : std::next(it);
  }
  const bool settled = command.seq() < first_[session];
  if (command.kind() == v1::ACQUIRE) {
    const Handle* handle = FindNamed(command);
    const std::string* path = handle == nullptr ? nullptr : PathOf(handle->instance);
    if (handle != nullptr && path == nullptr && settled) {
      outcome.set_code(v1::STALE_HANDLE);
      return applied_;
    }
    if (path != nullptr) {
      const Node& node = nodes_.at(*path);
      for (const Hold& hold : node.holds) {
        if (hold.session != session || hold.handle != command.handle() || hold.seq != command.seq()) continue;
        outcome.set_instance(node.instance);
        outcome.set_lock_generation(hold.generation);
        outcome.set_permit(hold.permit);
        outcome.set_lock_mode(node.mode);
        applied_.duplicate = true;
        return applied_;
      }
      for (const Wait& wait : node.waits) {
        if (wait.session != session || wait.handle != command.handle() || wait.seq != command.seq()) continue;
        outcome.set_code(v1::QUEUED);
        outcome.set_instance(node.instance);
        applied_.duplicate = true;
        return applied_;
      }
    }
  }
  if (settled) {
    outcome.set_code(v1::CANCELLED);
    return applied_;
  }
  if (const auto it = answers_.find({session, command.seq()}); it != answers_.end()) {
    outcome = it->second;
    applied_.duplicate = true;
    return applied_;
  }
  if (command.seq() - first_[session] >= limits_.results_per_session_max) {
    outcome.set_code(v1::LIMIT_REACHED);
    return applied_;
  }
  const v1::Outcome answer = Execute(command);
  applied_.outcome = answer;
  if (command.kind() != v1::END_SESSION) answers_[{session, command.seq()}] = answer;
  Settle();
  return applied_;
}

v1::Outcome NaiveModel::Execute(const v1::Command& command) {
  v1::Outcome outcome = applied_.outcome;
  const uint64_t session = command.session();
  if (command.kind() == v1::OPEN) {
    Open(command, outcome);
    return outcome;
  }
  if (command.kind() == v1::BATCH) {
    Batch(command, outcome);
    return outcome;
  }
  if (command.kind() == v1::CREATE) {
    v1::Code code = IsCellPath(command.path()) ? v1::OK : v1::BAD_NAME;
    if (code == v1::OK) code = nodes_.count(command.path()) > 0 ? v1::EXISTS : WhyNotMake(command);
    outcome.set_code(code);
    if (code != v1::OK) return outcome;
    outcome.set_instance(Make(command, position_).instance);
    outcome.set_created(true);
    return outcome;
  }
  if (command.kind() == v1::END_SESSION) {
    if (command.reason() == v1::END_CLOSED) Forget(session, 0, true);
    if (command.reason() != v1::END_CLOSED) Lose(session, 0, true);
    TakeOwned(session);
    return outcome;
  }
  if (command.kind() == v1::CLOSE || command.kind() == v1::POISON) {
    for (const uint64_t seq : command.gives_up()) GiveUp(session, seq, command.handle());
    if (FindOpen(session, command.handle()) != nullptr) {
      if (command.kind() == v1::CLOSE) Forget(session, command.handle(), false);
      if (command.kind() == v1::POISON) Lose(session, command.handle(), false);
      applied_.effect = true;
    }
    return outcome;
  }
  const Handle* handle = FindNamed(command);
  const bool forged = handle == nullptr && FindOpen(session, command.handle()) != nullptr;
  if (command.kind() == v1::RELEASE && command.acquire_seq() != 0 && !forged) {
    GiveUp(session, command.acquire_seq(), command.handle());
  }
  if (handle == nullptr) {
    outcome.set_code(v1::BAD_HANDLE);
    return outcome;
  }
  const std::string* path = PathOf(handle->instance);
  if (path == nullptr) {
    outcome.set_code(v1::STALE_HANDLE);
    return outcome;
  }
  if (const v1::Code code = Judge(command.sequencer()); code != v1::OK) {
    outcome.set_code(code);
    return outcome;
  }
  Node& node = nodes_.at(*path);
  outcome.set_instance(node.instance);
  if (command.kind() == v1::SET_ACL) {
    SetAcl(command, node, outcome);
    return outcome;
  }
  if (command.kind() != v1::RELEASE && !handle->writable) {
    outcome.set_code(v1::NOT_WRITABLE);
    return outcome;
  }
  if (command.kind() == v1::SET_CONTENTS) Set(command, node, outcome);
  if (command.kind() == v1::ADD) Add(command, node, outcome);
  if (command.kind() == v1::ACQUIRE) {
    EndDelays(*path);
    Settle();
    Acquire(command, node, outcome);
  }
  if (command.kind() == v1::RELEASE) Release(command, node, outcome);
  if (command.kind() == v1::DELETE) Delete(command, std::string(*path), outcome);
  return outcome;
}

void NaiveModel::Open(const v1::Command& command, v1::Outcome& outcome) {
  const std::pair id(command.session(), command.handle());
  if (handles_.count(id) > 0) return outcome.set_code(v1::BAD_HANDLE);
  size_t open = 0;
  for (const auto& [other, handle] : handles_) open += other.first == command.session() && handle.open ? 1 : 0;
  if (open >= limits_.handles_per_session_max) return outcome.set_code(v1::TOO_MANY_HANDLES);
  if (ClosedRuns(command.session()) > limits_.handles_per_session_max) return outcome.set_code(v1::TOO_MANY_HANDLES);
  const std::string& path = command.path();
  if (!IsCellPath(path)) return outcome.set_code(v1::BAD_NAME);
  const uint32_t flags = command.open_flags();
  const bool exists = nodes_.count(path) > 0;
  if (exists && (flags & v1::OPEN_MUST_CREATE)) return outcome.set_code(v1::EXISTS);
  if (exists && (flags & v1::OPEN_DIRECTORY) && !nodes_[path].directory) return outcome.set_code(v1::NOT_A_DIRECTORY);
  if (!exists) {
    if (const v1::Code code = WhyNotMake(command); code != v1::OK) return outcome.set_code(code);
  }
  Node made;
  if (!exists) made = Made(command);
  const Node& target = exists ? nodes_[path] : made;
  const bool writes = flags & v1::OPEN_WRITE;
  const bool changes = flags & v1::OPEN_CHANGE_ACL;
  const bool may_read = May(command.session(), target.acl_read);
  if (writes && !May(command.session(), target.acl_write)) return outcome.set_code(v1::PERMISSION_DENIED);
  if (changes && !May(command.session(), target.acl_change)) return outcome.set_code(v1::PERMISSION_DENIED);
  if (!may_read && ((!writes && !changes) || (command.events() & 15) != 0)) return outcome.set_code(v1::PERMISSION_DENIED);
  const Node& node = exists ? nodes_[path] : Make(command, position_);
  Handle& made_handle = handles_[id];
  made_handle = {node.instance, may_read, writes, changes, true, std::min(command.lock_delay_ns(), 60 * kSecond),
                 command.events(), 0};
  session::Handle facts;
  facts.instance = Position(node.instance);
  facts.readable = may_read;
  facts.writable = writes;
  facts.changes_acl = changes;
  facts.lock_delay = made_handle.lock_delay;
  facts.events = command.events();
  made_handle.check_digits = session::CheckDigits(SessionId(id.first), HandleId(id.second), facts, secret_);
  outcome.set_check_digits(made_handle.check_digits);
  outcome.set_permits(node.permits);
  outcome.set_created(!exists);
  outcome.set_directory(node.directory);
  outcome.set_ephemeral(node.ephemeral);
  outcome.set_both(node.both);
  outcome.set_owner(node.owner);
  outcome.set_instance(node.instance);
  outcome.set_content_generation(node.content_generation);
  outcome.set_children_changed(node.children_changed);
  applied_.effect = true;
}

v1::Code NaiveModel::WhyNotMake(const v1::Command& command) const {
  const std::string& path = command.path();
  const auto parent = nodes_.find(ParentOf(path));
  if (parent == nodes_.end()) return v1::NOT_FOUND;
  if (!parent->second.directory) return v1::NOT_A_DIRECTORY;
  if (!(command.open_flags() & (v1::OPEN_MAY_CREATE | v1::OPEN_MUST_CREATE))) return v1::NOT_FOUND;
  if (command.contents().size() > kContentBytesMax) return v1::TOO_LARGE;
  for (const std::string& name : {command.acl_read(), command.acl_write(), command.acl_change()}) {
    if (!name.empty() && !IsCellName(name)) return v1::BAD_NAME;
  }
  if (command.permits() > 1'024) return v1::TOO_MANY_PERMITS;
  if (!May(command.session(), parent->second.acl_write)) return v1::PERMISSION_DENIED;
  if (ChildCount(ParentOf(path)) >= limits_.children_max) return v1::TOO_MANY_CHILDREN;
  size_t owned = 0;
  for (const auto& [name, node] : nodes_) owned += node.owner == command.session() ? 1 : 0;
  const bool full = (command.open_flags() & v1::OPEN_SESSION_OWNED) && owned >= limits_.handles_per_session_max;
  if (full) return v1::TOO_MANY_HANDLES;
  const size_t more = path.size() - path.rfind('/') - 1 + command.contents().size();
  return Bytes() + more > limits_.bytes_max ? v1::CELL_FULL : v1::OK;
}

NaiveModel::Node NaiveModel::Made(const v1::Command& command) const {
  Node made;
  const Node& parent = nodes_.at(ParentOf(command.path()));
  made.acl_read = command.acl_read().empty() ? parent.acl_read : command.acl_read();
  made.acl_write = command.acl_write().empty() ? parent.acl_write : command.acl_write();
  made.acl_change = command.acl_change().empty() ? parent.acl_change : command.acl_change();
  made.directory = command.open_flags() & v1::OPEN_DIRECTORY;
  made.ephemeral = command.open_flags() & v1::OPEN_EPHEMERAL;
  made.both = command.open_flags() & v1::OPEN_BOTH;
  if (command.open_flags() & v1::OPEN_SESSION_OWNED) made.owner = command.session();
  made.changed_at = time_;
  made.contents = command.contents();
  made.permits = std::max(1u, command.permits());
  return made;
}

NaiveModel::Node& NaiveModel::Make(const v1::Command& command, uint64_t instance) {
  Node& node = nodes_[command.path()] = Made(command);
  node.instance = instance;
  node.content_changed = instance;
  applied_.effect = true;
  return node;
}

size_t NaiveModel::Bytes() const {
  size_t bytes = 0;
  for (const auto& [name, node] : nodes_) bytes += name.size() - name.rfind('/') - 1 + node.contents.size();
  return bytes;
}

void NaiveModel::Set(const v1::Command& command, Node& node, v1::Outcome& outcome) {
  if (node.directory && !node.both) return outcome.set_code(v1::IS_A_DIRECTORY);
  if (command.contents().size() > kContentBytesMax) return outcome.set_code(v1::TOO_LARGE);
  if (command.compare() && command.generation() != node.content_generation) {
    outcome.set_content_generation(node.content_generation);
    return outcome.set_code(v1::GENERATION_MISMATCH);
  }
  Write(node, command.contents(), outcome);
}

void NaiveModel::Write(Node& node, const std::string& contents, v1::Outcome& outcome) {
  const size_t bytes = Bytes() + contents.size() - node.contents.size();
  if (contents.size() > node.contents.size() && bytes > limits_.bytes_max) return outcome.set_code(v1::CELL_FULL);
  node.contents = contents;
  node.content_changed = position_;
  node.changed_at = time_;
  outcome.set_content_generation(++node.content_generation);
  outcome.set_content_length(node.contents.size());
  outcome.set_checksum(Hash64(node.contents));
  applied_.effect = true;
}

void NaiveModel::Add(const v1::Command& command, Node& node, v1::Outcome& outcome) {
  if (node.directory && !node.both) return outcome.set_code(v1::IS_A_DIRECTORY);
  std::istringstream text(node.contents.empty() ? "0" : node.contents);
  int64_t number = 0;
  const bool good = static_cast<bool>(text >> number) && (node.contents.empty() || std::to_string(number) == node.contents);
  if (!good) return outcome.set_code(v1::NOT_A_NUMBER);
  outcome.set_value(number);
  const __int128 sum = static_cast<__int128>(number) + command.delta();
  if (sum > INT64_MAX || sum < INT64_MIN) return outcome.set_code(v1::OUT_OF_BOUNDS);
  if (command.bounded() && (sum < command.min() || sum > command.max())) return outcome.set_code(v1::OUT_OF_BOUNDS);
  Write(node, std::to_string(static_cast<int64_t>(sum)), outcome);
  if (outcome.code() == v1::OK) outcome.set_value(static_cast<int64_t>(sum));
}

void NaiveModel::SetAcl(const v1::Command& command, Node& node, v1::Outcome& outcome) {
  const bool may = May(command.session(), node.acl_change);
  if (!may || !FindOpen(command.session(), command.handle())->changes_acl) return outcome.set_code(v1::PERMISSION_DENIED);
  for (const std::string& name : {command.acl_read(), command.acl_write(), command.acl_change()}) {
    if (!name.empty() && !IsCellName(name)) return outcome.set_code(v1::BAD_NAME);
  }
  outcome.set_acl_generation(node.acl_generation);
  if (command.compare() && command.generation() != node.acl_generation) return outcome.set_code(v1::GENERATION_MISMATCH);
  if (!command.acl_read().empty()) node.acl_read = command.acl_read();
  if (!command.acl_write().empty()) node.acl_write = command.acl_write();
  if (!command.acl_change().empty()) node.acl_change = command.acl_change();
  outcome.set_acl_generation(++node.acl_generation);
  applied_.effect = true;
}

bool NaiveModel::May(uint64_t session, const std::string& acl) const {
  if (judged_ || acl == "everyone") return true;
  const auto file = nodes_.find("/acl/" + acl);
  if (acl == "nobody" || file == nodes_.end()) return false;
  std::istringstream words(file->second.contents);
  for (std::string word; words >> word;) {
    if (word == principals_.at(session)) return true;
  }
  return false;
}

void NaiveModel::Acquire(const v1::Command& command, Node& node, v1::Outcome& outcome) {
  for (const Wait& wait : node.waits) {
    if (wait.session == command.session() && wait.handle == command.handle()) return outcome.set_code(v1::BUSY);
  }
  for (const Hold& hold : node.holds) {
    if (hold.session != command.session() || hold.handle != command.handle()) continue;
    if (node.mode != command.mode()) return outcome.set_code(v1::BUSY);
    outcome.set_lock_mode(node.mode);
    outcome.set_lock_generation(hold.generation);
    outcome.set_permit(hold.permit);
    return;
  }
  const std::string path = *PathOf(node.instance);
  const bool compatible = node.waits.empty() && FreeOfHolders(node, command.mode());
  if (node.waits.empty() && Free(path, command.mode())) {
    const Hold& hold = Give(path, {0, command.session(), command.handle(), command.seq(), command.mode()});
    outcome.set_lock_mode(node.mode);
    outcome.set_lock_generation(hold.generation);
    outcome.set_permit(hold.permit);
  } else if (command.try_only()) {
    return outcome.set_code(compatible ? v1::LOCK_DELAYED : v1::LOCK_CONFLICT);
  } else {
    node.waits.push_back({position_, command.session(), command.handle(), command.seq(), command.mode()});
    outcome.set_code(v1::QUEUED);
  }
  applied_.effect = true;
}

void NaiveModel::Release(const v1::Command& command, Node& node, v1::Outcome& outcome) {
  const auto matches = [&](const auto& entry) {
    return entry.session == command.session() && entry.handle == command.handle() &&
           (command.acquire_seq() == 0 || command.acquire_seq() == entry.seq);
  };
  const bool holds = std::any_of(node.holds.begin(), node.holds.end(), matches);
  const bool waits = std::any_of(node.waits.begin(), node.waits.end(), matches);
  if (!holds && !waits) return outcome.set_code(v1::LOCK_NOT_HELD);
  Forget(command.session(), command.handle(), false);
  handles_[{command.session(), command.handle()}].open = true;  // Forget closed it
  applied_.effect = true;
}

void NaiveModel::Delete(const v1::Command& command, const std::string& path, v1::Outcome& outcome) {
  if (!May(command.session(), nodes_[path].acl_write)) return outcome.set_code(v1::PERMISSION_DENIED);
  if (path == "/") return outcome.set_code(v1::ROOT_IS_PERMANENT);
  if (ChildCount(path) > 0) return outcome.set_code(v1::NOT_EMPTY);
  Take(path, {command.session(), command.handle()});
  applied_.effect = true;
}

void NaiveModel::Take(const std::string& path, std::pair<uint64_t, uint64_t> by) {
  for (const Hold& hold : nodes_[path].holds) {
    if (std::pair(hold.session, hold.handle) == by) continue;
    StartDelay(path, nodes_[path].permits, nodes_[path].mode, hold, handles_.at({hold.session, hold.handle}).lock_delay);
  }
  for (const Wait& wait : nodes_[path].waits) {
    v1::Outcome fate;
    fate.set_code(v1::STALE_HANDLE);
    fate.set_instance(nodes_[path].instance);
    Tell(wait, fate);
    applied_.decisions.push_back({Decision::kHandleInvalid, SessionId(wait.session), HandleId(wait.handle),
                                  RequestSeq(wait.seq), Position(), 0});
  }
  nodes_.erase(path);
}

// The oldest first. The session has no hold and no wait left.
void NaiveModel::TakeOwned(uint64_t session) {
  std::map<uint64_t, std::string> owned;
  for (const auto& [path, node] : nodes_) {
    if (node.owner == session) owned[node.instance] = path;
  }
  for (const auto& [instance, path] : owned) Take(path, {session, 0});
}

// Takes a handle, or all of a session, out of all locks, and closes it.
void NaiveModel::Forget(uint64_t session, uint64_t handle, bool whole_session) {
  const auto matches = [&](const auto& entry) {
    return entry.session == session && (whole_session || entry.handle == handle);
  };
  for (auto& [path, node] : nodes_) {
    const bool touched = std::any_of(node.waits.begin(), node.waits.end(), matches) ||
                         std::any_of(node.holds.begin(), node.holds.end(), matches);
    const bool goes = whole_session && node.owner == session;
    if (touched && !goes) EndDelays(path);
    for (const Wait& wait : node.waits) {
      v1::Outcome fate;
      fate.set_code(v1::CANCELLED);
      if (matches(wait)) Tell(wait, fate);
    }
    node.holds.erase(std::remove_if(node.holds.begin(), node.holds.end(), matches), node.holds.end());
    node.waits.erase(std::remove_if(node.waits.begin(), node.waits.end(), matches), node.waits.end());
    if (node.holds.empty()) node.mode = v1::FREE;
  }
  for (auto& [id, entry] : handles_) {
    if (id.first == session && (whole_session || id.second == handle)) entry.open = false;
  }
  if (!whole_session) return;
  sessions_.erase(session);
  first_.erase(session);
  applied_.ended = SessionId(session);
  applied_.effect = true;
}

void NaiveModel::Lose(uint64_t session, uint64_t handle, bool whole_session) {
  struct Loss {
    std::string path;
    uint32_t permits;
    v1::LockMode mode;
    Hold hold;
    Duration delay;
  };
  std::vector<Loss> lost;
  for (const auto& [path, node] : nodes_) {
    for (const Hold& hold : node.holds) {
      const Duration delay = handles_[{hold.session, hold.handle}].lock_delay;
      const bool goes = hold.session == session && (whole_session || hold.handle == handle);
      if (goes) lost.push_back({path, node.permits, node.mode, hold, delay});
    }
  }
  Forget(session, handle, whole_session);
  for (const Loss& loss : lost) StartDelay(loss.path, loss.permits, loss.mode, loss.hold, loss.delay);
}

void NaiveModel::StartDelay(const std::string& path, uint32_t permits, v1::LockMode mode, const Hold& hold,
                            Duration delay) {
  if (delay == 0) return;
  if (mode == v1::SHARED) {
    no_writers_[path] = std::max(no_writers_[path], time_ + delay);
  } else {
    LostPermitView& lost = closed_[path][hold.permit];
    lost = {std::max(lost.until, time_ + delay), permits};
  }
}

bool NaiveModel::FreeOfHolders(const Node& node, v1::LockMode mode) {
  if (mode == v1::SHARED) return node.mode != v1::EXCLUSIVE;
  return node.mode != v1::SHARED && node.holds.size() < node.permits;
}

bool NaiveModel::Free(const std::string& path, v1::LockMode mode) const {
  const Node& node = nodes_.at(path);
  const size_t closed = closed_.count(path) == 0 ? 0 : closed_.at(path).size();
  if (!FreeOfHolders(node, mode)) return false;
  if (mode == v1::SHARED) return closed == 0;
  if (closed > 0 && closed_.at(path).begin()->second.of != node.permits) return false;
  return no_writers_.count(path) == 0 && node.holds.size() + closed < node.permits;
}

const NaiveModel::Hold& NaiveModel::Give(const std::string& path, const Wait& wanted) {
  Node& node = nodes_.at(path);
  std::set<uint32_t> taken;
  for (const Hold& hold : node.holds) taken.insert(hold.permit);
  if (closed_.count(path) > 0) {
    for (const auto& [permit, lost] : closed_.at(path)) taken.insert(permit);
  }
  uint32_t permit = 0;
  while (wanted.mode == v1::EXCLUSIVE && taken.count(permit) > 0) ++permit;
  if (node.mode == v1::FREE || wanted.mode == v1::EXCLUSIVE) node.lock_generation = position_;
  node.mode = wanted.mode;
  node.holds.push_back({wanted.session, wanted.handle, wanted.seq, permit, node.lock_generation});
  std::sort(node.holds.begin(), node.holds.end(), [](const Hold& x, const Hold& y) {
    return std::pair(x.session, x.handle) < std::pair(y.session, y.handle);
  });
  return *std::find_if(node.holds.begin(), node.holds.end(), [&](const Hold& hold) {
    return hold.session == wanted.session && hold.handle == wanted.handle;
  });
}

void NaiveModel::EndDelays(const std::string& path) {
  if (no_writers_.count(path) > 0 && no_writers_[path] <= time_) {
    no_writers_.erase(path);
    applied_.effect = true;
  }
  if (closed_.count(path) == 0) return;
  auto& permits = closed_[path];
  for (auto it = permits.begin(); it != permits.end();) {
    applied_.effect = applied_.effect || it->second.until <= time_;
    it = it->second.until <= time_ ? permits.erase(it) : std::next(it);
  }
  if (permits.empty()) closed_.erase(path);
}

void NaiveModel::Settle() {
  for (auto& [path, node] : nodes_) {
    while (!node.waits.empty() && Free(path, node.waits.front().mode)) {
      const Wait wait = node.waits.front();
      node.waits.erase(node.waits.begin());
      const Hold& hold = Give(path, wait);
      v1::Outcome fate;
      fate.set_instance(node.instance);
      fate.set_lock_mode(wait.mode);
      fate.set_lock_generation(hold.generation);
      fate.set_permit(hold.permit);
      Tell(wait, fate);
      applied_.decisions.push_back({Decision::kGranted, SessionId(wait.session), HandleId(wait.handle), RequestSeq(wait.seq),
                                    Position(hold.generation), hold.permit});
    }
  }
  while (RemoveOneAbandoned()) {
  }
}

bool NaiveModel::RemoveOneAbandoned() {
  for (const auto& [path, node] : nodes_) {
    const uint64_t instance = node.instance;
    const bool open = std::any_of(handles_.begin(), handles_.end(), [&](const auto& handle) {
      return handle.second.open && handle.second.instance == instance;
    });
    if (!node.ephemeral || open || ChildCount(path) > 0) continue;
    nodes_.erase(path);
    return true;
  }
  return false;
}

void NaiveModel::GiveUp(uint64_t session, uint64_t seq, uint64_t handle) {
  if (seq < first_[session] || answers_.count({session, seq}) > 0) return;
  v1::Outcome cancelled;
  cancelled.set_code(v1::CANCELLED);
  cancelled.set_seq(seq);
  cancelled.set_handle(handle);
  answers_[{session, seq}] = cancelled;
}

void NaiveModel::Tell(const Wait& wait, const v1::Outcome& fate) {
  const auto it = answers_.find({wait.session, wait.seq});
  if (it == answers_.end()) return;
  it->second = fate;
  it->second.set_seq(wait.seq);
  it->second.set_handle(wait.handle);
}

}  // namespace bramah::cell

#include "core/cell/naive_model.h"

#include <algorithm>
#include <set>

#include "core/api/path.h"

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
    v1::Code code = FaultOfPath(command.path());
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

}  // namespace bramah::cell

// Locks in the model: who holds, who waits, for how long a lost lock stays closed, and what ends with a handle or a session.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "core/cell/naive_model.h"

namespace bramah::cell {

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

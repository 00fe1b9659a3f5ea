#include "sim/check/lock_checker.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace bramah::sim {
namespace {

// Looking at all nodes costs as much as fifty ordinary steps; after a session's end it is always done.
constexpr uint32_t kNodesEvery = 64;

}  // namespace

void LockChecker::Applied(const CoreEvent& applied) {
  if (!applied.effect) return;
  ++effects_;
  switch (applied.command) {
    case v1::EXPIRE_SESSION:
    case v1::END_SESSION:
      nodes_changed_ = locks_changed_ = true;
      break;
    case v1::DELETE:
      deleted_ = locks_changed_ = true;
      break;
    case v1::ACQUIRE:
    case v1::RELEASE:
    case v1::CLOSE:
    case v1::POISON:
    case v1::EXPIRE_LOCK_DELAYS:
      locks_changed_ = true;
      break;
    default:
      break;
  }
}

std::optional<std::vector<cell::LockView>> LockChecker::AfterStep(Time at, ReplicaId replica, const cell::Cell& cell) {
  std::optional<std::vector<cell::LockView>> held;
  if (locks_changed_) CheckLocks(at, replica, held.emplace(cell.HeldLocks()), &cell);
  if (nodes_changed_ || effects_ >= kNodesEvery) CheckNodes(at, replica, cell.ViewOfEphemerals(ephemerals_));
  locks_changed_ = false;
  return held;
}

void LockChecker::CheckLocks(Time at, ReplicaId replica, const std::vector<cell::LockView>& locks, const cell::Cell* cell) {
  const cell::LockView* previous = nullptr;
  for (const cell::LockView& lock : locks) {
    const auto report = [&](const std::string& what) {
      reporter_->Report(
          "lock.mutual_exclusion", at,
          absl::StrCat("at r", replica.value(), " the lock of ", lock.path, " is ", v1::LockMode_Name(lock.mode), " and ", what));
    };
    if (lock.mode == v1::EXCLUSIVE ? lock.holders.size() != 1 : (lock.mode == v1::FREE) != lock.holders.empty()) {
      report(absl::StrCat("has ", lock.holders.size(), " holders"));
    }
    if (lock.permit >= std::max(lock.permits, 1u)) report(absl::StrCat("has no permit ", lock.permit));
    const bool again = previous != nullptr && previous->path == lock.path && previous->permit >= lock.permit;
    if (again) report(absl::StrCat("has permit ", lock.permit, " held twice"));
    previous = &lock;
    for (const cell::HolderView& holder : lock.holders) {
      if (cell == nullptr || cell->HasSession(holder.session)) continue;
      report(absl::StrCat("is held by session ", holder.session.value(), ", which does not exist"));
    }
    if (lock.mode != v1::FREE) CheckGeneration(at, replica, lock);
  }
}

void LockChecker::CheckGeneration(Time at, ReplicaId replica, const cell::LockView& lock) {
  Period& last = periods_[{lock.path, lock.permit}];
  const auto report = [&](const std::string& what) {
    reporter_->Report(
        "lock.generation", at,
        absl::StrCat("at r", replica.value(), " the lock of ", lock.path, " has generation ", lock.generation.value(), what));
  };
  if (lock.generation < last.generation) report(absl::StrCat(" after ", last.generation.value()));
  if (!lock.generation) report(" while it is held");
  const bool exclusive = lock.mode == v1::EXCLUSIVE || last.mode == v1::EXCLUSIVE;
  if (lock.generation == last.generation && exclusive && lock.holders != last.holders) report(" for two different holds");
  last = {lock.generation, lock.mode, lock.holders};
}

void LockChecker::CheckNodes(Time at, ReplicaId replica, const cell::CellView& view) {
  std::vector<Position> referred;
  for (const cell::SessionView& session : view.sessions) {
    for (const cell::HandleView& handle : session.handles) referred.push_back(handle.instance);
  }
  std::sort(referred.begin(), referred.end());
  std::vector<SessionId> sessions;
  for (const cell::SessionView& session : view.sessions) sessions.push_back(session.session);
  const auto lives = [&](SessionId session) { return std::binary_search(sessions.begin(), sessions.end(), session); };
  const auto is_referred = [&](Position instance) { return std::binary_search(referred.begin(), referred.end(), instance); };
  std::vector<Position> ephemerals;
  absl::btree_map<Position, SessionId> owners;
  for (const cell::NodeView& node : view.nodes) {
    if (!node.ephemeral && !node.owner) continue;
    ephemerals.push_back(node.instance);
    if (node.owner) {
      owners.emplace(node.instance, node.owner);
      if (lives(node.owner)) continue;
      reporter_->Report("ephemeral.lifetime", at,
                        absl::StrCat("at r", replica.value(), " ", node.path, " outlives session ", node.owner.value(),
                                     ", which owns it"));
      continue;
    }
    if (is_referred(node.instance) || (node.directory && node.children > 0)) continue;
    reporter_->Report("ephemeral.lifetime", at,
                      absl::StrCat("at r", replica.value(), " the ephemeral ", node.path, " exists without any handle"));
  }
  std::sort(ephemerals.begin(), ephemerals.end());
  for (const Position gone : ephemerals_) {
    // A handle, or a session, may survive its node when somebody deleted it.
    if (deleted_ || std::binary_search(ephemerals.begin(), ephemerals.end(), gone)) continue;
    const auto owned = owners_.find(gone);
    const bool early = owned == owners_.end() ? is_referred(gone) : lives(owned->second);
    if (!early) continue;
    reporter_->Report("ephemeral.lifetime", at,
                      absl::StrCat("at r", replica.value(), " the ephemeral node of instance ", gone.value(),
                                   " is gone, although ",
                                   owned == owners_.end() ? "a handle refers to it" : "the session that owns it lives"));
  }
  ephemerals_ = std::move(ephemerals);
  owners_ = std::move(owners);
  nodes_changed_ = deleted_ = false;
  effects_ = 0;
}

}  // namespace bramah::sim

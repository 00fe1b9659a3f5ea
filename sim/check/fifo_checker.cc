#include "sim/check/fifo_checker.h"

#include <iterator>
#include <optional>

#include "absl/strings/str_cat.h"

namespace bramah::sim {

void FifoChecker::Applied(const CoreEvent& applied) {
  if (!applied.effect) return;
  const Key key{applied.session, applied.handle};
  switch (applied.command) {
    case v1::ACQUIRE:
      arrived_.try_emplace({applied.session, applied.seq}, applied.index);
      if (applied.code == v1::QUEUED) waiting_.try_emplace(key, Waiter{applied.index, applied.seq, Position()});
      return;
    case v1::RELEASE:
    case v1::CLOSE:
    case v1::POISON:
      waiting_.erase(key);
      return;
    case v1::END_SESSION:
    case v1::EXPIRE_SESSION:
      deleted_ = true;  // the nodes that the session owned
      return Ended(applied.session);
    case v1::DELETE:
      deleted_ = true;
      return;
    default:
      return;
  }
}

void FifoChecker::Ended(SessionId session) {
  waiting_.erase(waiting_.lower_bound({session, HandleId()}), waiting_.lower_bound({session.Next(), HandleId()}));
}

void FifoChecker::Look(Time at, const cell::Cell& cell, const std::vector<cell::LockView>& locks) {
  LookUp(cell);
  for (const cell::LockView& lock : locks) {
    for (const cell::HolderView& holder : lock.holders) {
      const auto waited = waiting_.find({holder.session, holder.handle});
      if (waited != waiting_.end() && waited->second.seq == holder.seq) waiting_.erase(waited);
    }
  }
  if (waiting_.empty()) return;
  for (const cell::LockView& lock : locks) CheckLock(at, lock);
}

// Waiters go with their node.
void FifoChecker::LookUp(const cell::Cell& cell) {
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    Waiter& waiter = at->second;
    if (waiter.instance && !deleted_) {
      ++at;
      continue;
    }
    const std::optional<cell::AccessView> access = cell.AccessOf(at->first.first, at->first.second);
    if (access.has_value()) waiter.instance = access->handle.instance;
    at = access.has_value() ? std::next(at) : waiting_.erase(at);
  }
  deleted_ = false;
}

void FifoChecker::CheckLock(Time at, const cell::LockView& lock) const {
  for (const cell::HolderView& holder : lock.holders) {
    const auto arrived = arrived_.find({holder.session, holder.seq});
    if (arrived == arrived_.end()) continue;
    for (const auto& [key, waiter] : waiting_) {
      if (waiter.instance != lock.instance || waiter.since > arrived->second) continue;
      reporter_->Report("lock.fifo", at,
                        absl::StrCat("the lock of ", lock.path, " is held by session ", holder.session.value(),
                                     ", whose Acquire came with entry ", arrived->second.value(), ", while session ",
                                     key.first.value(), " waits since entry ", waiter.since.value()));
    }
  }
}

}  // namespace bramah::sim

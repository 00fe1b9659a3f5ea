#include "sim/check/delay_checker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace bramah::sim {
namespace {

constexpr uint64_t kIndexMask = (uint64_t{1} << 48) - 1;  // of a position
constexpr uint64_t kKept = 4'096;                         // proposals; an entry is applied long before it is so old

// What a delay asked for at one clock is at least in real time [L6]; a unit less for each of two roundings.
Duration AtLeast(Duration delay, int64_t rho_ppm) {
  const int64_t scale = kMillion + rho_ppm;
  return delay / scale * kMillion + delay % scale * kMillion / scale - 2;
}

}  // namespace

void DelayChecker::Appended(Time at, LogIndex index, Term term) {
  proposed_[{index, term}] = at;
  while (proposed_.size() > kKept) proposed_.erase(proposed_.begin());
}

void DelayChecker::Applied(const CoreEvent& applied) {
  if (!applied.effect) return;
  const auto proposal = proposed_.find({applied.index, applied.term});
  const Time at = proposal == proposed_.end() ? kNever : proposal->second;
  applied_[applied.index] = at;
  while (applied_.size() > kKept) applied_.erase(applied_.begin());
  switch (applied.command) {
    case v1::RELEASE:
    case v1::CLOSE:
      return Left(applied.session, applied.handle);
    case v1::DELETE:
      deleted_ = std::min(deleted_, at);
      return Left(applied.session, applied.handle);
    case v1::POISON:
      return Lost(applied.session, applied.handle, at);
    case v1::END_SESSION:
    case v1::EXPIRE_SESSION: {
      const bool asked = applied.command == v1::END_SESSION && applied.reason == v1::END_CLOSED;
      Lost(applied.session, HandleId(), asked ? kNever : at);
      deleted_ = std::min(deleted_, at);  // the nodes that it owned go, whoever holds their locks
      return;
    }
    default:
      return;
  }
}

void DelayChecker::Left(SessionId session, HandleId handle) {
  for (auto& [path, lock] : locks_) {
    std::erase_if(lock.holders, [&](const cell::HolderView& h) { return h.session == session && h.handle == handle; });
  }
}

// No handle: all of the session. kNever: it ended without any loss.
void DelayChecker::Lost(SessionId session, HandleId handle, Time at) {
  const auto goes = [&](const cell::HolderView& h) { return h.session == session && (!handle || h.handle == handle); };
  for (auto& [path, lock] : locks_) {
    for (const cell::HolderView& holder : lock.holders) {
      // A Delete of the same step may have taken it before; which node that removed is not known here.
      if (goes(holder) && at != kNever) Close(lock, holder, std::min(at, deleted_));
    }
    std::erase_if(lock.holders, goes);
  }
}

void DelayChecker::Look(Time at, const std::vector<cell::LockView>& locks) {
  LoseDeleted(locks);
  for (auto& [path, lock] : locks_) lock.holders.clear();
  for (const cell::LockView& now : locks) {
    DelayedLock& lock = locks_[{now.path, now.permit}];
    if (now.generation > lock.generation) CheckGrants(at, now);
    lock.instance = now.instance;
    lock.generation = now.generation;
    lock.mode = now.mode;
    lock.holders = now.holders;
  }
}

// Whoever held and did nothing to end that, and does not hold now, lost the lock with its node.
void DelayChecker::LoseDeleted(const std::vector<cell::LockView>& locks) {
  const Time at = std::exchange(deleted_, kNever);
  if (at == kNever) return;
  for (auto& [path, lock] : locks_) {
    const auto same = [p = &path, l = &lock](const cell::LockView& now) {
      return now.path == p->first && now.permit == p->second && now.instance == l->instance;
    };
    if (std::any_of(locks.begin(), locks.end(), same)) continue;
    for (const cell::HolderView& holder : lock.holders) Close(lock, holder, at);
  }
}

void DelayChecker::Close(DelayedLock& lock, const cell::HolderView& holder, Time at) const {
  if (holder.lock_delay == 0) return;
  LostHold& loss = lock.mode == v1::EXCLUSIVE ? lock.exclusive : lock.shared;
  const Time until = at + AtLeast(holder.lock_delay, rho_ppm_);
  if (until > loss.until) loss = {at, until};
}

void DelayChecker::CheckGrants(Time at, const cell::LockView& lock) {
  const auto first = locks_.lower_bound({lock.path, 0});
  for (auto it = first; it != locks_.end() && it->first.first == lock.path; ++it) {
    const bool own = it->first.second == lock.permit || lock.mode == v1::SHARED;
    if (own) CheckGrant(at, lock, it->second.exclusive);
    if (lock.mode == v1::EXCLUSIVE) CheckGrant(at, lock, it->second.shared);
  }
}

void DelayChecker::CheckGrant(Time at, const cell::LockView& lock, const LostHold& loss) {
  const auto granted = applied_.find(LogIndex(lock.generation.value() & kIndexMask));
  if (granted == applied_.end() || granted->second >= loss.until) return;
  reporter_->Report("lock.delay", at,
                    absl::StrCat("the lock of ", lock.path, " was granted by an entry proposed ",
                                 (granted->second - loss.at) / kMicrosecond, " us after the one that lost it, ",
                                 (loss.until - granted->second) / kMicrosecond, " us before its lock-delay was over"));
}

}  // namespace bramah::sim

#include "core/lock/lock_state.h"

#include <utility>

#include "core/base/check.h"
#include "core/base/hash.h"

namespace bramah::lock {
namespace {

uint64_t HashOwner(uint64_t salt, const Owner& owner, RequestSeq seq) {
  return FoldHash(FoldHash(FoldHash(salt, owner.session.value()), owner.handle.value()), seq.value());
}

uint64_t HashHolder(const Owner& owner, RequestSeq seq) { return HashOwner(1, owner, seq); }

uint64_t HashWaiter(Position since, const Waiter& waiter) {
  const uint64_t hash = HashOwner(2, waiter.owner, waiter.seq);
  return FoldHash(FoldHash(hash, since.value()), static_cast<uint64_t>(waiter.mode));
}

uint64_t HashItems(const LockState::Holders& holders, const LockState::Queue& waiters) {
  uint64_t sum = 0;
  for (const auto& [owner, seq] : holders) sum += HashHolder(owner, seq);
  for (const auto& [since, waiter] : waiters) sum += HashWaiter(since, waiter);
  return sum;
}

uint64_t HashWhole(v1::LockMode mode, Position generation, uint64_t items) {
  return FoldHash(FoldHash(items, static_cast<uint64_t>(mode)), generation.value());
}

}  // namespace

const RequestSeq* LockState::HoldOf(const Owner& owner) const {
  const auto it = holders_.find(owner);
  return it == holders_.end() ? nullptr : &it->second;
}

void LockState::Grant(const Owner& owner, RequestSeq seq, v1::LockMode mode, Position now) {
  BRAMAH_CHECK(Grantable(mode, Delay()));
  AddHolder(owner, seq, mode, now);
}

void LockState::AddHolder(const Owner& owner, RequestSeq seq, v1::LockMode mode, Position now) {
  if (mode_ == v1::FREE) generation_ = now;
  mode_ = mode;
  const bool added = holders_.emplace(owner, seq).second;
  BRAMAH_CHECK(added);
  items_ += HashHolder(owner, seq);
}

void LockState::Enqueue(const Waiter& waiter, Position now) {
  BRAMAH_CHECK(waiters_.empty() || waiters_.rbegin()->first < now);
  waiters_.emplace_hint(waiters_.end(), now, waiter);
  items_ += HashWaiter(now, waiter);
}

void LockState::Release(const Owner& owner) {
  const auto it = holders_.find(owner);
  BRAMAH_CHECK(it != holders_.end());
  items_ -= HashHolder(owner, it->second);
  holders_.erase(it);
  if (holders_.empty()) mode_ = v1::FREE;
}

void LockState::Cancel(Position since) {
  const auto it = waiters_.find(since);
  BRAMAH_CHECK(it != waiters_.end());
  items_ -= HashWaiter(since, it->second);
  waiters_.erase(it);
}

void LockState::Promote(Position now, const Delay& delay, std::vector<Waiter>& granted) {
  while (!waiters_.empty() && Compatible(waiters_.begin()->second.mode, delay)) {
    const auto [since, waiter] = *waiters_.begin();
    Cancel(since);
    AddHolder(waiter.owner, waiter.seq, waiter.mode, now);
    granted.push_back(waiter);
  }
}

LockState LockState::Restored(v1::LockMode mode, Position generation, Holders holders, Queue waiters) {
  LockState state;
  state.mode_ = mode;
  state.generation_ = generation;
  state.items_ = HashItems(holders, waiters);
  state.holders_ = std::move(holders);
  state.waiters_ = std::move(waiters);
  return state;
}

uint64_t LockState::digest() const { return HashWhole(mode_, generation_, items_); }

uint64_t LockState::DigestSlow() const { return HashWhole(mode_, generation_, HashItems(holders_, waiters_)); }

}  // namespace bramah::lock

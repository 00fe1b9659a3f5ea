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

uint64_t HashParties(const LockState::Holders& holders, const LockState::Queue& waiters) {
  uint64_t sum = 0;
  for (const auto& [owner, seq] : holders) sum += HashHolder(owner, seq);
  for (const auto& [since, waiter] : waiters) sum += HashWaiter(since, waiter);
  return sum;
}

uint64_t HashWhole(v1::LockMode mode, Position generation, uint64_t parties) {
  return FoldHash(FoldHash(parties, static_cast<uint64_t>(mode)), generation.value());
}

}  // namespace

// Never freed, so that it can be asked for at any time.
const LockState::Parties& LockState::Nobody() {
  static const Parties& nobody = *new Parties();
  return nobody;
}

LockState::Parties& LockState::MutableParties() {
  if (!parties_) parties_ = Box(Parties());
  return *parties_;
}

void LockState::Tidy() {
  if (parties_ && parties_->holders.empty() && parties_->waiters.empty()) parties_ = Box<Parties>();
}

const RequestSeq* LockState::HoldOf(const Owner& owner) const {
  const auto it = holders().find(owner);
  return it == holders().end() ? nullptr : &it->second;
}

void LockState::Grant(const Owner& owner, RequestSeq seq, v1::LockMode mode, Position now) {
  BRAMAH_CHECK(Grantable(mode, Delay()));
  AddHolder(owner, seq, mode, now);
}

void LockState::AddHolder(const Owner& owner, RequestSeq seq, v1::LockMode mode, Position now) {
  if (mode_ == v1::FREE) generation_ = now;
  mode_ = mode;
  Parties& parties = MutableParties();
  const bool added = parties.holders.emplace(owner, seq).second;
  BRAMAH_CHECK(added);
  parties.hashes += HashHolder(owner, seq);
}

void LockState::Enqueue(const Waiter& waiter, Position now) {
  Parties& parties = MutableParties();
  BRAMAH_CHECK(parties.waiters.empty() || parties.waiters.rbegin()->first < now);
  parties.waiters.emplace_hint(parties.waiters.end(), now, waiter);
  parties.hashes += HashWaiter(now, waiter);
}

void LockState::Release(const Owner& owner) {
  Parties& parties = MutableParties();
  const auto it = parties.holders.find(owner);
  BRAMAH_CHECK(it != parties.holders.end());
  parties.hashes -= HashHolder(owner, it->second);
  parties.holders.erase(it);
  if (parties.holders.empty()) mode_ = v1::FREE;
  Tidy();
}

void LockState::Cancel(Position since) {
  Dequeue(since);
  Tidy();
}

void LockState::Dequeue(Position since) {
  Parties& parties = MutableParties();
  const auto it = parties.waiters.find(since);
  BRAMAH_CHECK(it != parties.waiters.end());
  parties.hashes -= HashWaiter(since, it->second);
  parties.waiters.erase(it);
}

void LockState::Promote(Position now, const Delay& delay, std::vector<Waiter>& granted) {
  while (!waiters().empty() && Compatible(waiters().begin()->second.mode, delay)) {
    const auto [since, waiter] = *waiters().begin();
    Dequeue(since);
    AddHolder(waiter.owner, waiter.seq, waiter.mode, now);
    granted.push_back(waiter);
  }
}

LockState LockState::Restored(v1::LockMode mode, Position generation, Holders holders, Queue waiters) {
  LockState state;
  state.mode_ = mode;
  state.generation_ = generation;
  const uint64_t hashes = HashParties(holders, waiters);
  state.parties_ = Box(Parties{std::move(holders), std::move(waiters), hashes});
  state.Tidy();
  return state;
}

uint64_t LockState::digest() const { return HashWhole(mode_, generation_, parties().hashes); }

uint64_t LockState::DigestSlow() const { return HashWhole(mode_, generation_, HashParties(holders(), waiters())); }

}  // namespace bramah::lock

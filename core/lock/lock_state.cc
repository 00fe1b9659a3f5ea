#include "core/lock/lock_state.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/hash.h"

namespace bramah::lock {
namespace {

uint64_t HashOwner(uint64_t salt, const Owner& owner, RequestSeq seq) {
  return FoldHash(FoldHash(FoldHash(salt, owner.session.value()), owner.handle.value()), seq.value());
}

uint64_t HashHolder(const Owner& owner, const Hold& hold) {
  return FoldHash(FoldHash(HashOwner(1, owner, hold.seq), hold.permit), hold.generation.value());
}

uint64_t HashWaiter(Position since, const Waiter& waiter) {
  const uint64_t hash = HashOwner(2, waiter.owner, waiter.seq);
  return FoldHash(FoldHash(hash, since.value()), static_cast<uint64_t>(waiter.mode));
}

uint64_t HashParties(const LockState::Holders& holders, const LockState::Queue& waiters) {
  uint64_t sum = 0;
  for (const auto& [owner, hold] : holders) sum += HashHolder(owner, hold);
  for (const auto& [since, waiter] : waiters) sum += HashWaiter(since, waiter);
  return sum;
}

uint64_t HashWhole(const LockState& lock, uint64_t parties) {
  const uint64_t kind = static_cast<uint64_t>(lock.permits()) << 8 | static_cast<uint64_t>(lock.mode());
  return FoldHash(FoldHash(parties, kind), lock.generation().value());
}

}  // namespace

LockState::LockState(uint32_t permits) {
  if (permits != 1) MutableFacts().permits = static_cast<uint16_t>(permits);
}

// These two are never freed, so that they can be asked for at any time.
const LockState::Facts& LockState::Untouched() {
  static const Facts& untouched = *new Facts();
  return untouched;
}

const LockState::Parties& LockState::Nobody() {
  static const Parties& nobody = *new Parties();
  return nobody;
}

LockState::Facts& LockState::MutableFacts() {
  if (!facts_) facts_ = Box(Facts());
  return *facts_;
}

LockState::Parties& LockState::MutableParties() {
  Box<Parties>& parties = MutableFacts().parties;
  if (!parties) parties = Box(Parties());
  return *parties;
}

void LockState::Tidy() {
  if (holders().empty() && waiters().empty() && facts_) facts_->parties = Box<Parties>();
}

const Hold* LockState::HoldOf(const Owner& owner) const {
  const Holders& all = holders();
  const auto it = all.find(owner);
  return it == all.end() ? nullptr : &it->second;
}

bool LockState::Compatible(v1::LockMode mode, const Delay& delay) const {
  const v1::LockMode held = this->mode();
  if (mode == v1::SHARED) return held != v1::EXCLUSIVE && delay.lost.empty();
  const uint32_t all = permits();
  const auto of_another = [all](const LostPermit& lost) { return lost.of != all; };
  if (std::any_of(delay.lost.begin(), delay.lost.end(), of_another)) return false;
  return held != v1::SHARED && delay.exclusive == 0 && holders().size() + delay.lost.size() < all;
}

uint32_t LockState::FreePermit(const Delay& delay) const {
  if (permits() == 1) return 0;
  std::vector<bool> taken(permits());
  for (const auto& [owner, hold] : holders()) taken[hold.permit] = true;
  for (const LostPermit& lost : delay.lost) taken[lost.permit] = true;
  return static_cast<uint32_t>(std::find(taken.begin(), taken.end(), false) - taken.begin());
}

void LockState::Grant(const Waiter& waiter, const Delay& delay, Position now) {
  BRAMAH_CHECK(Grantable(waiter.mode, delay));
  AddHolder(waiter, delay, now);
}

void LockState::AddHolder(const Waiter& waiter, const Delay& delay, Position now) {
  const uint32_t permit = waiter.mode == v1::EXCLUSIVE ? FreePermit(delay) : 0;
  Facts& facts = MutableFacts();
  if (facts.mode == v1::FREE || waiter.mode == v1::EXCLUSIVE) facts.generation = now;
  facts.mode = waiter.mode;
  Parties& parties = MutableParties();
  const auto [at, added] = parties.holders.emplace(waiter.owner, Hold{waiter.seq, permit, facts.generation});
  BRAMAH_CHECK(added);
  parties.hashes += HashHolder(at->first, at->second);
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
  if (parties.holders.empty()) MutableFacts().mode = v1::FREE;
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
    AddHolder(waiter, delay, now);
    granted.push_back(waiter);
  }
}

LockState LockState::Restored(uint32_t permits, v1::LockMode mode, Position generation, Holders holders, Queue waiters) {
  LockState state(permits);
  const uint64_t hashes = HashParties(holders, waiters);
  const bool touched = mode != v1::FREE || generation || !holders.empty() || !waiters.empty();
  if (!touched) return state;
  Facts& facts = state.MutableFacts();
  facts.mode = mode;
  facts.generation = generation;
  facts.parties = Box(Parties{std::move(holders), std::move(waiters), hashes});
  state.Tidy();
  return state;
}

uint64_t LockState::digest() const { return HashWhole(*this, parties().hashes); }

uint64_t LockState::DigestSlow() const { return HashWhole(*this, HashParties(holders(), waiters())); }

}  // namespace bramah::lock

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/check/history/remark_lines.h"

namespace bramah::sim {

void LockLine::Note(const Remark& remark) {
  const LockRemark& lock = remark.lock;
  if (lock.kind == LockRemark::kNothing) return;
  noted_.push_back(&remark);
  permits_ = std::max(permits_, lock.permits);
}

uint32_t LockLine::KeyOf(const LockRemark& lock) const {
  const bool one_of_several = lock.kind != LockRemark::kShown && lock.mode == v1::EXCLUSIVE && permits_ != 1;
  return one_of_several ? lock.permit : kLatest;
}

// Which periods there were.
Problem LockLine::Collect(const Remark& remark) {
  const LockRemark& lock = remark.lock;
  if (lock.kind == LockRemark::kOver || lock.generation == 0) return std::nullopt;
  lines_[KeyOf(lock)][lock.generation];
  LockPeriod& period = lines_[kLatest][lock.generation];
  if (period.seen == nullptr) period.seen = &remark;
  if (lock.asked != 0) period.asked = std::min(period.asked, lock.asked);
  if (lock.mode == v1::FREE) return std::nullopt;
  const v1::LockMode before = std::exchange(period.mode, lock.mode);
  if (before == v1::FREE || before == lock.mode) return CheckHolder(remark);
  return absl::StrCat(Describe(remark), " and ", Describe(*period.seen), " tell of one lock generation in different modes");
}

// Of an exclusive one there is one holder, and it leaves once.
Problem LockLine::CheckHolder(const Remark& remark) {
  const LockRemark& lock = remark.lock;
  if (lock.mode != v1::EXCLUSIVE || lock.kind == LockRemark::kShown) return std::nullopt;
  LockPeriod& period = lines_[KeyOf(lock)][lock.generation];
  if (lock.kind == LockRemark::kReleased && std::exchange(period.released, true)) {
    return absl::StrCat(Describe(remark), " and another one released the same hold, of generation ", lock.generation);
  }
  if (!lock.handle) return std::nullopt;
  if (period.holder == nullptr) period.holder = &remark;
  const LockRemark& held = period.holder->lock;
  if (period.holder->client == remark.client && held.handle == lock.handle) return std::nullopt;
  return absl::StrCat(Describe(remark), " and ", Describe(*period.holder), " held the lock exclusively in one generation");
}

Problem LockLine::Lay(Precedence& events) {
  for (const Remark* remark : noted_) {
    if (const Problem problem = Collect(*remark)) return problem;
  }
  Periods& latest = lines_[kLatest];
  size_t next = events.AddLine(2 * latest.size());
  for (auto& [generation, period] : latest) {
    period.held = next++;
    period.free = next++;
  }
  for (auto& [key, periods] : lines_) {
    if (key != kLatest) LayPermit(periods, events);
  }
  return std::nullopt;
}

// The permit is free, and the lock may show a later period before that or after it.
void LockLine::LayPermit(Periods& periods, Precedence& events) const {
  const Periods& latest = lines_.at(kLatest);
  const LockPeriod* last = nullptr;
  for (auto& [generation, period] : periods) {
    period.held = latest.at(generation).held;
    period.free = events.Add();
    events.Before(period.held, period.free);
    if (last != nullptr) events.Before(last->free, period.held);
    last = &period;
  }
}

void LockLine::Put(const Witnessed& witnessed, size_t event, Precedence& events) const {
  const LockRemark& lock = witnessed.remark->lock;
  if (lock.kind == LockRemark::kNothing || lock.kind == LockRemark::kInUse) return;
  if (lock.kind == LockRemark::kShown) return PutShown(lock, event, events);
  const auto line = lines_.find(KeyOf(lock));
  if (line == lines_.end() || !line->second.contains(lock.generation)) return;  // it is over, and nobody was told that it was so
  const LockPeriod& period = line->second.at(lock.generation);
  if (lock.kind == LockRemark::kOver) {
    const bool was = lines_.at(kLatest).at(lock.generation).mode == lock.mode;
    if (was) events.Before(period.free, event);
    return;
  }
  events.Before(period.held, event);
  events.Before(event, period.free);
  if (lock.mode == v1::SHARED) return EndPermits(lock.generation, event, events);
  if (lock.kind == LockRemark::kReleased) events.NotAfter(period.free, witnessed.remark->answered, witnessed.number);
}

void LockLine::PutShown(const LockRemark& lock, size_t event, Precedence& events) const {
  const Periods& latest = lines_.at(kLatest);
  const auto next = latest.upper_bound(lock.generation);
  if (next != latest.end()) events.Before(event, next->second.held);
  if (lock.mode != v1::EXCLUSIVE) EndPermits(lock.generation, event, events);
  if (lock.generation == 0) return;
  const LockPeriod& period = latest.at(lock.generation);
  events.Before(lock.mode == v1::FREE ? period.free : period.held, event);
  if (lock.mode != v1::FREE) events.Before(event, period.free);
}

// Nobody has a permit at `event`.
void LockLine::EndPermits(uint64_t generation, size_t event, Precedence& events) const {
  for (const auto& [key, periods] : lines_) {
    const auto next = periods.upper_bound(generation);
    if (key != kLatest && next != periods.begin()) events.Before(std::prev(next)->second.free, event);
  }
}

// An exclusive period was made by its holder; if that was never told, by an Acquire that was not answered, and each of these made
// one at most. Of those who hold together any may have been the first. What nobody asked for in time was made by nobody.
Problem LockLine::FindAskers(const Precedence& events) const {
  std::vector<uint64_t> exclusive;  // that were not answered: when they were called
  std::vector<uint64_t> shared;
  for (const Remark* remark : noted_) {
    if (remark->lock.kind == LockRemark::kAsked) (remark->lock.mode == v1::SHARED ? shared : exclusive).push_back(remark->called);
  }
  // From the last to the first, to take one off the end.
  std::sort(exclusive.rbegin(), exclusive.rend());
  std::sort(shared.rbegin(), shared.rend());
  for (const auto& [generation, period] : lines_.at(kLatest)) {
    const uint64_t latest = events.latest(period.held);
    if (period.asked <= latest) continue;
    const auto may = [latest](const std::vector<uint64_t>& calls) { return !calls.empty() && calls.back() <= latest; };
    const bool told = period.asked != UINT64_MAX;
    const bool by_shared = period.mode != v1::EXCLUSIVE && may(shared);
    const bool by_exclusive = period.mode != v1::SHARED && !told && may(exclusive);
    if (!by_shared && !by_exclusive) {
      return absl::StrCat(Describe(*period.seen), " tells of lock generation ", generation, ", which nobody had asked for");
    }
    if (period.mode == v1::SHARED) shared.pop_back();
    if (period.mode == v1::EXCLUSIVE) exclusive.pop_back();
  }
  return std::nullopt;
}

// Whoever was refused the lock found somebody who had asked for it and had not left it. When those leave who were not answered,
// nobody knows.
Problem LockLine::FindUsers(const Precedence& events) const {
  std::vector<std::pair<uint64_t, uint64_t>> uses;  // from when, until when at the latest
  for (const Remark* remark : noted_) {
    const LockRemark& lock = remark->lock;
    if (lock.kind == LockRemark::kAsked) uses.emplace_back(remark->called, UINT64_MAX);
    if (lock.asked != 0) uses.emplace_back(lock.asked, events.latest(lines_.at(KeyOf(lock)).at(lock.generation).free));
  }
  std::sort(uses.begin(), uses.end());
  for (size_t i = 1; i < uses.size(); ++i) uses[i].second = std::max(uses[i].second, uses[i - 1].second);
  for (const Remark* remark : noted_) {
    if (remark->lock.kind != LockRemark::kInUse) continue;
    const auto after = std::lower_bound(uses.begin(), uses.end(), std::pair(remark->answered, uint64_t{0}));
    if (after != uses.begin() && std::prev(after)->second >= remark->called) continue;
    return Describe(*remark) + " was refused a lock that nobody can have held or waited for";
  }
  return std::nullopt;
}

Problem LockLine::Judge(const Precedence& events) const {
  if (const Problem problem = FindAskers(events)) return problem;
  return FindUsers(events);
}

}  // namespace bramah::sim

#include "core/lock/delays.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/hash.h"

namespace bramah::lock {
namespace {

uint64_t HashDelay(std::string_view path, const Delay& delay) {
  uint64_t hash = FoldHash(FoldHash(5, Hash64(path)), static_cast<uint64_t>(delay.exclusive));
  for (const LostPermit& lost : delay.lost) {
    hash = FoldHash(FoldHash(hash, uint64_t{lost.of} << 32 | lost.permit), static_cast<uint64_t>(lost.until));
  }
  return hash;
}

// REQUIRES: something is pending.
Time Earliest(const Delay& delay) {
  Time earliest = delay.exclusive == 0 ? kNever : delay.exclusive;
  for (const LostPermit& lost : delay.lost) earliest = std::min(earliest, lost.until);
  return earliest;
}

void Lose(Delay& delay, const LostPermit& lost) {
  const auto not_before = [&lost](const LostPermit& other) { return other.permit >= lost.permit; };
  const auto at = std::find_if(delay.lost.begin(), delay.lost.end(), not_before);
  if (at != delay.lost.end() && at->permit == lost.permit) {
    *at = {lost.permit, lost.of, std::max(at->until, lost.until)};
  } else {
    delay.lost.insert(at, lost);
  }
}

bool WellFormed(const Delay& delay) {
  uint64_t next = 0;
  for (const LostPermit& lost : delay.lost) {
    if (lost.permit < next || lost.permit >= lost.of || lost.until <= 0) return false;
    next = uint64_t{lost.permit} + 1;
  }
  return delay.pending() && delay.exclusive >= 0;
}

}  // namespace

void Delays::Add(std::string_view path, v1::LockMode mode, const LostPermit& lost) {
  BRAMAH_CHECK(lost.until > 0);
  Delay delay = At(path);
  if (mode == v1::EXCLUSIVE) {
    Lose(delay, lost);
  } else {
    delay.exclusive = std::max(delay.exclusive, lost.until);
  }
  Set(path, delay);
}

Delay Delays::At(std::string_view path) const {
  if (table_.empty()) return Delay();
  const auto it = table_.find(path);
  return it == table_.end() ? Delay() : it->second;
}

bool Delays::End(std::string_view path, Time now) {
  Delay delay = At(path);
  if (!delay.pending() || Earliest(delay) > now) return false;
  if (delay.exclusive <= now) delay.exclusive = 0;
  std::erase_if(delay.lost, [now](const LostPermit& lost) { return lost.until <= now; });
  Set(path, delay);
  return true;
}

std::vector<std::string> Delays::Due(Time now) const {
  std::vector<std::string> paths;
  for (auto it = ends_.begin(); it != ends_.end() && it->first <= now; ++it) paths.push_back(it->second);
  std::sort(paths.begin(), paths.end());
  return paths;
}

bool Delays::Append(std::string_view path, const Delay& delay) {
  if (!table_.empty() && path <= table_.rbegin()->first) return false;
  if (!WellFormed(delay)) return false;
  Set(path, delay);
  return true;
}

void Delays::Set(std::string_view path, const Delay& delay) {
  const auto it = table_.try_emplace(std::string(path)).first;
  if (it->second.pending()) {
    ends_.erase({Earliest(it->second), it->first});
    digest_ -= HashDelay(path, it->second);
  }
  if (!delay.pending()) {
    table_.erase(it);
    return;
  }
  it->second = delay;
  ends_.emplace(Earliest(delay), it->first);
  digest_ += HashDelay(path, delay);
}

uint64_t Delays::DigestSlow() const {
  uint64_t sum = 0;
  for (const auto& [path, delay] : table_) sum += HashDelay(path, delay);
  return sum;
}

}  // namespace bramah::lock

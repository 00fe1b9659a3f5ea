#include "core/lock/delays.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/hash.h"

namespace bramah::lock {
namespace {

uint64_t HashDelay(std::string_view path, const Delay& delay) {
  return FoldHash(FoldHash(FoldHash(5, Hash64(path)), static_cast<uint64_t>(delay.all)), static_cast<uint64_t>(delay.exclusive));
}

Time Earliest(const Delay& delay) {
  if (delay.all == 0) return delay.exclusive;
  return delay.exclusive == 0 ? delay.all : std::min(delay.all, delay.exclusive);
}

bool EndIfPassed(Time& until, Time now) {
  if (until == 0 || until > now) return false;
  until = 0;
  return true;
}

}  // namespace

void Delays::Add(std::string_view path, v1::LockMode mode, Time until) {
  BRAMAH_CHECK(until > 0);
  Delay delay = At(path);
  Time& part = mode == v1::EXCLUSIVE ? delay.all : delay.exclusive;
  part = std::max(part, until);
  Set(path, delay);
}

Delay Delays::At(std::string_view path) const {
  if (table_.empty()) return Delay();
  const auto it = table_.find(path);
  return it == table_.end() ? Delay() : it->second;
}

bool Delays::End(std::string_view path, Time now) {
  Delay delay = At(path);
  const bool all = EndIfPassed(delay.all, now);
  const bool exclusive = EndIfPassed(delay.exclusive, now);
  if (all || exclusive) Set(path, delay);
  return all || exclusive;
}

std::vector<std::string> Delays::Due(Time now) const {
  std::vector<std::string> paths;
  for (auto it = ends_.begin(); it != ends_.end() && it->first <= now; ++it) paths.push_back(it->second);
  std::sort(paths.begin(), paths.end());
  return paths;
}

bool Delays::Append(std::string_view path, const Delay& delay) {
  if (!table_.empty() && path <= table_.rbegin()->first) return false;
  if (delay == Delay() || delay.all < 0 || delay.exclusive < 0) return false;
  Set(path, delay);
  return true;
}

void Delays::Set(std::string_view path, const Delay& delay) {
  const auto it = table_.try_emplace(std::string(path)).first;
  if (it->second != Delay()) {
    ends_.erase({Earliest(it->second), it->first});
    digest_ -= HashDelay(path, it->second);
  }
  if (delay == Delay()) {
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

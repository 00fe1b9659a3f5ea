#include "core/session/id_set.h"

#include "core/base/hash.h"

namespace bramah::session {
namespace {

uint64_t HashRun(uint64_t first, uint64_t last) { return FoldHash(FoldHash(3, first), last); }

}  // namespace

bool IdSet::Contains(uint64_t id) const {
  const auto next = runs_.upper_bound(id);
  return next != runs_.begin() && std::prev(next)->second >= id;
}

void IdSet::Insert(uint64_t id) {
  if (Contains(id)) return;
  uint64_t first = id;
  uint64_t last = id;
  auto next = runs_.upper_bound(id);
  if (next != runs_.end() && next->first - 1 == id) {
    last = next->second;
    Drop(next);
  }
  next = runs_.upper_bound(id);
  if (next != runs_.begin() && std::prev(next)->second + 1 == id) {
    first = std::prev(next)->first;
    Drop(std::prev(next));
  }
  Add(first, last);
}

bool IdSet::AppendRun(uint64_t first, uint64_t last) {
  if (first == 0 || first > last) return false;
  // "Greater than last + 1", written so that it cannot overflow.
  if (!runs_.empty() && (first <= runs_.rbegin()->second || first - 1 == runs_.rbegin()->second)) return false;
  Add(first, last);
  return true;
}

uint64_t IdSet::DigestSlow() const {
  uint64_t sum = 0;
  for (const auto& [first, last] : runs_) sum += HashRun(first, last);
  return sum;
}

void IdSet::Add(uint64_t first, uint64_t last) {
  runs_.emplace(first, last);
  digest_ += HashRun(first, last);
}

void IdSet::Drop(Runs::iterator run) {
  digest_ -= HashRun(run->first, run->second);
  runs_.erase(run);
}

}  // namespace bramah::session

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sim/check/history/remark_lines.h"

namespace bramah::sim {

void AclLine::Note(const Witnessed& witnessed) {
  const Remark& remark = *witnessed.remark;
  if (remark.maybe) {
    if (remark.acl.set) maybes_.push_back(&remark);
    return;
  }
  if (remark.acl.generation == 0) return;
  (remark.acl.set ? sets_ : seen_).push_back(witnessed);
  latest_ = std::max(latest_, remark.acl.generation);
}

Problem AclLine::Lay(Precedence& events) {
  const bool enough = latest_ <= 1 + sets_.size() + maybes_.size();
  if (!enough) return absl::StrCat("ACL generation ", latest_, " takes more SetAcls than there were");
  first_ = events.AddLine(latest_);
  makers_.resize(latest_);
  for (const auto& [set, number] : sets_) {
    const uint64_t generation = set->acl.generation;
    if (generation < 2) return Describe(*set) + " made the first ACL generation, which the node had when it was made";
    const Remark*& maker = makers_[generation - 1];
    if (maker != nullptr) return absl::StrCat(Describe(*set), " and ", Describe(*maker), " made ACL generation ", generation);
    maker = set;
    events.NotBefore(first_ + generation - 1, set->called, number);
  }
  return std::nullopt;
}

void AclLine::Put(const Remark& remark, size_t event, Precedence& events) const {
  const uint64_t generation = remark.acl.generation;
  if (generation == 0) return;
  events.Before(first_ + generation - 1, event);
  if (generation < latest_) events.Before(event, first_ + generation);
}

Problem AclLine::Judge(const Precedence& events) const {
  if (const Problem problem = CheckNames()) return problem;
  return FindMakers(events);
}

// A name is what was seen or set last, until somebody unknown may have set it.
Problem AclLine::CheckNames() const {
  std::vector<Witnessed> seen = seen_;
  std::stable_sort(seen.begin(), seen.end(), [](const Witnessed& a, const Witnessed& b) {
    return a.remark->acl.generation < b.remark->acl.generation;
  });
  for (size_t which = 0; which < 3; ++which) {
    const Remark* known = nullptr;
    auto next = seen.begin();
    for (uint64_t generation = 1; generation <= latest_; ++generation) {
      const Remark* const maker = makers_[generation - 1];
      if (maker == nullptr) known = nullptr;
      if (maker != nullptr && maker->acl.names[which] != 0) known = maker;
      for (; next != seen.end() && next->remark->acl.generation == generation; ++next) {
        const Remark& sight = *next->remark;
        if (sight.acl.names[which] == 0) continue;
        if (known != nullptr && known->acl.names[which] != sight.acl.names[which]) {
          return absl::StrCat(Describe(sight), " saw other ACL names than ", Describe(*known), " saw or set");
        }
        known = &sight;
      }
    }
  }
  return std::nullopt;
}

// One that compared can have made one generation only, and the others any: so these are taken in the order in which they were
// asked, for generations that rise.
Problem AclLine::FindMakers(const Precedence& events) const {
  std::vector<const Remark*> any;
  for (const Remark* maybe : maybes_) {
    if (maybe->acl.generation == 0) any.push_back(maybe);
  }
  std::stable_sort(any.begin(), any.end(), [](const Remark* a, const Remark* b) { return a->called < b->called; });
  auto next = any.begin();
  for (uint64_t generation = 2; generation <= latest_; ++generation) {
    if (makers_[generation - 1] != nullptr) continue;
    const uint64_t latest = events.latest(first_ + generation - 1);
    const auto compared = [&](const Remark* maybe) { return maybe->acl.generation == generation && maybe->called <= latest; };
    if (std::any_of(maybes_.begin(), maybes_.end(), compared)) continue;
    if (next == any.end() || (*next)->called > latest) return absl::StrCat("nobody can have made ACL generation ", generation);
    ++next;
  }
  return std::nullopt;
}

}  // namespace bramah::sim

#include "sim/check/history/makers.h"

#include <algorithm>

#include "core/base/hash.h"

namespace bramah::sim {
namespace {

// What `maybe` leaves where it finds `before`; nothing that is known if that cannot be told.
Contents Left(const Operation& maybe, const Contents& before) {
  if (!maybe.add || !before.legible) return maybe.contents();
  return ContentsOf(std::to_string(*maybe.add->To(*before.number)));
}

// Whether `maybe`, an Add, can have made `after` of `before`.
bool Adds(const Operation& maybe, const Contents& before, const Contents& after) {
  if (before.legible) {
    const std::optional<int64_t> sum = before.number ? maybe.add->To(*before.number) : std::nullopt;
    return sum && ContentsOf(std::to_string(*sum)).Fits(after);
  }
  if (!after.legible) return true;
  const std::optional<int64_t> found = after.number ? maybe.add->Before(*after.number) : std::nullopt;
  return found && ContentsOf(*found).Fits(before);
}

}  // namespace

Makers::Makers(const std::vector<Operation>& operations, const StateChain& chain, uint64_t sums_max)
    : chain_(chain), sums_max_(sums_max) {
  for (const Operation& operation : operations) {
    if (operation.maybe) maybes_.push_back(&operation);
  }
}

const Operation* Makers::First(size_t place) const {
  const Operation* first = nullptr;
  for (const Operation* maybe : maybes_) {
    if ((first == nullptr || maybe->called < first->called) && MayMake(*maybe, place)) first = maybe;
  }
  return first;
}

bool Makers::Needed(size_t place, bool may_be_never) const {
  const ChainState& state = chain_.states[place];
  if (place == 0 || may_be_never || state.maker != nullptr) return false;
  if (state.instance == 0) return !chain_.Of(state.ends).ephemeral;
  if (!state.hidden) return true;
  // With every hidden one of which somebody tells, those before it.
  const auto told = found_.lower_bound(place);
  return told != found_.end() && told->first <= chain_.Of(state.instance).states.last;
}

Makers::Answer Makers::Suffice(const std::vector<uint64_t>& latest, const std::vector<Finding>& findings) {
  latest_ = &latest;
  missing_ = findings.empty() ? 0 : findings.back().place;
  if (!Learn(findings)) return kMissing;
  needed_.clear();
  const size_t last = chain_.states.size() - 1;
  for (size_t place = 1; place <= last; ++place) {
    if (Needed(place, place == last && latest[place] == Operation::kForever)) needed_.push_back(place);
  }
  if (!Match()) return kMissing;
  const auto loose = std::find_if(needed_.begin(), needed_.end(), [&](size_t place) { return Loose(place); });
  if (loose == needed_.end()) return kSuffice;
  missing_ = *loose;
  in_vain_.clear();
  std::vector<bool> used(maybes_.size());
  if (TrySums(0, used, Contents())) return kSuffice;
  return steps_ >= sums_max_ ? kTooMany : kMissing;
}

// False if they contradict each other, or what is known.
bool Makers::Learn(const std::vector<Finding>& findings) {
  found_.clear();
  for (const Finding& finding : findings) {
    Contents known = At(finding.place);
    if (!known.Fits(finding.refusal->contents())) return false;
    known.Learn(finding.refusal->contents());
    found_.insert_or_assign(finding.place, known);
  }
  return true;
}

Contents Makers::At(size_t place) const {
  const auto found = found_.find(place);
  return found != found_.end() ? found->second : chain_.ContentsAt(place);
}

// Necessary, and if not Loose(place) sufficient.
bool Makers::MayMake(const Operation& maybe, size_t place) const {
  const ChainState& state = chain_.states[place];
  if (state.instance == 0) return maybe.kind == Operation::kRemove && maybe.instance == state.ends;
  if (state.generation == 1) return maybe.kind == Operation::kCreate && maybe.contents().Fits(At(place));
  if (maybe.kind != Operation::kWrite || maybe.instance != state.instance) return false;
  if (maybe.generation != 0 && maybe.generation != state.generation) return false;
  return maybe.add ? Adds(maybe, At(place - 1), At(place)) : maybe.contents().Fits(At(place));
}

// ---- each for itself: augmenting paths

bool Makers::Match() {
  std::vector<size_t> made_by(maybes_.size());  // place that each operation made; 0: none
  for (const size_t place : needed_) {
    std::vector<bool> tried(maybes_.size());
    if (FindMaker(place, tried, made_by)) continue;
    missing_ = place;
    return false;
  }
  return true;
}

// Gives `place` an operation, if need be one whose place finds another. First those that are free: of many Adds that are alike
// nearly any will do, and a long way round them all is long.
bool Makers::FindMaker(size_t place, std::vector<bool>& tried, std::vector<size_t>& made_by) const {
  std::vector<size_t> taken;
  for (size_t i = 0; i < maybes_.size(); ++i) {
    if (tried[i] || maybes_[i]->called > (*latest_)[place] || !MayMake(*maybes_[i], place)) continue;
    if (made_by[i] != 0) {
      taken.push_back(i);
      continue;
    }
    made_by[i] = place;
    return true;
  }
  for (const size_t i : taken) {
    if (tried[i]) continue;
    tried[i] = true;
    if (!FindMaker(made_by[i], tried, made_by)) continue;
    made_by[i] = place;
    return true;
  }
  return false;
}

// ---- sums

// Whether an Add may have made it of what nobody tells.
bool Makers::Loose(size_t place) const {
  const ChainState& state = chain_.states[place];
  if (state.instance == 0 || state.generation == 1 || At(place - 1).legible) return false;
  return std::any_of(maybes_.begin(), maybes_.end(),
                     [&](const Operation* maybe) { return maybe->add && maybe->instance == state.instance; });
}

// Gives needed_[next] and those behind it operations; `before`: what needed_[next - 1] came to be. What may make a state now may
// also make any later one as far as time goes, so of several that are alike one is tried.
bool Makers::TrySums(size_t next, std::vector<bool>& used, const Contents& before) {
  if (next == needed_.size()) return true;
  if (++steps_ >= sums_max_) return false;
  const auto key = std::tuple(next, used, before.hash.value_or(0));
  if (in_vain_.contains(key)) return false;
  const size_t place = needed_[next];
  Contents found = next > 0 && needed_[next - 1] == place - 1 ? before : Contents();
  found.Learn(At(place - 1));
  std::vector<size_t> tried;
  for (size_t i = 0; i < maybes_.size(); ++i) {
    const Operation& maybe = *maybes_[i];
    if (used[i] || maybe.called > (*latest_)[place] || !MayMake(maybe, place) || Taken(tried, maybe)) continue;
    if (chain_.states[place].generation > 1 && maybe.add && !Adds(maybe, found, At(place))) continue;
    used[i] = true;
    tried.push_back(i);
    if (TrySums(next + 1, used, Left(maybe, found))) return true;
    used[i] = false;
  }
  in_vain_.insert(key);
  return false;
}

// Whether one that is as good has been tried.
bool Makers::Taken(const std::vector<size_t>& tried, const Operation& maybe) const {
  return std::any_of(tried.begin(), tried.end(), [&](size_t i) {
    const Operation& other = *maybes_[i];
    return other.kind == maybe.kind && other.instance == maybe.instance && other.generation == maybe.generation &&
           other.value == maybe.value && other.add == maybe.add;
  });
}

}  // namespace bramah::sim

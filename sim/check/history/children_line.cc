#include <iterator>

#include "absl/strings/str_cat.h"
#include "sim/check/history/remark_lines.h"

namespace bramah::sim {
namespace {

// False if both say something else.
bool Agree(const std::optional<uint64_t>& told, std::optional<uint64_t>& known) {
  if (!known) known = told;
  return !told || told == known;
}

}  // namespace

void ChildrenLine::Note(const Remark& remark) {
  const ChildrenRemark& children = remark.children;
  if (!children.told || problem_) return;
  ChildrenState& state = states_[children.changed];
  if (Agree(children.count, state.count) && Agree(children.made, state.made)) return;
  problem_ = Describe(remark) + " counts other children than there were after the same change";
}

Problem ChildrenLine::Lay(Precedence& events) {
  if (problem_) return problem_;
  size_t next = events.AddLine(states_.size());
  uint64_t made = 0;
  for (auto& [changed, state] : states_) {
    state.event = next++;
    const uint64_t now = state.made.value_or(made);
    if (now < made) return absl::StrCat(now, " children were made after ", made, " had been");
    made = now;
  }
  return std::nullopt;
}

void ChildrenLine::Put(const Remark& remark, size_t event, Precedence& events) const {
  if (!remark.children.told) return;
  const auto state = states_.find(remark.children.changed);
  events.Before(state->second.event, event);
  if (const auto next = std::next(state); next != states_.end()) events.Before(event, next->second.event);
}

}  // namespace bramah::sim

#include "core/cell/step_list.h"

#include <cstddef>

#include "core/base/shrinking.h"

namespace bramah::cell {
namespace {

using List = Shrinking<Step>;

// A step may be in the way only because a later one counts it: leaves it out, and lets that one count one less.
rc::Seq<List> Nearer(const List& from) {
  return rc::seq::mapcat(rc::seq::range<size_t>(0, from.steps.size()), [from](size_t left_out) {
    return rc::seq::mapcat(rc::seq::range<size_t>(left_out + 1, from.steps.size()), [from, left_out](size_t i) {
      return rc::seq::map(rc::seq::fromContainer(CountingLess(from.steps[i])), [from, left_out, i](const Step& step) {
        List nearer{from.steps, 1, 0};
        nearer.steps[i] = step;
        nearer.steps.erase(nearer.steps.begin() + static_cast<ptrdiff_t>(left_out));
        return nearer;
      });
    });
  });
}

// Leaves out a step, but not the time that passed before it.
rc::Seq<List> Later(const List& from) {
  return rc::seq::mapMaybe(rc::seq::range<size_t>(0, from.steps.size()), [from](size_t i) -> rc::Maybe<List> {
    const int64_t seconds = from.steps[i].seconds;
    if (seconds == 0 || i + 1 == from.steps.size()) return rc::Nothing;
    List later{from.steps, 1, 0};
    later.steps[i + 1].seconds += seconds;
    later.steps.erase(later.steps.begin() + static_cast<ptrdiff_t>(i));
    return later;
  });
}

}  // namespace

rc::Gen<std::vector<Step>> Steps() {
  return ShrinkingSteps(&DrawStep, [](const List& from) {
    return rc::seq::concat(rc::makeSeq<WithoutChunk<Step>>(from), Later(from), Nearer(from), WithASimplerStep(from, &Simpler));
  });
}

}  // namespace bramah::cell

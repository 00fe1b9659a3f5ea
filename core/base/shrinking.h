// For rapidcheck: lists of steps that shrink fast, long ones to a few steps in seconds. rapidcheck's own vectors begin anew after
// every success, which takes minutes.
#ifndef BRAMAH_CORE_BASE_SHRINKING_H_
#define BRAMAH_CORE_BASE_SHRINKING_H_

#include <rapidcheck.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/keyed.h"

namespace bramah {

// A list that fails, and how far chunks of which length were tried to be left out.
template <class Step>
struct Shrinking {
  std::vector<Step> steps;
  size_t chunk = 0;
  size_t at = 0;
};

// A sequence for rc::makeSeq. Leaves out one chunk after the other, each shorter than the ones before only when all of those were
// tried.
template <class Step>
class WithoutChunk {
 public:
  explicit WithoutChunk(const Shrinking<Step>& from) : from_(from) {}

  rc::Maybe<Shrinking<Step>> operator()() {
    for (; from_.chunk > 0; from_.chunk /= 2, from_.at = 0) {
      if (from_.at >= from_.steps.size()) continue;
      Shrinking<Step> shorter = from_;
      from_.at += from_.chunk;
      const auto begin = shorter.steps.begin();
      shorter.steps.erase(begin + static_cast<ptrdiff_t>(shorter.at),
                          begin + static_cast<ptrdiff_t>(std::min(from_.at, from_.steps.size())));
      return shorter;
    }
    return rc::Nothing;
  }

 private:
  Shrinking<Step> from_;
};

// Makes one step simpler, in each of the ways that `simpler` gives; then others may have become superfluous.
template <class Step>
rc::Seq<Shrinking<Step>> WithASimplerStep(const Shrinking<Step>& from, std::vector<Step> (*simpler)(const Step&)) {
  return rc::seq::mapcat(rc::seq::range<size_t>(0, from.steps.size()), [from, simpler](size_t i) {
    return rc::seq::map(rc::seq::fromContainer(simpler(from.steps[i])), [from, i](const Step& step) {
      Shrinking<Step> other{from.steps, 1, 0};
      other.steps[i] = step;
      return other;
    });
  });
}

// Lists as long as the size that rapidcheck asks for, or shorter. `draw` makes a step of a number; `shrink` maps a Shrinking to
// the sequence of what to try instead.
template <class Step, class Shrink>
rc::Gen<std::vector<Step>> ShrinkingSteps(Step (*draw)(uint64_t), Shrink shrink) {
  const auto draw_all = [draw, shrink](const rc::Random& random, int size) {
    const uint64_t seed = rc::Random(random).next();
    Shrinking<Step> all;
    all.steps.resize(Below(Draw(seed, 0, 0, 0), static_cast<uint64_t>(size) + 1));
    for (size_t i = 0; i < all.steps.size(); ++i) all.steps[i] = draw(Draw(seed, 1, i, 0));
    all.chunk = all.steps.size() / 2;
    return rc::shrinkable::map(rc::shrinkable::shrinkRecur(all, shrink), [](const Shrinking<Step>& from) { return from.steps; });
  };
  return rc::Gen<std::vector<Step>>(draw_all).as("steps");
}

}  // namespace bramah

#endif  // BRAMAH_CORE_BASE_SHRINKING_H_

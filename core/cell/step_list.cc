#include "core/cell/step_list.h"

#include <algorithm>
#include <cstddef>

#include "core/base/keyed.h"

namespace bramah::cell {
namespace {

// A list of steps that fails, and how far chunks of which length were tried to be left out. rapidcheck's own vectors begin anew
// after every success, which takes minutes.
struct Shrinking {
  std::vector<Step> steps;
  size_t chunk = 0;
  size_t at = 0;
};

// Leaves out one chunk after the other, each shorter than the ones before only when all of those were tried.
class Shorter {
 public:
  explicit Shorter(const Shrinking& from) : from_(from) {}

  rc::Maybe<Shrinking> operator()() {
    for (; from_.chunk > 0; from_.chunk /= 2, from_.at = 0) {
      if (from_.at >= from_.steps.size()) continue;
      Shrinking shorter = from_;
      from_.at += from_.chunk;
      const auto begin = shorter.steps.begin();
      shorter.steps.erase(begin + static_cast<ptrdiff_t>(shorter.at),
                          begin + static_cast<ptrdiff_t>(std::min(from_.at, from_.steps.size())));
      return shorter;
    }
    return rc::Nothing;
  }

 private:
  Shrinking from_;
};

// Makes one step simpler; then others may have become superfluous.
rc::Seq<Shrinking> SimplerSteps(const Shrinking& from) {
  return rc::seq::mapcat(rc::seq::range<size_t>(0, from.steps.size()), [from](size_t i) {
    return rc::seq::map(rc::seq::fromContainer(Simpler(from.steps[i])), [from, i](const Step& step) {
      Shrinking simpler{from.steps, 1, 0};
      simpler.steps[i] = step;
      return simpler;
    });
  });
}

// A step may be in the way only because a later one counts it: leaves it out, and lets that one count one less.
rc::Seq<Shrinking> Nearer(const Shrinking& from) {
  return rc::seq::mapcat(rc::seq::range<size_t>(0, from.steps.size()), [from](size_t left_out) {
    return rc::seq::mapcat(rc::seq::range<size_t>(left_out + 1, from.steps.size()), [from, left_out](size_t i) {
      return rc::seq::map(rc::seq::fromContainer(CountingLess(from.steps[i])), [from, left_out, i](const Step& step) {
        Shrinking nearer{from.steps, 1, 0};
        nearer.steps[i] = step;
        nearer.steps.erase(nearer.steps.begin() + static_cast<ptrdiff_t>(left_out));
        return nearer;
      });
    });
  });
}

// Leaves out a step, but not the time that passed before it.
rc::Seq<Shrinking> Later(const Shrinking& from) {
  return rc::seq::mapMaybe(rc::seq::range<size_t>(0, from.steps.size()), [from](size_t i) -> rc::Maybe<Shrinking> {
    const int64_t seconds = from.steps[i].seconds;
    if (seconds == 0 || i + 1 == from.steps.size()) return rc::Nothing;
    Shrinking later{from.steps, 1, 0};
    later.steps[i + 1].seconds += seconds;
    later.steps.erase(later.steps.begin() + static_cast<ptrdiff_t>(i));
    return later;
  });
}

}  // namespace

rc::Gen<std::vector<Step>> Steps() {
  const auto draw = [](const rc::Random& random, int size) {
    const uint64_t seed = rc::Random(random).next();
    Shrinking all;
    all.steps.resize(Below(Draw(seed, 0, 0, 0), static_cast<uint64_t>(size) + 1));
    for (size_t i = 0; i < all.steps.size(); ++i) all.steps[i] = DrawStep(Draw(seed, 1, i, 0));
    all.chunk = all.steps.size() / 2;
    return rc::shrinkable::map(
        rc::shrinkable::shrinkRecur(
            all,
            [](const Shrinking& from) {
              return rc::seq::concat(rc::makeSeq<Shorter>(from), Later(from), Nearer(from), SimplerSteps(from));
            }),
        [](const Shrinking& from) { return from.steps; });
  };
  return rc::Gen<std::vector<Step>>(draw).as("steps");
}

}  // namespace bramah::cell

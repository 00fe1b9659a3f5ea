#include "sim/run/cache_step.h"

#include <iterator>

#include "core/base/keyed.h"
#include "core/base/shrinking.h"

namespace bramah::sim {
namespace {

// Mostly what is answered from a cache.
constexpr v1::CommandKind kKinds[] = {
    v1::GET_CONTENTS, v1::GET_CONTENTS, v1::GET_CONTENTS, v1::GET_CONTENTS, v1::GET_STAT, v1::GET_STAT, v1::GET_STAT,
    v1::READ_DIR,     v1::READ_DIR,     v1::OPEN,         v1::OPEN,         v1::OPEN,     v1::OPEN,     v1::CLOSE,
    v1::CLOSE,        v1::CLOSE,        v1::SET_CONTENTS, v1::SET_CONTENTS, v1::ACQUIRE,  v1::ACQUIRE,  v1::RELEASE,
    v1::RELEASE,      v1::DELETE,       v1::ADD,          v1::SET_ACL,      v1::SET_ACL,  v1::POISON};
constexpr const char* kPaths[] = {"/a", "/d", "/d/x", "/"};
// In percent, by what and by path.
constexpr uint64_t kWhats[] = {36, 36, 22, 5, 1};
constexpr uint64_t kOfPaths[] = {60, 15, 15, 10};
constexpr uint64_t kNths[] = {65, 20, 10, 5};

template <size_t kCount>
int64_t Weighted(const uint64_t (&weights)[kCount], uint64_t draw) {
  uint64_t left = Below(draw, 100);
  int64_t choice = 0;
  for (; left >= weights[choice]; ++choice) left -= weights[choice];
  return choice;
}

CacheStep DrawStep(uint64_t seed) {
  const auto draw = [seed](uint64_t which) { return Draw(seed, 2, which, 0); };
  CacheStep step;
  step.what = Weighted(kWhats, draw(1));
  step.client = static_cast<int64_t>(Below(draw(2), kCacheClients));
  step.kind = static_cast<int64_t>(Below(draw(3), std::size(kKinds)));
  step.nth = Weighted(kNths, draw(4));
  step.path = Weighted(kOfPaths, draw(5));
  step.more = static_cast<int64_t>(Below(draw(6), 30));
  return step;
}

// The steps with one number less.
std::vector<CacheStep> Simpler(const CacheStep& step) {
  std::vector<CacheStep> simpler;
  for (int64_t CacheStep::*const field : {&CacheStep::nth, &CacheStep::path, &CacheStep::more, &CacheStep::client}) {
    if (step.*field == 0) continue;
    simpler.push_back(step);
    simpler.back().*field = 0;
  }
  return simpler;
}

}  // namespace

v1::CommandKind KindOf(const CacheStep& step) { return kKinds[step.kind]; }

const char* PathOf(const CacheStep& step) { return kPaths[step.path]; }

rc::Gen<std::vector<CacheStep>> CacheSteps() {
  return ShrinkingSteps(&DrawStep, [](const Shrinking<CacheStep>& from) {
    return rc::seq::concat(rc::makeSeq<WithoutChunk<CacheStep>>(from), WithASimplerStep(from, &Simpler));
  });
}

void showValue(const std::vector<CacheStep>& steps, std::ostream& os) {
  static constexpr const char* kNames[] = {"call", "deliver", "settle", "pass", "break"};
  for (const CacheStep& step : steps) {
    os << "\n  " << kNames[step.what] << " c" << step.client;
    if (step.what == CacheStep::kCall) os << " " << v1::CommandKind_Name(KindOf(step)) << " " << PathOf(step);
    if (step.nth != 0) os << ", nth " << step.nth;
    if (step.more != 0) os << ", more " << step.more;
  }
}

}  // namespace bramah::sim

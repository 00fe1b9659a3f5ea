#include "core/cell/step_list.h"

#include <gtest/gtest.h>

#include <functional>
#include <sstream>

namespace bramah::cell {
namespace {

// As rapidcheck does it: the first that fails, and of that one the first again.
std::vector<Step> Shrunk(rc::Shrinkable<std::vector<Step>> list, const std::function<bool(const std::vector<Step>&)>& fails) {
  for (bool found = true; found;) {
    found = false;
    rc::Seq<rc::Shrinkable<std::vector<Step>>> shrinks = list.shrinks();
    for (auto next = shrinks.next(); next && !found; next = shrinks.next()) {
      found = fails(next->value());
      if (found) list = *next;
    }
  }
  return list.value();
}

TEST(StepList, ShrinksToWhatMatters) {
  // A step of client 2 counts back to one that watches.
  const auto fails = [](const std::vector<Step>& steps) {
    for (size_t i = 0; i < steps.size(); ++i) {
      const auto back = static_cast<size_t>(steps[i].undoes);
      if (steps[i].client == 2 && back > 0 && back <= i && (steps[i - back].events & v1::EVENT_CHILDREN) != 0) return true;
    }
    return false;
  };
  const rc::Shrinkable<std::vector<Step>> list = Steps()(rc::Random(uint64_t{2}), 2000);
  ASSERT_TRUE(fails(list.value()));
  std::ostringstream text;
  showValue(Shrunk(list, fails), text);
  EXPECT_EQ(text.str(), "  client 0: OPEN /a events=EVENT_CHILDREN\n  client 2: RELEASE undoes=1\n");
}

TEST(StepList, KeepsTheTimeOfWhatIsLeftOut) {
  const auto fails = [](const std::vector<Step>& steps) {
    int64_t time = 0;
    for (const Step& step : steps) time += step.seconds;
    return time >= 20;
  };
  const rc::Shrinkable<std::vector<Step>> list = Steps()(rc::Random(uint64_t{2}), 2000);
  ASSERT_TRUE(fails(list.value()));
  const std::vector<Step> shrunk = Shrunk(list, fails);
  ASSERT_EQ(shrunk.size(), 1u);
  EXPECT_EQ(shrunk[0].seconds, 20);
}

}  // namespace
}  // namespace bramah::cell

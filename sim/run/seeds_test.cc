// Plans that once failed, replayed: what was fixed stays fixed.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "sim/plan/plan.h"
#include "sim/run/run.h"

namespace bramah::sim {
namespace {

constexpr const char* kSeeds[] = {
#include "sim/run/seeds.inc"
};

class KeptSeed : public testing::TestWithParam<const char*> {};

TEST_P(KeptSeed, IsClean) {
  std::ifstream file(GetParam());
  std::stringstream text;
  text << file.rdbuf();
  const auto plan = ParsePlan(text.str());
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_FALSE(plan->comment().empty());
  EXPECT_FALSE(plan->expect_checker().empty());
  const RunResult result = RunPlan(*plan);
  EXPECT_EQ(result.verdict, Verdict::kOk) << result.note;
  for (const Violation& violation : result.violations) ADD_FAILURE() << violation.checker << ": " << violation.message;
}

std::string NameOf(const testing::TestParamInfo<const char*>& info) {
  std::string path = info.param;
  path = path.substr(path.rfind('/') + 1);
  return path.substr(0, path.find('.'));
}
INSTANTIATE_TEST_SUITE_P(Testdata, KeptSeed, testing::ValuesIn(kSeeds), NameOf);

}  // namespace
}  // namespace bramah::sim

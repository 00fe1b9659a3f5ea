// The search behind shrink.h, over any way of running a plan: delta debugging [Zeller and Hildebrandt] over the items of a plan,
// then plainer settings and times. Whatever is dropped changes what happens afterwards, so a smaller plan may fail only with
// another seed: when nothing else helps, a few other seeds are tried with it.
#ifndef BRAMAH_SIM_SHRINK_SHRINKER_H_
#define BRAMAH_SIM_SHRINK_SHRINKER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_set.h"
#include "core/base/time.h"
#include "sim/shrink/edits.h"
#include "sim/shrink/shrink.h"

namespace bramah::sim {

struct Failure {
  std::string checker;
  Time at = 0;
};
// Runs a plan; nothing if there is no violation.
using Runner = std::function<std::optional<Failure>(const v1::Plan&)>;

class Shrinker {
 public:
  Shrinker(Runner run, const std::string& checker, const ShrinkOptions& options);

  // The smallest plan found. If `plan` does not fail with the checker it is returned as it is.
  ShrinkResult Shrink(const v1::Plan& plan);

 private:
  // Takes `candidate` as the best plan if it still fails, with its seed or one of the next few.
  bool Try(const v1::Plan& candidate);
  bool TryOnce(const v1::Plan& candidate);
  bool spent() const { return spent_ >= options_.budget; }

  // Removes as many as possible of `count` things; `keep` makes the plan with those that are left.
  void Drop(int count, const std::function<v1::Plan(const std::vector<int>&)>& keep);
  // One pass over everything that can be dropped; whether it got smaller.
  bool DropAll();
  void DropItems();
  void DropGroups();
  void DropClients();
  void DropReplicas();
  void CutDuration();
  void CloseGaps();
  bool Apply(const std::vector<Edit>& edits);

  Runner run_;
  std::string checker_;
  ShrinkOptions options_;
  v1::Plan best_;
  Time failed_at_ = 0;
  uint32_t runs_ = 0;
  Duration spent_ = 0;               // simulated time
  size_t parts_ = 1;                 // into which a list is divided at most
  uint32_t seeds_ = 1;               // tried per candidate
  absl::btree_set<uint64_t> tried_;  // hashes of the plans that did not fail
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_SHRINK_SHRINKER_H_

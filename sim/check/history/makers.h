// Which operations of unknown outcome made the states that nobody claims. Each such state needs one of its own that was asked
// before the state must have begun. None has an answer that binds it, so whichever is taken tightens nothing else: as long as
// every operation fits or does not fit a state for itself, this is a bipartite matching.
//
// An Add fits or not by what it found. Mostly answers tell of that. If it, too, is a state that nobody claims or saw, the sums
// of several have to be tried out, up to a limit.
#ifndef BRAMAH_SIM_CHECK_HISTORY_MAKERS_H_
#define BRAMAH_SIM_CHECK_HISTORY_MAKERS_H_

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "sim/check/history/state_chain.h"

namespace bramah::sim {

// A refused Add that is taken to be about the state at `place`, whose contents are not known otherwise.
struct Finding {
  size_t place = 0;
  const Operation* refusal = nullptr;
};

class Makers {
 public:
  enum Answer : uint8_t { kSuffice, kMissing, kTooMany };

  // Both live as long as this does. `sums_max`: steps of trying out sums, in all.
  Makers(const std::vector<Operation>& operations, const StateChain& chain, uint64_t sums_max);

  // The operation asked first of those that may have made the state; null: there is none.
  const Operation* First(size_t place) const;
  // Whether somebody has to have made the state at `place` for others to have seen what they saw. `may_be_never`: it need not
  // have begun at all.
  bool Needed(size_t place, bool may_be_never) const;
  // `latest`: when each state begins at the latest. kTooMany: sums were to be tried out beyond the limit.
  Answer Suffice(const std::vector<uint64_t>& latest, const std::vector<Finding>& findings);
  // After kMissing: the place that has no maker.
  size_t missing() const { return missing_; }

 private:
  bool Learn(const std::vector<Finding>& findings);
  Contents At(size_t place) const;
  bool MayMake(const Operation& maybe, size_t place) const;
  bool Match();
  bool FindMaker(size_t place, std::vector<bool>& tried, std::vector<size_t>& made_by) const;
  bool Loose(size_t place) const;
  bool TrySums(size_t next, std::vector<bool>& used, const Contents& before);
  bool Taken(const std::vector<size_t>& tried, const Operation& maybe) const;

  const StateChain& chain_;
  const uint64_t sums_max_;
  uint64_t steps_ = 0;
  std::vector<const Operation*> maybes_;
  const std::vector<uint64_t>* latest_ = nullptr;
  absl::btree_map<size_t, Contents> found_;  // what the findings add
  std::vector<size_t> needed_;               // places without a maker that need one, rising
  absl::btree_set<std::tuple<size_t, std::vector<bool>, uint64_t>> in_vain_;
  size_t missing_ = 0;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_HISTORY_MAKERS_H_

// The checkers by name. An id is stable: plans, mutants and scripts name checkers by it.
#ifndef BRAMAH_SIM_CHECK_CHECKER_IDS_H_
#define BRAMAH_SIM_CHECK_CHECKER_IDS_H_

#include <string_view>

#include "absl/types/span.h"

namespace bramah::sim {

struct CheckerInfo {
  std::string_view id;       // "raft.election_safety"
  std::string_view meaning;  // what it holds true of every run, in a line
};

// All of them, in the order of what they look at.
absl::Span<const CheckerInfo> KnownCheckers();

bool IsChecker(std::string_view id);
// Whether a run can go on after it has fired: not behind a failed check, nor without the steps that were too many.
bool MayBeIgnored(std::string_view id);

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_CHECKER_IDS_H_

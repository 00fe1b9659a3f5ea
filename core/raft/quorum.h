// Majorities, as pure functions of values [Raft §5.3].
#ifndef BRAMAH_CORE_RAFT_QUORUM_H_
#define BRAMAH_CORE_RAFT_QUORUM_H_

#include <algorithm>
#include <cstddef>

#include "absl/container/inlined_vector.h"

namespace bramah::raft {

// One value per voter.
template <class T>
using PerVoter = absl::InlinedVector<T, 7>;

constexpr size_t MajorityOf(size_t voters) { return voters / 2 + 1; }

// The largest value that a majority of the voters has reached; T() if there are no voters. Works for counts of any parity: with
// four voters three must have reached it.
template <class T>
T ReachedByMajority(PerVoter<T> values) {
  if (values.empty()) return T();
  std::sort(values.begin(), values.end());
  return values[values.size() - MajorityOf(values.size())];
}

}  // namespace bramah::raft

#endif  // BRAMAH_CORE_RAFT_QUORUM_H_

// Is there an order of the operations on one name that respects real time and gives every answer [Herlihy and Wing]? Since
// linearizability is local, each name is judged alone.
//
// General searches try orders. Here answers name states: instances rise from creation to creation, generations from write to
// write, so the *states* of a name form one known chain, and only the instants at which each state began are open. What an
// operation with call c and answer a says about the chain are bounds on these instants:
//
//   it made state k                 c <= begin(k) <= a
//   it saw one of states i .. j     begin(i) <= a  and  begin(j + 1) >= c
//
// Such bounds along a chain can be met iff the running maximum of the lower ones never exceeds an upper one, which is decided in
// linear time. Two things remain to be searched: answers that fit several places of the chain ("nothing was there", "there is a 9
// already"), which is done by propagation and, where that leaves a choice, by backtracking up to a limit; and which operations of
// unknown outcome made the states that nobody claims (makers.h).
//
// What answers say of ACLs, locks and children is put beside that (remark_judge.h).
#ifndef BRAMAH_SIM_CHECK_HISTORY_LINEARIZABILITY_H_
#define BRAMAH_SIM_CHECK_HISTORY_LINEARIZABILITY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "sim/check/history/history.h"
#include "sim/check/history/remark.h"

namespace bramah::sim {

struct HistoryVerdict {
  enum Kind : uint8_t { kOk, kBad, kInconclusive };
  Kind kind = kOk;
  std::string checker;  // kBad: "history.linearizable" or "history.reply"
  std::string message;  // kBad
  // Names of which something was not judged, because too many Adds of unknown outcome left too many sums open: those sums, or what
  // refused Adds said of them.
  uint64_t sums_unjudged = 0;
};

inline constexpr uint64_t kSearchSteps = 20'000;

// Judges the operations of one name. `refused`: values nobody may see, rising. `search_max`: choices tried before the verdict is
// inconclusive, and sums tried before they are left open; if refused Adds were among the choices, all is tried again without them.
// `remarks`: of the same name.
HistoryVerdict JudgePath(const std::string& path, const std::vector<Operation>& operations, const std::vector<uint64_t>& refused,
                         uint64_t search_max = kSearchSteps, absl::Span<const Remark> remarks = {});

// All names, in order; the first that is bad decides, unless its checker is among the `ignored`. REQUIRES: history.Close() was
// called.
HistoryVerdict JudgeHistory(const History& history, uint64_t search_max = kSearchSteps,
                            absl::Span<const std::string> ignored = {});

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_HISTORY_LINEARIZABILITY_H_

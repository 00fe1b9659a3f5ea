// The rest of what linearizability.h asks: can what answers say of ACLs, locks and children be put into one order with the states
// of the name?
//
// Again the numbers that answers show tell in which order things came to be, in several lines side by side: states of the name,
// and for each instance its ACLs, its lock, its children. An answer that speaks of several ties them together. So there is an
// order iff nothing has to precede itself, and no event has to come before an instant and after a later one (precedence.h).
//
// Nobody is told when a session ends, and a lock with it: that a lock is free again may come at any time.
#ifndef BRAMAH_SIM_CHECK_HISTORY_REMARK_JUDGE_H_
#define BRAMAH_SIM_CHECK_HISTORY_REMARK_JUDGE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "sim/check/history/remark.h"
#include "sim/check/history/state_chain.h"

namespace bramah::sim {

// What is wrong, if something is. `chain` is that of the operations; all are about one name.
std::optional<std::string> JudgeRemarks(const std::vector<Operation>& operations, const StateChain& chain,
                                        absl::Span<const Remark> remarks);

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_HISTORY_REMARK_JUDGE_H_

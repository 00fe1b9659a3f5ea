// The states that one name went through, in order, as its operations name them: nothing, (instance 5, generation 1), (5, 2),
// nothing, (9, 1) ...; and who made each. A refused Add tells of a number, not of a generation: so where there were some, states
// follow that nobody names, as many as there may have been.
#ifndef BRAMAH_SIM_CHECK_HISTORY_STATE_CHAIN_H_
#define BRAMAH_SIM_CHECK_HISTORY_STATE_CHAIN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/check/history/history.h"

namespace bramah::sim {

struct ChainState {
  uint64_t instance = 0;    // 0: nothing of that name
  uint64_t generation = 0;
  uint64_t ends = 0;        // nothing: the instance that went away before, if any
  const Operation* maker = nullptr;  // null: not known; the first state needs none
  const Operation* seen = nullptr;   // an operation that names the contents, if the maker does not
  bool hidden = false;               // no answer names it; possibly it never was
};

// Places first .. last of the chain.
struct Range {
  size_t first = 0;
  size_t last = 0;
};

struct StateChain {
  struct Instance {
    uint64_t instance = 0;
    Range states;
    bool ephemeral = false;
  };
  std::vector<ChainState> states;    // starts and ends with "nothing"
  std::vector<Instance> instances;   // rising

  // The place of a state. REQUIRES: it is part of the chain.
  size_t PlaceOf(uint64_t instance, uint64_t generation) const;
  // What the answers tell of the contents at a place: who made or saw them, or added to them.
  Contents ContentsAt(size_t place) const;
  const Instance& Of(uint64_t instance) const;
};

struct ChainResult {
  StateChain chain;
  std::string checker;  // of the problem, if there is one
  std::string problem;
};

// `operations` live as long as the result.
ChainResult MakeChain(const std::vector<Operation>& operations, const std::vector<uint64_t>& refused);

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_HISTORY_STATE_CHAIN_H_

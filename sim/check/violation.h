// What a checker says when it fires.
#ifndef BRAMAH_SIM_CHECK_VIOLATION_H_
#define BRAMAH_SIM_CHECK_VIOLATION_H_

#include <string>

#include "core/base/time.h"

namespace bramah::sim {

struct Violation {
  std::string checker;  // "raft.election_safety"
  Time at = 0;          // real
  std::string message;  // what was seen, with names and numbers
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_VIOLATION_H_

// The state of a cell, put together from what its replicas say of themselves.
#ifndef BRAMAH_CLI_CELL_STATUS_H_
#define BRAMAH_CLI_CELL_STATUS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "net_real/status.h"

namespace bramah::cli {

// Longer than a replica that lives ever takes; the rest are called unreachable.
inline constexpr Duration kStatusPatience = 2 * kSecond;

struct CellStatus {
  std::string cell;                               // empty if nobody answered
  uint32_t master = 0;                            // 0: none
  std::string phase = "none";                     // serving | recovering | none
  uint64_t epoch = 0;                             // of the master
  Duration lease_max = 0;                         // the longest lease that it grants
  std::vector<net_real::ReplicaStatus> replicas;  // in the order of the endpoints
};

// The master is the replica with the highest epoch among those that say they serve, else among those that recover: an old master
// that does not know yet must not win.
CellStatus Summarize(std::vector<net_real::ReplicaStatus> replicas);
CellStatus AskCell(const std::vector<std::string>& endpoints, Duration timeout);

}  // namespace bramah::cli

#endif  // BRAMAH_CLI_CELL_STATUS_H_

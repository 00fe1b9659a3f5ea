// Asking replicas how they are, each by itself: a status must not depend on a cell that works.
#ifndef BRAMAH_NET_REAL_STATUS_H_
#define BRAMAH_NET_REAL_STATUS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/wire/wire.pb.h"

namespace bramah::net_real {

struct ReplicaStatus {
  std::string endpoint;
  bool reachable = false;  // answered in time; otherwise the rest is unset
  uint64_t process_id = 0;
  std::string cell;
  v1::StatusReply reply;
};

// One answer per endpoint, in their order. Blocks until all have answered or failed, at most `timeout`.
std::vector<ReplicaStatus> AskStatus(const std::vector<std::string>& endpoints, Duration timeout);

}  // namespace bramah::net_real

#endif  // BRAMAH_NET_REAL_STATUS_H_

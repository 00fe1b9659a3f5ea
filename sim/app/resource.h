// FencedResource: a server outside the cell that acts for whoever shows it a fencing token, and refuses a token that is older
// than the newest it has seen for the same lock [Chubby §2.4, C-37]. It needs no session and no clock.
#ifndef BRAMAH_SIM_APP_RESOURCE_H_
#define BRAMAH_SIM_APP_RESOURCE_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "core/base/ids.h"

namespace bramah::sim {

// What a lock holder sends to the resource. It may arrive long after the lock was lost, like any message.
struct ResourceRequest {
  std::string path;       // of the lock
  uint32_t permit = 0;    // which one, of a lock with several
  Position token;         // as the cell gave it out with the lock
  std::string sequencer;  // the same in its unforgeable form
  uint32_t ordinal = 0;   // counts the requests under one hold
  // Of the hold under which it was sent; only checkers look at it.
  SessionId session;
  HandleId handle;
  RequestSeq acquire;
};

class FencedResource {
 public:
  // Whether it acts on the request.
  bool Accept(const ResourceRequest& request) {
    Position& newest = newest_[{request.path, request.permit}];
    if (request.token < newest) return false;
    newest = request.token;
    return true;
  }

 private:
  std::map<std::pair<std::string, uint32_t>, Position> newest_;  // by lock and permit
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_APP_RESOURCE_H_

// FencedResource: a server outside the cell that acts for whoever shows it a fencing token, and refuses a token that is older
// than the newest it has seen of a hold in conflict with that [Chubby §2.4, C-37]. It needs no session and no clock.
//
// Generations rise over all holds of a lock, whichever permit they have. So who shares must come after all that were seen;
// who has a permit, after those of the same permit and all who shared. Nobody of an earlier instance of the node is served, for
// its permits need not be those of today.
#ifndef BRAMAH_SIM_APP_RESOURCE_H_
#define BRAMAH_SIM_APP_RESOURCE_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/api/sequencer.h"
#include "core/base/ids.h"

namespace bramah::sim {

// What a lock holder sends to the resource. It may arrive long after the lock was lost, like any message.
struct ResourceRequest {
  std::string path;       // of the lock
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
    const std::optional<Sequencer> said = ParseSequencer(request.sequencer);
    if (!said) return false;
    Seen& seen = seen_[request.path];
    if (said->instance < seen.instance) return false;
    if (said->instance > seen.instance) seen = {said->instance, {}, {}, {}};
    Position& own = said->mode == v1::SHARED ? seen.shared : seen.permits[said->permit];
    const Position before = said->mode == v1::SHARED ? seen.newest : std::max(own, seen.shared);
    if (request.token < before) return false;
    own = request.token;
    seen.newest = std::max(seen.newest, request.token);
    return true;
  }

 private:
  // The newest tokens of a lock.
  struct Seen {
    Position instance;
    Position newest;
    Position shared;
    std::map<uint32_t, Position> permits;
  };
  std::map<std::string, Seen> seen_;  // by path
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_APP_RESOURCE_H_

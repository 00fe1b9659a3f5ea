// event.delivery: when everything has settled, what an application was told last of a node it watches is how the node is. Events
// may be merged, and found out late, but not be missing [Chubby §2.5, D-22].
#ifndef BRAMAH_SIM_CHECK_EVENT_DELIVERY_H_
#define BRAMAH_SIM_CHECK_EVENT_DELIVERY_H_

#include <map>
#include <optional>
#include <string>

#include "core/cell/cell.h"
#include "core/client/client.h"

namespace bramah::sim {

class EventDelivery {
 public:
  // Takes the state that all replicas have come to.
  explicit EventDelivery(const cell::Cell& cell);
  // What the client was not told, in words; nothing if it knows.
  std::optional<std::string> FindUntold(const client::ClientView& client) const;

 private:
  std::optional<std::string> FindUntold(const client::Watch& watch) const;

  std::map<Position, cell::NodeView> nodes_;  // by instance
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_EVENT_DELIVERY_H_

// event.order: what the library tells an application is told in order, once, and after it happened [Chubby §2.5].
//
//   contents, children, locks   the numbers of one handle rise, and none follows the news that its node is gone
//   master failed over          once per epoch of a session, with rising epochs
//   reads                       a call that begins after a change was told sees that change or a later one [INV-7]; needs rho
//
// That nothing is missing at the end is event.delivery, which the liveness phase looks after.
#ifndef BRAMAH_SIM_CHECK_EVENT_CHECKER_H_
#define BRAMAH_SIM_CHECK_EVENT_CHECKER_H_

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/types/span.h"
#include "core/api/event.h"
#include "core/wire/wire.pb.h"
#include "sim/check/by_client.h"
#include "sim/check/reporter.h"

namespace bramah::sim {

// What was told last: a content generation, positions.
struct ToldOfNode {
  uint64_t contents = 0;
  Position children;
  Position lock;
  bool gone = false;
};

class EventChecker {
 public:
  // `clocks_within_rho`: reads may be believed to be current.
  EventChecker(bool clocks_within_rho, Reporter* reporter) : reads_count_(clocks_within_rho), reporter_(reporter) {}

  void AfterStep(Time at, uint32_t client, absl::Span<const CoreEvent> events);
  void Called(uint32_t client, SessionId session, CallId call, const v1::Command& command);
  void Answered(Time at, uint32_t client, CallId call, const v1::Outcome& outcome);
  void Stopped(uint32_t client);

 private:
  using Key = std::tuple<uint32_t, SessionId, HandleId>;
  struct Asked {
    Key key;
    bool open = false;
    ToldOfNode told;  // by then, of the same node through any handle
  };

  void Told(Time at, const Key& key, const CoreEvent& event);
  void CheckRead(Time at, const Asked& asked, const v1::Outcome& outcome);

  bool reads_count_;
  Reporter* reporter_;
  absl::btree_map<Key, ToldOfNode> told_;
  absl::btree_map<Key, Position> instances_;  // of handles
  absl::btree_map<std::tuple<uint32_t, SessionId, Position>, ToldOfNode> by_node_;
  absl::btree_map<std::pair<uint32_t, SessionId>, Epoch> epochs_;
  ByClient<CallId, Asked> asked_;  // unanswered
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_EVENT_CHECKER_H_

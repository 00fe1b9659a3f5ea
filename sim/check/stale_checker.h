// read.stale: a read that any replica may answer shows the state after the entry that it names, and no client sees the state go
// back from one such read to the next, nor behind its own changes [A-20, INV-7].
//
//   replica  what it sends is what its own state says of that name, and the index is that of this state; that equal indexes mean
//            equal states is state.digest's affair
//   client   what it is answered is what some replica sent for that index
#ifndef BRAMAH_SIM_CHECK_STALE_CHECKER_H_
#define BRAMAH_SIM_CHECK_STALE_CHECKER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "core/api/effects.h"
#include "core/cell/cell.h"
#include "core/wire/wire.pb.h"
#include "sim/check/by_client.h"
#include "sim/check/reporter.h"

namespace bramah::sim {

class StaleChecker {
 public:
  explicit StaleChecker(Reporter* reporter) : reporter_(reporter) {}

  // A stale Request was given to a replica; AfterStep of that step follows.
  void Arrived(const v1::Request& request) { asked_ = request; }
  // `applied` and `cell` are of the replica after the step. Costs nothing unless a request arrived.
  void AfterStep(Time at, ReplicaId replica, LogIndex applied, const cell::Cell& cell, const Effects& effects);

  // A change of the client, executed by entry `index`, was confirmed to it.
  void Confirmed(uint32_t client, LogIndex index);
  void Called(uint32_t client, CallId call, const v1::Command& command);
  // Whether the call was one of these.
  bool Answered(Time at, uint32_t client, CallId call, const v1::Outcome& outcome);
  void Stopped(uint32_t client);

 private:
  using Question = std::tuple<uint64_t, v1::CommandKind, std::string>;  // index, kind and name
  void Judge(Time at, ReplicaId replica, LogIndex applied, const cell::Cell& cell, const Effects& effects,
             const v1::Reply& reply);

  Reporter* reporter_;
  std::optional<v1::Request> asked_;
  absl::btree_set<std::pair<Question, std::string>> sent_;  // with the answers
  ByClient<CallId, v1::Command> called_;  // unanswered
  absl::btree_map<uint32_t, uint64_t> seen_;  // by client: highest index
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_STALE_CHECKER_H_

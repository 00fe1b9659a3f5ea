// handle.instance: a handle is about the one node that it was opened on, for the one session that opened it [INV-18, C-20, C-23].
//
//   replicated state  a call takes effect only through a handle that its session has opened and not closed, and on a node that
//                     nobody has deleted; no Open gives an instance that was deleted before
//   application       a handle id is given out once; what a call on it is answered names the instance that Open named; and it is
//                     not answered OK after the handle was closed, in another session, or after somebody heard that the node is
//                     deleted; nor is an Open answered with such a node
//
// Each part keeps its own account of what is bound to what.
#ifndef BRAMAH_SIM_CHECK_HANDLE_CHECKER_H_
#define BRAMAH_SIM_CHECK_HANDLE_CHECKER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/api/event.h"
#include "core/cell/cell.h"
#include "core/wire/wire.pb.h"
#include "sim/check/by_client.h"
#include "sim/check/reporter.h"

namespace bramah::sim {

// What took effect.
class HandleStateChecker {
 public:
  explicit HandleStateChecker(Reporter* reporter) : reporter_(reporter) {}

  // At the first application of an index; only collects.
  void Applied(const CoreEvent& applied);
  // After the step that applied.
  void AfterStep(Time at, const cell::Cell& cell);

 private:
  using Key = std::pair<SessionId, HandleId>;
  struct Opened {
    Position instance;  // none: it was gone before it could be looked at
    bool closed = false;
  };
  void Judge(Time at, const CoreEvent& applied);
  void Bind(Time at, const CoreEvent& open, const cell::Cell& cell);

  Reporter* reporter_;
  std::vector<CoreEvent> effects_;  // on handles, of this step
  absl::btree_map<Key, Opened> opened_;
  absl::btree_map<Position, LogIndex> deleted_;  // instances, and the entries that deleted them
};

// What was answered.
class HandleChecker {
 public:
  // `reads_count`: clocks are within rho, so reads may be believed to be current.
  HandleChecker(bool reads_count, Reporter* reporter) : reads_count_(reads_count), reporter_(reporter) {}

  // `session`: of the client when it was called.
  void Called(uint32_t client, SessionId session, CallId call, const v1::Command& command);
  void Answered(Time at, uint32_t client, CallId call, const v1::Outcome& outcome);
  void Stopped(uint32_t client);

 private:
  struct Bound {
    SessionId session;
    uint64_t instance = 0;
    bool closed = false;
  };
  struct Asked {
    v1::CommandKind kind = v1::NONE;
    SessionId session;
    HandleId handle;
    std::string doubt;  // why it cannot be answered OK; empty: it can
    uint64_t removals = 0;  // that were known when it was called
  };
  void Open(Time at, uint32_t client, const Asked& asked, const v1::Outcome& outcome);
  void Report(Time at, uint32_t client, const Asked& asked, const v1::Outcome& outcome, const std::string& what);

  bool reads_count_;
  Reporter* reporter_;
  ByClient<HandleId, Bound> bound_;  // all handles that there ever were
  ByClient<CallId, Asked> asked_;    // unanswered
  absl::btree_map<uint64_t, uint64_t> removed_;  // instances, as somebody was told, and how many came before
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_HANDLE_CHECKER_H_

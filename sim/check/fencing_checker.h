// sequencer.fencing: sequencers say the truth about locks, and keep what is late from doing harm [INV-3, C-32, C-37].
//
//   the resource     acts on nothing that was sent under an earlier period of being held after it acted on something of a later
//                    one of the same name, and never refuses whoever holds the lock at present
//   GetSequencer     describes a period in which the handle that asked did hold; it is not refused to who holds all the while and
//                    has not released the lock (which the library may keep [C-49])
//   CheckSequencer   says valid only if the lock was held so at some instant between question and answer, invalid only if it was
//                    not at some such instant, and forged never; a mode that is demanded counts
//   SetSequencer     a call on a tied handle succeeds, or is refused for the sequencer's sake, by the same two rules
//
// Periods are known from the replicated state, as of its first application anywhere, and are told apart by the order in which
// they were seen, not by their generations, which are under test. What began and ended within one step is not seen, hence not
// judged.
#ifndef BRAMAH_SIM_CHECK_FENCING_CHECKER_H_
#define BRAMAH_SIM_CHECK_FENCING_CHECKER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "core/api/sequencer.h"
#include "core/cell/view.h"
#include "core/wire/wire.pb.h"
#include "sim/app/resource.h"
#include "sim/check/by_client.h"
#include "sim/check/reporter.h"

namespace bramah::sim {

// A lock was held from about `from` until about `until`.
struct FencedPeriod {
  uint64_t ordinal = 0;  // in the order in which periods were first seen
  std::string path;
  v1::LockMode mode = v1::FREE;
  Time from = 0;
  Time until = kNever;  // kNever: it still is
};

class FencingChecker {
 public:
  // `clocks_within_rho`: reads may be believed to be current.
  FencingChecker(bool clocks_within_rho, Reporter* reporter) : reads_count_(clocks_within_rho), reporter_(reporter) {}

  // The locks that are held after the step at `at`.
  void Look(Time at, const std::vector<cell::LockView>& locks);
  void Called(Time at, uint32_t client, SessionId session, CallId call, const v1::Command& command);
  void Answered(Time at, uint32_t client, CallId call, const v1::Outcome& outcome);
  void Stopped(uint32_t client);
  // The resource judged a request.
  void Requested(Time at, const ResourceRequest& request, bool accepted);

 private:
  using PeriodKey = std::tuple<Position, Position, uint32_t>;   // instance, generation, permit
  using HoldKey = std::tuple<SessionId, HandleId, RequestSeq>;  // the seq is the Acquire's
  struct Asked {
    Time at = 0;
    SessionId session;
    v1::CommandKind kind = v1::NONE;
    HandleId handle;
    v1::LockMode mode = v1::FREE;
    std::string sequencer;  // that the call is about, or guarded by
  };

  // When a handle held last, as far as seen.
  struct Holding {
    PeriodKey period;
    Time from = 0;
    Time until = kNever;
  };

  // Holders of one kind, of which no two hold side by side unless they share, and the latest period that the resource acted for.
  struct Acted {
    Position instance;
    v1::LockMode mode = v1::FREE;
    uint32_t permit = 0;
    uint64_t latest = 0;
  };
  // Whether holders of the two kinds never hold side by side.
  static bool InConflict(const Acted& a, const Acted& b);

  const FencedPeriod* Find(const Sequencer& sequencer) const;
  void LookAtHolders(Time at, const std::vector<cell::LockView>& locks);
  void CheckToken(Time at, uint32_t client, const Asked& asked, const v1::Outcome& outcome);
  void CheckVerdict(Time at, const Asked& asked, v1::Code code);

  bool reads_count_;
  Reporter* reporter_;
  uint64_t periods_seen_ = 0;
  absl::btree_map<PeriodKey, FencedPeriod> periods_;
  absl::btree_set<PeriodKey> held_;                                          // at present
  absl::btree_map<std::pair<SessionId, HandleId>, std::pair<PeriodKey, RequestSeq>> present_;  // holders, and in which period
  absl::btree_map<HoldKey, PeriodKey> holds_;                                // that were ever seen
  absl::btree_set<std::tuple<PeriodKey, SessionId, HandleId>> holders_;      // of periods
  absl::btree_map<std::pair<SessionId, HandleId>, Holding> holding_;
  absl::btree_set<std::tuple<uint32_t, SessionId, HandleId>> released_;  // whose latest call on the lock was a Release
  ByClient<CallId, Asked> asked_;                                            // unanswered
  absl::btree_map<std::tuple<uint32_t, SessionId, HandleId>, std::string> tied_;  // handles, to sequencers
  absl::btree_map<std::string, std::vector<Acted>> acted_;                   // by path
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_FENCING_CHECKER_H_

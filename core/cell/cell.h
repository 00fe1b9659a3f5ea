// Cell: the replicated state of a lock service cell - nodes, handles, locks, sessions, exactly-once results - as a deterministic
// state machine. Apply is the only way to change it; equal command sequences give equal states and digests on every machine.
//
// It knows neither Raft nor time: expiry arrives as a command. Invariants are listed in core/cell/invariants.h.
#ifndef BRAMAH_CORE_CELL_CELL_H_
#define BRAMAH_CORE_CELL_CELL_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/base/probe.h"
#include "core/base/time.h"
#include "core/wire/wire.pb.h"

namespace bramah::cell {

// Quotas; each has its own refusal (LIMIT_REACHED) and test. Equal on all replicas, or digests differ.
struct Limits {
  uint32_t sessions_max = 100'000;
  uint32_t handles_per_session_max = 10'000;
  uint32_t children_max = 100'000;
  uint32_t results_per_session_max = 1'024;  // commands in flight: seq < first_outstanding + this
};

// A queued Acquire that was decided by somebody else's command.
struct Decision {
  enum Kind : uint8_t { kGranted, kHandleInvalid };
  Kind kind = kGranted;
  SessionId session;
  HandleId handle;
  RequestSeq seq;       // of the Acquire
  Position generation;  // kGranted
};

struct Applied {
  v1::Outcome outcome;
  // The command changed more than the exactly-once table. False for refusals and for duplicates.
  bool effect = false;
  bool duplicate = false;  // answered from the exactly-once table
  std::vector<Decision> decisions;
  SessionId ended;         // the session that this command ended
  void Clear();            // keeps capacity
};

class Cell {
 public:
  Cell(const Limits* limits, uint32_t incarnation);

  // Applies the command of log entry `index`. Total: any command in any state gives an outcome. `applied` is cleared first.
  // Session commands of an unknown session answer SESSION_EXPIRED and have no effect.
  void Apply(LogIndex index, const v1::Command& command, Applied& applied, Probes& probes);
  // GET_CONTENTS, GET_STAT, READ_DIR against the present state; never changes it.
  void Read(const v1::Command& command, v1::Outcome& outcome) const;

  // ---- what the master needs to know
  bool HasSession(SessionId session) const;
  // In rising order.
  std::vector<SessionId> Sessions() const;
  size_t session_count() const;
  size_t node_count() const;  // without the root

  // ---- digest: kept incrementally; DigestSlow recomputes it from scratch and must agree.
  uint64_t digest() const;
  uint64_t DigestSlow() const;

  // ---- snapshots: a deterministic encoding of everything, checksummed by the caller. Load replaces this state; false (state
  // unspecified, must be discarded) if `bytes` is not what Save of this version produces.
  void Save(std::string* bytes) const;
  bool Load(std::string_view bytes);

 private:
};

}  // namespace bramah::cell

#endif  // BRAMAH_CORE_CELL_CELL_H_

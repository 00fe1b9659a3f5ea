// CoreEvent: what a node says about itself to checkers, traces and drivers. Events decide nothing.
#ifndef BRAMAH_CORE_API_EVENT_H_
#define BRAMAH_CORE_API_EVENT_H_

#include <cstdint>
#include <string_view>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/wire/wire.pb.h"

namespace bramah {

struct CoreEvent {
  enum Kind : uint8_t {
    // ---- server
    kRecovered,          // term, index = last log index; the replica takes part from now on
    kTermChanged,        // term
    kVoteGranted,        // term, replica = candidate
    kBecameCandidate,    // term
    kBecameLeader,       // term
    kSteppedDown,        // term
    kEntryAppended,      // term, index: the leader took a proposal into its log
    kCommitAdvanced,     // index
    kApplied,            // index, term, command, session, seq, code, effect, time = cluster time
    kPartApplied,        // index, term, command, session, handle: a change that a Batch made; after its kApplied
    kAuthority,          // time = local instant until which the leader may act [L1]; 0 when dropped
    kMasterRecovering,   // epoch: it has taken over all sessions, and answers their KeepAlives only
    kMasterServing,      // epoch
    kSnapshotTaken,      // index
    kSnapshotInstalled,  // index
    kSessionLease,       // session, time = local instant until which the master keeps the session
    kSessionClosing,     // session, reason
    kWriteHeld,          // session, seq, command: before it is proposed, somebody has to drop what it changes from a cache
    kLeaseMaxProposed,   // time = Lmax [L3] as the master wants it to be
    // ---- client
    kSessionOpened,      // session, epoch
    kSessionActive,      // session, time = local lease end; whenever the lease moves
    kSessionJeopardy,    // session
    kSessionSafe,        // session, time = local lease end
    kSessionEnded,       // session, reason
    kLockHeld,           // session, handle, generation, mode: the client believes from now on
    kLockDropped,        // session, handle, generation: it believes no more
    kMasterFound,        // replica, epoch
    kCacheHit,           // session, handle, command: answered without asking the master
    kCacheFlushed,       // session: everything was dropped
    // ---- client: what an application asked to be told, or must know [Chubby §2.5]
    kMasterFailedOver,   // session, epoch: another master; the library looks at all that is watched, lock events may be lost
    kEventsLost,         // session: the same, because there were too many
    kContentsModified,   // session, handle, content_generation
    kChildrenChanged,    // session, handle, generation = position of the change
    kHandleInvalid,      // session, handle: its node is gone
    kLockAcquired,       // session, handle, generation: by somebody else
    kLockRequested,      // session, handle: by somebody else, while the handle holds
    // ---- both
    kClockDoubted,       // nothing that rests on time is promised or believed any more
    kClockTrusted,       // the clock has kept its pace for a while
  };
  static constexpr Kind kLast = kClockTrusted;
  Kind kind = kRecovered;
  bool effect = false;  // kApplied: this entry changed the state (false: answered from the exactly-once table, or refused)
  v1::CommandKind command = v1::NONE;
  v1::Code code = v1::OK;
  v1::LockMode mode = v1::FREE;
  uint32_t reason = 0;  // v1::SessionEnd
  ReplicaId replica;
  Term term;
  LogIndex index;
  Epoch epoch;
  SessionId session;
  RequestSeq seq;
  HandleId handle;
  Position generation;
  uint64_t content_generation = 0;
  Time time = 0;
};

// "BecameLeader"
std::string_view EventName(CoreEvent::Kind kind);

}  // namespace bramah

#endif  // BRAMAH_CORE_API_EVENT_H_

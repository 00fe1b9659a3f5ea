// Probes: marks that say "this rare thing happened". A suite that stops reaching one has silently become weaker, so the
// simulator reports which were reached and the tests name those that must be.
//
//   SOMETIMES(probes, kVoteRefusedByStickiness, now < no_vote_before);
#ifndef BRAMAH_CORE_BASE_PROBE_H_
#define BRAMAH_CORE_BASE_PROBE_H_

#include <array>
#include <cstdint>
#include <string_view>

namespace bramah {

// name, what it means
#define BRAMAH_PROBES(X)                                                                     \
  X(kElectionWon, "a candidate became leader")                                               \
  X(kPreVoteRefused, "a pre-vote was refused")                                               \
  X(kVoteRefusedByPromise, "a vote was refused because a leader was heard recently")         \
  X(kVoteRefusedByLog, "a vote was refused because the candidate's log was behind")          \
  X(kLeaderLostQuorum, "a leader stepped down without a majority round")                     \
  X(kLeaderSawHigherTerm, "a leader stepped down because of a higher term")                  \
  X(kAppendConflict, "a follower replaced a conflicting suffix")                             \
  X(kAppendRejected, "a follower refused an append that did not match")                      \
  X(kAppendBelowSnapshot, "an append overlapped the follower's snapshot")                    \
  X(kOldTermEntryHeldBack, "a majority stored an old-term entry, and it was not counted")    \
  X(kLeaderCommitsBeforeOwnSync, "a leader committed an entry it had not synced itself")     \
  X(kSnapshotTaken, "a replica took a snapshot")                                             \
  X(kSnapshotSent, "a leader sent a snapshot")                                               \
  X(kSnapshotInstalled, "a follower installed a snapshot")                                   \
  X(kSnapshotRestarted, "a snapshot transfer started over")                                  \
  X(kReadConfirmedByRound, "a read was confirmed by a majority round")                       \
  X(kReadRefusedNoAuthority, "a read waited or failed because authority had lapsed")         \
  X(kRecoveredTornTail, "recovery dropped a torn tail")                                      \
  X(kRecoveredUnsyncedTail, "recovery rewrote a tail that was not known durable")            \
  X(kRecoveredOneVoteSlot, "recovery found only one good vote slot")                         \
  X(kSegmentRolled, "the log continued in a new segment")                                    \
  X(kWriteRetriedNoSpace, "a write without space was tried again")                           \
  X(kSessionExpired, "a session expired")                                                    \
  X(kSessionClosingSeen, "a client was told that its session is closing")                    \
  X(kSessionTakenOver, "a session was ended by a later life of its client")                  \
  X(kDuplicateAnswered, "a repeated request was answered from the table")                    \
  X(kStaleStreamDropped, "a message of an older stream was dropped")                         \
  X(kOldEpochRefused, "a request of an older epoch was refused")                             \
  X(kLockQueued, "an Acquire had to wait")                                                   \
  X(kLockGrantedLater, "a waiting Acquire was granted")                                      \
  X(kLockRevokedByExpiry, "a lock was freed by a session's end")                             \
  X(kLockDelayed, "a lock stayed closed after its holder was lost")                          \
  X(kLockDelayEnded, "a lock-delay ended and somebody had waited for that")                  \
  X(kHolderPoisoned, "a handle that held a lock was poisoned")                               \
  X(kGuardRefused, "a call was refused because its sequencer was no longer valid")           \
  X(kFencedOff, "a resource refused the token of a former holder")                           \
  X(kEventsMerged, "an event took the place of one that was not sent yet")                   \
  X(kEventsLost, "a session was told that it missed events")                                 \
  X(kChangeFoundByLooking, "a client found a change that no event told it of")               \
  X(kPermissionDenied, "an Open was refused because of an ACL")                              \
  X(kWriteHeld, "a write waited until caches were flushed")                                 \
  X(kWriteOutlastedCacher, "a write went on because the lease of who had not answered ended")  \
  X(kRecheck, "an entry would have changed more than its proposer had made uncachable")      \
  X(kCacheHit, "a client answered a read from its cache")                                    \
  X(kHoldLostInLapse, "a client found after a lapse and a fail-over that the node of its lock is gone") \
  X(kAbsenceHit, "a client knew from its cache that there is no such node")                  \
  X(kLockKept, "a client kept a lock that the application had released")                     \
  X(kKeptLockTaken, "a client granted a lock that it had kept")                              \
  X(kCacheInvalidated, "a client dropped a cached answer because it was told to")            \
  X(kOvertakenReply, "an answer was not kept because an invalidation had overtaken it")      \
  X(kFailOverBarrier, "a new master waited until caches were flushed")                       \
  X(kLeaseMaxRaised, "the longest lease grew")                                               \
  X(kBatchDone, "a Batch changed several nodes")                                             \
  X(kLeaseMaxLowered, "the longest lease shrank")                                            \
  X(kHeldNodeDeleted, "a node was deleted whose lock another handle held")                   \
  X(kEphemeralRemoved, "an ephemeral node went with its last reference")                     \
  X(kHandlesExhausted, "an Open was refused because its session had as many handles as it may") \
  X(kClientJeopardy, "a client entered jeopardy")                                            \
  X(kClientSafe, "a client came back from jeopardy")                                         \
  X(kClientExpired, "a client's session expired")                                            \
  X(kClientResent, "a client sent a request again")                                          \
  X(kClientRedirected, "a client followed a hint to the master")                             \
  X(kClockDoubted, "a node was told that its clock runs at a wrong rate")                    \
  X(kMalformedMessage, "a malformed or impossible message was dropped")

enum class ProbeId : uint8_t {
#define BRAMAH_PROBE_ID(name, text) name,
  BRAMAH_PROBES(BRAMAH_PROBE_ID)
#undef BRAMAH_PROBE_ID
      kCount
};

inline constexpr size_t kProbeCount = static_cast<size_t>(ProbeId::kCount);
static_assert(kProbeCount <= 64, "Probes is one word");

// The stable name ("kVoteRefusedByLog") and meaning of a probe.
std::string_view ProbeName(ProbeId id);
std::string_view ProbeMeaning(ProbeId id);

// A set of reached probes.
class Probes {
 public:
  void Reach(ProbeId id) { bits_ |= uint64_t{1} << static_cast<int>(id); }
  bool Reached(ProbeId id) const { return (bits_ >> static_cast<int>(id)) & 1; }
  void Merge(Probes other) { bits_ |= other.bits_; }
  uint64_t bits() const { return bits_; }
  static Probes FromBits(uint64_t bits) {
    Probes probes;
    probes.bits_ = bits;
    return probes;
  }

 private:
  uint64_t bits_ = 0;
};

}  // namespace bramah

// Marks that `condition` was true at least once. `probes` is a Probes&.
#define SOMETIMES(probes, name, condition)                      \
  do {                                                          \
    if (condition) (probes).Reach(::bramah::ProbeId::name);     \
  } while (false)

#endif  // BRAMAH_CORE_BASE_PROBE_H_

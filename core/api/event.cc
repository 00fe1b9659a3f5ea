#include "core/api/event.h"

namespace bramah {

std::string_view EventName(CoreEvent::Kind kind) {
  switch (kind) {
    case CoreEvent::kRecovered:
      return "Recovered";
    case CoreEvent::kTermChanged:
      return "TermChanged";
    case CoreEvent::kVoteGranted:
      return "VoteGranted";
    case CoreEvent::kBecameCandidate:
      return "BecameCandidate";
    case CoreEvent::kBecameLeader:
      return "BecameLeader";
    case CoreEvent::kSteppedDown:
      return "SteppedDown";
    case CoreEvent::kEntryAppended:
      return "EntryAppended";
    case CoreEvent::kCommitAdvanced:
      return "CommitAdvanced";
    case CoreEvent::kApplied:
      return "Applied";
    case CoreEvent::kPartApplied:
      return "PartApplied";
    case CoreEvent::kAuthority:
      return "Authority";
    case CoreEvent::kMasterRecovering:
      return "MasterRecovering";
    case CoreEvent::kMasterServing:
      return "MasterServing";
    case CoreEvent::kSnapshotTaken:
      return "SnapshotTaken";
    case CoreEvent::kSnapshotInstalled:
      return "SnapshotInstalled";
    case CoreEvent::kSessionLease:
      return "SessionLease";
    case CoreEvent::kSessionClosing:
      return "SessionClosing";
    case CoreEvent::kWriteHeld:
      return "WriteHeld";
    case CoreEvent::kLeaseMaxProposed:
      return "LeaseMaxProposed";
    case CoreEvent::kSessionOpened:
      return "SessionOpened";
    case CoreEvent::kSessionActive:
      return "SessionActive";
    case CoreEvent::kSessionJeopardy:
      return "SessionJeopardy";
    case CoreEvent::kSessionSafe:
      return "SessionSafe";
    case CoreEvent::kSessionEnded:
      return "SessionEnded";
    case CoreEvent::kLockHeld:
      return "LockHeld";
    case CoreEvent::kLockDropped:
      return "LockDropped";
    case CoreEvent::kMasterFound:
      return "MasterFound";
    case CoreEvent::kCacheHit:
      return "CacheHit";
    case CoreEvent::kCacheFlushed:
      return "CacheFlushed";
    case CoreEvent::kMasterFailedOver:
      return "MasterFailedOver";
    case CoreEvent::kEventsLost:
      return "EventsLost";
    case CoreEvent::kContentsModified:
      return "ContentsModified";
    case CoreEvent::kChildrenChanged:
      return "ChildrenChanged";
    case CoreEvent::kHandleInvalid:
      return "HandleInvalid";
    case CoreEvent::kLockAcquired:
      return "LockAcquired";
    case CoreEvent::kLockRequested:
      return "LockRequested";
    case CoreEvent::kClockDoubted:
      return "ClockDoubted";
    case CoreEvent::kClockTrusted:
      return "ClockTrusted";
  }
  return "unknown";
}

}  // namespace bramah

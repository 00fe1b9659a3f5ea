// Puts scanned segments together into one log, or says why that is impossible.
#ifndef BRAMAH_CORE_STORAGE_LOG_CHAIN_H_
#define BRAMAH_CORE_STORAGE_LOG_CHAIN_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "core/base/ids.h"
#include "core/raft/types.h"
#include "core/storage/format.h"
#include "core/storage/segment_scan.h"

namespace bramah::storage {

struct LogChain {
  std::string damage;                          // one line; if not empty, nothing else counts
  std::vector<const SegmentScan*> segments;    // oldest first, the last one ends the log
  LogIndex base;                               // the log starts behind this index ...
  Term base_term;
  LogIndex last;                               // ... and ends with this one
  Term last_term;
  std::vector<raft::Entry> entries;            // max(base, floor) + 1 .. last
  Term floor_term;                             // of entry `floor`; none if the log does not reach or has passed it
  Position mark;                               // highest synced_through anywhere
  Position end() const { return {segments.back()->seq, segments.back()->end}; }
};

// `scans` in the order of their sequence numbers. Entries up to `floor` (the snapshot's index) are checked but not kept.
//
// The log starts in the newest segment whose predecessor does not exist: older ones were superseded or are leftovers of a removal
// that a crash reordered [ST-16]. It follows roll records. It may end only behind the highest mark [ST-05].
LogChain FollowLog(absl::Span<const SegmentScan> scans, LogIndex floor);

}  // namespace bramah::storage

#endif  // BRAMAH_CORE_STORAGE_LOG_CHAIN_H_

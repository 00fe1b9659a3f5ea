// Puts scanned segments together into one log, or says why that is impossible.
#ifndef BRAMAH_CORE_STORAGE_LOG_CHAIN_H_
#define BRAMAH_CORE_STORAGE_LOG_CHAIN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "core/base/ids.h"
#include "core/raft/types.h"
#include "core/storage/format.h"
#include "core/storage/segment_scan.h"

namespace bramah::storage {

// The log at one place.
struct LogPoint {
  Position place;
  uint32_t crc = 0;  // of the record before
  LogIndex last;     // last index of the log up to here, and its term
  Term last_term;
};

struct LogChain {
  std::string damage;                        // one line; if not empty, nothing else counts
  std::vector<const SegmentScan*> segments;  // oldest first, the last one ends the log
  LogPoint start;                            // behind the header of the oldest segment
  LogPoint end;
  std::vector<raft::Entry> entries;          // max(start.last, floor) + 1 .. end.last
  Term floor_term;                           // of entry `floor`; none if the log does not hold it or starts behind it
  // The highest place that a mark calls durable, and what was logged behind it; none if no mark lies within `segments`.
  std::optional<LogPoint> marked;
  LogIndex tail_first;
  std::vector<raft::Entry> tail;             // what lies behind `marked`, or everything
};

// `scans` in the order of their sequence numbers. Entries up to `floor` (the snapshot's index) are checked but not kept.
//
// The log starts in the newest segment whose predecessor does not exist: older ones were superseded, or are leftovers of a
// removal that a crash reordered; of its successors those that begin at or below floor + 1 take its place [ST-16]. It goes on in
// the newest segment whose header names a place in the one before. It may not end before the highest mark [ST-05], nor in a roll
// record whose successor is missing [ST-07].
LogChain FollowLog(absl::Span<const SegmentScan> scans, LogIndex floor);

}  // namespace bramah::storage

#endif  // BRAMAH_CORE_STORAGE_LOG_CHAIN_H_

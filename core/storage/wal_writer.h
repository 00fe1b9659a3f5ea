// The writing end of the log: buffers entries, lays them out in batches and segments, and knows which of them are durable.
//
// One batch at a time: AppendWrite builds it, Completed says that all its syncs are done. What is buffered meanwhile goes into
// the next one (group commit). A batch lies in one segment; if it does not fit into the current one it goes to the spare:
//
//   write the batch, sync; write the header, sync; write the roll record to the segment before, sync
//
// A header makes a segment part of the log, so it is written when what belongs to it is durable; and a roll record always has a
// durable successor [ST-07].
#ifndef BRAMAH_CORE_STORAGE_WAL_WRITER_H_
#define BRAMAH_CORE_STORAGE_WAL_WRITER_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "core/api/files.h"
#include "core/base/ids.h"
#include "core/raft/types.h"
#include "core/storage/format.h"
#include "core/storage/log_chain.h"

namespace bramah::storage {

// A segment that holds part of the log.
struct LiveSegment {
  uint64_t seq = 0;
  uint64_t size = 0;   // bytes allocated
  LogIndex max_index;  // highest index of a record in it, superseded ones included
};

// A segment that is created, filled with zeros and synced, as is its directory entry, and waits to be used.
struct Spare {
  uint64_t seq = 0;
  uint64_t size = 0;
};

class WalWriter {
 public:
  WalWriter() = default;
  // The log is durable up to `end` and continues there, in the last of `segments`, which are in order.
  WalWriter(const Owner& owner, std::vector<LiveSegment> segments, const LogPoint& end);
  // There is no log yet: it starts behind `base`.
  WalWriter(const Owner& owner, LogIndex base, Term base_term);

  // ---- buffering
  // REQUIRES: 1 <= first <= last() + 1.
  void Append(LogIndex first, absl::Span<const raft::Entry> entries);
  // The next batch may be nothing but a durability mark [ST-05].
  void RequestMark() { mark_requested_ = true; }
  // The next batch begins a new segment even if the current one has room.
  void RequestRoll() { roll_requested_ = true; }
  // The next batch starts the log anew behind `base`, in a segment that supersedes all others. REQUIRES: !pending(), no batch in
  // flight.
  void StartOver(LogIndex base, Term base_term);

  // ---- batches
  bool pending() const { return !buffer_.empty() || mark_requested_ || roll_requested_ || starts_over_; }
  // Size of the spare that the next batch needs; 0 if it fits into the current segment.
  uint64_t SpareNeeded() const;
  // Builds the batch of everything buffered. REQUIRES: pending(), no batch in flight, and a `spare` of the needed size, which is
  // taken if it was needed.
  void AppendWrite(std::optional<Spare>* spare, std::vector<FileOp>* ops);
  // The batch is durable.
  void Completed();

  // ---- state
  // Last index, buffered entries included.
  LogIndex last() const;
  // The log up to here is durable and not about to be superseded.
  LogIndex durable() const { return durable_index_; }
  // Whether an entry with index <= upto waits in the buffer, or in the batch in flight.
  bool BufferedUpTo(LogIndex upto) const { return !buffer_.empty() && buffer_first_ <= upto; }
  bool InFlightUpTo(LogIndex upto) const { return in_flight_first_ && in_flight_first_ <= upto; }
  // Entries are durable that no mark on disk says so of, and nothing is under way that will.
  bool NeedsMark() const;
  const std::vector<LiveSegment>& segments() const { return segments_; }
  // Forgets and returns the segments wholly at or below `upto` that the durable log does not need.
  std::vector<uint64_t> TakeCovered(LogIndex upto);

 private:
  uint64_t BatchBytes() const;
  bool HasBatch() const { return !buffer_.empty() || mark_requested_; }
  void AppendBatch(std::vector<FileOp>* ops);
  void AppendSegment(const Spare& spare, std::vector<FileOp>* ops);
  void StoreBatch(char* to, uint64_t offset);
  uint32_t Salt();

  Owner owner_;
  std::vector<LiveSegment> segments_;
  uint64_t salt_segment_ = 0;  // whose salt is at hand; 0: none
  uint32_t salt_ = 0;
  LogPoint end_;           // of what was built so far, the batch in flight included
  Position marked_;        // highest synced_through written
  Position data_end_;      // behind the newest batch that holds entries
  Position durable_;       // everything before is durable
  LogIndex durable_index_;
  LogIndex in_flight_first_;

  LogIndex buffer_first_;
  std::vector<raft::Entry> buffer_;
  bool mark_requested_ = false;
  bool roll_requested_ = false;
  bool starts_over_ = false;  // the next batch does not continue segments_
};

}  // namespace bramah::storage

#endif  // BRAMAH_CORE_STORAGE_WAL_WRITER_H_

// The writing end of the log: buffers entries, lays them out in batches and segments, and knows which of them are durable.
//
// One batch at a time: AppendWrite builds it, Completed says that all its syncs are done. What is buffered meanwhile goes into the
// next one (group commit). A batch lies in one segment; if it does not fit into the current one the log rolls to the spare:
//
//   write header and batch to the spare, sync; write the roll record to the current segment, sync
//
// so a roll record always has a durable successor [ST-07].
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

namespace bramah::storage {

// A segment that holds part of the log.
struct LiveSegment {
  uint64_t seq = 0;
  uint64_t size = 0;    // bytes allocated
  LogIndex max_index;   // highest index of a record in it, superseded ones included
};

// A segment that is created, filled with zeros and synced, as is its directory entry, and waits to be used.
struct Spare {
  uint64_t seq = 0;
  uint64_t size = 0;
};

// Where the log ends and goes on: everything in it is durable.
struct WalTail {
  std::vector<LiveSegment> segments;  // oldest first; never empty; the last one is being written
  uint64_t end = 0;                   // where its next record goes
  uint32_t crc = 0;                   // of the record before
  LogIndex last;                      // last index of the log
  Term last_term;
  Position mark;                      // highest synced_through on disk
  bool unmarked = false;              // there are entries at or behind `mark`
};

class WalWriter {
 public:
  WalWriter() = default;
  WalWriter(const Owner& owner, WalTail tail);

  // ---- buffering
  // REQUIRES: 1 <= first <= last() + 1; not between StartOver and its Completed.
  void Append(LogIndex first, absl::Span<const raft::Entry> entries);
  // The next batch holds nothing but a durability mark [ST-05].
  void RequestMark() { mark_requested_ = true; }
  // The next batch starts the log anew behind `base`, in a segment that supersedes all others. REQUIRES: !pending().
  void StartOver(LogIndex base, Term base_term);

  // ---- batches
  bool pending() const { return !buffer_.empty() || mark_requested_ || start_over_.has_value(); }
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
  // Forgets and returns the segments wholly at or below `upto` that the durable log does not need.
  std::vector<uint64_t> TakeCovered(LogIndex upto);

 private:
  struct Base {
    LogIndex index;
    Term term;
  };
  uint64_t BatchBytes() const;
  Blob BatchIn(uint64_t seq, uint64_t header_bytes, const SegmentHeader* header);
  void StoreBatch(char* to, uint64_t offset, uint32_t salt);
  void WriteInCurrent(std::vector<FileOp>* ops);
  void WriteInSpare(const Spare& spare, std::vector<FileOp>* ops);
  void WriteBase(const Spare& spare, std::vector<FileOp>* ops);
  SegmentHeader HeaderOf(const Spare& spare) const;
  Position EndPosition() const { return {segments_.back().seq, end_}; }

  Owner owner_;
  std::vector<LiveSegment> segments_;
  uint64_t end_ = 0;
  uint32_t crc_ = 0;
  LogIndex written_last_;  // the log as it is once the batch in flight is done
  Term written_term_;
  Position marked_;        // highest synced_through written
  Position data_end_;      // behind the newest batch that holds entries
  Position durable_;       // everything before is durable
  LogIndex durable_index_;
  LogIndex in_flight_first_;

  LogIndex buffer_first_;
  std::vector<raft::Entry> buffer_;
  bool mark_requested_ = false;
  std::optional<Base> start_over_;
};

}  // namespace bramah::storage

#endif  // BRAMAH_CORE_STORAGE_WAL_WRITER_H_

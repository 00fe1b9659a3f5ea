#include "core/storage/wal_writer.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/storage/file_ops.h"

namespace bramah::storage {

WalWriter::WalWriter(const Owner& owner, std::vector<LiveSegment> segments, const LogPoint& end)
    : owner_(owner),
      segments_(std::move(segments)),
      end_(end),
      marked_(end.place),
      data_end_(end.place),
      durable_(end.place),
      durable_index_(end.last) {}

WalWriter::WalWriter(const Owner& owner, LogIndex base, Term base_term) : owner_(owner), durable_index_(base) {
  StartOver(base, base_term);
}

void WalWriter::Append(LogIndex first, absl::Span<const raft::Entry> entries) {
  BRAMAH_CHECK(first && first <= last().Next());
  if (entries.empty()) return;
  if (buffer_.empty() || first < buffer_first_) {
    buffer_.clear();
    buffer_first_ = first;
  }
  buffer_.resize(first - buffer_first_);
  buffer_.insert(buffer_.end(), entries.begin(), entries.end());
  durable_index_ = std::min(durable_index_, first.Prev());
}

void WalWriter::StartOver(LogIndex base, Term base_term) {
  BRAMAH_CHECK(!pending() && !in_flight_first_);
  starts_over_ = true;
  end_ = {{}, 0, base, base_term};
}

LogIndex WalWriter::last() const { return buffer_.empty() ? end_.last : buffer_first_ + buffer_.size() - 1; }

uint64_t WalWriter::BatchBytes() const {
  if (!HasBatch()) return 0;
  uint64_t bytes = kBatchRecordBytes;
  for (const raft::Entry& entry : buffer_) bytes += EntryRecordBytes(entry.bytes().size());
  return bytes;
}

// Room for the roll record always remains.
uint64_t WalWriter::SpareNeeded() const {
  const uint64_t bytes = BatchBytes();
  const bool must_roll = starts_over_ || roll_requested_;
  if (!must_roll && NextSector(NextSector(end_.place.offset) + bytes) + kRollRecordBytes <= segments_.back().size) return 0;
  return NextSector(kSectorBytes + bytes) + kRollRecordBytes;
}

void WalWriter::AppendWrite(std::optional<Spare>* spare, std::vector<FileOp>* ops) {
  BRAMAH_CHECK(pending() && !in_flight_first_);
  const uint64_t needed = SpareNeeded();
  if (needed == 0) {
    AppendBatch(ops);
  } else {
    BRAMAH_CHECK(spare->has_value() && (*spare)->size >= needed);
    AppendSegment(*std::exchange(*spare, std::nullopt), ops);
  }
}

// Writes what is buffered behind end_.
void WalWriter::AppendBatch(std::vector<FileOp>* ops) {
  const FileId file = SegmentFile(end_.place.seq);
  const uint64_t at = NextSector(end_.place.offset);
  Blob batch = Blob::Make(BatchBytes(), [&](char* to) { StoreBatch(to, at); });
  ops->push_back(WriteFile(file, at, std::move(batch)));
  ops->push_back(SyncFile(file));
}

void WalWriter::AppendSegment(const Spare& spare, std::vector<FileOp>* ops) {
  const LogPoint before = end_;
  const SegmentHeader header{owner_, spare.seq, before.place, before.crc, before.last.Next(), before.last_term};
  Blob head = Blob::Make(kSegmentHeaderBytes, [&](char* to) { end_.crc = StoreSegmentHeader(to, header); });
  end_.place = {spare.seq, kSegmentHeaderBytes};
  segments_.push_back({spare.seq, spare.size, {}});
  if (HasBatch()) AppendBatch(ops);
  ops->push_back(WriteFile(SegmentFile(spare.seq), 0, std::move(head)));
  ops->push_back(SyncFile(SegmentFile(spare.seq)));
  roll_requested_ = false;
  if (std::exchange(starts_over_, false)) {
    // Nothing of the older segments belongs to the log any more.
    for (LiveSegment& segment : segments_) {
      if (segment.seq != spare.seq) segment.max_index = LogIndex();
    }
    return;
  }
  Blob roll = Blob::Make(kRollRecordBytes, [&](char* to) { StoreRollRecord(to, before.last.Next(), spare.seq, before.crc); });
  ops->push_back(WriteFile(SegmentFile(before.place.seq), NextSector(before.place.offset), std::move(roll)));
  ops->push_back(SyncFile(SegmentFile(before.place.seq)));
}

// The salt of the current segment: the same for all its batches.
uint32_t WalWriter::Salt() {
  if (salt_segment_ != end_.place.seq) {
    salt_segment_ = end_.place.seq;
    salt_ = BatchSalt(owner_, salt_segment_);
  }
  return salt_;
}

// Stores what is buffered as one batch whose place in the current segment is `offset`, and empties the buffer.
void WalWriter::StoreBatch(char* to, uint64_t offset) {
  end_.crc = StoreBatchRecord(to, offset, {durable_, end_.crc, BatchBytes()}, Salt());
  uint64_t at = kBatchRecordBytes;
  LogIndex index = buffer_first_;
  for (const raft::Entry& entry : buffer_) {
    end_.crc = StoreEntryRecord(to + at, index, entry.bytes().view(), end_.crc);
    at += EntryRecordBytes(entry.bytes().size());
    index = index.Next();
  }
  end_.place.offset = offset + at;
  marked_ = durable_;
  mark_requested_ = false;
  if (buffer_.empty()) return;
  in_flight_first_ = buffer_first_;
  end_.last = index.Prev();
  end_.last_term = buffer_.back().term();
  data_end_ = end_.place;
  segments_.back().max_index = std::max(segments_.back().max_index, end_.last);
  buffer_.clear();
}

void WalWriter::Completed() {
  in_flight_first_ = LogIndex();
  durable_ = end_.place;
  durable_index_ = buffer_.empty() ? end_.last : std::min(end_.last, buffer_first_.Prev());
}

bool WalWriter::NeedsMark() const { return marked_ < data_end_ && data_end_ <= durable_ && !pending(); }

std::vector<uint64_t> WalWriter::TakeCovered(LogIndex upto) {
  std::vector<uint64_t> covered;
  auto keep = segments_.begin();
  for (; keep->seq < durable_.seq && keep->max_index <= upto; ++keep) covered.push_back(keep->seq);
  segments_.erase(segments_.begin(), keep);
  return covered;
}

}  // namespace bramah::storage

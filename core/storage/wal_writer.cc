#include "core/storage/wal_writer.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/storage/file_ops.h"

namespace bramah::storage {

WalWriter::WalWriter(const Owner& owner, WalTail tail)
    : owner_(owner),
      segments_(std::move(tail.segments)),
      end_(tail.end),
      crc_(tail.crc),
      written_last_(tail.last),
      written_term_(tail.last_term),
      marked_(tail.mark),
      data_end_(tail.unmarked ? EndPosition() : tail.mark),
      durable_(EndPosition()),
      durable_index_(tail.last) {}

void WalWriter::Append(LogIndex first, absl::Span<const raft::Entry> entries) {
  BRAMAH_CHECK(first && first <= last().Next() && !start_over_.has_value());
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
  BRAMAH_CHECK(!pending());
  start_over_ = Base{base, base_term};
}

LogIndex WalWriter::last() const { return buffer_.empty() ? written_last_ : buffer_first_ + buffer_.size() - 1; }

uint64_t WalWriter::BatchBytes() const {
  uint64_t bytes = kBatchRecordBytes;
  for (const raft::Entry& entry : buffer_) bytes += EntryRecordBytes(entry.bytes().size());
  return bytes;
}

uint64_t WalWriter::SpareNeeded() const {
  if (start_over_.has_value()) return kSegmentHeaderBytes + kRollRecordBytes;
  const uint64_t batch = BatchBytes();
  // Room for the roll record always remains.
  if (end_ + batch + kRollRecordBytes <= segments_.back().size) return 0;
  return kSegmentHeaderBytes + batch + kRollRecordBytes;
}

void WalWriter::AppendWrite(std::optional<Spare>* spare, std::vector<FileOp>* ops) {
  BRAMAH_CHECK(pending() && !in_flight_first_);
  const uint64_t needed = SpareNeeded();
  if (needed == 0) {
    WriteInCurrent(ops);
  } else {
    BRAMAH_CHECK(spare->has_value() && (*spare)->size >= needed);
    const Spare taken = *std::exchange(*spare, std::nullopt);
    start_over_.has_value() ? WriteBase(taken, ops) : WriteInSpare(taken, ops);
  }
}

void WalWriter::WriteInCurrent(std::vector<FileOp>* ops) {
  const uint64_t bytes = BatchBytes();
  const uint64_t seq = segments_.back().seq;
  const uint64_t at = end_;
  Blob batch = Blob::Make(bytes, [&](char* to) { StoreBatch(to, at, BatchSalt(owner_, seq)); });
  ops->push_back(WriteFile(SegmentFile(seq), at, std::move(batch)));
  ops->push_back(SyncFile(SegmentFile(seq)));
}

void WalWriter::WriteInSpare(const Spare& spare, std::vector<FileOp>* ops) {
  const FileId old_file = SegmentFile(segments_.back().seq);
  const uint64_t roll_at = end_;
  Blob roll = Blob::Make(kRollRecordBytes, [&](char* to) {
    crc_ = StoreRollRecord(to, written_last_.Next(), spare.seq, crc_);
  });
  const SegmentHeader header{owner_, spare.seq, segments_.back().seq, crc_, written_last_.Next(), written_term_};
  segments_.push_back({spare.seq, spare.size, {}});
  const uint64_t bytes = kSegmentHeaderBytes + BatchBytes();
  Blob batch = Blob::Make(bytes, [&](char* to) {
    crc_ = StoreSegmentHeader(to, header);
    StoreBatch(to + kSegmentHeaderBytes, kSegmentHeaderBytes, BatchSalt(owner_, spare.seq));
  });
  const FileId new_file = SegmentFile(spare.seq);
  ops->push_back(WriteFile(new_file, 0, std::move(batch)));
  ops->push_back(SyncFile(new_file));
  ops->push_back(WriteFile(old_file, roll_at, std::move(roll)));
  ops->push_back(SyncFile(old_file));
}

void WalWriter::WriteBase(const Spare& spare, std::vector<FileOp>* ops) {
  const SegmentHeader header{owner_, spare.seq, 0, 0, start_over_->index.Next(), start_over_->term};
  Blob bytes = Blob::Make(kSegmentHeaderBytes, [&](char* to) { crc_ = StoreSegmentHeader(to, header); });
  segments_.push_back({spare.seq, spare.size, {}});
  end_ = kSegmentHeaderBytes;
  marked_ = data_end_ = EndPosition();
  written_last_ = start_over_->index;
  written_term_ = start_over_->term;
  ops->push_back(WriteFile(SegmentFile(spare.seq), 0, std::move(bytes)));
  ops->push_back(SyncFile(SegmentFile(spare.seq)));
}

// Stores what is buffered as one batch whose place in the current segment is `offset`, and empties the buffer.
void WalWriter::StoreBatch(char* to, uint64_t offset, uint32_t salt) {
  crc_ = StoreBatchRecord(to, offset, {durable_, crc_}, salt);
  uint64_t at = kBatchRecordBytes;
  LogIndex index = buffer_first_;
  for (const raft::Entry& entry : buffer_) {
    crc_ = StoreEntryRecord(to + at, index, entry.bytes().view(), crc_);
    at += EntryRecordBytes(entry.bytes().size());
    index = index.Next();
  }
  end_ = offset + at;
  marked_ = durable_;
  mark_requested_ = false;
  if (buffer_.empty()) return;
  in_flight_first_ = buffer_first_;
  written_last_ = index.Prev();
  written_term_ = buffer_.back().term();
  data_end_ = EndPosition();
  segments_.back().max_index = std::max(segments_.back().max_index, written_last_);
  buffer_.clear();
}

void WalWriter::Completed() {
  in_flight_first_ = LogIndex();
  if (std::exchange(start_over_, std::nullopt).has_value()) {
    // Nothing of the older segments belongs to the log any more.
    for (LiveSegment& segment : segments_) segment.max_index = LogIndex();
  }
  durable_ = EndPosition();
  durable_index_ = buffer_.empty() ? written_last_ : std::min(written_last_, buffer_first_.Prev());
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

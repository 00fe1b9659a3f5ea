// File operations as core/storage emits them, for checker tests.
#ifndef BRAMAH_SIM_CHECK_FAKE_DISK_H_
#define BRAMAH_SIM_CHECK_FAKE_DISK_H_

#include <string>
#include <string_view>
#include <vector>

#include "core/api/files.h"
#include "core/raft/types.h"
#include "core/storage/format.h"

namespace bramah::sim::fake {

inline FileOp Op(FileOp::Kind kind, FileId file = {}) {
  FileOp op;
  op.kind = kind;
  op.file = file;
  return op;
}
inline FileId Slot(uint32_t slot) { return {FileKind::kVote, slot}; }
inline FileId Segment(uint64_t seq) { return {FileKind::kSegment, seq}; }
inline FileOp Create(FileId file) { return Op(FileOp::kCreate, file); }
inline FileOp Sync(FileId file) { return Op(FileOp::kSyncData, file); }
inline FileOp SyncDir() { return Op(FileOp::kSyncDir); }
inline FileOp Unlink(FileId file) { return Op(FileOp::kUnlink, file); }

inline FileOp WriteVote(uint32_t slot, uint64_t term, uint32_t vote) {
  FileOp op = Op(FileOp::kWrite, Slot(slot));
  storage::VoteRecord record;
  record.slot = slot;
  record.generation = term;
  record.hard = {Term(term), ReplicaId(vote), 0};
  op.bytes = Blob(storage::EncodeVoteSlot(record));
  return op;
}

// `previous_seq` 0: the log starts here.
inline FileOp WriteHeader(uint64_t seq, uint64_t previous_seq, uint64_t first_index) {
  FileOp op = Op(FileOp::kWrite, Segment(seq));
  storage::SegmentHeader header;
  header.seq = seq;
  header.previous.seq = previous_seq;
  header.first_index = LogIndex(first_index);
  op.bytes = Blob::Make(storage::kSegmentHeaderBytes, [&](char* to) { storage::StoreSegmentHeader(to, header); });
  return op;
}

inline raft::Entry MakeEntry(uint64_t term, std::string_view payload) {
  return raft::Entry(Term(term), 0, raft::EntryKind::kCommand, payload);
}

// A batch with the entries from `first` on.
inline FileOp WriteEntries(uint64_t seq, uint64_t first, const std::vector<raft::Entry>& entries) {
  FileOp op = Op(FileOp::kWrite, Segment(seq));
  op.offset = storage::kSegmentHeaderBytes + 1'000 * first;
  std::string bytes(storage::kBatchRecordBytes, '\0');
  uint32_t crc = storage::StoreBatchRecord(bytes.data(), op.offset, {}, 0);
  for (const raft::Entry& entry : entries) {
    const size_t at = bytes.size();
    bytes.resize(at + storage::EntryRecordBytes(entry.bytes().size()));
    crc = storage::StoreEntryRecord(bytes.data() + at, LogIndex(first++), entry.bytes().view(), crc);
  }
  op.bytes = Blob(bytes);
  return op;
}

inline FileOp Rename(FileId from, FileId to) {
  FileOp op = Op(FileOp::kRename, from);
  op.to = to;
  return op;
}

}  // namespace bramah::sim::fake

#endif  // BRAMAH_SIM_CHECK_FAKE_DISK_H_

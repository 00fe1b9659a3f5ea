// Snapshot files: their bytes, and the sequence of batches that makes one durable without ever endangering the previous one.
#ifndef BRAMAH_CORE_STORAGE_SNAPSHOT_FILE_H_
#define BRAMAH_CORE_STORAGE_SNAPSHOT_FILE_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "core/api/files.h"
#include "core/base/blob.h"
#include "core/raft/types.h"
#include "core/storage/format.h"

namespace bramah::storage {

// What one batch of a snapshot writes or reads back: the log's allocations on the same lane wait at most for so much.
inline constexpr uint64_t kSnapshotChunkBytes = 1 << 20;

// The bytes in front of the state.
Blob EncodeSnapshotHeader(const Owner& owner, const raft::Snapshot& snapshot);
// Null unless `bytes` is a whole, undamaged snapshot file of `owner` whose index is `index`.
std::optional<raft::Snapshot> ParseSnapshotFile(const Owner& owner, LogIndex index, std::string_view bytes);

// Writes `snapshot` to its file, durably but for the final directory sync.
void AppendSnapshotFile(const Owner& owner, const raft::Snapshot& snapshot, std::vector<FileOp>* ops);

// Writes one snapshot: temporary file in chunks, each synced; rename; directory sync; reading back. Give it the bulk lane
// whenever it is idle: NextBatch, and Completed when the batch is done, until `state` is no longer kWriting.
class SnapshotWriter {
 public:
  enum class State : uint8_t {
    kWriting,
    kVerified,   // durable, and what was read back is what was written
    kDifferent,  // the disk returned something else
  };

  SnapshotWriter(const Owner& owner, raft::Snapshot snapshot);

  State state() const { return state_; }
  const raft::SnapshotMeta& meta() const { return snapshot_.meta; }
  // REQUIRES: state() == kWriting and no batch in flight.
  void NextBatch(std::vector<FileOp>* ops);
  // `reads` are those of the batch.
  void Completed(absl::Span<const Blob> reads);

 private:
  uint64_t total() const { return header_.size() + snapshot_.state.size(); }
  bool Matches(std::string_view read) const;
  void AppendChunk(std::vector<FileOp>* ops);

  raft::Snapshot snapshot_;
  Blob header_;
  FileId file_;
  FileId temporary_;
  State state_ = State::kWriting;
  uint64_t written_ = 0;   // bytes given to the disk
  uint64_t verified_ = 0;  // bytes read back
  uint64_t reading_ = 0;   // bytes that the batch in flight reads
};

}  // namespace bramah::storage

#endif  // BRAMAH_CORE_STORAGE_SNAPSHOT_FILE_H_

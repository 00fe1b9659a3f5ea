// Short spellings of the primitive file operations.
#ifndef BRAMAH_CORE_STORAGE_FILE_OPS_H_
#define BRAMAH_CORE_STORAGE_FILE_OPS_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "core/api/files.h"

namespace bramah::storage {

inline FileOp FileOpOf(FileOp::Kind kind, FileId file) {
  FileOp op;
  op.kind = kind;
  op.file = file;
  return op;
}
inline FileOp CreateFile(FileId file) { return FileOpOf(FileOp::kCreate, file); }
inline FileOp SyncFile(FileId file) { return FileOpOf(FileOp::kSyncData, file); }
inline FileOp SyncDirectory() { return FileOpOf(FileOp::kSyncDir, {}); }
inline FileOp UnlinkFile(FileId file) { return FileOpOf(FileOp::kUnlink, file); }
inline FileOp RenameFile(FileId from, FileId to) {
  FileOp op = FileOpOf(FileOp::kRename, from);
  op.to = to;
  return op;
}
inline FileOp ZeroFill(FileId file, uint64_t offset, uint64_t length) {
  FileOp op = FileOpOf(FileOp::kZeroFill, file);
  op.offset = offset;
  op.length = length;
  return op;
}
inline FileOp WriteFile(FileId file, uint64_t offset, Blob bytes) {
  FileOp op = FileOpOf(FileOp::kWrite, file);
  op.offset = offset;
  op.length = bytes.size();
  op.bytes = std::move(bytes);
  return op;
}
inline FileOp ReadFile(FileId file, uint64_t offset, uint64_t length) {
  FileOp op = FileOpOf(FileOp::kRead, file);
  op.offset = offset;
  op.length = length;
  return op;
}

inline FileId SegmentFile(uint64_t seq) { return {FileKind::kSegment, seq}; }

// A segment that may be given its first record afterwards [ST-07].
inline void AppendAllocateSegment(uint64_t seq, uint64_t bytes, std::vector<FileOp>* ops) {
  ops->push_back(CreateFile(SegmentFile(seq)));
  ops->push_back(ZeroFill(SegmentFile(seq), 0, bytes));
  ops->push_back(SyncFile(SegmentFile(seq)));
  ops->push_back(SyncDirectory());
}

}  // namespace bramah::storage

#endif  // BRAMAH_CORE_STORAGE_FILE_OPS_H_

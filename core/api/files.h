// Files as the core sees them: names, primitive operations and their failures. The core decides every byte and every sync; a
// driver only executes.
#ifndef BRAMAH_CORE_API_FILES_H_
#define BRAMAH_CORE_API_FILES_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/blob.h"

namespace bramah {

// What a file of a replica's data directory is for.
enum class FileKind : uint8_t {
  kIdentity,     // "identity": cell, member and disk; written last when a directory is formatted
  kIdentityTmp,  // "identity.tmp"
  kVote,         // "vote-0", "vote-1": the two slots of term and vote; seq 0 or 1
  kSegment,      // "wal-<seq, 16 hex digits>"
  kSnapshot,     // "snapshot-<seq, 16 hex digits>"; seq is the last log index it contains
  kSnapshotTmp,  // "snapshot-<seq>.tmp"
};

struct FileId {
  FileKind kind = FileKind::kIdentity;
  uint64_t seq = 0;
  friend auto operator<=>(const FileId&, const FileId&) = default;
};

// The one mapping between ids and names inside a data directory. ParseFileName refuses every name FileName cannot produce.
std::string FileName(FileId id);
std::optional<FileId> ParseFileName(std::string_view name);

struct FileInfo {
  FileId id;
  uint64_t size = 0;
};

// One primitive operation, so that a crash can fall between any two.
struct FileOp {
  enum Kind : uint8_t {
    kCreate,    // an empty file; an existing one is emptied
    kZeroFill,  // extend with `length` zero bytes from `offset`
    kWrite,     // `bytes` at `offset`; idempotent, so the same operation may be repeated
    kSyncData,  // contents and size of `file` are durable when it completes
    kRename,    // `file` becomes `to`, replacing it
    kSyncDir,   // all creations, renames and removals so far are durable when it completes
    kUnlink,    // removing a missing file is no error
    kRead,      // `length` bytes at `offset`; fewer at the end of the file, or if nothing follows but what a kZeroFill left
  };
  Kind kind = kWrite;
  FileId file;
  FileId to;
  uint64_t offset = 0;
  uint64_t length = 0;
  Blob bytes;
};

enum class DiskError : uint8_t { kNoSpace, kWriteIo, kReadIo, kSyncIo };

// kLog: term, vote and log, where latency matters. kBulk: snapshots, allocation, removal, cold reads. Each lane runs its batches
// one after the other, independently of the other lane.
enum class Lane : uint8_t { kLog, kBulk };
inline constexpr int kLaneCount = 2;

// A batch of a lane; counted from 1 after each Boot, completed in order. 0: nothing to wait for.
using Ticket = uint64_t;

// What a message has to wait for: it may leave iff both lanes have completed these tickets. Only core/storage makes one that is
// not empty, from the claim that the message states.
struct After {
  Ticket log = 0;
  Ticket bulk = 0;
  friend bool operator==(const After&, const After&) = default;
};

}  // namespace bramah

#endif  // BRAMAH_CORE_API_FILES_H_

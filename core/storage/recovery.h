// From the bytes of a data directory to the state a replica may start from, and the file operations that make it durable again.
// A pure function: what it finds decides everything [ST-01, ST-02, ST-05 .. ST-08, ST-13 .. ST-17].
#ifndef BRAMAH_CORE_STORAGE_RECOVERY_H_
#define BRAMAH_CORE_STORAGE_RECOVERY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "core/api/effects.h"
#include "core/api/files.h"
#include "core/api/step.h"
#include "core/base/blob.h"
#include "core/base/probe.h"
#include "core/raft/types.h"
#include "core/storage/vote_slots.h"
#include "core/storage/wal_writer.h"

namespace bramah::storage {

// What a booted replica starts from.
struct Recovered {
  Identity identity;
  raft::HardState hard;
  std::optional<raft::Snapshot> snapshot;
  LogIndex first;                    // index of entries[0]; snapshot index + 1, or 1
  std::vector<raft::Entry> entries;  // contiguous
};

// Why a directory cannot be used, with the line that says so. Nothing was changed: the files are evidence.
struct Refusal {
  HaltReason why;
  std::string detail;
};

// A state, and how to make it durable. Nothing may be promised before `ops` completed.
struct StartingPoint {
  std::optional<Refusal> refusal;  // if set, nothing else is
  Recovered recovered;
  VoteSlots votes;
  WalWriter wal;              // its first batch is among `ops`, if it needs one
  uint64_t next_segment = 1;  // first sequence number never used on this disk
  std::vector<FileOp> ops;        // a read among them is the snapshot, and has to show it
  std::vector<FileId> leftovers;  // to be removed after that, once a segment with a higher number exists
  Probes probes;
};

// A new directory for `expect`, whose disk id is drawn from `seed`. The identity file comes last, so that a directory formatted
// only half is recognised [ST-13].
StartingPoint Format(const Identity& expect, uint64_t seed, uint64_t segment_bytes);

// `contents` holds the bytes of `files`, in the same order.
StartingPoint Recover(const Identity& expect, uint64_t segment_bytes, absl::Span<const FileInfo> files,
                      absl::Span<const Blob> contents);

}  // namespace bramah::storage

#endif  // BRAMAH_CORE_STORAGE_RECOVERY_H_

// The bytes of every small structure in a data directory: identity, vote slot, segment header and log records. format.md shows
// them byte by byte. Pure encoding and parsing; no parser trusts its input.
//
// What makes old bytes harmless: each log record is chained to its predecessor, the first of a segment to the segment's header,
// and headers name cell, member, disk and a sequence number that is never used twice [ST-03, ST-04].
#ifndef BRAMAH_CORE_STORAGE_FORMAT_H_
#define BRAMAH_CORE_STORAGE_FORMAT_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "core/api/step.h"
#include "core/base/blob.h"
#include "core/base/ids.h"
#include "core/raft/types.h"

namespace bramah::storage {

inline constexpr uint32_t kFormatVersion = 2;
inline constexpr size_t kOwnerBytes = 28;
inline constexpr size_t kVoteSlotBytes = 76;
inline constexpr size_t kSegmentHeaderBytes = 84;
inline constexpr size_t kRecordHeaderBytes = 16;
inline constexpr size_t kBatchRecordBytes = 40;
inline constexpr size_t kRollRecordBytes = 24;
inline constexpr size_t kRecordAlignment = 8;
// A crash may leave garbage in a sector that was being written. Headers, batches and roll records start at sector boundaries, so
// no write ever touches a sector that holds something durable which is still needed.
inline constexpr uint64_t kSectorBytes = 512;
inline constexpr size_t kCellNameBytesMax = 255;

// ----------------------------------------------------------------------------------------------------------------- identity

// Who wrote a file: the part of an identity that every other file repeats.
struct Owner {
  uint64_t cell = 0;  // Hash64 of the cell's name
  ReplicaId member;
  uint64_t disk_high = 0;
  uint64_t disk_low = 0;
  friend bool operator==(const Owner&, const Owner&) = default;
};
Owner OwnerOf(const Identity& identity);

std::string EncodeIdentity(const Identity& identity);
// Null if damaged or of another version.
std::optional<Identity> ParseIdentity(std::string_view bytes);

// --------------------------------------------------------------------------------------------------------------- vote slots

struct VoteRecord {
  uint32_t slot = 0;  // 0 or 1: a slot copied over the other is no slot
  Owner owner;
  uint64_t generation = 0;  // rises by one with every SetVote; both slots end at the same one [ST-08]
  raft::HardState hard;
  friend bool operator==(const VoteRecord&, const VoteRecord&) = default;
};
std::string EncodeVoteSlot(const VoteRecord& record);
// Null if damaged. Bytes behind the slot are ignored.
std::optional<VoteRecord> ParseVoteSlot(std::string_view bytes);

// ----------------------------------------------------------------------------------------------------------------- segments

// A place in the log, ordered as it was written: sequence numbers rise along the log.
struct Position {
  uint64_t seq = 0;
  uint64_t offset = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

struct SegmentHeader {
  Owner owner;
  uint64_t seq = 0;
  // Where the log before this segment ends: whatever else lies behind that place is superseded. seq 0: the log starts here, and
  // all older segments are superseded.
  Position previous;
  uint32_t previous_crc = 0;   // of the last record before that place
  LogIndex first_index;        // one behind the last entry before that place
  Term previous_term;          // of that last entry
  uint32_t crc = 0;            // own; set by Store and Parse; the chain of the segment's records starts from it
  friend bool operator==(const SegmentHeader&, const SegmentHeader&) = default;
};
// Writes kSegmentHeaderBytes and returns the CRC.
uint32_t StoreSegmentHeader(char* to, const SegmentHeader& header);
std::optional<SegmentHeader> ParseSegmentHeader(std::string_view bytes);

// ------------------------------------------------------------------------------------------------------------------ records

enum class RecordKind : uint8_t {
  kBatch = 1,  // starts what one write appends, at a sector boundary; value: its own offset
  kEntry = 2,  // directly behind another entry or the batch record; value: log index, body: raft::Entry::bytes()
  kRoll = 3,   // the last one of a segment, at a sector boundary; value: index of the next entry
};

// A record as it lies in memory; its CRC has not been checked.
struct Record {
  RecordKind kind = RecordKind::kBatch;
  uint64_t value = 0;
  uint32_t crc = 0;
  std::string_view body;
  std::string_view whole;  // header, body and padding
};
// The structure of the record at the start of `bytes`; null if it is none, or cut off.
std::optional<Record> ParseRecord(std::string_view bytes);

// What a batch record says of the log before it.
struct BatchMark {
  Position synced_through;  // everything before was durable when the batch was written [ST-05]
  uint32_t previous_crc = 0;
  // Of the whole batch. A torn write may have left good records behind the end of one that replaced it: if both begin with the
  // same entries, what the first one had more is tied to the second as well [ST-03].
  uint64_t bytes = 0;
};
BatchMark ParseBatchBody(const Record& record);
// The sequence number that a roll record names.
uint64_t ParseRollBody(const Record& record);

// Batch records are readable without their predecessor, so that a search behind a damaged record finds them: they are seeded with
// this salt and hold the predecessor's CRC as a field.
uint32_t BatchSalt(const Owner& owner, uint64_t segment_seq);
// The chained CRC of a record. `seed` is the predecessor's CRC, for batch records the salt.
uint32_t RecordCrc(std::string_view whole, uint32_t seed);

constexpr uint64_t NextSector(uint64_t offset) { return (offset + kSectorBytes - 1) / kSectorBytes * kSectorBytes; }

constexpr size_t EntryRecordBytes(size_t entry_bytes) {
  return (kRecordHeaderBytes + entry_bytes + kRecordAlignment - 1) / kRecordAlignment * kRecordAlignment;
}

// Each writes one record and returns its CRC, the seed of the next one.
uint32_t StoreBatchRecord(char* to, uint64_t offset, const BatchMark& mark, uint32_t salt);
uint32_t StoreEntryRecord(char* to, LogIndex index, std::string_view entry, uint32_t previous_crc);
uint32_t StoreRollRecord(char* to, LogIndex next_index, uint64_t next_seq, uint32_t previous_crc);

// ------------------------------------------------------------------------------------------------------------- for checkers

// Calls `found` for each entry record, in order, of a kWrite to a segment at `offset`. Writes hold whole records. CRCs are not
// checked: this is for bytes that were just written, not for bytes that were read back.
void ForEachEntryWritten(uint64_t offset, std::string_view bytes,
                         absl::FunctionRef<void(LogIndex index, std::string_view entry)> found);

}  // namespace bramah::storage

#endif  // BRAMAH_CORE_STORAGE_FORMAT_H_

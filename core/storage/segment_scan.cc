#include "core/storage/segment_scan.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/bytes.h"

namespace bramah::storage {
namespace {

bool AllZeros(std::string_view bytes) {
  return bytes.empty() || (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

// The good batch record at `at`, wherever the chain is.
std::optional<Record> BatchAt(std::string_view bytes, uint64_t at, uint32_t salt) {
  if (at >= bytes.size()) return std::nullopt;
  std::optional<Record> record = ParseRecord(bytes.substr(at));
  if (!record.has_value() || record->kind != RecordKind::kBatch || record->value != at) return std::nullopt;
  if (RecordCrc(record->whole, salt) != record->crc) return std::nullopt;
  return record;
}

// The good record at `at` that follows one whose CRC is `crc`.
std::optional<Record> ChainedAt(std::string_view bytes, uint64_t at, RecordKind kind, uint32_t crc) {
  if (at >= bytes.size()) return std::nullopt;
  std::optional<Record> record = ParseRecord(bytes.substr(at));
  if (!record.has_value() || record->kind != kind) return std::nullopt;
  if (RecordCrc(record->whole, crc) != record->crc) return std::nullopt;
  return record;
}

// Follows one batch after the other until the next one is not the successor of the last.
void FollowChain(uint32_t salt, SegmentScan& scan) {
  const std::string_view bytes = scan.bytes.view();
  uint64_t end = kSegmentHeaderBytes;
  uint32_t crc = scan.header->crc;
  for (;;) {
    scan.boundaries.push_back({end, crc, scan.entries.size()});
    const uint64_t at = NextSector(end);
    const std::optional<Record> batch = BatchAt(bytes, at, salt);
    if (!batch.has_value()) break;
    const BatchMark mark = ParseBatchBody(*batch);
    if (mark.previous_crc != crc) break;
    scan.mark = std::max(scan.mark, mark.synced_through);
    end = at + kBatchRecordBytes;
    crc = batch->crc;
    const std::string_view written = bytes.substr(0, at + std::min<uint64_t>(mark.bytes, bytes.size() - at));
    while (const std::optional<Record> entry = ChainedAt(written, end, RecordKind::kEntry, crc)) {
      scan.entries.push_back({LogIndex(entry->value), end, entry->body});
      end += entry->whole.size();
      crc = entry->crc;
    }
  }
  const std::optional<Record> roll = ChainedAt(bytes, NextSector(end), RecordKind::kRoll, crc);
  if (roll.has_value()) scan.rolls_to = ParseRollBody(*roll);
}

// Looks for batch records behind the end of the chain: one whose mark lies beyond that end proves that synced bytes are damaged
// [ST-05, ST-06]. Its own offset, the salt and the CRC make a chance hit next to impossible.
void SearchBehind(uint32_t salt, SegmentScan& scan) {
  const std::string_view bytes = scan.bytes.view();
  const uint64_t end = scan.end().offset;
  const uint64_t roll = scan.rolls_to == 0 ? 0 : NextSector(end) - end + kRollRecordBytes;
  scan.residue = end + roll < bytes.size() && !AllZeros(bytes.substr(end + roll));
  if (!scan.residue) return;
  for (uint64_t at = NextSector(end); at < bytes.size(); at += kSectorBytes) {
    const std::optional<Record> batch = BatchAt(bytes, at, salt);
    if (batch.has_value()) scan.mark = std::max(scan.mark, ParseBatchBody(*batch).synced_through);
  }
}

}  // namespace

const SegmentScan::Boundary* SegmentScan::FindBoundary(uint64_t offset) const {
  const auto found = std::lower_bound(boundaries.begin(), boundaries.end(), offset,
                                      [](const Boundary& boundary, uint64_t wanted) { return boundary.offset < wanted; });
  return found != boundaries.end() && found->offset == offset ? &*found : nullptr;
}

SegmentScan ScanSegment(const Owner& owner, uint64_t seq, uint64_t file_bytes, Blob bytes) {
  SegmentScan scan;
  scan.seq = seq;
  scan.file_bytes = file_bytes;
  scan.bytes = std::move(bytes);
  const uint32_t salt = BatchSalt(owner, seq);
  scan.header = ParseSegmentHeader(scan.bytes.view());
  if (scan.header.has_value() && (scan.header->owner != owner || scan.header->seq != seq)) scan.header.reset();
  if (scan.header.has_value()) FollowChain(salt, scan);
  SearchBehind(salt, scan);
  return scan;
}

}  // namespace bramah::storage

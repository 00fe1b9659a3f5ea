#include "core/storage/segment_scan.h"

#include <algorithm>
#include <utility>

#include "core/base/bytes.h"

namespace bramah::storage {
namespace {

// Follows the chain from scan.end; stops at the first record that is not the successor of the one before.
void FollowChain(uint32_t salt, SegmentScan& scan) {
  const std::string_view bytes = scan.bytes.view();
  while (scan.rolls_to == 0) {
    const std::optional<Record> record = ParseRecord(bytes.substr(scan.end));
    if (!record.has_value()) return;
    const bool batch = record->kind == RecordKind::kBatch;
    if (RecordCrc(record->whole, batch ? salt : scan.crc) != record->crc) return;
    if (batch) {
      const BatchMark mark = ParseBatchBody(*record);
      if (record->value != scan.end || mark.previous_crc != scan.crc) return;
      scan.mark = std::max(scan.mark, mark.synced_through);
    } else if (record->kind == RecordKind::kEntry) {
      scan.entries.push_back({LogIndex(record->value), scan.end, record->body});
      scan.max_index = std::max(scan.max_index, scan.entries.back().index);
    } else {
      scan.rolls_to = ParseRollBody(*record);
    }
    scan.crc = record->crc;
    scan.end += record->whole.size();
  }
}

// Looks for batch records behind the end of the chain: one whose mark lies beyond that end proves that synced bytes are damaged
// [ST-05, ST-06]. Its own offset, the salt and the CRC make a chance hit next to impossible.
void SearchBehind(uint32_t salt, SegmentScan& scan) {
  const std::string_view bytes = scan.bytes.view();
  size_t at = scan.end;
  for (; at + kRecordAlignment <= bytes.size(); at += kRecordAlignment) {
    if (LoadLittle<uint64_t>(bytes.data() + at) == 0) continue;  // no record starts with eight zeros
    scan.residue = true;
    const std::optional<Record> record = ParseRecord(bytes.substr(at));
    if (!record.has_value() || record->kind != RecordKind::kBatch || record->value != at) continue;
    if (RecordCrc(record->whole, salt) != record->crc) continue;
    scan.mark = std::max(scan.mark, ParseBatchBody(*record).synced_through);
  }
  scan.residue |= bytes.substr(at).find_first_not_of('\0') != std::string_view::npos;
}

}  // namespace

SegmentScan ScanSegment(const Owner& owner, uint64_t seq, Blob bytes) {
  SegmentScan scan;
  scan.seq = seq;
  scan.bytes = std::move(bytes);
  const uint32_t salt = BatchSalt(owner, seq);
  scan.header = ParseSegmentHeader(scan.bytes.view());
  if (scan.header.has_value() && (scan.header->owner != owner || scan.header->seq != seq)) scan.header.reset();
  if (scan.header.has_value()) {
    scan.end = kSegmentHeaderBytes;
    scan.crc = scan.header->crc;
    FollowChain(salt, scan);
  }
  SearchBehind(salt, scan);
  return scan;
}

}  // namespace bramah::storage

// Reads the bytes of one segment: the chain of good records from its header on, and the durability marks found anywhere in it.
#ifndef BRAMAH_CORE_STORAGE_SEGMENT_SCAN_H_
#define BRAMAH_CORE_STORAGE_SEGMENT_SCAN_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/blob.h"
#include "core/base/ids.h"
#include "core/storage/format.h"

namespace bramah::storage {

struct SegmentScan {
  struct Entry {
    LogIndex index;
    uint64_t offset = 0;     // of the record
    std::string_view bytes;  // into `bytes` below
  };

  uint64_t seq = 0;
  Blob bytes;
  std::optional<SegmentHeader> header;  // none: never used, damaged, or of another owner
  std::vector<Entry> entries;           // as written; a later one may supersede an earlier one
  LogIndex max_index;                   // highest index among them
  uint64_t end = 0;                     // behind the last good record
  uint32_t crc = 0;                     // of the last good record, or of the header
  uint64_t rolls_to = 0;                // named by the roll record that ends the segment; 0: no such record
  Position mark;                        // highest valid synced_through, also of batches behind `end`
  bool residue = false;                 // something other than zeros lies behind `end`
};

// `seq` is the number in the file's name, `owner` the directory's.
SegmentScan ScanSegment(const Owner& owner, uint64_t seq, Blob bytes);

}  // namespace bramah::storage

#endif  // BRAMAH_CORE_STORAGE_SEGMENT_SCAN_H_

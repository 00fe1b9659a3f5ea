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
  // A place where a batch ends: the log may continue from here, in this segment or in another one.
  struct Boundary {
    uint64_t offset = 0;
    uint32_t crc = 0;
    size_t entries = 0;  // how many of `entries` lie before
  };

  uint64_t seq = 0;
  uint64_t file_bytes = 0;
  Blob bytes;  // without the untouched end of the file, perhaps
  std::optional<SegmentHeader> header;  // none: never used, damaged, or of another owner
  std::vector<Entry> entries;           // as written; a later one may supersede an earlier one
  std::vector<Boundary> boundaries;     // the header's end first; the last one is the end of the chain
  uint64_t rolls_to = 0;                // named by the roll record that ends the segment; 0: no such record
  Position mark;                        // highest valid synced_through, also of batches behind the end of the chain
  bool residue = false;                 // something other than zeros lies behind the end of the chain

  const Boundary* FindBoundary(uint64_t offset) const;
  Position end() const { return {seq, boundaries.empty() ? 0 : boundaries.back().offset}; }
};

// `seq` is the number in the file's name, `owner` the directory's; `bytes` is what a read of all `file_bytes` returned.
SegmentScan ScanSegment(const Owner& owner, uint64_t seq, uint64_t file_bytes, Blob bytes);

}  // namespace bramah::storage

#endif  // BRAMAH_CORE_STORAGE_SEGMENT_SCAN_H_

#include "core/storage/log_chain.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/api/files.h"
#include "core/base/bytes.h"
#include "core/storage/file_ops.h"

namespace bramah::storage {
namespace {

using Boundary = SegmentScan::Boundary;

std::string NameOf(uint64_t seq) { return FileName(SegmentFile(seq)); }

bool Exists(absl::Span<const SegmentScan> scans, uint64_t seq) {
  return std::any_of(scans.begin(), scans.end(),
                     [&](const SegmentScan& scan) { return scan.seq == seq && scan.header.has_value(); });
}

// The newest segment that says it follows `segment`, and a place in it that exists.
const SegmentScan* FindSuccessor(absl::Span<const SegmentScan> scans, const SegmentScan& segment) {
  for (auto scan = scans.rbegin(); scan != scans.rend() && scan->seq > segment.seq; ++scan) {
    if (!scan->header.has_value() || scan->header->previous.seq != segment.seq) continue;
    const Boundary* place = segment.FindBoundary(scan->header->previous.offset);
    if (place != nullptr && place->crc == scan->header->previous_crc) return &*scan;
  }
  return nullptr;
}

const SegmentScan* FindStart(absl::Span<const SegmentScan> scans, LogIndex floor) {
  const SegmentScan* start = nullptr;
  for (const SegmentScan& scan : scans) {
    if (scan.header.has_value() && !Exists(scans, scan.header->previous.seq)) start = &scan;
  }
  while (start != nullptr) {
    // Damage in a segment wholly below the snapshot does not matter, so the places are not compared.
    const auto next = std::find_if(scans.rbegin(), scans.rend(), [&](const SegmentScan& scan) {
      return scan.header.has_value() && scan.header->previous.seq == start->seq && scan.seq > start->seq;
    });
    if (next == scans.rend() || next->header->first_index > floor.Next()) break;
    start = &*next;
  }
  return start;
}

// A run of entries, the later ones superseding the earlier ones, still in the segments' bytes.
struct Run {
  LogIndex first;  // none: empty
  std::vector<std::string_view> entries;

  void Put(LogIndex index, std::string_view bytes) {
    if (!first || index < first) {
      entries.clear();
      first = index;
    }
    entries.resize(index - first);
    entries.push_back(bytes);
  }
  // False if an entry is none, or terms fall.
  bool Parse(std::vector<raft::Entry>* to) const {
    Term term;
    for (const std::string_view bytes : entries) {
      std::optional<raft::Entry> entry = raft::Entry::Parse(Blob(bytes));
      if (!entry.has_value() || entry->term() < term) return false;
      term = entry->term();
      to->push_back(*std::move(entry));
    }
    return true;
  }
};

class Walker {
 public:
  Walker(absl::Span<const SegmentScan> scans, LogIndex floor, LogChain* chain) : scans_(scans), floor_(floor), chain_(*chain) {}

  // Returns what is wrong, if anything.
  std::string Walk(const SegmentScan& start) {
    for (const SegmentScan& scan : scans_) mark_ = std::max(mark_, scan.mark);
    Begin(start);
    for (const SegmentScan* segment = &start; segment != nullptr;) {
      const SegmentScan* next = FindSuccessor(scans_, *segment);
      if (segment->rolls_to != 0 && (next == nullptr || next->seq < segment->rolls_to)) {
        return absl::StrCat(NameOf(segment->rolls_to), ", the successor of ", NameOf(segment->seq), ", is missing or damaged");
      }
      const uint64_t upto = next == nullptr ? segment->end().offset : next->header->previous.offset;
      if (!Read(*segment, upto)) return absl::StrCat(NameOf(segment->seq), " holds an entry that cannot follow its predecessor");
      if (next != nullptr && (next->header->first_index != at_.last.Next() || next->header->previous_term != at_.last_term)) {
        return absl::StrCat(NameOf(next->seq), " does not continue ", NameOf(segment->seq));
      }
      segment = next;
    }
    return Finish();
  }

 private:
  void Begin(const SegmentScan& start) {
    const SegmentHeader& header = *start.header;
    at_ = {{start.seq, kSegmentHeaderBytes}, header.crc, header.first_index.Prev(), header.previous_term};
    chain_.start = at_;
    if (at_.last == floor_) chain_.floor_term = at_.last_term;
    floor_ = std::max(floor_, at_.last);
  }

  bool Read(const SegmentScan& segment, uint64_t upto) {
    chain_.segments.push_back(&segment);
    size_t entry = 0;
    for (const Boundary& boundary : segment.boundaries) {
      if (boundary.offset > upto) break;
      for (; entry < boundary.entries; ++entry) {
        if (!Add(segment.entries[entry])) return false;
      }
      at_.place = {segment.seq, boundary.offset};
      at_.crc = boundary.crc;
      if (at_.place == mark_) Mark();
    }
    return true;
  }

  bool Add(const SegmentScan::Entry& entry) {
    if (!entry.index || entry.index > at_.last.Next() || entry.bytes.size() < raft::Entry::kHeaderBytes) return false;
    at_.last = entry.index;
    at_.last_term = Term(LoadLittle<uint64_t>(entry.bytes.data()));
    tail_.Put(entry.index, entry.bytes);
    if (entry.index > floor_) {
      kept_.Put(entry.index, entry.bytes);
    } else {
      // Only a log that a snapshot from the leader is about to replace goes back so far.
      kept_ = {};
      chain_.floor_term = entry.index == floor_ ? at_.last_term : Term();
    }
    return true;
  }

  void Mark() {
    chain_.marked = at_;
    tail_ = {};
  }

  std::string Finish() {
    chain_.end = at_;
    if (at_.place < mark_) {
      return absl::StrCat(NameOf(at_.place.seq), " is damaged at offset ", at_.place.offset, ", but ", NameOf(mark_.seq),
                          " was synced up to offset ", mark_.offset);
    }
    chain_.tail_first = tail_.first;
    if (!kept_.Parse(&chain_.entries) || !tail_.Parse(&chain_.tail)) {
      return absl::StrCat("the log that ends in ", NameOf(at_.place.seq), " holds an entry of an unknown kind or a falling term");
    }
    return {};
  }

  const absl::Span<const SegmentScan> scans_;
  LogIndex floor_;
  LogChain& chain_;
  Position mark_;
  LogPoint at_;
  Run kept_;
  Run tail_;
};

}  // namespace

LogChain FollowLog(absl::Span<const SegmentScan> scans, LogIndex floor) {
  LogChain chain;
  const SegmentScan* start = FindStart(scans, floor);
  if (start == nullptr || !start->header->first_index) {
    chain.damage = "no segment of the log is readable";
    return chain;
  }
  chain.damage = Walker(scans, floor, &chain).Walk(*start);
  return chain;
}

}  // namespace bramah::storage

#include "core/storage/log_chain.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/api/files.h"
#include "core/base/bytes.h"
#include "core/storage/file_ops.h"

namespace bramah::storage {
namespace {

std::string NameOf(uint64_t seq) { return FileName(SegmentFile(seq)); }

const SegmentScan* FindUsed(absl::Span<const SegmentScan> scans, uint64_t seq) {
  const auto found = std::lower_bound(scans.begin(), scans.end(), seq,
                                      [](const SegmentScan& scan, uint64_t wanted) { return scan.seq < wanted; });
  return found != scans.end() && found->seq == seq && found->header.has_value() ? &*found : nullptr;
}

const SegmentScan* FindStart(absl::Span<const SegmentScan> scans) {
  for (auto scan = scans.rbegin(); scan != scans.rend(); ++scan) {
    if (scan->header.has_value() && FindUsed(scans, scan->header->previous_seq) == nullptr) return &*scan;
  }
  return nullptr;
}

// Entries as they supersede each other, still in the segments' bytes.
class Assembly {
 public:
  Assembly(LogIndex base, Term base_term, LogIndex floor) : last_(base), last_term_(base_term), floor_(floor) {
    if (base == floor) floor_term_ = base_term;
  }

  // False if the record cannot follow.
  bool Add(const SegmentScan::Entry& entry) {
    if (!entry.index || entry.index > last_.Next() || entry.bytes.size() < raft::Entry::kHeaderBytes) return false;
    last_ = entry.index;
    last_term_ = Term(LoadLittle<uint64_t>(entry.bytes.data()));
    if (entry.index > floor_) {
      kept_.resize(entry.index - floor_ - 1);
      kept_.push_back(entry.bytes);
    } else {
      kept_.clear();
      floor_term_ = entry.index == floor_ ? last_term_ : Term();
    }
    return true;
  }

  // False if an entry is none, or terms fall.
  bool Finish(LogChain& chain) const {
    Term term;
    for (const std::string_view bytes : kept_) {
      std::optional<raft::Entry> entry = raft::Entry::Parse(Blob(bytes));
      if (!entry.has_value() || entry->term() < term) return false;
      term = entry->term();
      chain.entries.push_back(*std::move(entry));
    }
    chain.last = last_;
    chain.last_term = last_term_;
    chain.floor_term = floor_term_;
    return true;
  }

  LogIndex last() const { return last_; }
  Term last_term() const { return last_term_; }

 private:
  LogIndex last_;
  Term last_term_;
  LogIndex floor_;
  Term floor_term_;
  std::vector<std::string_view> kept_;
};

// Whether `next` is what `segment`, at whose end the log is `log`, rolls to.
bool Continues(const SegmentScan& segment, const Assembly& log, const SegmentScan& next) {
  return next.header->previous_seq == segment.seq && next.header->previous_crc == segment.crc &&
         next.header->first_index == log.last().Next() && next.header->previous_term == log.last_term();
}

// Walks the roll records from the start; returns what is wrong.
std::string Walk(absl::Span<const SegmentScan> scans, const SegmentScan& start, Assembly& log, LogChain& chain) {
  for (const SegmentScan* segment = &start;;) {
    chain.segments.push_back(segment);
    for (const SegmentScan::Entry& entry : segment->entries) {
      if (!log.Add(entry)) return absl::StrCat(NameOf(segment->seq), " has an impossible entry at offset ", entry.offset);
    }
    if (segment->rolls_to == 0) return {};
    const SegmentScan* next = FindUsed(scans, segment->rolls_to);
    if (next == nullptr || !Continues(*segment, log, *next)) {
      return absl::StrCat(NameOf(segment->rolls_to), ", the successor of ", NameOf(segment->seq), ", is missing or damaged");
    }
    segment = next;
  }
}

}  // namespace

LogChain FollowLog(absl::Span<const SegmentScan> scans, LogIndex floor) {
  LogChain chain;
  const SegmentScan* start = FindStart(scans);
  if (start == nullptr || !start->header->first_index) {
    chain.damage = "no segment of the log is readable";
    return chain;
  }
  chain.base = start->header->first_index.Prev();
  chain.base_term = start->header->previous_term;
  for (const SegmentScan& scan : scans) chain.mark = std::max(chain.mark, scan.mark);

  Assembly log(chain.base, chain.base_term, std::max(floor, chain.base));
  chain.damage = Walk(scans, *start, log, chain);
  if (!chain.damage.empty()) return chain;
  if (chain.end() < chain.mark) {
    chain.damage = absl::StrCat(NameOf(chain.end().seq), " is damaged at offset ", chain.end().offset, ", but ",
                                NameOf(chain.mark.seq), " was synced up to offset ", chain.mark.offset);
  } else if (!log.Finish(chain)) {
    chain.damage = absl::StrCat("the log that ends in ", NameOf(chain.end().seq), " holds an entry that is none");
  }
  return chain;
}

}  // namespace bramah::storage

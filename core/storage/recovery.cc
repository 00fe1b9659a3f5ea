#include "core/storage/recovery.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/keyed.h"
#include "core/storage/file_ops.h"
#include "core/storage/format.h"
#include "core/storage/log_chain.h"
#include "core/storage/segment_scan.h"
#include "core/storage/snapshot_file.h"

namespace bramah::storage {
namespace {

constexpr uint64_t kDiskIdStream = 0x6469736b;
constexpr char kReplaceMember[] = "; keep the directory as evidence and replace this member";

StartingPoint Refuse(HaltReason why, std::string detail) {
  StartingPoint refused;
  refused.refusal = Refusal{why, std::move(detail)};
  return refused;
}

StartingPoint RefuseDamaged(HaltReason why, const std::string& cause) { return Refuse(why, absl::StrCat(cause, kReplaceMember)); }

std::string Describe(const Identity& identity) {
  const bool any = identity.disk_high == 0 && identity.disk_low == 0;
  return absl::StrCat("cell '", identity.cell, "', replica ", identity.member.value(), ", ",
                      any ? "any disk"
                          : absl::StrCat("disk ", absl::Hex(identity.disk_high, absl::kZeroPad16),
                                         absl::Hex(identity.disk_low, absl::kZeroPad16)));
}

bool IsExpected(const Identity& found, const Identity& expect) {
  const bool any_disk = expect.disk_high == 0 && expect.disk_low == 0;
  return found.cell == expect.cell && found.member == expect.member &&
         (any_disk || (found.disk_high == expect.disk_high && found.disk_low == expect.disk_low));
}

// Gives the writer a new segment for the batch it holds.
void WriteSegment(uint64_t segment_bytes, StartingPoint& point) {
  std::optional<Spare> spare = Spare{point.next_segment++, std::max(segment_bytes, point.wal.SpareNeeded())};
  AppendAllocateSegment(spare->seq, spare->size, &point.ops);
  point.wal.AppendWrite(&spare, &point.ops);
}

void AppendIdentity(const Identity& identity, std::vector<FileOp>* ops) {
  const FileId temporary{FileKind::kIdentityTmp, 0};
  ops->push_back(CreateFile(temporary));
  ops->push_back(WriteFile(temporary, 0, Blob(EncodeIdentity(identity))));
  ops->push_back(SyncFile(temporary));
  ops->push_back(RenameFile(temporary, {FileKind::kIdentity, 0}));
}

class Recoverer {
 public:
  Recoverer(const Identity& expect, uint64_t segment_bytes, absl::Span<const FileInfo> files, absl::Span<const Blob> contents)
      : expect_(expect), segment_bytes_(segment_bytes), files_(files), contents_(contents) {}

  StartingPoint Run();

 private:
  // Each looks at one kind of file; false: `result_.refusal` is set.
  bool ReadIdentity();
  bool ReadVotes();
  void ReadSnapshots();
  bool ReadLog();
  bool ReachesSnapshot();

  // Each adds operations.
  void ContinueLog();
  void StartLogBehindSnapshot();
  void RewriteVotes();
  void RewriteNames();
  bool MayReplaceSomething() const;
  void ListLeftovers();

  bool Refused(StartingPoint refused) {
    result_ = std::move(refused);
    return false;
  }
  const Blob* Find(FileId id) const {
    for (size_t i = 0; i < files_.size(); ++i) {
      if (files_[i].id == id) return &contents_[i];
    }
    return nullptr;
  }
  LogIndex snapshot_index() const {
    return result_.recovered.snapshot.has_value() ? result_.recovered.snapshot->meta.index : LogIndex();
  }

  const Identity& expect_;
  const uint64_t segment_bytes_;
  const absl::Span<const FileInfo> files_;
  const absl::Span<const Blob> contents_;
  StartingPoint result_;
  Owner owner_;
  uint32_t first_slot_ = 0;       // the vote slot to rewrite first
  bool bad_snapshot_ = false;     // a snapshot file newer than the one used is unreadable
  std::vector<SegmentScan> scans_;
  LogChain chain_;
};

StartingPoint Recoverer::Run() {
  if (!ReadIdentity() || !ReadVotes()) return std::move(result_);
  ReadSnapshots();
  if (!ReadLog()) return std::move(result_);
  if (ReachesSnapshot()) {
    ContinueLog();
  } else {
    StartLogBehindSnapshot();
  }
  RewriteVotes();
  RewriteNames();
  ListLeftovers();
  return std::move(result_);
}

bool Recoverer::ReadIdentity() {
  const Blob* bytes = Find({FileKind::kIdentity, 0});
  if (bytes == nullptr) {
    return Refused(Refuse(HaltReason::kIncompleteFormat,
                          "the directory has files but no identity: it was formatted only half, or the identity was removed; "
                          "give this replica an empty directory if it never took part"));
  }
  const std::optional<Identity> found = ParseIdentity(bytes->view());
  if (!found.has_value()) return Refused(RefuseDamaged(HaltReason::kIncompleteFormat, "the identity file is damaged"));
  if (!IsExpected(*found, expect_)) {
    return Refused(Refuse(HaltReason::kForeignDirectory,
                          absl::StrCat("the directory belongs to ", Describe(*found), "; expected ", Describe(expect_),
                                       "; start this replica with its own directory")));
  }
  result_.recovered.identity = *found;
  owner_ = OwnerOf(*found);
  return true;
}

bool Recoverer::ReadVotes() {
  std::array<std::string_view, 2> slots;
  for (const uint32_t slot : {0u, 1u}) {
    const Blob* bytes = Find({FileKind::kVote, slot});
    if (bytes != nullptr) slots[slot] = bytes->view();
  }
  std::optional<RecoveredVote> vote = RecoverVote(owner_, slots);
  if (!vote.has_value()) {
    return Refused(RefuseDamaged(HaltReason::kCorruptVote, "both slots of term and vote are damaged"));
  }
  SOMETIMES(result_.probes, kRecoveredOneVoteSlot, vote->one_only);
  result_.votes = vote->slots;
  first_slot_ = 1 - vote->winner;
  return true;
}

// The newest one that is whole; a log that reaches an older one reaches it too, or ends before it.
void Recoverer::ReadSnapshots() {
  std::vector<size_t> found;
  for (size_t i = 0; i < files_.size(); ++i) {
    if (files_[i].id.kind == FileKind::kSnapshot) found.push_back(i);
  }
  std::sort(found.begin(), found.end(), [&](size_t a, size_t b) { return files_[a].id.seq > files_[b].id.seq; });
  for (const size_t i : found) {
    result_.recovered.snapshot = ParseSnapshotFile(owner_, LogIndex(files_[i].id.seq), contents_[i].view());
    if (result_.recovered.snapshot.has_value()) return;
    bad_snapshot_ = true;
  }
}

bool Recoverer::ReadLog() {
  for (size_t i = 0; i < files_.size(); ++i) {
    if (files_[i].id.kind != FileKind::kSegment) continue;
    scans_.push_back(ScanSegment(owner_, files_[i].id.seq, files_[i].size, contents_[i]));
    result_.next_segment = std::max(result_.next_segment, files_[i].id.seq + 1);
  }
  std::sort(scans_.begin(), scans_.end(), [](const SegmentScan& a, const SegmentScan& b) { return a.seq < b.seq; });
  chain_ = FollowLog(scans_, snapshot_index());
  if (!chain_.damage.empty()) return Refused(RefuseDamaged(HaltReason::kCorruptLog, chain_.damage));
  if (chain_.start.last <= snapshot_index()) return true;
  const std::string gap = absl::StrCat("the log starts behind index ", chain_.start.last.value(), ", but the newest ",
                                       bad_snapshot_ ? "readable " : "", "snapshot ends at ", snapshot_index().value());
  const bool no_snapshot = bad_snapshot_ || !snapshot_index();
  return Refused(RefuseDamaged(no_snapshot ? HaltReason::kCorruptSnapshot : HaltReason::kCorruptLog, gap));
}

// Whether the log continues the snapshot. If not, a snapshot from the leader was installed, and the crash came before the segment
// that supersedes the old log.
bool Recoverer::ReachesSnapshot() {
  const std::optional<raft::Snapshot>& snapshot = result_.recovered.snapshot;
  return !snapshot.has_value() || (chain_.end.last >= snapshot->meta.index && chain_.floor_term == snapshot->meta.term);
}

// What was read may exist only in the page cache, and a sync may have failed and forgotten it. So what lies behind the last mark
// is written again [ST-01, ST-02]: into a new segment, because part of it may be durable and promised, and a crash must not find
// it half overwritten. Everything before the mark is durable as it is.
void Recoverer::ContinueLog() {
  const std::optional<LogPoint>& marked = chain_.marked;
  std::vector<LiveSegment> segments;
  for (const SegmentScan* scan : chain_.segments) {
    if (!marked.has_value() || scan->seq > marked->place.seq) break;
    LogIndex max_index;
    for (const SegmentScan::Entry& entry : scan->entries) max_index = std::max(max_index, entry.index);
    segments.push_back({scan->seq, scan->file_bytes, max_index});
  }
  result_.wal = marked.has_value() ? WalWriter(owner_, std::move(segments), *marked)
                                   : WalWriter(owner_, chain_.start.last, chain_.start.last_term);
  const bool in_place = marked.has_value() && marked->place.seq == chain_.end.place.seq && chain_.tail.empty();
  if (!in_place) {
    if (marked.has_value()) result_.wal.RequestRoll();
    if (!chain_.tail.empty()) result_.wal.Append(chain_.tail_first, chain_.tail);
    WriteSegment(segment_bytes_, result_);
  }
  result_.recovered.first = snapshot_index().Next();
  result_.recovered.entries = std::move(chain_.entries);
  SOMETIMES(result_.probes, kRecoveredTornTail, chain_.segments.back()->residue);
  SOMETIMES(result_.probes, kRecoveredUnsyncedTail, !chain_.tail.empty());
}

void Recoverer::StartLogBehindSnapshot() {
  const raft::SnapshotMeta& meta = result_.recovered.snapshot->meta;
  result_.wal = WalWriter(owner_, meta.index, meta.term);
  WriteSegment(segment_bytes_, result_);
  result_.recovered.first = meta.index.Next();
}

void Recoverer::RewriteVotes() {
  // A snapshot may be ahead of them: it is written by the other lane. Nothing was promised in a term that the slots do not know.
  const bool installed = result_.recovered.entries.empty() && result_.recovered.snapshot.has_value();
  const Term last_term = installed ? result_.recovered.snapshot->meta.term : chain_.end.last_term;
  const Term term = std::max(last_term, result_.votes.hard().term);
  if (term > result_.votes.hard().term) result_.votes.Set({term, ReplicaId(), result_.votes.hard().promise});
  for (const uint32_t slot : {0u, 1u}) {
    if (Find({FileKind::kVote, slot}) == nullptr) result_.ops.push_back(CreateFile({FileKind::kVote, slot}));
  }
  result_.votes.AppendWrite(&result_.ops, first_slot_);
  result_.recovered.hard = result_.votes.hard();
}

// A name that was read may not be durable either. That of the identity is certain once a vote was stored; that of the snapshot
// once something it replaced was removed.
void Recoverer::RewriteNames() {
  if (result_.votes.generation() == 1) AppendIdentity(result_.recovered.identity, &result_.ops);
  if (result_.recovered.snapshot.has_value() && MayReplaceSomething()) {
    const FileId file{FileKind::kSnapshot, snapshot_index().value()};
    AppendSnapshotFile(owner_, *result_.recovered.snapshot, &result_.ops);
    result_.ops.push_back(SyncDirectory());
    result_.ops.push_back(ReadFile(file, 0, Find(file)->size()));
  }
  result_.ops.push_back(SyncDirectory());
}

bool Recoverer::MayReplaceSomething() const {
  const auto is_other = [&](const FileInfo& file) {
    return file.id.kind == FileKind::kSnapshot && file.id.seq != snapshot_index().value();
  };
  const auto is_first = [](const SegmentScan& scan) {
    return scan.header.has_value() && scan.header->first_index == LogIndex(1);
  };
  return std::any_of(files_.begin(), files_.end(), is_other) || std::any_of(scans_.begin(), scans_.end(), is_first);
}

// Everything that is not part of the starting point.
void Recoverer::ListLeftovers() {
  const auto is_live_segment = [&](uint64_t seq) {
    return std::any_of(result_.wal.segments().begin(), result_.wal.segments().end(),
                       [&](const LiveSegment& segment) { return segment.seq == seq; });
  };
  for (const FileInfo& file : files_) {
    const bool leftover = file.id.kind == FileKind::kIdentityTmp || file.id.kind == FileKind::kSnapshotTmp ||
                          (file.id.kind == FileKind::kSegment && !is_live_segment(file.id.seq)) ||
                          (file.id.kind == FileKind::kSnapshot && file.id.seq != snapshot_index().value());
    if (leftover) result_.leftovers.push_back(file.id);
  }
}

}  // namespace

StartingPoint Format(const Identity& expect, uint64_t seed, uint64_t segment_bytes) {
  if (expect.cell.size() > kCellNameBytesMax) {
    return Refuse(HaltReason::kMisconfigured, "the cell's name is longer than 255 bytes; choose a shorter one");
  }
  if (expect.disk_high != 0 || expect.disk_low != 0) {
    return Refuse(HaltReason::kForeignDirectory, absl::StrCat("the directory is empty; expected ", Describe(expect),
                                                              "; mount its disk, or replace this member"));
  }
  StartingPoint result;
  Identity& identity = result.recovered.identity;
  identity = expect;
  identity.disk_high = Draw(seed, kDiskIdStream, expect.member.value(), 0);
  identity.disk_low = Draw(seed, kDiskIdStream, expect.member.value(), 1);
  const Owner owner = OwnerOf(identity);
  result.votes = VoteSlots::New(owner);
  result.votes.AppendFormat(&result.ops);
  result.wal = WalWriter(owner, LogIndex(), Term());
  WriteSegment(segment_bytes, result);
  result.recovered.first = LogIndex(1);
  result.ops.push_back(SyncDirectory());
  AppendIdentity(identity, &result.ops);
  result.ops.push_back(SyncDirectory());
  return result;
}

StartingPoint Recover(const Identity& expect, uint64_t segment_bytes, absl::Span<const FileInfo> files,
                      absl::Span<const Blob> contents) {
  return Recoverer(expect, segment_bytes, files, contents).Run();
}

}  // namespace bramah::storage

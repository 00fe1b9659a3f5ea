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

// Starts a log behind `base` in segment `seq`, which is allocated for it.
WalTail StartLog(const Owner& owner, uint64_t seq, uint64_t bytes, LogIndex base, Term base_term, std::vector<FileOp>* ops) {
  AppendAllocateSegment(seq, bytes, ops);
  WalTail tail;
  const SegmentHeader header{owner, seq, 0, 0, base.Next(), base_term};
  Blob block = Blob::Make(kSegmentHeaderBytes, [&](char* to) { tail.crc = StoreSegmentHeader(to, header); });
  ops->push_back(WriteFile(SegmentFile(seq), 0, std::move(block)));
  ops->push_back(SyncFile(SegmentFile(seq)));
  tail.segments.push_back({seq, bytes, {}});
  tail.end = kSegmentHeaderBytes;
  tail.last = base;
  tail.last_term = base_term;
  tail.mark = {seq, kSegmentHeaderBytes};
  return tail;
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
  void RewriteLog();
  void StartLogBehindSnapshot();
  void RewriteVotes();
  void RemoveLeftovers();

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
    RewriteLog();
  } else {
    StartLogBehindSnapshot();
  }
  RewriteVotes();
  RemoveLeftovers();
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
    scans_.push_back(ScanSegment(owner_, files_[i].id.seq, contents_[i]));
    result_.next_segment = std::max(result_.next_segment, files_[i].id.seq + 1);
  }
  std::sort(scans_.begin(), scans_.end(), [](const SegmentScan& a, const SegmentScan& b) { return a.seq < b.seq; });
  chain_ = FollowLog(scans_, snapshot_index());
  if (!chain_.damage.empty()) return Refused(RefuseDamaged(HaltReason::kCorruptLog, chain_.damage));
  if (chain_.base <= snapshot_index()) return true;
  const std::string gap = absl::StrCat("the log starts behind index ", chain_.base.value(), ", but the newest ",
                                       bad_snapshot_ ? "readable " : "", "snapshot ends at ", snapshot_index().value());
  const bool no_snapshot = bad_snapshot_ || !snapshot_index();
  return Refused(RefuseDamaged(no_snapshot ? HaltReason::kCorruptSnapshot : HaltReason::kCorruptLog, gap));
}

// Whether the log continues the snapshot. If not, a snapshot from the leader was installed, and the crash came before the segment
// that supersedes the old log.
bool Recoverer::ReachesSnapshot() {
  const std::optional<raft::Snapshot>& snapshot = result_.recovered.snapshot;
  return !snapshot.has_value() || (chain_.last >= snapshot->meta.index && chain_.floor_term == snapshot->meta.term);
}

// What was read may exist only in the page cache, and a sync may have failed and forgotten it: the bytes behind the last mark are
// written again, not only synced [ST-01, ST-02]. Newest segment first, so that a roll record never outlives its successor.
void Recoverer::RewriteLog() {
  for (auto it = chain_.segments.rbegin(); it != chain_.segments.rend() && (*it)->seq >= chain_.mark.seq; ++it) {
    const SegmentScan& segment = **it;
    const uint64_t from = segment.seq == chain_.mark.seq ? chain_.mark.offset : 0;
    if (from >= segment.end) continue;
    result_.ops.push_back(WriteFile(SegmentFile(segment.seq), from, Blob(segment.bytes.view().substr(from, segment.end - from))));
    result_.ops.push_back(SyncFile(SegmentFile(segment.seq)));
    result_.tail.unmarked |= !segment.entries.empty() && segment.entries.back().offset >= from;
  }
  for (const SegmentScan* segment : chain_.segments) {
    result_.tail.segments.push_back({segment->seq, segment->bytes.size(), segment->max_index});
  }
  result_.tail.end = chain_.end().offset;
  result_.tail.crc = chain_.segments.back()->crc;
  result_.tail.last = chain_.last;
  result_.tail.last_term = chain_.last_term;
  result_.tail.mark = chain_.mark;
  result_.recovered.first = snapshot_index().Next();
  result_.recovered.entries = std::move(chain_.entries);
  SOMETIMES(result_.probes, kRecoveredTornTail, chain_.segments.back()->residue);
  SOMETIMES(result_.probes, kRecoveredUnsyncedTail, result_.tail.unmarked);
}

void Recoverer::StartLogBehindSnapshot() {
  const raft::SnapshotMeta& meta = result_.recovered.snapshot->meta;
  result_.tail = StartLog(owner_, result_.next_segment++, segment_bytes_, meta.index, meta.term, &result_.ops);
  result_.recovered.first = meta.index.Next();
}

void Recoverer::RewriteVotes() {
  // The log and the snapshot may be ahead: they are written by another lane, or later. No vote was promised in a term that the
  // slots do not know.
  const Term term = std::max(result_.tail.last_term, result_.votes.hard().term);
  if (term > result_.votes.hard().term) result_.votes.Set({term, ReplicaId(), result_.votes.hard().promise});
  for (const uint32_t slot : {0u, 1u}) {
    if (Find({FileKind::kVote, slot}) == nullptr) result_.ops.push_back(CreateFile({FileKind::kVote, slot}));
  }
  result_.votes.AppendWrite(&result_.ops, first_slot_);
  result_.recovered.hard = result_.votes.hard();
}

// Everything that is not part of the starting point. The directory is synced first: a rename that made the snapshot visible must
// be durable before what it replaces goes. The highest sequence number stays in the directory, so that it is never used again.
void Recoverer::RemoveLeftovers() {
  const auto is_live = [&](FileId id) {
    switch (id.kind) {
      case FileKind::kIdentity:
      case FileKind::kVote:
        return true;
      case FileKind::kSegment:
        return std::any_of(result_.tail.segments.begin(), result_.tail.segments.end(),
                           [&](const LiveSegment& segment) { return segment.seq == id.seq; });
      case FileKind::kSnapshot:
        return id.seq == snapshot_index().value();
      case FileKind::kIdentityTmp:
      case FileKind::kSnapshotTmp:
        return false;
    }
    return true;
  };
  std::vector<FileOp> unlinks;
  bool highest_goes = false;
  for (const FileInfo& file : files_) {
    if (is_live(file.id)) continue;
    unlinks.push_back(UnlinkFile(file.id));
    highest_goes |= file.id.kind == FileKind::kSegment && file.id.seq > result_.tail.segments.back().seq;
  }
  if (highest_goes) result_.ops.push_back(CreateFile(SegmentFile(result_.next_segment)));
  result_.ops.push_back(SyncDirectory());
  if (unlinks.empty()) return;
  result_.ops.insert(result_.ops.end(), unlinks.begin(), unlinks.end());
  result_.ops.push_back(SyncDirectory());
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
  result.tail = StartLog(owner, 1, segment_bytes, LogIndex(), Term(), &result.ops);
  result.next_segment = 2;
  result.recovered.first = LogIndex(1);
  const FileId temporary{FileKind::kIdentityTmp, 0};
  result.ops.push_back(CreateFile(temporary));
  result.ops.push_back(WriteFile(temporary, 0, Blob(EncodeIdentity(identity))));
  result.ops.push_back(SyncFile(temporary));
  result.ops.push_back(SyncDirectory());
  result.ops.push_back(RenameFile(temporary, {FileKind::kIdentity, 0}));
  result.ops.push_back(SyncDirectory());
  return result;
}

StartingPoint Recover(const Identity& expect, uint64_t segment_bytes, absl::Span<const FileInfo> files,
                      absl::Span<const Blob> contents) {
  return Recoverer(expect, segment_bytes, files, contents).Run();
}

}  // namespace bramah::storage

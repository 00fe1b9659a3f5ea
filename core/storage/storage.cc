#include "core/storage/storage.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/storage/file_ops.h"

namespace bramah::storage {
namespace {

constexpr Duration kRetryAfter = 100 * kMillisecond;
constexpr uint64_t kSegmentBytesMin = 4 << 10;
constexpr uint64_t kSegmentBytesMax = 1 << 30;

uint64_t SegmentBytes(const Options& options) {
  const uint64_t bytes = std::clamp(options.segment_bytes, kSegmentBytesMin, kSegmentBytesMax);
  return bytes / kRecordAlignment * kRecordAlignment;
}

bool IsTemporary(FileKind kind) { return kind == FileKind::kIdentityTmp || kind == FileKind::kSnapshotTmp; }

bool IsSync(const FileOp& op) { return op.kind == FileOp::kSyncData || op.kind == FileOp::kSyncDir; }

// Nothing was synced, so nothing can have been lost or half promised: the batch may be repeated [ST-09].
bool MayRetry(absl::Span<const FileOp> ops, const DiskFailed& failed) {
  if (failed.error != DiskError::kNoSpace || failed.op >= ops.size()) return false;
  return std::none_of(ops.begin(), ops.begin() + failed.op + 1, IsSync);
}

std::string DescribeFailure(absl::Span<const FileOp> ops, const DiskFailed& failed) {
  std::string what = "an operation on";
  std::string name = "the data directory";
  if (failed.op < ops.size()) {
    const FileOp& op = ops[failed.op];
    what = op.kind == FileOp::kRead ? "reading" : IsSync(op) ? "syncing" : "writing";
    if (op.kind != FileOp::kSyncDir) name = FileName(op.file);
  }
  if (failed.error == DiskError::kNoSpace) {
    return absl::StrCat(what, " ", name, " failed for lack of space; free some and start this replica again");
  }
  return absl::StrCat(what, " ", name, " failed; check the disk and start this replica again");
}

}  // namespace

Storage::Storage(const Options* options) : options_(options), segment_bytes_(SegmentBytes(*options)) {}

// -------------------------------------------------------------------------------------------------------------- recovery

void Storage::Boot(Time, const bramah::Boot& boot, Effects& out) {
  BRAMAH_CHECK(phase_ == Phase::kNew && boot.expect != nullptr);
  expect_ = *boot.expect;
  if (boot.files.empty()) {
    StartFrom(Format(expect_, boot.seed, segment_bytes_), out);
    return;
  }
  phase_ = Phase::kReading;
  files_.assign(boot.files.begin(), boot.files.end());
  std::vector<FileOp>& ops = bulk_.Next();
  for (const FileInfo& file : files_) ops.push_back(ReadFile(file.id, 0, IsTemporary(file.id.kind) ? 0 : file.size));
  bulk_.Issue(out);
}

void Storage::StartFrom(StartingPoint start, Effects& out) {
  if (start.refusal.has_value()) {
    Halt(start.refusal->why, std::move(start.refusal->detail), out);
    return;
  }
  out.probes().Merge(start.probes);
  recovered_ = std::move(start.recovered);
  owner_ = OwnerOf(recovered_.identity);
  votes_ = start.votes;
  wal_ = std::move(start.wal);
  next_segment_ = start.next_segment;
  removals_ = std::move(start.leftovers);
  if (recovered_.snapshot.has_value()) snapshot_index_ = recovered_.snapshot->meta.index;
  files_.clear();
  phase_ = Phase::kSettling;
  bulk_.Next() = std::move(start.ops);
  bulk_.Issue(out);
}

void Storage::ReadingDone(absl::Span<const Blob> reads, Effects& out) {
  BRAMAH_CHECK(reads.size() == files_.size());
  StartFrom(Recover(expect_, segment_bytes_, files_, reads), out);
}

void Storage::SettlingDone(absl::Span<const Blob> reads, Effects& out) {
  if (!reads.empty() && !ParseSnapshotFile(owner_, snapshot_index_, reads[0].view()).has_value()) {
    HaltReadsDifferently(snapshot_index_, out);
    return;
  }
  wal_.Completed();
  phase_ = Phase::kReady;
  for (const uint64_t seq : wal_.TakeCovered(snapshot_index_)) removals_.push_back(SegmentFile(seq));
}

bool Storage::ready() const { return phase_ == Phase::kReady; }

Recovered Storage::TakeRecovered() {
  BRAMAH_CHECK(ready());
  return std::move(recovered_);
}

bool Storage::halted() const { return phase_ == Phase::kHalted; }

void Storage::Halt(HaltReason why, std::string detail, Effects& out) {
  phase_ = Phase::kHalted;
  out.Halt(why, std::move(detail));
}

void Storage::HaltReadsDifferently(LogIndex snapshot, Effects& out) {
  const FileId file{FileKind::kSnapshot, snapshot.value()};
  Halt(HaltReason::kDiskFailure,
       absl::StrCat(FileName(file), " reads back differently; check the disk and start this replica again"), out);
}

// -------------------------------------------------------------------------------------------------------------- completions

void Storage::OnDiskDone(Time, const DiskDone& done, Effects& out) {
  if (halted() || !lane(done.lane).InFlight(done.ticket)) return;
  lane(done.lane).Done();
  if (done.lane == Lane::kLog) {
    LogDone();
  } else {
    BulkDone(done.reads, out);
  }
}

void Storage::LogDone() {
  vote_in_flight_ = false;
  wal_.Completed();
  if (install_ == Install::kStartingOver) FinishSnapshot();
}

void Storage::BulkDone(absl::Span<const Blob> reads, Effects& out) {
  switch (bulk_job_) {
    case BulkJob::kRecovery:
      phase_ == Phase::kReading ? ReadingDone(reads, out) : SettlingDone(reads, out);
      return;
    case BulkJob::kSpare:
      spare_ = preparing_;
      return;
    case BulkJob::kSnapshot:
      SnapshotDone(reads, out);
      return;
    case BulkJob::kRemoval:
      return;
  }
}

void Storage::SnapshotDone(absl::Span<const Blob> reads, Effects& out) {
  snapshot_writer_->Completed(reads);
  if (snapshot_writer_->state() == SnapshotWriter::State::kDifferent) {
    HaltReadsDifferently(snapshot_writer_->meta().index, out);
  } else if (snapshot_writer_->state() == SnapshotWriter::State::kVerified && install_ == Install::kNo) {
    FinishSnapshot();
  }
}

// The snapshot is durable and, if it was installed, so is the segment that starts the log behind it.
void Storage::FinishSnapshot() {
  if (snapshot_index_) removals_.push_back({FileKind::kSnapshot, snapshot_index_.value()});
  snapshot_index_ = snapshot_writer_->meta().index;
  for (const uint64_t seq : wal_.TakeCovered(snapshot_index_)) removals_.push_back(SegmentFile(seq));
  snapshot_writer_.reset();
  install_ = Install::kNo;
}

void Storage::OnDiskFailed(Time now, const DiskFailed& failed, Effects& out) {
  LaneQueue& lane = this->lane(failed.lane);
  if (halted() || !lane.InFlight(failed.ticket)) return;
  if (!MayRetry(lane.ops(), failed)) {
    Halt(HaltReason::kDiskFailure, DescribeFailure(lane.ops(), failed), out);
    return;
  }
  lane.WaitForRetry();
  retry_at_ = now + kRetryAfter;
  Schedule(out);
}

void Storage::OnTimer(Time now, Effects& out) {
  if (halted()) return;
  if (now >= retry_at_) {
    retry_at_ = kNever;
    for (LaneQueue* lane : {&log_, &bulk_}) {
      SOMETIMES(out.probes(), kWriteRetriedNoSpace, lane->WaitsForRetry());
      if (lane->WaitsForRetry()) lane->IssueAgain(out);
    }
  }
  if (now >= mark_at_) {
    mark_at_ = kNever;
    if (log_.idle() && wal_.NeedsMark()) wal_.RequestMark();
  }
  Schedule(out);
}

// One timer serves both deadlines. It is not cancelled when a new batch makes the mark needless: the end of that batch moves it.
void Storage::Schedule(Effects& out) {
  const Time next = std::min(mark_at_, retry_at_);
  if (next != kNever) out.Arm(TimerId::kStorage, next);
}

// -------------------------------------------------------------------------------------------------------------- promises

void Storage::SetVote(const raft::HardState& hard) {
  BRAMAH_CHECK(ready());
  votes_.Set(hard);
}

void Storage::Append(LogIndex first, absl::Span<const raft::Entry> entries) {
  BRAMAH_CHECK(ready() && install_ == Install::kNo && first > snapshot_index_);
  wal_.Append(first, entries);
}

void Storage::SaveSnapshot(Time, const raft::Snapshot& snapshot, Effects&) {
  BRAMAH_CHECK(ready() && !saving());
  BRAMAH_CHECK(snapshot.meta.index > snapshot_index_ && snapshot.meta.index <= durable_index());
  snapshot_writer_.emplace(owner_, snapshot);
}

void Storage::InstallSnapshot(Time, const raft::Snapshot& snapshot, Effects&) {
  BRAMAH_CHECK(ready() && !saving() && snapshot.meta.index > snapshot_index_);
  snapshot_writer_.emplace(owner_, snapshot);
  install_ = Install::kSaving;
}

bool Storage::saving() const { return snapshot_writer_.has_value(); }

After Storage::Need(Term term, LogIndex upto) const {
  BRAMAH_CHECK(ready() && term <= votes_.hard().term);
  if (votes_.pending() || wal_.BufferedUpTo(upto)) return {log_.next(), 0};
  if (vote_in_flight_ || wal_.InFlightUpTo(upto)) return {log_.current(), 0};
  return {};
}

LogIndex Storage::durable_index() const { return wal_.durable(); }

LogIndex Storage::snapshot_index() const { return snapshot_index_; }

// --------------------------------------------------------------------------------------------------------------- batches

void Storage::Flush(Time now, Effects& out) {
  if (!ready()) return;
  FlushLog(out);
  FlushBulk(out);
  const bool idle = log_.idle() && wal_.NeedsMark();
  if (!idle) {
    mark_at_ = kNever;
  } else if (mark_at_ == kNever) {
    mark_at_ = now + options_->idle_mark_after;
    Schedule(out);
  }
}

void Storage::FlushLog(Effects& out) {
  if (!log_.idle()) return;
  std::vector<FileOp>& ops = log_.Next();
  if (install_ == Install::kSaving && snapshot_writer_->state() == SnapshotWriter::State::kVerified && !wal_.pending()) {
    wal_.StartOver(snapshot_writer_->meta().index, snapshot_writer_->meta().term);
    install_ = Install::kStartingOver;
  }
  spare_needed_ = wal_.pending() ? wal_.SpareNeeded() : 0;
  if (spare_needed_ > 0 && (!spare_.has_value() || spare_->size < spare_needed_)) return;
  vote_in_flight_ = votes_.pending();
  // The vote first: no entry may be durable of a term that the slots do not know.
  if (votes_.pending()) votes_.AppendWrite(&ops);
  if (wal_.pending()) wal_.AppendWrite(&spare_, &ops);
  SOMETIMES(out.probes(), kSegmentRolled, spare_needed_ > 0);
  if (!ops.empty()) log_.Issue(out);
}

// A log batch may wait for its segment, so the spare goes first. Removals come before the next snapshot, which may have the name
// of a damaged one that goes.
void Storage::FlushBulk(Effects& out) {
  if (!bulk_.idle()) return;
  std::vector<FileOp>& ops = bulk_.Next();
  if (PrepareSpare(&ops)) {
    bulk_job_ = BulkJob::kSpare;
  } else if (RemoveFiles(&ops)) {
    bulk_job_ = BulkJob::kRemoval;
  } else if (saving() && snapshot_writer_->state() == SnapshotWriter::State::kWriting) {
    bulk_job_ = BulkJob::kSnapshot;
    snapshot_writer_->NextBatch(&ops);
  }
  if (!ops.empty()) bulk_.Issue(out);
}

// Allocates the next segment ahead of need, or extends it for a batch that is larger [ST-07].
bool Storage::PrepareSpare(std::vector<FileOp>* ops) {
  const uint64_t wanted = std::max(segment_bytes_, spare_needed_);
  if (spare_.has_value() && spare_->size >= wanted) return false;
  if (!spare_.has_value()) {
    preparing_ = {next_segment_++, wanted};
    AppendAllocateSegment(preparing_.seq, wanted, ops);
  } else {
    preparing_ = {spare_->seq, wanted};
    ops->push_back(ZeroFill(SegmentFile(spare_->seq), spare_->size, wanted - spare_->size));
    ops->push_back(SyncFile(SegmentFile(spare_->seq)));
    spare_.reset();
  }
  return true;
}

bool Storage::RemoveFiles(std::vector<FileOp>* ops) {
  if (removals_.empty()) return false;
  for (const FileId file : removals_) ops->push_back(UnlinkFile(file));
  ops->push_back(SyncDirectory());
  removals_.clear();
  return true;
}

}  // namespace bramah::storage

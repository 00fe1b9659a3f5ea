// Storage: turns promises (a vote, log entries, a snapshot) into file operations and tickets, and file bytes back into a state.
// Pure: it only emits Effects::Disk and reads DiskDone. Formats and rules are described in core/storage/format.md.
//
// Life of one incarnation: Boot -> (DiskDone ...) -> ready() -> TakeRecovered() -> SetVote / Append / SaveSnapshot ... Flush.
// Nothing that was read at recovery counts as durable until it has been rewritten and synced [ST-01, ST-02].
#ifndef BRAMAH_CORE_STORAGE_STORAGE_H_
#define BRAMAH_CORE_STORAGE_STORAGE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "core/api/effects.h"
#include "core/api/step.h"
#include "core/raft/types.h"
#include "core/storage/lane_queue.h"
#include "core/storage/recovery.h"
#include "core/storage/snapshot_file.h"
#include "core/storage/vote_slots.h"
#include "core/storage/wal_writer.h"

namespace bramah::storage {

struct Options {
  uint64_t segment_bytes = 8 << 20;             // size of a preallocated log segment
  Duration idle_mark_after = 10 * kMillisecond;  // a mark-only batch makes the tail's durability known [ST-05]
};

class Storage {
 public:
  explicit Storage(const Options* options);

  // ---- recovery. An empty directory is formatted for boot.expect with a disk id drawn from boot.seed.
  void Boot(Time now, const bramah::Boot& boot, Effects& out);
  // True once recovery (or formatting) is complete *and* everything recovered is durable again.
  bool ready() const;
  // Once, after ready() turned true.
  Recovered TakeRecovered();

  // Feed every DiskDone / DiskFailed of the node. A failure that the rules call final emits Effects::Halt. No space for a write
  // that precedes any sync of its batch is not final: the batch is issued again on the next kStorage timer [ST-09].
  void OnDiskDone(Time now, const DiskDone& done, Effects& out);
  void OnDiskFailed(Time now, const DiskFailed& failed, Effects& out);
  // TimerId::kStorage.
  void OnTimer(Time now, Effects& out);
  // True after a Halt was emitted.
  bool halted() const;

  // ---- promises. Buffered in memory until Flush; REQUIRES: ready().
  // Both slots, one after the other, both synced before the ticket completes [ST-08].
  void SetVote(const raft::HardState& hard);
  // entries[0] has index `first`; first <= last index + 1. A record with index <= last supersedes the tail [ST-14].
  // REQUIRES: first > snapshot index.
  void Append(LogIndex first, absl::Span<const raft::Entry> entries);
  // Makes `snapshot` durable on the bulk lane: temporary file in chunks, sync, rename, directory sync, read back and verify; then
  // removes what it makes unnecessary (the previous snapshot and the log it needs stay until the new one is verified [ST-17]).
  // REQUIRES: snapshot_index() < snapshot index <= durable_index() [ST-15]. One at a time: REQUIRES !saving().
  void SaveSnapshot(Time now, const raft::Snapshot& snapshot, Effects& out);
  // Replaces the whole log by a snapshot received from the leader: the snapshot becomes durable, then a new segment whose header
  // names it supersedes all older ones. Until then, that is while saving(), no entry may be appended; entries appended before
  // are still written. REQUIRES: snapshot index > snapshot_index(), !saving().
  void InstallSnapshot(Time now, const raft::Snapshot& snapshot, Effects& out);
  // A SaveSnapshot or InstallSnapshot is under way.
  bool saving() const;

  // ---- what is durable
  // What a claim about (term and vote, log up to `upto`) has to wait for. `upto` may be 0: only term and vote.
  After Need(Term term, LogIndex upto) const;
  // Last index such that the log up to it (or a snapshot of it) is durable here.
  LogIndex durable_index() const;
  // Index of the newest durable and verified snapshot, 0 if none.
  LogIndex snapshot_index() const;

  // Starts the next batch if a lane is idle and something is buffered (group commit), and arms the idle mark. Call it once at
  // the end of every Step.
  void Flush(Time now, Effects& out);

 private:
  enum class Phase : uint8_t { kNew, kReading, kSettling, kReady, kHalted };
  // What the bulk lane is doing.
  enum class BulkJob : uint8_t { kRecovery, kSpare, kSnapshot, kRemoval };

  // Installing a snapshot: first its file, then the segment that starts the log behind it.
  enum class Install : uint8_t { kNo, kSaving, kStartingOver };

  void StartFrom(StartingPoint start, Effects& out);
  void ReadingDone(absl::Span<const Blob> reads, Effects& out);
  void SettlingDone(absl::Span<const Blob> reads, Effects& out);
  void LogDone();
  void BulkDone(absl::Span<const Blob> reads, Effects& out);
  void SnapshotDone(absl::Span<const Blob> reads, Effects& out);
  void FinishSnapshot();
  void FlushLog(Effects& out);
  void FlushBulk(Effects& out);
  bool PrepareSpare(std::vector<FileOp>* ops);
  bool RemoveFiles(std::vector<FileOp>* ops);
  void Schedule(Effects& out);
  void Halt(HaltReason why, std::string detail, Effects& out);
  void HaltReadsDifferently(LogIndex snapshot, Effects& out);
  LaneQueue& lane(Lane lane) { return lane == Lane::kLog ? log_ : bulk_; }

  const Options* options_;
  uint64_t segment_bytes_;  // as asked for, within what the format can do
  Phase phase_ = Phase::kNew;
  LaneQueue log_{Lane::kLog};
  LaneQueue bulk_{Lane::kBulk};
  BulkJob bulk_job_ = BulkJob::kRecovery;

  // Recovery.
  Identity expect_;
  std::vector<FileInfo> files_;
  Recovered recovered_;

  Owner owner_;
  VoteSlots votes_;
  bool vote_in_flight_ = false;
  WalWriter wal_;
  uint64_t next_segment_ = 1;
  uint64_t spare_needed_ = 0;    // by the log batch that waits
  std::optional<Spare> spare_;   // ready to be used
  Spare preparing_;              // REQUIRES bulk_job_ == kSpare

  LogIndex snapshot_index_;
  std::optional<SnapshotWriter> snapshot_writer_;
  Install install_ = Install::kNo;
  std::vector<FileId> removals_;

  Time mark_at_ = kNever;
  Time retry_at_ = kNever;
};

}  // namespace bramah::storage

#endif  // BRAMAH_CORE_STORAGE_STORAGE_H_

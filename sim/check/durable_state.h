// What is certainly on one replica's disk, whatever crash comes next: derived from the file operations that the disk carried out,
// with the formats of core/storage and independently of its bookkeeping.
#ifndef BRAMAH_SIM_CHECK_DURABLE_STATE_H_
#define BRAMAH_SIM_CHECK_DURABLE_STATE_H_

#include <array>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "core/api/files.h"
#include "core/raft/types.h"
#include "core/storage/format.h"
#include "sim/check/shadow_log.h"

namespace bramah::sim {

class DurableState {
 public:
  // ---- what the disk did
  void Carried(const FileOp& op);
  // Unsynced writes may be gone, and files whose directory entry was never synced.
  void MachineCrashed();
  // A sync failed: what it should have made durable never will be.
  void DropUnsynced();

  // ---- what a claim may rest on
  // Both vote slots say so, or speak of a later term [ST-08].
  bool HoldsVote(Term term, ReplicaId vote) const;
  bool HoldsTerm(Term term) const;
  // A snapshot contains `index`, or an unbroken log reaches it.
  bool Covers(LogIndex index) const;
  // Covers(index), and if the log holds it, with this mark.
  bool Covers(LogIndex index, const EntryMark& mark) const;
  LogIndex snapshot() const { return snapshots_.empty() ? LogIndex() : *snapshots_.rbegin(); }

 private:
  struct Write {
    uint64_t offset = 0;
    Blob bytes;
  };
  struct File {
    bool linked = false;          // its directory entry is durable
    std::vector<Write> unsynced;  // in the page cache only
    std::vector<Write> synced;    // on disk, below a name that may vanish
  };
  struct LogEntry {
    EntryMark mark;
    uint64_t segment = 0;
  };

  void Synced(FileId id, File& file);
  void Settle(FileId id, File& file);
  void SettleVote(uint32_t slot, const Write& write);
  void SettleSegment(uint64_t segment, const Write& write);
  void StartSegment(const storage::SegmentHeader& header);
  void AddEntry(uint64_t segment, LogIndex index, const EntryMark& mark);
  void Removed(FileId id);
  LogIndex last() const { return first_ + entries_.size() - 1; }

  absl::btree_map<FileId, File> files_;
  std::array<raft::HardState, 2> votes_;
  absl::btree_set<LogIndex> snapshots_;
  LogIndex first_{1};              // index of entries_[0]
  std::deque<LogEntry> entries_;
  uint64_t newest_segment_ = 0;    // highest sequence number whose header was seen
  // Entries of segments whose header is not durable yet: nothing leads to them.
  absl::btree_map<uint64_t, std::vector<std::pair<LogIndex, EntryMark>>> headless_;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_DURABLE_STATE_H_

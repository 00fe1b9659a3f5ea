// For tests: a disk in memory that executes file operations one by one, forgets what was not synced when the machine crashes, and
// a driver that runs a Storage on it.
//
// What a machine crash may do: every 512-byte sector that an unsynced write touched is kept, lost, or torn, which leaves garbage
// even where nothing was written; every directory operation since the last sync is kept or lost, independent of the others. A
// failed sync drops what it should have made durable, while reads go on showing it.
#ifndef BRAMAH_CORE_STORAGE_TEST_DISK_H_
#define BRAMAH_CORE_STORAGE_TEST_DISK_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/api/effects.h"
#include "core/api/files.h"
#include "core/base/check.h"
#include "core/base/keyed.h"
#include "core/storage/storage.h"

namespace bramah::storage {

class TestDisk {
 public:
  enum class Fate : uint8_t { kKept, kLost, kRandom };

  // Executes `op`; `read` receives the bytes of a kRead.
  void Execute(const FileOp& op, Blob* read) {
    switch (op.kind) {
      case FileOp::kCreate:
        return Create(op.file);
      case FileOp::kZeroFill:
        return Write(op.file, op.offset, std::string(op.length, '\0'));
      case FileOp::kWrite:
        return Write(op.file, op.offset, std::string(op.bytes.view()));
      case FileOp::kSyncData:
        return Sync(op.file);
      case FileOp::kRename:
        return ChangeDirectory({op.file, op.to, cached_.at(op.file)});
      case FileOp::kSyncDir:
        for (const Rename& change : unsynced_names_) Apply(change, &durable_);
        unsynced_names_.clear();
        return;
      case FileOp::kUnlink:
        return ChangeDirectory({op.file, std::nullopt, 0});
      case FileOp::kRead:
        *read = Read(op);
        return;
    }
  }

  // `op`, a sync, fails: what it should have made durable is gone, though reads still show it.
  void FailSync(const FileOp& op) {
    if (op.kind == FileOp::kSyncDir) {
      unsynced_names_.clear();
    } else {
      inodes_[cached_.at(op.file)].unsynced.clear();
    }
  }

  // The machine loses power. kRandom draws from `seed`.
  void Crash(Fate fate, uint64_t seed) {
    uint64_t ordinal = 0;
    const auto draw = [&](uint64_t bound) {
      if (fate != Fate::kRandom) return fate == Fate::kKept ? uint64_t{0} : uint64_t{1};
      return Below(Draw(seed, 1, 0, ordinal++), bound);
    };
    for (auto& [id, inode] : inodes_) {
      CrashInode(inode, draw);
      inode.unsynced.clear();
      inode.cached = inode.durable;
    }
    for (const Rename& change : unsynced_names_) {
      if (draw(2) == 0) Apply(change, &durable_);
    }
    unsynced_names_.clear();
    cached_ = durable_;
  }

  // ---- for tests that look at or damage files
  std::vector<FileInfo> List() const {
    std::vector<FileInfo> files;
    for (const auto& [file, inode] : cached_) files.push_back({file, inodes_.at(inode).cached.size()});
    return files;
  }
  bool Has(FileId file) const { return cached_.count(file) > 0; }
  const std::string& Contents(FileId file) const { return inodes_.at(cached_.at(file)).cached; }
  // Replaces a file's contents, durably.
  void Put(FileId file, std::string contents) {
    if (!Has(file)) Create(file);
    durable_[file] = cached_.at(file);
    Inode& inode = inodes_[cached_.at(file)];
    inode.unsynced.clear();
    inode.durable = inode.cached = std::move(contents);
  }
  void Remove(FileId file) {
    cached_.erase(file);
    durable_.erase(file);
  }

 private:
  static constexpr uint64_t kSector = 512;
  struct Unsynced {
    uint64_t offset;
    std::string bytes;
  };
  struct Inode {
    std::string durable;
    std::string cached;
    std::vector<Unsynced> unsynced;
  };
  struct Rename {
    FileId from;
    std::optional<FileId> to;  // none: unlink; equal to `from`: creation
    uint64_t inode;
  };
  using Directory = std::map<FileId, uint64_t>;

  static void Overwrite(std::string* contents, uint64_t offset, std::string_view bytes) {
    if (contents->size() < offset + bytes.size()) contents->resize(offset + bytes.size(), '\0');
    contents->replace(offset, bytes.size(), bytes);
  }

  static void Apply(const Rename& change, Directory* directory) {
    directory->erase(change.from);
    if (change.to.has_value()) (*directory)[*change.to] = change.inode;
  }

  void ChangeDirectory(const Rename& change) {
    unsynced_names_.push_back(change);
    Apply(change, &cached_);
  }

  void Create(FileId file) {
    inodes_[next_inode_] = {};
    ChangeDirectory({file, file, next_inode_++});
  }

  void Write(FileId file, uint64_t offset, std::string bytes) {
    Inode& inode = inodes_[cached_.at(file)];
    Overwrite(&inode.cached, offset, bytes);
    inode.unsynced.push_back({offset, std::move(bytes)});
  }

  void Sync(FileId file) {
    Inode& inode = inodes_[cached_.at(file)];
    ApplyAll(inode);
    inode.unsynced.clear();
  }

  Blob Read(const FileOp& op) const {
    const std::string& contents = Contents(op.file);
    return op.offset >= contents.size() ? Blob() : Blob(std::string_view(contents).substr(op.offset, op.length));
  }

  static void ApplyAll(Inode& inode) {
    for (const Unsynced& write : inode.unsynced) Overwrite(&inode.durable, write.offset, write.bytes);
  }

  template <class Draw>
  static void CrashInode(Inode& inode, Draw& draw) {
    if (inode.unsynced.empty()) return;
    std::set<uint64_t> sectors;
    for (const Unsynced& write : inode.unsynced) {
      if (write.bytes.empty()) continue;
      for (uint64_t s = write.offset / kSector; s <= (write.offset + write.bytes.size() - 1) / kSector; ++s) sectors.insert(s);
    }
    std::string old = std::move(inode.durable);
    inode.durable = old;
    ApplyAll(inode);
    const uint64_t old_size = old.size();
    const bool size_lost = old_size != inode.durable.size() && draw(2) != 0;
    old.resize(inode.durable.size(), '\0');
    for (const uint64_t sector : sectors) {
      const uint64_t from = sector * kSector;
      const uint64_t size = std::min(kSector, inode.durable.size() - from);
      const uint64_t fate = draw(3);
      if (fate == 1) inode.durable.replace(from, size, old, from, size);
      if (fate != 2) continue;
      for (uint64_t i = draw(size); i < size; ++i) inode.durable[from + i] = static_cast<char>(draw(256));
    }
    if (size_lost) inode.durable.resize(old_size);
  }

  std::map<uint64_t, Inode> inodes_;
  uint64_t next_inode_ = 1;
  Directory cached_;
  Directory durable_;
  std::vector<Rename> unsynced_names_;
};

inline raft::Entry MakeEntry(uint64_t term, std::string_view payload) {
  return raft::Entry(Term(term), 7, raft::EntryKind::kCommand, payload);
}

inline std::vector<std::string> PayloadsOf(const Recovered& recovered) {
  std::vector<std::string> payloads;
  for (const raft::Entry& entry : recovered.entries) payloads.emplace_back(entry.payload());
  return payloads;
}

inline raft::Snapshot MakeSnapshot(uint64_t index, uint64_t term, std::string_view state) {
  return {{LogIndex(index), Term(term), 11, "members"}, Blob(state)};
}

// Runs a Storage on a TestDisk: carries out its effects op by op, so that a test can stop between any two.
class TestDriver {
 public:
  TestDriver(const Options* options, Identity expect, TestDisk* disk)
      : options_(options), expect_(std::move(expect)), disk_(disk) {}

  // ---- inputs
  void Boot(uint64_t seed) {
    storage_.emplace(options_);
    for (auto& lane : lanes_) lane = {};
    for (Ticket& ticket : completed_) ticket = 0;
    timer_.reset();
    halt_.reset();
    const std::vector<FileInfo> files = disk_->List();
    bramah::Boot boot;
    boot.expect = &expect_;
    boot.seed = seed;
    boot.files = files;
    storage_->Boot(now_, boot, effects_);
    Carry();
  }
  // Boots and runs until ready or halted.
  void BootFully(uint64_t seed = 1) {
    Boot(seed);
    while (!storage_->ready() && !halt_.has_value() && RunOp(Lane::kBulk)) {
    }
  }
  Storage& storage() { return *storage_; }
  void Append(uint64_t first, const std::vector<raft::Entry>& entries) {
    storage_->Append(LogIndex(first), entries);
    Flush();
  }
  void SetVote(const raft::HardState& hard) {
    storage_->SetVote(hard);
    Flush();
  }
  void SaveSnapshot(const raft::Snapshot& snapshot) {
    storage_->SaveSnapshot(now_, snapshot, effects_);
    Flush();
  }
  void InstallSnapshot(const raft::Snapshot& snapshot) {
    storage_->InstallSnapshot(now_, snapshot, effects_);
    Flush();
  }
  // Ends a Step: Flush, then effects.
  void Flush() {
    storage_->Flush(now_, effects_);
    Carry();
  }
  void Advance(Duration duration) {
    now_ += duration;
    while (timer_.has_value() && *timer_ <= now_ && !halt_.has_value()) {
      timer_.reset();
      storage_->OnTimer(now_, effects_);
      Flush();
    }
  }

  // ---- the disk at work
  bool Busy(Lane lane) const { return lanes_[Index(lane)].busy; }
  // Carries out one operation of the lane's batch, and reports the completion after the last one. False if nothing was to do.
  bool RunOp(Lane lane) {
    Running& batch = lanes_[Index(lane)];
    if (!batch.busy || halt_.has_value()) return false;
    if (batch.next < batch.ops.size()) {
      Blob read;
      const FileOp& op = batch.ops[batch.next++];
      history_.push_back(op);
      disk_->Execute(op, &read);
      if (op.kind == FileOp::kRead) batch.reads.push_back(std::move(read));
    }
    if (batch.next < batch.ops.size()) return true;
    batch.busy = false;
    completed_[Index(lane)] = batch.ticket;
    const std::vector<Blob> reads = std::move(batch.reads);
    storage_->OnDiskDone(now_, {lane, batch.ticket, reads}, effects_);
    Flush();
    return true;
  }
  bool RunBatch(Lane lane) {
    if (!Busy(lane)) return false;
    const Ticket ticket = lanes_[Index(lane)].ticket;
    while (Busy(lane) && lanes_[Index(lane)].ticket == ticket && RunOp(lane)) {
    }
    return true;
  }
  // Until both lanes are idle.
  void RunAll() {
    while (RunBatch(Lane::kLog) || RunBatch(Lane::kBulk)) {
      if (halt_.has_value()) return;
    }
  }
  // Fails the operation that is next on the lane.
  void FailOp(Lane lane, DiskError error) {
    Running& batch = lanes_[Index(lane)];
    const FileOp& op = batch.ops[batch.next];
    if (op.kind == FileOp::kSyncData || op.kind == FileOp::kSyncDir) disk_->FailSync(op);
    batch.busy = false;
    storage_->OnDiskFailed(now_, {lane, batch.ticket, static_cast<uint16_t>(batch.next), error}, effects_);
    Flush();
  }
  const FileOp& NextOp(Lane lane) const { return lanes_[Index(lane)].ops[lanes_[Index(lane)].next]; }
  // Runs the lane up to, and not including, its next operation of this kind on that kind of file. False if there is none.
  bool RunUntil(Lane lane, FileOp::Kind kind, FileKind file) {
    while (Busy(lane)) {
      if (NextOp(lane).kind == kind && (kind == FileOp::kSyncDir || NextOp(lane).file.kind == file)) return true;
      if (!RunOp(lane)) return false;
    }
    return false;
  }

  // ---- what happened
  bool Completed(After after) const { return completed_[0] >= after.log && completed_[1] >= after.bulk; }
  const std::optional<Effects::HaltOp>& halt() const { return halt_; }
  Probes probes() const { return probes_; }
  Time now() const { return now_; }
  std::optional<Time> timer() const { return timer_; }
  // Batches issued, on both lanes.
  uint64_t batches() const { return batches_; }
  // Every operation that was carried out.
  const std::vector<FileOp>& history() const { return history_; }

 private:
  struct Running {
    bool busy = false;
    Ticket ticket = 0;
    std::vector<FileOp> ops;
    size_t next = 0;
    std::vector<Blob> reads;
  };
  static size_t Index(Lane lane) { return static_cast<size_t>(lane); }

  void Carry() {
    for (const Effects::Ref ref : effects_.ops()) {
      if (ref.op == Effects::Op::kDisk) {
        const Effects::DiskOp& op = effects_.disk(ref);
        const absl::Span<const FileOp> ops = effects_.file_ops(op);
        Running& lane = lanes_[Index(op.lane)];
        BRAMAH_CHECK(!lane.busy && op.ticket >= lane.ticket && op.ticket <= lane.ticket + 1);
        lane = {true, op.ticket, std::vector<FileOp>(ops.begin(), ops.end()), 0, {}};
        ++batches_;
      } else if (ref.op == Effects::Op::kArm) {
        timer_ = effects_.timer(ref).at;
      } else if (ref.op == Effects::Op::kHalt) {
        halt_ = effects_.halt(ref);
      }
    }
    probes_.Merge(effects_.probes());
    effects_.Clear();
  }

  const Options* options_;
  Identity expect_;
  TestDisk* disk_;
  Effects effects_;
  std::optional<Storage> storage_;
  Time now_ = 0;
  Running lanes_[kLaneCount];
  Ticket completed_[kLaneCount] = {};
  std::optional<Time> timer_;
  std::optional<Effects::HaltOp> halt_;
  Probes probes_;
  uint64_t batches_ = 0;
  std::vector<FileOp> history_;
};

}  // namespace bramah::storage

#endif  // BRAMAH_CORE_STORAGE_TEST_DISK_H_

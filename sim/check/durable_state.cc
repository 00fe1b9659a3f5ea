#include "sim/check/durable_state.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/base/hash.h"
#include "core/storage/format.h"

namespace bramah::sim {

void DurableState::Carried(const FileOp& op) {
  switch (op.kind) {
    case FileOp::kCreate:
      Removed(op.file);
      files_.insert_or_assign(op.file, File());
      break;
    case FileOp::kWrite:
      files_[op.file].unsynced.push_back({op.offset, op.bytes});
      break;
    case FileOp::kSyncData:
      Synced(op.file, files_[op.file]);
      break;
    case FileOp::kRename: {
      File moved = std::move(files_[op.file]);
      files_.erase(op.file);
      moved.linked = false;
      files_.insert_or_assign(op.to, std::move(moved));
      break;
    }
    case FileOp::kSyncDir:
      for (auto& [id, file] : files_) {
        if (std::exchange(file.linked, true)) continue;
        Settle(id, file);
      }
      break;
    case FileOp::kUnlink:
      Removed(op.file);
      files_.erase(op.file);
      break;
    case FileOp::kZeroFill:
    case FileOp::kRead:
      break;
  }
}

void DurableState::MachineCrashed() {
  DropUnsynced();
  for (auto& [id, file] : files_) {
    // If it is still there, its entry is on disk; if it is not, it will be created anew.
    file.linked = true;
    file.synced.clear();
  }
}

void DurableState::DropUnsynced() {
  for (auto& [id, file] : files_) file.unsynced.clear();
}

void DurableState::Synced(FileId id, File& file) {
  if (file.synced.empty()) {
    file.synced.swap(file.unsynced);  // keeps the room of both
  } else {
    std::move(file.unsynced.begin(), file.unsynced.end(), std::back_inserter(file.synced));
  }
  file.unsynced.clear();
  if (file.linked) Settle(id, file);
}

void DurableState::Settle(FileId id, File& file) {
  for (const Write& write : file.synced) {
    if (id.kind == FileKind::kVote && id.seq < votes_.size()) SettleVote(static_cast<uint32_t>(id.seq), write);
    if (id.kind == FileKind::kSegment) SettleSegment(id.seq, write);
  }
  if (id.kind == FileKind::kSnapshot && file.unsynced.empty()) snapshots_.insert(LogIndex(id.seq));
  file.synced.clear();
}

void DurableState::SettleVote(uint32_t slot, const Write& write) {
  const auto record = storage::ParseVoteSlot(write.bytes.view());
  votes_[slot] = record.has_value() ? record->hard : raft::HardState();
}

void DurableState::SettleSegment(uint64_t segment, const Write& write) {
  // A newer segment has begun: it said where this one ends, and whatever reaches the disk behind that is superseded.
  if (segment < newest_segment_) return;
  storage::ForEachEntryWritten(write.offset, write.bytes.view(), [&](LogIndex index, std::string_view bytes) {
    if (bytes.size() < raft::Entry::kHeaderBytes) return;
    const EntryMark mark{raft::Entry::TermIn(bytes), Hash64(bytes)};
    if (segment == newest_segment_) {
      AddEntry(segment, index, mark);
    } else {
      headless_[segment].emplace_back(index, mark);
    }
  });
  if (write.offset != 0 || segment == newest_segment_) return;
  const auto header = storage::ParseSegmentHeader(write.bytes.view());
  newest_segment_ = segment;
  if (header.has_value()) StartSegment(*header);
  // Recovery writes the entries before the header that makes them count.
  for (const auto& [index, mark] : headless_[segment]) AddEntry(segment, index, mark);
  headless_.erase(headless_.begin(), headless_.upper_bound(segment));
}

// A header says where the log before it ends; what else was written there is superseded.
void DurableState::StartSegment(const storage::SegmentHeader& header) {
  if (header.previous.seq == 0) {
    first_ = header.first_index;
    entries_.clear();
  }
  while (!entries_.empty() && last() >= header.first_index) entries_.pop_back();
}

void DurableState::AddEntry(uint64_t segment, LogIndex index, const EntryMark& mark) {
  if (index < first_ || index > last().Next()) {
    entries_.clear();
    first_ = index;
  }
  // What has an index at or below the last one supersedes the tail [ST-14].
  while (index <= last() && !entries_.empty()) entries_.pop_back();
  entries_.push_back({mark, segment});
}

void DurableState::Removed(FileId id) {
  if (id.kind == FileKind::kSnapshot) snapshots_.erase(LogIndex(id.seq));
  if (id.kind != FileKind::kSegment) return;
  size_t gone = 0;
  for (size_t i = 0; i < entries_.size() && entries_[i].segment <= id.seq; ++i) {
    if (entries_[i].segment == id.seq) gone = i + 1;
  }
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(gone));
  first_ = first_ + gone;
}

bool DurableState::HoldsTerm(Term term) const { return votes_[0].term >= term && votes_[1].term >= term; }

bool DurableState::HoldsVote(Term term, ReplicaId vote) const {
  for (const raft::HardState& slot : votes_) {
    if (slot.term < term || (slot.term == term && slot.vote != vote)) return false;
  }
  return true;
}

bool DurableState::Covers(LogIndex index) const {
  const LogIndex below = snapshot();
  return index <= below || (!entries_.empty() && first_ <= below.Next() && index <= last());
}

bool DurableState::Covers(LogIndex index, const EntryMark& mark) const {
  if (!Covers(index)) return false;
  return index <= snapshot() || entries_[index - first_].mark == mark;
}

}  // namespace bramah::sim

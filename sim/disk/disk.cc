#include "sim/disk/disk.h"

#include <algorithm>
#include <cstring>

#include "core/base/hash.h"
#include "sim/plan/streams.h"

namespace bramah::sim {
namespace {

enum class Loss { kKept, kLost, kTorn };

Loss DrawLoss(uint64_t draw, const CrashRules& rules) {
  const uint64_t point = Below(draw, 1'000'000);
  if (point < rules.lost_ppm) return Loss::kLost;
  return point < uint64_t{rules.lost_ppm} + rules.torn_ppm ? Loss::kTorn : Loss::kKept;
}

uint64_t NameKey(FileId file) { return FoldHash(static_cast<uint64_t>(file.kind), file.seq); }

auto FindUndo(auto& list, uint64_t sector) {
  return std::lower_bound(list.begin(), list.end(), sector, [](const auto& undo, uint64_t s) { return undo.sector < s; });
}

// `length` bytes from `within` of a sector of which `stored` is kept.
void CopySector(std::string_view stored, uint64_t within, uint64_t length, char* to) {
  const uint64_t kept = within < stored.size() ? std::min<uint64_t>(length, stored.size() - within) : 0;
  if (kept > 0) std::memcpy(to, stored.data() + within, kept);
  std::memset(to + kept, 0, length - kept);
}

}  // namespace

std::optional<DiskError> Disk::Apply(const FileOp& op, std::vector<Blob>* reads) {
  Inode* inode = Find(op.file);
  switch (op.kind) {
    case FileOp::kCreate:
      ChangeName(op.kind, op.file, {}, std::make_shared<Inode>());
      return std::nullopt;
    case FileOp::kUnlink:
      if (inode != nullptr) ChangeName(op.kind, op.file, {}, nullptr);
      return std::nullopt;
    case FileOp::kRename:
      if (inode == nullptr) return DiskError::kWriteIo;
      ChangeName(op.kind, op.file, op.to, view_.at(op.file));
      return std::nullopt;
    case FileOp::kSyncDir:
      for (const Pending& change : pending_) ApplyName(durable_, change);
      pending_.clear();
      return std::nullopt;
    case FileOp::kZeroFill:
      if (inode == nullptr) return DiskError::kWriteIo;
      if (op.offset < inode->size) Write(*inode, op.offset, std::string(std::min(op.length, inode->size - op.offset), '\0'));
      inode->size = std::max(inode->size, op.offset + op.length);
      return std::nullopt;
    case FileOp::kWrite:
      if (inode == nullptr) return DiskError::kWriteIo;
      Write(*inode, op.offset, op.bytes.view());
      return std::nullopt;
    case FileOp::kSyncData:
      if (inode == nullptr) return DiskError::kSyncIo;
      Sync(*inode);
      return std::nullopt;
    case FileOp::kRead:
      if (inode == nullptr) return DiskError::kReadIo;
      reads->push_back(Read(*inode, op.offset, op.length));
      return std::nullopt;
  }
  return DiskError::kWriteIo;
}

void Disk::ApplyPrefix(const FileOp& op, uint64_t length) {
  Inode* inode = Find(op.file);
  if (inode != nullptr && op.kind == FileOp::kWrite) Write(*inode, op.offset, op.bytes.view().substr(0, length));
}

void Disk::FailSync(const FileOp& op) {
  if (op.kind == FileOp::kSyncDir) {
    pending_.clear();
    return;
  }
  if (Inode* inode = Find(op.file); inode != nullptr) FailSync(*inode);
}

bool Disk::Grows(const FileOp& op) const {
  const Inode* inode = Find(op.file);
  const uint64_t size = inode == nullptr ? 0 : inode->size;
  if (op.kind == FileOp::kWrite) return op.offset + op.bytes.size() > size;
  return op.kind == FileOp::kZeroFill && op.offset + op.length > size;
}

// ------------------------------------------------------------------------------------------------------------------ contents

// The sector is about to change: remember what a machine crash would bring back.
Disk::Sector& Disk::Touch(Inode& inode, uint64_t number) {
  if (number >= inode.sectors.size()) inode.sectors.resize(number + 1);
  Sector& sector = inode.sectors[number];
  sector.written_before_sync = inode.syncs + 1;
  const auto at = FindUndo(inode.dirty, number);
  if (at != inode.dirty.end() && at->sector == number) return sector;
  const auto given_up = FindUndo(inode.dropped, number);
  if (given_up != inode.dropped.end() && given_up->sector == number) {
    inode.dirty.insert(at, std::move(*given_up));
    inode.dropped.erase(given_up);
  } else {
    inode.dirty.insert(at, {number, sector.bytes});
  }
  return sector;
}

void Disk::Write(Inode& inode, uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const uint64_t within = offset % kSectorBytes;
    const uint64_t length = std::min<uint64_t>(bytes.size(), kSectorBytes - within);
    std::string& sector = Touch(inode, offset / kSectorBytes).bytes;
    if (sector.size() < within + length) sector.resize(within + length);
    std::memcpy(sector.data() + within, bytes.data(), length);
    bytes.remove_prefix(length);
    offset += length;
    inode.size = std::max(inode.size, offset);
  }
}

void Disk::Sync(Inode& inode) {
  ++inode.syncs;
  inode.dirty.clear();
  inode.durable_size = inode.size;
}

void Disk::FailSync(Inode& inode) {
  for (Undo& undo : inode.dirty) inode.dropped.insert(FindUndo(inode.dropped, undo.sector), std::move(undo));
  inode.dirty.clear();
}

void Disk::CopyOut(const Inode& inode, uint64_t offset, uint64_t length, char* to) {
  while (length > 0) {
    const uint64_t number = offset / kSectorBytes;
    const uint64_t within = offset % kSectorBytes;
    const uint64_t part = std::min(length, kSectorBytes - within);
    const std::string_view stored = number < inode.sectors.size() ? inode.sectors[number].bytes : std::string_view();
    CopySector(stored, within, part, to);
    offset += part;
    length -= part;
    to += part;
  }
}

Blob Disk::Read(const Inode& inode, uint64_t offset, uint64_t length) {
  // Behind the last sector there is nothing but what a kZeroFill left.
  const uint64_t end = std::min(inode.size, inode.sectors.size() * kSectorBytes);
  if (offset >= end) return Blob();
  const uint64_t size = std::min(length, end - offset);
  return Blob::Make(size, [&](char* to) { CopyOut(inode, offset, size, to); });
}

// Shrinks to `size`; what lay behind it reads as zeros if the file grows again.
void Disk::Truncate(Inode& inode, uint64_t size) {
  inode.size = size;
  const uint64_t keep = (size + kSectorBytes - 1) / kSectorBytes;
  if (inode.sectors.size() > keep) inode.sectors.resize(keep);
  const uint64_t within = size % kSectorBytes;
  if (within == 0 || inode.sectors.size() < keep) return;
  std::string& last = inode.sectors.back().bytes;
  if (last.size() > within) last.resize(within);
}

// --------------------------------------------------------------------------------------------------------------------- names

Disk::Inode* Disk::Find(FileId file) const {
  if (latest_.inode != nullptr && latest_.file == file) return latest_.inode;
  const auto at = view_.find(file);
  if (at == view_.end()) return nullptr;
  latest_ = {file, at->second.get()};
  return latest_.inode;
}

void Disk::ApplyName(Names& names, const Pending& change) {
  if (change.kind == FileOp::kUnlink) {
    names.erase(change.file);
    return;
  }
  // A rename carries its file, whether or not the creation it follows became durable; a file never has two names.
  if (change.kind == FileOp::kRename) {
    for (auto at = names.begin(); at != names.end();) at = at->second == change.inode ? names.erase(at) : std::next(at);
  }
  names[change.kind == FileOp::kRename ? change.to : change.file] = change.inode;
}

void Disk::ChangeName(FileOp::Kind kind, FileId file, FileId to, InodeRef inode) {
  pending_.push_back({kind, file, to, std::move(inode)});
  ApplyName(view_, pending_.back());
  latest_ = Found();
}

std::vector<FileInfo> Disk::List() const {
  std::vector<FileInfo> files;
  for (const auto& [id, inode] : view_) files.push_back({id, inode->size});
  return files;
}

std::optional<std::string> Disk::View(FileId file) const {
  const Inode* inode = Find(file);
  if (inode == nullptr) return std::nullopt;
  std::string contents(inode->size, '\0');
  CopyOut(*inode, 0, inode->size, contents.data());
  return contents;
}

std::optional<std::string> Disk::Durable(FileId file) const {
  const auto at = durable_.find(file);
  if (at == durable_.end()) return std::nullopt;
  const Inode& inode = *at->second;
  std::string contents(inode.size, '\0');
  CopyOut(inode, 0, inode.size, contents.data());
  for (const UndoList* list : {&inode.dirty, &inode.dropped}) {
    for (const Undo& undo : *list) {
      const uint64_t offset = undo.sector * kSectorBytes;
      if (offset >= contents.size()) continue;
      CopySector(undo.old, 0, std::min<uint64_t>(kSectorBytes, contents.size() - offset), contents.data() + offset);
    }
  }
  contents.resize(inode.durable_size, '\0');
  return contents;
}

// -------------------------------------------------------------------------------------------------------------------- crashes

void Disk::CrashInode(Inode& inode, FileId file, const CrashRules& rules) {
  const uint64_t crash = FoldHash(rules.crash, NameKey(file));
  for (const Undo& undo : inode.dirty) {
    const uint64_t draw = Draw(rules.seed, Stream::kCrashSector, rules.entity, FoldHash(crash, undo.sector));
    const Loss loss = DrawLoss(draw, rules);
    std::string& bytes = inode.sectors[undo.sector].bytes;
    if (loss == Loss::kLost) bytes = undo.old;
    if (loss != Loss::kTorn) continue;
    bytes.resize(kSectorBytes);
    const uint64_t whole = Below(Scramble(draw), kSectorBytes / 8) * 8;
    for (uint64_t i = whole; i < kSectorBytes; i += 8) {
      const uint64_t garbage = Scramble(draw ^ i);
      std::memcpy(bytes.data() + i, &garbage, 8);
    }
  }
  for (const Undo& undo : inode.dropped) inode.sectors[undo.sector].bytes = undo.old;
  const uint64_t draw = Draw(rules.seed, Stream::kCrashSector, rules.entity, FoldHash(crash, UINT64_MAX));
  if (inode.size != inode.durable_size && DrawLoss(draw, rules) != Loss::kKept) Truncate(inode, inode.durable_size);
  inode.durable_size = inode.size;
  inode.dirty.clear();
  inode.dropped.clear();
}

void Disk::CrashMachine(const CrashRules& rules) {
  uint64_t number = 0;
  for (const Pending& change : pending_) {
    const uint64_t draw = Draw(rules.seed, Stream::kCrashName, rules.entity, FoldHash(rules.crash, number++));
    if (!Chance(draw, uint64_t{rules.lost_ppm} + rules.torn_ppm)) ApplyName(durable_, change);
  }
  pending_.clear();
  view_ = durable_;
  latest_ = Found();
  for (const auto& [id, inode] : view_) CrashInode(*inode, id, rules);
}

std::optional<std::string> Disk::FlipBit(uint64_t choice) {
  struct Candidate {
    FileId file;
    Inode* inode;
    uint64_t sector;
  };
  std::vector<Candidate> candidates;
  for (const auto& [id, inode] : durable_) {
    for (uint64_t sector = 0; sector < inode->sectors.size(); ++sector) {
      const uint32_t synced = inode->sectors[sector].written_before_sync;
      const bool settled = id.kind == FileKind::kSegment ? synced + 1 <= inode->syncs : synced <= inode->syncs;
      if (synced != 0 && settled && sector * kSectorBytes < inode->durable_size) candidates.push_back({id, inode.get(), sector});
    }
  }
  if (candidates.empty()) return std::nullopt;
  const Candidate& victim = candidates[Below(Scramble(choice), candidates.size())];
  const uint64_t last = std::min(kSectorBytes, victim.inode->durable_size - victim.sector * kSectorBytes);
  const uint64_t offset = Below(Scramble(choice ^ 1), last);
  const uint64_t bit = Below(Scramble(choice ^ 2), 8);
  std::string& bytes = victim.inode->sectors[victim.sector].bytes;
  if (bytes.size() <= offset) bytes.resize(offset + 1);
  bytes[offset] ^= static_cast<char>(1u << bit);
  return FileName(victim.file) + " byte " + std::to_string(victim.sector * kSectorBytes + offset) + " bit " + std::to_string(bit);
}

void Disk::Wipe() {
  view_.clear();
  latest_ = Found();
  durable_.clear();
  pending_.clear();
}

}  // namespace bramah::sim

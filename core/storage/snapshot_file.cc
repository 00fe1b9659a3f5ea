#include "core/storage/snapshot_file.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/storage/file_ops.h"

namespace bramah::storage {
namespace {

constexpr std::string_view kMagic = "BRAMAHSN";

}  // namespace

Blob EncodeSnapshotHeader(const Owner& owner, const raft::Snapshot& snapshot) {
  std::string bytes;
  ByteWriter out(&bytes);
  out.Raw(kMagic);
  out.U32(kFormatVersion);
  out.U64(owner.cell);
  out.U32(owner.member.value());
  out.U64(owner.disk_high);
  out.U64(owner.disk_low);
  out.U64(snapshot.meta.index.value());
  out.U64(snapshot.meta.term.value());
  out.I64(snapshot.meta.cluster_time);
  out.U64(snapshot.state.size());
  out.U64(Hash64(snapshot.state.view()));
  out.Bytes(snapshot.meta.configuration);
  out.U32(Crc32c(bytes));
  return Blob(bytes);
}

std::optional<raft::Snapshot> ParseSnapshotFile(const Owner& owner, LogIndex index, std::string_view bytes) {
  ByteReader in(bytes);
  if (in.Raw(kMagic.size()) != kMagic || in.U32() != kFormatVersion) return std::nullopt;
  Owner found;
  found.cell = in.U64();
  found.member = ReplicaId(in.U32());
  found.disk_high = in.U64();
  found.disk_low = in.U64();
  raft::Snapshot snapshot;
  snapshot.meta.index = LogIndex(in.U64());
  snapshot.meta.term = Term(in.U64());
  snapshot.meta.cluster_time = in.I64();
  const uint64_t state_bytes = in.U64();
  const uint64_t checksum = in.U64();
  snapshot.meta.configuration = std::string(in.Bytes());
  const std::string_view header = bytes.substr(0, bytes.size() - in.rest().size());
  const uint32_t crc = in.U32();
  if (!in.ok() || crc != Crc32c(header)) return std::nullopt;
  if (found != owner || snapshot.meta.index != index || in.rest().size() != state_bytes) return std::nullopt;
  if (Hash64(in.rest()) != checksum) return std::nullopt;
  snapshot.state = Blob(in.rest());
  return snapshot;
}

void AppendSnapshotFile(const Owner& owner, const raft::Snapshot& snapshot, std::vector<FileOp>* ops) {
  const FileId temporary{FileKind::kSnapshotTmp, snapshot.meta.index.value()};
  const Blob header = EncodeSnapshotHeader(owner, snapshot);
  ops->push_back(CreateFile(temporary));
  ops->push_back(WriteFile(temporary, 0, header));
  ops->push_back(WriteFile(temporary, header.size(), snapshot.state));
  ops->push_back(SyncFile(temporary));
  ops->push_back(RenameFile(temporary, {FileKind::kSnapshot, snapshot.meta.index.value()}));
}

SnapshotWriter::SnapshotWriter(const Owner& owner, raft::Snapshot snapshot)
    : snapshot_(std::move(snapshot)),
      header_(EncodeSnapshotHeader(owner, snapshot_)),
      file_{FileKind::kSnapshot, snapshot_.meta.index.value()},
      temporary_{FileKind::kSnapshotTmp, snapshot_.meta.index.value()} {}

void SnapshotWriter::NextBatch(std::vector<FileOp>* ops) {
  BRAMAH_CHECK(state_ == State::kWriting);
  if (written_ < total()) {
    AppendChunk(ops);
    if (written_ < total()) return;
    ops->push_back(RenameFile(temporary_, file_));
    ops->push_back(SyncDirectory());
  }
  reading_ = std::min(total() - verified_, kSnapshotChunkBytes);
  ops->push_back(ReadFile(file_, verified_, reading_));
}

// The header goes with the first chunk of the state.
void SnapshotWriter::AppendChunk(std::vector<FileOp>* ops) {
  if (written_ == 0) {
    ops->push_back(CreateFile(temporary_));
    ops->push_back(WriteFile(temporary_, 0, header_));
    written_ = header_.size();
  }
  const std::string_view rest = snapshot_.state.view().substr(written_ - header_.size());
  if (!rest.empty()) {
    const bool whole = rest.size() == snapshot_.state.size() && rest.size() <= kSnapshotChunkBytes;
    Blob chunk = whole ? snapshot_.state : Blob(rest.substr(0, kSnapshotChunkBytes));
    const uint64_t offset = written_;
    written_ += chunk.size();
    ops->push_back(WriteFile(temporary_, offset, std::move(chunk)));
  }
  ops->push_back(SyncFile(temporary_));
}

void SnapshotWriter::Completed(absl::Span<const Blob> reads) {
  if (reading_ == 0) return;
  if (reads.size() != 1 || reads[0].size() != reading_ || !Matches(reads[0].view())) {
    state_ = State::kDifferent;
    return;
  }
  verified_ += reading_;
  reading_ = 0;
  if (verified_ == total()) state_ = State::kVerified;
}

// Whether `read` is what was written from verified_ on.
bool SnapshotWriter::Matches(std::string_view read) const {
  uint64_t at = verified_;
  if (at < header_.size()) {
    const size_t part = std::min<size_t>(read.size(), header_.size() - at);
    if (read.substr(0, part) != header_.view().substr(at, part)) return false;
    read.remove_prefix(part);
    at += part;
  }
  return read == snapshot_.state.view().substr(at - header_.size(), read.size());
}

}  // namespace bramah::storage

#include "core/api/files.h"

namespace bramah {
namespace {

constexpr std::string_view kSegmentPrefix = "wal-";
constexpr std::string_view kSnapshotPrefix = "snapshot-";
constexpr std::string_view kTmpSuffix = ".tmp";

std::string Hex16(uint64_t value) {
  std::string text(16, '0');
  for (int i = 15; i >= 0; --i, value >>= 4) text[static_cast<size_t>(i)] = "0123456789abcdef"[value & 15];
  return text;
}

std::optional<uint64_t> ParseHex16(std::string_view text) {
  if (text.size() != 16) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    const size_t digit = std::string_view("0123456789abcdef").find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    value = value << 4 | digit;
  }
  return value;
}

}  // namespace

std::string FileName(FileId id) {
  switch (id.kind) {
    case FileKind::kIdentity:
      return "identity";
    case FileKind::kIdentityTmp:
      return "identity.tmp";
    case FileKind::kVote:
      return id.seq == 0 ? "vote-0" : "vote-1";
    case FileKind::kSegment:
      return std::string(kSegmentPrefix) + Hex16(id.seq);
    case FileKind::kSnapshot:
      return std::string(kSnapshotPrefix) + Hex16(id.seq);
    case FileKind::kSnapshotTmp:
      return std::string(kSnapshotPrefix) + Hex16(id.seq) + std::string(kTmpSuffix);
  }
  return {};
}

std::optional<FileId> ParseFileName(std::string_view name) {
  if (name == "identity") return FileId{FileKind::kIdentity, 0};
  if (name == "identity.tmp") return FileId{FileKind::kIdentityTmp, 0};
  if (name == "vote-0") return FileId{FileKind::kVote, 0};
  if (name == "vote-1") return FileId{FileKind::kVote, 1};
  if (name.starts_with(kSegmentPrefix)) {
    const auto seq = ParseHex16(name.substr(kSegmentPrefix.size()));
    if (seq.has_value()) return FileId{FileKind::kSegment, *seq};
  }
  if (name.starts_with(kSnapshotPrefix)) {
    name.remove_prefix(kSnapshotPrefix.size());
    const bool tmp = name.ends_with(kTmpSuffix);
    if (tmp) name.remove_suffix(kTmpSuffix.size());
    const auto seq = ParseHex16(name);
    if (seq.has_value()) return FileId{tmp ? FileKind::kSnapshotTmp : FileKind::kSnapshot, *seq};
  }
  return std::nullopt;
}

}  // namespace bramah

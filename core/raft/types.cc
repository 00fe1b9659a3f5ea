#include "core/raft/types.h"

#include <cstring>

#include "core/base/bytes.h"

namespace bramah::raft {

Entry::Entry(Term term, Time cluster_time, EntryKind kind, std::string_view payload)
    : bytes_(Blob::Make(kHeaderBytes + payload.size(),
                        [&](char* to) {
                          StoreLittle<uint64_t>(to, term.value());
                          StoreLittle<int64_t>(to + 8, cluster_time);
                          to[16] = static_cast<char>(kind);
                          std::memcpy(to + kHeaderBytes, payload.data(), payload.size());
                        })),
      term_(term),
      cluster_time_(cluster_time),
      kind_(kind) {}

std::optional<Entry> Entry::Parse(Blob bytes) {
  const std::string_view view = bytes.view();
  if (view.size() < kHeaderBytes) return std::nullopt;
  Entry entry;
  entry.term_ = Term(LoadLittle<uint64_t>(view.data()));
  entry.cluster_time_ = LoadLittle<int64_t>(view.data() + 8);
  if (entry.cluster_time_ < 0 || entry.cluster_time_ > kClusterTimeMax) return std::nullopt;
  const uint8_t kind = static_cast<uint8_t>(view[16]);
  if (kind != static_cast<uint8_t>(EntryKind::kCommand) && kind != static_cast<uint8_t>(EntryKind::kConfiguration)) {
    return std::nullopt;
  }
  entry.kind_ = static_cast<EntryKind>(kind);
  entry.bytes_ = std::move(bytes);
  return entry;
}

Term Entry::TermIn(std::string_view bytes) { return Term(LoadLittle<uint64_t>(bytes.data())); }

}  // namespace bramah::raft

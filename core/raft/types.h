// The values that Raft, storage and checkers share: entries, what is durable beside the log, and what a snapshot says of itself.
#ifndef BRAMAH_CORE_RAFT_TYPES_H_
#define BRAMAH_CORE_RAFT_TYPES_H_

#include <optional>
#include <string>
#include <string_view>

#include "core/base/blob.h"
#include "core/base/ids.h"
#include "core/base/time.h"

namespace bramah::raft {

enum class EntryKind : uint8_t {
  kCommand = 1,        // payload: serialized v1::Command
  kConfiguration = 2,  // payload: serialized v1::Configuration; effective from the moment it is in the log [Raft §6]
};

// One log entry. The same bytes travel in AppendRequest.entries and lie in log records, so an entry is encoded once:
//
//   uint64 term | int64 cluster_time | uint8 kind | payload        (little-endian)
//
// An Entry is immutable and cheap to copy.
class Entry {
 public:
  static constexpr size_t kHeaderBytes = 17;

  Entry() = default;
  Entry(Term term, Time cluster_time, EntryKind kind, std::string_view payload);
  // Null if `bytes` is no entry: too short, or of a kind this version does not know.
  static std::optional<Entry> Parse(Blob bytes);
  // The term of the entry that `bytes` are. REQUIRES: they were an Entry's.
  static Term TermIn(std::string_view bytes);

  Term term() const { return term_; }
  // Cluster time stamped by the leader that created the entry; never falls along a log [L6, A-14].
  Time cluster_time() const { return cluster_time_; }
  EntryKind kind() const { return kind_; }
  std::string_view payload() const { return bytes_.view().substr(kHeaderBytes); }
  const Blob& bytes() const { return bytes_; }
  friend bool operator==(const Entry& a, const Entry& b) { return a.bytes_ == b.bytes_; }

 private:
  Blob bytes_;
  Term term_;
  Time cluster_time_ = 0;
  EntryKind kind_ = EntryKind::kCommand;
};

// Stored in the two vote slots.
struct HardState {
  Term term;
  ReplicaId vote;        // none: no vote in `term`
  Duration promise = 0;  // largest E_min under which a vote may have been promised; a restarted voter waits this long
  friend bool operator==(const HardState&, const HardState&) = default;
};

// What a snapshot stands for: the state after `index`.
struct SnapshotMeta {
  LogIndex index;
  Term term;
  Time cluster_time = 0;
  std::string configuration;  // serialized v1::Configuration in force at `index`
  friend bool operator==(const SnapshotMeta&, const SnapshotMeta&) = default;
};

struct Snapshot {
  SnapshotMeta meta;
  Blob state;  // cell::Cell::Save
};

}  // namespace bramah::raft

#endif  // BRAMAH_CORE_RAFT_TYPES_H_

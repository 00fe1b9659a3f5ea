// Term and vote on disk: two slots that always end up with the same generation, so that losing either one loses nothing [ST-08].
#ifndef BRAMAH_CORE_STORAGE_VOTE_SLOTS_H_
#define BRAMAH_CORE_STORAGE_VOTE_SLOTS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/api/files.h"
#include "core/raft/types.h"
#include "core/storage/format.h"

namespace bramah::storage {

class VoteSlots {
 public:
  VoteSlots() = default;
  VoteSlots(const Owner& owner, uint64_t generation, const raft::HardState& hard);

  // The state of a new directory: generation 1, term 0, no vote. AppendFormat creates and syncs both slots.
  static VoteSlots New(const Owner& owner) { return VoteSlots(owner, 1, {}); }
  void AppendFormat(std::vector<FileOp>* ops) const;

  // Buffered until the next AppendWrite.
  void Set(const raft::HardState& hard);
  bool pending() const { return pending_; }
  // What was last set, or recovered.
  const raft::HardState& hard() const { return hard_; }
  uint64_t generation() const { return generation_; }

  // Writes one slot and syncs it, then the other: at every instant one of them is whole, and when the last sync is done both
  // hold the new generation. `first` is the slot to begin with.
  void AppendWrite(std::vector<FileOp>* ops, uint32_t first = 0);

 private:
  FileOp WriteOf(uint32_t slot) const;

  Owner owner_;
  uint64_t generation_ = 0;
  raft::HardState hard_;
  bool pending_ = false;
};

// What recovery makes of the two slots. The highest valid generation wins.
struct RecoveredVote {
  VoteSlots slots;
  uint32_t winner = 0;  // the other slot has to be rewritten first
  bool one_only = false;
};
// Null if neither slot is valid. A missing file counts as empty.
std::optional<RecoveredVote> RecoverVote(const Owner& owner, const std::array<std::string_view, 2>& slots);

}  // namespace bramah::storage

#endif  // BRAMAH_CORE_STORAGE_VOTE_SLOTS_H_

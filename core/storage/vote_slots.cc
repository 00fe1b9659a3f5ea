#include "core/storage/vote_slots.h"

#include "core/storage/file_ops.h"

namespace bramah::storage {

VoteSlots::VoteSlots(const Owner& owner, uint64_t generation, const raft::HardState& hard)
    : owner_(owner), generation_(generation), hard_(hard) {}

FileOp VoteSlots::WriteOf(uint32_t slot) const {
  return WriteFile({FileKind::kVote, slot}, 0, Blob(EncodeVoteSlot({slot, owner_, generation_, hard_})));
}

void VoteSlots::AppendFormat(std::vector<FileOp>* ops) const {
  for (const uint32_t slot : {0u, 1u}) {
    ops->push_back(CreateFile({FileKind::kVote, slot}));
    ops->push_back(WriteOf(slot));
    ops->push_back(SyncFile({FileKind::kVote, slot}));
  }
}

void VoteSlots::Set(const raft::HardState& hard) {
  hard_ = hard;
  if (!pending_) ++generation_;
  pending_ = true;
}

void VoteSlots::AppendWrite(std::vector<FileOp>* ops, uint32_t first) {
  for (const uint32_t slot : {first, 1 - first}) {
    ops->push_back(WriteOf(slot));
    ops->push_back(SyncFile({FileKind::kVote, slot}));
  }
  pending_ = false;
}

std::optional<RecoveredVote> RecoverVote(const Owner& owner, const std::array<std::string_view, 2>& slots) {
  std::optional<VoteRecord> best;
  int valid = 0;
  for (const uint32_t slot : {0u, 1u}) {
    const std::optional<VoteRecord> record = ParseVoteSlot(slots[slot]);
    if (!record.has_value() || record->slot != slot || record->owner != owner) continue;
    ++valid;
    if (!best.has_value() || record->generation > best->generation) best = record;
  }
  if (!best.has_value()) return std::nullopt;
  return RecoveredVote{VoteSlots(owner, best->generation, best->hard), best->slot, valid == 1};
}

}  // namespace bramah::storage

#include "sim/check/digest_checker.h"

#include "absl/strings/str_cat.h"
#include "core/cell/cell.h"

namespace bramah::sim {

void DigestChecker::AfterStep(Time at, ReplicaId replica, const replica::ServerView& view) {
  LogIndex& seen = applied_[replica.value() - 1];
  if (view.applied == seen || view.cell == nullptr) return;
  seen = view.applied;
  Digest* known = digests_.At(view.applied.value());
  if (known == nullptr) return;
  const uint64_t digest = view.cell->digest();
  if (!known->by) *known = {digest, replica};
  if (known->value == digest) return;
  reporter_->Report("state.digest", at,
                    absl::StrCat("after index ", view.applied.value(), " r", replica.value(), " is in state ",
                                 absl::Hex(digest, absl::kZeroPad16), ", r", known->by.value(), " was in ",
                                 absl::Hex(known->value, absl::kZeroPad16)));
}

void DigestChecker::Recheck(Time at, ReplicaId replica, const replica::ServerView& view) {
  if (view.cell == nullptr) return;
  const uint64_t slow = view.cell->DigestSlow();
  if (slow == view.cell->digest()) return;
  reporter_->Report("state.digest", at,
                    absl::StrCat("r", replica.value(), " keeps digest ", absl::Hex(view.cell->digest(), absl::kZeroPad16),
                                 " of a state whose digest is ", absl::Hex(slow, absl::kZeroPad16), ", at index ",
                                 view.applied.value()));
}

}  // namespace bramah::sim

// Comparison: are the replicas that have applied the same entries in the same state [Chubby §5, D-60]? A fault of the memory or
// of the program may make one go its own way, and nothing of the protocol would notice.
//
// Every replica tells the others the digest of its state after each entry whose index is a multiple of kEvery. The one that the
// majority contradicts halts; the others go on. Nothing of this is replicated or durable: what is lost or late is compared the
// next time.
#ifndef BRAMAH_CORE_REPLICA_COMPARISON_H_
#define BRAMAH_CORE_REPLICA_COMPARISON_H_

#include <cstddef>
#include <cstdint>

#include "core/base/ids.h"
#include "core/base/small_map.h"

namespace bramah::replica {

class Comparison {
 public:
  static constexpr uint64_t kEvery = 256;

  // The state of a replica after the entry at `index`.
  struct Mark {
    LogIndex index;
    uint64_t digest = 0;
    friend bool operator==(const Mark&, const Mark&) = default;
  };
  // This replica's.
  void Note(const Mark& mark) { mine_ = mark; }
  // Another member's.
  void Hear(ReplicaId from, const Mark& mark) { theirs_[from] = mark; }
  const Mark& mine() const { return mine_; }

  // Whether more than half of `members` replicas agree on another state than this one has.
  bool Outvoted(size_t members) const {
    for (const auto& [id, mark] : theirs_) {
      if (mark.index == mine_.index && mark.digest != mine_.digest && Saying(mark) > members / 2) return true;
    }
    return false;
  }

 private:
  size_t Saying(const Mark& mark) const {
    size_t count = 0;
    for (const auto& [id, theirs] : theirs_) count += theirs == mark ? 1 : 0;
    return count;
  }

  Mark mine_;
  SmallMap<ReplicaId, Mark> theirs_;  // the latest of each
};

}  // namespace bramah::replica

#endif  // BRAMAH_CORE_REPLICA_COMPARISON_H_

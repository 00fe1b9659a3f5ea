// state.digest: replicas that have applied the same entries are in the same state [INV-11, D-60].
#ifndef BRAMAH_SIM_CHECK_DIGEST_CHECKER_H_
#define BRAMAH_SIM_CHECK_DIGEST_CHECKER_H_

#include <cstdint>
#include <vector>

#include "core/replica/view.h"
#include "sim/check/reporter.h"
#include "sim/check/shadow_log.h"

namespace bramah::sim {

class DigestChecker {
 public:
  DigestChecker(uint32_t replicas, Reporter* reporter) : reporter_(reporter), applied_(replicas) {}

  void Booted(ReplicaId replica) { applied_[replica.value() - 1] = LogIndex(); }
  void AfterStep(Time at, ReplicaId replica, const replica::ServerView& view);
  // Recomputes the digest from scratch: it must equal the one kept incrementally.
  void Recheck(Time at, ReplicaId replica, const replica::ServerView& view);
  void TrimBelow(LogIndex index) { digests_.TrimBelow(index.value()); }

 private:
  struct Digest {
    uint64_t value = 0;
    ReplicaId by;  // none: not known yet
  };
  Reporter* reporter_;
  std::vector<LogIndex> applied_;
  IndexTable<Digest> digests_;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_DIGEST_CHECKER_H_

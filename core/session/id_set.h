// IdSet: a set of ids kept as disjoint runs. Clients number their handles densely, so the set of closed ones is a run or two
// however long the session lives.
#ifndef BRAMAH_CORE_SESSION_ID_SET_H_
#define BRAMAH_CORE_SESSION_ID_SET_H_

#include <cstddef>
#include <cstdint>

#include "absl/container/btree_map.h"

namespace bramah::session {

class IdSet {
 public:
  using Runs = absl::btree_map<uint64_t, uint64_t>;  // first -> last, neither touching nor overlapping

  bool Contains(uint64_t id) const;
  void Insert(uint64_t id);
  // For loading: adds the run [first, last] behind all others. False if that would not give disjoint runs.
  bool AppendRun(uint64_t first, uint64_t last);
  const Runs& runs() const { return runs_; }

  uint64_t digest() const { return digest_; }
  uint64_t DigestSlow() const;

 private:
  void Add(uint64_t first, uint64_t last);
  void Drop(Runs::iterator run);

  Runs runs_;
  uint64_t digest_ = 0;
};

}  // namespace bramah::session

#endif  // BRAMAH_CORE_SESSION_ID_SET_H_

// What the ACLs, the lock and the children of one instance went through, one line of events each: in what order is told by the
// numbers that answers show, and only the instants are open.
//
// Each is used so: Note() every remark; Lay() the line; Put() every remark that is an event; when these were settled, Judge().
#ifndef BRAMAH_SIM_CHECK_HISTORY_REMARK_LINES_H_
#define BRAMAH_SIM_CHECK_HISTORY_REMARK_LINES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "sim/check/history/precedence.h"
#include "sim/check/history/remark.h"

namespace bramah::sim {

// What is wrong, if something is.
using Problem = std::optional<std::string>;

// A remark and its number as a witness.
struct Witnessed {
  const Remark* remark = nullptr;
  Precedence::Witness number = 0;
};

// Generations of the ACLs, from 1 without a gap: a SetAcl each. Those of unknown outcome made the ones that nobody claims.
class AclLine {
 public:
  void Note(const Witnessed& witnessed);
  Problem Lay(Precedence& events);
  void Put(const Remark& remark, size_t event, Precedence& events) const;
  Problem Judge(const Precedence& events) const;

 private:
  Problem CheckNames() const;
  Problem FindMakers(const Precedence& events) const;

  std::vector<Witnessed> sets_;  // answered
  std::vector<Witnessed> seen_;
  std::vector<const Remark*> maybes_;
  uint64_t latest_ = 1;
  std::vector<const Remark*> makers_;  // by generation - 1
  size_t first_ = 0;
};

// One of being held.
struct LockPeriod {
  v1::LockMode mode = v1::FREE;    // FREE: nobody says
  const Remark* seen = nullptr;    // the first that tells of it
  const Remark* holder = nullptr;  // the first that had it exclusively
  bool released = false;           // by that holder
  uint64_t asked = UINT64_MAX;     // when, at the earliest, those who were told that they hold
  size_t held = 0;                 // events: that it was held, and free
  size_t free = 0;
};

// How the lock went from period to period of being held. That a hold ends needs no call, for sessions do; that one begins needs
// an Acquire. A lock with several permits has a line for the latest period, which is what it shows, and one for each permit.
class LockLine {
 public:
  void Note(const Remark& remark);
  Problem Lay(Precedence& events);
  void Put(const Witnessed& witnessed, size_t event, Precedence& events) const;
  Problem Judge(const Precedence& events) const;

 private:
  static constexpr uint32_t kLatest = UINT32_MAX;  // the line of the lock itself
  using Periods = absl::btree_map<uint64_t, LockPeriod>;  // by generation

  uint32_t KeyOf(const LockRemark& lock) const;
  Problem Collect(const Remark& remark);
  Problem CheckHolder(const Remark& remark);
  void LayPermit(Periods& periods, Precedence& events) const;
  void PutShown(const LockRemark& lock, size_t event, Precedence& events) const;
  void EndPermits(uint64_t generation, size_t event, Precedence& events) const;
  Problem FindAskers(const Precedence& events) const;
  Problem FindUsers(const Precedence& events) const;

  std::vector<const Remark*> noted_;
  uint32_t permits_ = 0;
  absl::btree_map<uint32_t, Periods> lines_;
};

// What is known of them after one change, and the event of that.
struct ChildrenState {
  std::optional<uint64_t> count;
  std::optional<uint64_t> made;
  size_t event = 0;
};

// Changes of a directory's children, by the position of the entry.
class ChildrenLine {
 public:
  void Note(const Remark& remark);
  Problem Lay(Precedence& events);
  void Put(const Remark& remark, size_t event, Precedence& events) const;

 private:
  Problem problem_;
  absl::btree_map<uint64_t, ChildrenState> states_;  // by position
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_HISTORY_REMARK_LINES_H_

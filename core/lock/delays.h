// Delays: the lock-delays that are pending. Whoever loses a lock by dying may have requests under way that the lock was to
// protect, so nobody else gets it for as long as the lost handle asked for [Chubby §2.4, C-36].
//
// A delay belongs to the name, not to the node: deleting the node and creating it again does not open the lock earlier [D-33].
// Instants are cluster time, which never runs faster than real time allows and only loses when masters change [L6, D-30]. What
// has passed stays pending until an entry ends it; so whether a lock may be granted is a question about the state alone.
#ifndef BRAMAH_CORE_LOCK_DELAYS_H_
#define BRAMAH_CORE_LOCK_DELAYS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "core/base/time.h"
#include "core/wire/wire.pb.h"

namespace bramah::lock {

// A permit of which an exclusive hold was lost; an ordinary lock has only permit 0.
struct LostPermit {
  uint32_t permit = 0;
  uint32_t of = 1;  // so many permits the lock had
  Time until = 0;   // nobody is granted it before
  friend bool operator==(const LostPermit&, const LostPermit&) = default;
};

// What is pending for one name. A lost exclusive hold closes its permit, and the lock to shared holders; a lost shared one closes
// the lock to exclusive holders only, because other readers may hold it meanwhile [D-34]. If the node was
// made again with another number of permits, a lost one closes them all: what each of them means may have changed [D-33].
struct Delay {
  std::vector<LostPermit> lost;  // by permit
  Time exclusive = 0;            // nobody is granted the lock exclusively before; 0: nothing of the kind is pending

  bool pending() const { return exclusive != 0 || !lost.empty(); }
  friend bool operator==(const Delay&, const Delay&) = default;
};

class Delays {
 public:
  using Table = absl::btree_map<std::string, Delay, std::less<>>;

  // A hold of `mode` on `path` was lost; never shortens what is pending. REQUIRES: lost.until > 0.
  void Add(std::string_view path, v1::LockMode mode, const LostPermit& lost);
  // Delay() if nothing is pending.
  Delay At(std::string_view path) const;
  // Ends what is pending for `path` and has passed at `now`. True if that was anything.
  bool End(std::string_view path, Time now);
  // The names for which End would end something, in byte order.
  std::vector<std::string> Due(Time now) const;
  // When the next one may be ended; kNever if none is pending.
  Time next() const { return ends_.empty() ? kNever : ends_.begin()->first; }
  const Table& table() const { return table_; }

  // For loading a snapshot. False if `path` does not follow the last one, nothing is pending for it, or permits do not rise.
  bool Append(std::string_view path, const Delay& delay);

  uint64_t digest() const { return digest_; }
  uint64_t DigestSlow() const;

 private:
  // Replaces what is pending for `path`.
  void Set(std::string_view path, const Delay& delay);

  Table table_;
  absl::btree_set<std::pair<Time, std::string>> ends_;  // of each name the earliest of its parts
  uint64_t digest_ = 0;
};

}  // namespace bramah::lock

#endif  // BRAMAH_CORE_LOCK_DELAYS_H_

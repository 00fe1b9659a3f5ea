// Strong integer types for everything that is counted or named, so that a term can never be passed where an index is meant.
//
// All are plain values: totally ordered, trivially copyable, zero by default. Zero always means "none"; real values start at 1.
#ifndef BRAMAH_CORE_BASE_IDS_H_
#define BRAMAH_CORE_BASE_IDS_H_

#include <compare>
#include <cstdint>

namespace bramah {

// `Tag` makes types distinct; `Rep` is the unsigned integer that is stored.
template <class Tag, class Rep>
class StrongId {
 public:
  using rep = Rep;
  constexpr StrongId() = default;
  constexpr explicit StrongId(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  // True unless this is the "none" value.
  constexpr explicit operator bool() const { return value_ != 0; }
  constexpr StrongId Next() const { return StrongId(value_ + 1); }
  // REQUIRES: value() > 0.
  constexpr StrongId Prev() const { return StrongId(value_ - 1); }
  friend constexpr auto operator<=>(StrongId, StrongId) = default;
  friend constexpr StrongId operator+(StrongId id, Rep n) { return StrongId(id.value_ + n); }
  friend constexpr StrongId operator-(StrongId id, Rep n) { return StrongId(id.value_ - n); }
  // Distance; REQUIRES: a >= b.
  friend constexpr Rep operator-(StrongId a, StrongId b) { return a.value_ - b.value_; }

 private:
  Rep value_ = 0;
};

using ReplicaId = StrongId<struct ReplicaTag, uint32_t>;     // a member of the cell, 1..N; never reused for another member
using Term = StrongId<struct TermTag, uint64_t>;             // [Raft §5.1]
using LogIndex = StrongId<struct LogIndexTag, uint64_t>;     // 1 is the first entry
using Epoch = StrongId<struct EpochTag, uint64_t>;           // cell incarnation << 48 | term of the master
using SessionId = StrongId<struct SessionTag, uint64_t>;     // position of the entry that created the session
using HandleId = StrongId<struct HandleTag, uint64_t>;       // chosen by the client, never reused within a session
using RequestSeq = StrongId<struct SeqTag, uint64_t>;        // rises by one per mutating call of a session [D-56]
using Position =
    StrongId<struct PositionTag, uint64_t>;  // cell incarnation << 48 | log index: instances, lock generations
using ConnId = StrongId<struct ConnTag, uint64_t>;           // names one connection at one node; never reused between two Boots
using CallId = StrongId<struct CallTag, uint64_t>;           // names one call of the embedding application

}  // namespace bramah

#endif  // BRAMAH_CORE_BASE_IDS_H_

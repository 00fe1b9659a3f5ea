// What clients may keep of the cell, by id and class: the words in which master and client talk about caches [Chubby §2.7].
//
// An id is the instance of a node, or a hash: of the name for the absence of a node, of session and handle for a hold of its
// lock. Two things with one id would only be dropped together.
#ifndef BRAMAH_CORE_API_CACHE_H_
#define BRAMAH_CORE_API_CACHE_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/wire/wire.pb.h"

namespace bramah {

inline constexpr int kCacheClassCount = 6;
// Everything of a node that exists.
inline constexpr uint32_t kCacheNode = v1::CACHE_DATA | v1::CACHE_STAT | v1::CACHE_LOCK_STATE | v1::CACHE_CHILDREN;

// Bits of v1::CacheClass of one id.
struct Touch {
  uint64_t id = 0;
  uint32_t classes = 0;
  friend bool operator==(const Touch&, const Touch&) = default;
};
using Touches = std::vector<Touch>;

constexpr uint64_t CacheId(Position instance) { return instance.value(); }
inline uint64_t AbsenceId(std::string_view path) { return Hash64(path); }
// Who holds a lock counts as keeping something while its node is deleted: the belief that it holds.
inline uint64_t HoldId(SessionId session, HandleId handle) { return FoldHash(session.value(), handle.value()); }

// What an answer of the cell depends on; no classes: it must not be kept. Failures are not kept, but that there is no node is.
Touch DependsOn(const v1::Command& command, const v1::Outcome& outcome);

// Whether an OPEN may make a node.
bool MayCreate(const v1::Command& open);
// Whether the command changes something of its handle's own node, which is then the first thing that it touches. Its sender drops
// what it keeps of that node before it sends, and keeps nothing of it before it knows the outcome; so the master does not wait for
// the sender there. Both must mean the same commands [D-14, A-17].
bool WriterDropsOwn(v1::CommandKind kind);

// Writes into `command` what its proposer has made uncachable, and reads it back. What is no list of pairs is read as far as it
// is one.
void SetCovers(const Touches& touches, v1::Command& command);
Touches CoversOf(const v1::Command& command);

}  // namespace bramah

#endif  // BRAMAH_CORE_API_CACHE_H_

// Cache: answers of the master that are still true [Chubby §2.7]. The master registers who may keep what, and lets nothing of it
// change before that client has dropped it or its lease has run out; so what is here, is so, while the session is active.
//
// An answer that comes late is the danger: it was true once. It is kept only if no invalidation was processed that was queued
// after it [D-16], if the cache was not emptied since its question was sent, and if no change of this client's own was on
// its way at any time between question and answer. The caller knows these (core/client/kept.cc).
#ifndef BRAMAH_CORE_CLIENT_CACHE_H_
#define BRAMAH_CORE_CLIENT_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "core/api/cache.h"

namespace bramah::client {

// What a cache may hold; the oldest answers go first.
inline constexpr size_t kCachedAnswersMax = 4'096;
inline constexpr size_t kCachedBytesMax = 16 << 20;

class Cache {
 public:
  // An id, and which question about it.
  using Key = std::pair<uint64_t, uint32_t>;
  struct Answer {
    v1::CommandKind kind = v1::NONE;  // of the question
    bool with_stat = false;
    std::string path;      // of an OPEN
    v1::Outcome outcome;
    uint32_t classes = 0;  // that it depends on
    uint64_t order = 0;
    size_t bytes = 0;
  };
  using Answers = absl::btree_map<Key, Answer>;

  // What was answered to such a question about `id`; null if that is not known.
  const v1::Outcome* Find(uint64_t id, const v1::Command& question) const;
  // Whether it is known that there is no such node. Ids of names may be equal, so the name counts.
  bool Absent(const std::string& path, const v1::Command& open) const;
  // Since when such a question has been answered by Find without a gap: a number of its own for each such time. 0: it is not.
  uint64_t Since(uint64_t id, const v1::Command& question) const;
  void Keep(const Touch& depends_on, const v1::Command& question, const v1::Outcome& outcome);
  // Drops what depends on any of it; returns whether there was something.
  bool Drop(const Touch& touch);
  // Empties it; what was asked before is not kept any more. Returns whether there was something.
  bool Flush();
  // How often it was emptied.
  uint64_t generation() const { return generation_; }
  const Answers& answers() const { return answers_; }
  // Another number after every change of answers().
  uint64_t version() const { return version_; }

 private:
  Answers::iterator Erase(Answers::iterator at);

  Answers answers_;
  absl::btree_set<std::pair<uint64_t, Key>> by_age_;
  uint64_t last_order_ = 0;
  size_t bytes_ = 0;
  uint64_t generation_ = 0;
  uint64_t version_ = 0;
};

}  // namespace bramah::client

#endif  // BRAMAH_CORE_CLIENT_CACHE_H_

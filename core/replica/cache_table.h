// CacheTable: what each session may keep, and what nobody may keep at present because it is about to change [Chubby §2.7].
//
//   read   the answer may be kept if nothing that it depends on is uncachable; the session is then registered as a cacher
//   write  makes what it touches uncachable, tells every cacher once, and waits until none is left; when it has been applied,
//          what it touched may be kept again
//
// A cacher goes when it has acknowledged the item by which it was told, or when its session has lapsed or ended - not when it is
// told [CA-07]. While it is told nothing new is registered, so one round is enough for any number of writes [C-51].
//
// Soft state of one mastership. A new master starts with an empty table: it lets nothing change before every session that keeps
// answers has dropped them or lapsed. A session that has lapsed is being closed for good in this mastership, so whoever
// went on without it need not remember that.
#ifndef BRAMAH_CORE_REPLICA_CACHE_TABLE_H_
#define BRAMAH_CORE_REPLICA_CACHE_TABLE_H_

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "core/api/cache.h"
#include "core/base/ids.h"

namespace bramah::replica {

class CacheTable {
 public:
  // A session keeps answers of at most `ids_max` ids; then it is told to drop everything. All of them keep at most `total_max`.
  CacheTable(uint32_t ids_max, uint32_t total_max) : ids_max_(ids_max), total_max_(total_max) {}

  // ---- reads
  enum class Kept : uint8_t { kYes, kNo, kFull };
  // May the session keep an answer that depends on `touch`? `number` is that of the last item queued for it. kFull: no, and it
  // should be told to drop everything, which is then noted with Flushing.
  Kept Register(SessionId session, const Touch& touch, uint64_t number);
  void Flushing(SessionId session, uint64_t number);
  // The session believes in something that no read told it of; as if registered, but beyond all bounds. Nothing happens if a
  // write under way ends that already: whoever was told does not begin to believe it again.
  void Believes(SessionId session, const Touch& touch, uint64_t number);

  // ---- writes
  // From now on, and until the same is allowed again, none of this is kept by anybody new.
  void Forbid(const Touches& touches);
  void Allow(const Touches& touches);
  // Cachers of any of it that were not told yet.
  struct Untold {
    SessionId session;
    Touch touch;
  };
  std::vector<Untold> ToTell(const Touches& touches) const;
  // The session was told to drop `touch` by item `number`.
  void Told(SessionId session, const Touch& touch, uint64_t number);
  // Whether somebody may still have any of it, not counting what `writer` has of `own`: whoever changes a node dropped his own
  // copy before he asked [D-14, A-17].
  bool Cached(const Touches& touches, SessionId writer, uint64_t own) const;

  // ---- sessions
  // It has processed every item up to `number`. Returns whether a write may go on now that could not before.
  bool Acknowledge(SessionId session, uint64_t number);
  // It has lapsed or ended. As above.
  bool Forget(SessionId session);

 private:
  using Counts = std::array<uint32_t, kCacheClassCount>;
  struct Cacher {
    uint32_t classes = 0;
    uint32_t told = 0;  // classes to be dropped; not acknowledged
    std::array<uint64_t, kCacheClassCount> registered{};  // number of the last item before the class was registered
  };
  struct Id {
    absl::btree_map<SessionId, Cacher> cachers;
    Counts cached{};     // cachers of each class
    uint32_t untold = 0;  // cachers that may have to be told of something
    Counts forbidden{};  // writes under way
  };
  struct Notice {
    uint64_t number = 0;
    Touch touch;  // no classes: everything
  };
  struct Session {
    absl::btree_set<uint64_t> ids;
    std::deque<Notice> notices;  // not acknowledged
    uint64_t flushing = 0;       // item that told it to drop everything; 0: none is under way
  };

  // The session has processed a notice.
  void Obey(SessionId session, const Notice& notice);
  void Add(SessionId session, const Touch& touch, uint64_t number);
  // Takes the classes away from what the session keeps of `id`.
  void Drop(SessionId session, uint64_t id, uint32_t classes);
  void Sweep(uint64_t id);

  uint32_t ids_max_;
  uint32_t total_max_;
  uint32_t total_ = 0;
  bool freed_ = false;  // a class that writes wait for has at most one cacher left, which may be the writer
  absl::btree_map<uint64_t, Id> ids_;
  absl::btree_map<SessionId, Session> sessions_;
};

}  // namespace bramah::replica

#endif  // BRAMAH_CORE_REPLICA_CACHE_TABLE_H_

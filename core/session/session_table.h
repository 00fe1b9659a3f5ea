// SessionTable: the replicated part of all sessions - who exists, which handles are open, what was answered. Leases are the
// master's soft state and not known here [D-01, D-02].
#ifndef BRAMAH_CORE_SESSION_SESSION_TABLE_H_
#define BRAMAH_CORE_SESSION_SESSION_TABLE_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/base/id_map.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/session/id_set.h"
#include "core/session/results.h"

namespace bramah::session {

// 128 random bits of the client that make a repeated CreateSession the same session.
struct Nonce {
  uint64_t high = 0;
  uint64_t low = 0;
  friend auto operator<=>(const Nonce&, const Nonce&) = default;
};

struct Handle {
  Position instance;      // the node it is bound to, also after that was deleted [C-23]
  bool readable = false;  // the opener might read
  bool writable = false;  // SetContents, Delete and locking need it [Chubby §2.4]
  bool changes_acl = false;  // SetACL needs it
  Duration lock_delay = 0;  // how long nobody gets the lock if this handle loses it; 0 to kLockDelayMax [C-36]
  uint32_t events = 0;      // bits of v1::EventKind that its session is told of
  uint64_t check_digits = 0;  // whoever uses it must name them; 0 if the cell had no secret yet (check_digits.h)
  Position waits;         // key of its waiter in the node's lock, none if it waits for nothing; derived, in no snapshot
};

class Session {
 public:
  // By id. Clients number their handles upwards, so a new one goes to the end.
  using Handles = std::vector<std::pair<HandleId, Handle>>;

  Session(SessionId id, Nonce nonce, std::string principal, bool caches = false)
      : id_(id), nonce_(nonce), principal_(std::move(principal)), caches_(caches) {}

  SessionId id() const { return id_; }
  Nonce nonce() const { return nonce_; }
  // For whom it was created; empty: somebody who did not say.
  const std::string& principal() const { return principal_; }
  // Whether its client keeps answers: a new master must know before it lets anything change.
  bool caches() const { return caches_; }
  const Handles& handles() const { return handles_; }
  // Ids that were open once; they are never opened again.
  const IdSet& closed() const { return closed_; }
  // Null if `id` is not open.
  const Handle* Find(HandleId id) const;
  // Whether `id` is or was open.
  bool Spent(HandleId id) const { return Find(id) != nullptr || closed_.Contains(id.value()); }

  // REQUIRES: !Spent(id).
  void Open(HandleId id, const Handle& handle);
  // REQUIRES: `id` is open.
  void Close(HandleId id);
  void SetWaits(HandleId id, Position waits);

  Results results;
  uint64_t accounted = 0;  // what it adds to the table's digest; kept by SessionTable
  // For loading only: how closed() gets its runs.
  IdSet& mutable_closed() { return closed_; }

  uint64_t digest() const;
  uint64_t DigestSlow() const;

 private:
  // Where `id` is, or belongs.
  Handles::iterator Place(HandleId id);
  uint64_t Hash(uint64_t results, uint64_t handles, uint64_t closed) const;

  SessionId id_;
  Nonce nonce_;
  std::string principal_;
  bool caches_;
  Handles handles_;
  IdSet closed_;
  uint64_t handle_items_ = 0;  // sum of the hashes of open handles
};

inline SessionId IdOf(const Session& session) { return session.id(); }

class SessionTable {
 public:
  using Sessions = IdMap<SessionId, Session>;

  // Null if there is no such session. Pointers are good until that session is removed.
  const Session* Find(SessionId id) const { return sessions_.Find(id); }
  Session* Find(SessionId id) { return sessions_.Find(id); }
  // The session that was created with `nonce`, none if there is none.
  SessionId WithNonce(const Nonce& nonce) const;
  // Null if `id` or `nonce` is in use.
  Session* Create(SessionId id, const Nonce& nonce, const std::string& principal, bool caches = false);
  // REQUIRES: it exists.
  void Remove(SessionId id);
  // To be called after every change of `session`: accounts for it in the digest.
  void Refresh(Session& session);

  size_t size() const { return sessions_.size(); }
  const Sessions& sessions() const { return sessions_; }

  uint64_t digest() const { return digest_; }
  uint64_t DigestSlow() const;

 private:
  Sessions sessions_;
  absl::btree_map<Nonce, SessionId> by_nonce_;
  uint64_t digest_ = 0;
};

}  // namespace bramah::session

#endif  // BRAMAH_CORE_SESSION_SESSION_TABLE_H_

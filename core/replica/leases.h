// Leases: the master's soft state of the sessions - when each lease ends, the KeepAlive it holds, the numbered items its client
// has not acknowledged. Nothing here is replicated; a new master starts it again with the longest lease a predecessor may have
// granted (L3).
//
// L2, the master's half. The client remembers when it first sent the KeepAlive's nonce, c. The master received a copy of it at
// some instant not before c, holds it for h of its clock and answers, with proven authority, "L more from now", having moved the
// session's end to now + L or later. In real time the answer leaves at or after c + h / (1 + rho), so the session ends at the
// master at or after c + (h + L) / (1 + rho). The client trusts until c + (h + L) / R on its own clock, which is at most
// (h + L) / (R (1 - rho)) = (h + L) / (1 + rho) of real time after c. So no client trusts longer than the master keeps; neither
// the hold nor any bound on the network enters.
//
// L3, fail-over. Every grant is at most Lmax long (lease_length.h) and is answered with authority, hence before a successor is
// elected (L1). The successor gives every session Lmax from its own take-over: later than any earlier grant can end at its
// client.
#ifndef BRAMAH_CORE_REPLICA_LEASES_H_
#define BRAMAH_CORE_REPLICA_LEASES_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "core/api/cache.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/replica/item_queue.h"
#include "core/wire/wire.pb.h"

namespace bramah::replica {

struct AnsweredKeepAlive {
  uint64_t nonce = 0;
  Time received = 0;  // first copy of this nonce: h is counted from here
};

struct HeldKeepAlive {
  uint64_t nonce = 0;
  Time received = 0;  // first copy of this nonce: h is counted from here
  Time answer_at = 0;
};

struct Lease {
  Time expires = 0;      // m_exp of L2; only ever moved forward
  Time told = kNever;    // until when the client was told that its lease lasts, which may be less; kNever: nothing yet
  bool closing = false;  // no extension, no new calls
  bool ending = false;   // closing, and nobody relies on it any more: the end is proposed
  bool introduced = false;  // a KeepAlive was answered in this mastership; the first one is answered at once, because the client
                            // may not know of its lease, or know of it too late
  bool proving = false;  // the held KeepAlive waits for a proof of authority: nothing is due for it
  v1::SessionEnd reason = v1::END_UNKNOWN;  // closing: why
  uint64_t stream = 0;   // highest connection number seen; older streams are dropped
  ConnId conn;           // the connection of that number: where answers go
  std::optional<HeldKeepAlive> held;
  AnsweredKeepAlive answered;  // the last nonce that was answered: a copy of it is answered again at once
  ItemQueue items;             // not yet acknowledged

  // Its client has asked since the oldest item was queued.
  bool AsksWithoutAcknowledging() const {
    return !items.empty() && std::max(answered.received, held.has_value() ? held->received : 0) > items.oldest();
  }
};

class Leases {
 public:
  // `lease`: the shortest that will be granted. `margin`: a KeepAlive is answered when so much of the lease is left, or half of
  // the shortest if that is less. `items`: as many unacknowledged items of a session make its further events be lost.
  void Configure(Duration lease, Duration margin, uint32_t items);
  // From now on leases are so long. Those that last are not touched, and what is held is answered when it would have been, so
  // that many sessions do not come to ask in the same instant [D-24].
  void SetLength(Duration lease) { lease_ = lease; }
  Duration lease() const { return lease_; }
  Duration margin() const { return margin_; }

  void TakeOver(Time now, const std::vector<SessionId>& sessions);
  void Clear();
  void Open(Time now, SessionId session);
  void End(SessionId session);
  Lease* Find(SessionId session);
  size_t size() const { return leases_.size(); }

  // Records a KeepAlive that arrived on a current stream. A repeated nonce keeps its first receipt, and is answered at once: a
  // client repeats itself only when it is worried. An older nonce is ignored.
  void Receive(Time now, SessionId session, const v1::KeepAlive& request);
  // Queues an item for the session, the fate of the Acquire `seq` or an event; nothing happens if there is no such session.
  // Returns its number, or 0.
  uint64_t Queue(Time now, SessionId session, v1::ItemKind kind, HandleId handle, RequestSeq seq, Position generation,
                 uint32_t permit = 0);
  // What the session keeps of `touch` is to be dropped; no classes: everything. As above.
  uint64_t QueueInvalidation(Time now, SessionId session, const Touch& touch);
  // Returns whether the event was merged with one that had not been sent.
  bool QueueEvent(Time now, SessionId session, v1::ItemKind kind, HandleId handle, uint64_t generation);
  // Moves the end of the lease to at least min(at, oldest unacknowledged item) + lease: whoever does not acknowledge is
  // not kept for longer than a lease after the item was queued.
  void Extend(SessionId session, Time at);
  // The held KeepAlive waits for a majority round (true), or is due as usual again (false).
  void SetProving(SessionId session, bool proving);
  // The held KeepAlive was answered, and said that the lease lasts until `told`.
  void Answered(SessionId session, Time told = kNever);
  // First step of its end: what was promised is kept, but no more is promised. Nothing happens if it has been taken.
  void Close(SessionId session, v1::SessionEnd reason);
  // Second step: its lease has run out, or nobody relies on it. REQUIRES: Close was called.
  void SetEnding(SessionId session);

  // Sessions whose held KeepAlive should be answered, or whose lease has ended, at `now`; in order of their instants.
  std::vector<SessionId> Due(Time now);
  // The next instant at which Due is not empty; kNever if nothing is scheduled.
  Time NextDue() const;

 private:
  void Schedule(SessionId session, const Lease& lease);
  Time DueTime(const Lease& lease) const;
  // Something new is to be told.
  void Hurry(Time now, SessionId session, Lease& lease);

  Duration lease_ = 0;
  Duration margin_ = 0;
  uint32_t items_max_ = 0;
  struct Slot {
    Lease lease;
    Time scheduled = kNever;
  };
  absl::btree_map<SessionId, Slot> leases_;
  absl::btree_set<std::pair<Time, SessionId>> due_;
};

}  // namespace bramah::replica

#endif  // BRAMAH_CORE_REPLICA_LEASES_H_

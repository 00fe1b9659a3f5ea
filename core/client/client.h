// Client: the client library as a pure state machine of the same shape as the server. It owns the session, the local lease, the
// handles, retries and the location of the master. Applications talk to it by Call and hear from it by Reply and CoreEvents.
//
// Calls (Command.kind): OPEN_SESSION, END_SESSION, OPEN, CLOSE, POISON, SET_CONTENTS, SET_ACL, ADD, DELETE, BATCH, ACQUIRE,
// RELEASE, GET_CONTENTS, GET_STAT, READ_DIR, GET_SEQUENCER, SET_SEQUENCER, CHECK_SEQUENCER. Callers leave session, seq,
// first_outstanding and nonces unset; OPEN's handle id is chosen by the library and returned in Outcome.handle. Every call is
// answered exactly once:
//   OPEN_SESSION  OK with session and epoch once a lease is live, also if one was open already; BUSY while another is opening.
//                 Session and nonce of the answer are the token of the session: a later life of the application that has kept
//                 it may name it (takes_over, former_high, former_low), and the session ends before the new one begins - at
//                 once if former_is_gone, which the caller must know, else when its lease has run out. A session that is gone
//                 already is as good. TAKEOVER_REFUSED if the token is wrong or another principal's; BUSY if this library has
//                 a session
//   (idle)        a session that has had no handle and no call for idle_end is ended by the library, with reason END_IDLE [C-54]
//   ADD           like SET_CONTENTS, of a decimal number; Outcome.value is the number as it is now, also with OUT_OF_BOUNDS
//   END_SESSION   gives up every other call (CANCELLED); OK when the master confirms, SESSION_EXPIRED if it ended otherwise
//   BATCH         guards (GUARD of a handle, or of the absence of `path`) and changes (SET_CONTENTS, ADD, SET_ACL and DELETE of
//                 handles, CREATE of a `path`), all made or none; Outcome.guarded says whether the guards were true, parts what
//                 came of each change. `failed` is the number of the guard or change that a refusal is about: GUARD_FAILED if
//                 there is nothing to do otherwise, PARTS_OVERLAP, TOO_MANY_PARTS, or what the change alone would get. It waits
//                 for earlier calls on all of its handles, as later ones do for it, and is given up with each of them [D-61]
//   ACQUIRE       if it has to wait: when it is granted (OK), its handle is closed or released (CANCELLED), or its node deleted
//                 (STALE_HANDLE). CANCELLED, too, for ever after somebody began to delete the node: open another handle
//   CLOSE         never fails; gives up what is unanswered on the handle (CANCELLED, outcome unknown) [C-25]
//   POISON        never fails; what is unanswered on the handle and every later call but CLOSE is answered POISONED (outcome
//                 unknown), so that another thread can stop using it safely; its lock counts as lost, not as released [C-26]
//   SET_SEQUENCER from now on every call on the handle fails with SEQUENCER_INVALID once the sequencer is no longer valid, except
//                 CLOSE, POISON and RELEASE, which only give something up; an ACQUIRE that has to wait is judged when it is
//                 queued. BAD_SEQUENCER if it has not the form of one [C-32]
//   SET_ACL       like SET_CONTENTS, on a handle opened with OPEN_CHANGE_ACL; names that are empty stay as they are [C-30]
//   others        the master's answer; SESSION_EXPIRED, outcome unknown, if the session ends first. LIMIT_REACHED when 512
//                 wait; not for the first RELEASE of a handle
// GET_CONTENTS, GET_STAT and READ_DIR with `stale` read what `path` names, in no session: any replica answers from what it has
// applied, with Outcome.applied_index, which never falls from answer to answer. They wait for nothing but a replica that is up
// and has seen what this library has seen; END_SESSION gives them up.
// OPEN with `events` makes the library tell what happens to the node by CoreEvents kContentsModified .. kLockRequested, each
// after it happened; a read that follows sees it. Several changes may be told as one. After kMasterFailedOver and kEventsLost
// what the library can find out by looking is told as usual; that a lock was acquired or asked for may have been missed.
// Answers are kept in a cache for as long as they are true [Chubby §2.7]: reads of what was read before, and the NOT_FOUND of an
// OPEN that creates nothing, cost no message then. A GET_CONTENTS that asks for metadata too (`with_stat`) and GET_STAT depend on
// the lock's state as well, and are asked again more often than a plain GET_CONTENTS.
// With `cache_locks` a RELEASE may be answered although the cell still has the handle as holder: the next ACQUIRE of the handle
// is then granted here, with the same token; others get the lock as soon as the library hears of them.
// With `cache_handles` a CLOSE may be answered although the cell still has the handle: the next OPEN that asks for the same is
// then answered here, with an id of its own and without a message, for as long as the answer is what the master's would be.
// In jeopardy calls wait, except CLOSE, POISON, SET_SEQUENCER and END_SESSION. There are no time-outs: who gives up waiting
// closes the handle.
#ifndef BRAMAH_CORE_CLIENT_CLIENT_H_
#define BRAMAH_CORE_CLIENT_CLIENT_H_

#include <memory>
#include <string>
#include <vector>

#include "core/api/effects.h"
#include "core/api/step.h"

namespace bramah::client {

struct ClientConfig {
  std::string cell = "local";          // "local": whatever cell the endpoints belong to
  std::vector<std::string> endpoints;  // at least one; tried in turn, any replica may redirect
  std::string principal;               // who the application says it is; nothing proves it yet
  bool cache = true;                   // keep answers while they are true; for processes that read the same more than once
  // Keep a lock that was released for the next Acquire of its handle, until somebody else wants it; for processes that lock the
  // same again and again while others rarely do [C-49]. Locks with a lock-delay are not kept.
  bool cache_locks = false;
  // Keep a handle that was closed for the next Open of its name; for processes that open the same again and again [C-48].
  bool cache_handles = false;
  Duration idle_end = 60 * kSecond;    // a session without handles and calls is ended after so long [D-57]; 0: never
  Duration grace = 45 * kSecond;       // jeopardy lasts at most this long [Chubby §2.8]
  Duration keepalive_retry = 1 * kSecond;  // retransmission of an unanswered KeepAlive while it is overdue, and of calls
  Duration stall = 2 * kSecond;        // no byte for this long, although asked: the stream is abandoned
  Duration retry_min = 50 * kMillisecond;  // back-off between attempts to reach a master, doubling
  Duration retry_max = 1 * kSecond;
};

enum class SessionState : uint8_t { kNone, kOpening, kActive, kJeopardy, kExpired };

// What the client believes about one lock.
struct HeldLock {
  std::string path;
  HandleId handle;
  v1::LockMode mode = v1::FREE;
  Position generation;
  RequestSeq seq;  // of the Acquire
  uint32_t permit = 0;  // of a lock with several
};

// A handle that asked for events, and what the application was told last.
struct Watch {
  HandleId handle;
  uint32_t events = 0;              // bits of v1::EventKind
  Position instance;
  uint64_t content_generation = 0;  // told, or known from Open or an own write
  Position children_changed;
  bool gone = false;                // the node was removed, and nothing more is told; told if the handle asked for that
};

class Cache;  // core/client/cache.h

struct ClientView {
  SessionState state = SessionState::kNone;
  SessionId session;
  Epoch epoch;
  int64_t rho_ppm = 0;  // bound on the rate error of clocks that the cell works by, as it said; 0: nothing yet
  Time lease_end = 0;  // local instant; beliefs hold strictly before it, and only in state kActive
  // Why a session is not active: the master is ending it or it has ended, for `reason`; or the clock is not to be trusted; or an
  // answer is overdue. Else it is END_UNKNOWN, or an end that the client has not been told the reason of.
  v1::SessionEnd reason = v1::END_UNKNOWN;
  bool clock_trusted = true;
  // Sorted by handle. In jeopardy they are uncertain, not believed.
  const std::vector<HeldLock>* held = nullptr;
  const std::vector<Watch>* watches = nullptr;  // sorted by handle; those that are open
  const Cache* cache = nullptr;  // what is answered without asking, in state kActive before lease_end
  uint32_t calls_pending = 0;
  ReplicaId master;    // believed
  bool keepalive_overdue = false;  // an answer was due and has not come
};

class Client {
 public:
  // `config` outlives the client and must not change.
  explicit Client(const ClientConfig* config);
  ~Client();
  Client(const Client& other);  // a node is a value
  Client& operator=(const Client& other);

  // Total: any input in any state. The first input must be Boot (only `seed` is used).
  void Step(Time now, const Input& input, Effects& out);

  const ClientView& view() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bramah::client

#endif  // BRAMAH_CORE_CLIENT_CLIENT_H_

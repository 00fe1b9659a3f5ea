// Calls: what the application has asked for and not yet been told, its handles, and the locks it believes to hold.
//
// Order and exactly-once [D-56, A-22]. Calls on one handle are *issued* one at a time in the order in which they were made; a
// command that changes something gets its seq then. An issued call is sent again, with the same seq and id, on every new stream,
// in every new epoch and whenever its answer is late, until it is answered. Close and Poison do not queue: they give up what is
// unanswered on their handle and name those seqs, so that no late copy of them can take effect.
//
// Jeopardy [D-28, D-29]. While the session is not active nothing but Close and Poison is issued, and a grant that arrives is not
// yet told; both happen, in order, when it is active again. Close and Poison are answered at once and delivered in the
// background [C-25]. A call that was made not to wait is answered JEOPARDY.
//
// Suffix property [C-61]. Handle ids are never used twice, so every handle of a session that has ended fails with SESSION_EXPIRED
// for ever, and no call is repeated in a later session.
#ifndef BRAMAH_CORE_CLIENT_CALLS_H_
#define BRAMAH_CORE_CLIENT_CALLS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "core/api/effects.h"
#include "core/client/beliefs.h"
#include "core/client/cache.h"
#include "core/client/client.h"
#include "core/client/watches.h"

namespace bramah::client {

// Unanswered calls a client may have, beside those that always succeed and one Release of each handle.
inline constexpr size_t kCallsMax = 512;
// Handles that are kept for a later Open; the oldest are closed first.
inline constexpr size_t kKeptHandlesMax = 128;
// How far seqs may run ahead of the first that is unanswered. Far below what a cell remembers per session (1,024), because a
// command beyond that is refused without a trace, and a late copy of it might be executed after all.
inline constexpr uint64_t kSeqWindow = 512;

// The present moment, as far as calls are concerned.
struct Context {
  Time now = 0;
  ConnId conn;  // where to send; none: nowhere
  SessionId session;
  Epoch epoch;
  SessionState state = SessionState::kNone;
  Effects& out;
};

// What an Acquire got.
struct Grant {
  Position generation;
  uint32_t permit = 0;
};

// What a Reply says of how long its answer stays true.
struct Freshness {
  uint32_t classes = 0;    // it may be kept, depending on these bits of v1::CacheClass
  bool overtaken = false;  // something was to be dropped that the master said after it
};

// Calls `visit` with each guard and each change of a Batch; any other command has none.
template <class Visit>
void ForEachPart(v1::Command& batch, Visit&& visit) {
  for (auto* parts : {batch.mutable_guards(), batch.mutable_parts(), batch.mutable_otherwise()}) {
    for (v1::Command& part : *parts) visit(part);
  }
}

// Whether the command is about this handle, or one of its parts is.
bool Uses(const v1::Command& command, HandleId handle);

class Calls {
 public:
  explicit Calls(const ClientConfig* config) : config_(config) {}

  // ---- the application. All kinds but OPEN_SESSION; END_SESSION gives up everything else.
  void Accept(const Context& context, const bramah::Call& made);

  // ---- the master
  // Whether a request with this id waits for its answer.
  bool Waits(uint64_t id) const { return calls_.contains(id); }
  // Whether `id` is that of END_SESSION.
  bool IsEnd(uint64_t id) const { return id != 0 && id == end_id_; }
  // A final answer or QUEUED; anything unexpected is ignored.
  void OnOutcome(const Context& context, uint64_t id, const v1::Outcome& outcome, const Freshness& fresh);
  void OnItem(const Context& context, const v1::SessionItem& item);
  // Whether `id` is a question of the library's own, to be believed only if the present master answers it.
  bool IsLook(uint64_t id) const;
  // Events may have been missed: looks at all that is watched, and at what is in doubt.
  void LookAtAll(const Context& context);
  // The session had lapsed when the master changed. The former one may have let a Delete of a node go past a holder who had
  // lapsed, and died before it ended the session; so each lock is in doubt until a look in the new epoch has found its node.
  void DoubtHolds();
  // Whether any lock is.
  bool doubts() const { return any_doubt_; }

  // ---- the session
  // A new one begins: seqs count from 1. REQUIRES: no call is issued.
  void Begin() { last_seq_ = 0; }
  // Sends everything issued again: there is a new stream or a new epoch.
  void Resend(const Context& context);
  // Sends again what has waited for keepalive_retry.
  void Retry(const Context& context);
  // Nothing kept may be believed any more.
  void FlushCache(const Context& context);
  // The session became uncertain.
  void Pause(const Context& context);
  // The session is active: what had to wait goes on.
  void Resume(const Context& context);
  // The session is over: every call is answered with `code` (Close and Poison with OK), every handle and belief is gone.
  void EndAll(const Context& context, v1::Code code);
  // Best effort, never repeated: tells the master that the session was given up [D-27].
  void SendAbandoned(const Context& context);

  // Nobody uses the session: ends it. REQUIRES: idle() and !ending().
  void EndIdle(const Context& context);
  // Files that it owns are a use of it as well; whether some are left is not known here.
  bool idle() const { return handles_.empty() && calls_.empty() && !owns_; }

  bool ending() const { return end_id_ != 0; }
  // Why the session is being ended. REQUIRES: ending().
  v1::SessionEnd end_reason() const { return static_cast<v1::SessionEnd>(calls_.at(end_id_).command.reason()); }
  // Unanswered, as the application sees it.
  uint32_t pending() const { return pending_; }
  Time retry_at() const { return calls_.empty() ? kNever : retry_at_; }
  const std::vector<HeldLock>& held() const { return beliefs_.held(); }
  const std::vector<Watch>& watches() const { return watches_.open(); }
  const Cache& cache() const { return cache_; }

 private:
  enum class Stage : uint8_t {
    kBlocked,  // not issued: the session is not active, or another call of the handle is
    kIssued,   // sent until answered
    kQueued,   // an Acquire that waits for its lock at the master; repeated with a new stream or epoch until answered there
    kGranted,  // an Acquire that was granted in jeopardy or during a Delete, told when the session is active and the Delete over
  };
  struct Pending {
    CallId call;
    bool told = false;  // the application has its answer; only the master has still to know
    bool look = false;  // a GET_STAT of the library's own; `told` from the start
    bool sent = false;
    Stage stage = Stage::kBlocked;
    bool confirmed = false;  // kQueued: the master said so since it was last repeated; if not, it may be granted already
    Time last_sent = 0;
    v1::Command command;
    Grant grant;          // kGranted
    Position instance;    // of its handle, as far as known when it was issued
    bool keep = true;     // the answer may go into the cache ...
    uint64_t cache_generation = 0;  // ... if that was not emptied since the question was sent
    std::vector<Position> changed;  // OPEN: nodes that this client may have changed since; the answer tells whether it is one
  };
  struct Handle {
    std::string path;
    bool open = false;       // Open was answered
    Position instance;       // if open
    uint64_t check_digits = 0;  // if open; sent along with every call
    bool reads = false;      // a read through it succeeded
    bool deleted = false;    // its node is gone by its own Delete: what was granted before went with it
    bool revoked = false;    // its node is gone, or about to go, by another Delete: no lock of it is believed any more
    bool doubted = false;    // whether it holds is not known before a look is answered
    bool poisoned = false;   // it is gone at the master; here it stays until it is closed
    bool look_again = false;  // the answer of a look is of no use while a change of our own is under way
    std::string sequencer;   // sent along with every call but those that only give something up
    uint64_t issued = 0;     // id of the call that is kIssued
    RequestSeq hold;         // of the Acquire by which it holds its lock; stays after a failed Delete, which ends the belief only
    bool keeps_lock = false;  // a Release need not reach the master [C-49]
    bool lock_wanted = false;  // somebody asked for the lock since the latest Acquire was sent
    v1::LockMode granted_mode = v1::FREE;  // of `hold`
    Grant granted;            // of `hold`
    bool lock_kept = false;   // the application has released the lock, the library has not
    uint32_t open_flags = 0;  // what was asked for, but for creation
    int64_t lock_delay_ns = 0;
    bool may_be_kept = false;  // when it is closed [C-48]
    uint64_t known_since = 0;  // Cache::Since of its Open; 0: that is not kept
  };
  // Closed by the application, open at the master.
  struct KeptHandle {
    HandleId id;  // that the application knew
    Handle handle;
  };
  using PendingMap = std::map<uint64_t, Pending>;  // by id, hence in the order of calls

  v1::Code Judge(const Context& context, const v1::Command& asked, bool may_wait) const;
  // What the library adds to an OPEN, and notes down of it.
  void PrepareOpen(v1::Command& open);
  Handle* Find(HandleId id);
  void Answer(const Context& context, Pending& pending, v1::Code code, const v1::Outcome* outcome = nullptr);
  PendingMap::iterator Erase(PendingMap::iterator at);

  // CLOSE, POISON.
  void AcceptRelative(const Context& context, const bramah::Call& made);
  void AcceptLeave(const Context& context, CallId call, const v1::Command& asked);
  // Answers what is unanswered on the handle with `code`; the seqs of that go to `leave`.
  // `id`: of the call `leave`, for which other handles of Batches that are given up have to wait. True: there were such.
  bool GiveUp(const Context& context, HandleId handle, v1::Code code, uint64_t id, v1::Command& leave);
  void AcceptEnd(const Context& context, CallId call);
  bool WindowFull() const { return !unanswered_.empty() && last_seq_ - *unanswered_.begin() + 1 >= kSeqWindow; }
  // Issues the next call of the handle if nothing stands in its way; of none: all that work on none.
  void Advance(const Context& context, HandleId handle);
  void AdvanceUnbound(const Context& context);
  void GoOn(const Context& context, HandleId handle);
  // Gives the call its seq and sends it. False: it was answered on the spot.
  bool Issue(const Context& context, PendingMap::iterator at);
  bool PrepareRelease(const Context& context, v1::Command& command);
  // The master still owes an answer to what was sent last.
  static bool Unanswered(const Pending& pending);
  void Transmit(const Context& context, uint64_t id, Pending& pending);
  void Complete(const Context& context, PendingMap::iterator at, const v1::Outcome& outcome);
  void Settle(const Pending& pending, const v1::Outcome& outcome);
  // Its node was deleted through it.
  void Removed(Handle& handle);
  // What the answer, which the application has by now, means for watches.
  void SettleWatch(const Context& context, const Pending& pending, const v1::Outcome& outcome);
  void Look(const Context& context, HandleId handle);
  // Whether call `id` writes or removes its node.
  bool ChangesNode(uint64_t id) const;
  void GiveBack(const Context& context, HandleId id);
  void RevokeAll(Position instance);
  void OnGrantItem(const Context& context, const v1::SessionItem& item);
  void OnGrant(const Context& context, PendingMap::iterator at, const Grant& grant);
  // Whether a Delete of the handle's node waits for its answer.
  bool Deletes(HandleId id);
  void SettleGrants(const Context& context, Position instance);
  void EndBeliefsOf(const Context& context, HandleId id);

  // ---- Batches (batches.cc). They are no calls of one handle, but take their turn on each handle that they name.
  v1::Code JudgeBatch(const v1::Command& batch) const;
  // `parts`: guards or changes; `guards`: which of the two.
  v1::Code JudgeParts(const google::protobuf::RepeatedPtrField<v1::Command>& parts, bool guards) const;
  // The batch as it is kept until it is answered: without what is not the caller's to say, with the sequencers of its handles.
  v1::Command PrepareBatch(const v1::Command& asked) const;
  // Issues it if nothing that came before is unanswered on any of its handles.
  bool TryBatch(const Context& context, PendingMap::iterator at);
  // The handles that wait for call `from` wait for call `to` from now on, or for none; returns which.
  std::vector<HandleId> PassHandles(uint64_t from, uint64_t to);
  // Call `leave`, by which Batches were given up, was answered: they are settled.
  void LookAfterGivenUp(const Context& context, uint64_t leave);
  void SettleBatch(const Context& context, uint64_t id, const Pending& pending, const v1::Outcome& outcome);
  void SettleParts(const Context& context, const Pending& pending, const v1::Outcome& outcome);

  // ---- kept locks (kept_locks.cc)
  // True: the call was answered without the master.
  bool AnswerFromKeptLock(const Context& context, Pending& pending);
  bool KeepLock(const Context& context, Pending& release, Handle& handle);
  bool TakeKeptLock(const Context& context, Pending& acquire, Handle& handle);
  void OnLockRequested(const Context& context, HandleId id);
  void GiveBackKeptLock(const Context& context, HandleId id, Handle& handle);
  void GiveBackKeptLocks(const Context& context);

  // ---- kept handles (kept_handles.cc)
  // What an Open asks for of a node that exists.
  static uint32_t RightsOf(const v1::Command& open);
  bool KeepHandle(const Context& context, CallId close, HandleId id, Handle& handle);
  bool OpenKeptHandle(const Context& context, CallId call, const v1::Command& open);
  // Whether the present answer to its Open is known to be what it was.
  const v1::Outcome* StillKnown(const Handle& handle) const;
  void CloseUselessHandles(const Context& context, const std::string& path);
  void CloseKeptHandle(const Context& context, std::vector<KeptHandle>::iterator at);
  bool AskAgainWithoutKept(const Context& context, PendingMap::iterator open);
  // What the application calls the handle that the master knows by this id.
  HandleId NameOf(HandleId at_master) const;

  // ---- the cache (kept.cc)
  bool KnownAbsent(const Context& context, const v1::Command& open) const;
  // The answer, if it is known; null: the master must be asked.
  const v1::Outcome* FromCache(const v1::Command& command) const;
  void DropOwn(const Pending& pending);
  void SettleReads(const Pending& change);
  // Whether a change of the node by this client waits for its outcome.
  bool IsChanging(Position instance) const;
  void Keep(const Context& context, const Pending& pending, const v1::Outcome& outcome, const Freshness& fresh);
  void Invalidate(const Context& context, const v1::SessionItem& item);
  void Revoke(const Context& context, uint64_t hold);
  void Revoke(const Context& context, HandleId id, Handle& handle);
  void SettleDoubt(const Context& context, HandleId id, const v1::Outcome& look);
  void NoteDoubts();

  const ClientConfig* config_;
  PendingMap calls_;
  absl::btree_map<HandleId, Handle> handles_;
  std::vector<KeptHandle> kept_handles_;  // the oldest first
  Beliefs beliefs_;
  Watches watches_;
  Cache cache_;
  bool any_doubt_ = false;
  bool owns_ = false;  // the session has made files that go with it
  uint32_t pending_ = 0;
  uint64_t last_id_ = 0;
  uint64_t last_seq_ = 0;
  absl::btree_set<uint64_t> unanswered_;  // seqs; the first is first_outstanding
  bool starved_ = false;                  // something was not issued because the window was full
  uint64_t last_handle_ = 0;
  uint64_t ended_handles_ = 0;            // ids up to here belong to sessions that are over
  uint64_t end_id_ = 0;                   // END_SESSION, while it is unanswered
  Time retry_at_ = kNever;
};

}  // namespace bramah::client

#endif  // BRAMAH_CORE_CLIENT_CALLS_H_

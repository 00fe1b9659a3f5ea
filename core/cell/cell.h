// Cell: the replicated state of a lock service cell - nodes, handles, locks, sessions, exactly-once results - as a deterministic
// state machine. Apply is the only way to change it; equal command sequences give equal states and digests on every machine.
//
// It knows neither Raft nor clocks: expiry arrives as a command, and time as a number in the entry. Invariants are listed in
// core/cell/invariants.h.
#ifndef BRAMAH_CORE_CELL_CELL_H_
#define BRAMAH_CORE_CELL_CELL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/api/cache.h"
#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/mac.h"
#include "core/base/probe.h"
#include "core/base/time.h"
#include "core/cell/view.h"
#include "core/lock/delays.h"
#include "core/lock/subscriptions.h"
#include "core/lock/tree.h"
#include "core/session/session_table.h"
#include "core/wire/wire.pb.h"

namespace bramah::cell {

// Quotas; each has its own refusal. Equal on all replicas, or digests differ.
struct Limits {
  uint32_t sessions_max = 100'000;
  uint32_t handles_per_session_max = 10'000;
  uint32_t children_max = 100'000;
  uint64_t bytes_max = uint64_t{1} << 30;    // names and contents of all nodes
  uint32_t results_per_session_max = 1'024;  // commands in flight: seq < first_outstanding + this
};

// A queued Acquire that was decided by somebody else's command.
struct Decision {
  enum Kind : uint8_t { kGranted, kHandleInvalid };
  Kind kind = kGranted;
  SessionId session;
  HandleId handle;
  RequestSeq seq;       // of the Acquire
  Position generation;  // kGranted
  uint32_t permit = 0;  // kGranted
};

// Something that a handle asked to be told of has happened [Chubby §2.5].
struct Notice {
  v1::EventKind kind = v1::EVENT_NONE;
  SessionId session;
  HandleId handle;
  uint64_t generation = 0;  // as in v1::ItemKind
};

struct Applied {
  v1::Outcome outcome;
  // The command changed more than the exactly-once table. False for refusals and for duplicates.
  bool effect = false;
  bool duplicate = false;  // answered from the exactly-once table
  std::vector<Decision> decisions;
  std::vector<Notice> notices;  // of what this command did, in the order in which it did it
  SessionId ended;         // the session that this command ended
  Touches touches;         // what it may have changed that clients keep, if it had an effect
  void Clear();            // keeps capacity
};

// How many entries a Batch takes, with those before it that reserve their positions for the nodes it creates.
uint32_t PositionsOf(const v1::Command& batch);

// Largest incarnation number of a cell: positions keep 16 bits for it.
inline constexpr uint32_t kIncarnationMax = 0xffff;

class Cell {
 public:
  // `limits` outlives the cell and all its copies. REQUIRES: incarnation <= kIncarnationMax.
  Cell(const Limits* limits, uint32_t incarnation);

  // Applies the command of log entry `index`, made at cluster time `time`. Total: any command in any state gives an outcome. A
  // time before that of the entry before counts as equal to it, one beyond kClusterTimeMax as that. `applied` is cleared
  // first.
  // Session commands of an unknown session answer SESSION_EXPIRED and have no effect.
  // A command whose `covers` do not name all that it would touch answers RECHECK and has no effect: it is as if it had not come,
  // and may be proposed again.
  // Indexes rise from call to call; an entry that does not come after last() is refused as MALFORMED.
  void Apply(LogIndex index, Time time, const v1::Command& command, Applied& applied, Probes& probes);
  // What `command` would touch if it were applied to the present state at cluster time `time`.
  void TouchedBy(const v1::Command& command, Time time, Touches& touches) const;
  // GET_CONTENTS, GET_STAT, READ_DIR, GET_SEQUENCER, CHECK_SEQUENCER against the present state; never changes it.
  void Read(const v1::Command& command, v1::Outcome& outcome) const;

  // GET_CONTENTS, GET_STAT, READ_DIR of what `question.path` names, for whoever says that he is `principal`; without a session
  //
  void ReadPath(const std::string& principal, const v1::Command& question, v1::Outcome& outcome) const;

  // ---- what the master needs to know
  bool HasSession(SessionId session) const;
  // Whether the session exists and was created with this nonce for this principal.
  bool CreatedWith(SessionId session, const session::Nonce& nonce, const std::string& principal) const;
  // In rising order.
  std::vector<SessionId> Sessions() const;
  // Who holds locks of nodes that the command may take away - by deleting them, or by ending the session that owns them - and does
  // not know it by itself, with the ids of these holds.
  std::vector<std::pair<SessionId, uint64_t>> HoldersToTell(const v1::Command& command) const;
  // Whether the session's client keeps answers; false if there is no such session.
  bool Caches(SessionId session) const;
  size_t session_count() const;
  size_t node_count() const;  // without the root
  // Cluster time of the latest entry applied. A snapshot whose time() lies beyond that of its index is a wrong one, too.
  Time time() const { return time_; }
  // Position of the latest entry applied. A snapshot whose last() lies beyond the index it is said to stand for is a wrong one.
  Position last() const { return last_; }
  Position PositionOf(LogIndex index) const;  // what entry `index` gives to what it makes
  // What the last SET_LEASE_MAX said; 0: there was none.
  Duration lease_max() const { return lease_max_; }
  // The cluster time from which EXPIRE_LOCK_DELAYS has something to do; kNever if no lock-delay is pending.
  Time next_delay_end() const { return delays_.next(); }

  // ---- digest: kept incrementally; DigestSlow recomputes it from scratch and must agree.
  uint64_t digest() const;
  uint64_t DigestSlow() const;

  // ---- snapshots: a deterministic encoding of everything, checksummed by the caller. Load replaces this state; false (state
  // unspecified, must be discarded) if `bytes` is not what Save of this version produces.
  void Save(std::string* bytes) const;
  bool Load(std::string_view bytes);

  // Everything that invariants are stated about, copied out; O(state).
  CellView View() const;
  // The part of View() about the life of ephemeral nodes and of those with an owner: these nodes, the handles that refer to one
  // of them or to an instance in `also`, and, if there are any, all sessions. O(nodes + handles), but it copies little.
  CellView ViewOfEphemerals(absl::Span<const Position> also) const;
  // The answer to a GET_CONTENTS, GET_STAT or READ_DIR about a node, whoever asks; STALE_HANDLE if it is gone.
  void ReadNode(Position instance, const v1::Command& question, v1::Outcome& outcome) const;
  // A number that changes with every change of the node, and with those of a directory's children; 0: there is none.
  uint64_t NodeDigest(Position instance) const;
  bool Exists(std::string_view path) const;
  // Whether who may do what with the node depends on it alone, not on the contents of ACL files; false if there is no such node.
  bool RightsAreItsOwn(Position instance) const;
  // What an open handle may do, and the ACLs that say so now; nothing if it is not open or its node is gone.
  std::optional<AccessView> AccessOf(SessionId session, HandleId handle) const;
  // What is held, in order of paths and permits: locks, or, of those with several permits, each that is held, as if it were a
  // lock of its own. O(what is held).
  std::vector<LockView> HeldLocks() const;

 private:
  // One call of Apply.
  struct Entry {
    Position position;
    const v1::Command& command;
    session::Session* session;  // of the command; null unless it is a live session's command
    Applied& applied;
    Probes& probes;
    v1::Outcome* of_part = nullptr;  // the answer of a part of a Batch
    Position reserved{};             // what such a part creates is known by it
    v1::Outcome& outcome() const { return of_part != nullptr ? *of_part : applied.outcome; }
    void Refuse(v1::Code code) const { outcome().set_code(code); }
    Position creates() const { return reserved ? reserved : position; }
    lock::Owner owner() const { return {SessionId(command.session()), HandleId(command.handle())}; }
  };
  // A handle of the command's session and the live node it is bound to.
  struct Target {
    const session::Handle* handle = nullptr;
    lock::Node* node = nullptr;  // null: the command was refused
  };
  // The same of a command that is only judged.
  struct Found {
    v1::Code code = v1::OK;
    const session::Handle* handle = nullptr;
    const lock::Node* node = nullptr;  // null: see code
  };
  // What a Batch would do.
  struct BatchPlan {
    v1::Code code = v1::OK;
    uint32_t failed = 0;  // number of the guard or part that is to blame, if code is not OK
    bool guarded = true;  // all guards are true
    const google::protobuf::RepeatedPtrField<v1::Command>* parts = nullptr;  // of the branch taken
  };

  // Exactly-once gate [D-56].
  void ApplyOfSession(Entry& entry);
  bool AnswerFromLock(Entry& entry);
  bool AnswerFromTable(Entry& entry);
  void Execute(Entry& entry);

  void NewEpoch(Entry& entry);

  // Whether the proposer has made uncachable all that the command would touch; if not it is refused.
  bool Covered(Entry& entry) const;
  static bool Covers(const v1::Command& command, const Touches& touches);
  void TouchedOnHandle(const v1::Command& command, const session::Handle& handle, const lock::Node& node, Time time,
                       Touches& touches) const;
  void TouchedByBatch(const v1::Command& command, const session::Session& session, Time time, Touches& touches) const;
  // `session`: of the command; null if there is none.
  void TouchedBy(const v1::Command& command, const session::Session* session, Time time, Touches& touches) const;
  void TouchedByDelays(Time time, Touches& touches) const;
  void TouchedByEnd(const session::Session& session, Touches& touches) const;
  void TouchedByOpen(const v1::Command& command, Touches& touches) const;
  void TouchedByAcquire(const v1::Command& command, const lock::Node& node, bool in_lock, Time time,
                        Touches& touches) const;
  void TouchedByRemoval(const lock::Node& node, Touches& touches) const;
  // `session` takes it, whoever holds its lock.
  void TouchedByTaking(const lock::Node& node, SessionId session, Touches& touches) const;

  // Sessions.
  void CreateSession(Entry& entry);
  void ExpireSession(Entry& entry);
  void SetLeaseMax(Entry& entry);
  // `lost`: the client may not know yet, and its locks are delayed [D-32].
  void EndSession(SessionId id, bool lost, Entry& entry);

  // Commands of a session; each sets outcome and effect.
  void Open(Entry& entry);
  // Whether the way to the path of an Open is the one that its handle on a directory stands for [C-19].
  bool LeadsThrough(const v1::Command& open) const;
  // Creates the node of an OPEN or CREATE. REQUIRES: that was judged.
  lock::Node& MakeNode(Entry& entry, const lock::Node& parent);
  // What the handle may do with a node under `acl`; false if the command was refused because it asks for more.
  bool Permit(Entry& entry, const lock::Acl& acl, session::Handle& handle) const;
  // Whether the ACL of this name lists the principal [D-50].
  bool Allows(const std::string& acl, const std::string& principal) const;
  void Close(Entry& entry, bool lost);
  // SET_CONTENTS, ADD, SET_ACL, DELETE: judged, then performed.
  void Change(Entry& entry);
  void Acquire(Entry& entry);
  void Release(Entry& entry);

  // Changes that may be parts of a Batch. To judge one is to say why it would be refused in the present state, or OK, and in
  // `outcome` what such a refusal tells. One that would not be refused can be performed, and then cannot fail.
  v1::Code Judge(const session::Session& session, const v1::Command& change, v1::Outcome& outcome) const;
  // `parent`: the directory of the node to be.
  v1::Code JudgeCreation(const session::Session& session, const v1::Command& command, const lock::Node*& parent) const;
  v1::Code JudgeWrite(const Found& found, const v1::Command& change, v1::Outcome& outcome) const;
  v1::Code JudgeAdd(const Found& found, const v1::Command& change, v1::Outcome& outcome) const;
  v1::Code JudgeSetAcl(const Found& found, const session::Session& session, const v1::Command& change,
                       v1::Outcome& outcome) const;
  v1::Code JudgeDelete(const Found& found, const session::Session& session) const;
  // By how much names and contents would grow with the change, or with contents of so many bytes. REQUIRES: it would not be
  // refused.
  size_t GrowthOf(const session::Session& session, const v1::Command& change) const;
  static size_t Growth(const lock::Node& node, size_t contents);
  // Whether the quota of bytes allows so many more.
  bool HasRoom(size_t more) const;
  void Perform(Entry& entry);
  void Write(Entry& entry, lock::Node& node, std::string_view contents);
  void SetAcl(Entry& entry, lock::Node& node);

  // ---- Batch (cell_batch.cc)
  void Batch(Entry& entry);
  BatchPlan PlanOf(const session::Session& session, const v1::Command& batch) const;
  // Whether what the guard says is so: OK or GUARD_FAILED; any other code refuses the Batch.
  v1::Code JudgeGuard(const session::Session& session, const v1::Command& guard) const;
  // Sets plan.code, and if that is not OK plan.failed.
  void JudgeParts(const session::Session& session, BatchPlan& plan) const;

  // The handle that the command names, if it knows the check digits of it [C-20]; null if not.
  static const session::Handle* HandleOf(const session::Session& session, const v1::Command& command);
  Found Find(const session::Session& session, const v1::Command& command, v1::Outcome& outcome) const;
  Target TargetOf(Entry& entry);
  // OK, or why the sequencer of a command forbids it; a command without one may proceed [D-42].
  v1::Code JudgeSequencer(const v1::Command& command) const;
  void CheckSequencer(const v1::Command& command, v1::Outcome& outcome) const;
  void GetSequencer(const lock::Node& node, const lock::Owner& owner, v1::Outcome& outcome) const;
  // The holder by `hold` is gone without having released [D-32].
  void StartLockDelay(const lock::Node& node, const lock::Hold& hold, Duration delay, Entry& entry);
  // Makes `owner` stop holding or waiting; false if it did neither.
  bool LeaveLock(lock::Node& node, const lock::Owner& owner, Entry& entry);
  // Ends what has passed of the name's delay, and grants to the queue what is open.
  void Promote(lock::Node& node, Entry& entry);
  void ExpireLockDelays(Entry& entry);
  LockView ViewOf(const lock::Node& node) const;
  void Answer(const lock::Node& node, const v1::Command& question, v1::Outcome& outcome) const;
  // What a holder is told of what it has.
  static void Describe(const lock::Node& node, const lock::Hold& hold, v1::Outcome& outcome);
  // Tells the waiter's session how its Acquire ended.
  void Decide(const lock::Waiter& waiter, Decision::Kind kind, const lock::Node& node, Entry& entry);
  void CloseHandle(session::Session& session, HandleId id, Entry& entry);
  // Removes a node whoever holds its lock or waits for it.
  void TakeNode(lock::Node& node, Entry& entry);
  // Removes `node` and then every ancestor that lived only by having children [D-47].
  void RemoveNode(lock::Node& node, Entry& entry);

  // `tables`: sum of those of the parts.
  uint64_t Digest(uint64_t tables) const;

  // Tells all subscribers of `node` but the one that did it.
  void Tell(const lock::Node& node, v1::EventKind kind, uint64_t generation, Entry& entry) const;
  // An Acquire is in conflict with those who hold.
  void TellHolders(const lock::Node& node, Entry& entry) const;
  // The lock went from free to held.
  void TellAcquired(const lock::Node& node, Entry& entry) const;
  // A child of the node was made, removed or written.
  void TellOfChildren(const lock::Node& parent, Entry& entry) const;

  // Snapshot parts.
  bool LoadNodes(ByteReader& in);
  bool LoadNode(ByteReader& in, const std::vector<lock::AclPtr>& acls, size_t& acls_used, bool first);
  bool LoadSessions(ByteReader& in);
  bool LoadSession(ByteReader& in);
  bool LoadDelays(ByteReader& in);
  // Fills in what no snapshot holds: references of nodes, waits of handles, subscriptions.
  bool Derive();

  const Limits* limits_;
  uint32_t incarnation_;
  Position last_;
  Time time_ = 0;  // cluster time of the entry at last_
  MacKey secret_;     // for check digits; none before the first NewEpoch that brought one
  std::string name_;  // of the cell, with the secret
  Duration lease_max_ = 0;
  uint32_t reserved_ = 0;  // entries before the next one that only reserve their positions
  lock::Tree tree_;
  lock::Delays delays_;
  session::SessionTable sessions_;
  lock::Subscriptions subscriptions_;
};

}  // namespace bramah::cell

#endif  // BRAMAH_CORE_CELL_CELL_H_

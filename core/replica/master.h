// Master: what a leader does for clients - proves its authority, keeps session leases, proposes commands and answers them. All of
// it is soft state of one mastership: it begins when the leader's own NewEpoch entry is applied [D-06] and is thrown away when
// leadership ends; a client whose call was under way asks the next master [D-07].
//
// Fail-over [Chubby §2.9, C-64]. Until its NewEpoch entry is applied the replica says NOT_MASTER (steps 1, 2). Then it takes over
// every session with a full lease (3) and is *recovering master*: KeepAlives are answered, requests wait (4). A session of the
// former epoch is told WRONG_EPOCH, which makes its client drop what it keeps and warn the application (5); its first KeepAlive
// of the new epoch says that this was done. When every session that keeps answers has said so, or has lapsed, the master serves
// (6, 7): before that it proposes nothing but another Lmax, because it does not know who keeps what. Handles and ephemeral
// nodes are replicated, so that steps 8 and 9 have nothing left to do.
#ifndef BRAMAH_CORE_REPLICA_MASTER_H_
#define BRAMAH_CORE_REPLICA_MASTER_H_

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "core/api/effects.h"
#include "core/api/step.h"
#include "core/cell/cell.h"
#include "core/raft/raft.h"
#include "core/replica/cache_table.h"
#include "core/replica/config.h"
#include "core/replica/lease_length.h"
#include "core/replica/leases.h"
#include "core/replica/view.h"

namespace bramah::replica {

// A client's connection as the master sees it.
struct ClientConn {
  ConnId conn;
  uint64_t stream = 0;           // connection number of its Hello
  session::Nonce nonce;          // of its Hello, or of the last CreateSession that came by it
  const std::string& principal;  // of its Hello
};

// What one call may use.
struct MasterContext {
  raft::Context& ctx;
  raft::Raft& raft;
  const cell::Cell& cell;
  LogIndex applied;  // `cell` is the state after this entry
};

// Lmax of L3: no lease is longer.
Duration LeaseMax(const raft::Raft& raft, const cell::Cell& cell);

class Master {
 public:
  explicit Master(const ServerConfig* config);

  Phase phase() const { return phase_; }
  Epoch epoch() const { return epoch_; }

  // ---- life of a mastership
  // This replica became leader: no client is served yet.
  void Recover(Epoch epoch);
  // Its NewEpoch entry has been applied.
  void TakeOver(MasterContext& m);
  // Leadership is gone: everybody who waits is told to ask elsewhere.
  void Resign(MasterContext& m);

  // ---- messages of clients; answered with NOT_MASTER and a hint by a replica that does not serve
  void OnCreateSession(MasterContext& m, ClientConn from, const v1::CreateSession& request);
  void OnKeepAlive(MasterContext& m, ClientConn from, const v1::KeepAlive& request);
  void OnRequest(MasterContext& m, ClientConn from, const v1::Request& request);

  // ---- progress
  // `command` of entry `index` was applied with `applied`.
  void OnApplied(MasterContext& m, LogIndex index, const v1::Command& command, const cell::Applied& applied);
  // TimerId::kSessions: leases and lock-delays that ended, KeepAlives to answer.
  void OnTimer(MasterContext& m);
  // Once at the end of a step: starts a round if somebody needs one, answers whoever is proven, arms the timer.
  void Settle(MasterContext& m);

  // Where the master is, as far as this replica knows.
  void Locate(const MasterContext& m, v1::Located& located) const;
  // Since when the oldest write waits for caches; kNever if none does.
  Time HeldSince() const;

 private:
  // A command that was proposed and not yet applied, and where its answer goes.
  struct Pending {
    ConnId conn;
    uint64_t id = 0;
    SessionId session;
    RequestSeq seq;
    Time received = 0;
  };
  // A command that is not proposed yet: the master does not serve, or somebody may still keep what it touches.
  struct Held {
    Pending from;         // no connection: the master itself
    v1::Command command;
    bool prepared = false;  // what it touches was made uncachable, and whoever keeps it was told
    Touches touches;
    Time since = 0;       // when it was prepared
  };
  // A session that will be created when the one that it takes over has ended.
  struct Takeover {
    ConnId conn;
    std::string principal;
    v1::CreateSession request;
    Time received = 0;    // first copy of its nonce
  };
  // An answer that waits for a proof that this replica was still leader after it was asked.
  struct Waiting {
    enum Kind : uint8_t { kRead, kKeepAlive, kCreate };
    Kind kind = kRead;
    ConnId conn;
    uint64_t id = 0;          // of the Request
    SessionId session;
    Time asked = 0;           // the round starts at or after this instant
    uint64_t round = 0;       // 0: none was started for it yet
    LogIndex read_index;      // kRead: must be applied first [Diss §6.4]
    v1::Command command;      // kRead; kCreate: its nonce
    Time received = 0;        // kCreate
  };

  bool HasAuthority(const MasterContext& m) const;
  // Whether messages of the session are taken from this connection: it is the newest of its, and of the same principal.
  bool AcceptStream(MasterContext& m, ClientConn from, SessionId session, Lease& lease);
  void Prove(MasterContext& m, Waiting waiting);
  void Hold(Waiting read);
  void AnswerProven(MasterContext& m, const Waiting& waiting, Time proven_at);
  void AnswerKeepAlive(MasterContext& m, SessionId session, Time proven_at);
  void AnswerRead(MasterContext& m, const Waiting& waiting);
  void AnswerCreate(MasterContext& m, const Waiting& waiting, Time proven_at);
  void Refuse(MasterContext& m, ConnId conn, const v1::Request& request, v1::Code code);
  void RefuseKeepAlive(MasterContext& m, ConnId conn, const v1::KeepAlive& request, v1::Code code,
                       v1::SessionEnd reason = v1::END_UNKNOWN);
  void RefuseCreate(MasterContext& m, ConnId conn, const v1::CreateSession& request, v1::Code code);
  // Tells the client whether it may keep the answer, and remembers that it does.
  void LetKeep(MasterContext& m, const v1::Command& command, v1::Reply& reply);
  void ServeIfFlushed(MasterContext& m);
  // Makes leases as long as the number of sessions asks for, and proposes another Lmax if that takes one; before the master
  // serves, too.
  void FitLeases(MasterContext& m);

  // ---- writes (master_writes.cc)
  void WriteFor(MasterContext& m, ClientConn from, const v1::Request& request);
  // A command of the master's own.
  void WriteOwn(MasterContext& m, v1::CommandKind kind, SessionId session, v1::SessionEnd reason);
  // Proposes the command as soon as nobody keeps what it touches.
  void Write(MasterContext& m, Held write);
  void Prepare(MasterContext& m, Held& write);
  void RegisterHolders(MasterContext& m, const v1::Command& command, const Touches& touches);
  bool Ready(const Held& write) const;
  void Propose(MasterContext& m, const Held& write);
  void ProposeReserve(MasterContext& m);
  void RetryHeld(MasterContext& m);
  // Entry `index` of this mastership was applied; true if it had no effect and is on its way again.
  bool Settled(MasterContext& m, LogIndex index, const v1::Command& command, const cell::Applied& applied);
  Held* FindHeld(SessionId session, RequestSeq seq);

  // ---- sessions that come and go (master_sessions.cc)
  void Create(MasterContext& m, const Takeover& creation);
  // Whether the session that the request takes over, if any, is out of the way; if not, the request waits or was refused.
  bool TakesOver(MasterContext& m, ClientConn from, const v1::CreateSession& request);
  // The two steps of an end that the client did not ask for.
  void CloseSession(MasterContext& m, SessionId session, v1::SessionEnd reason);
  void ExpireClosing(MasterContext& m, SessionId session);
  // Both, for a lease that has run out.
  void ExpireLapsed(MasterContext& m, SessionId session);
  // `session` is no more; `reason` is why, if that was not its client's doing.
  void OnEnded(MasterContext& m, SessionId session, v1::SessionEnd reason);
  // Why a session that there is not has ended.
  v1::SessionEnd ReasonOf(SessionId session) const;

  Time LockDelaysDue(const MasterContext& m) const;
  void ExpireLockDelays(MasterContext& m);

  const ServerConfig* config_;
  Phase phase_ = Phase::kNone;
  Epoch epoch_;
  Time armed_at_ = kNever;  // for when the session timer is set
  bool taken_over_ = false;
  absl::btree_set<SessionId> unflushed_;  // that may keep answers of a former master; nothing is proposed before it is empty
  Leases leases_;
  LeaseLength length_;
  CacheTable caches_;
  std::deque<Held> held_;       // in order of arrival
  bool retry_held_ = false;     // somebody keeps less than before
  absl::btree_map<LogIndex, Pending> pending_;
  absl::btree_map<std::pair<SessionId, RequestSeq>, LogIndex> in_flight_;  // a copy of these is not taken; 0: held
  absl::btree_map<std::pair<uint64_t, uint64_t>, LogIndex> creating_;      // nonces of sessions being created
  absl::btree_map<SessionId, Takeover> takeovers_;  // by the session that is taken over
  absl::btree_set<SessionId> supplanted_;  // that ended by a takeover a while ago; their clients, should they live, are told so
  std::vector<Waiting> waiting_;
  bool expiring_delays_ = false;  // an EXPIRE_LOCK_DELAYS command is under way
};

}  // namespace bramah::replica

#endif  // BRAMAH_CORE_REPLICA_MASTER_H_

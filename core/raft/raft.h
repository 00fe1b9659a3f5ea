// Raft: leader election with pre-vote and stickiness, log replication, commitment, snapshot transfer, and proofs of authority
// (rounds and the leader's lease). One instance per replica; single owner, no locking.
//
// It knows nothing of what entries mean, except that configurations are entries. Everything it wants is written into the
// Context of the call: messages and timers into `out`, promises into `storage`. Claims about durable state leave with
// Storage::Need, never with a hand-made ticket.
//
// Files: election.cc, replication.cc, snapshot.cc, raft.cc (terms, rounds, dispatch).
#ifndef BRAMAH_CORE_RAFT_RAFT_H_
#define BRAMAH_CORE_RAFT_RAFT_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "core/api/effects.h"
#include "core/api/step.h"
#include "core/base/small_map.h"
#include "core/raft/configurations.h"
#include "core/raft/log.h"
#include "core/raft/progress.h"
#include "core/raft/types.h"
#include "core/storage/storage.h"

namespace bramah::raft {

enum class Role : uint8_t { kFollower, kCandidate, kLeader };

struct Options {
  ReplicaId self;
  Duration heartbeat = 50 * kMillisecond;
  uint32_t append_entries_max = 64;
  uint64_t append_bytes_max = 1 << 20;
  uint32_t append_inflight_max = 8;
  uint32_t snapshot_chunk_bytes = 256 << 10;
};

// What one call may use. Valid for the duration of the call.
struct Context {
  Time now;
  Effects& out;
  storage::Storage& storage;
  After done;  // tickets completed so far
};

class Raft {
 public:
  // `bootstrap` counts until the log holds a configuration.
  Raft(const Options& options, const v1::Configuration& bootstrap);

  // Once, with what storage recovered. `seed` keys the election timeouts; `new_epoch` is the command that each leadership of this
  // replica begins with [D-06]. From now on the replica takes part, but it grants no vote before the longest promise it may have
  // made has passed (L1: what it last heard was volatile).
  void Start(Context& ctx, const storage::Recovered& recovered, uint64_t seed, std::string new_epoch);

  // ---- peers: the connection on which requests to `peer` travel; none: unreachable
  void SetPeerConn(Context& ctx, ReplicaId peer, ConnId conn);

  // ---- inputs
  // A message of kinds VoteRequest .. SnapshotReply that member `from` sent over `conn`; anything impossible is counted and
  // dropped.
  void OnMessage(Context& ctx, ReplicaId from, ConnId conn, const Message& message);
  void OnElectionTimer(Context& ctx);
  void OnHeartbeatTimer(Context& ctx);
  // A disk batch completed: own votes and entries may count now.
  void OnDurable(Context& ctx);
  // While the clock is not trusted this replica neither votes nor leads; afterwards it waits as after a restart, for what it
  // promised meanwhile was measured by a wrong clock. REQUIRES: Start was called.
  void OnClockRate(Context& ctx, bool trusted);

  // ---- the leader's services
  // Takes an entry into the log and returns its index; none if this replica is not leader.
  std::optional<LogIndex> Propose(Context& ctx, EntryKind kind, std::string_view payload);
  // Sends what was proposed since the last call. Once at the end of a step.
  void Replicate(Context& ctx);
  // Starts a majority round and returns its number; it is confirmed when ConfirmedRound() reaches it. REQUIRES: leader.
  uint64_t StartRound(Context& ctx);
  // Latest round that a majority has answered in this term.
  uint64_t ConfirmedRound() const { return confirmed_round_; }
  // The leader may act as master strictly before this local instant; 0 if there is no authority.
  //
  // L1. Let a round start at local time s and a majority answer it. Every answerer refuses votes for E_min of its clock from the
  // receipt on, so at least until real time s + E_min / (1 + rho). The leader stops at local s + E_min / R, which is at most
  // (E_min / R) / (1 - rho) = E_min / (1 + rho) of real time later. A new leader needs the vote of one answerer, so it is elected
  // after that. Restarted voters wait, because what they heard was volatile; the leader's own promise binds it, too.
  Time AuthorityUntil() const { return authority_until_; }

  // ---- snapshots
  // The replica has made `snapshot` durable; the log up to it is no longer needed here.
  void Compact(const Snapshot& snapshot);
  // A complete snapshot from the leader that was not held here when its last chunk came; the replica must load it and call
  // Install, or Refuse.
  const Snapshot* Incoming() const { return incoming_complete_ ? &incoming_ : nullptr; }
  // The log here has that entry, or it is committed: a snapshot of that prefix brings nothing, and installing it would throw away
  // entries behind it that were acknowledged [Raft §7].
  bool Holds(LogIndex index, Term term) const;
  // The replica has loaded it: the log starts behind it, and storage makes it durable. REQUIRES: its last entry is not held here.
  void Install(Context& ctx);
  // It could not be used; the transfer starts over.
  void RefuseIncoming();
  // Snapshot whose installation has not become durable yet: nothing may be appended meanwhile.
  bool installing() const { return installing_; }

  // ---- state
  Role role() const { return role_; }
  Term term() const { return term_; }
  ReplicaId vote() const { return vote_; }
  ReplicaId leader() const { return leader_; }
  LogIndex commit() const { return commit_; }
  const Log& log() const { return log_; }
  const v1::Configuration& configuration() const { return configurations_.current(); }
  // Changes whenever configuration() does.
  uint64_t configuration_version() const { return configurations_.version(); }
  // Lowest index changed since the last call; none if nothing changed.
  LogIndex TakeChangedFrom();
  // Serialized configuration in force at `index`, for a snapshot there. REQUIRES: index >= log().base().
  std::string EncodedConfigurationAt(LogIndex index) const;
  // The cluster time of an entry that is proposed now [L6]. REQUIRES: this replica leads.
  Time ClusterTime(Time now) const;
  // From which local instant on an entry that is proposed carries at least this cluster time [L6]. REQUIRES: this replica leads.
  Time WhenClusterTime(Time cluster_time) const;
  // First index of this leader's term: entries before it were committed by predecessors.
  LogIndex term_start() const { return term_start_; }

 private:
  // ---- raft.cc
  void BecomeFollower(Context& ctx, Term term, ReplicaId leader);
  void PromiseForOthers(Context& ctx);
  void SaveHardState(Context& ctx);
  bool IsMember(ReplicaId id) const;
  size_t VoterCount() const { return static_cast<size_t>(configuration().members_size()); }
  Duration ElectionMin() const { return configuration().election_min_ns(); }
  void AppendToLog(Entry entry);
  void TruncateLog(LogIndex from);
  void AdvanceCommit(Context& ctx, LogIndex to);
  // A message of the present leader was accepted: keep the promise, postpone the election.
  void HeardFromLeader(Context& ctx, ReplicaId from);
  void BeginRound(Context& ctx);
  void CountRound(Progress& progress, uint64_t round);

  // ---- election.cc
  void ArmElection(Context& ctx);
  void StartPreVote(Context& ctx);
  void StartElection(Context& ctx);
  void SendVoteRequests(Context& ctx, bool pre_vote);
  void OnVoteRequest(Context& ctx, ReplicaId from, ConnId conn, const v1::VoteRequest& request);
  void OnVoteReply(Context& ctx, ReplicaId from, const v1::VoteReply& reply);
  bool IsUpToDate(const v1::VoteRequest& request) const;
  void CountVotes(Context& ctx);
  void BecomeLeader(Context& ctx);

  // ---- replication.cc
  bool IsDue(const Progress& progress) const;
  bool EveryoneIsDue(Time now) const;
  // What the latest message of this step carries; the next follower often needs just the same.
  struct Carried {
    LogIndex first;  // none: there was no such message
    LogIndex end;
  };
  void SendAppend(Context& ctx, ReplicaId peer, bool heartbeat, Carried& latest);
  void SendHeartbeat(Context& ctx, ReplicaId peer);
  LogIndex FillAppend(LogIndex first, v1::AppendRequest& request) const;
  void OnAppendRequest(Context& ctx, ReplicaId from, ConnId conn, const v1::AppendRequest& request);
  void OnAppendReply(Context& ctx, ReplicaId from, const v1::AppendReply& reply);
  void RefuseAppend(Context& ctx, ConnId conn, const v1::AppendRequest& request);
  bool StoreEntries(Context& ctx, const v1::AppendRequest& request);
  LogIndex BackOver(LogIndex from, Term term) const;
  void MaybeCommit(Context& ctx);

  // ---- snapshot.cc
  void SendSnapshotChunk(Context& ctx, ReplicaId peer);
  void OnSnapshotChunk(Context& ctx, ReplicaId from, ConnId conn, const v1::SnapshotChunk& chunk);
  void OnSnapshotReply(Context& ctx, ReplicaId from, const v1::SnapshotReply& reply);
  void FinishInstall(Context& ctx);

  Options options_;
  uint64_t seed_ = 0;
  std::string new_epoch_;
  uint64_t election_ordinal_ = 0;  // draws of election timeouts so far

  // Durable before any message tells of it.
  Term term_;
  ReplicaId vote_;
  Duration promise_max_ = 0;

  Role role_ = Role::kFollower;
  ReplicaId leader_;
  Log log_;
  LogIndex commit_;
  LogIndex changed_from_;
  Configurations configurations_;

  // The voter's promise: no vote, pre-vote or candidacy before this instant. Only ever raised.
  Time no_vote_before_ = 0;
  bool clock_trusted_ = true;
  Time election_at_ = 0;

  // Candidate.
  bool pre_voting_ = false;
  std::vector<ReplicaId> votes_;  // granted so far, without our own

  // Leader.
  SmallMap<ReplicaId, Progress> progress_;  // of the other members
  LogIndex term_start_;
  Time elected_at_ = 0;
  Time base_time_ = 0;  // cluster time of the last entry at election
  uint64_t round_ = 0;
  std::deque<std::pair<uint64_t, Time>> round_starts_;  // of rounds not yet below the confirmed one
  uint64_t confirmed_round_ = 0;
  Time confirmed_at_ = 0;  // start of the confirmed round; at first the election
  Time authority_until_ = 0;

  SmallMap<ReplicaId, ConnId> peer_conns_;

  // Snapshots.
  Snapshot snapshot_;  // newest of our own, for followers that need it
  Snapshot incoming_;
  std::string incoming_bytes_;
  uint64_t incoming_total_ = 0;
  uint64_t incoming_checksum_ = 0;
  ConnId incoming_conn_;
  uint64_t incoming_round_ = 0;
  bool incoming_complete_ = false;
  bool installing_ = false;
};

}  // namespace bramah::raft

#endif  // BRAMAH_CORE_RAFT_RAFT_H_

#include "core/raft/raft.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/raft/quorum.h"

namespace bramah::raft {

Raft::Raft(const Options& options, const v1::Configuration& bootstrap) : options_(options), configurations_(bootstrap) {}

void Raft::Start(Context& ctx, const storage::Recovered& recovered, uint64_t seed, std::string new_epoch) {
  seed_ = seed;
  new_epoch_ = std::move(new_epoch);
  term_ = recovered.hard.term;
  vote_ = recovered.hard.vote;
  promise_max_ = recovered.hard.promise;
  if (recovered.snapshot.has_value()) {
    snapshot_ = *recovered.snapshot;
    const SnapshotMeta& meta = snapshot_.meta;
    log_.Reset(meta.index, meta.term, meta.cluster_time);
    configurations_.Reset(meta.index, meta.configuration);
    commit_ = meta.index;
  }
  for (const Entry& entry : recovered.entries) AppendToLog(entry);
  changed_from_ = log_.base().Next();
  PromiseForOthers(ctx);
  ArmElection(ctx);
}

// What this replica may have promised and not know: the longest that anybody in the cell has asked for.
void Raft::PromiseForOthers(Context& ctx) {
  no_vote_before_ = std::max(no_vote_before_, ctx.now + std::max(promise_max_, ElectionMin()) + 1);
}

void Raft::OnClockRate(Context& ctx, bool trusted) {
  if (!trusted && role_ != Role::kFollower) BecomeFollower(ctx, term_, ReplicaId());
  if (trusted && !clock_trusted_) PromiseForOthers(ctx);
  clock_trusted_ = trusted;
}

void Raft::SetPeerConn(Context& ctx, ReplicaId peer, ConnId conn) {
  peer_conns_[peer] = conn;
  // A leader speaks first: a follower that was unreachable need not wait for the next round.
  if (conn && role_ == Role::kLeader && progress_.contains(peer)) SendHeartbeat(ctx, peer);
}

void Raft::OnMessage(Context& ctx, ReplicaId from, ConnId conn, const Message& message) {
  if (!IsMember(from)) {
    ctx.out.probes().Reach(ProbeId::kMalformedMessage);
    return;
  }
  switch (message.kind) {
    case MessageKind::kVoteRequest:
      return OnVoteRequest(ctx, from, conn, *message.As<v1::VoteRequest>());
    case MessageKind::kVoteReply:
      return OnVoteReply(ctx, from, *message.As<v1::VoteReply>());
    case MessageKind::kAppendRequest:
      return OnAppendRequest(ctx, from, conn, *message.As<v1::AppendRequest>());
    case MessageKind::kAppendReply:
      return OnAppendReply(ctx, from, *message.As<v1::AppendReply>());
    case MessageKind::kSnapshotChunk:
      return OnSnapshotChunk(ctx, from, conn, *message.As<v1::SnapshotChunk>());
    case MessageKind::kSnapshotReply:
      return OnSnapshotReply(ctx, from, *message.As<v1::SnapshotReply>());
    default:
      ctx.out.probes().Reach(ProbeId::kMalformedMessage);
  }
}

void Raft::OnDurable(Context& ctx) {
  if (installing_ && !ctx.storage.saving()) FinishInstall(ctx);
  if (role_ == Role::kCandidate && !pre_voting_) CountVotes(ctx);
  if (role_ == Role::kLeader) MaybeCommit(ctx);
}

void Raft::OnHeartbeatTimer(Context& ctx) {
  if (role_ != Role::kLeader) return;
  // Check quorum: a leader that no majority answers for an election timeout lets others try.
  if (VoterCount() > 1 && ctx.now - confirmed_at_ > 2 * ElectionMin()) {
    ctx.out.probes().Reach(ProbeId::kLeaderLostQuorum);
    BecomeFollower(ctx, term_, ReplicaId());
    return;
  }
  StartRound(ctx);
}

uint64_t Raft::StartRound(Context& ctx) {
  BRAMAH_CHECK(role_ == Role::kLeader);
  BeginRound(ctx);
  Carried latest;
  for (auto& [peer, progress] : progress_) {
    if (peer != options_.self) SendAppend(ctx, peer, /*heartbeat=*/true, latest);
  }
  return round_;
}

// What is sent from now on asks for an answer to a new round.
void Raft::BeginRound(Context& ctx) {
  ++round_;
  round_starts_.emplace_back(round_, ctx.now);
  // Our own answer to the round is the same promise that every voter makes.
  no_vote_before_ = std::max(no_vote_before_, ctx.now + ElectionMin() + 1);
  if (VoterCount() == 1) CountRound(progress_[options_.self], round_);
  ctx.out.Arm(TimerId::kHeartbeat, ctx.now + options_.heartbeat);
}

void Raft::CountRound(Progress& progress, uint64_t round) {
  if (round > round_ || round <= progress.acked_round) return;
  progress.acked_round = round;
  if (round <= confirmed_round_) return;
  PerVoter<uint64_t> rounds;
  for (const v1::Member& member : configuration().members()) {
    const ReplicaId id(member.id());
    const Progress* const other = progress_.Find(id);
    rounds.push_back(id == options_.self ? round_ : other == nullptr ? 0 : other->acked_round);
  }
  const uint64_t confirmed = ReachedByMajority(rounds);
  if (confirmed <= confirmed_round_) return;
  confirmed_round_ = confirmed;
  while (!round_starts_.empty() && round_starts_.front().first < confirmed) round_starts_.pop_front();
  BRAMAH_CHECK(!round_starts_.empty() && round_starts_.front().first == confirmed);
  confirmed_at_ = round_starts_.front().second;
  authority_until_ = confirmed_at_ + ShrinkByDrift(ElectionMin(), configuration().rho_ppm());
}

void Raft::BecomeFollower(Context& ctx, Term term, ReplicaId leader) {
  const bool was_leader = role_ == Role::kLeader;
  if (was_leader) {
    ctx.out.Event(CoreEvent::kSteppedDown).term = term_;
    ctx.out.Cancel(TimerId::kHeartbeat);
  }
  role_ = Role::kFollower;
  leader_ = leader;
  pre_voting_ = false;
  votes_.clear();
  progress_.clear();
  round_starts_.clear();
  authority_until_ = 0;
  if (term > term_) {
    term_ = term;
    vote_ = ReplicaId();
    SaveHardState(ctx);
    ctx.out.Event(CoreEvent::kTermChanged).term = term_;
  }
  if (was_leader) ArmElection(ctx);
}

void Raft::SaveHardState(Context& ctx) {
  promise_max_ = std::max(promise_max_, ElectionMin());
  ctx.storage.SetVote({term_, vote_, promise_max_});
}

bool Raft::IsMember(ReplicaId id) const {
  for (const v1::Member& member : configuration().members()) {
    if (ReplicaId(member.id()) == id) return true;
  }
  return false;
}

void Raft::AppendToLog(Entry entry) {
  const LogIndex index = log_.last().Next();
  if (entry.kind() == EntryKind::kConfiguration) configurations_.Append(index, entry.payload());
  log_.Append(std::move(entry));
  if (!changed_from_ || index < changed_from_) changed_from_ = index;
}

void Raft::TruncateLog(LogIndex from) {
  configurations_.TruncateFrom(from);
  log_.TruncateFrom(from);
  if (!changed_from_ || from < changed_from_) changed_from_ = from;
}

void Raft::AdvanceCommit(Context& ctx, LogIndex to) {
  if (to <= commit_) return;
  commit_ = to;
  ctx.out.Event(CoreEvent::kCommitAdvanced).index = commit_;
}

Time Raft::ClusterTime(Time now) const {
  return std::min(std::max(base_time_ + (now - elected_at_), log_.last_time()), kClusterTimeMax);
}

Time Raft::WhenClusterTime(Time cluster_time) const {
  return cluster_time <= log_.last_time() ? elected_at_ : elected_at_ + (cluster_time - base_time_);
}

void Raft::HeardFromLeader(Context& ctx, ReplicaId from) {
  leader_ = from;
  no_vote_before_ = std::max(no_vote_before_, ctx.now + ElectionMin() + 1);
  ArmElection(ctx);
}

std::optional<LogIndex> Raft::Propose(Context& ctx, EntryKind kind, std::string_view payload) {
  if (role_ != Role::kLeader) return std::nullopt;
  AppendToLog(Entry(term_, ClusterTime(ctx.now), kind, payload));
  const LogIndex index = log_.last();
  ctx.storage.Append(index, absl::MakeConstSpan(&log_.At(index), 1));
  CoreEvent& event = ctx.out.Event(CoreEvent::kEntryAppended);
  event.term = term_;
  event.index = index;
  return index;
}

std::string Raft::EncodedConfigurationAt(LogIndex index) const { return configurations_.At(index).SerializeAsString(); }

LogIndex Raft::TakeChangedFrom() { return std::exchange(changed_from_, LogIndex()); }

}  // namespace bramah::raft

// Elections [Raft §5.2, §5.4.1] with pre-vote [Diss §9.6] and the voter's promise.
#include <algorithm>

#include "core/base/check.h"
#include "core/base/keyed.h"
#include "core/raft/quorum.h"
#include "core/raft/raft.h"

namespace bramah::raft {

void Raft::ArmElection(Context& ctx) {
  const uint64_t draw = Draw(seed_, /*stream=*/1, options_.self.value(), ++election_ordinal_);
  election_at_ = ctx.now + Between(draw, ElectionMin(), 2 * ElectionMin());
  ctx.out.Arm(TimerId::kElection, election_at_);
}

void Raft::OnElectionTimer(Context& ctx) {
  if (role_ == Role::kLeader || !IsMember(options_.self)) return;
  // Nothing may be appended while a snapshot is being installed, so there is no leading meanwhile.
  if (installing_ || !clock_trusted_) return ArmElection(ctx);
  // The promise binds our own candidacy, too.
  const Time earliest = std::max(election_at_, no_vote_before_);
  if (ctx.now < earliest) {
    ctx.out.Arm(TimerId::kElection, earliest);
    return;
  }
  StartPreVote(ctx);
}

void Raft::StartPreVote(Context& ctx) {
  role_ = Role::kCandidate;
  pre_voting_ = true;
  leader_ = ReplicaId();
  votes_.clear();
  ArmElection(ctx);
  SendVoteRequests(ctx, /*pre_vote=*/true);
  CountVotes(ctx);
}

void Raft::StartElection(Context& ctx) {
  pre_voting_ = false;
  votes_.clear();
  term_ = term_.Next();
  vote_ = options_.self;
  SaveHardState(ctx);
  ctx.out.Event(CoreEvent::kTermChanged).term = term_;
  ctx.out.Event(CoreEvent::kBecameCandidate).term = term_;
  ArmElection(ctx);
  SendVoteRequests(ctx, /*pre_vote=*/false);
  CountVotes(ctx);
}

void Raft::SendVoteRequests(Context& ctx, bool pre_vote) {
  // Nothing that tells of a term leaves before the term, and our own vote in it, is durable.
  const After after = ctx.storage.Need(term_, LogIndex());
  for (const auto& [peer, conn] : peer_conns_) {
    if (!conn || !IsMember(peer)) continue;
    v1::VoteRequest& request = ctx.out.Send<v1::VoteRequest>(conn, after);
    request.set_term((pre_vote ? term_.Next() : term_).value());
    request.set_last_index(log_.last().value());
    request.set_last_term(log_.last_term().value());
    request.set_pre_vote(pre_vote);
  }
}

bool Raft::IsUpToDate(const v1::VoteRequest& request) const {
  const Term theirs(request.last_term());
  if (theirs != log_.last_term()) return theirs > log_.last_term();
  return LogIndex(request.last_index()) >= log_.last();
}

void Raft::OnVoteRequest(Context& ctx, ReplicaId from, ConnId conn, const v1::VoteRequest& request) {
  const Term theirs(request.term());
  const bool promised = ctx.now < no_vote_before_ || !clock_trusted_;
  SOMETIMES(ctx.out.probes(), kVoteRefusedByPromise, promised && !request.pre_vote());
  // While the promise lasts neither term nor vote changes: a replica that was away must not depose a leader [Diss §4.2.3].
  if (!promised && !request.pre_vote() && theirs > term_) BecomeFollower(ctx, theirs, ReplicaId());
  const bool up_to_date = IsUpToDate(request);
  bool granted = false;
  if (request.pre_vote()) {
    granted = !promised && up_to_date && theirs > term_;
    SOMETIMES(ctx.out.probes(), kPreVoteRefused, !granted);
  } else {
    granted = !promised && up_to_date && theirs == term_ && role_ != Role::kLeader && (!vote_ || vote_ == from);
    SOMETIMES(ctx.out.probes(), kVoteRefusedByLog, !promised && !up_to_date);
  }
  if (granted && !request.pre_vote()) {
    role_ = Role::kFollower;
    pre_voting_ = false;
    votes_.clear();
    if (vote_ != from) {
      vote_ = from;
      SaveHardState(ctx);
    }
    ArmElection(ctx);
    CoreEvent& event = ctx.out.Event(CoreEvent::kVoteGranted);
    event.term = term_;
    event.replica = from;
  }
  v1::VoteReply& reply = ctx.out.Send<v1::VoteReply>(conn, ctx.storage.Need(term_, LogIndex()));
  // A granted pre-vote repeats the term that was asked for: our own is lower, and would look like an answer to an older question.
  reply.set_term(granted ? theirs.value() : term_.value());
  reply.set_pre_vote(request.pre_vote());
  reply.set_granted(granted);
}

void Raft::OnVoteReply(Context& ctx, ReplicaId from, const v1::VoteReply& reply) {
  const Term theirs(reply.term());
  if (!reply.granted()) {
    if (theirs > term_) {
      SOMETIMES(ctx.out.probes(), kLeaderSawHigherTerm, role_ == Role::kLeader);
      BecomeFollower(ctx, theirs, ReplicaId());
    }
    return;
  }
  const Term asked = pre_voting_ ? term_.Next() : term_;
  if (role_ != Role::kCandidate || reply.pre_vote() != pre_voting_ || theirs != asked) return;
  if (std::find(votes_.begin(), votes_.end(), from) != votes_.end()) return;
  votes_.push_back(from);
  CountVotes(ctx);
}

void Raft::CountVotes(Context& ctx) {
  // Our own vote counts when it is durable.
  const After need = ctx.storage.Need(term_, LogIndex());
  const bool own = pre_voting_ || ctx.done.log >= need.log;
  if (votes_.size() + (own ? 1 : 0) < MajorityOf(VoterCount())) return;
  if (pre_voting_) {
    StartElection(ctx);
  } else {
    BecomeLeader(ctx);
  }
}

void Raft::BecomeLeader(Context& ctx) {
  BRAMAH_CHECK(role_ == Role::kCandidate);
  role_ = Role::kLeader;
  leader_ = options_.self;
  votes_.clear();
  ctx.out.Cancel(TimerId::kElection);
  progress_.clear();
  for (const v1::Member& member : configuration().members()) {
    Progress& progress = progress_[ReplicaId(member.id())];
    progress.next = log_.last().Next();
  }
  elected_at_ = ctx.now;
  base_time_ = log_.last_time();
  round_starts_.clear();
  // Round numbers go on rising: an answer to a round of an earlier term is refused by its term, not by luck.
  confirmed_round_ = round_;
  confirmed_at_ = ctx.now;
  authority_until_ = 0;
  term_start_ = log_.last().Next();
  ctx.out.probes().Reach(ProbeId::kElectionWon);
  ctx.out.Event(CoreEvent::kBecameLeader).term = term_;
  // The first entry of a cell is its configuration: from then on the log says who the members are.
  if (log_.last() == LogIndex()) Propose(ctx, EntryKind::kConfiguration, configuration().SerializeAsString());
  Propose(ctx, EntryKind::kCommand, new_epoch_);
  StartRound(ctx);
}

}  // namespace bramah::raft

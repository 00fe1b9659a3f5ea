// Log replication [Raft §5.3], commitment [Raft §5.4.2], batching and pipelining [Diss §10.2.2].
#include <algorithm>

#include "core/base/check.h"
#include "core/raft/quorum.h"
#include "core/raft/raft.h"

namespace bramah::raft {

void Raft::Replicate(Context& ctx) {
  if (role_ != Role::kLeader) return;
  if (EveryoneIsDue(ctx.now)) BeginRound(ctx);
  Carried latest;
  for (auto& [peer, progress] : progress_) {
    if (peer == options_.self) continue;
    while (IsDue(progress)) {
      const LogIndex before = progress.next;
      SendAppend(ctx, peer, /*heartbeat=*/false, latest);
      if (progress.next == before) break;  // unreachable, or a snapshot is needed
    }
  }
}

// Entries wait for this follower and may be sent without its word. Window: entries sent and not yet acknowledged. A lost message
// is noticed by the next one, whose previous index the follower cannot match.
bool Raft::IsDue(const Progress& progress) const {
  const uint64_t window = uint64_t{options_.append_inflight_max} * options_.append_entries_max;
  return progress.state == Progress::kReplicate && progress.next <= log_.last() && progress.next - progress.match <= window;
}

// Entries are about to go to every follower that is connected. That is as good as a round of heartbeats, so it counts as one and
// puts the next one off; were anybody left out, he would hear nothing for as long as others are written to. Nor is it put off
// while rounds are not being answered: a leader without a majority learns so from the heartbeat timer.
bool Raft::EveryoneIsDue(Time now) const {
  if (now - confirmed_at_ > ElectionMin()) return false;
  bool anyone = false;
  for (const auto& [peer, conn] : peer_conns_) {
    const Progress* const progress = progress_.Find(peer);
    if (!conn || progress == nullptr) continue;
    if (!IsDue(*progress) || progress->next <= log_.base()) return false;
    anyone = true;
  }
  return anyone;
}

void Raft::SendHeartbeat(Context& ctx, ReplicaId peer) {
  Carried latest;
  SendAppend(ctx, peer, /*heartbeat=*/true, latest);
}

void Raft::SendAppend(Context& ctx, ReplicaId peer, bool heartbeat, Carried& latest) {
  Progress& progress = progress_[peer];
  const ConnId conn = peer_conns_[peer];
  if (!conn) return;
  if (progress.state != Progress::kSnapshot && progress.next <= log_.base()) {
    BRAMAH_CHECK(snapshot_.meta.index >= log_.base());
    ctx.out.probes().Reach(ProbeId::kSnapshotSent);
    progress.StartSnapshot(snapshot_);
  }
  if (progress.state == Progress::kSnapshot) {
    latest = Carried();
    if (heartbeat) SendSnapshotChunk(ctx, peer);
    return;
  }
  if (latest.first && latest.first == progress.next) {
    ctx.out.SendAgain(conn);
  } else {
    const LogIndex end = FillAppend(progress.next, ctx.out.Send<v1::AppendRequest>(conn));
    latest = {progress.next, end};
  }
  // Optimistic only while the follower is known to follow; a probe repeats itself until it is answered.
  if (progress.state == Progress::kReplicate) progress.next = latest.end;
}

// Entries from `first` on, as many as one message may carry. Returns the index behind the last of them.
LogIndex Raft::FillAppend(LogIndex first, v1::AppendRequest& request) const {
  const LogIndex prev = first.Prev();
  request.set_term(term_.value());
  request.set_prev_index(prev.value());
  request.set_prev_term(log_.TermAt(prev).value());
  request.set_commit(commit_.value());
  request.set_round(round_);
  uint64_t bytes = 0;
  LogIndex index = first;
  while (index <= log_.last() && static_cast<uint32_t>(request.entries_size()) < options_.append_entries_max) {
    const std::string_view entry = log_.At(index).bytes().view();
    if (request.entries_size() > 0 && bytes + entry.size() > options_.append_bytes_max) break;
    request.add_entries(entry.data(), entry.size());
    bytes += entry.size();
    index = index.Next();
  }
  return index;
}

void Raft::OnAppendRequest(Context& ctx, ReplicaId from, ConnId conn, const v1::AppendRequest& request) {
  const Term theirs(request.term());
  if (theirs < term_ || (theirs == term_ && role_ == Role::kLeader)) {
    SOMETIMES(ctx.out.probes(), kMalformedMessage, theirs == term_);  // two leaders in a term: never answer as if it were ours
    RefuseAppend(ctx, conn, request);
    return;
  }
  if (theirs > term_ || role_ == Role::kCandidate) BecomeFollower(ctx, theirs, from);
  HeardFromLeader(ctx, from);
  const LogIndex prev(request.prev_index());
  const bool covered = prev < log_.base();
  const bool matches = covered || (log_.Knows(prev) && log_.TermAt(prev) == Term(request.prev_term()));
  SOMETIMES(ctx.out.probes(), kAppendBelowSnapshot, covered);
  if (installing_ || !matches || !StoreEntries(ctx, request)) {
    SOMETIMES(ctx.out.probes(), kAppendRejected, !matches);
    RefuseAppend(ctx, conn, request);
    return;
  }
  // Only what this message showed to be equal to the leader's log: our own tail behind it may be of another term.
  const LogIndex verified = prev + static_cast<uint64_t>(request.entries_size());
  AdvanceCommit(ctx, std::min(LogIndex(request.commit()), verified));
  v1::AppendReply& reply = ctx.out.Send<v1::AppendReply>(conn, ctx.storage.Need(term_, verified));
  reply.set_term(term_.value());
  reply.set_round(request.round());
  reply.set_success(true);
  reply.set_match_index(verified.value());
}

void Raft::RefuseAppend(Context& ctx, ConnId conn, const v1::AppendRequest& request) {
  const LogIndex before(request.prev_index() == 0 ? 0 : request.prev_index() - 1);
  const LogIndex guess = BackOver(before, Term(request.prev_term()));
  v1::AppendReply& reply = ctx.out.Send<v1::AppendReply>(conn, ctx.storage.Need(term_, LogIndex()));
  reply.set_term(term_.value());
  // A message of a deposed leader was not accepted: no promise was made to its round.
  reply.set_round(Term(request.term()) == term_ && role_ == Role::kFollower ? request.round() : 0);
  reply.set_hint_index(guess.value());
  reply.set_hint_term(log_.TermAt(guess).value());
}

// The largest known index <= `from` whose term is at most `term`: skips whole conflicting terms per refusal.
LogIndex Raft::BackOver(LogIndex from, Term term) const {
  LogIndex index = std::max(std::min(from, log_.last()), log_.base());
  while (index > log_.base() && log_.TermAt(index) > term) index = index.Prev();
  return index;
}

// Appends what is new and replaces what conflicts; entries that are already there stay, because a short old message may arrive
// after a longer newer one. False if the message is impossible, and then nothing was changed.
bool Raft::StoreEntries(Context& ctx, const v1::AppendRequest& request) {
  LogIndex index(request.prev_index());
  for (const std::string& bytes : request.entries()) {
    index = index.Next();
    if (index <= log_.base()) continue;
    std::optional<Entry> entry = Entry::Parse(Blob(bytes));
    const LogIndex before = std::min(index.Prev(), log_.last());
    const bool possible = entry.has_value() && entry->term() <= Term(request.term()) &&
                          entry->term() >= log_.TermAt(before) && entry->cluster_time() >= log_.TimeAt(before);
    if (!possible) {
      ctx.out.probes().Reach(ProbeId::kMalformedMessage);
      break;
    }
    if (index <= log_.last()) {
      if (log_.TermAt(index) == entry->term()) continue;
      if (index <= commit_) {
        ctx.out.probes().Reach(ProbeId::kMalformedMessage);
        return false;
      }
      ctx.out.probes().Reach(ProbeId::kAppendConflict);
      TruncateLog(index);
    }
    AppendToLog(*std::move(entry));
    ctx.storage.Append(index, absl::MakeConstSpan(&log_.At(index), 1));
  }
  return index == LogIndex(request.prev_index()) + static_cast<uint64_t>(request.entries_size());
}

void Raft::OnAppendReply(Context& ctx, ReplicaId from, const v1::AppendReply& reply) {
  const Term theirs(reply.term());
  if (theirs > term_) {
    SOMETIMES(ctx.out.probes(), kLeaderSawHigherTerm, role_ == Role::kLeader);
    BecomeFollower(ctx, theirs, ReplicaId());
    return;
  }
  if (role_ != Role::kLeader || theirs != term_) return;
  Progress& progress = progress_[from];
  CountRound(progress, reply.round());
  if (progress.state == Progress::kSnapshot) return;
  if (reply.success()) {
    if (LogIndex(reply.match_index()) > log_.last()) {
      ctx.out.probes().Reach(ProbeId::kMalformedMessage);
      return;
    }
    const bool was_probe = progress.state == Progress::kProbe;
    progress.Matched(LogIndex(reply.match_index()));
    const bool news = progress.match > commit_;
    if (was_probe && progress.next <= log_.last()) {
      Carried latest;
      SendAppend(ctx, from, /*heartbeat=*/false, latest);
    }
    if (news) MaybeCommit(ctx);
    return;
  }
  // A refusal that is older than what we know by now says nothing.
  if (LogIndex(reply.hint_index()) < progress.match) return;
  LogIndex guess = std::min(LogIndex(reply.hint_index()), log_.last());
  if (progress.state == Progress::kProbe && guess.Next() >= progress.next) return;
  while (guess > log_.base() && log_.TermAt(guess) > Term(reply.hint_term())) guess = guess.Prev();
  progress.Refused(guess);
  SendHeartbeat(ctx, from);
}

void Raft::MaybeCommit(Context& ctx) {
  if (role_ != Role::kLeader || commit_ == log_.last()) return;
  const LogIndex own = std::min(ctx.storage.durable_index(), log_.last());
  PerVoter<LogIndex> matches;
  for (const v1::Member& member : configuration().members()) {
    const ReplicaId id(member.id());
    const Progress* const progress = progress_.Find(id);
    matches.push_back(id == options_.self ? own : progress == nullptr ? LogIndex() : progress->match);
  }
  const LogIndex reached = ReachedByMajority(matches);
  if (reached <= commit_) return;
  // Entries of earlier terms are committed only by a later one of our own [Raft §5.4.2].
  if (log_.TermAt(reached) != term_) {
    ctx.out.probes().Reach(ProbeId::kOldTermEntryHeldBack);
    return;
  }
  SOMETIMES(ctx.out.probes(), kLeaderCommitsBeforeOwnSync, reached > own);
  AdvanceCommit(ctx, reached);
}

}  // namespace bramah::raft

// Snapshot transfer [Raft §7]: stop-and-wait chunks; a transfer that is disturbed starts over.
#include <algorithm>

#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/raft/raft.h"

namespace bramah::raft {
namespace {

// Most memory a transfer may ask a follower for.
constexpr uint64_t kSnapshotBytesMax = uint64_t{4} << 30;

}  // namespace

void Raft::Compact(const Snapshot& snapshot) {
  if (snapshot.meta.index <= log_.base()) return;
  snapshot_ = snapshot;
  configurations_.CompactTo(snapshot.meta.index);
  log_.CompactTo(snapshot.meta.index);
}

void Raft::SendSnapshotChunk(Context& ctx, ReplicaId peer) {
  Progress& progress = progress_[peer];
  const std::string_view state = progress.sending.state.view();
  const SnapshotMeta& meta = progress.sending.meta;
  v1::SnapshotChunk& chunk = ctx.out.Send<v1::SnapshotChunk>(peer_conns_[peer]);
  chunk.set_term(term_.value());
  chunk.set_round(round_);
  chunk.set_last_index(meta.index.value());
  chunk.set_last_term(meta.term.value());
  chunk.set_cluster_time(meta.cluster_time);
  chunk.set_configuration(meta.configuration);
  chunk.set_total(state.size());
  chunk.set_offset(progress.offset);
  const std::string_view data = state.substr(progress.offset, options_.snapshot_chunk_bytes);
  chunk.set_data(data.data(), data.size());
  chunk.set_checksum(Hash64(state));
}

void Raft::OnSnapshotChunk(Context& ctx, ReplicaId from, ConnId conn, const v1::SnapshotChunk& chunk) {
  const Term theirs(chunk.term());
  const auto answer = [&](uint64_t next_offset, bool installed, After after) {
    v1::SnapshotReply& reply = ctx.out.Send<v1::SnapshotReply>(conn, after);
    reply.set_term(term_.value());
    reply.set_round(theirs == term_ && role_ == Role::kFollower ? chunk.round() : 0);
    reply.set_last_index(chunk.last_index());
    reply.set_next_offset(next_offset);
    reply.set_installed(installed);
  };
  if (theirs < term_ || (theirs == term_ && role_ == Role::kLeader)) {
    return answer(0, false, ctx.storage.Need(term_, LogIndex()));
  }
  if (theirs > term_ || role_ == Role::kCandidate) BecomeFollower(ctx, theirs, from);
  HeardFromLeader(ctx, from);
  const LogIndex index(chunk.last_index());
  const After term_durable = ctx.storage.Need(term_, LogIndex());
  if (!installing_ && Holds(index, Term(chunk.last_term()))) {
    AdvanceCommit(ctx, index);
    return answer(chunk.total(), true, ctx.storage.Need(term_, index));
  }
  if (installing_ || incoming_complete_) return answer(incoming_total_, false, term_durable);
  const bool timely = chunk.cluster_time() >= 0 && chunk.cluster_time() <= kClusterTimeMax;
  const bool fits = chunk.total() <= kSnapshotBytesMax && chunk.offset() + chunk.data().size() <= chunk.total();
  if (chunk.total() == 0 || !fits || !timely) {
    ctx.out.probes().Reach(ProbeId::kMalformedMessage);
    return;
  }
  const bool same = incoming_.meta.index == index && incoming_.meta.term == Term(chunk.last_term()) &&
                    incoming_total_ == chunk.total() && incoming_checksum_ == chunk.checksum();
  if (chunk.offset() == 0 && (!same || incoming_bytes_.empty())) {
    incoming_.meta = {index, Term(chunk.last_term()), chunk.cluster_time(), chunk.configuration()};
    incoming_total_ = chunk.total();
    incoming_checksum_ = chunk.checksum();
    incoming_bytes_.clear();
  } else if (!same) {
    ctx.out.probes().Reach(ProbeId::kSnapshotRestarted);
    return answer(0, false, term_durable);
  }
  if (chunk.offset() == incoming_bytes_.size()) incoming_bytes_ += chunk.data();
  if (incoming_bytes_.size() < incoming_total_) return answer(incoming_bytes_.size(), false, term_durable);
  if (Hash64(incoming_bytes_) != incoming_checksum_) {
    ctx.out.probes().Reach(ProbeId::kSnapshotRestarted);
    incoming_bytes_.clear();
    return answer(0, false, term_durable);
  }
  incoming_.state = Blob(incoming_bytes_);
  incoming_complete_ = true;
  incoming_conn_ = conn;
  incoming_round_ = chunk.round();
}

bool Raft::Holds(LogIndex index, Term term) const {
  return index <= commit_ || (log_.Knows(index) && log_.TermAt(index) == term);
}

void Raft::Install(Context& ctx) {
  BRAMAH_CHECK(incoming_complete_ && !Holds(incoming_.meta.index, incoming_.meta.term));
  ctx.storage.InstallSnapshot(ctx.now, incoming_, ctx.out);
  installing_ = true;
  snapshot_ = incoming_;
  const SnapshotMeta& meta = incoming_.meta;
  log_.Reset(meta.index, meta.term, meta.cluster_time);
  changed_from_ = meta.index.Next();
  configurations_.Reset(meta.index, meta.configuration);
  AdvanceCommit(ctx, meta.index);
  ctx.out.probes().Reach(ProbeId::kSnapshotInstalled);
  ctx.out.Event(CoreEvent::kSnapshotInstalled).index = meta.index;
}

void Raft::FinishInstall(Context& ctx) {
  installing_ = false;
  if (role_ == Role::kFollower) {
    v1::SnapshotReply& reply = ctx.out.Send<v1::SnapshotReply>(incoming_conn_, ctx.storage.Need(term_, incoming_.meta.index));
    reply.set_term(term_.value());
    reply.set_round(0);  // the promise to its round was not made now
    reply.set_last_index(incoming_.meta.index.value());
    reply.set_next_offset(incoming_total_);
    reply.set_installed(true);
  }
  RefuseIncoming();
}

void Raft::RefuseIncoming() {
  incoming_complete_ = false;
  incoming_bytes_.clear();
  incoming_bytes_.shrink_to_fit();
  incoming_ = Snapshot();
}

void Raft::OnSnapshotReply(Context& ctx, ReplicaId from, const v1::SnapshotReply& reply) {
  const Term theirs(reply.term());
  if (theirs > term_) {
    SOMETIMES(ctx.out.probes(), kLeaderSawHigherTerm, role_ == Role::kLeader);
    BecomeFollower(ctx, theirs, ReplicaId());
    return;
  }
  if (role_ != Role::kLeader || theirs != term_) return;
  Progress& progress = progress_[from];
  CountRound(progress, reply.round());
  if (progress.state != Progress::kSnapshot || LogIndex(reply.last_index()) != progress.sending.meta.index) return;
  if (reply.installed()) {
    progress.FinishSnapshot();
    SendHeartbeat(ctx, from);
    MaybeCommit(ctx);
    return;
  }
  const uint64_t total = progress.sending.state.size();
  if (reply.next_offset() > total || reply.next_offset() == progress.offset) return;
  progress.offset = reply.next_offset();
  // Everything has arrived and is being made durable there: rounds go on with an empty chunk.
  if (progress.offset < total && peer_conns_[from]) SendSnapshotChunk(ctx, from);
}

}  // namespace bramah::raft

// Carrying out what a step asked for, in order.
#include <algorithm>

#include "core/base/check.h"
#include "sim/plan/streams.h"
#include "sim/world/world.h"

namespace bramah::sim {

void World::CarryOut(Host& host, size_t count) {
  CarryOutEach(host, count);
  ForgetLatest();
}

void World::CarryOutEach(Host& host, size_t count) {
  const uint32_t incarnation = host.incarnation;
  for (size_t i = 0; i < count; ++i) {
    const Effects::Ref ref = effects_.ops()[i];
    Fold(static_cast<uint64_t>(ref.op));
    switch (ref.op) {
      case Effects::Op::kSend:
        OnSend(host, effects_.send(ref));
        break;
      case Effects::Op::kDisk:
        OnDisk(host, effects_.disk(ref));
        break;
      case Effects::Op::kArm:
        OnArm(host, effects_.timer(ref));
        break;
      case Effects::Op::kCancel:
        Fold(static_cast<uint64_t>(effects_.timer(ref).timer));
        host.timers[static_cast<size_t>(effects_.timer(ref).timer)].local = kNever;
        host.timers[static_cast<size_t>(effects_.timer(ref).timer)].deadline = kNever;
        break;
      case Effects::Op::kReply:
        OnReply(host, effects_.reply(ref));
        break;
      case Effects::Op::kConnect:
        OnConnect(host, effects_.connect(ref));
        break;
      case Effects::Op::kListen:
        OnListen(host, effects_.connect(ref));
        break;
      case Effects::Op::kClose:
        Fold(effects_.close(ref).conn.value());
        OnClose(host, effects_.close(ref).conn);
        break;
      case Effects::Op::kEvent: {
        const CoreEvent& event = effects_.event(ref);
        FoldEvent(event);
        if (event.kind == CoreEvent::kRecovered) host.recovered_once = true;
        if (event.kind == CoreEvent::kSessionEnded && host.actor != nullptr) host.actor->SessionEnded();
        if (event.kind >= CoreEvent::kContentsModified && host.actor != nullptr) host.actor->Notified(event);
        break;
      }
      case Effects::Op::kHalt:
        OnHalt(host, effects_.halt(ref));
        break;
    }
    if (host.node == nullptr || host.incarnation != incarnation) return;
  }
  if (host.actor != nullptr && !host.actor->wishes().empty()) GrantWishes(host);
}

void World::FoldEvent(const CoreEvent& event) {
  Fold(uint64_t{event.kind} | uint64_t{event.effect} << 8 | static_cast<uint64_t>(event.command) << 16 |
       static_cast<uint64_t>(event.code) << 24 | static_cast<uint64_t>(event.mode) << 32 | uint64_t{event.reason} << 40);
  Fold(event.replica.value() ^ event.term.value() << 8 ^ event.index.value() << 32);
  Fold(event.epoch.value() ^ event.session.value() << 20);
  Fold(event.seq.value() ^ event.handle.value() << 24);
  Fold(event.generation.value() ^ event.content_generation << 40);
  Fold(static_cast<uint64_t>(event.time));
}

// At most one queue entry per timer matters: one that comes out early is pushed again, so arming later costs nothing.
void World::OnArm(Host& host, const Effects::TimerOp& op) {
  Timer& timer = host.timers[static_cast<size_t>(op.timer)];
  Fold(static_cast<uint64_t>(op.timer));
  Fold(static_cast<uint64_t>(op.at));
  timer.local = op.at;
  SetDeadline(host, op.timer);
}

void World::SetDeadline(Host& host, TimerId id) {
  Timer& timer = host.timers[static_cast<size_t>(id)];
  timer.deadline = timer.local == kNever ? kNever : std::max(now_, host.clock.ToReal(timer.local));
  if (timer.queued <= timer.deadline) return;
  timer.queued = timer.deadline;
  Schedule(timer.deadline,
           {.kind = Happening::kTimer, .small = static_cast<uint8_t>(id), .process = host.id, .incarnation = host.incarnation});
}

void World::OnSend(Host& host, const Effects::SendOp& op) {
  Fold(op.to.value());
  const ConnectionEnd end = FindEnd(host, op.to);
  if (!end || connections_.at(end).state != Connection::kUp) return;
  const FrameId id = FrameOf(op);
  Fold(frames_.hash(id));
  Fold(op.after.log ^ op.after.bulk << 32);
  const Claim claim = ClaimOf({op.kind, op.body});
  if (op.after.log <= host.done[0] && op.after.bulk <= host.done[1]) return Leave(host, end, id, claim);
  host.held.push_back({end, id, op.after, claim});
}

// A frame of this message, with a reference for the caller. What goes to several receivers is encoded once.
FrameId World::FrameOf(const Effects::SendOp& op) {
  if (op.body != latest_.body) {
    ForgetLatest();
    latest_.frame = frames_.Encode(op.kind, *op.body);
    latest_.body = op.body;
  }
  frames_.Share(latest_.frame);
  return latest_.frame;
}

void World::ForgetLatest() {
  if (latest_.body != nullptr) frames_.Release(latest_.frame);
  latest_.body = nullptr;
}

void World::OnDisk(Host& host, const Effects::DiskOp& op) {
  Batch& batch = host.lanes[static_cast<size_t>(op.lane)];
  BRAMAH_CHECK(!batch.busy);
  Fold(static_cast<uint64_t>(op.lane) << 56 ^ op.ticket);
  batch.busy = true;
  batch.ran = false;
  batch.failed = false;
  batch.ticket = op.ticket;
  batch.ops.assign(effects_.file_ops(op).begin(), effects_.file_ops(op).end());
  batch.reads.clear();
  for (const FileOp& file_op : batch.ops) {
    Fold(uint64_t{file_op.kind} | static_cast<uint64_t>(file_op.file.kind) << 8 | static_cast<uint64_t>(file_op.to.kind) << 16);
    Fold(file_op.file.seq ^ file_op.to.seq << 32);
    Fold(file_op.offset ^ file_op.length << 32);
    if (!file_op.bytes.empty()) Fold(Hash64(file_op.bytes.view()));
  }
  ++host.batches;
  Schedule(
      now_ + BatchTime(host, batch),
      {.kind = Happening::kDisk, .small = static_cast<uint8_t>(op.lane), .process = host.id, .incarnation = host.incarnation});
}

void World::OnReply(Host& host, const Effects::ReplyOp& op) {
  Fold(op.call.value());
  scratch_.clear();
  op.outcome->AppendToString(&scratch_);
  Fold(Hash64(scratch_));
  if (host.actor == nullptr) return;
  if (observer_ != nullptr) observer_->Answered(now_, host.id, op.call, *op.outcome);
  host.actor->Answered(op.call, *op.outcome);
}

// A replica whose disk failed is restarted, as an init system would do. One that stopped in the middle of formatting is formatted
// anew: it has promised nothing yet. Any other halt is final, and an error unless the plan rotted its disk.
void World::OnHalt(Host& host, const Effects::HaltOp& op) {
  Fold(static_cast<uint64_t>(op.why));
  const std::string detail = host.name + " halted: " + op.detail;
  if (observer_ != nullptr) observer_->FaultApplied(now_, detail);
  const uint64_t draw = Draw(plan_.seed(), Stream::kRestart, host.id, host.incarnation);
  const Duration restart = Between(draw, 10 * kMillisecond, 500 * kMillisecond);
  if (op.why == HaltReason::kDiskFailure) return Crash(host, false, restart);
  if (op.why == HaltReason::kIncompleteFormat && !host.recovered_once) {
    host.disk.Wipe();
    return Crash(host, false, restart);
  }
  host.halted = true;
  const bool rot = op.why == HaltReason::kCorruptLog || op.why == HaltReason::kCorruptVote ||
                   op.why == HaltReason::kCorruptSnapshot || op.why == HaltReason::kForeignDirectory ||
                   op.why == HaltReason::kIncompleteFormat;
  const bool excused = rot && host.rotted;
  Crash(host, false, kNever);
  if (!excused && observer_ != nullptr) observer_->Report("liveness.progress", now_, detail);
}

}  // namespace bramah::sim

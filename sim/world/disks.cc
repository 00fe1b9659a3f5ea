// Disk batches under way: how long they take, what becomes of them, and the messages that wait for them.
#include <algorithm>

#include "sim/plan/streams.h"
#include "sim/world/world.h"

namespace bramah::sim {

Duration World::OperationTime(FileOp::Kind kind, uint64_t draw) const {
  const bool sync = kind == FileOp::kSyncData || kind == FileOp::kSyncDir;
  return sync ? Between(draw, disk_times_.sync_min_ns(), disk_times_.sync_max_ns())
              : Between(draw, disk_times_.write_min_ns(), disk_times_.write_max_ns());
}

Duration World::BatchTime(const Host& host, const Batch& batch) const {
  Duration sum = host.slow_disk;
  for (size_t i = 0; i < batch.ops.size(); ++i) {
    sum += OperationTime(batch.ops[i].kind, Draw(plan_.seed(), Stream::kBatch, host.id, host.batches << 16 ^ i));
  }
  return sum;
}

void World::OnDiskTime(Host& host, Lane lane) {
  RunBatch(host, host.lanes[static_cast<size_t>(lane)]);
  host.lanes[static_cast<size_t>(lane)].ran = true;
  const Happening ready{
      .kind = Happening::kDiskReady, .small = static_cast<uint8_t>(lane), .process = host.id, .incarnation = host.incarnation};
  Dispatch(ready);
}

// The first thing that is wrong with `op`, if a fault of the plan is due.
std::optional<DiskError> World::InjectedError(Host& host, const FileOp& op) {
  switch (op.kind) {
    case FileOp::kSyncData:
    case FileOp::kSyncDir:
      if (host.sync_failures == 0) return std::nullopt;
      --host.sync_failures;
      host.disk.FailSync(op);
      return DiskError::kSyncIo;
    case FileOp::kWrite:
    case FileOp::kZeroFill:
      if (host.no_space > 0 && host.disk.Grows(op)) return DiskError::kNoSpace;
      if (host.write_failures == 0) return std::nullopt;
      --host.write_failures;
      return DiskError::kWriteIo;
    default:
      return std::nullopt;
  }
}

void World::RunBatch(Host& host, Batch& batch) {
  for (size_t i = 0; i < batch.ops.size(); ++i) {
    const FileOp& op = batch.ops[i];
    std::optional<DiskError> error = InjectedError(host, op);
    if (!error) error = host.disk.Apply(op, &batch.reads);
    if (error) {
      batch.failed = true;
      batch.failed_op = static_cast<uint16_t>(i);
      batch.error = *error;
      return;
    }
    if (observer_ != nullptr) observer_->DiskOperation(now_, host.id, op);
  }
}

void World::OnDiskReady(Host& host, Lane lane) {
  Batch& batch = host.lanes[static_cast<size_t>(lane)];
  batch.busy = false;
  if (batch.failed) {
    const uint64_t hash = FoldHash(batch.ticket, uint64_t{batch.failed_op} << 8 | static_cast<uint64_t>(batch.error));
    return Step(host, DiskFailed{lane, batch.ticket, batch.failed_op, batch.error}, hash);
  }
  host.done[static_cast<size_t>(lane)] = batch.ticket;
  ReleaseHeld(host);
  uint64_t hash = batch.ticket << 1 | static_cast<uint64_t>(lane);
  for (const Blob& blob : batch.reads) hash = FoldHash(hash, Hash64(blob.view()));
  // The step may start the next batch of this lane.
  std::vector<Blob> reads;
  reads.swap(batch.reads);
  Step(host, DiskDone{lane, batch.ticket, reads}, hash);
}

void World::ReleaseHeld(Host& host) {
  size_t kept = 0;
  for (size_t i = 0; i < host.held.size(); ++i) {
    const Held held = host.held[i];
    if (held.after.log > host.done[0] || held.after.bulk > host.done[1]) {
      host.held[kept++] = held;
    } else if (connections_.at(held.end).state == Connection::kUp) {
      Leave(host, held.end, held.frame, held.claim);
    } else {
      frames_.Release(held.frame);
    }
  }
  host.held.resize(kept);
}

// The process dies: of each batch under way a drawn prefix was done, and possibly the beginning of one more write.
void World::CutBatches(Host& host) {
  for (size_t lane = 0; lane < host.lanes.size(); ++lane) {
    Batch batch = std::exchange(host.lanes[lane], Batch());
    if (!batch.busy || batch.ran) continue;
    const uint64_t draw = Draw(plan_.seed(), Stream::kCrashCut, host.id, uint64_t{host.crashes} << 8 | (lane + 1));
    const size_t done = Below(draw, batch.ops.size() + 1);
    const FileOp next = done < batch.ops.size() ? batch.ops[done] : FileOp();
    batch.ops.resize(done);
    RunBatch(host, batch);
    if (!batch.failed) host.disk.ApplyPrefix(next, Below(Scramble(draw), next.bytes.size() + 1));
  }
}

}  // namespace bramah::sim

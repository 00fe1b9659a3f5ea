#include "core/raft/test_cluster.h"

#include <algorithm>
#include <cstdio>

#include "core/base/check.h"
#include "core/base/keyed.h"

namespace bramah::raft {

TestCluster::TestCluster(uint32_t size) {
  storage_options_.segment_bytes = 64 << 10;
  for (uint32_t id = 1; id <= size; ++id) {
    v1::Member* member = configuration_.add_members();
    member->set_id(id);
    member->set_endpoint("r" + std::to_string(id));
  }
  configuration_.set_election_min_ns(kElectionMin);
  configuration_.set_rho_ppm(1000);
  configuration_.set_lease_ns(12 * kSecond);
  configuration_.set_incarnation(1);
  for (uint32_t id = 1; id <= size; ++id) Boot(id);
  Advance(2 * kElectionMin);  // past the promise of freshly booted voters
}

void TestCluster::Boot(uint32_t id) {
  Node& node = nodes_[id];
  node.done = After{};
  node.batches.clear();
  node.held.clear();
  node.disk_held = false;
  node.storage = std::make_unique<storage::Storage>(&storage_options_);
  Identity identity;
  identity.cell = "test";
  identity.member = ReplicaId(id);
  std::vector<FileInfo> files;
  for (const auto& [file, bytes] : node.files) files.push_back({file, bytes.size()});
  Effects out;
  bramah::Boot boot{&identity, Draw(5, 5, id, ++boots_), files, {}};
  node.storage->Boot(now_, boot, out);
  node.storage->Flush(now_, out);
  CarryOut(id, out);
  Pump(id);
  BRAMAH_CHECK(node.storage->ready());
  raft_options_.self = ReplicaId(id);
  node.raft = std::make_unique<Raft>(raft_options_, configuration_);
  Do(id, [&](Raft& raft, Context& ctx) { raft.Start(ctx, ctx.storage.TakeRecovered(), boots_, "new epoch"); });
  Connect(id);
}

void TestCluster::Connect(uint32_t id) {
  for (const auto& entry : nodes_) {
    const uint32_t peer = entry.first;
    if (peer == id || entry.second.raft == nullptr) continue;
    Do(id, [&](Raft& raft, Context& ctx) { raft.SetPeerConn(ctx, ReplicaId(peer), Conn(id, id, peer)); });
    Do(peer, [&](Raft& raft, Context& ctx) { raft.SetPeerConn(ctx, ReplicaId(id), Conn(peer, peer, id)); });
  }
}

void TestCluster::Crash(uint32_t id) {
  Node& node = nodes_[id];
  node.raft.reset();
  node.storage.reset();
  node.batches.clear();
  node.held.clear();
}

// The number tells who dialled whom, seen from either side.
ConnId TestCluster::Conn(uint32_t owner, uint32_t dialled_by, uint32_t dialled) {
  return ConnId(1 + 2 * (dialled_by * 1000 + dialled) + (owner == dialled_by ? 0 : 1'000'000));
}

void TestCluster::Do(uint32_t id, const std::function<void(Raft&, Context&)>& act) {
  Node& node = nodes_[id];
  if (node.raft == nullptr) return;
  Effects out;
  Context ctx{now_, out, *node.storage, node.done};
  act(*node.raft, ctx);
  node.raft->Replicate(ctx);
  node.storage->Flush(now_, out);
  CarryOut(id, out);
  Pump(id);
}

void TestCluster::HoldDisk(uint32_t id, bool held) {
  nodes_[id].disk_held = held;
  if (!held) Pump(id);
}

void TestCluster::CarryOut(uint32_t id, Effects& out) {
  Node& node = nodes_[id];
  for (const Effects::Ref ref : out.ops()) {
    if (ref.op == Effects::Op::kDisk) {
      const Effects::DiskOp& disk = out.disk(ref);
      const auto ops = out.file_ops(disk);
      node.batches.push_back({disk.lane, disk.ticket, {ops.begin(), ops.end()}});
    } else if (ref.op == Effects::Op::kSend) {
      const Effects::SendOp& send = out.send(ref);
      Envelope envelope;
      envelope.from = ReplicaId(id);
      envelope.kind = send.kind;
      const uint64_t number = (send.to.value() - 1) % 1'000'000 / 2;
      const uint32_t dialled_by = static_cast<uint32_t>(number / 1000);
      const uint32_t dialled = static_cast<uint32_t>(number % 1000);
      envelope.to = ReplicaId(dialled_by == id ? dialled : dialled_by);
      EncodeFrame(send.kind, *send.body, &envelope.frame);
      if (send.after.log <= node.done.log && send.after.bulk <= node.done.bulk) {
        queue_.push_back(std::move(envelope));
      } else {
        node.held.push_back({send.after, std::move(envelope)});
      }
    } else {
      if (ref.op == Effects::Op::kHalt) std::fprintf(stderr, "%s\n", out.halt(ref).detail.c_str());
      BRAMAH_CHECK(ref.op != Effects::Op::kHalt);
    }
  }
}

void TestCluster::Pump(uint32_t id) {
  Node& node = nodes_[id];
  while (!node.disk_held && !node.batches.empty()) {
    const Node::Batch batch = node.batches.front();
    node.batches.pop_front();
    const std::vector<Blob> reads = Execute(node, batch.ops);
    (batch.lane == Lane::kLog ? node.done.log : node.done.bulk) = batch.ticket;
    for (size_t i = 0; i < node.held.size();) {
      const Node::HeldMessage& held = node.held[i];
      if (held.after.log <= node.done.log && held.after.bulk <= node.done.bulk) {
        queue_.push_back(held.envelope);
        node.held.erase(node.held.begin() + static_cast<std::ptrdiff_t>(i));
      } else {
        ++i;
      }
    }
    Effects out;
    Context ctx{now_, out, *node.storage, node.done};
    node.storage->OnDiskDone(now_, DiskDone{batch.lane, batch.ticket, reads}, out);
    if (node.raft != nullptr) {
      node.raft->OnDurable(ctx);
      node.raft->Replicate(ctx);
    }
    node.storage->Flush(now_, out);
    CarryOut(id, out);
  }
}

std::vector<Blob> TestCluster::Execute(Node& node, const std::vector<FileOp>& ops) {
  std::vector<Blob> reads;
  for (const FileOp& op : ops) {
    std::string& file = node.files[op.file];
    if (op.kind == FileOp::kCreate) {
      file.clear();
    } else if (op.kind == FileOp::kZeroFill) {
      file.resize(std::max<size_t>(file.size(), op.offset + op.length));
    } else if (op.kind == FileOp::kWrite) {
      file.resize(std::max<size_t>(file.size(), op.offset + op.bytes.size()));
      file.replace(op.offset, op.bytes.size(), op.bytes.view());
    } else if (op.kind == FileOp::kRead) {
      reads.push_back(Blob(std::string_view(file).substr(std::min<size_t>(op.offset, file.size()), op.length)));
    } else if (op.kind == FileOp::kRename) {
      node.files[op.to] = file;
      node.files.erase(op.file);
    } else if (op.kind == FileOp::kUnlink) {
      node.files.erase(op.file);
    }
  }
  return reads;
}

std::vector<Envelope> TestCluster::TakeQueue() {
  std::vector<Envelope> taken(queue_.begin(), queue_.end());
  queue_.clear();
  return taken;
}

void TestCluster::Deliver(const Envelope& envelope) {
  const FrameResult decoded = DecodeFrame(envelope.frame, slots_);
  BRAMAH_CHECK(decoded.status == FrameStatus::kComplete);
  const uint32_t to = envelope.to.value();
  const uint32_t from = envelope.from.value();
  const bool request = envelope.kind == MessageKind::kVoteRequest || envelope.kind == MessageKind::kAppendRequest ||
                       envelope.kind == MessageKind::kSnapshotChunk;
  const ConnId conn = request ? Conn(to, from, to) : Conn(to, to, from);
  Do(to, [&](Raft& raft, Context& ctx) { raft.OnMessage(ctx, envelope.from, conn, decoded.message); });
}

void TestCluster::Run(const std::function<bool(const Envelope&)>& keep) {
  while (!queue_.empty()) {
    const Envelope envelope = queue_.front();
    queue_.pop_front();
    if (keep == nullptr || keep(envelope)) Deliver(envelope);
  }
}

void TestCluster::Campaign(uint32_t id, const std::function<bool(const Envelope&)>& keep) {
  Advance(3 * kElectionMin);
  Do(id, [](Raft& raft, Context& ctx) { raft.OnElectionTimer(ctx); });
  Run(keep);
}

LogIndex TestCluster::Propose(uint32_t id, const std::string& payload) {
  LogIndex index;
  Do(id, [&](Raft& raft, Context& ctx) {
    const auto proposed = raft.Propose(ctx, EntryKind::kCommand, payload);
    if (proposed.has_value()) index = *proposed;
  });
  return index;
}

void TestCluster::Heartbeat(uint32_t id, const std::function<bool(const Envelope&)>& keep) {
  Do(id, [](Raft& raft, Context& ctx) { raft.OnHeartbeatTimer(ctx); });
  Run(keep);
}

std::function<bool(const Envelope&)> TestCluster::Without(std::set<uint32_t> ids) {
  return [ids](const Envelope& e) { return !ids.contains(e.from.value()) && !ids.contains(e.to.value()); };
}

}  // namespace bramah::raft

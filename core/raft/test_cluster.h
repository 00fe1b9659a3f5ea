// A few Raft nodes in one test, over instant disks and a hand-driven network: the test decides which message arrives.
#ifndef BRAMAH_CORE_RAFT_TEST_CLUSTER_H_
#define BRAMAH_CORE_RAFT_TEST_CLUSTER_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/api/effects.h"
#include "core/raft/raft.h"
#include "core/storage/storage.h"
#include "core/wire/frame.h"

namespace bramah::raft {

// A message on its way, as production bytes.
struct Envelope {
  ReplicaId from;
  ReplicaId to;
  MessageKind kind;
  std::string frame;
};

class TestCluster {
 public:
  static constexpr Duration kElectionMin = 150 * kMillisecond;

  explicit TestCluster(uint32_t size);

  // Boots (or reboots, with what its disk holds) a node.
  void Boot(uint32_t id);
  // Everything in memory is gone; the disk stays.
  void Crash(uint32_t id);

  Raft& raft(uint32_t id) { return *nodes_[id].raft; }
  storage::Storage& storage(uint32_t id) { return *nodes_[id].storage; }
  Time now() const { return now_; }
  void Advance(Duration d) { now_ += d; }

  // Runs `act` on the node, then carries out its effects: disk batches complete at once unless HoldDisk, messages queue up.
  void Do(uint32_t id, const std::function<void(Raft&, Context&)>& act);
  // While held, batches of the node stay in flight and messages that wait for them stay back.
  void HoldDisk(uint32_t id, bool held);

  // Delivers queued messages, and those they cause, until none is left; `keep` false drops a message.
  void Run(const std::function<bool(const Envelope&)>& keep = nullptr);
  // Removes and returns what is queued.
  std::vector<Envelope> TakeQueue();
  void Deliver(const Envelope& envelope);

  // Lets the node's election timer fire late enough to count, and delivers everything: it leads afterwards if it can.
  void Campaign(uint32_t id, const std::function<bool(const Envelope&)>& keep = nullptr);
  // Proposes at the node; the entry is not replicated before Run.
  LogIndex Propose(uint32_t id, const std::string& payload);
  // A round from the node, delivered to all.
  void Heartbeat(uint32_t id, const std::function<bool(const Envelope&)>& keep = nullptr);

  // A filter that drops everything from and to the named nodes.
  static std::function<bool(const Envelope&)> Without(std::set<uint32_t> ids);

 private:
  struct Node {
    std::unique_ptr<storage::Storage> storage;
    std::unique_ptr<Raft> raft;
    std::map<FileId, std::string> files;
    After done;
    bool disk_held = false;
    struct Batch {
      Lane lane;
      Ticket ticket;
      std::vector<FileOp> ops;
    };
    std::deque<Batch> batches;
    struct HeldMessage {
      After after;
      Envelope envelope;
    };
    std::vector<HeldMessage> held;
  };

  void CarryOut(uint32_t id, Effects& out);
  void Pump(uint32_t id);
  void Connect(uint32_t id);
  std::vector<Blob> Execute(Node& node, const std::vector<FileOp>& ops);
  static ConnId Conn(uint32_t owner, uint32_t dialled_by, uint32_t dialled);

  Time now_ = 1;
  storage::Options storage_options_;
  Options raft_options_;
  v1::Configuration configuration_;
  std::map<uint32_t, Node> nodes_;
  std::deque<Envelope> queue_;
  MessageSlots slots_;
  uint64_t boots_ = 0;
};

}  // namespace bramah::raft

#endif  // BRAMAH_CORE_RAFT_TEST_CLUSTER_H_

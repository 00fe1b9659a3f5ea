// World: processes, their clocks and disks, the network between them, the applications on top, and the faults of a plan. It
// drives nodes (servers and clients) through Step exactly as a real driver would, by one queue of events in simulated real time.
//
// Everything a world does is a function of the plan; the trace hash is a fold over every input and every effect carried out.
#ifndef BRAMAH_SIM_WORLD_WORLD_H_
#define BRAMAH_SIM_WORLD_WORLD_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/api/effects.h"
#include "core/api/step.h"
#include "core/base/hash.h"
#include "core/base/rate_watch.h"
#include "core/wire/frame.h"
#include "sim/app/actor.h"
#include "sim/app/resource.h"
#include "sim/check/checkers.h"
#include "sim/disk/disk.h"
#include "sim/plan/plan.pb.h"
#include "sim/world/connections.h"
#include "sim/world/event_queue.h"
#include "sim/world/frames.h"
#include "sim/world/links.h"

namespace bramah::sim {

// A server or a client of the core.
class Node {
 public:
  virtual ~Node() = default;
  virtual void Step(Time now, const Input& input, Effects& out) = 0;
};

// Hears what happens; decides nothing.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void Booted(Time, ProcessId) {}
  // Everything in memory is gone; `machine`: unsynced writes may be gone too.
  virtual void Crashed(Time, ProcessId, bool /*machine*/) {}
  // After every Step, before its effects are carried out.
  virtual void Stepped(Time, ProcessId, const Node&, const Input&, const Effects&) {}
  virtual void DiskOperation(Time, ProcessId, const FileOp&) {}
  // A replica's message, when it leaves the process.
  virtual void MessageLeft(Time, ProcessId, const Claim&) {}
  virtual void Called(Time, ProcessId, const Call&, std::string_view /*path*/) {}
  virtual void Answered(Time, ProcessId, CallId, const v1::Outcome&) {}
  // A request reached the fenced resource, which acted on it or refused.
  virtual void Requested(Time, const ResourceRequest&, bool /*accepted*/) {}
  // From now on; only in plans whose clocks lie or are slewed.
  virtual void ClockChanged(Time, ProcessId, const LocalClock&) {}
  virtual void FaultApplied(Time, const std::string& /*what*/) {}
  // The run has to end: resource.bounded, or a halt that nothing excuses.
  virtual void Report(std::string_view /*checker*/, Time, const std::string& /*message*/) {}
};

// Makes the node of a process that boots.
using NodeFactory = std::function<std::unique_ptr<Node>(ProcessId)>;

// The clocks of a plan: drift as the plan says, offset drawn from its seed. By process.
std::vector<LocalClock> MakeClocks(const v1::Plan& plan);

class World {
 public:
  // Steps allowed without time advancing, and per simulated second.
  static constexpr uint64_t kStepsPerInstantMax = 100'000;
  static constexpr uint64_t kStepsPerSecondMax = 200'000;

  // `plan` is expanded and valid; it, `factory` and `observer` outlive the world.
  World(const v1::Plan& plan, NodeFactory factory, Observer* observer);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Does the next thing, if it is due at or before `until`; false if nothing is, and then it is `until`.
  bool Advance(Time until);
  // Ends all faults: the network is whole and quick against the election time-out, disks are quick and have space, everything
  // that may run runs. Clocks keep their rates; those that stand still go on.
  void LiftFaults();

  // ---- looking in
  Time now() const { return now_; }
  uint64_t trace_hash() const { return hash_; }
  uint64_t events() const { return events_; }
  Probes probes() const { return probes_; }
  uint32_t replicas() const { return replicas_; }
  uint32_t processes() const { return static_cast<uint32_t>(hosts_.size()); }
  // "r2", "c7"
  const std::string& NameOf(ProcessId process) const { return hosts_[process]->name; }
  bool IsReplica(ProcessId process) const { return process < replicas_; }
  // Null while the process is down.
  const Node* NodeOf(ProcessId process) const { return hosts_[process]->node.get(); }
  // It will never run again: stopped by the plan, or halted because its disk rotted.
  bool GoneForGood(ProcessId process) const { return hosts_[process]->stopped || hosts_[process]->halted; }
  // REQUIRES: a client.
  const Actor& ActorOf(ProcessId process) const { return *hosts_[process]->actor; }
  Disk& DiskOf(ProcessId process) { return hosts_[process]->disk; }
  const LocalClock& ClockOf(ProcessId process) const { return hosts_[process]->clock; }
  // Connections that exist at a process.
  size_t ConnectionsOf(ProcessId process) const { return hosts_[process]->connections.size(); }

 private:
  struct Timer {
    Time local = kNever;     // kNever: not armed
    Time deadline = kNever;  // `local` in real time; kNever: not armed, or the clock stands still before it
    Time queued = kNever;    // when its one entry in the queue comes out; kNever: it has none
  };
  struct Batch {
    bool busy = false;
    bool ran = false;    // its time is over; the node may not have heard of it yet
    bool failed = false;
    uint16_t failed_op = 0;
    DiskError error = DiskError::kWriteIo;
    Ticket ticket = 0;
    std::vector<FileOp> ops;
    std::vector<Blob> reads;
  };
  // A message that waits for its tickets.
  struct Held {
    ConnectionEnd end;
    FrameId frame;
    After after;
    Claim claim;
  };
  struct CrashOrder {
    bool armed = false;
    bool machine = false;
    Duration down_for = 0;
  };
  struct Host {
    ProcessId id = 0;
    std::string name;
    LocalClock clock;
    int64_t drift_ppm = 0;       // while the clock goes
    int64_t slew_ppm = 0;        // on top of that
    uint32_t freezes = 0;        // in force
    uint32_t slews = 0;          // likewise
    RateWatch watch;             // of this incarnation, if the plan has its clock watched
    bool clock_trusted = true;   // as the node was told
    std::unique_ptr<Node> node;  // null: down
    uint32_t incarnation = 0;    // number of boots
    uint32_t crashes = 0;
    uint64_t batches = 0;
    bool machine_up = true;
    bool stopped = false;
    bool halted = false;
    bool recovered_once = false;
    bool rotted = false;         // the plan flipped a bit of it
    Time down_until = 0;
    Time paused_until = 0;
    bool paused = false;
    std::vector<Happening> backlog;  // of a pause
    std::array<Timer, kTimerCount> timers;
    bool listening = false;
    FrameId hello = 0;               // valid while listening
    std::vector<std::pair<ConnId, ConnectionEnd>> connections;  // sorted by id
    Disk disk;
    std::array<Batch, kLaneCount> lanes;
    std::array<Ticket, kLaneCount> done{};
    std::vector<Held> held;
    uint32_t sync_failures = 0;      // due
    uint32_t write_failures = 0;
    uint32_t no_space = 0;           // faults in force
    Duration slow_disk = 0;
    CrashOrder between_effects;      // in the middle of the next step
    std::unique_ptr<Actor> actor;    // clients
    size_t next_operation = 0;
  };
  struct Watch {  // a fault that waits for an event
    uint32_t fault = 0;
    CoreEvent::Kind kind = CoreEvent::kRecovered;
    ProcessId process = 0;  // kAnybody
    uint32_t left = 0;      // events to go
  };
  static constexpr ProcessId kAnybody = UINT32_MAX;

  // ---- world.cc: time, processes, inputs
  void Schedule(Time at, const Happening& what) { queue_.Push(at, what); }
  void ScheduleFaults();
  void Dispatch(const Happening& what);
  void Boot(Host& host);
  void Crash(Host& host, bool machine, Duration down_for);
  void ScheduleBoot(Host& host, Time at);
  void Pause(Host& host, Duration length);
  void Resume(Host& host);
  void Step(Host& host, const Input& input, uint64_t input_hash);
  bool WithinBudget();
  void OnTimer(Host& host, const Happening& what);
  void OnOperation(Host& host);
  void OnClockLook(Host& host);
  void OnCall(Host& host, uint32_t slot);
  void GrantWishes(Host& host);
  void SendToResource(Host& host, const ResourceRequest& request);
  void OnRequest(const Happening& what);
  void Fold(uint64_t word) { hash_ = FoldHash(hash_, word); }

  // ---- effects.cc: what a step asked for
  void CarryOut(Host& host, size_t count);
  void CarryOutEach(Host& host, size_t count);
  void OnArm(Host& host, const Effects::TimerOp& op);
  void SetDeadline(Host& host, TimerId id);
  void OnSend(Host& host, const Effects::SendOp& op);
  FrameId FrameOf(const Effects::SendOp& op);
  void ForgetLatest();
  void OnDisk(Host& host, const Effects::DiskOp& op);
  void OnReply(Host& host, const Effects::ReplyOp& op);
  void OnHalt(Host& host, const Effects::HaltOp& op);
  void FoldEvent(const CoreEvent& event);

  // ---- disks.cc: batches under way
  Duration BatchTime(const Host& host, const Batch& batch) const;
  Duration OperationTime(FileOp::Kind kind, uint64_t draw) const;
  void OnDiskTime(Host& host, Lane lane);
  void RunBatch(Host& host, Batch& batch);
  std::optional<DiskError> InjectedError(Host& host, const FileOp& op);
  void OnDiskReady(Host& host, Lane lane);
  void ReleaseHeld(Host& host);
  void CutBatches(Host& host);

  // ---- network.cc: connections and messages
  void OnConnect(Host& host, const Effects::ConnectOp& op);
  void OnListen(Host& host, const Effects::ConnectOp& op);
  void OnClose(Host& host, ConnId conn);
  void OnDialed(const Happening& what);
  void OnUp(const Happening& what);
  void OnDown(const Happening& what);
  void OnFrame(const Happening& what);
  void Leave(Host& host, ConnectionEnd end, FrameId frame, const Claim& claim);
  void TellDown(ConnectionEnd end, Time at, CloseReason why);
  void Reset(ConnectionEnd silent);
  void DropConnections(Host& host, bool silently);
  void DropBacklog(Host& host);
  void Refuse(ConnectionEnd dialler, bool silently);
  void Attach(Host& host, ConnId conn, ConnectionEnd end);
  void Detach(Host& host, ConnId conn);
  ConnectionEnd FindEnd(const Host& host, ConnId conn) const;

  // ---- faults.cc
  void WatchEvents(Host& host, absl::Span<const CoreEvent> events);
  void ApplyFault(uint32_t number, ProcessId trigger);
  void EndFault(uint32_t number, ProcessId trigger);
  void SetClock(Host& host, Duration jump);
  void StrikeProcess(const v1::Fault& fault, Host& host);
  void ChangeLinks(const v1::Fault& fault, ProcessId trigger, int sign);
  std::vector<ProcessId> Resolve(const google::protobuf::RepeatedPtrField<std::string>& names, ProcessId trigger) const;

  const v1::Plan& plan_;
  NodeFactory factory_;
  Observer* observer_;
  uint32_t replicas_;
  EventQueue queue_;
  Frames frames_;
  Links links_;
  Connections connections_;
  v1::Disk disk_times_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<Watch> watches_;
  bool lifted_ = false;
  FencedResource resource_;
  std::vector<ResourceRequest> requests_;  // all that were sent to it
  Effects effects_;
  struct {
    const google::protobuf::Message* body = nullptr;
    FrameId frame = 0;  // with a reference, if there is a body
  } latest_;            // message of the step that is carried out
  std::string scratch_;
  Time now_ = 0;
  uint64_t hash_ = 0;
  uint64_t events_ = 0;
  Probes probes_;
  uint64_t steps_in_instant_ = 0;
  uint64_t steps_in_second_ = 0;
  Time second_ = 0;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_WORLD_WORLD_H_

// Effects: the ordered list of what a Step asks for. Owned and reused by the caller, so the steady state allocates nothing.
//
// Contract between the core and whoever carries effects out:
//  E1 Effects are carried out in list order; a crash may fall after any prefix.
//  E2 A message with a non-empty `after` keeps its content and leaves when that is satisfied, before the DiskDone that satisfies
//     it is stepped; other messages may overtake it. It dies with the process or the connection.
//  E3 Every claim about durable state (vote, append acknowledgement, snapshot acknowledgement) carries After from Storage::Need.
//  E4 A batch runs in order on its lane, at most one in flight per lane, with one DiskDone.
//  E5 Arm replaces the deadline of its timer; a deadline in the past fires next.
//  E6 DiskFailed other than kNoSpace ends the incarnation, as does kNoSpace of a sync: the core halts and accepts no more input.
//  E7 A Step does bounded work; what is left is resumed by TimerId::kContinue or the next DiskDone.
#ifndef BRAMAH_CORE_API_EFFECTS_H_
#define BRAMAH_CORE_API_EFFECTS_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/api/event.h"
#include "core/api/step.h"
#include "core/base/probe.h"

namespace bramah {

// Why a node stops for good. Each has an exit code and a remedy in the drivers.
enum class HaltReason : uint8_t {
  kForeignDirectory,   // the data belongs to another cell, member or disk
  kIncompleteFormat,   // files without an identity
  kCorruptLog,         // bytes below a durability mark are wrong
  kCorruptVote,        // both slots of term and vote are bad
  kCorruptSnapshot,    // no readable snapshot, and the log does not reach back to its start
  kDiskFailure,        // a write, read or sync failed
  kDivergedState,      // state digest differs from the other replicas'
  kMisconfigured,      // the configuration of this replica contradicts the log's
};

class Effects {
 public:
  enum class Op : uint8_t { kSend, kDisk, kArm, kCancel, kReply, kConnect, kListen, kClose, kEvent, kHalt };
  // One effect. `index` points into the array of its kind.
  struct Ref {
    Op op;
    uint32_t index = 0;
  };
  struct SendOp {
    ConnId to;
    After after;
    MessageKind kind = MessageKind::kNone;
    google::protobuf::Message* body = nullptr;  // consecutive operations may share one: SendAgain
  };
  struct DiskOp {
    Lane lane;
    Ticket ticket = 0;
    uint32_t first = 0;  // into file_ops()
    uint32_t count = 0;
  };
  struct TimerOp {
    TimerId timer;
    Time at = 0;  // kArm only
  };
  struct ReplyOp {
    CallId call;
    v1::Outcome* outcome = nullptr;
  };
  struct ConnectOp {  // kConnect: dial `endpoint` and say `hello`; kListen: accept from now on and say `hello`
    ConnId conn;
    std::string endpoint;
    v1::Hello hello;
  };
  struct CloseOp {
    ConnId conn;
    CloseReason why;
  };
  struct HaltOp {
    HaltReason why;
    std::string detail;  // one line: what was found, what was expected
  };

  Effects() = default;
  Effects(const Effects&) = delete;
  Effects& operator=(const Effects&) = delete;

  // ---- for the core

  // A recycled, cleared message to be filled in place; valid until Clear.
  template <class M>
  M& Send(ConnId to, After after = {}) {
    auto& pool = Pool<M>();
    if (pool.used == pool.bodies.size()) pool.bodies.push_back(std::make_unique<M>());
    M* body = pool.bodies[pool.used++].get();
    body->Clear();
    Push(Op::kSend, sends_.size());
    sends_.push_back({to, after, KindOf<M>::kKind, body});
    return *body;
  }
  // The message of the latest Send to one more connection. Its body is the same object, so a driver need not encode it twice.
  // REQUIRES: there was a Send in this step, and its message is complete.
  void SendAgain(ConnId to) {
    Push(Op::kSend, sends_.size());
    sends_.push_back(sends_.back());
    sends_.back().to = to;
  }
  // Asks for a batch. Called only by core/storage, which numbers the tickets.
  void Disk(Lane lane, Ticket ticket, absl::Span<const FileOp> ops) {
    Push(Op::kDisk, disks_.size());
    disks_.push_back({lane, ticket, static_cast<uint32_t>(file_ops_.size()), static_cast<uint32_t>(ops.size())});
    file_ops_.insert(file_ops_.end(), ops.begin(), ops.end());
  }
  void Arm(TimerId timer, Time at) {
    Push(Op::kArm, timers_.size());
    timers_.push_back({timer, at});
  }
  void Cancel(TimerId timer) {
    Push(Op::kCancel, timers_.size());
    timers_.push_back({timer, 0});
  }
  // Ends a Call with the returned, cleared Outcome.
  v1::Outcome& Reply(CallId call) {
    if (outcomes_used_ == outcomes_.size()) outcomes_.push_back(std::make_unique<v1::Outcome>());
    v1::Outcome* outcome = outcomes_[outcomes_used_++].get();
    outcome->Clear();
    Push(Op::kReply, replies_.size());
    replies_.push_back({call, outcome});
    return *outcome;
  }
  // Dials; exactly one ConnUp or ConnDown follows for `conn`, which must be odd and new.
  v1::Hello& Connect(ConnId conn, std::string_view endpoint) { return Dial(Op::kConnect, conn, endpoint); }
  // Accepts connections from now on, answering with the returned Hello.
  v1::Hello& Listen() { return Dial(Op::kListen, ConnId(), {}); }
  // No ConnDown follows.
  void Close(ConnId conn, CloseReason why) {
    Push(Op::kClose, closes_.size());
    closes_.push_back({conn, why});
  }
  CoreEvent& Event(CoreEvent::Kind kind) {
    Push(Op::kEvent, events_.size());
    events_.emplace_back().kind = kind;
    return events_.back();
  }
  void Halt(HaltReason why, std::string detail) {
    Push(Op::kHalt, halts_.size());
    halts_.push_back({why, std::move(detail)});
  }
  Probes& probes() { return probes_; }

  // ---- for whoever carries them out

  absl::Span<const Ref> ops() const { return ops_; }
  const SendOp& send(Ref ref) const { return sends_[ref.index]; }
  const DiskOp& disk(Ref ref) const { return disks_[ref.index]; }
  absl::Span<const FileOp> file_ops(const DiskOp& op) const { return absl::MakeConstSpan(file_ops_).subspan(op.first, op.count); }
  const TimerOp& timer(Ref ref) const { return timers_[ref.index]; }
  const ReplyOp& reply(Ref ref) const { return replies_[ref.index]; }
  const ConnectOp& connect(Ref ref) const { return connects_[ref.index]; }
  const CloseOp& close(Ref ref) const { return closes_[ref.index]; }
  const CoreEvent& event(Ref ref) const { return events_[ref.index]; }
  const HaltOp& halt(Ref ref) const { return halts_[ref.index]; }
  // All events of this step, in order.
  absl::Span<const CoreEvent> events() const { return events_; }

  // Empties the list and the probes; keeps all capacity.
  void Clear() {
    probes_ = Probes();
    if (ops_.empty()) return;
    ops_.clear();
    disks_.clear();
    file_ops_.clear();
    timers_.clear();
    replies_.clear();
    if (!connects_.empty()) connects_.clear();  // clearing an empty deque is not free
    closes_.clear();
    events_.clear();
    halts_.clear();
    outcomes_used_ = 0;
    if (sends_.empty()) return;
    sends_.clear();
#define BRAMAH_RESET(Type, number) pool_##Type##_.used = 0;
    BRAMAH_MESSAGES(BRAMAH_RESET)
#undef BRAMAH_RESET
  }

 private:
  template <class M>
  struct PoolOf {
    std::vector<std::unique_ptr<M>> bodies;
    size_t used = 0;
  };
  template <class M>
  PoolOf<M>& Pool();

  void Push(Op op, size_t index) { ops_.push_back({op, static_cast<uint32_t>(index)}); }
  v1::Hello& Dial(Op op, ConnId conn, std::string_view endpoint) {
    Push(op, connects_.size());
    ConnectOp& connect = connects_.emplace_back();
    connect.conn = conn;
    connect.endpoint = std::string(endpoint);
    return connect.hello;
  }

  std::vector<Ref> ops_;
  std::vector<SendOp> sends_;
  std::vector<DiskOp> disks_;
  std::vector<FileOp> file_ops_;
  std::vector<TimerOp> timers_;
  std::vector<ReplyOp> replies_;
  std::deque<ConnectOp> connects_;
  std::vector<CloseOp> closes_;
  std::vector<CoreEvent> events_;
  std::vector<HaltOp> halts_;
  std::vector<std::unique_ptr<v1::Outcome>> outcomes_;
  size_t outcomes_used_ = 0;
  Probes probes_;
#define BRAMAH_POOL(Type, number) PoolOf<v1::Type> pool_##Type##_;
  BRAMAH_MESSAGES(BRAMAH_POOL)
#undef BRAMAH_POOL
};

#define BRAMAH_POOL_OF(Type, number)                     \
  template <>                                            \
  inline Effects::PoolOf<v1::Type>& Effects::Pool() {    \
    return pool_##Type##_;                               \
  }
BRAMAH_MESSAGES(BRAMAH_POOL_OF)
#undef BRAMAH_POOL_OF

}  // namespace bramah

#endif  // BRAMAH_CORE_API_EFFECTS_H_

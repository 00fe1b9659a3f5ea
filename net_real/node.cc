#include "net_real/node.h"

#include <unistd.h>

#include <utility>

#include "core/base/check.h"
#include "core/wire/frame.h"

namespace bramah::net_real {

namespace {

// The two clocks whose difference is the time suspended are not read at the same instant.
constexpr Duration kSuspendedForSure = kMillisecond;

}  // namespace

Node::Node(asio::io_context& io) : io_(io), watch_timer_(io) {
  for (Timer& timer : timers_) timer.timer = std::make_unique<BootTimer>(io);
}

Node::~Node() { Stop(); }

void Node::Stop() {
  stopped_ = true;
  for (auto& [id, link] : links_) link.connection->Close();
  links_.clear();
  held_.clear();
  for (Timer& timer : timers_) {
    ++timer.generation;
    timer.timer->cancel();
  }
  watch_timer_.cancel();
}

void Node::Feed(const Input& input) {
  // After a gap - a paused process, an application that did not run the loop - the clock may be far off.
  if (Now() > compare_by_) CompareClocks();
  if (stopped_) return;
  ++counters_.steps;
  effects_.Clear();
  Step(Now(), input, effects_);
  for (const Effects::Ref ref : effects_.ops()) {
    CarryOut(ref);
    if (stopped_) return;
  }
  FlushAll();
}

void Node::CarryOut(Effects::Ref ref) {
  switch (ref.op) {
    case Effects::Op::kSend: return Send(effects_.send(ref));
    case Effects::Op::kDisk: {
      const Effects::DiskOp& disk = effects_.disk(ref);
      return OnDisk(disk.lane, disk.ticket, effects_.file_ops(disk));
    }
    case Effects::Op::kArm: return Arm(effects_.timer(ref).timer, effects_.timer(ref).at);
    case Effects::Op::kCancel: return Cancel(effects_.timer(ref).timer);
    case Effects::Op::kReply: return OnReply(effects_.reply(ref).call, *effects_.reply(ref).outcome);
    case Effects::Op::kConnect: return Connect(effects_.connect(ref));
    case Effects::Op::kListen: return OnListen(effects_.connect(ref).hello);
    case Effects::Op::kClose: return CloseLink(effects_.close(ref).conn);
    case Effects::Op::kEvent: return OnEvent(effects_.event(ref));
    case Effects::Op::kHalt: return OnHalt(effects_.halt(ref));
  }
}

// ---------------------------------------------------------------------------------------------------------------- messages

void Node::Send(const Effects::SendOp& send) {
  if (!links_.contains(send.to)) return;
  std::string frame;
  EncodeFrame(send.kind, *send.body, &frame);
  if (Satisfied(send.after)) {
    QueueFrame(send.to, frame);
  } else {
    held_.push_back({send.to, send.after, std::move(frame)});
  }
}

bool Node::Satisfied(const After& after) const {
  return completed_[static_cast<int>(Lane::kLog)] >= after.log && completed_[static_cast<int>(Lane::kBulk)] >= after.bulk;
}

void Node::Complete(Lane lane, Ticket ticket) {
  if (stopped_) return;
  completed_[static_cast<int>(lane)] = ticket;
  std::vector<HeldMessage> still_held;
  for (HeldMessage& message : held_) {
    if (Satisfied(message.after)) {
      QueueFrame(message.to, message.frame);
    } else {
      still_held.push_back(std::move(message));
    }
  }
  held_ = std::move(still_held);
  FlushAll();
}

void Node::QueueFrame(ConnId to, std::string_view frame) {
  const auto link = links_.find(to);
  if (link == links_.end()) return;
  link->second.connection->Queue(frame);
  if (std::exchange(link->second.dirty, true)) return;
  dirty_.push_back(to);
}

void Node::FlushAll() {
  for (const ConnId conn : dirty_) {
    const auto link = links_.find(conn);
    if (link == links_.end()) continue;
    link->second.dirty = false;
    link->second.connection->Flush();
  }
  dirty_.clear();
}

// ------------------------------------------------------------------------------------------------------------- connections

void Node::Connect(const Effects::ConnectOp& connect) {
  BRAMAH_CHECK(connect.conn.value() % 2 == 1);
  v1::Hello hello = connect.hello;
  hello.set_process_id(static_cast<uint64_t>(getpid()));
  auto connection = std::make_shared<Connection>(io_, connect.conn, Owner(), &slots_);
  links_[connect.conn] = {connection, true, false, false};
  connection->Dial(connect.endpoint, hello);
}

void Node::Accept(asio::ip::tcp::socket socket, const v1::Hello& hello) {
  if (stopped_) return;
  const ConnId conn(std::exchange(next_accepted_, next_accepted_ + 2));
  auto connection = std::make_shared<Connection>(io_, conn, Owner(), &slots_);
  links_[conn] = {connection, false, false, false};
  connection->Adopt(std::move(socket), hello);
}

void Node::CloseLink(ConnId conn) {
  const auto link = links_.find(conn);
  if (link == links_.end()) return;
  const std::shared_ptr<Connection> connection = link->second.connection;
  links_.erase(link);
  connection->Close();
}

void Node::OnUp(ConnId conn, const v1::Hello& hello) {
  links_.at(conn).up = true;
  OnPeer(hello);
  Feed(ConnUp{conn, &hello});
}

void Node::OnMessage(ConnId conn, const Message& message) { Feed(Deliver{conn, message}); }

void Node::OnWritable(ConnId conn) { Feed(Writable{conn}); }

void Node::OnDown(ConnId conn, CloseReason why) {
  const auto link = links_.find(conn);
  if (link == links_.end()) return;
  const bool known = link->second.dialled || link->second.up;
  links_.erase(link);
  if (why == CloseReason::kMalformed) ++counters_.malformed;
  if (why == CloseReason::kStalled && known) ++counters_.overflowed;
  if (known) Feed(ConnDown{conn, why});
}

// ------------------------------------------------------------------------------------------------------------------ timers

// Most armings move a timer a little further away: then the wait that is under way stays, and looks at the deadline when it is
// over.
void Node::Arm(TimerId id, Time at) {
  Timer& timer = timers_[static_cast<int>(id)];
  timer.deadline = at;
  if (at < timer.waits_until) Wait(id);
}

void Node::Cancel(TimerId id) { timers_[static_cast<int>(id)].deadline = kNever; }

void Node::Wait(TimerId id) {
  Timer& timer = timers_[static_cast<int>(id)];
  const uint64_t generation = ++timer.generation;
  timer.waits_until = timer.deadline;
  timer.timer->expires_at(ToTimePoint(timer.deadline));
  timer.timer->async_wait([this, id, generation, alive = std::weak_ptr<char>(alive_)](std::error_code error) {
    if (error || alive.expired() || stopped_ || timers_[static_cast<int>(id)].generation != generation) return;
    OnWaited(id);
  });
}

void Node::OnWaited(TimerId id) {
  Timer& timer = timers_[static_cast<int>(id)];
  timer.waits_until = kNever;
  if (timer.deadline == kNever) return;
  if (timer.deadline > Now()) return Wait(id);
  timer.deadline = kNever;
  Feed(TimerFired{id});
}

void Node::WatchClock(Duration every) {
  suspended_ = LookAtClocks().suspended;
  watch_every_ = every;
  LookAtClock();
}

void Node::LookAtClock() {
  CompareClocks();
  watch_timer_.expires_at(ToTimePoint(Now() + watch_every_));
  watch_timer_.async_wait([this, alive = std::weak_ptr<char>(alive_)](std::error_code error) {
    if (!error && !alive.expired() && !stopped_) LookAtClock();
  });
}

void Node::CompareClocks() {
  compare_by_ = Now() + 2 * watch_every_;
  const ClockReading reading = LookAtClocks();
  const bool slept = reading.suspended - suspended_ > kSuspendedForSure;
  suspended_ = reading.suspended;
  const int64_t rho_ppm = RhoPpm();
  if (slept || rho_ppm == 0) watch_.Restart();
  const bool trusted = rho_ppm == 0 || watch_.Add(reading.now, reading.raw, reading.error, rho_ppm / 2);
  // How long it slept a machine may know to the second only.
  if (slept && std::exchange(clock_trusted_, false)) Feed(ClockRate{false});
  if (std::exchange(clock_trusted_, trusted) != trusted) Feed(ClockRate{trusted});
}

}  // namespace bramah::net_real

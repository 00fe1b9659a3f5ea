// Node: feeds a pure core (server or client) with what the real world does, and carries out its effects: connections, timers and
// messages that wait for the disk. One thread; nothing here is locked. [contract E1-E7 of core/api/effects.h]
#ifndef BRAMAH_NET_REAL_NODE_H_
#define BRAMAH_NET_REAL_NODE_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "asio/io_context.hpp"
#include "asio/ip/tcp.hpp"
#include "core/api/effects.h"
#include "core/api/step.h"
#include "core/base/rate_watch.h"
#include "net_real/clock.h"
#include "net_real/connection.h"

namespace bramah::net_real {

// What a node has met; for logs and tests.
struct NodeCounters {
  uint64_t steps = 0;
  uint64_t malformed = 0;   // connections closed because their bytes were no frames
  uint64_t overflowed = 0;  // connections closed because the peer did not read
};

class Node : private ConnectionOwner {
 public:
  explicit Node(asio::io_context& io);
  Node(const Node&) = delete;
  virtual ~Node();

  const NodeCounters& counters() const { return counters_; }

 protected:
  // ---- the core, and what only some nodes carry out
  virtual void Step(Time now, const Input& input, Effects& out) = 0;
  virtual void OnDisk(Lane, Ticket, absl::Span<const FileOp>) {}
  virtual void OnListen(const v1::Hello&) {}
  virtual void OnReply(CallId, const v1::Outcome&) {}
  virtual void OnEvent(const CoreEvent&) {}
  virtual void OnHalt(const Effects::HaltOp&) {}
  // A peer said who it is, whatever the core makes of it.
  virtual void OnPeer(const v1::Hello&) {}
  virtual ClockReading LookAtClocks() { return ReadClocks(); }
  // The bound on the rate error of clocks that the core works by now; 0: none, or none yet.
  virtual int64_t RhoPpm() { return 0; }

  // Reads the clock, steps, carries out. Never from within another Feed: post it.
  void Feed(const Input& input);
  // From now on the core hears when its clock runs at a rate that is wrong by more than half of RhoPpm(), when it no longer does,
  // and when the machine has slept; looks every `every`. While RhoPpm() is 0, by which nothing can be measured, only of sleep.
  void WatchClock(Duration every = RateWatch::kLook);
  // Takes over an accepted connection. `hello` is what OnListen was given.
  void Accept(asio::ip::tcp::socket socket, const v1::Hello& hello);
  // Lets messages go that waited for this batch. Call it before DiskDone is fed [E2].
  void Complete(Lane lane, Ticket ticket);
  // Closes connections and timers; nothing is fed any more.
  void Stop();
  bool stopped() const { return stopped_; }
  size_t connection_count() const { return links_.size(); }

 private:
  struct Link {
    std::shared_ptr<Connection> connection;
    bool dialled = false;
    bool up = false;
    bool dirty = false;  // has frames that are not flushed
  };
  struct HeldMessage {
    ConnId to;
    After after;
    std::string frame;
  };
  struct Timer {
    std::unique_ptr<BootTimer> timer;
    Time deadline = kNever;     // kNever: not armed
    Time waits_until = kNever;  // kNever: no wait is under way
    uint64_t generation = 0;    // the end of an earlier wait says nothing
  };

  void OnUp(ConnId conn, const v1::Hello& hello) override;
  void OnMessage(ConnId conn, const Message& message) override;
  void OnWritable(ConnId conn) override;
  void OnDown(ConnId conn, CloseReason why) override;

  ConnectionOwner* Owner() { return this; }
  void CarryOut(Effects::Ref ref);
  void Send(const Effects::SendOp& send);
  void Connect(const Effects::ConnectOp& connect);
  void CloseLink(ConnId conn);
  void Arm(TimerId timer, Time at);
  void Cancel(TimerId timer);
  void Wait(TimerId timer);
  void OnWaited(TimerId timer);
  bool Satisfied(const After& after) const;
  void QueueFrame(ConnId to, std::string_view frame);
  void FlushAll();
  void LookAtClock();
  void CompareClocks();

  asio::io_context& io_;
  Effects effects_;
  MessageSlots slots_;
  std::map<ConnId, Link> links_;
  std::vector<ConnId> dirty_;
  std::vector<HeldMessage> held_;  // in order of sending
  std::array<Timer, kTimerCount> timers_;
  RateWatch watch_;
  BootTimer watch_timer_;
  Duration watch_every_ = 0;
  Time compare_by_ = kNever;  // nothing is fed after this instant without a comparison before it; kNever: nobody watches
  Duration suspended_ = 0;
  bool clock_trusted_ = true;
  std::array<Ticket, kLaneCount> completed_{};
  uint64_t next_accepted_ = 2;  // even
  bool stopped_ = false;
  NodeCounters counters_;
  std::shared_ptr<char> alive_ =
      std::make_shared<char>();  // expires with this object; an expiry may still be in the loop's queue
};

}  // namespace bramah::net_real

#endif  // BRAMAH_NET_REAL_NODE_H_

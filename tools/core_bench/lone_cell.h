// LoneCell: a whole server that is the only replica of its cell, and clients that do nothing but keep their sessions alive, in
// simulated time. The disk completes every batch at once and forgets it. A client sends its next KeepAlive kLatency after it was
// answered; nothing else takes time.
#ifndef BRAMAH_TOOLS_CORE_BENCH_LONE_CELL_H_
#define BRAMAH_TOOLS_CORE_BENCH_LONE_CELL_H_

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "core/api/effects.h"
#include "core/api/step.h"
#include "core/base/time.h"
#include "core/replica/config.h"
#include "core/replica/server.h"
#include "core/wire/frame.h"

namespace bramah::bench {

class LoneCell {
 public:
  static constexpr Duration kLatency = kMillisecond;

  struct Client {
    SessionId session;
    uint64_t seq = 0;           // of its latest command
    uint64_t check_digits = 0;  // of its handle, once it is open
    uint64_t nonce = 0;         // of its latest KeepAlive
    uint64_t acknowledged = 0;  // highest item it was told
    uint64_t told = 0;          // KeepAlive replies that brought items
    Time lease_until = 0;       // as the master keeps it
    bool dead = false;          // sends nothing any more
  };

  // Serves when made. `frames`: each message passes through its bytes.
  LoneCell(Duration lease, bool frames);
  LoneCell(const LoneCell&) = delete;

  Time now() const { return now_; }
  // Lets everything happen that is due until then.
  void AdvanceTo(Time at);
  // The same until `done`, which is asked after every step.
  void AdvanceUntil(const std::function<bool()>& done);

  // Opens a session and keeps it alive; returns its number among clients().
  size_t AddClient(bool caches);
  // Sends a command of the client; its session, number and handle are filled in.
  void Send(size_t client, v1::Command command);
  // The same; returns the answer, which must be an immediate one and OK.
  const v1::Reply& Call(size_t client, const v1::Command& command);
  // The latest answer to a command.
  const v1::Reply& reply() const { return reply_; }
  uint64_t replies() const { return replies_; }

  std::vector<Client>& clients() { return clients_; }
  uint64_t keepalives() const { return keepalives_; }  // sent
  uint64_t steps() const { return steps_; }
  // Called with `true` before each step and with `false` after it.
  void WatchSteps(std::function<void(bool)> watch) { watch_ = std::move(watch); }

 private:
  struct Due {
    Time at = 0;
    size_t client = 0;
  };

  void Step(const Input& input);
  void CarryOut();
  void Deliver(size_t client, MessageKind kind, const google::protobuf::Message& body);
  void OnSend(const Effects::SendOp& send);
  void OnKeepAliveReply(Client& client, const v1::KeepAliveReply& reply);
  void SendKeepAlive(size_t client);
  // Takes the earliest of what is due until `until`; false if nothing is.
  bool DoNext(Time until);
  size_t ClientOf(ConnId conn) const { return conn.value() / 2 - 1; }
  static ConnId ConnOf(size_t client) { return ConnId(2 * client + 2); }

  const bool frames_;
  replica::ServerConfig config_;
  Identity identity_;
  replica::Server server_;
  Effects effects_;
  Time now_ = kSecond;
  std::array<Time, kTimerCount> timers_;
  std::deque<DiskDone> disk_;  // batches that were asked for
  std::deque<Due> keepalives_due_;
  std::vector<Client> clients_;
  std::vector<size_t> by_session_;  // clients by the index of their session's entry
  v1::KeepAlive keepalive_;
  v1::Reply reply_;
  MessageSlots slots_;
  std::string bytes_;
  uint64_t replies_ = 0;
  uint64_t keepalives_ = 0;
  uint64_t steps_ = 0;
  std::function<void(bool)> watch_;
};

}  // namespace bramah::bench

#endif  // BRAMAH_TOOLS_CORE_BENCH_LONE_CELL_H_

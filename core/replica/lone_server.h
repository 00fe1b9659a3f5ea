// For tests: a server that is the only replica of its cell, with a disk that completes every batch at once. The test plays its
// clients, message by message.
#ifndef BRAMAH_CORE_REPLICA_LONE_SERVER_H_
#define BRAMAH_CORE_REPLICA_LONE_SERVER_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/api/effects.h"
#include "core/api/step.h"
#include "core/base/time.h"
#include "core/replica/config.h"
#include "core/replica/server.h"
#include "core/wire/kinds.h"

namespace bramah::replica {

inline constexpr Duration kTestLease = 12 * kSecond;

class LoneServer {
 public:
  // Serves when made, unless `members` are more than it or its clock is known to be wrong.
  explicit LoneServer(uint32_t members = 1, bool clock_trusted = true) : config_(ConfigOf(members)), server_(&config_) {
    timers_.fill(kNever);
    const Identity identity{config_.cell, config_.self};
    Boot boot;
    boot.expect = &identity;
    boot.seed = 7;
    boot.secret = {1, 2};
    server_.Step(now_, boot, effects_);
    CarryOut();
    TellOfClock(clock_trusted);  // before the disk has done anything
    if (members == 1 && clock_trusted) RunUntil([this] { return server_.view().phase == Phase::kServing; });
  }

  const ServerView& view() const { return server_.view(); }
  Time now() const { return now_; }
  const std::vector<CoreEvent>& events() const { return events_; }
  bool Reached(ProbeId id) const { return probes_.Reached(id); }
  // Why it has halted, if it has.
  std::optional<HaltReason> halt() const { return halt_; }

  void RunTo(Time until) {
    while (DoNext(until)) {
    }
    now_ = until;
  }
  void Run(Duration length) { RunTo(now_ + length); }
  template <class Done>
  void RunUntil(Done done) {
    for (int step = 0; step < 10'000 && !done(); ++step) DoNext(kNever - 1);
    EXPECT_TRUE(done());
  }

  void TellOfClock(bool trusted) { Step(ClockRate{trusted}); }

  // A client's connection.
  ConnId Connect(const std::string& principal = "me") {
    v1::Hello hello;
    hello.set_connection_number(1);
    hello.set_principal(principal);
    return Connect(hello);
  }
  // One that says also this of itself.
  ConnId Connect(v1::Hello hello) {
    hello.set_version(1);
    hello.set_cell(config_.cell);
    if (hello.role() == v1::Hello::UNKNOWN) hello.set_role(v1::Hello::CLIENT);
    last_conn_ += 2;
    Step(ConnUp{ConnId(last_conn_), &hello});
    return ConnId(last_conn_);
  }
  // Another member's.
  ConnId ConnectPeer(ReplicaId member) {
    v1::Hello hello;
    hello.set_role(v1::Hello::PEER);
    hello.set_member(member.value());
    return Connect(hello);
  }
  template <class M>
  void Send(ConnId conn, const M& message) {
    Step(Deliver{conn, Message{KindOf<M>::kKind, &message}});
  }
  // What was sent to `conn` of type M, in order, since it was last asked for.
  template <class M>
  std::vector<M> Take(ConnId conn) {
    std::vector<M> taken;
    for (auto at = sent_.begin(); at != sent_.end();) {
      const M* const body = at->first == conn ? dynamic_cast<const M*>(at->second.get()) : nullptr;
      if (body != nullptr) taken.push_back(*body);
      at = body != nullptr ? sent_.erase(at) : std::next(at);
    }
    return taken;
  }

  // A session with this nonce; 0 if none was made.
  uint64_t Create(ConnId conn, uint64_t nonce) { return Create(conn, CreateOf(nonce)).session(); }
  v1::CreateSessionReply Create(ConnId conn, const v1::CreateSession& create) {
    Send(conn, create);
    const auto replies = Take<v1::CreateSessionReply>(conn);
    return replies.empty() ? v1::CreateSessionReply() : replies.back();
  }
  static v1::CreateSession CreateOf(uint64_t nonce) {
    v1::CreateSession create;
    create.set_nonce_high(nonce);
    create.set_nonce_low(~nonce);
    return create;
  }
  // Sends a KeepAlive; its answers are left to Take.
  void KeepAlive(ConnId conn, uint64_t session, uint64_t nonce) {
    v1::KeepAlive keep;
    keep.set_session(session);
    keep.set_epoch(view().epoch.value());
    keep.set_nonce(nonce);
    Send(conn, keep);
  }
  // The answer to a command, OK or not.
  v1::Reply Call(ConnId conn, v1::Command command) {
    v1::Request request;
    request.set_epoch(view().epoch.value());
    request.set_id(++last_id_);
    *request.mutable_command() = std::move(command);
    return Ask(conn, request);
  }
  v1::Reply Ask(ConnId conn, const v1::Request& request) {
    Send(conn, request);
    const auto replies = Take<v1::Reply>(conn);
    EXPECT_EQ(replies.size(), 1u);
    return replies.empty() ? v1::Reply() : replies.back();
  }

 private:
  static ServerConfig ConfigOf(uint32_t members) {
    ServerConfig config;
    config.self = ReplicaId(1);
    for (uint32_t id = 1; id <= members; ++id) {
      v1::Member& member = *config.bootstrap.add_members();
      member.set_id(id);
      member.set_endpoint("r" + std::to_string(id) + ":1");
    }
    config.bootstrap.set_election_min_ns(kSecond);
    config.bootstrap.set_rho_ppm(1'000);
    config.bootstrap.set_lease_ns(kTestLease);
    config.bootstrap.set_incarnation(1);
    config.keepalive_spacing = 0;
    return config;
  }

  void Step(const Input& input) {
    server_.Step(now_, input, effects_);
    CarryOut();
    while (!disk_.empty()) {
      const DiskDone done = disk_.front();
      disk_.pop_front();
      server_.Step(now_, done, effects_);
      CarryOut();
    }
  }
  void CarryOut() {
    for (const Effects::Ref ref : effects_.ops()) {
      if (ref.op == Effects::Op::kDisk) disk_.push_back({effects_.disk(ref).lane, effects_.disk(ref).ticket, {}});
      if (ref.op == Effects::Op::kArm) timers_[static_cast<size_t>(effects_.timer(ref).timer)] = effects_.timer(ref).at;
      if (ref.op == Effects::Op::kCancel) timers_[static_cast<size_t>(effects_.timer(ref).timer)] = kNever;
      if (ref.op == Effects::Op::kHalt) halt_ = effects_.halt(ref).why;
      if (ref.op != Effects::Op::kSend) continue;
      std::unique_ptr<google::protobuf::Message> copy(effects_.send(ref).body->New());
      copy->CopyFrom(*effects_.send(ref).body);
      sent_.emplace_back(effects_.send(ref).to, std::move(copy));
    }
    for (const CoreEvent& event : effects_.events()) events_.push_back(event);
    probes_.Merge(effects_.probes());
    effects_.Clear();
  }
  bool DoNext(Time until) {
    const auto timer = std::min_element(timers_.begin(), timers_.end());
    if (*timer > until) return false;
    now_ = std::max(now_, *timer);
    *timer = kNever;
    Step(TimerFired{static_cast<TimerId>(timer - timers_.begin())});
    return true;
  }

  ServerConfig config_;
  Server server_;
  Effects effects_;
  Time now_ = kSecond;
  std::array<Time, kTimerCount> timers_;
  std::deque<DiskDone> disk_;
  std::vector<std::pair<ConnId, std::unique_ptr<google::protobuf::Message>>> sent_;
  std::vector<CoreEvent> events_;
  Probes probes_;
  std::optional<HaltReason> halt_;
  uint64_t last_conn_ = 0;
  uint64_t last_id_ = 0;
};

}  // namespace bramah::replica

#endif  // BRAMAH_CORE_REPLICA_LONE_SERVER_H_

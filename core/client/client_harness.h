// A client under test with everything around it played by the test: a driver that records effects and fires timers, and helpers
// that speak as a server would.
#ifndef BRAMAH_CORE_CLIENT_CLIENT_HARNESS_H_
#define BRAMAH_CORE_CLIENT_CLIENT_HARNESS_H_

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/api/effects.h"
#include "core/api/step.h"
#include "core/client/client.h"

namespace bramah::client {

inline constexpr Duration kLease = 12 * kSecond;

inline ClientConfig DefaultConfig() {
  ClientConfig config;
  config.cell = "demo";
  config.endpoints = {"a:1", "b:1", "c:1"};
  return config;
}

class Harness {
 public:
  struct Sent {
    Time at = 0;
    ConnId to;
    ConnId latest;  // dialled by then
    std::shared_ptr<google::protobuf::Message> body;
    template <class M>
    const M* As() const {
      return dynamic_cast<const M*>(body.get());
    }
  };
  struct Dial {
    ConnId conn;
    std::string endpoint;
    v1::Hello hello;
  };

  explicit Harness(ClientConfig given = DefaultConfig(), uint64_t seed = 7) : config(std::move(given)), client(&config) {
    Boot boot;
    boot.seed = seed;
    Step(boot);
  }

  // ---- driver
  void Step(const Input& input) {
    out.Clear();
    stepped_at = now;
    client.Step(now, input, out);
    probes.Merge(out.probes());
    for (const Effects::Ref ref : out.ops()) Carry(ref);
  }
  // Lets the clock run to `until`, firing timers on the way.
  void RunTo(Time until) {
    int fired = 0;
    for (;;) {
      auto next = timers.end();
      for (auto at = timers.begin(); at != timers.end(); ++at) {
        if (at->second <= until && (next == timers.end() || at->second < next->second)) next = at;
      }
      if (next == timers.end()) break;
      now = std::max(now, next->second);
      const TimerId timer = next->first;
      timers.erase(next);
      Step(TimerFired{timer});
      ASSERT_LT(++fired, 5'000) << "timers fire in a circle";
    }
    now = std::max(now, until);
  }
  void Run(Duration d) { RunTo(now + d); }
  // The clock runs, the process does not.
  void Sleep(Duration d) { now += d; }

  // ---- application
  CallId Call(v1::Command command, bool wait = true) {
    const CallId id(++calls);
    Step(bramah::Call{id, &command, wait});
    return id;
  }
  CallId Call(v1::CommandKind kind, HandleId handle = HandleId()) {
    v1::Command command;
    command.set_kind(kind);
    command.set_handle(handle.value());
    return Call(command);
  }
  CallId Acquire(HandleId handle, v1::LockMode mode = v1::EXCLUSIVE) {
    v1::Command command;
    command.set_kind(v1::ACQUIRE);
    command.set_handle(handle.value());
    command.set_mode(mode);
    return Call(command);
  }
  CallId Open(const std::string& path) {
    v1::Command command;
    command.set_kind(v1::OPEN);
    command.set_path(path);
    command.set_open_flags(v1::OPEN_WRITE | v1::OPEN_MAY_CREATE);
    return Call(command);
  }
  bool Answered(CallId call) const { return answers.count(call) != 0; }
  // The code a call was answered with. REQUIRES: Answered(call).
  v1::Code CodeOf(CallId call) const {
    EXPECT_TRUE(Answered(call)) << "call " << call.value();
    return Answered(call) ? answers.at(call).code() : v1::UNAVAILABLE;
  }

  // ---- server
  // Accepts the latest dial.
  void Accept(uint32_t member = 1, const std::string& cell = "demo") {
    ASSERT_FALSE(dials.empty());
    v1::Hello hello;
    hello.set_version(1);
    hello.set_cell(cell);
    hello.set_role(v1::Hello::SERVER);
    hello.set_member(member);
    Step(ConnUp{conn(), &hello});
  }
  ConnId conn() const { return dials.empty() ? ConnId() : dials.back().conn; }
  template <class M>
  void Deliver(const M& message) {
    Deliver(conn(), message);
  }
  template <class M>
  void Deliver(ConnId from, const M& message) {
    Step(bramah::Deliver{from, Message{KindOf<M>::kKind, &message}});
  }
  // The last message of type M that the client sent, and how many there were.
  template <class M>
  const M& Last() const {
    for (auto at = sent.rbegin(); at != sent.rend(); ++at) {
      if (const M* body = at->template As<M>()) return *body;
    }
    ADD_FAILURE() << "nothing of that kind was sent";
    static const M none;
    return none;
  }
  template <class M>
  int Count() const {
    int count = 0;
    for (const Sent& message : sent) count += message.As<M>() != nullptr;
    return count;
  }
  // Requests of `kind` among what was sent.
  std::vector<v1::Request> Requests(v1::CommandKind kind) const {
    std::vector<v1::Request> found;
    for (const Sent& message : sent) {
      const auto* request = message.As<v1::Request>();
      if (request != nullptr && request->command().kind() == kind) found.push_back(*request);
    }
    return found;
  }
  v1::CreateSessionReply Created(Duration hold = 0, Duration lease = kLease) const {
    v1::CreateSessionReply reply;
    reply.set_nonce_high(Last<v1::CreateSession>().nonce_high());
    reply.set_nonce_low(Last<v1::CreateSession>().nonce_low());
    reply.set_session(session);
    reply.set_epoch(epoch);
    reply.set_hold_ns(hold);
    reply.set_lease_ns(lease);
    reply.set_rho_ppm(rho_ppm);
    return reply;
  }
  v1::KeepAliveReply Kept(Duration hold = 0, Duration lease = kLease, v1::Code code = v1::OK) const {
    v1::KeepAliveReply reply;
    reply.set_session(session);
    reply.set_epoch(epoch);
    reply.set_nonce(Last<v1::KeepAlive>().nonce());
    reply.set_code(code);
    reply.set_hold_ns(hold);
    reply.set_lease_ns(lease);
    reply.set_rho_ppm(rho_ppm);
    return reply;
  }
  // The answer `code` to a request; fields of the outcome are the caller's to add.
  v1::Reply Replied(const v1::Request& request, v1::Code code) const {
    v1::Reply reply;
    reply.set_epoch(epoch);
    reply.set_id(request.id());
    reply.set_session(session);
    reply.mutable_outcome()->set_code(code);
    reply.mutable_outcome()->set_seq(request.command().seq());
    reply.mutable_outcome()->set_handle(request.command().handle());
    return reply;
  }
  void Reply(const v1::Request& request, v1::Code code, uint64_t generation = 0) {
    v1::Reply reply = Replied(request, code);
    reply.mutable_outcome()->set_lock_generation(generation);
    Deliver(reply);
  }
  void ReplyNotMaster(const std::string& hint = "") {
    v1::KeepAliveReply reply = Kept(0, 0, v1::NOT_MASTER);
    reply.mutable_located()->set_endpoint(hint);
    Deliver(reply);
  }

  // ---- stories that many tests begin with
  void OpenSession() {
    Call(v1::OPEN_SESSION);
    Accept();
    Deliver(Created());
    ASSERT_EQ(client.view().state, SessionState::kActive);
  }
  HandleId OpenHandle(const std::string& path = "/f") {
    const CallId call = Open(path);
    Reply(Last<v1::Request>(), v1::OK);
    EXPECT_EQ(CodeOf(call), v1::OK);
    return HandleId(answers[call].handle());
  }
  // Opens and locks a file.
  HandleId Lock(const std::string& path = "/f", uint64_t generation = 50) {
    const HandleId handle = OpenHandle(path);
    const CallId call = Acquire(handle);
    Reply(Last<v1::Request>(), v1::OK, generation);
    EXPECT_EQ(CodeOf(call), v1::OK);
    return handle;
  }
  // Lets the clock run until the client dials again.
  void AwaitDial() {
    const size_t before = dials.size();
    for (int step = 0; step < 10'000 && dials.size() == before; ++step) Run(kMillisecond);
    ASSERT_GT(dials.size(), before);
  }
  // Breaks the stream and accepts the next dial.
  void Reconnect(uint32_t member = 1) {
    Step(ConnDown{conn(), CloseReason::kPeerClosed});
    AwaitDial();
    Accept(member);
  }
  std::vector<CoreEvent::Kind> Kinds() const {
    std::vector<CoreEvent::Kind> kinds;
    for (const CoreEvent& event : events) kinds.push_back(event.kind);
    return kinds;
  }
  bool Believes(HandleId handle) const {
    const ClientView& view = client.view();
    if (view.state != SessionState::kActive || now >= view.lease_end) return false;
    for (const HeldLock& lock : *view.held) {
      if (lock.handle == handle) return true;
    }
    return false;
  }

  ClientConfig config;
  Time now = 100 * kSecond;
  Time stepped_at = 0;
  Client client;
  Effects out;
  Probes probes;
  std::map<TimerId, Time> timers;
  std::vector<Sent> sent;
  std::vector<Dial> dials;
  std::vector<Effects::CloseOp> closes;
  std::map<CallId, v1::Outcome> answers;
  std::vector<CoreEvent> events;
  uint64_t calls = 0;
  uint64_t session = 9'000;
  uint64_t epoch = 5;
  int64_t rho_ppm = 0;  // that grants name

 private:
  void Carry(Effects::Ref ref) {
    switch (ref.op) {
      case Effects::Op::kSend: {
        std::shared_ptr<google::protobuf::Message> copy(out.send(ref).body->New());
        copy->CopyFrom(*out.send(ref).body);
        sent.push_back({now, out.send(ref).to, conn(), std::move(copy)});
        break;
      }
      case Effects::Op::kArm:
        timers[out.timer(ref).timer] = out.timer(ref).at;
        break;
      case Effects::Op::kCancel:
        timers.erase(out.timer(ref).timer);
        break;
      case Effects::Op::kReply:
        EXPECT_TRUE(answers.emplace(out.reply(ref).call, *out.reply(ref).outcome).second)
            << "call " << out.reply(ref).call.value() << " was answered twice";
        break;
      case Effects::Op::kConnect: {
        const Effects::ConnectOp& op = out.connect(ref);
        EXPECT_EQ(op.conn.value() % 2, 1u);
        dials.push_back({op.conn, op.endpoint, op.hello});
        break;
      }
      case Effects::Op::kClose:
        closes.push_back(out.close(ref));
        break;
      case Effects::Op::kEvent:
        events.push_back(out.event(ref));
        break;
      default:
        ADD_FAILURE() << "an effect no client asks for";
    }
  }
};

}  // namespace bramah::client

#endif  // BRAMAH_CORE_CLIENT_CLIENT_HARNESS_H_

// Anything may happen in any order: applications call at random, servers answer truly, wrongly, late, twice or not at all,
// streams break, epochs change, the process sleeps. After every step the invariants below must hold.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/api/sequencer.h"
#include "core/base/keyed.h"
#include "core/base/time.h"
#include "core/client/client_harness.h"

namespace bramah::client {
namespace {

struct Reached;

class Fuzz {
 public:
  explicit Fuzz(uint64_t seed) : seed_(seed), h_(Config(seed), seed) {
    h_.epoch = 1 + Pick(3);
    h_.rho_ppm = static_cast<int64_t>(seed % 3) * 1'000;
  }

  void Run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      Act();
      Check();
    }
    Finish();
  }
  void Report(Reached& reached) const;

 private:
  static ClientConfig Config(uint64_t seed) {
    ClientConfig config = DefaultConfig();
    config.cache_locks = seed % 2 == 0;
    config.cache_handles = seed % 4 < 2;
    return config;
  }
  uint64_t Pick(uint64_t bound) { return Below(Draw(seed_, 1, 0, ++draws_), bound); }
  bool Chance(uint64_t percent) { return Pick(100) < percent; }

  void Act() {
    if (!clock_trusted_ && Chance(15)) return TellOfTheClock(true);
    const uint64_t what = Pick(100);
    if (what < 20) CallSomething();
    if (what < 8) OpenAgain();
    if (what < 20) return;
    if (what < 45) return AnswerARequest();
    if (what < 60) return AnswerTheSession();
    if (what < 75) return h_.Run(static_cast<Duration>(Pick(1'500) * kMillisecond));
    if (what < 77) return h_.Sleep(static_cast<Duration>(Pick(40) * kSecond));
    if (what < 79) return h_.Run(static_cast<Duration>(Pick(30) * kSecond));
    if (what < 90) return ConnectSomething();
    if (what < 93) return RepeatAnAnswer();
    if (what < 95) h_.epoch += Chance(80) ? 1 : 0;
    if (what < 96) return TellOfTheClock(false);
    const Client copy = h_.client;  // a copy must be as good as the original
    h_.client = copy;
  }

  void CallSomething() {
    static constexpr v1::CommandKind kKinds[] = {v1::OPEN,    v1::OPEN,         v1::CLOSE,    v1::SET_CONTENTS, v1::DELETE,
                                                 v1::ACQUIRE, v1::ACQUIRE,      v1::ACQUIRE,  v1::RELEASE,      v1::RELEASE,
                                                 v1::GET_STAT, v1::GET_CONTENTS, v1::READ_DIR, v1::END_SESSION,  v1::NEW_EPOCH,
                                                 v1::POISON,  v1::GET_SEQUENCER, v1::SET_SEQUENCER, v1::CHECK_SEQUENCER};
    v1::Command command;
    command.set_kind(kKinds[Pick(std::size(kKinds))]);
    if (command.kind() == v1::END_SESSION && !Chance(20)) return;
    if (Chance(15)) command.set_kind(v1::OPEN_SESSION);
    command.set_path("/" + std::to_string(Pick(5)));
    command.set_mode(Chance(50) ? v1::SHARED : v1::EXCLUSIVE);
    command.set_try_only(Chance(20));
    command.set_handle(1 + Pick(10 + h_.Requests(v1::OPEN).size()));
    const CallId opened = opens_.empty() ? CallId() : opens_[opens_.size() - 1 - Pick(std::min<size_t>(opens_.size(), 6))];
    if (Chance(50) && opened && h_.Answered(opened)) command.set_handle(h_.answers.at(opened).handle());
    const bool leaves = command.kind() == v1::CLOSE || command.kind() == v1::POISON;
    if (Chance(50)) command.set_sequencer(FormatSequencer({"demo", "/0", Position(1), v1::SHARED, Position(2)}, {}));
    if (leaves && IsOpen(command.handle())) closed_.insert(HandleId(command.handle()));
    const CallId call = h_.Call(command, /*wait=*/Chance(90));
    if (command.kind() == v1::OPEN) opens_.push_back(call);
  }
  // What is asked for while the clock is wrong grants nothing afterwards.
  void TellOfTheClock(bool trusted) {
    if (trusted && !clock_trusted_) {
      keep_alive_sent_.clear();
      create_sent_.clear();
      lease_bound_ = INT64_MIN;
    }
    clock_trusted_ = trusted;
    h_.Step(ClockRate{trusted});
  }
  // What somebody does who polls a file.
  void OpenAgain() {
    if (!opens_.empty() && h_.Answered(opens_.back())) {
      const HandleId handle(h_.answers.at(opens_.back()).handle());
      if (IsOpen(handle.value())) closed_.insert(handle);
      h_.Call(v1::CLOSE, handle);
    }
    v1::Command open;
    open.set_kind(v1::OPEN);
    open.set_path("/polled");
    opens_.push_back(h_.Call(open));
  }
  bool IsOpen(uint64_t handle) const {
    return std::any_of(opens_.begin(), opens_.end(), [&](CallId call) {
      return h_.Answered(call) && h_.CodeOf(call) == v1::OK && h_.answers.at(call).handle() == handle;
    });
  }

  void AnswerARequest() {
    std::vector<const v1::Request*> requests;
    for (const Harness::Sent& message : h_.sent) {
      if (const auto* request = message.As<v1::Request>()) requests.push_back(request);
    }
    if (requests.empty()) return;
    const size_t back = Chance(80) ? std::min<size_t>(requests.size(), 6) : requests.size();
    const v1::Request request = *requests[requests.size() - 1 - Pick(back)];
    v1::Reply reply = h_.Replied(request, CodeFor(request.command()));
    reply.set_epoch(h_.epoch - Pick(2));
    reply.mutable_outcome()->set_lock_generation(1 + Pick(9));
    reply.mutable_outcome()->set_instance(1 + Pick(100));
    if (Chance(50)) reply.set_classes(v1::CACHE_STAT | v1::CACHE_DATA);
    if (Chance(80)) reply.set_item_number(1'000'000);  // after whatever was processed
    reply.mutable_located()->set_endpoint(Hint());
    Send(reply);
  }
  v1::Code CodeFor(const v1::Command& command) {
    static constexpr v1::Code kOdd[] = {v1::WRONG_EPOCH,   v1::NOT_MASTER,      v1::SESSION_CLOSING, v1::QUEUED,
                                        v1::STALE_HANDLE,  v1::LIMIT_REACHED,   v1::NOT_EMPTY,       v1::CANCELLED,
                                        v1::LOCK_NOT_HELD, v1::SESSION_EXPIRED, v1::MALFORMED,       v1::BUSY};
    if (Chance(20)) return kOdd[Pick(std::size(kOdd) - (Chance(90) ? 3 : 0))];
    return command.kind() == v1::ACQUIRE && Chance(40) ? v1::QUEUED : v1::OK;
  }

  void AnswerTheSession() {
    if (h_.client.view().state == SessionState::kOpening && h_.Count<v1::CreateSession>() > 0 && Chance(70)) {
      // One session per nonce, as a cell makes them.
      h_.session = sessions_.emplace(h_.Last<v1::CreateSession>().nonce_high(), 9'000 + sessions_.size()).first->second;
      v1::CreateSessionReply reply = h_.Created(HoldOf(), kLease);
      if (Chance(5)) reply.set_code(Chance(50) ? v1::NOT_MASTER : v1::LIMIT_REACHED);
      if (Chance(5)) reply.set_nonce_low(reply.nonce_low() + 1);
      Note(create_sent_, reply.nonce_high(), reply.hold_ns(), reply.lease_ns());
      return Send(reply);
    }
    if (h_.Count<v1::KeepAlive>() == 0) return;
    static constexpr v1::Code kOdd[] = {v1::WRONG_EPOCH, v1::NOT_MASTER, v1::SESSION_CLOSING, v1::SESSION_EXPIRED};
    v1::KeepAliveReply reply = h_.Kept(HoldOf(), static_cast<Duration>(Pick(13)) * kSecond);
    reply.set_session(h_.client.view().session.value() + (Chance(3) ? 1 : 0));
    if (Chance(10)) reply.set_code(kOdd[Pick(Chance(90) ? 3 : 4)]);
    if (Chance(10)) reply.set_nonce(reply.nonce() - Pick(2));
    reply.set_epoch(h_.epoch - Pick(2));
    if (Chance(5)) reply.set_hold_ns(-1);
    reply.mutable_located()->set_endpoint(Hint());
    AddItems(reply);
    Send(reply);
  }
  std::string Hint() {
    static constexpr const char* kHints[] = {"", "a:1", "b:1", "x:1"};
    return kHints[Pick(std::size(kHints))];
  }
  Duration HoldOf() { return static_cast<Duration>(Pick(7'000)) * kMillisecond; }
  void AddItems(v1::KeepAliveReply& reply) {
    const auto acquires = h_.Requests(v1::ACQUIRE);
    if (acquires.empty() || !Chance(50)) return;
    uint64_t number = h_.Last<v1::KeepAlive>().acknowledged() + (Chance(90) ? 1 : Pick(3));
    for (uint64_t count = 1 + Pick(3); count > 0; --count) {
      const v1::Command& acquire = acquires[acquires.size() - 1 - Pick(std::min<size_t>(acquires.size(), 5))].command();
      v1::SessionItem& item = *reply.add_items();
      item.set_number(number++);
      item.set_kind(Chance(85) ? v1::ITEM_LOCK_GRANTED : v1::ITEM_HANDLE_INVALID);
      item.set_handle(acquire.handle());
      item.set_seq(acquire.seq());
      item.set_generation(1 + Pick(9));
    }
  }

  void ConnectSomething() {
    if (h_.dials.empty()) return;
    if (Chance(25)) return h_.Step(ConnDown{h_.conn(), CloseReason::kPeerClosed});
    h_.Accept(1 + static_cast<uint32_t>(Pick(3)), Chance(97) ? "demo" : "elsewhere");
  }

  template <class M>
  void Send(const M& message) {
    past_.push_back({KindOf<M>::kKind, std::make_shared<M>(message)});
    if (past_.size() > 50) past_.erase(past_.begin());
    if constexpr (std::is_same_v<M, v1::KeepAliveReply>) {
      Note(keep_alive_sent_, message.nonce(), message.hold_ns(), message.lease_ns());
    }
    h_.Deliver(Chance(95) ? h_.conn() : ConnId(1), message);
  }
  void RepeatAnAnswer() {
    if (past_.empty()) return;
    const auto& [kind, body] = past_[Pick(past_.size())];
    h_.Step(Deliver{h_.conn(), Message{kind, body.get()}});
  }
  // What the client may at most make of a grant: counted from the first send of its nonce.
  void Note(const std::map<uint64_t, Time>& sent, uint64_t nonce, Duration hold, Duration lease) {
    const auto at = sent.find(nonce);
    if (at == sent.end() || hold < 0) return;
    lease_bound_ = std::max(lease_bound_, at->second + ShrinkByDrift(hold + lease, h_.rho_ppm));
  }

  // ---- invariants
  void Check() {
    ReadSent();
    ReadEvents();
    const ClientView& view = h_.client.view();
    EXPECT_EQ(view.calls_pending, h_.calls - h_.answers.size());
    if (view.state == SessionState::kActive) {
      EXPECT_LT(h_.stepped_at, view.lease_end) << "active after the lease";
      EXPECT_LE(view.lease_end, lease_bound_) << "trusts longer than L2 allows";
      EXPECT_TRUE(clock_trusted_) << "active by a wrong clock";
    }
    if (view.session != session_) {
      session_ = view.session;
      epoch_ = Epoch();
    }
    EXPECT_GE(view.epoch, epoch_);
    epoch_ = view.epoch;
    CheckBeliefs(view);
  }
  void CheckBeliefs(const ClientView& view) {
    const bool alive = view.state == SessionState::kActive || view.state == SessionState::kJeopardy;
    EXPECT_TRUE(alive || view.held->empty());
    std::set<HandleId> held;
    for (const HeldLock& lock : *view.held) {
      EXPECT_TRUE(held.empty() || *held.rbegin() < lock.handle) << "not sorted";
      held.insert(lock.handle);
      EXPECT_EQ(closed_.count(lock.handle), 0u) << "believes on a closed handle";
      EXPECT_EQ(released_.count({view.session.value(), lock.seq.value()}), 0u) << "believes what it released";
    }
    EXPECT_EQ(held, told_) << "events and view differ";
  }
  void ReadSent() {
    for (; sent_read_ < h_.sent.size(); ++sent_read_) {
      const Harness::Sent& message = h_.sent[sent_read_];
      EXPECT_EQ(message.to, message.latest) << "sent on a stream that is not the latest";
      if (const auto* request = message.As<v1::Request>()) ReadRequest(*request);
      if (const auto* keep_alive = message.As<v1::KeepAlive>()) keep_alive_sent_.emplace(keep_alive->nonce(), message.at);
      if (const auto* create = message.As<v1::CreateSession>()) create_sent_.emplace(create->nonce_high(), message.at);
    }
  }
  void ReadRequest(const v1::Request& request) {
    v1::Command command = request.command();
    const std::pair<uint64_t, uint64_t> key(command.session(), command.seq());
    command.clear_first_outstanding();
    if (command.seq() == 0) return;
    EXPECT_LE(request.command().first_outstanding(), command.kind() == v1::ACQUIRE ? UINT64_MAX : command.seq());
    const auto [at, fresh] = commands_.emplace(key, std::make_pair(request.id(), command.SerializeAsString()));
    EXPECT_TRUE(fresh || at->second == std::make_pair(request.id(), command.SerializeAsString())) << "a seq was used twice";
    if (command.kind() == v1::RELEASE) released_.insert({command.session(), command.acquire_seq()});
    uint64_t& first = first_outstanding_[command.session()];
    EXPECT_GE(request.command().first_outstanding(), first) << "asks for an answer that it let go";
    first = request.command().first_outstanding();
  }
  void ReadEvents() {
    for (; events_read_ < h_.events.size(); ++events_read_) {
      const CoreEvent& event = h_.events[events_read_];
      if (event.kind == CoreEvent::kLockHeld) {
        EXPECT_TRUE(told_.insert(event.handle).second);
      } else if (event.kind == CoreEvent::kLockDropped) {
        EXPECT_EQ(told_.erase(event.handle), 1u);
      }
    }
  }

  // Left alone, the client answers everything.
  void Finish() {
    if (h_.client.view().state == SessionState::kOpening) h_.Call(v1::END_SESSION);
    h_.Run(200 * kSecond);
    EXPECT_EQ(h_.answers.size(), h_.calls);
    EXPECT_TRUE(h_.client.view().held->empty());
    std::set<uint64_t> handles;
    for (const CallId open : opens_) {
      if (h_.CodeOf(open) != v1::OK) continue;
      EXPECT_TRUE(handles.insert(h_.answers.at(open).handle()).second) << "an id was used twice";
    }
    Check();
  }

  const uint64_t seed_;
  uint64_t draws_ = 0;
  Harness h_;
  std::vector<std::pair<MessageKind, std::shared_ptr<google::protobuf::Message>>> past_;
  std::vector<CallId> opens_;
  std::map<uint64_t, Time> keep_alive_sent_;  // first send, by nonce
  std::map<uint64_t, Time> create_sent_;
  std::map<uint64_t, uint64_t> sessions_;     // by nonce of their CreateSession
  bool clock_trusted_ = true;
  Time lease_bound_ = 0;
  SessionId session_;
  Epoch epoch_;
  std::set<HandleId> closed_;
  std::set<std::pair<uint64_t, uint64_t>> released_;  // session, seq of the Acquire
  std::set<HandleId> told_;
  std::map<std::pair<uint64_t, uint64_t>, std::pair<uint64_t, std::string>> commands_;
  std::map<uint64_t, uint64_t> first_outstanding_;
  size_t sent_read_ = 0;
  size_t events_read_ = 0;
};

// What all seeds of a test together must have come to, or the invariants were not tried.
struct Reached {
  Probes probes;
  std::set<CoreEvent::Kind> events;
  std::set<v1::Code> answers;
  void Require() const {
    for (const ProbeId probe : {ProbeId::kClientJeopardy, ProbeId::kClientSafe, ProbeId::kClientExpired, ProbeId::kClientResent,
                                ProbeId::kClientRedirected, ProbeId::kSessionClosingSeen, ProbeId::kStaleStreamDropped,
                                ProbeId::kMalformedMessage}) {
      EXPECT_TRUE(probes.Reached(probe)) << ProbeName(probe);
    }
    for (const CoreEvent::Kind kind :
         {CoreEvent::kLockHeld, CoreEvent::kLockDropped, CoreEvent::kSessionEnded, CoreEvent::kCacheHit}) {
      EXPECT_EQ(events.count(kind), 1u) << EventName(kind);
    }
    for (const v1::Code code : {v1::OK, v1::CANCELLED, v1::SESSION_EXPIRED, v1::STALE_HANDLE, v1::BAD_HANDLE,
                                v1::POISONED, v1::BAD_SEQUENCER}) {
      EXPECT_EQ(answers.count(code), 1u) << v1::Code_Name(code);
    }
  }
};

void Fuzz::Report(Reached& reached) const {
  reached.probes.Merge(h_.probes);
  for (const CoreEvent& event : h_.events) reached.events.insert(event.kind);
  for (const auto& [call, outcome] : h_.answers) reached.answers.insert(outcome.code());
}

class ClientFuzz : public testing::TestWithParam<uint64_t> {};

TEST_P(ClientFuzz, KeepsItsInvariants) {
  Reached reached;
  for (uint64_t seed = GetParam() * 100; seed < GetParam() * 100 + 100 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Fuzz fuzz(seed);
    fuzz.Run(400);
    fuzz.Report(reached);
  }
  reached.Require();
}

INSTANTIATE_TEST_SUITE_P(Seeds, ClientFuzz, testing::Range<uint64_t>(0, 4));

}  // namespace
}  // namespace bramah::client

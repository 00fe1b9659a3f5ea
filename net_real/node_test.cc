// Nodes with scripted cores over loopback: what the event loop promises to a core [E1-E5].
#include "net_real/node.h"

#include <functional>
#include <vector>

#include "asio/buffer.hpp"
#include "asio/read.hpp"
#include "asio/write.hpp"
#include "core/wire/frame.h"
#include "gtest/gtest.h"

namespace bramah::net_real {
namespace {

using asio::ip::tcp;

constexpr Duration kDeadline = 30 * kSecond;  // generous: reaching it is a failure

v1::Hello HelloOf(const std::string& cell) {
  v1::Hello hello;
  hello.set_version(1);
  hello.set_cell(cell);
  return hello;
}

std::string FrameOf(MessageKind kind, const google::protobuf::Message& body) {
  std::string frame;
  EncodeFrame(kind, body, &frame);
  return frame;
}

std::string PingFrame(uint64_t number) {
  v1::Ping ping;
  ping.set_number(number);
  return FrameOf(MessageKind::kPing, ping);
}

// A node whose core is a function and whose inputs are recorded.
class ScriptedNode : public Node {
 public:
  explicit ScriptedNode(asio::io_context& io) : Node(io) {}
  using Node::Accept;
  using Node::Complete;
  using Node::connection_count;
  using Node::Feed;
  using Node::WatchClock;

  // Runs one step that only does what `act` puts into the effects.
  void Do(std::function<void(Effects&)> act) {
    act_ = std::move(act);
    Feed(TimerFired{TimerId::kCount});
  }

  std::function<void(const Input&, Effects&)> react;
  std::vector<ConnId> up;
  std::vector<v1::Hello> peers;
  std::vector<uint64_t> pings;  // numbers, in order of arrival
  std::vector<CloseReason> down;
  std::vector<TimerId> fired;
  std::vector<bool> trusted;  // as the core was told
  std::function<ClockReading()> clocks;
  int64_t rho_ppm = 1'000;
  int writable = 0;

 private:
  void Step(Time, const Input& input, Effects& out) override {
    if (act_ != nullptr) std::exchange(act_, nullptr)(out);
    if (const auto* in = std::get_if<ConnUp>(&input)) {
      up.push_back(in->conn);
      peers.push_back(*in->peer);
    } else if (const auto* in = std::get_if<ConnDown>(&input)) {
      down.push_back(in->why);
    } else if (const auto* in = std::get_if<Deliver>(&input)) {
      if (const auto* ping = in->message.As<v1::Ping>()) pings.push_back(ping->number());
    } else if (const auto* in = std::get_if<TimerFired>(&input)) {
      if (in->timer != TimerId::kCount) fired.push_back(in->timer);
    } else if (const auto* in = std::get_if<ClockRate>(&input)) {
      trusted.push_back(in->trusted);
    } else if (std::holds_alternative<Writable>(input)) {
      ++writable;
    }
    if (react != nullptr) react(input, out);
  }

  ClockReading LookAtClocks() override { return clocks == nullptr ? ReadClocks() : clocks(); }
  int64_t RhoPpm() override { return rho_ppm; }

  std::function<void(Effects&)> act_;
};

class NodeTest : public testing::Test {
 protected:
  NodeTest() : server_(io_), client_(io_), acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) { AcceptNext(); }

  void AcceptNext() {
    acceptor_.async_accept([this](std::error_code error, tcp::socket socket) {
      if (error) return;
      server_.Accept(std::move(socket), HelloOf("demo"));
      AcceptNext();
    });
  }

  std::string Endpoint() const { return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }

  void Dial(uint64_t id = 1) {
    client_.Do([&](Effects& out) { out.Connect(ConnId(id), Endpoint()) = HelloOf("demo"); });
  }

  // A peer without a node: plain bytes.
  tcp::socket RawPeer() {
    tcp::socket socket(io_);
    socket.connect(acceptor_.local_endpoint());
    return socket;
  }

  [[nodiscard]] bool Until(const std::function<bool()>& done) {
    const Time deadline = Now() + kDeadline;
    while (!done() && Now() < deadline) io_.run_one_for(std::chrono::milliseconds(100));
    return done();
  }

  void SendPing(ScriptedNode& node, ConnId to, uint64_t number, After after = {}) {
    node.Do([&](Effects& out) { out.Send<v1::Ping>(to, after).set_number(number); });
  }

  asio::io_context io_{1};
  ScriptedNode server_;
  ScriptedNode client_;
  tcp::acceptor acceptor_;
};

TEST_F(NodeTest, BothSidesHearTheOthersHelloBeforeAnythingElse) {
  Dial();
  ASSERT_TRUE(Until([&] { return server_.up.size() == 1 && client_.up.size() == 1; }));
  EXPECT_EQ(client_.up[0], ConnId(1));
  EXPECT_EQ(server_.up[0].value() % 2, 0u);
  EXPECT_EQ(client_.peers[0].cell(), "demo");
  EXPECT_EQ(server_.peers[0].process_id(), static_cast<uint64_t>(getpid()));
}

TEST_F(NodeTest, MessagesArriveInOrder) {
  Dial();
  ASSERT_TRUE(Until([&] { return client_.up.size() == 1 && server_.up.size() == 1; }));
  client_.Do([&](Effects& out) {
    for (uint64_t i = 1; i <= 1000; ++i) out.Send<v1::Ping>(ConnId(1)).set_number(i);
  });
  ASSERT_TRUE(Until([&] { return server_.pings.size() == 1000; }));
  for (uint64_t i = 0; i < 1000; ++i) ASSERT_EQ(server_.pings[i], i + 1);
}

TEST_F(NodeTest, FramesMayArriveByteByByte) {
  tcp::socket peer = RawPeer();
  peer.set_option(tcp::no_delay(true));
  const std::string bytes = FrameOf(MessageKind::kHello, HelloOf("demo")) + PingFrame(4) + PingFrame(5);
  for (const char byte : bytes) {
    asio::write(peer, asio::buffer(&byte, 1));
    io_.poll();
  }
  ASSERT_TRUE(Until([&] { return server_.pings.size() == 2; }));
  EXPECT_EQ(server_.pings, (std::vector<uint64_t>{4, 5}));
}

TEST_F(NodeTest, MalformedBytesCloseTheConnectionAndAreCounted) {
  tcp::socket peer = RawPeer();
  std::string bad = PingFrame(1);
  bad.back() ^= 1;
  asio::write(peer, asio::buffer(FrameOf(MessageKind::kHello, HelloOf("demo")) + PingFrame(8) + bad + PingFrame(9)));
  ASSERT_TRUE(Until([&] { return server_.down.size() == 1; }));
  EXPECT_EQ(server_.down[0], CloseReason::kMalformed);
  EXPECT_EQ(server_.pings, std::vector<uint64_t>{8});
  EXPECT_EQ(server_.counters().malformed, 1u);
  EXPECT_EQ(server_.connection_count(), 0u);
}

TEST_F(NodeTest, CoreNeverHearsOfAPeerThatDoesNotSayHello) {
  tcp::socket peer = RawPeer();
  asio::write(peer, asio::buffer(PingFrame(1)));
  ASSERT_TRUE(Until([&] { return server_.counters().malformed == 1; }));
  tcp::socket other = RawPeer();
  asio::write(other, asio::buffer(std::string("GET / HTTP/1.1\r\n\r\n")));
  ASSERT_TRUE(Until([&] { return server_.counters().malformed == 2; }));
  EXPECT_TRUE(server_.up.empty());
  EXPECT_TRUE(server_.down.empty());
}

TEST_F(NodeTest, PeerThatGoesIsReportedOnce) {
  {
    tcp::socket peer = RawPeer();
    asio::write(peer, asio::buffer(FrameOf(MessageKind::kHello, HelloOf("demo"))));
    ASSERT_TRUE(Until([&] { return server_.up.size() == 1; }));
  }
  ASSERT_TRUE(Until([&] { return server_.down.size() == 1; }));
  EXPECT_EQ(server_.down[0], CloseReason::kPeerClosed);
}

TEST_F(NodeTest, FailedDialIsAnswered) {
  const std::string endpoint = Endpoint();
  acceptor_.close();
  client_.Do([&](Effects& out) { out.Connect(ConnId(1), endpoint); });
  client_.Do([&](Effects& out) { out.Connect(ConnId(3), "no endpoint"); });
  ASSERT_TRUE(Until([&] { return client_.down.size() == 2; }));
  EXPECT_EQ(client_.down[0], CloseReason::kUnreachable);
  EXPECT_EQ(client_.down[1], CloseReason::kUnreachable);
}

TEST_F(NodeTest, ClosedByTheCoreMeansNoReport) {
  Dial();
  ASSERT_TRUE(Until([&] { return client_.up.size() == 1 && server_.up.size() == 1; }));
  client_.Do([&](Effects& out) {
    out.Send<v1::Ping>(ConnId(1)).set_number(77);
    out.Close(ConnId(1), CloseReason::kStalled);
  });
  ASSERT_TRUE(Until([&] { return server_.down.size() == 1; }));
  EXPECT_EQ(server_.pings, std::vector<uint64_t>{77});  // what was sent before the close is not lost by it
  EXPECT_TRUE(client_.down.empty());
}

TEST_F(NodeTest, HeldMessageLeavesWhenBothLanesAreThereAndMayBeOvertaken) {
  Dial();
  ASSERT_TRUE(Until([&] { return client_.up.size() == 1 && server_.up.size() == 1; }));
  SendPing(client_, ConnId(1), 1, After{2, 1});
  SendPing(client_, ConnId(1), 2);
  client_.Complete(Lane::kLog, 1);
  client_.Complete(Lane::kBulk, 1);
  SendPing(client_, ConnId(1), 3);
  ASSERT_TRUE(Until([&] { return server_.pings.size() == 2; }));
  client_.Complete(Lane::kLog, 2);
  ASSERT_TRUE(Until([&] { return server_.pings.size() == 3; }));
  EXPECT_EQ(server_.pings, (std::vector<uint64_t>{2, 3, 1}));
}

TEST_F(NodeTest, HeldMessageKeepsItsContent) {
  Dial();
  ASSERT_TRUE(Until([&] { return client_.up.size() == 1; }));
  SendPing(client_, ConnId(1), 10, After{1, 0});
  for (uint64_t i = 0; i < 5; ++i) SendPing(client_, ConnId(1), 20 + i, After{2, 0});  // reuses the same message objects
  client_.Complete(Lane::kLog, 1);
  ASSERT_TRUE(Until([&] { return !server_.pings.empty(); }));
  EXPECT_EQ(server_.pings, std::vector<uint64_t>{10});
}

TEST_F(NodeTest, HeldMessageDiesWithItsConnection) {
  Dial();
  ASSERT_TRUE(Until([&] { return client_.up.size() == 1; }));
  SendPing(client_, ConnId(1), 1, After{1, 0});
  client_.Do([](Effects& out) { out.Close(ConnId(1), CloseReason::kStalled); });
  Dial(3);
  ASSERT_TRUE(Until([&] { return client_.up.size() == 2; }));
  client_.Complete(Lane::kLog, 1);
  SendPing(client_, ConnId(3), 2);
  ASSERT_TRUE(Until([&] { return !server_.pings.empty(); }));
  EXPECT_EQ(server_.pings, std::vector<uint64_t>{2});
}

TEST_F(NodeTest, PeerThatDoesNotReadIsCutOff) {
  tcp::socket peer = RawPeer();
  asio::write(peer, asio::buffer(FrameOf(MessageKind::kHello, HelloOf("demo"))));
  ASSERT_TRUE(Until([&] { return server_.up.size() == 1; }));
  const std::string bulk(1 << 20, 'x');
  for (int i = 0; i < 64 && server_.down.empty(); ++i) {
    server_.Do([&](Effects& out) { out.Send<v1::SnapshotChunk>(server_.up[0]).set_data(bulk); });
    io_.poll();
  }
  ASSERT_TRUE(Until([&] { return server_.down.size() == 1; }));
  EXPECT_EQ(server_.down[0], CloseReason::kStalled);
  EXPECT_EQ(server_.counters().overflowed, 1u);
}

TEST_F(NodeTest, SaysWhenALongQueueHasDrained) {
  Dial();
  ASSERT_TRUE(Until([&] { return client_.up.size() == 1 && server_.up.size() == 1; }));
  const std::string bulk(2 << 20, 'x');
  server_.Do([&](Effects& out) { out.Send<v1::SnapshotChunk>(server_.up[0]).set_data(bulk); });
  ASSERT_TRUE(Until([&] { return server_.writable == 1; }));
  SendPing(server_, server_.up[0], 1);
  ASSERT_TRUE(Until([&] { return client_.pings.size() == 1; }));
  EXPECT_EQ(server_.writable, 1);
}

TEST_F(NodeTest, ArmingReplacesAndThePastFiresNext) {
  client_.Do([](Effects& out) {
    out.Arm(TimerId::kElection, Now() + 3600 * kSecond);
    out.Arm(TimerId::kElection, 0);
    out.Arm(TimerId::kRetry, Now() + 20 * kMillisecond);
    out.Arm(TimerId::kLease, Now() + 10 * kMillisecond);
    out.Cancel(TimerId::kLease);
    out.Arm(TimerId::kProbe, kNever);
  });
  ASSERT_TRUE(Until([&] { return client_.fired.size() == 2; }));
  EXPECT_EQ(client_.fired, (std::vector<TimerId>{TimerId::kElection, TimerId::kRetry}));
}

TEST_F(NodeTest, TimerNeverFiresEarly) {
  const Time due = Now() + 5 * kMillisecond;
  Time fired_at = 0;
  client_.react = [&](const Input& input, Effects&) {
    if (std::holds_alternative<TimerFired>(input) && std::get<TimerFired>(input).timer == TimerId::kHeartbeat) fired_at = Now();
  };
  client_.Do([&](Effects& out) { out.Arm(TimerId::kHeartbeat, due); });
  ASSERT_TRUE(Until([&] { return fired_at != 0; }));
  EXPECT_GE(fired_at, due);
}

// A time daemon that slews the clock by a hundredth, and stops to do so.
TEST_F(NodeTest, TheCoreHearsWhenItsClockRunsAtAWrongRateAndWhenNot) {
  ClockReading reading;
  int looks = 0;
  client_.clocks = [&] {
    const bool slewed = ++looks >= 5 && looks < 10;
    reading.raw += kSecond;
    reading.now += slewed ? kSecond + kSecond / 100 : kSecond;
    return reading;
  };
  client_.WatchClock(/*every=*/kMillisecond);
  ASSERT_TRUE(Until([&] { return client_.trusted.size() == 2; }));
  EXPECT_EQ(client_.trusted, (std::vector<bool>{false, true}));
  EXPECT_EQ(looks, 9 + RateWatch::kCalm);
}

// Whatever waited while the process did not run must not be judged by a clock that nobody looked at meanwhile.
TEST_F(NodeTest, AfterAGapTheClockIsLookedAtBeforeAnythingIsFed) {
  ClockReading reading;
  client_.clocks = [&] {
    reading.raw += kSecond;
    reading.now += 2 * kSecond;
    return reading;
  };
  client_.WatchClock(/*every=*/kMillisecond);  // nothing to compare with yet
  const Time gap = Now() + 3 * kMillisecond;
  while (Now() <= gap) continue;  // the loop does not run
  std::vector<bool> doubts;
  client_.react = [&](const Input& input, Effects&) { doubts.push_back(std::holds_alternative<ClockRate>(input)); };
  client_.Do([](Effects&) {});
  EXPECT_EQ(doubts, (std::vector<bool>{true, false}));
}

// The raw clock does not count suspend, so a machine that slept looks as if its clock had leapt. How far is not known well: what was
// measured before is over, and the clock is trusted from then on.
TEST_F(NodeTest, SleepIsADoubtThatIsOverAtOnce) {
  ClockReading reading;
  int looks = 0;
  client_.clocks = [&] {
    reading.raw += kSecond;
    reading.now += kSecond;
    if (++looks == 5) {
      reading.now += 3'600 * kSecond;
      reading.suspended += 3'600 * kSecond;
    }
    return reading;
  };
  client_.WatchClock(/*every=*/kMillisecond);
  ASSERT_TRUE(Until([&] { return looks > 20; }));
  EXPECT_EQ(client_.trusted, (std::vector<bool>{false, true}));
}

// What a client works by it learns from the first grant.
TEST_F(NodeTest, NothingIsComparedWhileThereIsNoBound) {
  ClockReading reading;
  int looks = 0;
  client_.rho_ppm = 0;
  client_.clocks = [&] {
    reading.raw += kSecond;
    reading.now += 2 * kSecond;
    if (++looks == 10) client_.rho_ppm = 1'000;
    return reading;
  };
  client_.WatchClock(/*every=*/kMillisecond);
  ASSERT_TRUE(Until([&] { return looks > 9; }));
  EXPECT_TRUE(client_.trusted.empty());
  ASSERT_TRUE(Until([&] { return looks > 12; }));
  EXPECT_EQ(client_.trusted, (std::vector<bool>{false}));
}

// Nothing but what the kernel says: on a machine whose clocks are sound.
TEST(ClockTest, ReadingsOfBothClocksBelongTogether) {
  const Time before = Now();
  const ClockReading reading = ReadClocks();
  EXPECT_GE(reading.now, before);
  EXPECT_LE(reading.now, Now());
  EXPECT_GE(reading.error, 0);
  EXPECT_GE(reading.suspended, -kMillisecond);
}

}  // namespace
}  // namespace bramah::net_real

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "core/base/keyed.h"
#include "sim/world/event_queue.h"
#include "sim/world/frames.h"
#include "sim/world/links.h"

namespace bramah::sim {
namespace {

TEST(EventQueueTest, ComesOutByTimeAndThenByOrderOfArrival) {
  EventQueue queue;
  struct Expected {
    Time at;
    uint32_t number;
  };
  std::vector<Expected> expected;
  for (uint32_t i = 0; i < 5'000; ++i) {
    const Time at = static_cast<Time>(Below(Scramble(i), 200));
    queue.Push(at, {.kind = Happening::kWake, .a = i});
    expected.push_back({at, i});
  }
  std::stable_sort(expected.begin(), expected.end(), [](const Expected& a, const Expected& b) { return a.at < b.at; });
  for (const Expected& next : expected) {
    ASSERT_EQ(queue.next_time(), next.at);
    ASSERT_EQ(queue.Pop().a, next.number);
  }
  EXPECT_TRUE(queue.empty());
}

TEST(EventQueueTest, ReusesSlotsBetweenPushesAndPops) {
  EventQueue queue;
  Time last = 0;
  for (uint32_t i = 0; i < 10'000; ++i) {
    queue.Push(last + static_cast<Time>(Below(Scramble(i), 50)), {.a = i});
    if (i % 3 == 0) continue;
    EXPECT_GE(queue.next_time(), last);
    last = queue.next_time();
    queue.Pop();
  }
  EXPECT_EQ(queue.size(), 3'334u);
}

// From nanoseconds to hours, so that times lie near, in the buckets, in the same bucket of another round, and behind them all.
TEST(EventQueueTest, KeepsTheOrderOverAllDistances) {
  EventQueue queue;
  std::set<std::pair<Time, uint32_t>> expected;
  Time now = 0;
  for (uint32_t i = 0; i < 20'000; ++i) {
    const uint64_t draw = Scramble(i);
    const Time at = now + static_cast<Time>(Below(draw, uint64_t{1} << (draw % 44)));
    queue.Push(at, {.a = i});
    expected.insert({at, i});
    for (uint64_t pops = i < 10'000 ? draw >> 60 & 1 : 2; pops > 0 && !expected.empty(); --pops) {
      ASSERT_FALSE(queue.empty());
      now = queue.next_time();
      ASSERT_EQ(now, expected.begin()->first);
      ASSERT_EQ(queue.Pop().a, expected.begin()->second);
      expected.erase(expected.begin());
    }
    ASSERT_EQ(queue.size(), expected.size());
  }
  EXPECT_GT(now, 3'600 * kSecond);
}

v1::Ping PingOf(uint64_t number) {
  v1::Ping ping;
  ping.set_number(number);
  return ping;
}

TEST(FramesTest, SharedBytesLiveAsLongAsSomebodyRefersToThem) {
  Frames frames;
  const FrameId first = frames.Encode(MessageKind::kPing, PingOf(1));
  frames.Share(first);
  frames.Release(first);
  const FrameId second = frames.Encode(MessageKind::kPing, PingOf(2));
  EXPECT_NE(second, first);
  EXPECT_NE(frames.hash(second), frames.hash(first));
  EXPECT_EQ(frames.Decode(first).As<v1::Ping>()->number(), 1u);
  frames.Release(first);
  EXPECT_EQ(frames.in_use(), 1u);
  EXPECT_EQ(frames.Encode(MessageKind::kPing, PingOf(3)), first);
  EXPECT_EQ(frames.Decode(first).As<v1::Ping>()->number(), 3u);
}

TEST(FramesTest, AFrameIsReadAgainOnceAnotherOfItsKindWasDecoded) {
  Frames frames;
  const FrameId one = frames.Encode(MessageKind::kPing, PingOf(1));
  const FrameId two = frames.Encode(MessageKind::kPing, PingOf(2));
  const FrameId other = frames.Encode(MessageKind::kKeepAlive, v1::KeepAlive());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(frames.Decode(one).As<v1::Ping>()->number(), 1u);
    EXPECT_NE(frames.Decode(other).As<v1::KeepAlive>(), nullptr);
    EXPECT_EQ(frames.Decode(one).As<v1::Ping>()->number(), 1u);
    EXPECT_EQ(frames.Decode(two).As<v1::Ping>()->number(), 2u);
  }
}

v1::Network Lossy() {
  v1::Network network;
  network.set_delay_min_ns(10);
  network.set_delay_max_ns(20);
  network.set_loss_ppm(200'000);
  network.set_break_ppm(100'000);
  network.set_duplicate_ppm(300'000);
  network.set_late_ppm(100'000);
  network.set_late_max_ns(1'000);
  return network;
}

TEST(LinksTest, FatesHaveTheirRatesAndDelaysTheirRange) {
  Links links(1, Lossy(), 2);
  int lost = 0;
  int broken = 0;
  int doubled = 0;
  int late = 0;
  for (uint64_t hash = 0; hash < 10'000; ++hash) {
    const Fate fate = links.Next(0, 1, Scramble(hash));
    lost += fate.lost;
    broken += fate.breaks;
    doubled += fate.duplicate;
    late += fate.delay > 20;
    EXPECT_LE(fate.lost + fate.breaks + fate.duplicate, 1);
    EXPECT_GE(fate.delay, 10);
    EXPECT_LE(fate.delay, 1'020);
  }
  EXPECT_NEAR(lost, 2'000, 200);
  EXPECT_NEAR(broken, 1'000, 150);
  EXPECT_NEAR(doubled, 3'000, 250);
  EXPECT_NEAR(late, 1'000, 150);
}

TEST(LinksTest, FatesAreKeyedByLinkAndRepetition) {
  Links links(1, Lossy(), 3);
  Links twin(1, Lossy(), 3);
  std::vector<Duration> first;
  std::vector<Duration> second;
  std::vector<Duration> other;
  for (uint64_t hash = 1; hash <= 20; ++hash) {
    first.push_back(links.Next(0, 1, hash).delay);
    second.push_back(links.Next(0, 1, hash).delay);
    other.push_back(links.Next(0, 2, hash).delay);
  }
  EXPECT_NE(first, second);
  EXPECT_NE(first, other);
  for (uint64_t hash = 20; hash >= 1; --hash) EXPECT_EQ(twin.Next(0, 1, hash).delay, first[hash - 1]);
}

TEST(LinksTest, OverlappingCutsEndWithTheLast) {
  Links links(1, Lossy(), 2);
  links.Cut(0, 1, 1);
  links.Cut(0, 1, 1);
  links.Cut(0, 1, -1);
  EXPECT_TRUE(links.IsCut(0, 1));
  EXPECT_FALSE(links.IsCut(1, 0));
  links.Cut(0, 1, -1);
  EXPECT_FALSE(links.IsCut(0, 1));
}

TEST(LinksTest, HealingEndsLossAndDelay) {
  Links links(1, Lossy(), 2);
  links.Cut(0, 1, 1);
  links.Slow(0, 1, 1'000'000);
  links.Heal(12);
  EXPECT_FALSE(links.IsCut(0, 1));
  for (uint64_t hash = 0; hash < 1'000; ++hash) {
    const Fate fate = links.Next(0, 1, Scramble(hash));
    EXPECT_FALSE(fate.lost || fate.breaks || fate.duplicate);
    EXPECT_LE(fate.delay, 12);
  }
}

}  // namespace
}  // namespace bramah::sim

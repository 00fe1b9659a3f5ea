// What a master does for its clients, on a whole server stepped in simulated time (lone_cell.h).
#include <benchmark/benchmark.h>

#include <algorithm>
#include <functional>
#include <string>

#include "core/base/check.h"
#include "tools/core_bench/lone_cell.h"
#include "tools/core_bench/meter.h"

namespace bramah::bench {
namespace {

constexpr Duration kLease = 12 * kSecond;
// How long the master holds a KeepAlive: until kKeepAliveMargin of the lease is left.
constexpr Duration kHold = 7 * kSecond;

double Seconds(Duration duration) { return static_cast<double>(duration) / kSecond; }

// Clients that came one after the other within a hold, so that their KeepAlives are spread over it.
template <class Greet>
void AddClients(LoneCell& cell, uint64_t count, bool caches, const Greet& greet) {
  const Time start = cell.now();
  for (uint64_t i = 0; i < count; ++i) {
    cell.AdvanceTo(start + static_cast<Duration>(i) * kHold / static_cast<Duration>(count));
    greet(cell.AddClient(caches));
  }
}

// Sessions that are kept alive: the share of one processor. frames:1 adds the bytes of all messages, at both of their ends.
void KeepAlives(benchmark::State& state) {
  constexpr Duration kTime = 21 * kSecond;
  LoneCell cell(kLease, state.range(1) != 0);
  AddClients(cell, static_cast<uint64_t>(state.range(0)), /*caches=*/false, [](size_t) {});
  cell.AdvanceTo(cell.now() + 2 * kHold);
  for (auto unused : state) {
    (void)unused;
    const uint64_t before = cell.keepalives();
    const Stopwatch watch;
    cell.AdvanceTo(cell.now() + kTime);
    const double seconds = watch.seconds();
    state.SetIterationTime(seconds);
    const auto keepalives = static_cast<double>(cell.keepalives() - before);
    state.counters["percent"] = 100 * seconds / Seconds(kTime);
    state.counters["keepalives"] = keepalives / Seconds(kTime);
    state.counters["ns_each"] = seconds * 1e9 / keepalives;
  }
}

// Processor time of the steps, and of the longest of them.
struct StepMeter {
  double start = 0;
  double sum = 0;
  double longest = 0;

  void operator()(bool begins) {
    if (begins) {
      start = ProcessorSeconds();
      return;
    }
    const double seconds = ProcessorSeconds() - start;
    sum += seconds;
    longest = std::max(longest, seconds);
  }
};

enum Fate : int64_t { kAllLive, kDiedHeld, kDiedIdle };

// One of the readers dies three seconds before the write: with a KeepAlive held by the master, or before it sent the next one.
void Kill(LoneCell& cell, LoneCell::Client& client, Fate fate) {
  if (fate == kAllLive) return;
  const Time lease = client.lease_until;
  cell.AdvanceUntil([&] { return client.lease_until != lease; });
  if (fate == kDiedHeld) cell.AdvanceTo(cell.now() + LoneCell::kLatency);
  client.dead = true;
  cell.AdvanceTo(cell.now() + 3 * kSecond);
}

// A write to a file that all clients keep. dead:1 one of them died with a KeepAlive held, dead:2 without.
void CachedWrite(benchmark::State& state) {
  LoneCell cell(kLease, /*frames=*/false);
  v1::Command open;
  open.set_kind(v1::OPEN);
  open.set_path("/file");
  v1::Command read;
  read.set_kind(v1::GET_CONTENTS);
  v1::Command write;
  write.set_kind(v1::SET_CONTENTS);
  write.set_contents(std::string(100, 'x'));
  const size_t writer = cell.AddClient(/*caches=*/false);
  v1::Command create = open;
  create.set_open_flags(v1::OPEN_WRITE | v1::OPEN_MUST_CREATE);
  cell.Call(writer, create);
  AddClients(cell, static_cast<uint64_t>(state.range(0)), /*caches=*/true, [&](size_t client) {
    cell.Call(client, open);
    BRAMAH_CHECK(cell.Call(client, read).classes() != 0);
  });
  cell.AdvanceTo(cell.now() + 2 * kHold);
  LoneCell::Client& victim = cell.clients()[cell.clients().size() / 2];
  Kill(cell, victim, static_cast<Fate>(state.range(1)));
  for (auto unused : state) {
    (void)unused;
    StepMeter meter;
    cell.WatchSteps(std::ref(meter));
    for (LoneCell::Client& client : cell.clients()) client.told = 0;
    const uint64_t replies = cell.replies();
    const uint64_t steps = cell.steps();
    const Time asked = cell.now();
    const Duration lease_left = victim.lease_until - asked;
    cell.Send(writer, write);
    cell.AdvanceUntil([&] { return cell.replies() > replies; });
    BRAMAH_CHECK(cell.reply().outcome().code() == v1::OK);
    cell.WatchSteps(nullptr);
    state.SetIterationTime(meter.sum);
    uint64_t rounds = 0;
    uint64_t told = 0;
    for (const LoneCell::Client& client : cell.clients()) {
      rounds = std::max(rounds, client.told);
      told += client.told;
    }
    state.counters["rounds"] = static_cast<double>(rounds);
    state.counters["told"] = static_cast<double>(told);
    state.counters["steps"] = static_cast<double>(cell.steps() - steps);
    state.counters["longest_step_ms"] = meter.longest * 1e3;
    state.counters["simulated_s"] = Seconds(cell.now() - asked);
    if (state.range(1) != kAllLive) state.counters["lease_left_s"] = Seconds(lease_left);
  }
}

BENCHMARK(KeepAlives)
    ->ArgNames({"sessions", "frames"})
    ->Args({100'000, 0})
    ->Args({100'000, 1})
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

BENCHMARK(CachedWrite)
    ->ArgNames({"clients", "dead"})
    ->Args({10'000, kAllLive})
    ->Args({10'000, kDiedHeld})
    ->Args({10'000, kDiedIdle})
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace bramah::bench

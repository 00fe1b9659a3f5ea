// Bytes per session and per node, at a million of them: `allocated` as the allocator counts them, `resident` as pages.
#include <benchmark/benchmark.h>

#include <string>

#include "tools/core_bench/driven_cell.h"
#include "tools/core_bench/meter.h"
#include "core/replica/leases.h"

namespace bramah::bench {
namespace {

constexpr uint64_t kCount = 1'000'000;

// Reports what `make` added, per one of kCount and less `own` bytes.
template <class Make>
void Measure(benchmark::State& state, double own, const Make& make) {
  for (auto unused : state) {
    (void)unused;
    const Memory before = MemoryNow();
    const Stopwatch watch;
    make();
    state.SetIterationTime(watch.seconds());
    const Memory after = MemoryNow();
    state.counters["allocated"] = (after.allocated - before.allocated) / kCount - own;
    state.counters["resident"] = (after.resident - before.resident) / kCount - own;
  }
}

// handles:1 has opened a file, and the answer is remembered.
void IdleSession(benchmark::State& state) {
  DrivenCell cell;
  cell.Do(OpenOf(cell.CreateSession(), 1, 1, "/file", v1::OPEN_MAY_CREATE));
  Measure(state, 0, [&] {
    for (uint64_t i = 0; i < kCount; ++i) {
      const uint64_t session = cell.CreateSession();
      if (state.range(0) != 0) cell.Do(OpenOf(session, 1, 1, "/file", v1::OPEN_READ));
    }
  });
}

// What the master keeps beside it: the lease, with a KeepAlive held.
void Lease(benchmark::State& state) {
  replica::Leases leases;
  leases.Configure(12 * kSecond, 5 * kSecond, /*items=*/512);
  v1::KeepAlive keepalive;
  keepalive.set_nonce(1);
  Measure(state, 0, [&] {
    for (uint64_t i = 1; i <= kCount; ++i) {
      leases.Open(Time(i), SessionId(i));
      leases.Receive(Time(i), SessionId(i), keepalive);
    }
  });
}

// Files of 64 bytes in a thousand directories, beyond name and contents; no handle is left open. The path, which has 21 bytes
// of which the name is 11, counts as overhead.
void SmallNode(benchmark::State& state) {
  constexpr uint64_t kDirectories = 1'000;
  constexpr uint64_t kContents = 64;
  constexpr uint64_t kName = 11;
  DrivenCell cell;
  const uint64_t session = cell.CreateSession();
  uint64_t made = 0;
  const auto make = [&](const std::string& path, uint32_t flags, const std::string& contents) {
    v1::Command open = OpenOf(session, 2 * made + 1, made + 1, path, flags | v1::OPEN_MUST_CREATE);
    open.set_contents(contents);
    cell.Do(open);
    cell.Do(CommandOf(v1::CLOSE, session, 2 * made + 2, made + 1));
    ++made;
  };
  const auto directory = [](uint64_t number) { return "/dir-" + std::to_string(1'000 + number % kDirectories); };
  for (uint64_t i = 0; i < kDirectories; ++i) make(directory(i), v1::OPEN_DIRECTORY, "");
  const std::string contents(kContents, 'x');
  Measure(state, kName + kContents, [&] {
    for (uint64_t i = 0; i < kCount; ++i) make(directory(i) + "/node" + std::to_string(1'000'000 + i), v1::OPEN_READ, contents);
  });
}

void Once(benchmark::internal::Benchmark* bench) { bench->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond); }

BENCHMARK(IdleSession)->ArgName("handles")->Arg(0)->Arg(1)->Apply(Once);
BENCHMARK(Lease)->Apply(Once);
BENCHMARK(SmallNode)->Apply(Once);

}  // namespace
}  // namespace bramah::bench

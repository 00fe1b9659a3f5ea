// The state machine alone: commands applied per second.
//
// parsed:0 applies commands that were made before; parsed:1 reads each from the bytes of its entry first, as a replica does.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tools/core_bench/driven_cell.h"
#include "tools/core_bench/meter.h"

namespace bramah::bench {
namespace {

// Applies a batch again and again. Between the batches, and not measured, each command gets the next number of its session.
class Batches {
 public:
  Batches(DrivenCell& cell, std::vector<v1::Command> batch, bool parsed)
      : cell_(cell), batch_(std::move(batch)), parsed_(parsed) {}

  // Seconds of one batch.
  double Run() {
    payloads_.clear();
    for (v1::Command& command : batch_) {
      command.set_seq(++seq_);
      command.set_first_outstanding(seq_);
      if (parsed_) payloads_.push_back(command.SerializeAsString());
    }
    const Stopwatch watch;
    parsed_ ? ApplyParsed() : ApplyMade();
    return watch.seconds();
  }

 private:
  void ApplyMade() {
    for (const v1::Command& command : batch_) Apply(command);
  }
  void ApplyParsed() {
    for (const std::string& payload : payloads_) {
      BRAMAH_CHECK(command_.ParseFromArray(payload.data(), static_cast<int>(payload.size())));
      Apply(command_);
    }
  }
  void Apply(const v1::Command& command) {
    const cell::Applied& applied = cell_.Apply(command);
    BRAMAH_CHECK(applied.effect);
    benchmark::DoNotOptimize(applied.outcome.code());
  }

  DrivenCell& cell_;
  std::vector<v1::Command> batch_;
  std::vector<std::string> payloads_;
  v1::Command command_;  // reused, like a replica's
  const bool parsed_;
  uint64_t seq_ = 1'000;  // beyond what was used to set the state up; rises for all sessions alike
};

void Measure(benchmark::State& state, Batches& batches, size_t size) {
  for (auto unused : state) {
    (void)unused;
    state.SetIterationTime(batches.Run());
  }
  const auto commands = static_cast<double>(state.iterations()) * static_cast<double>(size);
  state.counters["commands"] = benchmark::Counter(commands, benchmark::Counter::kIsRate);
}

std::string FileNamed(uint64_t number) { return "/file-" + std::to_string(number); }

// 100 bytes into each of 1,000 files, which belong to 100 sessions; not in the order in which they were made.
void SetContents(benchmark::State& state) {
  constexpr uint64_t kFiles = 1'000;
  constexpr uint64_t kPerSession = 10;
  constexpr uint64_t kStride = 617;
  DrivenCell cell;
  std::vector<v1::Command> made;
  uint64_t session = 0;
  for (uint64_t file = 0; file < kFiles; ++file) {
    const uint64_t handle = file % kPerSession + 1;
    if (handle == 1) session = cell.CreateSession();
    cell.Do(OpenOf(session, handle, handle, FileNamed(file), v1::OPEN_WRITE | v1::OPEN_MUST_CREATE));
    made.push_back(CommandOf(v1::SET_CONTENTS, session, handle, handle));
    made.back().set_contents(std::string(100, 'x'));
  }
  std::vector<v1::Command> batch;
  for (uint64_t i = 0; i < kFiles; ++i) {
    batch.push_back(made[i * kStride % kFiles]);
    cell.Cover(batch.back());
  }
  Batches batches(cell, std::move(batch), state.range(0) != 0);
  Measure(state, batches, kFiles);
}

// 100 locks, each wanted by ten sessions: who holds one releases it, which grants it to the next, and queues again.
void HandOver(benchmark::State& state) {
  constexpr uint64_t kLocks = 100;
  constexpr uint64_t kContenders = 10;
  DrivenCell cell;
  std::vector<v1::Command> batch;
  for (uint64_t contender = 0; contender < kContenders; ++contender) {
    for (uint64_t lock = 0; lock < kLocks; ++lock) {
      const uint64_t session = cell.CreateSession();
      cell.Do(OpenOf(session, 1, 1, FileNamed(lock), v1::OPEN_WRITE | v1::OPEN_MAY_CREATE));
      v1::Command acquire = CommandOf(v1::ACQUIRE, session, 2, 1);
      acquire.set_mode(v1::EXCLUSIVE);
      cell.Do(acquire, contender == 0 ? v1::OK : v1::QUEUED);
      v1::Command release = CommandOf(v1::RELEASE, session, 3, 1);
      cell.Cover(release);
      cell.Cover(acquire);
      batch.push_back(release);
      batch.push_back(acquire);
    }
  }
  const size_t size = batch.size();
  Batches batches(cell, std::move(batch), state.range(0) != 0);
  Measure(state, batches, size);
  const double handovers = state.counters["commands"] / 2;
  state.counters["handovers"] = benchmark::Counter(handovers, benchmark::Counter::kIsRate);
}

double Best(const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); }

double Most(const std::vector<double>& values) { return *std::max_element(values.begin(), values.end()); }

void Repeat(benchmark::internal::Benchmark* bench) {
  bench->ArgName("parsed")->Arg(0)->Arg(1)->UseManualTime()->Unit(benchmark::kMicrosecond);
  bench->Repetitions(7)->DisplayAggregatesOnly();
  bench->ComputeStatistics("min", Best)->ComputeStatistics("max", Most);
}

BENCHMARK(SetContents)->Apply(Repeat);
BENCHMARK(HandOver)->Apply(Repeat);

}  // namespace
}  // namespace bramah::bench

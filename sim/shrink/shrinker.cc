#include "sim/shrink/shrinker.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/base/hash.h"
#include "sim/plan/plan.h"

namespace bramah::sim {
namespace {

// How finely a list is divided, and how many seeds are tried per candidate. Large parts first, with patience: most of a large
// plan is ballast, but leaving any of it out changes what happens, and a single run would too often miss the failure. Looking at
// single items pays when few are left.
struct Level {
  size_t parts;
  uint32_t seeds;
};
constexpr size_t kSingle = SIZE_MAX;
constexpr Level kLevels[] = {{8, 4}, {32, 3}, {kSingle, 1}, {kSingle, 4}, {kSingle, 8}};
constexpr Duration kRunCost = kSecond;  // what a run costs however short it is: starting up, and the liveness phase
constexpr int kGapsMost = 24;  // longest pauses that are shortened

std::vector<int> Without(const std::vector<int>& all, size_t first, size_t count) {
  std::vector<int> rest(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(first));
  rest.insert(rest.end(), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), first + count)), all.end());
  return rest;
}

}  // namespace

uint32_t CountItems(const v1::Plan& plan) {
  if (plan.workload_size() > 0) return CountItems(Expand(plan));
  int items = plan.fault_size() + plan.operation_size();
  for (const v1::Clock& clock : plan.clock()) items += clock.drift_ppm() != 0 ? 1 : 0;
  return static_cast<uint32_t>(items) + plan.clients();
}

Shrinker::Shrinker(Runner run, const std::string& checker, const ShrinkOptions& options)
    : run_(std::move(run)), checker_(checker), options_(options) {}

ShrinkResult Shrinker::Shrink(const v1::Plan& plan) {
  best_ = plan;
  ShrinkResult result;
  result.checker = checker_;
  result.items_before = CountItems(plan);
  if (TryOnce(plan)) {
    // Calm weather first: the fewer draws decide, the steadier is what follows.
    seeds_ = kLevels[0].seeds;
    CutDuration();
    for (const Level& level : kLevels) {
      parts_ = level.parts;
      seeds_ = level.seeds;
      Apply(WeatherEdits());
      while (DropAll()) {
      }
    }
    seeds_ = 1;
    Apply(KnobEdits());
    CloseGaps();
    Apply(DetailEdits(best_));
    CutDuration();
    DropItems();
  }
  result.plan = best_;
  result.runs = runs_;
  result.items_after = CountItems(best_);
  return result;
}

bool Shrinker::DropAll() {
  const uint32_t before = CountItems(best_);
  DropGroups();
  DropItems();
  CutDuration();
  return !spent() && CountItems(best_) < before;
}

bool Shrinker::TryOnce(const v1::Plan& candidate) {
  if (spent()) return false;
  const uint64_t hash = Hash64(candidate.SerializeAsString());
  if (tried_.contains(hash)) return false;
  ++runs_;
  const std::optional<Failure> failure = run_(candidate);
  spent_ += kRunCost + std::min<Time>(failure.has_value() ? failure->at : kNever, candidate.duration_ns());
  const bool fails = failure.has_value() && failure->checker == checker_;
  if (fails) {
    best_ = candidate;
    failed_at_ = failure->at;
  } else {
    tried_.insert(hash);
  }
  if (options_.progress != nullptr) options_.progress(runs_, CountItems(best_));
  return fails;
}

bool Shrinker::Try(const v1::Plan& candidate) {
  v1::Plan plan = candidate;
  const uint64_t seed = best_.seed();
  for (uint32_t i = 0; i < seeds_; ++i) {
    plan.set_seed(seed + i);
    if (TryOnce(plan)) return true;
  }
  return false;
}

void Shrinker::Drop(int count, const std::function<v1::Plan(const std::vector<int>&)>& keep) {
  std::vector<int> kept(static_cast<size_t>(count));
  std::iota(kept.begin(), kept.end(), 0);
  const size_t finest = std::max<size_t>(1, kept.size() / parts_);
  for (size_t chunk = std::max<size_t>(1, kept.size() / 2); chunk >= finest && !spent(); chunk /= 2) {
    // From the end: what comes late is most likely not needed.
    for (size_t end = kept.size(); end > 0;) {
      const size_t first = end > chunk ? end - chunk : 0;
      std::vector<int> rest = Without(kept, first, end - first);
      if (Try(keep(rest))) kept = std::move(rest);
      end = first;
    }
  }
}

void Shrinker::DropItems() {
  const v1::Plan faults = best_;
  Drop(faults.fault_size(), [&](const std::vector<int>& kept) { return KeepFaults(faults, kept); });
  DropReplicas();
  DropClients();
  const v1::Plan operations = best_;
  Drop(operations.operation_size(), [&](const std::vector<int>& kept) { return KeepOperations(operations, kept); });
  DropClients();
  const v1::Plan clocks = best_;
  Drop(clocks.clock_size(), [&](const std::vector<int>& kept) { return KeepClocks(clocks, kept); });
}

// All faults or operations of a kind at once: a fraction of the runs that halving would take.
void Shrinker::DropGroups() {
  for (int kind = 1; kind <= v1::Fault::Kind_MAX && !spent(); ++kind) {
    std::vector<int> kept;
    for (int i = 0; i < best_.fault_size(); ++i) {
      if (best_.fault(i).kind() != kind) kept.push_back(i);
    }
    if (static_cast<int>(kept.size()) < best_.fault_size()) Try(KeepFaults(best_, kept));
  }
  for (int kind = 1; kind <= v1::Operation::Kind_MAX && !spent(); ++kind) {
    std::vector<int> kept;
    for (int i = 0; i < best_.operation_size(); ++i) {
      if (best_.operation(i).kind() != kind) kept.push_back(i);
    }
    if (static_cast<int>(kept.size()) < best_.operation_size()) Try(KeepOperations(best_, kept));
  }
}

void Shrinker::DropClients() {
  const v1::Plan all = best_;
  Drop(static_cast<int>(all.clients()), [&](const std::vector<int>& kept) {
    std::vector<uint32_t> numbers;
    for (const int i : kept) numbers.push_back(static_cast<uint32_t>(i) + 1);
    return KeepClients(all, numbers);
  });
}

// Cells have odd sizes; which of the replicas matter is tried out pair by pair.
void Shrinker::DropReplicas() {
  bool smaller = true;
  while (smaller && best_.replicas() >= 3 && !spent()) {
    smaller = false;
    const uint32_t count = best_.replicas();
    for (uint32_t second = count; second > 1 && !smaller; --second) {
      for (uint32_t first = second - 1; first > 0 && !smaller; --first) {
        std::vector<uint32_t> kept;
        for (uint32_t number = 1; number <= count; ++number) {
          if (number != first && number != second) kept.push_back(number);
        }
        smaller = Try(KeepReplicas(best_, kept));
      }
    }
  }
}

void Shrinker::CutDuration() {
  // What fails within the safety phase needs nothing after it.
  if (failed_at_ < best_.duration_ns()) TryOnce(CutAfter(best_, failed_at_ + kMillisecond));
  if (failed_at_ < best_.duration_ns()) TryOnce(CutAfter(best_, failed_at_ + kSecond));
  for (Duration step = best_.duration_ns() / 2; step >= kSecond && !spent(); step /= 2) {
    while (best_.duration_ns() > step && Try(CutAfter(best_, best_.duration_ns() - step))) {
    }
  }
}

void Shrinker::CloseGaps() {
  std::vector<std::pair<Duration, Time>> gaps;  // length, end
  Time last = 0;
  for (const Time time : PlannedTimes(best_)) {
    gaps.emplace_back(time - last, time);
    last = time;
  }
  std::sort(gaps.rbegin(), gaps.rend());
  if (gaps.size() > kGapsMost) gaps.resize(kGapsMost);
  // The latest first: moving it does not move the ends of the others.
  std::sort(gaps.begin(), gaps.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  for (const auto& [length, end] : gaps) {
    if (length < 100 * kMillisecond) continue;
    if (!Try(MoveEarlier(best_, end, length / 10 * 9))) Try(MoveEarlier(best_, end, length / 2));
  }
}

bool Shrinker::Apply(const std::vector<Edit>& edits) {
  bool any = false;
  for (const Edit& edit : edits) {
    v1::Plan candidate = best_;
    edit(candidate);
    if (candidate.SerializeAsString() != best_.SerializeAsString()) any = Try(candidate) || any;
  }
  return any;
}

}  // namespace bramah::sim

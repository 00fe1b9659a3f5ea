#include "cli/sim_sweep.h"

#include <optional>
#include <utility>

#include "cli/worker_pool.h"
#include "core/base/bytes.h"
#include "core/base/hash.h"
#include "net_real/clock.h"

namespace bramah::cli {

std::string WriteResult(const SeedResult& result) {
  std::string bytes;
  ByteWriter out(&bytes);
  out.U8(static_cast<uint8_t>(result.verdict));
  out.U64(result.trace_hash);
  out.U64(result.events);
  out.I64(result.simulated);
  out.U64(result.probe_bits);
  out.Bytes(result.note);
  out.U32(static_cast<uint32_t>(result.violations.size()));
  for (const sim::Violation& violation : result.violations) {
    out.Bytes(violation.checker);
    out.I64(violation.at);
    out.Bytes(violation.message);
  }
  return bytes;
}

bool ReadResult(const std::string& bytes, SeedResult* result) {
  ByteReader in(bytes);
  result->verdict = static_cast<sim::Verdict>(in.U8());
  result->trace_hash = in.U64();
  result->events = in.U64();
  result->simulated = in.I64();
  result->probe_bits = in.U64();
  result->note = std::string(in.Bytes());
  const uint32_t count = in.U32();
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    sim::Violation violation;
    violation.checker = std::string(in.Bytes());
    violation.at = in.I64();
    violation.message = std::string(in.Bytes());
    result->violations.push_back(std::move(violation));
  }
  return in.Finished();
}

sim::Verdict SweepResult::verdict() const {
  sim::Verdict verdict = sim::Verdict::kOk;
  for (const auto& [seed, result] : seeds) {
    if (result.verdict == sim::Verdict::kViolation) return sim::Verdict::kViolation;
    if (result.verdict == sim::Verdict::kInconclusive) verdict = sim::Verdict::kInconclusive;
  }
  return verdict;
}

uint64_t SweepResult::events() const {
  uint64_t events = 0;
  for (const auto& [seed, result] : seeds) events += result.events;
  return events;
}

Duration SweepResult::simulated() const {
  Duration simulated = 0;
  for (const auto& [seed, result] : seeds) simulated += result.simulated;
  return simulated;
}

Probes SweepResult::probes() const {
  Probes probes;
  for (const auto& [seed, result] : seeds) probes.Merge(Probes::FromBits(result.probe_bits));
  return probes;
}

uint64_t SweepResult::suite_hash() const {
  std::string bytes;
  ByteWriter out(&bytes);
  for (const auto& [seed, result] : seeds) {
    out.U64(seed);
    out.U64(result.trace_hash);
  }
  return Hash64(bytes);
}

bool Sweep(const SweepArgs& args, const std::function<SeedResult(uint64_t)>& work,
           const std::function<void(uint64_t, uint64_t)>& progress, SweepResult* result) {
  const Time start = net_real::Now();
  uint64_t next = args.first;
  uint64_t violations = 0;
  std::optional<uint64_t> first_violation;
  const auto record = [&](uint64_t seed, SeedResult seed_result) {
    if (seed_result.verdict == sim::Verdict::kViolation) {
      ++violations;
      first_violation = std::min(seed, first_violation.value_or(seed));
    }
    result->seeds.emplace(seed, std::move(seed_result));
  };
  const auto crash = [&](uint64_t seed, const std::string& how, bool killed) {
    SeedResult crashed;
    crashed.verdict = killed ? sim::Verdict::kInconclusive : sim::Verdict::kViolation;
    crashed.note = "the process that ran this seed ended: " + how;
    if (!killed) crashed.violations.push_back({"core.check", 0, crashed.note});
    record(seed, std::move(crashed));
  };
  PoolJobs jobs;
  jobs.next = [&]() -> std::optional<uint64_t> {
    const bool late = args.wall_limit != 0 && net_real::Now() - start >= args.wall_limit;
    if (next >= args.last || late || (args.stop_on_first && first_violation.has_value())) return std::nullopt;
    if (args.interrupted != nullptr && *args.interrupted != 0) {
      result->cut_short = true;
      return std::nullopt;
    }
    return next++;
  };
  jobs.work = [&work](uint64_t seed) { return WriteResult(work(seed)); };
  jobs.done = [&](uint64_t seed, std::string bytes) {
    SeedResult seed_result;
    if (!ReadResult(bytes, &seed_result)) return crash(seed, "its result cannot be read", /*killed=*/false);
    record(seed, std::move(seed_result));
  };
  jobs.crashed = crash;
  jobs.tick = [&] { progress(result->seeds.size(), violations); };
  const bool started = RunPool(args.jobs, jobs);
  // Seeds are begun in order, so all below the first violation are done; what other workers did beyond it depends on their
  // number.
  if (args.stop_on_first && first_violation.has_value())
    result->seeds.erase(result->seeds.upper_bound(*first_violation), result->seeds.end());
  result->wall = net_real::Now() - start;
  return started;
}

}  // namespace bramah::cli

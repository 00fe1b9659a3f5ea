// From a seed to a plan. Swarm testing: each seed switches every family of faults on or off and draws its rate over orders of
// magnitude, because a bug often needs some faults to be frequent and others to be absent [Groce et al., ISSTA 2012].
#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sim/plan/plan.h"
#include "sim/plan/settings.h"
#include "sim/plan/streams.h"

namespace bramah::sim {
namespace {

constexpr uint32_t kFamilyOffPpm = 400'000;
constexpr Duration kEveryMax = 86'400 * kSecond;  // between two operations of a workload

void DrawKnobs(v1::Plan& plan) {
  Dice dice(plan.seed(), Stream::kKnobs, 0);
  v1::Knobs& knobs = *plan.mutable_knobs();
  const bool lan = dice.Hit(500'000);
  const Duration election = dice.LogIn(50 * kMillisecond, 600 * kMillisecond);
  knobs.set_election_min_ns(lan ? 150 * kMillisecond : election);
  knobs.set_heartbeat_ns(knobs.election_min_ns() / dice.In(3, 8));
  const bool short_leases = dice.Hit(600'000);
  const Duration lease = dice.LogIn(1 * kSecond, 6 * kSecond);
  const int64_t margin_percent = dice.In(20, 45);
  const Duration grace = dice.LogIn(1 * kSecond, 12 * kSecond);
  // A lease must be worth several elections, and its margin a few round trips of the healed network.
  knobs.set_lease_ns(short_leases ? std::max(lease, 8 * knobs.election_min_ns()) : 12 * kSecond);
  knobs.set_keepalive_margin_ns(std::max(knobs.lease_ns() / 100 * margin_percent, 2 * knobs.election_min_ns()));
  knobs.set_grace_ns(grace);
  knobs.set_quorum_reads(dice.Hit(300'000));
  const bool one_entry = dice.Hit(300'000);
  const int64_t entries = dice.LogIn(2, 64);
  knobs.set_append_entries_max(one_entry ? 1 : static_cast<uint32_t>(entries));
  knobs.set_append_inflight_max(static_cast<uint32_t>(dice.LogIn(1, 8)));
  const bool tiny_snapshots = dice.Hit(400'000);
  const int64_t few = dice.LogIn(4, 200);
  knobs.set_snapshot_after_entries(tiny_snapshots ? static_cast<uint64_t>(few) : 1'000);
  knobs.set_snapshot_chunk_bytes(static_cast<uint32_t>(dice.LogIn(512, 64 << 10)));
  knobs.set_segment_bytes(static_cast<uint64_t>(dice.LogIn(16 << 10, 512 << 10)));
  const bool little_work = dice.Hit(300'000);
  const int64_t work = dice.LogIn(1, 8);
  if (little_work) knobs.set_step_work_max(static_cast<uint32_t>(work));
  // A wide bound, used up by the clocks, shows who forgot to allow for it; margins must outlast it.
  const bool wide = dice.Hit(300'000);
  const int64_t rho = dice.LogIn(kRhoPpmDefault, 30 * kRhoPpmDefault);
  knobs.set_rho_ppm(wide ? rho : kRhoPpmDefault);
  const bool small_queues = dice.Hit(300'000);
  const int64_t items = dice.LogIn(1, 16);
  if (small_queues) knobs.set_session_items_max(static_cast<uint32_t>(items));
  const bool caches = dice.Hit(800'000);
  const bool small_caches = dice.Hit(200'000);
  const int64_t kept = dice.LogIn(1, 8);
  knobs.set_client_cache(caches);
  knobs.set_cache_locks(dice.Hit(400'000));
  if (caches && small_caches) knobs.set_session_cache_max(static_cast<uint32_t>(kept));
  // So that a handful of sessions is a load, and leases grow to several times their length at most.
  const bool loaded = dice.Hit(300'000);
  const Duration spacing = dice.LogIn(knobs.lease_ns() / 16, knobs.lease_ns() / 3);
  if (loaded) knobs.set_keepalive_spacing_ns(spacing);
  knobs.set_cache_handles(dice.Hit(500'000));
}

void DrawNetwork(v1::Plan& plan) {
  Dice dice(plan.seed(), Stream::kNetwork, 0);
  v1::Network& network = *plan.mutable_network();
  const Duration election = plan.knobs().election_min_ns();
  const int64_t regime = dice.In(0, 99);
  const Duration lan = dice.LogIn(200 * kMicrosecond, 5 * kMillisecond);
  const Duration wan = dice.LogIn(5 * kMillisecond, std::max<Duration>(5 * kMillisecond, election / 3));
  const Duration extreme = dice.In(election / 3, election);
  const Duration most = regime < 60 ? lan : regime < 85 ? wan : extreme;
  network.set_delay_min_ns(dice.In(50 * kMicrosecond, std::max<Duration>(50 * kMicrosecond, most / 2)));
  network.set_delay_max_ns(std::max<Duration>(most, network.delay_min_ns()));
  const auto rate = [&](int64_t low, int64_t high) {
    const bool off = dice.Hit(kFamilyOffPpm);
    const int64_t ppm = dice.LogIn(low, high);
    return off ? 0u : static_cast<uint32_t>(ppm);
  };
  network.set_loss_ppm(rate(100, 100'000));
  network.set_duplicate_ppm(rate(100, 100'000));
  network.set_late_ppm(rate(100, 50'000));
  network.set_late_max_ns(dice.LogIn(election / 4, 4 * election));
  network.set_break_ppm(rate(10, 2'000));
}

void DrawDisk(v1::Plan& plan) {
  Dice dice(plan.seed(), Stream::kDiskTimes, 0);
  v1::Disk& disk = *plan.mutable_disk();
  disk.set_write_min_ns(5 * kMicrosecond);
  disk.set_write_max_ns(dice.LogIn(10 * kMicrosecond, 200 * kMicrosecond));
  const int64_t regime = dice.In(0, 99);
  const Duration quick = dice.LogIn(100 * kMicrosecond, 2 * kMillisecond);
  const Duration slow = dice.LogIn(2 * kMillisecond, std::max<Duration>(2 * kMillisecond, plan.knobs().election_min_ns() / 8));
  disk.set_sync_max_ns(regime < 65 ? quick : slow);
  disk.set_sync_min_ns(disk.sync_max_ns() / dice.In(2, 20));
  disk.set_lost_ppm(static_cast<uint32_t>(dice.In(100'000, 900'000)));
  disk.set_torn_ppm(static_cast<uint32_t>(dice.In(0, 100'000)));
}

Settings DrawSettings(v1::Plan& plan) {
  Settings settings;
  Dice dice(plan.seed(), Stream::kFamilies, 0);
  const auto rate = [&](Duration low, Duration high) {
    const bool off = dice.Hit(kFamilyOffPpm);
    const Duration every = dice.LogIn(low, high);
    return off ? Duration{0} : every;
  };
  settings.crash_process_every = rate(kSecond, 30 * kSecond);
  settings.crash_machine_every = rate(kSecond, 30 * kSecond);
  settings.power_cut_every = rate(5 * kSecond, 60 * kSecond);
  settings.pause_every = rate(2 * kSecond, 30 * kSecond);
  settings.cut_every = rate(kSecond, 30 * kSecond);
  settings.slow_link_every = rate(2 * kSecond, 30 * kSecond);
  settings.sync_failure_every = rate(5 * kSecond, 60 * kSecond);
  settings.write_failure_every = rate(5 * kSecond, 60 * kSecond);
  settings.no_space_every = rate(5 * kSecond, 60 * kSecond);
  settings.slow_disk_every = rate(3 * kSecond, 60 * kSecond);
  settings.client_cut_every = rate(kSecond, 30 * kSecond);
  settings.client_pause_every = rate(2 * kSecond, 30 * kSecond);
  settings.client_crash_every = rate(5 * kSecond, 60 * kSecond);
  const int64_t restarts = dice.In(0, 2);
  settings.down = restarts == 0   ? Span{0, 20 * kMillisecond}
                  : restarts == 1 ? Span{10 * kMillisecond, kSecond}
                                  : Span{100 * kMillisecond, 10 * kSecond};
  const bool rot = dice.Hit(150'000);
  settings.rotten_replicas = rot ? 1 : 0;
  const bool stops = dice.Hit(600'000);
  settings.clients_stopped = stops ? plan.clients() / 3 : 0;
  const bool masters = dice.Hit(500'000);
  const int64_t struck = dice.LogIn(1, 20);
  settings.masters_struck = masters ? static_cast<uint32_t>(struck) : 0;
  settings.reign_max = dice.LogIn(200 * kMillisecond, 10 * kSecond);
  const bool leaders = dice.Hit(300'000);
  const int64_t rising = dice.LogIn(1, 40);
  settings.leaders_struck = leaders ? static_cast<uint32_t>(rising) : 0;
  settings.rise_max = dice.LogIn(kMillisecond, 300 * kMillisecond);
  const bool triggered = dice.Hit(500'000);
  const int64_t crashes = dice.LogIn(1, 15);
  settings.triggered_crashes = triggered ? static_cast<uint32_t>(crashes) : 0;
  const bool drift = !dice.Hit(kFamilyOffPpm);
  settings.drift_ppm = drift ? static_cast<uint32_t>(plan.knobs().rho_ppm()) : 0;
  settings.drift_extreme = dice.Hit(500'000);
  settings.operations = static_cast<uint32_t>(dice.LogIn(100, 800));
  settings.paths = static_cast<uint32_t>(dice.LogIn(1, 8));
  settings.locks_ppm = static_cast<uint32_t>(dice.In(50'000, 700'000));
  settings.writes_ppm = static_cast<uint32_t>(dice.In(200'000, 900'000));
  settings.names_ppm = static_cast<uint32_t>(dice.In(0, 300'000));
  settings.hold_max = dice.LogIn(10 * kMillisecond, 4 * kSecond);
  settings.lock_delay_max = dice.LogIn(100 * kMillisecond, 10 * kSecond);
  settings.bytes = static_cast<uint32_t>(dice.LogIn(1, 1'000));
  settings.permits = static_cast<uint32_t>(dice.In(2, 4));
  const bool careless = dice.Hit(100'000);
  settings.leaks_ppm = careless ? 50'000 : 0;
  settings.locks_again = dice.Hit(200'000);
  const bool impatient = dice.Hit(300'000);
  const Duration patience = dice.LogIn(10 * kMillisecond, 4 * kSecond);
  settings.patience_max = impatient ? patience : 0;
  return settings;
}

void AddClocks(const Settings& settings, v1::Plan& plan) {
  if (settings.drift_ppm == 0) return;
  for (const char kind : {'r', 'c'}) {
    for (uint32_t i = 1; i <= (kind == 'r' ? plan.replicas() : plan.clients()); ++i) {
      Dice dice(plan.seed(), Stream::kClocks, static_cast<uint64_t>(kind) << 32 | i);
      const int64_t bound = settings.drift_ppm;
      const bool fast = dice.Hit(500'000);
      const int64_t anything = dice.In(-bound, bound);
      v1::Clock& clock = *plan.add_clock();
      clock.set_process(absl::StrCat(std::string(1, kind), i));
      clock.set_drift_ppm(static_cast<int32_t>(settings.drift_extreme ? (fast ? bound : -bound) : anything));
    }
  }
}

// A workload of each kind, so that all operations together come to `settings.operations` in the plan's duration.
void AddWorkloads(const Settings& settings, v1::Plan& plan) {
  if (plan.clients() == 0 || settings.operations == 0) return;
  const auto add = [&](v1::Operation::Kind kind, const char* prefix, uint64_t ppm) -> v1::Workload& {
    v1::Workload& workload = *plan.add_workload();
    workload.set_kind(kind);
    workload.set_clients(plan.clients());
    const uint64_t count = std::max<uint64_t>(1, settings.operations * ppm / 1'000'000);
    const uint64_t every = static_cast<uint64_t>(plan.duration_ns()) * plan.clients() / count;
    workload.set_every_ns(std::clamp<int64_t>(static_cast<int64_t>(every), kMillisecond, kEveryMax));
    workload.set_paths(settings.paths);
    workload.set_prefix(prefix);
    return workload;
  };
  const uint64_t locks = settings.locks_ppm;
  const uint64_t names = uint64_t{settings.names_ppm} * (1'000'000 - locks) / 1'000'000;
  const uint64_t files = 1'000'000 - locks - names;
  const uint64_t writes = files * settings.writes_ppm / 1'000'000;
  add(v1::Operation::GET, "f", (files - writes) * 8 / 10);
  add(v1::Operation::GET, "f", (files - writes) / 10).set_with_stat(true);
  add(v1::Operation::STAT, "f", (files - writes) / 10);
  add(v1::Operation::SET, "f", writes * 2 / 3).set_bytes(settings.bytes);
  add(v1::Operation::COMPARE_AND_SET, "f", writes / 3).set_bytes(settings.bytes);
  add(v1::Operation::BATCH, "f", writes / 6);
  const auto add_lock = [&](v1::Operation::Kind kind, uint64_t ppm) -> v1::Workload& {
    v1::Workload& workload = add(kind, "l", ppm);
    workload.set_hold_ns(settings.hold_max);
    workload.set_lock_delay_ns(settings.lock_delay_max);
    workload.set_fenced(true);
    return workload;
  };
  add_lock(v1::Operation::LOCK, locks * 4 / 10);
  add_lock(v1::Operation::TRY_LOCK, locks * 2 / 10);
  add(v1::Operation::STAT, "l", locks * 2 / 10);
  add_lock(v1::Operation::LOCK, locks * 2 / 10).set_shared(true);
  // Locks with several permits are used by who wants one of them, and now and then by who wants none to be out.
  add_lock(v1::Operation::LOCK, locks * 2 / 10).set_prefix("s");
  add_lock(v1::Operation::LOCK, locks / 50).set_prefix("s");
  plan.mutable_workload(plan.workload_size() - 1)->set_shared(true);
  for (v1::Workload& workload : *plan.mutable_workload()) {
    if (workload.prefix() == "s") workload.set_permits(settings.permits);
    const bool lock = workload.kind() == v1::Operation::LOCK || workload.kind() == v1::Operation::TRY_LOCK;
    workload.set_again(lock && settings.locks_again);
    if (workload.kind() == v1::Operation::LOCK) workload.set_patience_ns(settings.patience_max);
  }
  if (names == 0) return;
  add(v1::Operation::EPHEMERAL, "e", names * 3 / 10).set_hold_ns(settings.hold_max);
  add(v1::Operation::REMOVE, "f", names * 2 / 10);
  add(v1::Operation::LIST, "", names / 10);
  add(v1::Operation::CLOSE, "f", names * 2 / 10);
  add(v1::Operation::REMOVE, "l", names / 10);
  add(v1::Operation::END_SESSION, "", names / 10);
  // Some ACLs and some names, not many: what is denied is not done.
  add(v1::Operation::MAKE_DIRECTORY, "acl", names / 50);
  add(v1::Operation::GRANT, "acl/a", names / 20);
  add(v1::Operation::SET_ACL, "f", names / 20);
  // A watch stays, so a few are enough; every event of it makes a call.
  add(v1::Operation::WATCH, "f", names / 10);
  add(v1::Operation::WATCH, "", names / 20);
  add(v1::Operation::WATCH, "l", names / 20);
  // Last, so that the other operations of a seed do not depend on it.
  if (!Chance(Draw(plan.seed(), Stream::kStale, 0, 0), 500'000)) {
    add(v1::Operation::GET, "f", files / 20).set_stale(true);
    add(v1::Operation::LIST, "", names / 20).set_stale(true);
  }
  if (settings.leaks_ppm > 0) add(v1::Operation::LEAK, "f", settings.leaks_ppm);
  if (Chance(Draw(plan.seed(), Stream::kCounters, 0, 0), 500'000)) return;
  add(v1::Operation::ADD, "n", writes / 6);
  add(v1::Operation::GET, "n", files / 20);
  add(v1::Operation::REMOVE, "n", names / 20);
}

// Some kinds of operations would rather fail than wait out a jeopardy; their draw moves no other.
void HurrySome(v1::Plan& plan) {
  for (int i = 0; i < plan.workload_size(); ++i) {
    v1::Workload& workload = *plan.mutable_workload(i);
    const bool hurry = Chance(Draw(plan.seed(), Stream::kNoWait, 0, static_cast<uint64_t>(i)), 125'000);
    workload.set_no_wait(hurry && !workload.stale());
  }
}

const Profile* FindProfile(std::string_view name) {
  for (const Profile& profile : Profiles()) {
    if (profile.name == name) return &profile;
  }
  return nullptr;
}

void SetFixed(const PlanOptions& options, v1::Plan& plan) {
  if (options.replicas) plan.set_replicas(*options.replicas);
  if (options.clients) plan.set_clients(*options.clients);
  if (options.quorum_reads) plan.mutable_knobs()->set_quorum_reads(*options.quorum_reads);
  for (v1::Workload& workload : *plan.mutable_workload()) workload.set_clients(std::min(workload.clients(), plan.clients()));
}

}  // namespace

absl::StatusOr<v1::Plan> MakePlan(uint64_t seed, const PlanOptions& options) {
  const Profile* profile = FindProfile(options.profile);
  if (profile == nullptr) return absl::InvalidArgumentError(absl::StrCat("unknown profile \"", options.profile, "\""));
  v1::Plan plan;
  plan.set_version(1);
  plan.set_seed(seed);
  plan.set_duration_ns(options.duration);
  Dice dice(seed, Stream::kTopology, 0);
  plan.set_replicas(dice.Hit(500'000) ? 3 : 5);
  plan.set_clients(static_cast<uint32_t>(dice.LogIn(1, 20)));
  SetFixed(options, plan);
  DrawKnobs(plan);
  DrawNetwork(plan);
  DrawDisk(plan);
  Settings settings = DrawSettings(plan);
  if (profile->apply != nullptr) profile->apply(dice, settings, plan);
  Dice lies(seed, Stream::kLies, 0);
  if (options.clocks_lie && !plan.clocks_lie()) LetClocksLie(lies, settings, plan);
  SetFixed(options, plan);
  if (absl::Status status = ValidatePlan(plan); !status.ok()) return status;
  AddClocks(settings, plan);
  AddFaults(settings, plan);
  AddWorkloads(settings, plan);
  if (settings.operations > 0) HurrySome(plan);
  if (absl::Status status = ValidatePlan(plan); !status.ok()) return status;
  return settings.operations == 0 ? plan : Expand(plan);
}

std::vector<std::string> ProfileNames() {
  std::vector<std::string> names;
  for (const Profile& profile : Profiles()) names.emplace_back(profile.name);
  return names;
}

std::string DescribeProfiles() {
  std::string text;
  for (const Profile& profile : Profiles()) {
    const std::string name(profile.name.empty() ? "(none)" : profile.name);
    absl::StrAppend(&text, name, ": ", std::string(profile.description), "\n");
  }
  return text;
}

}  // namespace bramah::sim

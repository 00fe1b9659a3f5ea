// The named mixes of settings.
#include <algorithm>

#include "sim/plan/profile_parts.h"

namespace bramah::sim {
namespace {

// All families at moderate rates under the load that every speed figure is measured with: 100 clients that make 100 calls/s in
// all, half of them writes. A lock operation is two calls, or four with a handle of its own; a removal is some two hundred,
// because every client then closes its handle and opens the name again.
void Bench(Dice&, Settings& settings, v1::Plan& plan) {
  settings = Settings();
  plan.set_replicas(5);
  plan.set_clients(100);
  v1::Knobs& knobs = *plan.mutable_knobs();
  knobs.Clear();
  knobs.set_election_min_ns(150 * kMillisecond);
  knobs.set_heartbeat_ns(50 * kMillisecond);
  knobs.set_snapshot_after_entries(1'000);
  knobs.set_segment_bytes(256 << 10);
  Lan(*plan.mutable_network());
  plan.mutable_network()->set_loss_ppm(20'000);
  plan.mutable_network()->set_duplicate_ppm(20'000);
  plan.mutable_network()->set_late_ppm(1'000);
  plan.mutable_network()->set_late_max_ns(100 * kMillisecond);
  plan.mutable_network()->set_break_ppm(10);
  OrdinaryDisk(*plan.mutable_disk());
  settings.crash_process_every = 10 * kSecond;
  settings.crash_machine_every = 30 * kSecond;
  settings.power_cut_every = 300 * kSecond;
  settings.pause_every = 60 * kSecond;
  settings.cut_every = 12 * kSecond;
  settings.slow_link_every = 60 * kSecond;
  settings.sync_failure_every = 120 * kSecond;
  settings.write_failure_every = 120 * kSecond;
  settings.no_space_every = 120 * kSecond;
  settings.slow_disk_every = 60 * kSecond;
  settings.client_cut_every = 10 * kSecond;
  settings.client_pause_every = 60 * kSecond;
  settings.client_crash_every = 60 * kSecond;
  settings.clients_stopped = 3;
  settings.masters_struck = 3;
  settings.triggered_crashes = 5;
  settings.drift_ppm = 500;
  settings.operations = 0;
  AddStream(plan, v1::Operation::GET, 4'500, "f", 3, 0);
  AddStream(plan, v1::Operation::STAT, 500, "f", 3, 0);
  AddStream(plan, v1::Operation::SET, 2'500, "f", 3, 0);
  AddStream(plan, v1::Operation::COMPARE_AND_SET, 800, "f", 3, 0);
  AddStream(plan, v1::Operation::LOCK, 400, "l", 10, kSecond);
  AddStream(plan, v1::Operation::TRY_LOCK, 100, "l", 10, kSecond);
  AddStream(plan, v1::Operation::EPHEMERAL, 100, "e", 10, kSecond);
  AddStream(plan, v1::Operation::REMOVE, 1, "f", 3, 0);
}

// Frequent changes of leader, one entry per message, delays near the election timeout, five replicas: for the commit rule, votes
// and logs that diverge (RC-01, lost votes).
void ShortReigns(Dice& dice, Settings& settings, v1::Plan& plan) {
  settings = Quiet(settings);
  plan.set_replicas(5);
  v1::Knobs& knobs = *plan.mutable_knobs();
  const Duration election = dice.LogIn(60 * kMillisecond, 150 * kMillisecond);
  knobs.set_election_min_ns(election);
  knobs.set_heartbeat_ns(election / 3);
  knobs.set_append_entries_max(1);
  knobs.set_append_inflight_max(static_cast<uint32_t>(dice.In(1, 2)));
  v1::Network& network = *plan.mutable_network();
  Lan(network);
  network.set_delay_max_ns(dice.LogIn(election / 10, election / 2));
  network.set_loss_ppm(static_cast<uint32_t>(dice.In(0, 50'000)));
  network.set_late_ppm(20'000);
  network.set_late_max_ns(2 * election);
  OrdinaryDisk(*plan.mutable_disk());
  settings.crash_process_every = dice.LogIn(kSecond, 4 * kSecond);
  settings.crash_machine_every = dice.LogIn(kSecond, 8 * kSecond);
  settings.cut_every = dice.LogIn(kSecond / 2, 4 * kSecond);
  settings.down = dice.Hit(500'000) ? Span{0, 20 * kMillisecond} : Span{20 * kMillisecond, 2 * kSecond};
  settings.cut = {election, 10 * election};
  settings.paused = {election / 2, 6 * election};
  settings.masters_struck = 100;
  settings.reign_max = 8 * election;
  settings.leaders_struck = 150;
  settings.rise_max = 4 * network.delay_max_ns();
  settings.triggered_crashes = 30;
  settings.operations = 800;
  settings.locks_ppm = static_cast<uint32_t>(dice.In(50'000, 400'000));
  settings.lock_delay_max = dice.LogIn(100 * kMillisecond, 5 * kSecond);
  settings.writes_ppm = 900'000;
}

// Power cuts of single machines, of several and of all, with slow syncs, so that much is unsynced when they come.
void Power(Dice& dice, Settings& settings, v1::Plan& plan) {
  settings = Quiet(settings);
  Lan(*plan.mutable_network());
  v1::Disk& disk = *plan.mutable_disk();
  OrdinaryDisk(disk);
  disk.set_sync_min_ns(dice.LogIn(kMillisecond, 5 * kMillisecond));
  disk.set_sync_max_ns(dice.LogIn(5 * kMillisecond, 40 * kMillisecond));
  disk.set_lost_ppm(static_cast<uint32_t>(dice.In(200'000, 900'000)));
  disk.set_torn_ppm(static_cast<uint32_t>(dice.In(0, 100'000)));
  settings.crash_process_every = dice.LogIn(2 * kSecond, 10 * kSecond);
  settings.crash_machine_every = dice.LogIn(kSecond, 5 * kSecond);
  settings.power_cut_every = dice.LogIn(2 * kSecond, 15 * kSecond);
  settings.sync_failure_every = dice.LogIn(5 * kSecond, 30 * kSecond);
  settings.cut_every = dice.LogIn(3 * kSecond, 15 * kSecond);
  settings.down = dice.Hit(500'000) ? Span{0, 20 * kMillisecond} : Span{10 * kMillisecond, 2 * kSecond};
  settings.masters_struck = 10;
  settings.triggered_crashes = 20;
  settings.operations = 800;
  settings.writes_ppm = 900'000;
}

// Long reigns that end with a master that does not know. Elections are as slow as leases allow and clocks good, so that a lease
// granted without authority outlives its session by more than the margins hide (SE-03).
void DeposedMasters(Settings& settings, v1::Plan& plan) {
  v1::Knobs& knobs = *plan.mutable_knobs();
  knobs.set_election_min_ns(knobs.lease_ns() / 8);
  knobs.set_heartbeat_ns(knobs.election_min_ns() / 3);
  knobs.set_rho_ppm(1'000);
  knobs.set_quorum_reads(false);
  knobs.clear_keepalive_spacing_ns();  // longer leases would outlast the silence
  settings.drift_ppm = 1'000;
  settings.masters_struck = 0;
  settings.pause_every = 0;
  settings.cut_every = 0;
  settings.slow_link_every = 0;
  settings.masters_deposed = 20;
}

// Clocks at the ends of the bound, short leases, late replies, clients cut off or paused, masters deposed unawares: for every
// lease computation.
void Lease(Dice& dice, Settings& settings, v1::Plan& plan) {
  settings = Quiet(settings);
  ShortLeases(dice, *plan.mutable_knobs());
  v1::Network& network = *plan.mutable_network();
  Lan(network);
  network.set_loss_ppm(static_cast<uint32_t>(dice.In(0, 30'000)));
  network.set_late_ppm(static_cast<uint32_t>(dice.LogIn(10'000, 200'000)));
  network.set_late_max_ns(dice.LogIn(100 * kMillisecond, 2 * kSecond));
  OrdinaryDisk(*plan.mutable_disk());
  plan.set_clients(std::max<uint32_t>(plan.clients(), 4));
  v1::Knobs& knobs = *plan.mutable_knobs();
  const bool wide = dice.Hit(500'000);
  if (wide) knobs.set_rho_ppm(dice.LogIn(10'000, 60'000));
  settings.drift_ppm = static_cast<uint32_t>(knobs.rho_ppm());
  settings.drift_extreme = true;
  settings.client_cut_every = dice.LogIn(kSecond / 2, 3 * kSecond);
  settings.client_pause_every = dice.LogIn(2 * kSecond, 8 * kSecond);
  settings.slow_link_every = dice.LogIn(2 * kSecond, 10 * kSecond);
  settings.cut_every = dice.LogIn(4 * kSecond, 20 * kSecond);
  settings.pause_every = dice.LogIn(4 * kSecond, 20 * kSecond);
  settings.masters_struck = 20;
  settings.locks_ppm = 700'000;
  settings.hold_max = 5 * kSecond;
  settings.paths = 2;
  if (!wide && dice.Hit(500'000)) DeposedMasters(settings, plan);
}

// Clocks at the ends of a wide bound, masters that are cut off or stall again and again, quick elections: for the authority of a
// master over reads, which outlasts its leadership if anybody forgets a margin (CK-03, RP-01).
void Authority(Dice& dice, Settings& settings, v1::Plan& plan) {
  settings = Quiet(settings);
  Lan(*plan.mutable_network());
  OrdinaryDisk(*plan.mutable_disk());
  v1::Knobs& knobs = *plan.mutable_knobs();
  knobs.set_election_min_ns(150 * kMillisecond);
  knobs.set_heartbeat_ns(30 * kMillisecond);
  knobs.set_lease_ns(12 * kSecond);
  knobs.set_keepalive_margin_ns(5 * kSecond);
  knobs.set_rho_ppm(dice.LogIn(50'000, 100'000));
  knobs.set_quorum_reads(false);
  settings.drift_ppm = static_cast<uint32_t>(knobs.rho_ppm());
  settings.drift_extreme = true;
  settings.crash_process_every = dice.LogIn(100 * kMillisecond, 2 * kSecond);
  settings.cut_every = dice.LogIn(200 * kMillisecond, 4 * kSecond);
  settings.masters_struck = 100;
  settings.reign_max = kSecond;
  settings.down = {kMillisecond, 50 * kMillisecond};
  settings.paused = {200 * kMillisecond, kSecond};
  settings.cut = {300 * kMillisecond, kSecond};
  settings.operations = 2'400;
  settings.locks_ppm = 50'000;
  settings.writes_ppm = 400'000;
}

// Replies that are lost together with the master: for exactly-once, session take-over and clients that look for the master.
void Failover(Dice& dice, Settings& settings, v1::Plan& plan) {
  settings = Quiet(settings);
  v1::Network& network = *plan.mutable_network();
  Lan(network);
  network.set_loss_ppm(static_cast<uint32_t>(dice.LogIn(20'000, 200'000)));
  network.set_duplicate_ppm(static_cast<uint32_t>(dice.In(0, 50'000)));
  network.set_break_ppm(static_cast<uint32_t>(dice.LogIn(100, 5'000)));
  OrdinaryDisk(*plan.mutable_disk());
  settings.crash_process_every = dice.LogIn(3 * kSecond, 15 * kSecond);
  settings.cut_every = dice.LogIn(5 * kSecond, 20 * kSecond);
  settings.client_cut_every = dice.LogIn(3 * kSecond, 15 * kSecond);
  settings.masters_struck = 40;
  settings.reign_max = 3 * kSecond;
  settings.operations = 800;
  settings.writes_ppm = 900'000;
  settings.names_ppm = 150'000;
}

// Stored bits flip on a minority of replicas, which then restart.
void BitRot(Dice& dice, Settings& settings, v1::Plan& plan) {
  settings = Quiet(settings);
  Lan(*plan.mutable_network());
  OrdinaryDisk(*plan.mutable_disk());
  plan.mutable_knobs()->set_segment_bytes(static_cast<uint64_t>(dice.LogIn(16 << 10, 64 << 10)));
  settings.rotten_replicas = 2;
  settings.crash_process_every = dice.LogIn(3 * kSecond, 15 * kSecond);
  settings.operations = 800;
  settings.writes_ppm = 900'000;
}

// Snapshots every few entries and replicas that lag behind them: for compaction, snapshot transfer and recovery from snapshots.
void Compact(Dice& dice, Settings& settings, v1::Plan& plan) {
  settings = Quiet(settings);
  v1::Knobs& knobs = *plan.mutable_knobs();
  knobs.set_snapshot_after_entries(static_cast<uint64_t>(dice.LogIn(3, 60)));
  knobs.set_snapshot_chunk_bytes(static_cast<uint32_t>(dice.LogIn(256, 8 << 10)));
  knobs.set_segment_bytes(static_cast<uint64_t>(dice.LogIn(16 << 10, 64 << 10)));
  v1::Network& network = *plan.mutable_network();
  Lan(network);
  network.set_loss_ppm(static_cast<uint32_t>(dice.In(0, 100'000)));
  network.set_duplicate_ppm(static_cast<uint32_t>(dice.In(0, 50'000)));
  OrdinaryDisk(*plan.mutable_disk());
  settings.crash_process_every = dice.LogIn(2 * kSecond, 10 * kSecond);
  settings.crash_machine_every = dice.LogIn(2 * kSecond, 10 * kSecond);
  settings.cut_every = dice.LogIn(2 * kSecond, 8 * kSecond);
  settings.cut = {kSecond, 10 * kSecond};
  settings.triggered_crashes = 15;
  settings.masters_struck = 5;
  settings.operations = 1'000;
  settings.writes_ppm = 900'000;
}

// Clients that read the same few files again and again, short leases, cut and paused clients, answers that come late, writers in
// between: for caches and whoever waits for them.
void CacheLoad(Dice& dice, Settings& settings, v1::Plan& plan) {
  settings = Quiet(settings);
  plan.set_clients(static_cast<uint32_t>(dice.In(3, 12)));
  v1::Knobs& knobs = *plan.mutable_knobs();
  ShortLeases(dice, knobs);
  knobs.set_client_cache(true);
  v1::Network& network = *plan.mutable_network();
  Lan(network);
  network.set_loss_ppm(static_cast<uint32_t>(dice.In(0, 50'000)));
  network.set_duplicate_ppm(static_cast<uint32_t>(dice.In(0, 50'000)));
  network.set_late_ppm(static_cast<uint32_t>(dice.LogIn(1'000, 200'000)));
  network.set_late_max_ns(dice.LogIn(kMillisecond, 2 * knobs.lease_ns()));
  OrdinaryDisk(*plan.mutable_disk());
  settings.client_cut_every = dice.LogIn(2 * kSecond, 10 * kSecond);
  settings.client_pause_every = dice.LogIn(2 * kSecond, 10 * kSecond);
  settings.client_crash_every = dice.LogIn(10 * kSecond, 60 * kSecond);
  settings.masters_struck = static_cast<uint32_t>(dice.In(0, 6));
  settings.reign_max = dice.LogIn(kSecond, 8 * kSecond);
  settings.drift_ppm = static_cast<uint32_t>(knobs.rho_ppm());
  settings.drift_extreme = dice.Hit(500'000);
  settings.operations = 2'000;
  settings.paths = static_cast<uint32_t>(dice.In(1, 4));
  settings.locks_ppm = 100'000;
  settings.writes_ppm = static_cast<uint32_t>(dice.LogIn(10'000, 300'000));
  settings.names_ppm = static_cast<uint32_t>(dice.In(0, 200'000));
  settings.hold_max = kSecond;
  settings.bytes = 32;
}

// Clocks that break their bound. What is replicated must hold all the same, and so must fencing.
void LyingClock(Dice& dice, Settings& settings, v1::Plan& plan) {
  settings = Quiet(settings);
  ShortLeases(dice, *plan.mutable_knobs());
  Lan(*plan.mutable_network());
  plan.mutable_network()->set_loss_ppm(static_cast<uint32_t>(dice.In(0, 30'000)));
  plan.mutable_network()->set_duplicate_ppm(static_cast<uint32_t>(dice.In(0, 30'000)));
  OrdinaryDisk(*plan.mutable_disk());
  plan.set_clients(std::max<uint32_t>(plan.clients(), 4));
  LetClocksLie(dice, settings, plan);
  settings.reign_max = 8 * kSecond;
  settings.crash_process_every = dice.LogIn(3 * kSecond, 30 * kSecond);
  settings.cut_every = dice.LogIn(3 * kSecond, 20 * kSecond);
  settings.client_cut_every = dice.LogIn(kSecond, 10 * kSecond);
  settings.client_pause_every = dice.LogIn(4 * kSecond, 20 * kSecond);
  settings.locks_ppm = 600'000;
  settings.hold_max = 4 * kSecond;
  settings.paths = 2;
}

// Clocks that are slewed by up to a quarter and watched, in a cell whose rho and election timeout are so wide that what a slew
// makes until it is noticed does no harm: everything must hold.
void Slew(Dice& dice, Settings& settings, v1::Plan& plan) {
  settings = Quiet(settings);
  plan.set_clock_watch(true);
  v1::Knobs& knobs = *plan.mutable_knobs();
  knobs.set_rho_ppm(50'000);
  knobs.set_election_min_ns(2 * kSecond);
  knobs.set_heartbeat_ns(400 * kMillisecond);
  knobs.set_lease_ns(dice.LogIn(2 * kSecond, 6 * kSecond));
  knobs.set_keepalive_margin_ns(knobs.lease_ns() / 3);
  knobs.set_grace_ns(dice.LogIn(2 * kSecond, 20 * kSecond));
  Lan(*plan.mutable_network());
  plan.mutable_network()->set_loss_ppm(static_cast<uint32_t>(dice.In(0, 20'000)));
  OrdinaryDisk(*plan.mutable_disk());
  plan.set_clients(std::max<uint32_t>(plan.clients(), 4));
  settings.drift_ppm = static_cast<uint32_t>(knobs.rho_ppm()) / 2;
  settings.slew_every = dice.LogIn(3 * kSecond, 20 * kSecond);
  settings.masters_slewed = 8;
  settings.reign_max = 8 * kSecond;
  settings.client_cut_every = dice.LogIn(2 * kSecond, 10 * kSecond);
  settings.cut_every = dice.LogIn(4 * kSecond, 20 * kSecond);
  settings.crash_process_every = dice.Hit(500'000) ? dice.LogIn(3 * kSecond, 20 * kSecond) : 0;
  settings.locks_ppm = 700'000;
  settings.hold_max = 4 * kSecond;
  settings.lock_delay_max = 0;
  settings.paths = 2;
}

// Crowds that come and go, so that leases grow and shrink again and again, and masters that are struck when they want another
// Lmax: for whoever grants longer leases than usual, takes over from such a master, or takes it back (C-63). Half of
// the crowds leak handles until they may open none.
void Overload(Dice& dice, Settings& settings, v1::Plan& plan) {
  settings = Quiet(settings);
  plan.set_clients(static_cast<uint32_t>(dice.In(8, 16)));
  v1::Knobs& knobs = *plan.mutable_knobs();
  ShortLeases(dice, knobs);
  const Duration longest = knobs.lease_ns() * dice.In(20, 50) / 10;
  knobs.set_keepalive_spacing_ns(longest / plan.clients());
  Lan(*plan.mutable_network());
  plan.mutable_network()->set_loss_ppm(static_cast<uint32_t>(dice.In(0, 20'000)));
  OrdinaryDisk(*plan.mutable_disk());
  settings.drift_ppm = static_cast<uint32_t>(knobs.rho_ppm());
  settings.drift_extreme = true;
  settings.crowd_leaves_every = 12 * knobs.lease_ns();
  settings.lease_changes_struck = 40;
  settings.lapses_struck = 10;
  settings.client_cut_every = dice.LogIn(4 * kSecond, 20 * kSecond);
  settings.down = {10 * kMillisecond, kSecond};
  settings.locks_ppm = 500'000;
  settings.hold_max = 5 * kSecond;
  settings.paths = 2;
  settings.locks_again = dice.Hit(500'000);
  const bool careless = dice.Hit(500'000);
  const int64_t handles = dice.In(6, 16);
  if (!careless) return;
  settings.leaks_ppm = 300'000;
  knobs.set_session_handles_max(static_cast<uint32_t>(handles));
}

constexpr Profile kProfiles[] = {
    {"", "the swarm: every family of faults on or off, all rates and knobs drawn from the seed", nullptr},
    {"bench", "the load of all speed figures: 5 replicas, 100 clients at 1 operation/s, all faults at moderate rates", Bench},
    {"short-reigns", "leaders change all the time, one entry per message, delays near the election timeout", ShortReigns},
    {"power", "power cuts of one, several and all machines, slow syncs", Power},
    {"lease", "clocks at the ends of their bound, short leases, late replies, silent clients, deposed masters", Lease},
    {"authority", "clocks at the ends of a wide bound, masters cut off and stalled again and again", Authority},
    {"failover", "lost replies and masters that die, many writes", Failover},
    {"bitrot", "stored bits flip on a minority of replicas", BitRot},
    {"cache", "many reads of few files, short leases, clients cut off and paused, answers that come late", CacheLoad},
    {"lying-clock", "clocks wrong by up to 5 %, standing still or jumping; what needs their bound is not checked", LyingClock},
    {"slew", "clocks that time daemons slew by up to a quarter, watched, so that everything holds all the same", Slew},
    {"overload", "crowds that come and go, leases that grow and shrink, masters struck when they change that, leaked handles",
     Overload},
    {"rounds", "quorum reads, slow rounds, masters that stall in the middle of one", Rounds},
    {"stalls", "masters that stall for longer than an election takes, clients that look elsewhere soon", Stalls},
    {"lapse", "long holds of locks that are removed, clients that lapse and come back, masters that die in between", Lapse},
    {"compact", "tiny snapshots and segments, replicas that lag", Compact},
};

}  // namespace

void LetClocksLie(Dice& dice, Settings& settings, v1::Plan& plan) {
  plan.set_clocks_lie(true);
  plan.mutable_knobs()->set_rho_ppm(1'000);
  settings.drift_ppm = static_cast<uint32_t>(dice.LogIn(2'000, 50'000));
  settings.drift_extreme = dice.Hit(500'000);
  // Nodes that know when their clocks are wrong: all of them always would be a cell without a master. Slews are for such only.
  plan.set_clock_watch(dice.Hit(500'000) || plan.clock_watch());
  if (plan.clock_watch()) settings.drift_ppm = 400;
  settings.freeze_every = dice.Hit(700'000) ? dice.LogIn(kSecond, 10 * kSecond) : 0;
  settings.masters_frozen = static_cast<uint32_t>(dice.In(0, 10));
}

absl::Span<const Profile> Profiles() { return kProfiles; }

}  // namespace bramah::sim

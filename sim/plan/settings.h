// Settings: how a plan is generated. The swarm draws them from the seed; a profile fixes some of them. Rates are mean distances
// between two faults of a family, 0 for none; a fault's own numbers are drawn when it is placed.
#ifndef BRAMAH_SIM_PLAN_SETTINGS_H_
#define BRAMAH_SIM_PLAN_SETTINGS_H_

#include <cstdint>
#include <string_view>

#include "absl/types/span.h"
#include "core/base/time.h"
#include "sim/plan/plan.pb.h"
#include "sim/plan/streams.h"

namespace bramah::sim {

struct Span {
  Duration min = 0;
  Duration max = 0;
};

struct Settings {
  // ---- processes
  Duration crash_process_every = 0;
  Duration crash_machine_every = 0;
  Duration power_cut_every = 0;    // all replicas at once
  Duration pause_every = 0;
  Span down{10 * kMillisecond, 3 * kSecond};
  Span paused{50 * kMillisecond, 2 * kSecond};
  uint32_t in_step_ppm = 300'000;  // share of crashes that fall between the effects of a step
  // ---- network
  Duration cut_every = 0;          // one replica, a side of the cell, or one direction of a link
  Duration slow_link_every = 0;
  Span cut{100 * kMillisecond, 5 * kSecond};
  // ---- disks
  Duration sync_failure_every = 0;
  Duration write_failure_every = 0;
  Duration no_space_every = 0;
  Duration slow_disk_every = 0;
  uint32_t rotten_replicas = 0;    // get bit flips and a restart; at most a minority
  // ---- clients
  Duration client_cut_every = 0;
  Duration client_pause_every = 0;
  Duration client_crash_every = 0;
  uint32_t clients_stopped = 0;
  Duration crowd_leaves_every = 0;  // most clients die at once and come back some leases later
  // ---- state-triggered
  uint32_t masters_struck = 0;     // so many masters in a row are struck some time into their reign
  Duration reign_max = 5 * kSecond;
  uint32_t leaders_struck = 0;     // so many leaders in a row are struck as they rise, in groups of three
  Duration rise_max = 100 * kMillisecond;  // within which the third of a group dies
  uint32_t masters_deposed = 0;    // so many masters in a row lose their peers, and then all clients every server
  uint32_t masters_stalled = 0;    // so many masters in a row stall, deaf to their peers, while clients still ask them
  uint32_t masters_outrun = 0;     // so many masters in a row stall in the middle of a round, and wake when another one serves
  uint32_t writes_stranded = 0;    // so many times those who keep a write waiting hear nothing of it, and then the master dies
  uint32_t lapses_struck = 0;      // so many times a master dies after sessions have lapsed
  uint32_t lease_changes_struck = 0;  // so many proposals in a row of another longest lease
  uint32_t triggered_crashes = 0;  // after votes, elections, appends, snapshots
  // ---- clocks
  uint32_t drift_ppm = 0;          // bound, at most rho unless clocks lie
  bool drift_extreme = false;      // every clock runs at one end of the bound or the other
  Duration freeze_every = 0;       // of a replica's clock, and of a client's; for plans whose clocks lie
  uint32_t masters_frozen = 0;     // so many masters in a row lose their time and their peers, but not their clients
  Duration slew_every = 0;         // of a replica's clock, and of a client's, who is often cut off meanwhile
  uint32_t masters_slewed = 0;     // so many masters in a row are slewed, and lose their peers, but not their clients
  uint32_t slew_ppm = 250'000;     // up to
  Span slewed{200 * kMillisecond, 8 * kSecond};
  Span frozen{100 * kMillisecond, 5 * kSecond};
  // ---- applications
  uint32_t operations = 400;       // about so many in all, written out; 0: the profile brought its own workloads
  uint32_t paths = 3;
  uint32_t locks_ppm = 300'000;    // share of operations that lock; the rest reads and writes
  uint32_t writes_ppm = 600'000;   // share of the rest that writes
  uint32_t names_ppm = 100'000;    // share that removes, lists, makes ephemerals, closes, ends sessions
  Duration hold_max = 1 * kSecond;
  Duration lock_delay_max = 2 * kSecond;
  Duration patience_max = 0;       // some who wait for a lock give up after this long at most
  uint32_t bytes = 32;
  uint32_t permits = 2;            // of locks with several
  uint32_t leaks_ppm = 0;          // so many operations more, of all, that open a handle and forget it
  bool locks_again = false;        // who holds a lock acquires it once more
};

struct Profile {
  std::string_view name;
  std::string_view description;
  // What the profile fixes, after the swarm's draws. Null for the swarm itself. Topology may still be overridden by the user.
  void (*apply)(Dice& dice, Settings& settings, v1::Plan& plan);
};

// The swarm first.
absl::Span<const Profile> Profiles();

// Rates wrong by up to five per cent, clocks that stand still and fall behind or jump ahead, masters that hold on to their
// authority beyond its end.
void LetClocksLie(Dice& dice, Settings& settings, v1::Plan& plan);

// Adds the timed and triggered faults that `settings` ask for.
void AddFaults(const Settings& settings, v1::Plan& plan);
// The part of them that outlasts leases and authorities: masters_stalled, masters_outrun, writes_stranded.
void AddLapses(const Settings& settings, v1::Plan& plan);

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_PLAN_SETTINGS_H_

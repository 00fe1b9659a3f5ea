// Profiles about leases and authorities that end while somebody goes on.
#include <algorithm>

#include "sim/plan/profile_parts.h"

namespace bramah::sim {

// Masters that prove themselves by rounds, which take long, and that stall in the middle of one while another is elected: for
// what is answered on the strength of a round.
void Rounds(Dice& dice, Settings& settings, v1::Plan& plan) {
  settings = Quiet(settings);
  plan.set_clients(static_cast<uint32_t>(dice.In(8, 16)));
  v1::Knobs& knobs = *plan.mutable_knobs();
  knobs.set_election_min_ns(dice.LogIn(60 * kMillisecond, 200 * kMillisecond));
  // A client that hears nothing for a fifth of it goes elsewhere.
  knobs.set_lease_ns(knobs.election_min_ns() * dice.In(16, 24));
  knobs.set_keepalive_margin_ns(knobs.lease_ns() / 2);
  knobs.set_grace_ns(dice.LogIn(knobs.lease_ns() / 2, 2 * knobs.lease_ns()));
  knobs.set_heartbeat_ns(knobs.election_min_ns() / 4);
  knobs.clear_keepalive_spacing_ns();  // longer leases would outlast the silence
  knobs.set_rho_ppm(1'000);
  knobs.set_quorum_reads(true);
  settings.drift_ppm = 1'000;
  settings.drift_extreme = true;
  Lan(*plan.mutable_network());
  OrdinaryDisk(*plan.mutable_disk());
  settings.masters_outrun = 20;
  settings.locks_ppm = 500'000;
  settings.paths = 2;
}

// Masters that stall for longer than an election takes and soon after find their queues full, clients that go elsewhere quickly
// and cache nothing: for whoever takes what is in a queue for younger or older than it is.
void Stalls(Dice& dice, Settings& settings, v1::Plan& plan) {
  settings = Quiet(settings);
  plan.set_clients(static_cast<uint32_t>(dice.In(8, 16)));
  Lan(*plan.mutable_network());
  OrdinaryDisk(*plan.mutable_disk());
  v1::Knobs& knobs = *plan.mutable_knobs();
  const Duration election = dice.LogIn(50 * kMillisecond, 120 * kMillisecond);
  knobs.set_election_min_ns(election);
  knobs.set_heartbeat_ns(election / 4);
  knobs.set_lease_ns(28 * election);
  knobs.set_keepalive_margin_ns(13 * election);  // so that who has just heard the master waits for it longer than others elect
  knobs.clear_keepalive_spacing_ns();
  knobs.set_quorum_reads(false);
  knobs.set_client_cache(false);
  settings.drift_ppm = static_cast<uint32_t>(knobs.rho_ppm());
  settings.masters_stalled = 100;
  settings.reign_max = kSecond;
  settings.paused = {3 * election, 6 * election};
  settings.operations = 3'000;
  settings.paths = 6;
  settings.locks_ppm = 50'000;
  settings.names_ppm = 20'000;
  settings.writes_ppm = 300'000;
}

// Locks that are held for longer than a lease and whose nodes are removed under their holders, and writes whose cachers lapse one
// after the other while the master dies in between: for what clients believe that come back, and for the barrier of a new master
//
void Lapse(Dice& dice, Settings& settings, v1::Plan& plan) {
  settings = Quiet(settings);
  plan.set_clients(static_cast<uint32_t>(dice.In(4, 8)));
  v1::Knobs& knobs = *plan.mutable_knobs();
  ShortLeases(dice, knobs);
  const Duration lease = knobs.lease_ns();
  knobs.clear_keepalive_spacing_ns();
  knobs.set_grace_ns(dice.LogIn(2 * lease, 6 * lease));
  knobs.set_client_cache(true);
  knobs.clear_session_cache_max();
  Lan(*plan.mutable_network());
  plan.mutable_network()->set_loss_ppm(static_cast<uint32_t>(dice.In(0, 20'000)));
  OrdinaryDisk(*plan.mutable_disk());
  settings.writes_stranded = 60;
  settings.down = {10 * kMillisecond, kSecond};
  settings.paths = static_cast<uint32_t>(dice.In(2, 4));
  settings.operations = 500;
  settings.locks_ppm = 600'000;
  settings.names_ppm = 100'000;
  settings.hold_max = 4 * lease;
  settings.lock_delay_max = 2 * lease;
  // The locks that are removed are others than those whose state is cached: so the end of a session that holds both has to wait
  // when the removal has not.
  AddStream(plan, v1::Operation::LOCK, 200, "k", 3, settings.hold_max);
  AddStream(plan, v1::Operation::REMOVE, 80, "k", 3, 0);
  AddStream(plan, v1::Operation::STAT, 300, "l", settings.paths, 0);
}

}  // namespace bramah::sim

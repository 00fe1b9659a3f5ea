#include "sim/plan/profile_parts.h"

#include <algorithm>

namespace bramah::sim {

Settings Quiet(const Settings& drawn) {
  Settings settings;
  settings.operations = std::max<uint32_t>(drawn.operations, 300);
  settings.paths = drawn.paths;
  return settings;
}

void Lan(v1::Network& network) {
  network.Clear();
  network.set_delay_min_ns(100 * kMicrosecond);
  network.set_delay_max_ns(1 * kMillisecond);
}

void OrdinaryDisk(v1::Disk& disk) {
  disk.set_write_min_ns(5 * kMicrosecond);
  disk.set_write_max_ns(50 * kMicrosecond);
  disk.set_sync_min_ns(100 * kMicrosecond);
  disk.set_sync_max_ns(1 * kMillisecond);
  disk.set_lost_ppm(400'000);
  disk.set_torn_ppm(100'000);
}

void ShortLeases(Dice& dice, v1::Knobs& knobs) {
  const Duration lease = std::max(dice.LogIn(1 * kSecond, 4 * kSecond), 8 * knobs.election_min_ns());
  knobs.set_keepalive_spacing_ns(std::min<Duration>(knobs.keepalive_spacing_ns(), lease / 3));
  knobs.set_lease_ns(lease);
  knobs.set_keepalive_margin_ns(lease * 2 / 5);
  knobs.set_grace_ns(dice.LogIn(lease / 2, 2 * lease));
}

void AddStream(v1::Plan& plan, v1::Operation::Kind kind, int64_t per_hundred_seconds, const char* prefix, uint32_t paths,
               Duration hold) {
  v1::Workload& workload = *plan.add_workload();
  workload.set_kind(kind);
  workload.set_clients(plan.clients());
  workload.set_every_ns(100 * kSecond * std::max<int64_t>(1, plan.clients()) / per_hundred_seconds);
  workload.set_paths(paths);
  workload.set_prefix(prefix);
  workload.set_hold_ns(hold);
  const bool writes = kind == v1::Operation::SET || kind == v1::Operation::COMPARE_AND_SET;
  if (writes) workload.set_bytes(64);
}

}  // namespace bramah::sim

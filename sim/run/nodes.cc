#include "sim/run/nodes.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/api/path.h"
#include "sim/plan/plan.h"

namespace bramah::sim {
namespace {

template <class T, class V>
void SetIf(T& setting, V knob) {
  if (knob != 0) setting = static_cast<T>(knob);
}

}  // namespace

Timing TimingOf(const v1::Plan& plan) {
  const v1::Knobs& knobs = plan.knobs();
  Timing timing{};
  timing.election_min = ElectionMinOf(plan);
  timing.heartbeat = timing.election_min / 3;
  SetIf(timing.heartbeat, knobs.heartbeat_ns());
  timing.lease = 12 * kSecond;
  SetIf(timing.lease, knobs.lease_ns());
  timing.margin = timing.lease * 5 / 12;
  SetIf(timing.margin, knobs.keepalive_margin_ns());
  timing.lease_max = knobs.keepalive_spacing_ns() > 0 ? std::max(timing.lease, kLeaseLongest) : timing.lease;
  timing.grace = 45 * kSecond;
  SetIf(timing.grace, knobs.grace_ns());
  timing.rho_ppm = RhoOf(plan);
  return timing;
}

replica::ServerConfig MakeServerConfig(const v1::Plan& plan, ReplicaId self) {
  const v1::Knobs& knobs = plan.knobs();
  const Timing timing = TimingOf(plan);
  replica::ServerConfig config;
  config.self = self;
  for (uint32_t id = 1; id <= plan.replicas(); ++id) {
    v1::Member& member = *config.bootstrap.add_members();
    member.set_id(id);
    member.set_endpoint(absl::StrCat("r", id));
  }
  config.bootstrap.set_election_min_ns(timing.election_min);
  config.bootstrap.set_rho_ppm(timing.rho_ppm);
  config.bootstrap.set_lease_ns(timing.lease);
  config.bootstrap.set_incarnation(1);
  config.heartbeat = timing.heartbeat;
  config.keepalive_margin = timing.margin;
  config.read_mode = knobs.quorum_reads() ? replica::ReadMode::kQuorum : replica::ReadMode::kLease;
  SetIf(config.append_entries_max, knobs.append_entries_max());
  SetIf(config.append_bytes_max, knobs.append_bytes_max());
  SetIf(config.append_inflight_max, knobs.append_inflight_max());
  SetIf(config.snapshot_after_entries, knobs.snapshot_after_entries());
  SetIf(config.snapshot_after_bytes, knobs.snapshot_after_bytes());
  SetIf(config.snapshot_chunk_bytes, knobs.snapshot_chunk_bytes());
  SetIf(config.step_work_max, knobs.step_work_max());
  SetIf(config.session_items_max, knobs.session_items_max());
  SetIf(config.session_cache_max, knobs.session_cache_max());
  SetIf(config.limits.handles_per_session_max, knobs.session_handles_max());
  SetIf(config.keepalive_spacing, knobs.keepalive_spacing_ns());
  config.storage.segment_bytes = 1 << 20;
  SetIf(config.storage.segment_bytes, knobs.segment_bytes());
  return config;
}

client::ClientConfig MakeClientConfig(const v1::Plan& plan, uint32_t number) {
  const Timing timing = TimingOf(plan);
  client::ClientConfig config;
  config.principal = absl::StrCat("c", number);
  for (uint32_t id = 1; id <= plan.replicas(); ++id) config.endpoints.push_back(absl::StrCat("r", id));
  config.grace = timing.grace;
  config.cache = plan.knobs().client_cache();
  config.cache_locks = plan.knobs().cache_locks();
  config.cache_handles = plan.knobs().cache_handles();
  config.keepalive_retry = std::min<Duration>(kSecond, std::max(timing.margin / 5, kMillisecond));
  config.stall = std::min<Duration>(2 * kSecond, std::max(timing.margin * 2 / 5, 2 * kMillisecond));
  config.retry_max = std::min<Duration>(kSecond, std::max(timing.lease / 8, config.retry_min));
  return config;
}

Nodes::Nodes(const v1::Plan& plan) {
  for (uint32_t number = 1; number <= plan.clients(); ++number) clients_.push_back(MakeClientConfig(plan, number));
  for (uint32_t id = 1; id <= plan.replicas(); ++id) servers_.push_back(MakeServerConfig(plan, ReplicaId(id)));
}

std::unique_ptr<Node> Nodes::Make(ProcessId process) const {
  if (process < servers_.size()) return std::make_unique<ServerNode>(&servers_[process]);
  return std::make_unique<ClientNode>(&clients_[process - servers_.size()]);
}

}  // namespace bramah::sim

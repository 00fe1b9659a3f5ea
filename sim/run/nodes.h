// The nodes under test: servers and clients of the core, with the settings that a plan gives them.
#ifndef BRAMAH_SIM_RUN_NODES_H_
#define BRAMAH_SIM_RUN_NODES_H_

#include <memory>
#include <vector>

#include "core/client/client.h"
#include "core/replica/config.h"
#include "core/replica/server.h"
#include "sim/plan/plan.pb.h"
#include "sim/world/world.h"

namespace bramah::sim {

class ServerNode : public Node {
 public:
  explicit ServerNode(const replica::ServerConfig* config) : server_(config) {}
  void Step(Time now, const Input& input, Effects& out) override { server_.Step(now, input, out); }
  const replica::ServerView& view() const { return server_.view(); }

 private:
  replica::Server server_;
};

class ClientNode : public Node {
 public:
  explicit ClientNode(const client::ClientConfig* config) : client_(config) {}
  void Step(Time now, const Input& input, Effects& out) override { client_.Step(now, input, out); }
  const client::ClientView& view() const { return client_.view(); }

 private:
  client::Client client_;
};

// Times that follow from a plan's knobs, with the simulator's defaults where a knob is 0: election time-outs of a LAN, everything
// else as in the core's configuration. Client times scale with the keep-alive margin, so that short leases can be kept up.
struct Timing {
  Duration election_min;
  Duration heartbeat;
  Duration lease;
  Duration lease_max;  // no load makes leases longer
  Duration margin;
  Duration grace;
  int64_t rho_ppm;
};
Timing TimingOf(const v1::Plan& plan);

replica::ServerConfig MakeServerConfig(const v1::Plan& plan, ReplicaId self);
// `number` is M of "cM", which is also its principal.
client::ClientConfig MakeClientConfig(const v1::Plan& plan, uint32_t number);

// Owns the configurations, which nodes refer to, and makes the nodes.
class Nodes {
 public:
  explicit Nodes(const v1::Plan& plan);
  std::unique_ptr<Node> Make(ProcessId process) const;

 private:
  std::vector<replica::ServerConfig> servers_;
  std::vector<client::ClientConfig> clients_;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_RUN_NODES_H_

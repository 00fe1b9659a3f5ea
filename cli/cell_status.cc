#include "cli/cell_status.h"

#include <utility>

namespace bramah::cli {
namespace {

int Rank(const std::string& phase) { return phase == "serving" ? 2 : phase == "recovering" ? 1 : 0; }

}  // namespace

CellStatus Summarize(std::vector<net_real::ReplicaStatus> replicas) {
  CellStatus status;
  for (const net_real::ReplicaStatus& replica : replicas) {
    if (!replica.reachable) continue;
    if (status.cell.empty()) status.cell = replica.cell;
    const int rank = Rank(replica.reply.phase());
    const int best = Rank(status.phase);
    if (rank == 0 || rank < best || (rank == best && replica.reply.epoch() <= status.epoch)) continue;
    status.phase = replica.reply.phase();
    status.epoch = replica.reply.epoch();
    status.master = replica.reply.member();
    status.lease_max = replica.reply.lease_max_ns();
  }
  status.replicas = std::move(replicas);
  return status;
}

CellStatus AskCell(const std::vector<std::string>& endpoints, Duration timeout) {
  return Summarize(net_real::AskStatus(endpoints, timeout));
}

}  // namespace bramah::cli

// bramah status: every replica's own view, and what follows from it.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "cli/cell_status.h"
#include "cli/context.h"
#include "nlohmann/json.hpp"

namespace bramah::cli {
namespace {

using nlohmann::ordered_json;

ordered_json JsonOf(const CellStatus& status) {
  ordered_json replicas = ordered_json::array();
  for (const net_real::ReplicaStatus& replica : status.replicas) {
    replicas.push_back({{"id", replica.reply.member()},
                        {"endpoint", replica.endpoint},
                        {"pid", replica.process_id},
                        {"role", replica.reachable ? replica.reply.role() : "unknown"},
                        {"term", replica.reply.term()},
                        {"commit_index", replica.reply.commit_index()},
                        {"applied_index", replica.reply.applied_index()},
                        {"reachable", replica.reachable}});
  }
  return {{"cell", status.cell},
          {"master", status.master},
          {"phase", status.phase},
          {"epoch", status.epoch},
          {"lease_max_ns", status.lease_max},
          {"replicas", replicas}};
}

void PrintText(const CellStatus& status) {
  const std::string master = status.master == 0 ? "none" : std::to_string(status.master);
  std::printf("cell %s: master %s, phase %s, epoch %llu, leases up to %lld ms\n", status.cell.empty() ? "?" : status.cell.c_str(),
              master.c_str(), status.phase.c_str(), static_cast<unsigned long long>(status.epoch),
              static_cast<long long>(status.lease_max / kMillisecond));
  std::printf("%-4s %-22s %-8s %-10s %-6s %-8s %s\n", "ID", "ENDPOINT", "PID", "ROLE", "TERM", "COMMIT", "APPLIED");
  for (const net_real::ReplicaStatus& replica : status.replicas) {
    if (!replica.reachable) {
      std::printf("%-4s %-22s unreachable\n", "?", replica.endpoint.c_str());
      continue;
    }
    std::printf("%-4u %-22s %-8llu %-10s %-6llu %-8llu %llu\n", replica.reply.member(), replica.endpoint.c_str(),
                static_cast<unsigned long long>(replica.process_id), replica.reply.role().c_str(),
                static_cast<unsigned long long>(replica.reply.term()),
                static_cast<unsigned long long>(replica.reply.commit_index()),
                static_cast<unsigned long long>(replica.reply.applied_index()));
  }
}

int RunStatus(const Context& context) {
  if (context.endpoints.empty()) {
    return Report(context, {net_real::kExitConfig, "no_endpoints", "no endpoints of a cell are known",
                            "pass --endpoints host:port,... or set BRAMAH_ENDPOINTS as 'bramah cell up' prints it"});
  }
  const CellStatus status = AskCell(context.endpoints, std::min(context.timeout, kStatusPatience));
  if (context.json) {
    std::printf("%s\n", JsonOf(status).dump(2).c_str());
  } else {
    PrintText(status);
  }
  const bool any =
      std::any_of(status.replicas.begin(), status.replicas.end(), [](const auto& replica) { return replica.reachable; });
  if (status.phase == "serving") return net_real::kExitOk;
  return Report(
      context,
      {net_real::kExitUnavailable, any ? "no_master" : "unavailable", any ? "no replica serves as master" : "no replica answered",
       any ? "wait for an election, or start replicas until a majority runs" : "check --endpoints and that the replicas run"});
}

}  // namespace

void AddStatusVerb(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand("status", "Show every replica's view of itself; exit 69 if no master serves");
  verb->callback([&context] { context.run = [&context] { return RunStatus(context); }; });
}

}  // namespace bramah::cli

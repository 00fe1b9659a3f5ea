// bramah server: one replica in the foreground.
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>

#include "cli/context.h"
#include "cli/loop.h"
#include "cli/text.h"
#include "net_real/server.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

namespace bramah::cli {
namespace {

// Sparse: what an operator wants to have seen after an incident.
void LogEvent(const CoreEvent& event) {
  switch (event.kind) {
    case CoreEvent::kRecovered: return spdlog::info("recovered: term {}, log up to {}", event.term.value(), event.index.value());
    case CoreEvent::kBecameLeader: return spdlog::info("leader of term {}", event.term.value());
    case CoreEvent::kSteppedDown: return spdlog::info("stepped down in term {}", event.term.value());
    case CoreEvent::kMasterServing: return spdlog::info("master: serving, epoch {}", event.epoch.value());
    case CoreEvent::kSnapshotTaken: return spdlog::info("snapshot at {}", event.index.value());
    case CoreEvent::kSnapshotInstalled: return spdlog::info("installed a snapshot at {}", event.index.value());
    case CoreEvent::kSessionClosing:
      return spdlog::info("session {} is closing: its lease ran out", Hex16(event.session.value()));
    case CoreEvent::kClockDoubted:
      return spdlog::warn("the clock cannot be relied on: it runs at another rate than the raw one by more than half of rho (see "
                          "what the time daemon does), or the machine slept; no votes and no leading until it can");
    case CoreEvent::kClockTrusted: return spdlog::info("the clock can be relied on again");
    case CoreEvent::kLeaseMaxProposed: return spdlog::info("leases: up to {} ms", event.time / kMillisecond);
    default: return;
  }
}

void StartLog(const net_real::ServerOptions& options) {
  auto logger = std::make_shared<spdlog::logger>("bramah", std::make_shared<spdlog::sinks::stderr_sink_st>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e " + options.cell + "/" + std::to_string(options.id) + " %v");
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(logger);
}

void SetMembers(net_real::ServerOptions& options, const std::string& text) {
  options.members.clear();
  for (const std::string& member : SplitList(text, ',')) {
    const size_t equals = member.find('=');
    const std::optional<uint64_t> id = ParseNumber(std::string_view(member).substr(0, equals));
    const bool good = equals != std::string::npos && id.has_value() && *id > 0 && *id <= UINT32_MAX;
    if (!good || !options.members.emplace(static_cast<uint32_t>(*id), member.substr(equals + 1)).second) {
      throw CLI::ValidationError("--members", "'" + member + "' is not ID=host:port with a new ID");
    }
  }
}

int RunServer(const Context& context, net_real::ServerOptions options) {
  if (const auto failure = net_real::Validate(options)) return Report(context, *failure);
  std::signal(SIGPIPE, SIG_IGN);  // nobody reading the log is no reason to stop
  StartLog(options);
  options.on_event = LogEvent;
  net_real::RealServer server(options);
  if (const auto failure = server.Prepare()) return Report(context, *failure);
  const Signals signals(server.io(), {SIGTERM, SIGINT}, [&server](int) { server.RequestStop(); });
  spdlog::info("replica {} of cell {} on port {}, process {}", options.id, options.cell, server.port(), getpid());
  if (const auto failure = server.Run()) return Report(context, *failure);
  spdlog::info("stopped");
  return net_real::kExitOk;
}

}  // namespace

void AddServerVerb(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand("server", "Run one replica in the foreground until SIGTERM or SIGINT");
  auto options = std::make_shared<net_real::ServerOptions>();
  verb->add_option("--cell", options->cell, "Name of the cell")->required()->type_name("NAME");
  verb->add_option("--id", options->id, "This replica's number among the members")->required()->type_name("N");
  verb->add_option("--dir", options->directory, "Data directory; created if missing")->required()->type_name("DIR");
  verb->add_option_function<std::string>(
          "--members", [options](const std::string& text) { SetMembers(*options, text); },
          "All replicas, ID=host:port,...; the same everywhere; counts only when the cell is new")
      ->required()
      ->type_name("LIST");
  verb->add_option("--listen", options->listen, "Where to listen, if not at this member's endpoint")->type_name("HOST:PORT");
  verb->add_flag("--plaintext", options->plaintext, "Allow endpoints that other machines can reach, without encryption");
  AddDuration(*verb, "--heartbeat", &options->heartbeat, "Between two rounds of a leader");
  AddDuration(*verb, "--election-min", &options->election_min, "Elections start after one to two of these without a leader");
  AddDuration(*verb, "--lease", &options->lease, "Session lease");
  AddDuration(*verb, "--keepalive-margin", &options->keepalive_margin,
              "A KeepAlive is answered when so much of the lease is left");
  verb->add_option("--keepalive-rate", options->keepalive_rate,
                   "KeepAlives a second of all sessions beyond which leases grow, up to a minute; 0: they never do")
      ->capture_default_str()
      ->type_name("N");
  verb->add_option("--rho-ppm", options->rho_ppm,
                   "Bound on the rate error of every clock, parts per million; 0: clocks are perfect, and not watched")
      ->capture_default_str()
      ->type_name("PPM");
  verb->add_flag("--quorum-reads", options->quorum_reads, "Confirm every read by a majority instead of by clocks");
  verb->callback([options, &context] { context.run = [options, &context] { return RunServer(context, *options); }; });
}

}  // namespace bramah::cli

// bramah cell up: a whole cell of real processes on this machine, in the foreground.
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "asio/io_context.hpp"
#include "cli/cell_directory.h"
#include "cli/cell_status.h"
#include "cli/context.h"
#include "cli/loop.h"
#include "cli/process.h"
#include "core/api/path.h"
#include "net_real/clock.h"
#include "nlohmann/json.hpp"

namespace bramah::cli {
namespace {

using nlohmann::ordered_json;

constexpr Duration kPollMaster = 100 * kMillisecond;
constexpr Duration kPollPatience = 300 * kMillisecond;
constexpr Duration kStopPatience = 5 * kSecond;
constexpr Duration kRestartAfter = 500 * kMillisecond;

struct UpArgs {
  uint32_t replicas = 0;
  std::string directory;
  std::string name;
  bool restart = false;
};

std::string OwnProgram() {
  char path[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof(path));
  return size <= 0 ? "bramah" : std::string(path, static_cast<size_t>(size));
}

class CellUp {
 public:
  CellUp(const Context& context, const UpArgs& args) : context_(context), args_(args), program_(OwnProgram()) {}

  int Run() {
    if (auto failure = directory_.Open(args_.directory, args_.name, args_.replicas)) return Report(context_, *failure);
    const std::vector<std::string>& endpoints = directory_.plan().endpoints;
    replicas_.resize(endpoints.size());
    for (size_t i = 0; i < replicas_.size(); ++i) StartReplica(i);
    Announce();
    const Signals stop(io_, {SIGINT, SIGTERM, SIGHUP}, [this](int) { Stop(); });
    const Signals ended(io_, {SIGCHLD}, [this](int) { Reap(); });
    const Ticker ticker(io_, kPollMaster, [this] { Tick(); });
    while (!stopping_ || Running() > 0) io_.run_one();
    std::clearerr(stdout);  // nobody needs to read it
    return exit_code_;
  }

 private:
  struct Replica {
    std::unique_ptr<Process> process;
    Time restart_at = kNever;
  };

  std::string Join() const {
    std::string list;
    for (const std::string& endpoint : directory_.plan().endpoints) list += (list.empty() ? "" : ",") + endpoint;
    return list;
  }

  void StartReplica(size_t index) {
    replicas_[index] = {};
    if (const auto lost = directory_.FindLost(index + 1)) {
      Report(context_, *lost);
      return;
    }
    std::string members;
    const std::vector<std::string>& endpoints = directory_.plan().endpoints;
    for (size_t i = 0; i < endpoints.size(); ++i) members += (i == 0 ? "" : ",") + std::to_string(i + 1) + "=" + endpoints[i];
    SpawnOptions spawn;
    spawn.argv = {program_,    "server",
                  "--cell",    directory_.plan().name,
                  "--id",      std::to_string(index + 1),
                  "--dir",     directory_.ReplicaPath(index + 1),
                  "--members", members};
    spawn.own_group = true;  // a Ctrl-C reaches this process, which stops them in order
    replicas_[index].process = std::make_unique<Process>();
    const int error = replicas_[index].process->Start(spawn);
    if (error == 0) return;
    exit_code_ = Report(context_, {net_real::kExitInternal, "cannot_run",
                                   "cannot start " + program_ + ": error " + std::to_string(error), "report it"});
    Stop();
  }

  void Announce() {
    if (context_.json) return;
    std::printf("cell %s: %zu replicas in %s\n", directory_.plan().name.c_str(), replicas_.size(), directory_.path().c_str());
    std::printf("export BRAMAH_ENDPOINTS=%s\n", Join().c_str());
    std::fflush(stdout);
  }

  void AnnounceMaster(const CellStatus& status) {
    const std::string& endpoint = directory_.plan().endpoints[status.master - 1];
    if (context_.json) {
      const ordered_json line = {{"cell", directory_.plan().name},
                                 {"directory", directory_.path()},
                                 {"endpoints", directory_.plan().endpoints},
                                 {"master", status.master},
                                 {"epoch", status.epoch}};
      std::printf("%s\n", line.dump().c_str());
    } else {
      std::printf("master: replica %u at %s serves\n", status.master, endpoint.c_str());
    }
    std::fflush(stdout);
  }

  void Tick() {
    Reap();  // a replica may have ended before anybody listened
    if (stopping_) {
      if (net_real::Now() >= kill_at_) SignalAll(SIGKILL);
      return;
    }
    for (size_t i = 0; i < replicas_.size(); ++i) {
      if (net_real::Now() >= replicas_[i].restart_at) StartReplica(i);
    }
    if (serving_) return;
    const CellStatus status = AskCell(directory_.plan().endpoints, kPollPatience);
    if (status.phase != "serving" || status.master == 0 || status.master > replicas_.size()) return;
    serving_ = true;
    if (auto failure = directory_.NoteServed()) {
      exit_code_ = Report(context_, *failure);
      return Stop();
    }
    AnnounceMaster(status);
  }

  void Reap() {
    for (size_t i = 0; i < replicas_.size(); ++i) {
      Process* process = replicas_[i].process.get();
      if (process == nullptr || !process->running() || !process->Poll() || stopping_) continue;
      Ended(i, *process);
    }
    if (!stopping_ && Running() == 0 && !Awaited()) {
      exit_code_ = Report(context_, {net_real::kExitUnavailable, "cell_ended", "all replicas have ended",
                                     "see their messages above, then start the cell again"});
      Stop();
    }
  }

  void Ended(size_t index, const Process& process) {
    const int code = process.exit_code();
    // A replica that refuses to start has said why. A new cell that begins with fewer than it was asked for would hide it; one
    // that has served goes on if it can.
    const bool enough = directory_.plan().served && Running() > replicas_.size() / 2;
    if (!serving_ && !enough && code >= net_real::kExitUsage && code <= net_real::kExitConfig) {
      exit_code_ = code;
      return Stop();
    }
    const bool again = args_.restart && !directory_.FindLost(index + 1).has_value();
    std::fprintf(stderr, "replica %zu (process %d) ended: %s; %zu of %zu run%s\n", index + 1, static_cast<int>(process.pid()),
                 process.DescribeEnd().c_str(), Running(), replicas_.size(), again ? "; it is started again" : "");
    if (args_.restart) replicas_[index].restart_at = net_real::Now() + kRestartAfter;
  }

  // Whether one that does not run is to be started.
  bool Awaited() const {
    return std::any_of(replicas_.begin(), replicas_.end(), [](const Replica& replica) { return replica.restart_at != kNever; });
  }

  size_t Running() const {
    size_t count = 0;
    for (const Replica& replica : replicas_) count += replica.process != nullptr && replica.process->running() ? 1 : 0;
    return count;
  }

  void SignalAll(int number) {
    for (Replica& replica : replicas_) {
      if (replica.process != nullptr) replica.process->Signal(number);
    }
  }

  void Stop() {
    if (std::exchange(stopping_, true)) return;
    kill_at_ = net_real::Now() + kStopPatience;
    SignalAll(SIGTERM);
  }

  const Context& context_;
  const UpArgs args_;
  const std::string program_;
  CellDirectory directory_;
  asio::io_context io_{1};
  std::vector<Replica> replicas_;
  bool serving_ = false;
  bool stopping_ = false;
  Time kill_at_ = kNever;
  int exit_code_ = net_real::kExitOk;
};

int RunUp(const Context& context, const UpArgs& args) {
  if (!args.name.empty() && (!IsCellName(args.name) || args.name == "local")) {
    return Report(context,
                  UsageFailure("'" + args.name + "' is no name for a cell", "pass a --name without '/', other than local"));
  }
  std::signal(SIGPIPE, SIG_IGN);  // nobody reading the output is no reason to stop
  return CellUp(context, args).Run();
}

}  // namespace

void AddCellVerbs(CLI::App& app, Context& context) {
  CLI::App* cell = app.add_subcommand("cell", "A whole cell on this machine");
  cell->require_subcommand(1);
  CLI::App* up = cell->add_subcommand("up", "Start the replicas as processes and stay in the foreground until SIGINT or SIGTERM");
  auto args = std::make_shared<UpArgs>();
  up->add_option("-n,--replicas", args->replicas, "Number of replicas, 5 unless the directory remembers another")
      ->check(CLI::Range(1, 15))
      ->type_name("N");
  up->add_option("--dir", args->directory,
                 "Data and ports; used again by a restart. Without it a temporary one, removed at the end")
      ->type_name("DIR");
  up->add_option("--name", args->name, "Name of the cell, demo unless the directory remembers another")->type_name("NAME");
  up->add_flag("--restart", args->restart, "Start a replica again if it ends, unless its directory is gone");
  up->callback([args, &context] { context.run = [args, &context] { return RunUp(context, *args); }; });
}

}  // namespace bramah::cli

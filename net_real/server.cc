#include "net_real/server.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <set>
#include <utility>
#include <vector>

#include "asio/executor_work_guard.hpp"
#include "asio/ip/tcp.hpp"
#include "asio/post.hpp"
#include "core/api/path.h"
#include "core/replica/config.h"
#include "core/replica/server.h"
#include "net_real/directory.h"
#include "net_real/endpoint.h"
#include "net_real/lane.h"
#include "net_real/node.h"

namespace bramah::net_real {
namespace {

using asio::ip::tcp;

constexpr Duration kAcceptRetry = 100 * kMillisecond;

Failure BadFlag(std::string cause, std::string remedy) {
  return {kExitConfig, "bad_configuration", std::move(cause), std::move(remedy)};
}

replica::ServerConfig ConfigOf(const ServerOptions& options) {
  replica::ServerConfig config;
  config.cell = options.cell;
  config.self = ReplicaId(options.id);
  for (const auto& [id, endpoint] : options.members) {
    v1::Member* member = config.bootstrap.add_members();
    member->set_id(id);
    member->set_endpoint(endpoint);
  }
  config.bootstrap.set_election_min_ns(options.election_min);
  config.bootstrap.set_rho_ppm(options.rho_ppm);
  config.bootstrap.set_lease_ns(options.lease);
  config.bootstrap.set_incarnation(1);
  config.heartbeat = options.heartbeat;
  config.keepalive_margin = options.keepalive_margin;
  config.keepalive_spacing = options.keepalive_rate == 0 ? 0 : kSecond / options.keepalive_rate;
  config.read_mode = options.quorum_reads ? replica::ReadMode::kQuorum : replica::ReadMode::kLease;
  return config;
}

std::string ListenEndpoint(const ServerOptions& options) {
  return options.listen.empty() ? options.members.at(options.id) : options.listen;
}

Failure CannotListen(const std::string& endpoint, const std::error_code& error) {
  const bool taken = error.value() == EADDRINUSE;
  return {kExitConfig, taken ? "port_in_use" : "cannot_listen", "cannot listen on " + endpoint + ": " + error.message(),
          taken ? "stop the process that uses the port, or pass another --listen" : "pass a --listen that this machine owns"};
}

std::optional<Failure> ValidateMembers(const ServerOptions& options) {
  if (!options.members.contains(options.id) || options.id == 0) {
    return BadFlag("replica " + std::to_string(options.id) + " is not among the members", "pass --id and --members that agree");
  }
  std::set<std::string> endpoints;
  for (const auto& [id, text] : options.members) {
    const std::optional<HostPort> endpoint = ParseEndpoint(text);
    if (!endpoint.has_value()) {
      return BadFlag("'" + text + "' is no endpoint", "write members as --members 1=host:port,2=host:port");
    }
    if (!endpoints.insert(text).second) return BadFlag("two members share " + text, "give each member its own endpoint");
    if (!options.plaintext && !IsLoopback(*endpoint)) {
      return BadFlag(text + " can be reached by other machines and connections are not encrypted",
                     "use loopback endpoints, or accept the risk with --plaintext");
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Failure> Validate(const ServerOptions& options) {
  if (!IsCellName(options.cell)) return BadFlag("'" + options.cell + "' is no cell name", "pass a --cell without '/'");
  if (options.directory.empty()) return BadFlag("no data directory", "pass --dir");
  if (std::optional<Failure> failure = ValidateMembers(options)) return failure;
  const std::optional<HostPort> listen = ParseEndpoint(ListenEndpoint(options));
  if (!listen.has_value()) return BadFlag("'" + options.listen + "' is no endpoint", "write --listen host:port");
  if (!options.plaintext && !IsLoopback(*listen)) {
    return BadFlag("--listen " + options.listen + " can be reached by other machines and connections are not encrypted",
                   "listen on loopback, or accept the risk with --plaintext");
  }
  if (options.heartbeat <= 0 || options.heartbeat >= options.election_min / 2) {
    return BadFlag("the heartbeat must be shorter than half of the election time-out",
                   "lower --heartbeat or raise --election-min");
  }
  if (options.keepalive_margin <= 0 || options.keepalive_margin >= options.lease || options.lease > 3600 * kSecond) {
    return BadFlag("the KeepAlive margin must be shorter than the lease, and the lease at most an hour", "change --lease");
  }
  if (options.rho_ppm < 0 || options.rho_ppm > 100'000) {
    return BadFlag("a clock rate error is 0 to 100000 parts per million", "change --rho-ppm");
  }
  return std::nullopt;
}

class RealServer::Host : public Node {
 public:
  Host(asio::io_context& io, ServerOptions options)
      : Node(io),
        io_(io),
        options_(std::move(options)),
        config_(ConfigOf(options_)),
        core_(&config_),
        acceptor_(io),
        accept_retry_(io) {}

  std::optional<Failure> Prepare() {
    if (std::optional<Failure> failure = directory_.Open(options_.directory)) return failure;
    return Bind();
  }

  uint16_t port() const {
    std::error_code ignored;
    return acceptor_.local_endpoint(ignored).port();
  }

  std::optional<Failure> Run() {
    for (int i = 0; i < kLaneCount; ++i) {
      lanes_[i] = std::make_unique<LaneThread>(directory_.fd(), options_.disk_fault, [this](BatchResult result) {
        asio::post(io_, [this, result = std::move(result)] { OnBatch(result); });
      });
    }
    asio::post(io_, [this] { Start(); });
    const auto work = asio::make_work_guard(io_);
    io_.run();
    for (auto& lane : lanes_) lane.reset();
    return failure_;
  }

  void Shutdown() {
    std::error_code ignored;
    acceptor_.close(ignored);
    accept_retry_.cancel();
    Stop();
    io_.stop();
  }

 private:
  // Only binds: a peer that dialled before the core is ready would wait for a Hello that does not come.
  std::optional<Failure> Bind() {
    const std::string text = ListenEndpoint(options_);
    const HostPort endpoint = *ParseEndpoint(text);
    std::error_code error;
    tcp::resolver resolver(io_);
    const auto found = resolver.resolve(endpoint.host, std::to_string(endpoint.port), tcp::resolver::passive, error);
    if (error || found.empty()) return CannotListen(text, error ? error : std::make_error_code(std::errc::address_not_available));
    const tcp::endpoint address = *found.begin();
    acceptor_.open(address.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(address, error);
    if (error) return CannotListen(text, error);
    return std::nullopt;
  }

  void Start() {
    const Identity expect{options_.cell, ReplicaId(options_.id), 0, 0};
    const std::vector<FileInfo> files = directory_.List();
    Feed(Boot{&expect, EntropySeed(), files, {EntropySeed(), EntropySeed()}});
    WatchClock();
  }

  void Fail(Failure failure) {
    if (!failure_.has_value()) failure_ = std::move(failure);
    Shutdown();
  }

  // ---- Node
  void Step(Time now, const Input& input, Effects& out) override { core_.Step(now, input, out); }
  int64_t RhoPpm() override { return core_.view().rho_ppm; }

  void OnDisk(Lane lane, Ticket ticket, absl::Span<const FileOp> ops) override {
    lanes_[static_cast<int>(lane)]->Push(CopyBatch(lane, ticket, ops));
  }

  void OnBatch(const BatchResult& result) {
    if (stopped()) return;
    if (!result.ok) {
      disk_error_ = result.what;
      Feed(DiskFailed{result.lane, result.ticket, result.failed_op, result.error});
      return;
    }
    std::vector<Blob> reads;
    reads.reserve(result.reads.size());
    for (const std::string& bytes : result.reads) reads.emplace_back(bytes);
    disk_error_.clear();  // a failure that was survived explains no later halt
    Complete(result.lane, result.ticket);
    Feed(DiskDone{result.lane, result.ticket, reads});
  }

  void OnListen(const v1::Hello& hello) override {
    hello_ = hello;
    hello_.set_process_id(static_cast<uint64_t>(getpid()));
    std::error_code error;
    if (std::exchange(listening_, true)) return;
    acceptor_.listen(tcp::acceptor::max_listen_connections, error);
    if (error) return Fail(CannotListen(ListenEndpoint(options_), error));
    AcceptNext();
  }

  void AcceptNext() {
    acceptor_.async_accept([this](std::error_code error, tcp::socket socket) {
      if (stopped() || error == asio::error::operation_aborted) return;
      if (!error) {
        Accept(std::move(socket), hello_);
        return AcceptNext();
      }
      // Out of descriptors, most likely: those in use come back sooner or later.
      accept_retry_.expires_at(ToTimePoint(Now() + kAcceptRetry));
      accept_retry_.async_wait([this](std::error_code cancelled) {
        if (!cancelled && !stopped()) AcceptNext();
      });
    });
  }

  void OnEvent(const CoreEvent& event) override {
    if (options_.on_event != nullptr) options_.on_event(event);
  }

  void OnHalt(const Effects::HaltOp& halt) override {
    Fail(FailureOfHalt(halt.why, halt.detail, options_.directory, disk_error_));
  }

  asio::io_context& io_;
  const ServerOptions options_;
  const replica::ServerConfig config_;
  replica::Server core_;
  Directory directory_;
  tcp::acceptor acceptor_;
  BootTimer accept_retry_;
  bool listening_ = false;
  v1::Hello hello_;
  std::string disk_error_;
  std::optional<Failure> failure_;
  std::array<std::unique_ptr<LaneThread>, kLaneCount> lanes_;  // last: their threads post to io_ and use directory_
};

RealServer::RealServer(ServerOptions options)
    : io_(std::make_unique<asio::io_context>(1)), host_(std::make_unique<Host>(*io_, std::move(options))) {}
RealServer::~RealServer() = default;
std::optional<Failure> RealServer::Prepare() { return host_->Prepare(); }
uint16_t RealServer::port() const { return host_->port(); }
std::optional<Failure> RealServer::Run() { return host_->Run(); }
void RealServer::RequestStop() {
  asio::post(*io_, [host = host_.get()] { host->Shutdown(); });
}
asio::io_context& RealServer::io() { return *io_; }

}  // namespace bramah::net_real

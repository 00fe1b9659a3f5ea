// RealServer: one replica as a real process: a pure core, one event loop, two disk lanes, one data directory.
#ifndef BRAMAH_NET_REAL_SERVER_H_
#define BRAMAH_NET_REAL_SERVER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "asio/io_context.hpp"
#include "core/api/event.h"
#include "core/base/time.h"
#include "net_real/failure.h"
#include "net_real/file_batch.h"

namespace bramah::net_real {

struct ServerOptions {
  std::string cell = "local";
  uint32_t id = 0;
  std::map<uint32_t, std::string> members;  // id -> endpoint; the same for every replica of a new cell
  std::string directory;
  std::string listen;      // empty: this member's endpoint
  bool plaintext = false;  // allows endpoints that other machines can reach; there is no encryption yet

  Duration heartbeat = 50 * kMillisecond;
  Duration election_min = 300 * kMillisecond;  // elections start after one to two of these; E_min of L1
  Duration lease = 12 * kSecond;
  Duration keepalive_margin = 5 * kSecond;
  uint32_t keepalive_rate = 1'500;  // KeepAlives a second, of all sessions; when there were more, leases grow [D-25]; 0: never
  int64_t rho_ppm = 1'000;
  bool quorum_reads = false;

  std::function<void(const CoreEvent&)> on_event;  // called on the loop's thread
  FileRunner::Fault disk_fault;                    // tests only
};

// Whether the flags make sense together; nothing if they do.
std::optional<Failure> Validate(const ServerOptions& options);

class RealServer {
 public:
  // REQUIRES: !Validate(options).
  explicit RealServer(ServerOptions options);
  ~RealServer();

  // Takes the directory and the port. Nothing is promised yet.
  std::optional<Failure> Prepare();
  // The port taken; useful if the endpoint said 0.
  uint16_t port() const;

  // Runs until RequestStop or until the core halts; then everything is closed and the disk is idle. Once, after Prepare.
  std::optional<Failure> Run();
  // From any thread or signal handler of the loop; safe before and during Run.
  void RequestStop();

  // For signal handlers and timers that share the replica's thread.
  asio::io_context& io();

 private:
  class Host;
  std::unique_ptr<asio::io_context> io_;  // first: everything in host_ uses it
  std::unique_ptr<Host> host_;
};

}  // namespace bramah::net_real

#endif  // BRAMAH_NET_REAL_SERVER_H_

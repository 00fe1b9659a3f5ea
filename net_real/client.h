// RealClient: the client library in a real process, on the caller's thread. Blocking calls for commands that do one thing, and an
// event loop for those that wait.
#ifndef BRAMAH_NET_REAL_CLIENT_H_
#define BRAMAH_NET_REAL_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "asio/io_context.hpp"
#include "core/api/event.h"
#include "core/base/time.h"
#include "core/client/client.h"

namespace bramah::net_real {

struct ClientOptions {
  std::string principal;                           // who the application says it is
  std::string cell = "local";                      // "local": whatever cell the endpoints belong to
  std::vector<std::string> endpoints;              // at least one, each "host:port"
  Duration idle_end = 0;                           // after which an unused session is ended; 0: never
  bool cache = false;                              // for processes that read the same more than once
  std::function<void(const CoreEvent&)> on_event;  // on the caller's thread, inside RunUntil or Call; must not call back
};

using client::ClientView;
using client::SessionState;

class RealClient {
 public:
  explicit RealClient(ClientOptions options);
  ~RealClient();

  // Asks and runs the loop until the answer is there. TIMED_OUT after `timeout`: the outcome is unknown then.
  v1::Outcome Call(const v1::Command& command, Duration timeout);
  // Ends the session if there is one; waits for the answer only so long. Nothing is held afterwards.
  void EndSession(Duration timeout);

  // Asks; `answer` is called once, unless this object goes first.
  void Start(const v1::Command& command, std::function<void(const v1::Outcome&)> answer);

  // Runs the loop until `done()` is true, looking after every handler; false if `deadline` passed first (kNever: no deadline).
  bool RunUntil(const std::function<bool()>& done, Time deadline);
  // Makes the RunUntil that is running, or the next one, look again.
  void Wake();

  const ClientView& view() const;
  // The cell that the endpoints said they belong to; empty if none has spoken.
  const std::string& peer_cell() const;
  // For signal handlers and timers that share the loop.
  asio::io_context& io();

 private:
  class Host;
  std::unique_ptr<asio::io_context> io_;  // first: everything in host_ uses it
  std::unique_ptr<Host> host_;
};

}  // namespace bramah::net_real

#endif  // BRAMAH_NET_REAL_CLIENT_H_

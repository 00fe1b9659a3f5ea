// Server: one replica of a cell as a pure state machine. It composes storage, Raft, the cell and the master's soft state, and
// owns the order of effects. Single owner, no locking.
#ifndef BRAMAH_CORE_REPLICA_SERVER_H_
#define BRAMAH_CORE_REPLICA_SERVER_H_

#include <memory>

#include "core/api/effects.h"
#include "core/api/step.h"
#include "core/replica/config.h"
#include "core/replica/view.h"

namespace bramah::replica {

class Server {
 public:
  // `config` outlives the server and must not change.
  explicit Server(const ServerConfig* config);
  ~Server();
  Server(const Server& other);  // a node is a value
  Server& operator=(const Server& other);

  // Total: any input in any state. The first input must be Boot; inputs before it are ignored.
  void Step(Time now, const Input& input, Effects& out);

  // Refreshed by every Step; borrowed until the next.
  const ServerView& view() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bramah::replica

#endif  // BRAMAH_CORE_REPLICA_SERVER_H_

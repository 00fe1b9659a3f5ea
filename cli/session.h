// What every client verb needs: the named cell, a session in it, and answers in a user's words.
#ifndef BRAMAH_CLI_SESSION_H_
#define BRAMAH_CLI_SESSION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cli/context.h"
#include "cli/token_file.h"
#include "core/api/path.h"
#include "core/wire/wire.pb.h"
#include "net_real/client.h"

namespace bramah::cli {

// "/ls/demo/a" -> {"demo", "/a"}; a Failure (64) that shows the grammar otherwise.
std::optional<Failure> ParseTarget(const std::string& text, GlobalName* target);
// What an outcome other than OK means for `name`, "/ls/demo/a".
Failure FailureOfOutcome(const v1::Outcome& outcome, const std::string& name);

// How a node is opened, beside its name.
struct OpenWish {
  uint32_t flags = v1::OPEN_READ;  // bits of v1::OpenFlag
  std::string contents{};          // if it is created
  Duration lock_delay = 0;         // counts if the handle loses a lock
  uint32_t events = 0;             // bits of v1::EventKind
  uint32_t permits = 0;            // of the lock, if it is created; 0: one
};

class CellSession {
 public:
  // `context` is borrowed. Nothing is sent before Open.
  CellSession(const Context& context, std::string cell, std::function<void(const CoreEvent&)> on_event = nullptr);
  // Ends the session, so that nothing of it lingers until its lease ends, unless it was abandoned.
  ~CellSession();

  // The token of the session is kept in this file. If it holds that of a process which is gone, what that has left ends before
  // the new session begins. Before Open.
  void KeepTokenIn(const std::string& path) { token_path_ = path; }
  // Opens a session; exit 78 without endpoints, 69 if no master answers in time.
  std::optional<Failure> Open();
  // One call within what is left of --timeout since Open. `name` is only for the message.
  std::optional<Failure> Call(const v1::Command& command, const std::string& name, v1::Outcome* outcome);
  // One read of any replica, without a session and instead of Open; `kind` is GET_CONTENTS, GET_STAT or READ_DIR. Exit 69 if none
  // answers in time.
  std::optional<Failure> ReadStale(v1::CommandKind kind, const GlobalName& target, v1::Outcome* outcome);
  std::optional<Failure> OpenNode(const GlobalName& target, const OpenWish& wish, v1::Outcome* outcome);

  // The session is not ended but left to its lease: what it had under way may not have arrived yet, and its locks are delayed.
  void Abandon() { abandoned_ = true; }
  bool abandoned() const { return abandoned_; }

  net_real::RealClient& client() { return *client_; }
  // Local instant at which --timeout ends.
  Time deadline() const { return deadline_; }
  // Why no master answers, as far as can be told.
  Failure Unavailable() const { return Unavailable("master"); }

 private:
  std::optional<Failure> Prepare();
  // Asks, and runs until there is an answer or --timeout has passed.
  std::optional<v1::Outcome> Ask(const v1::Command& command);
  // A replica has said that it belongs to another cell than the path names.
  bool WrongCell() const;
  Failure Unavailable(const char* who) const;

  const Context& context_;
  const std::string cell_;
  Time deadline_ = 0;
  bool abandoned_ = false;
  std::string token_path_;
  TokenFile token_;
  std::unique_ptr<net_real::RealClient> client_;
};

}  // namespace bramah::cli

#endif  // BRAMAH_CLI_SESSION_H_

// bramah session: opens a session and prints what becomes of it until SIGINT.
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "cli/context.h"
#include "cli/hold.h"
#include "cli/loop.h"
#include "cli/session.h"
#include "cli/text.h"
#include "core/wire/wire.pb.h"
#include "net_real/clock.h"
#include "nlohmann/json.hpp"

namespace bramah::cli {
namespace {

using nlohmann::ordered_json;

// Why a session ended; empty for every other event.
const char* Reason(const CoreEvent& event) {
  if (event.kind != CoreEvent::kSessionEnded) return "";
  switch (event.reason) {
    case v1::END_NO_KEEPALIVE: return "no_keepalive";
    case v1::END_CLOSED: return "closed";
    case v1::END_ABANDONED: return "abandoned";
    case v1::END_IDLE: return "idle";
    case v1::END_TAKEN_OVER: return "taken_over";
    case v1::END_UNACKNOWLEDGED: return "unacknowledged";
    default: return "unknown";
  }
}

// Prints transitions; the lease that moves on every few seconds is not one.
class StatePrinter {
 public:
  explicit StatePrinter(bool json) : json_(json), start_(net_real::Now()) {}

  void operator()(const CoreEvent& event) {
    switch (event.kind) {
      case CoreEvent::kSessionOpened: return Print("opened", event);
      case CoreEvent::kSessionActive:
        if (!std::exchange(active_, true)) Print("active", event);
        return;
      case CoreEvent::kSessionJeopardy: active_ = false; return Print("jeopardy", event);
      case CoreEvent::kSessionSafe: active_ = true; return Print("safe", event);
      case CoreEvent::kSessionEnded: active_ = false; return Print(event.reason == v1::END_CLOSED ? "closed" : "expired", event);
      case CoreEvent::kMasterFound: return Print("master", event);
      case CoreEvent::kClockDoubted: return Print("clock_doubted", event);
      case CoreEvent::kClockTrusted: return Print("clock_trusted", event);
      default: return;
    }
  }

 private:
  void Print(const char* state, const CoreEvent& event) {
    const Time at = net_real::Now() - start_;
    if (event.session) session_ = event.session;
    if (json_) {
      const ordered_json line = {{"state", state},
                                 {"session", Hex16(session_.value())},
                                 {"epoch", event.epoch.value()},
                                 {"master", event.replica.value()},
                                 {"reason", Reason(event)},
                                 {"at_ns", at},
                                 {"at", FormatDuration(at)}};
      std::printf("%s\n", line.dump().c_str());
    } else {
      std::printf("%8.3fs %s session %s", static_cast<double>(at) / 1e9, state, Hex16(session_.value()).c_str());
      if (event.replica) std::printf(" master %u", event.replica.value());
      if (event.epoch) std::printf(" epoch %llu", static_cast<unsigned long long>(event.epoch.value()));
      std::printf("\n");
    }
    std::fflush(stdout);
  }

  const bool json_;
  const Time start_;
  bool active_ = false;
  SessionId session_;
};

int RunSession(const Context& context, const std::string& token) {
  CellSession session(context, "local", StatePrinter(context.json));
  session.KeepTokenIn(token);
  if (auto failure = session.Open()) return Report(context, *failure);
  net_real::RealClient& client = session.client();
  bool signalled = false;
  const Signals signals(client.io(), {SIGINT, SIGTERM, SIGHUP}, [&signalled](int) { signalled = true; });
  client.RunUntil([&] { return signalled || client.view().state == net_real::SessionState::kExpired; }, kNever);
  if (signalled) return net_real::kExitOk;
  return Report(context, {net_real::kExitLockLost, "session_expired",
                          "the session expired: the cell was not reached within lease and grace period",
                          "check the cell with 'bramah status', then start again"});
}

}  // namespace

void AddSessionVerb(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand(
      "session", "Open a session and print its states (opened, active, jeopardy, safe, expired, closed) until SIGINT");
  auto token = std::make_shared<std::string>();
  AddTokenOption(*verb, token.get());
  verb->callback([token, &context] { context.run = [token, &context] { return RunSession(context, *token); }; });
}

}  // namespace bramah::cli

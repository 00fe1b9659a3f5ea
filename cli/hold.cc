#include "cli/hold.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <utility>

#include "cli/child_guard.h"
#include "cli/loop.h"
#include "cli/process.h"
#include "cli/text.h"
#include "core/api/path.h"
#include "net_real/clock.h"

namespace bramah::cli {
namespace {

using namespace net_real;  // exit codes

constexpr Duration kLookPeriod = 50 * kMillisecond;

// Everything that can be caught and has no meaning of its own between the two processes (job control, faults, SIGCHLD, SIGPIPE).
const std::vector<int> kForwarded = {SIGHUP,  SIGINT,  SIGQUIT,   SIGUSR1, SIGUSR2,  SIGALRM, SIGTERM, SIGURG,
                                     SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGWINCH, SIGIO,   SIGPWR};

Failure Lost(const std::string& name, const std::string& what) {
  return {kExitLockLost, "lock_lost", "the lock on " + name + " is lost or uncertain: " + what,
          "treat the protected work as interrupted, check the cell with 'bramah status', then run the command again"};
}

Failure OtherPermits(const LockWish& wish, uint32_t permits) {
  return {kExitConflict, "other_permits",
          "the lock on " + wish.name + " was made with " + std::to_string(permits) + (permits == 1 ? " permit" : " permits"),
          permits == 1 ? "leave out --permits, or use another name" : "say --permits " + std::to_string(permits)};
}

Failure NotGranted(CellSession& session, const LockWish& wish, SessionState state) {
  if (state == SessionState::kActive) {
    return {kExitConflict, "lock_timeout", wish.name + " is locked by another session and was not freed in time",
            "raise --timeout, or leave it out to wait"};
  }
  return session.Unavailable();
}

// Shared: it may come when whoever asked has given up.
using Answer = std::shared_ptr<std::optional<v1::Outcome>>;

Answer Begin(RealClient& client, const v1::Command& command) {
  const auto answer = std::make_shared<std::optional<v1::Outcome>>();
  client.Start(command, [answer](const v1::Outcome& outcome) { *answer = outcome; });
  return answer;
}

bool BelongsToOthers(v1::Code code) { return code == v1::LOCK_CONFLICT || code == v1::LOCK_DELAYED; }

}  // namespace

void AddLockDelayOption(CLI::App& verb, Duration fallback, const std::shared_ptr<LockWish>& wish) {
  wish->lock_delay = fallback;
  const auto not_too_long = [](const std::string& text) {
    const bool too_long = ParseDuration(text).value_or(0) > kLockDelayMax;
    return too_long ? "'" + text + "' is more than the " + FormatDuration(kLockDelayMax) + " allowed" : std::string();
  };
  AddDuration(verb, "--lock-delay", &wish->lock_delay, "Nobody gets the lock for so long after this process was lost",
              /*may_be_zero=*/true)
      ->check(not_too_long);
}

void AddTokenOption(CLI::App& verb, std::string* path) {
  verb.add_option("--token", *path, "Keep the session's token here, to take it over when started again after a kill")
      ->type_name("FILE");
}

int Interruption::Tell(const Context& context) const { return failure.has_value() ? Report(context, *failure) : 128 + signal; }

std::optional<Interruption> TakeLock(CellSession& session, const LockWish& wish, HeldByUs* held, std::function<void()> waiting) {
  v1::Outcome opened;
  const OpenWish open{v1::OPEN_WRITE | v1::OPEN_MAY_CREATE, "", wish.lock_delay, wish.events, wish.permits};
  if (auto failure = session.OpenNode(wish.target, open, &opened)) return Interruption{0, failure};
  held->handle = opened.handle();
  // Who expects to be alone must not find others beside it, and who counts on so many must not wait for ever.
  if (opened.permits() != wish.permits) return Interruption{0, OtherPermits(wish, opened.permits())};
  v1::Command command;
  command.set_kind(v1::ACQUIRE);
  command.set_handle(held->handle);
  command.set_mode(wish.mode);
  command.set_try_only(true);
  RealClient& client = session.client();
  int signal = 0;
  const Signals signals(client.io(), {SIGINT, SIGTERM, SIGHUP}, [&signal](int number) { signal = number; });
  Answer acquired = Begin(client, command);
  client.RunUntil([&] { return acquired->has_value() || signal != 0; }, wish.deadline);
  if (!wish.try_only && acquired->has_value() && BelongsToOthers((*acquired)->code())) {
    command.set_try_only(false);
    acquired = Begin(client, command);
    const auto over = [&] {
      if (waiting != nullptr && !acquired->has_value()) waiting();
      return acquired->has_value() || signal != 0;
    };
    client.RunUntil(over, wish.deadline);
  }
  if (acquired->has_value() && (*acquired)->code() != v1::OK) return Interruption{0, FailureOfOutcome(**acquired, wish.name)};
  if (signal != 0) return Interruption{signal, std::nullopt};
  if (!acquired->has_value()) return Interruption{0, NotGranted(session, wish, client.view().state)};
  held->generation = (*acquired)->lock_generation();
  held->permit = (*acquired)->permit();
  command.set_kind(v1::GET_SEQUENCER);
  const Answer described = Begin(client, command);
  client.RunUntil([&] { return described->has_value() || signal != 0 || !BelievesHeld(client.view(), held->handle); }, kNever);
  if (signal != 0) return Interruption{signal, std::nullopt};
  if (!described->has_value()) return Interruption{0, Lost(wish.name, "the cell was not reached before the local lease ended")};
  if ((*described)->code() != v1::OK) return Interruption{0, Lost(wish.name, "the session ended, or the file was removed")};
  held->sequencer = (*described)->sequencer();
  return std::nullopt;
}

bool BelievesHeld(const ClientView& view, uint64_t handle) {
  if (view.state != SessionState::kActive || Now() >= view.lease_end || view.held == nullptr) return false;
  return std::any_of(view.held->begin(), view.held->end(), [&](const auto& lock) { return lock.handle.value() == handle; });
}

std::optional<Failure> HoldUntilSignalled(CellSession& session, const LockWish& wish, const HeldByUs& held) {
  RealClient& client = session.client();
  bool signalled = false;
  const Signals signals(client.io(), {SIGINT, SIGTERM, SIGHUP}, [&signalled](int) { signalled = true; });
  const Ticker ticker(client.io(), kLookPeriod);
  client.RunUntil([&] { return signalled || !BelievesHeld(client.view(), held.handle); }, kNever);
  if (signalled) return std::nullopt;
  const bool active = client.view().state == SessionState::kActive && Now() < client.view().lease_end;
  return Lost(wish.name, active ? "its node was deleted" : "the cell was not reached before the local lease ended");
}

int RunUnderLock(const Context& context, CellSession& session, const LockWish& wish, const HeldByUs& held,
                 const std::vector<std::string>& argv) {
  RealClient& client = session.client();
  SpawnOptions spawn;
  spawn.argv = argv;
  spawn.own_group = true;
  spawn.take_terminal = true;
  spawn.environment = {{"BRAMAH_LOCK_PATH", wish.name},
                       {"BRAMAH_LOCK_MODE", wish.mode == v1::SHARED ? "shared" : "exclusive"},
                       {"BRAMAH_LOCK_GENERATION", std::to_string(held.generation)},
                       {"BRAMAH_LOCK_PERMIT", std::to_string(held.permit)},
                       {"BRAMAH_SEQUENCER", held.sequencer},
                       {"BRAMAH_SESSION", Hex16(client.view().session.value())}};
  Process child;
  if (const int error = child.Start(spawn)) {
    return Report(context, {error == ENOENT ? 127 : 126, "cannot_run", "cannot run '" + argv[0] + "': " + std::strerror(error),
                            "name a program that exists and may be executed"});
  }
  const Signals forwarded(client.io(), kForwarded, [&child](int number) { child.Signal(number); });
  const Signals ended(client.io(), {SIGCHLD}, [](int) {});
  const Ticker ticker(client.io(), kLookPeriod);
  ChildGuard guard;
  client.RunUntil(
      [&] {
        if (child.Poll()) return true;
        const ClientView& view = client.view();
        const ChildGuard::Action action =
            guard.Look(Now(), {BelievesHeld(view, held.handle), view.lease_end, view.keepalive_overdue});
        if (action == ChildGuard::Action::kTerminate) child.Signal(SIGTERM);
        if (action == ChildGuard::Action::kKill) child.Signal(SIGKILL);
        return false;
      },
      kNever);
  child.ReturnTerminal();
  if (!guard.fired()) return child.exit_code();
  session.Abandon();
  return Report(context, Lost(wish.name, "the command was stopped (" + child.DescribeEnd() + ")"));
}

void ReleaseLock(CellSession& session, const HeldByUs& held) {
  if (session.abandoned() || !BelievesHeld(session.client().view(), held.handle)) return;
  v1::Command command;
  command.set_kind(v1::RELEASE);
  command.set_handle(held.handle);
  session.client().Call(command, 1 * kSecond);
}

}  // namespace bramah::cli

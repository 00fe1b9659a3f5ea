// bramah lock PATH -- CMD: runs a command while holding a lock.
#include <memory>
#include <string>

#include "cli/context.h"
#include "cli/hold.h"
#include "cli/session.h"

namespace bramah::cli {
namespace {

int RunLock(const Context& context, LockWish wish) {
  if (auto failure = ParseTarget(wish.name, &wish.target)) return Report(context, *failure);
  if (context.command.empty()) return Report(context, UsageFailure("no command", "write 'bramah lock PATH -- CMD ARGS...'"));
  CellSession session(context, wish.target.cell);
  session.KeepTokenIn(wish.token);
  if (auto failure = session.Open()) return Report(context, *failure);
  if (context.timeout_given) wish.deadline = session.deadline();
  HeldByUs held;
  if (auto interruption = TakeLock(session, wish, &held)) return interruption->Tell(context);
  const int code = RunUnderLock(context, session, wish, held, context.command);
  ReleaseLock(session, held);
  return code;
}

}  // namespace

void AddLockVerb(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand("lock", "Hold a lock while a command runs: lock PATH -- CMD ARGS...");
  auto wish = std::make_shared<LockWish>();
  verb->add_option("path", wish->name, "/ls/<cell>/...; the file is created if needed")->required()->type_name("PATH");
  verb->add_flag_callback(
      "--shared", [wish] { wish->mode = v1::SHARED; }, "Shared with other --shared holders");
  verb->add_flag("--try", wish->try_only, "Exit 75 at once if the lock is not free");
  verb->add_option("--permits", wish->permits, "How many may hold it side by side; every one must say the same number")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  AddLockDelayOption(*verb, 15 * kSecond, wish);
  AddTokenOption(*verb, &wish->token);
  verb->footer(
      "Waits for the lock for ever unless --timeout is given. If the lock becomes uncertain, the command gets SIGTERM, and\n"
      "SIGKILL 3 s later, in time to be dead before the lock can pass to somebody else; the exit code is then 76. If this\n"
      "process itself is killed, so is the command, but not what the command had started; --lock-delay is for that and for\n"
      "what was under way, and what the lock protects should check BRAMAH_SEQUENCER.\n"
      "With --token FILE a lock that was left behind by a kill is free when its --lock-delay is over, once the same command is\n"
      "run again; without it, only after the session has expired, too. Exit 75: the command of that FILE still runs.\n"
      "With --permits N it is a counting semaphore; BRAMAH_LOCK_PERMIT, from 0 to N-1, tells the holders apart.");
  verb->callback([wish, &context] { context.run = [wish, &context] { return RunLock(context, *wish); }; });
}

}  // namespace bramah::cli

// bramah elect PATH --value V: the winner of an exclusive lock writes its value into the file; the others show who won.
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "cli/context.h"
#include "cli/hold.h"
#include "cli/session.h"
#include "cli/text.h"
#include "core/api/path.h"
#include "nlohmann/json.hpp"

namespace bramah::cli {
namespace {

using nlohmann::ordered_json;

void Tell(const Context& context, const char* event, const std::string& value, uint64_t generation) {
  if (context.json) {
    const ordered_json line = {{"event", event}, {"value", value}, {"generation", generation}};
    std::printf("%s\n", line.dump(-1, ' ', false, ordered_json::error_handler_t::replace).c_str());
  } else if (generation != 0) {
    std::printf("%s %s generation %llu\n", event, OneLine(value).c_str(), static_cast<unsigned long long>(generation));
  } else {
    std::printf("%s %s\n", event, OneLine(value).c_str());
  }
  std::fflush(stdout);
}

// Prints the primary whenever it changes: reads the file once, and again when the cell says that it was written.
class WinnerWatch {
 public:
  explicit WinnerWatch(const Context& context) : context_(context), state_(std::make_shared<State>()) {}
  ~WinnerWatch() { state_->over = true; }

  // To be told of every event of the session.
  std::function<void(const CoreEvent&)> Listener() const {
    return [state = state_](const CoreEvent& event) { state->changed |= event.kind == CoreEvent::kContentsModified; };
  }
  void Look(CellSession& session, const HeldByUs& held) {
    if (state_->asking || !std::exchange(state_->changed, false)) return;
    state_->asking = true;
    v1::Command command;
    command.set_kind(v1::GET_CONTENTS);
    command.set_handle(held.handle);
    session.client().Start(command, [&context = context_, state = state_](const v1::Outcome& outcome) {
      state->asking = false;
      if (state->over || outcome.code() != v1::OK || outcome.contents().empty() || outcome.contents() == state->shown) return;
      state->shown = outcome.contents();
      Tell(context, "primary", state->shown, 0);
    });
  }

 private:
  // Shared with the session and with the question under way, which may outlive this object.
  struct State {
    bool changed = true;  // since it was read; nobody has yet
    bool asking = false;
    bool over = false;
    std::string shown;
  };
  const Context& context_;
  const std::shared_ptr<State> state_;
};

// The winner's part. The value is written only while the lock is held.
int Serve(const Context& context, CellSession& session, const LockWish& wish, const HeldByUs& held, const std::string& value) {
  v1::Command command;
  command.set_kind(v1::SET_CONTENTS);
  command.set_handle(held.handle);
  command.set_contents(value);
  const v1::Outcome written = session.client().Call(command, context.timeout);
  if (written.code() != v1::OK) return Report(context, FailureOfOutcome(written, wish.name));
  Tell(context, "elected", value, held.generation);
  if (!context.command.empty()) return RunUnderLock(context, session, wish, held, context.command);
  if (auto failure = HoldUntilSignalled(session, wish, held)) return Report(context, *failure);
  return net_real::kExitOk;
}

int RunElect(const Context& context, LockWish wish, const std::string& value) {
  if (auto failure = ParseTarget(wish.name, &wish.target)) return Report(context, *failure);
  if (value.size() > kContentBytesMax) {
    return Report(context, {net_real::kExitBadData, "too_large", "the value is larger than 256 KiB", "store a reference to it"});
  }
  auto watch = std::make_unique<WinnerWatch>(context);
  CellSession session(context, wish.target.cell, watch->Listener());
  session.KeepTokenIn(wish.token);
  if (auto failure = session.Open()) return Report(context, *failure);
  if (context.timeout_given) wish.deadline = session.deadline();
  wish.events = v1::EVENT_CONTENTS;
  HeldByUs held;
  const auto look = [&] { watch->Look(session, held); };
  if (auto interruption = TakeLock(session, wish, &held, look)) return interruption->Tell(context);
  watch.reset();
  const int code = Serve(context, session, wish, held, value);
  ReleaseLock(session, held);
  return code;
}

}  // namespace

void AddElectVerb(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand(
      "elect", "Become the one primary and write a value, or wait and show who is: elect PATH --value V [-- CMD]");
  auto wish = std::make_shared<LockWish>();
  auto value = std::make_shared<std::string>();
  verb->add_option("path", wish->name, "/ls/<cell>/...; the file is created if needed")->required()->type_name("PATH");
  verb->add_option("--value", *value, "What the others shall see, an address for example")->required()->type_name("V");
  AddLockDelayOption(*verb, 0, wish);
  AddTokenOption(*verb, &wish->token);
  verb->footer(
      "The winner prints 'elected V generation N' and holds the lock until it is signalled, or while CMD runs. The others print\n"
      "'primary V' whenever it changes, and wait for their turn for ever unless --timeout is given. Exit 76: the lock became\n"
      "uncertain, so this process is primary no more.");
  verb->callback([wish, value, &context] { context.run = [wish, value, &context] { return RunElect(context, *wish, *value); }; });
}

}  // namespace bramah::cli

// bramah check SEQUENCER: what a server asks before it acts for somebody who says to hold a lock.
#include <cstdio>
#include <memory>
#include <string>

#include "cli/context.h"
#include "cli/session.h"
#include "cli/text.h"
#include "core/api/sequencer.h"
#include "nlohmann/json.hpp"

namespace bramah::cli {
namespace {

using nlohmann::ordered_json;

struct CheckArgs {
  std::string sequencer;
  bool exclusive = false;
};

int RunCheck(const Context& context, const CheckArgs& args) {
  const std::optional<Sequencer> said = ParseSequencer(args.sequencer);
  if (!said) {
    return Report(context, {net_real::kExitBadData, "bad_sequencer", "'" + OneLine(args.sequencer) + "' is no sequencer",
                            "pass on what BRAMAH_SEQUENCER says, unchanged"});
  }
  CellSession session(context, said->cell);
  if (auto failure = session.Open()) return Report(context, *failure);
  v1::Command command;
  command.set_kind(v1::CHECK_SEQUENCER);
  command.set_sequencer(args.sequencer);
  command.set_mode(args.exclusive ? v1::EXCLUSIVE : v1::FREE);
  const std::string name = FormatGlobalName(said->cell, said->path);
  v1::Outcome outcome;
  if (auto failure = session.Call(command, name, &outcome)) return Report(context, *failure);
  const char* mode = said->mode == v1::SHARED ? "shared" : "exclusive";
  if (context.json) {
    const ordered_json json = {{"valid", true}, {"path", name}, {"mode", mode}, {"generation", outcome.lock_generation()},
                               {"permit", outcome.permit()}};
    std::printf("%s\n", json.dump(2, ' ', false, ordered_json::error_handler_t::replace).c_str());
  } else {
    const std::string permit = outcome.permit() == 0 ? "" : ", permit " + std::to_string(outcome.permit());
    std::printf("valid: %s is held, %s, generation %llu%s\n", OneLine(name).c_str(), mode,
                static_cast<unsigned long long>(outcome.lock_generation()), permit.c_str());
  }
  return net_real::kExitOk;
}

}  // namespace

void AddCheckVerb(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand("check", "Tell whether the lock that a sequencer speaks of is still held");
  auto args = std::make_shared<CheckArgs>();
  verb->add_option("sequencer", args->sequencer, "What `lock` and `elect` hand to their command as BRAMAH_SEQUENCER")
      ->required()
      ->type_name("SEQUENCER");
  verb->add_flag("--exclusive", args->exclusive, "It must be of an exclusive lock");
  verb->footer("Exit 0: valid. 76: the lock is not held (any more) as it says. 65: no sequencer that this cell gave out.");
  verb->callback([args, &context] { context.run = [args, &context] { return RunCheck(context, *args); }; });
}

}  // namespace bramah::cli

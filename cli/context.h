// What every verb shares: global options, how failures are told, how a verb is added.
#ifndef BRAMAH_CLI_CONTEXT_H_
#define BRAMAH_CLI_CONTEXT_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "core/base/time.h"
#include "net_real/failure.h"

namespace bramah::cli {

using net_real::Failure;

struct Context {
  std::vector<std::string> endpoints;
  Duration timeout = 10 * kSecond;
  bool timeout_given = false;
  bool json = false;
  std::string principal;  // who the user is, for ACLs
  // What followed `--`, for the verbs that run a command.
  std::vector<std::string> command;
  // Set by the verb that was chosen; returns the exit code.
  std::function<int()> run;
};

// Prints the one error line `bramah: CODE: cause; remedy`, or its JSON form, to stderr and returns the exit code.
int Report(const Context& context, const Failure& failure);

Failure UsageFailure(std::string cause, std::string remedy);

// An option that takes a duration; a bad one is a usage error that names the option.
CLI::Option* AddDuration(CLI::App& app, const std::string& name, Duration* value, const std::string& help,
                         bool may_be_zero = false);

// ---- one function per file of verbs; each adds its subcommands. `context` outlives `app`.
void AddServerVerb(CLI::App& app, Context& context);
void AddCellVerbs(CLI::App& app, Context& context);
void AddStatusVerb(CLI::App& app, Context& context);
void AddBatchVerb(CLI::App& app, Context& context);
void AddFileVerbs(CLI::App& app, Context& context);
void AddLockVerb(CLI::App& app, Context& context);
void AddElectVerb(CLI::App& app, Context& context);
void AddCheckVerb(CLI::App& app, Context& context);
void AddWatchVerb(CLI::App& app, Context& context);
void AddSessionVerb(CLI::App& app, Context& context);
void AddSimVerbs(CLI::App& app, Context& context);

}  // namespace bramah::cli

#endif  // BRAMAH_CLI_CONTEXT_H_

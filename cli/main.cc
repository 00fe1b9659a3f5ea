// bramah: the one binary. This file only knows the table of verbs, the global options and how a usage error is told.
#include <pwd.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "cli/context.h"
#include "cli/text.h"
#include "core/api/path.h"
#include "net_real/endpoint.h"

// Read by jemalloc, if that is linked: a simulated run is all over its memory, so that huge pages are worth a few per cent.
extern "C" {
const char* malloc_conf = "thp:always,metadata_thp:auto";
}

namespace bramah::cli {
namespace {

constexpr const char* kFooter =
    "Paths are /ls/<cell>/... or /ls/local/... (whatever cell the endpoints belong to). Durations: 500ms, 5s, 1m30s.\n"
    "A failure is one line on stderr, `bramah: CODE: cause; remedy`, or {\"error\":{code,message,remedy}} with -o json.\n"
    "\n"
    "Exit codes: 0 ok; 64 usage or malformed path; 65 bad data (log, plan, history, contents above 256 KiB);\n"
    "69 cell unavailable; 70 internal error; 73 wrong or foreign data directory; 74 input/output;\n"
    "75 conflict or time-out; 76 lock lost or uncertain; 77 permission; 78 configuration or port in use;\n"
    "128+n ended by signal n. `lock --` and `elect --` return the command's own code otherwise (126, 127: it could\n"
    "not be run). `sim` verdicts: 0 ok, 1 violation, 2 inconclusive.\n"
    "\n"
    "Environment: BRAMAH_ENDPOINTS, BRAMAH_TIMEOUT, BRAMAH_OUTPUT, BRAMAH_PRINCIPAL stand for --endpoints,\n"
    "--timeout, --output, --principal.\n"
    "A command run by `lock` or `elect` gets BRAMAH_LOCK_PATH, BRAMAH_LOCK_MODE, BRAMAH_LOCK_GENERATION (an integer\n"
    "that rises with every holder: pass it to what the lock protects), BRAMAH_LOCK_PERMIT (which one of --permits,\n"
    "from 0: the integer rises with every holder of that one), BRAMAH_SEQUENCER (all of this in a form that `check`\n"
    "verifies and nobody can forge), BRAMAH_SESSION.\n"
    "\n"
    "Not built yet: authentication, encryption, changes of membership.";

// Options that take a value as the next argument, before any verb.
bool TakesValue(std::string_view arg) {
  return arg == "-o" || arg == "--output" || arg == "--timeout" || arg == "--endpoints" || arg == "--principal";
}

// The name under which the user is logged in; empty if there is none.
std::string LoginName() {
  const passwd* const entry = getpwuid(geteuid());
  return entry == nullptr ? "" : entry->pw_name;
}

// The arguments that are neither options nor values of global options, as far as `most`.
std::vector<std::string> Words(const std::vector<std::string>& args, size_t most) {
  std::vector<std::string> words;
  for (size_t i = 0; i < args.size() && words.size() < most; ++i) {
    if (TakesValue(args[i])) {
      ++i;
    } else if (!args[i].starts_with("-")) {
      words.push_back(args[i]);
    }
  }
  return words;
}

std::string Verb(const std::vector<std::string>& args) {
  const std::vector<std::string> words = Words(args, 1);
  return words.empty() ? "" : words[0];
}

// Whether errors are to be JSON, even if the command line cannot be parsed.
bool WantsJson(const std::vector<std::string>& args) {
  const char* environment = std::getenv("BRAMAH_OUTPUT");
  bool json = environment != nullptr && std::string_view(environment) == "json";
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i] == "-ojson" || args[i] == "--output=json") json = true;
    if ((args[i] == "-o" || args[i] == "--output") && i + 1 < args.size()) json = args[i + 1] == "json";
  }
  return json;
}

void AddGlobals(CLI::App& app, Context& context) {
  app.add_option_function<std::string>(
         "-o,--output", [&context](const std::string& form) { context.json = form == "json"; }, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORM")
      ->default_str("text")
      ->envname("BRAMAH_OUTPUT");
  const auto set_timeout = [&context](const std::string& text) {
    const std::optional<Duration> parsed = ParseDuration(text);
    if (!parsed.has_value()) throw CLI::ValidationError("--timeout", "'" + text + "' is no duration such as 500ms, 5s or 1m");
    context.timeout = *parsed;
    context.timeout_given = true;
  };
  app.add_option_function<std::string>("--timeout", set_timeout,
                                       "How long to wait for the cell; `lock` and `elect` wait for ever unless told")
      ->type_name("DURATION")
      ->default_str("10s")
      ->envname("BRAMAH_TIMEOUT");
  const auto set_endpoints = [&context](const std::string& text) {
    context.endpoints = SplitList(text, ',');
    for (const std::string& endpoint : context.endpoints) {
      if (!net_real::ParseEndpoint(endpoint).has_value())
        throw CLI::ValidationError("--endpoints", "'" + endpoint + "' is not host:port");
    }
  };
  app.add_option_function<std::string>("--endpoints", set_endpoints, "Replicas of the cell: host:port,...")
      ->type_name("LIST")
      ->envname("BRAMAH_ENDPOINTS");
  const auto set_principal = [&context](const std::string& name) {
    if (name.size() > kComponentBytesMax) throw CLI::ValidationError("--principal", "longer than 255 bytes");
    context.principal = name;
  };
  context.principal = LoginName();
  app.add_option_function<std::string>("--principal", set_principal, "Who you are, for ACLs; the cell takes your word for it")
      ->type_name("NAME")
      ->default_str("login name")
      ->envname("BRAMAH_PRINCIPAL");
}

// Moves what follows `--` out of the way of the parser, for verbs that run a command.
void SplitCommand(std::vector<std::string>& args, Context& context) {
  const std::string verb = Verb(args);
  if (verb != "lock" && verb != "elect") return;
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i] != "--") continue;
    context.command.assign(args.begin() + static_cast<ptrdiff_t>(i) + 1, args.end());
    args.resize(i);
    return;
  }
}

const CLI::App* FindVerb(const CLI::App& app, const std::string& name) {
  const std::vector<const CLI::App*> verbs =
      app.get_subcommands([&name](const CLI::App* verb) { return verb->get_name() == name; });
  return verbs.empty() ? nullptr : verbs[0];
}

bool HasVerbs(const CLI::App& app) { return !app.get_subcommands([](const CLI::App*) { return true; }).empty(); }

// What is wrong with the command line, if the parser refused it.
Failure Misuse(const CLI::App& app, const std::vector<std::string>& args, const std::string& problem) {
  std::string known = "bramah";
  const CLI::App* at = &app;
  for (const std::string& word : Words(args, 2)) {
    if (!HasVerbs(*at)) break;
    const CLI::App* verb = FindVerb(*at, word);
    if (verb == nullptr) return UsageFailure("'" + known + "' has no command '" + word + "'", "run '" + known + " --help'");
    known += " " + word;
    at = verb;
  }
  return UsageFailure(problem, "run '" + known + " --help'");
}

// A verb's own help lists its own options.
void PointToGlobals(CLI::App& app) {
  for (CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (HasVerbs(*verb)) {
      PointToGlobals(*verb);
      continue;
    }
    std::string footer = verb->get_footer();
    while (footer.ends_with('\n')) footer.pop_back();
    if (!footer.empty()) footer += "\n\n";
    verb->footer(footer + "-o, --timeout, --endpoints and --principal: see 'bramah --help'.");
  }
}

// The parser takes 010 for 8, -1 for a very large number and what is too large for the largest.
void CheckNumbers(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    const std::string full = option->get_type_name();
    const std::string type = full.substr(0, full.find(':'));  // what follows are the names of checks
    if (type != "N" && type != "INTEGER" && type != "PPM") continue;
    option->check([type](const std::string& text) { return ProblemOfInteger(text, type == "INTEGER"); });
  }
  for (CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) CheckNumbers(*verb);
}

// A command is not done before what it said has been written.
int Written(const Context& context, int code) {
  std::cout.flush();
  const bool whole = std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.good();
  if (whole || code != net_real::kExitOk) return code;
  return Report(context, {net_real::kExitIo, "io", "cannot write standard output", "check where it goes"});
}

int Main(int argc, char** argv) {
  std::vector<std::string> args(argv + 1, argv + argc);
  Context context;
  SplitCommand(args, context);
  CLI::App app("Bramah: a lock service, its simulator and its tools.", "bramah");
  app.require_subcommand(1);
  app.fallthrough();  // global options may follow the verb
  app.set_version_flag("--version", "bramah 0.1");
  AddGlobals(app, context);
  AddServerVerb(app, context);
  AddCellVerbs(app, context);
  AddStatusVerb(app, context);
  AddFileVerbs(app, context);
  AddBatchVerb(app, context);
  AddLockVerb(app, context);
  AddElectVerb(app, context);
  AddCheckVerb(app, context);
  AddWatchVerb(app, context);
  AddSessionVerb(app, context);
  AddSimVerbs(app, context);
  CheckNumbers(app);
  PointToGlobals(app);
  app.footer(kFooter);  // now, or every verb would inherit it
  context.json = WantsJson(args);
  try {
    app.parse(std::vector<std::string>(args.rbegin(), args.rend()));  // the order this overload of parse wants
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return Written(context, app.exit(error));
    return Report(context, Misuse(app, args, error.what()));
  }
  try {
    return Written(context, context.run());
  } catch (const std::exception& error) {  // out of memory, most likely: nothing here uses exceptions
    return Report(context, {net_real::kExitInternal, "internal", error.what(), "report it with the command line that caused it"});
  }
}

}  // namespace
}  // namespace bramah::cli

int main(int argc, char** argv) { return bramah::cli::Main(argc, argv); }

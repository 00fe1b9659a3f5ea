// ls, cat, put, create, rm, stat: one session, one or two calls.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "cli/context.h"
#include "cli/input.h"
#include "cli/loop.h"
#include "cli/session.h"
#include "cli/text.h"
#include "nlohmann/json.hpp"

namespace bramah::cli {
namespace {

using nlohmann::ordered_json;

struct FileArgs {
  std::string path;
  std::string contents;
  bool has_contents = false;
  std::optional<uint64_t> if_generation;
  bool directory = false;
  bool ephemeral = false;
  bool owned = false;
  bool both = false;
  int64_t delta = 0;
  std::optional<int64_t> min;
  std::optional<int64_t> max;
  bool stale = false;    // of any replica
  std::string acl_read;  // ACL names; empty: as they are
  std::string acl_write;
  std::string acl_change;
};

// A verb's work in an open session; nothing if it succeeded.
using Work = std::optional<Failure> (*)(const Context&, const FileArgs&, const GlobalName&, CellSession&);

void Print(const ordered_json& json) {
  std::printf("%s\n", json.dump(2, ' ', false, ordered_json::error_handler_t::replace).c_str());
}

void SetBytes(ordered_json& json, const std::string& bytes) {
  const bool text = IsUtf8(bytes);
  json["encoding"] = text ? "utf-8" : "base64";
  json["contents"] = text ? bytes : Base64(bytes);
}

v1::Command On(v1::CommandKind kind, uint64_t handle) {
  v1::Command command;
  command.set_kind(kind);
  command.set_handle(handle);
  return command;
}

// Opens the node and makes one call on its handle.
std::optional<Failure> OpenAndCall(CellSession& session, const GlobalName& target, uint32_t flags, v1::Command command,
                                   v1::Outcome* outcome) {
  if (auto failure = session.OpenNode(target, {.flags = flags}, outcome)) return failure;
  command.set_handle(outcome->handle());
  return session.Call(command, FormatGlobalName(target.cell, target.path), outcome);
}

// What a read answers: as of now, or as some replica has it.
std::optional<Failure> Look(CellSession& session, const FileArgs& args, const GlobalName& target, v1::CommandKind kind,
                            v1::Outcome* outcome) {
  if (args.stale) return session.ReadStale(kind, target, outcome);
  return OpenAndCall(session, target, v1::OPEN_READ, On(kind, 0), outcome);
}

// Says of which entry the state was that any replica showed.
void PrintRead(const FileArgs& args, const v1::Outcome& outcome, ordered_json json) {
  if (args.stale) json["applied_index"] = outcome.applied_index();
  Print(json);
}

std::optional<Failure> List(const Context& context, const FileArgs& args, const GlobalName& target, CellSession& session) {
  v1::Outcome outcome;
  if (auto failure = Look(session, args, target, v1::READ_DIR, &outcome)) return failure;
  ordered_json children = ordered_json::array();
  for (const v1::ChildStat& child : outcome.children()) {
    if (!context.json) std::printf("%s%s\n", Escaped(child.name()).c_str(), child.directory() ? "/" : "");
    children.push_back({{"name", child.name()},
                        {"directory", child.directory()},
                        {"ephemeral", child.ephemeral()},
                        {"content_length", child.content_length()},
                        {"content_generation", child.content_generation()},
                        {"instance", child.instance()}});
  }
  if (context.json) PrintRead(args, outcome, {{"path", args.path}, {"children", children}});
  return std::nullopt;
}

std::optional<Failure> Cat(const Context& context, const FileArgs& args, const GlobalName& target, CellSession& session) {
  v1::Outcome outcome;
  if (auto failure = Look(session, args, target, v1::GET_CONTENTS, &outcome)) return failure;
  if (!context.json) {
    std::fwrite(outcome.contents().data(), 1, outcome.contents().size(), stdout);
    return std::nullopt;
  }
  ordered_json json = {
      {"path", args.path}, {"content_generation", outcome.content_generation()}, {"checksum", Hex16(outcome.checksum())}};
  SetBytes(json, outcome.contents());
  PrintRead(args, outcome, json);
  return std::nullopt;
}

std::optional<Failure> Put(const Context& context, const FileArgs& args, const GlobalName& target, CellSession& session) {
  // With a generation there is nothing to create: a file that is gone has changed.
  const uint32_t flags = v1::OPEN_WRITE | (args.if_generation.has_value() ? 0 : v1::OPEN_MAY_CREATE);
  v1::Outcome opened;
  if (auto failure = session.OpenNode(target, {.flags = flags, .contents = args.contents}, &opened)) return failure;
  v1::Outcome written = opened;
  if (!opened.created()) {
    v1::Command command = On(v1::SET_CONTENTS, opened.handle());
    command.set_contents(args.contents);
    command.set_compare(args.if_generation.has_value());
    command.set_generation(args.if_generation.value_or(0));
    if (auto failure = session.Call(command, args.path, &written)) return failure;
  }
  if (context.json)
    Print({{"path", args.path}, {"created", opened.created()}, {"content_generation", written.content_generation()}});
  return std::nullopt;
}

// Counts in a file: what is not there yet is 0.
std::optional<Failure> AddNumber(const Context& context, const FileArgs& args, const GlobalName& target, CellSession& session) {
  v1::Command command = On(v1::ADD, 0);
  command.set_delta(args.delta);
  command.set_bounded(args.min.has_value() || args.max.has_value());
  command.set_min(args.min.value_or(INT64_MIN));
  command.set_max(args.max.value_or(INT64_MAX));
  v1::Outcome outcome;
  if (auto failure = OpenAndCall(session, target, v1::OPEN_WRITE | v1::OPEN_MAY_CREATE, command, &outcome)) return failure;
  if (context.json) {
    Print({{"path", args.path}, {"value", outcome.value()}, {"content_generation", outcome.content_generation()}});
  } else {
    std::printf("%lld\n", static_cast<long long>(outcome.value()));
  }
  return std::nullopt;
}

// Keeps the session, and with it the node that goes with its handle or with the session, until a signal or the session's end.
std::optional<Failure> HoldUntilSignal(const FileArgs& args, CellSession& session) {
  net_real::RealClient& client = session.client();
  bool signalled = false;
  const Signals signals(client.io(), {SIGINT, SIGTERM, SIGHUP}, [&signalled](int) { signalled = true; });
  const auto over = [&client] { return client.view().state == net_real::SessionState::kExpired; };
  client.RunUntil([&] { return signalled || over(); }, kNever);
  if (signalled) return std::nullopt;
  return Failure{net_real::kExitLockLost, "session_expired", "the session that owns " + args.path + " expired", "start again"};
}

std::optional<Failure> Create(const Context& context, const FileArgs& args, const GlobalName& target, CellSession& session) {
  const uint32_t flags = v1::OPEN_WRITE | v1::OPEN_MAY_CREATE | v1::OPEN_MUST_CREATE | (args.directory ? v1::OPEN_DIRECTORY : 0) |
                         (args.ephemeral ? v1::OPEN_EPHEMERAL : 0) | (args.owned ? v1::OPEN_SESSION_OWNED : 0) |
                         (args.both ? v1::OPEN_BOTH : 0);
  v1::Outcome outcome;
  if (auto failure = session.OpenNode(target, {.flags = flags, .contents = args.contents}, &outcome)) return failure;
  if (context.json)
    Print({{"path", args.path}, {"instance", outcome.instance()}, {"directory", args.directory}, {"ephemeral", args.ephemeral}});
  if (!args.ephemeral && !args.owned) return std::nullopt;
  if (!context.json) std::printf("%s exists until this command ends\n", args.path.c_str());
  std::fflush(stdout);
  return HoldUntilSignal(args, session);
}

std::optional<Failure> Remove(const Context& context, const FileArgs& args, const GlobalName& target, CellSession& session) {
  v1::Outcome outcome;
  if (auto failure = OpenAndCall(session, target, v1::OPEN_WRITE, On(v1::DELETE, 0), &outcome)) return failure;
  if (context.json) Print({{"path", args.path}, {"removed", true}});
  return std::nullopt;
}

// What Chubby does not show of a node; programs may ask for it.
void AddHidden(const v1::Outcome& outcome, ordered_json& json) {
  json["both"] = outcome.both();
  json["owner"] = Hex16(outcome.owner());
  json["content_changed"] = outcome.content_changed();
  json["changed_at_ns"] = outcome.changed_at_ns();
  json["children_changed"] = outcome.children_changed();
  json["children_made"] = outcome.children_made();
}

std::optional<Failure> Stat(const Context& context, const FileArgs& args, const GlobalName& target, CellSession& session) {
  v1::Outcome outcome;
  if (auto failure = Look(session, args, target, v1::GET_STAT, &outcome)) return failure;
  const char* mode = outcome.lock_mode() == v1::EXCLUSIVE ? "exclusive" : outcome.lock_mode() == v1::SHARED ? "shared" : "free";
  ordered_json json = {{"path", args.path},
                       {"directory", outcome.directory()},
                       {"ephemeral", outcome.ephemeral()},
                       {"instance", outcome.instance()},
                       {"content_generation", outcome.content_generation()},
                       {"content_length", outcome.content_length()},
                       {"checksum", Hex16(outcome.checksum())},
                       {"child_count", outcome.child_count()},
                       {"acl_generation", outcome.acl_generation()},
                       {"acl_read", outcome.acl_read()},
                       {"acl_write", outcome.acl_write()},
                       {"acl_change", outcome.acl_change()},
                       {"lock_mode", mode},
                       {"lock_generation", outcome.lock_generation()},
                       {"lock_permits", outcome.permits()},
                       {"lock_holders", outcome.lock_holders()},
                       {"lock_waiters", outcome.lock_waiters()}};
  if (context.json) {
    AddHidden(outcome, json);
    PrintRead(args, outcome, json);
    return std::nullopt;
  }
  for (const auto& [key, value] : json.items()) {
    std::printf("%-18s %s\n", key.c_str(), value.is_string() ? value.get<std::string>().c_str() : value.dump().c_str());
  }
  return std::nullopt;
}

v1::Command SetAclCommand(const FileArgs& args) {
  v1::Command command = On(v1::SET_ACL, 0);
  command.set_acl_read(args.acl_read);
  command.set_acl_write(args.acl_write);
  command.set_acl_change(args.acl_change);
  command.set_compare(args.if_generation.has_value());
  command.set_generation(args.if_generation.value_or(0));
  return command;
}

// An empty name is not known: no ACL is called so.
ordered_json AclJson(const std::string& path, uint64_t generation, const std::string& read, const std::string& write,
                     const std::string& change, bool readable) {
  const auto known = [](const std::string& name) { return name.empty() ? ordered_json() : ordered_json(name); };
  return {{"path", path},
          {"acl_generation", generation},
          {"acl_read", known(read)},
          {"acl_write", known(write)},
          {"acl_change", known(change)},
          {"readable", readable}};
}

// Who took the right to read from himself has done what he wanted.
void ShowUnreadableAcl(const Context& context, const FileArgs& args, const v1::Outcome& set) {
  if (context.json) {
    Print(AclJson(args.path, set.acl_generation(), args.acl_read, args.acl_write, args.acl_change, /*readable=*/false));
  } else {
    std::fprintf(stderr, "the names are set; %s may not read them any more\n", context.principal.c_str());
  }
}

// Sets the names that are given, and shows all three.
std::optional<Failure> ShowAcl(const Context& context, const FileArgs& args, const GlobalName& target, CellSession& session) {
  v1::Outcome set;
  const bool sets = !args.acl_read.empty() || !args.acl_write.empty() || !args.acl_change.empty();
  if (sets) {
    if (auto failure = OpenAndCall(session, target, v1::OPEN_CHANGE_ACL, SetAclCommand(args), &set)) return failure;
  }
  v1::Outcome outcome;
  const auto failure = OpenAndCall(session, target, v1::OPEN_READ, On(v1::GET_STAT, 0), &outcome);
  if (failure && sets && outcome.code() == v1::PERMISSION_DENIED) {
    ShowUnreadableAcl(context, args, set);
    return std::nullopt;
  }
  if (failure) return failure;
  if (context.json) {
    Print(AclJson(args.path, outcome.acl_generation(), outcome.acl_read(), outcome.acl_write(), outcome.acl_change(),
                  /*readable=*/true));
    return std::nullopt;
  }
  std::printf("read %s\nwrite %s\nchange %s\ngeneration %llu\n", outcome.acl_read().c_str(), outcome.acl_write().c_str(),
              outcome.acl_change().c_str(), static_cast<unsigned long long>(outcome.acl_generation()));
  return std::nullopt;
}

std::optional<Failure> TakeContents(FileArgs& args) {
  if (!args.has_contents || args.contents == "-") {
    args.contents.clear();
    if (auto failure = ReadInput(STDIN_FILENO, "standard input", kContentBytesMax, &args.contents)) return failure;
  }
  if (args.contents.size() <= kContentBytesMax) return std::nullopt;
  return Failure{net_real::kExitBadData, "too_large",
                 "the contents are more than " + std::to_string(kContentBytesMax) + " bytes", "store less, or a reference to it"};
}

int RunVerb(const Context& context, const FileArgs& args, Work work) {
  GlobalName target;
  if (auto failure = ParseTarget(args.path, &target)) return Report(context, *failure);
  CellSession session(context, target.cell);
  if (!args.stale) {
    if (auto failure = session.Open()) return Report(context, *failure);
  }
  if (auto failure = work(context, args, target, session)) return Report(context, *failure);
  return net_real::kExitOk;
}

// Checks what can be checked before a cell is asked.
int RunPut(const Context& context, FileArgs args) {
  GlobalName target;
  if (auto failure = ParseTarget(args.path, &target)) return Report(context, *failure);
  if (auto failure = TakeContents(args)) return Report(context, *failure);
  return RunVerb(context, args, Put);
}

int RunCreate(const Context& context, FileArgs args) {
  if (args.directory && args.has_contents && !args.both)
    return Report(context, UsageFailure("a directory has no contents", "leave out --dir or VALUE, or add --both"));
  if (args.both && !args.directory)
    return Report(context, UsageFailure("--both without --dir is not offered", "add --dir"));
  if (args.owned && (args.directory || args.ephemeral))
    return Report(context, UsageFailure("--owned with --dir or --ephemeral is not offered", "leave out one of them"));
  if (args.directory && args.ephemeral)
    return Report(context, UsageFailure("--dir with --ephemeral is not offered", "leave out one of them"));
  if (args.has_contents) {
    if (auto failure = TakeContents(args)) return Report(context, *failure);
  }
  return RunVerb(context, args, Create);
}

CLI::App* AddVerb(CLI::App& app, Context& context, const std::string& name, const std::string& help,
                  std::shared_ptr<FileArgs> args, Work work) {
  CLI::App* verb = app.add_subcommand(name, help);
  verb->add_option("path", args->path, "/ls/<cell>/...")->required()->type_name("PATH");
  verb->callback([args, work, &context] { context.run = [args, work, &context] { return RunVerb(context, *args, work); }; });
  return verb;
}

void AddReadVerb(CLI::App& app, Context& context, const std::string& name, const std::string& help, Work work) {
  const auto args = std::make_shared<FileArgs>();
  CLI::App* const verb = AddVerb(app, context, name, help, args, work);
  const auto set = [args](const std::string& mode) { args->stale = mode == "stale"; };
  verb->add_option_function<std::string>("--read", set, "current, or stale: as any one replica has it, even without a majority")
      ->check(CLI::IsMember({"current", "stale"}))
      ->type_name("MODE")
      ->default_str("current");
}

void AddContents(CLI::App& verb, const std::shared_ptr<FileArgs>& args, const std::string& help) {
  const auto set = [args](const std::string& text) {
    args->contents = text;
    args->has_contents = true;
  };
  verb.add_option_function<std::string>("value", set, help)->type_name("VALUE");
}

}  // namespace

void AddFileVerbs(CLI::App& app, Context& context) {
  AddReadVerb(app, context, "ls", "List the children of a directory", List);
  AddReadVerb(app, context, "cat", "Print the contents of a file", Cat);
  auto add_args = std::make_shared<FileArgs>();
  CLI::App* add = AddVerb(app, context, "add", "Add to the number in a file, and print it", add_args, AddNumber);
  add->add_option("delta", add_args->delta, "What to add; after -- if it is negative")->required()->type_name("INTEGER");
  add->add_option("--min", add_args->min, "Fail if the sum would be less")->type_name("INTEGER");
  add->add_option("--max", add_args->max, "Fail if the sum would be more")->type_name("INTEGER");
  auto put_args = std::make_shared<FileArgs>();
  CLI::App* put = AddVerb(app, context, "put", "Set the contents of a file, creating it if needed", put_args, Put);
  AddContents(*put, put_args, "Contents; standard input if absent or -");
  put->add_option("--if-generation", put_args->if_generation, "Only if the content generation is this one")->type_name("N");
  put->callback([put_args, &context] { context.run = [put_args, &context] { return RunPut(context, *put_args); }; });
  auto create_args = std::make_shared<FileArgs>();
  CLI::App* create = AddVerb(app, context, "create", "Create a file or directory; its parent must exist", create_args, Create);
  AddContents(*create, create_args, "Initial contents; - for standard input");
  create->add_flag("--dir", create_args->directory, "A directory");
  create->add_flag("--ephemeral", create_args->ephemeral, "A file that goes when this command ends; it stays until a signal");
  create->add_flag("--owned", create_args->owned, "A file that goes when this command's session ends; it stays until a signal");
  create->add_flag("--both", create_args->both, "With --dir: a directory that has contents as well");
  create->callback(
      [create_args, &context] { context.run = [create_args, &context] { return RunCreate(context, *create_args); }; });
  AddVerb(app, context, "rm", "Remove a file or an empty directory", std::make_shared<FileArgs>(), Remove);
  AddReadVerb(app, context, "stat", "Show a node's numbers and its lock", Stat);
  auto acl_args = std::make_shared<FileArgs>();
  CLI::App* acl = AddVerb(app, context, "acl", "Show or set the ACL names of a node", acl_args, ShowAcl);
  acl->add_option("--read", acl_args->acl_read, "ACL of those who may read it")->type_name("NAME");
  acl->add_option("--write", acl_args->acl_write, "ACL of those who may write, lock and remove it, and make children")
      ->type_name("NAME");
  acl->add_option("--change", acl_args->acl_change, "ACL of those who may set these names")->type_name("NAME");
  acl->add_option("--if-generation", acl_args->if_generation, "Only if the ACL generation is this one")->type_name("N");
  acl->footer(
      "An ACL is the file /acl/NAME of the cell: principals, separated by blanks or line ends. 'everyone' and 'nobody' need no\n"
      "file; a file that does not exist lists nobody. New nodes take the names of their directory. Rights are looked at when a\n"
      "node is opened, removed, or its ACL names are set. Exit 77: permission denied.");
}

}  // namespace bramah::cli

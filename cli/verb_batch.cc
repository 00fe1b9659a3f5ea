// batch: changes of several nodes, all or none, read as lines [D-61].
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cli/context.h"
#include "cli/input.h"
#include "cli/session.h"
#include "nlohmann/json.hpp"

namespace bramah::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kGrammar =
    "  if PATH exists | absent | generation N | is VALUE    every guard must be true\n"
    "  put PATH VALUE        write a file that exists\n"
    "  add PATH N            add to the number in a file that exists\n"
    "  create PATH [VALUE]   make a file\n"
    "  mkdir PATH            make a directory\n"
    "  rm PATH               remove\n"
    "  else                  what follows is done if a guard is false\n"
    "A VALUE is the rest of the line. Empty lines, and lines that begin with #, count for nothing.";

constexpr size_t kScriptBytesMax = 64 << 20;  // of the largest batch that the cell may take: every part as large as it can be

// One guard or change; its handle is filled in when the node is open.
struct Line {
  uint64_t number = 0;
  GlobalName target;
  v1::Command part;
};

struct Script {
  std::vector<Line> guards, parts, otherwise;
};

Failure Malformed(uint64_t number, const std::string& what) {
  return {net_real::kExitUsage, "bad_batch", "line " + std::to_string(number) + ": " + what, "see 'bramah batch --help'"};
}

bool ByHandle(const v1::Command& part) { return part.path().empty(); }

std::optional<int64_t> NumberIn(const std::string& text) {
  std::istringstream in(text);
  int64_t number = 0;
  return in >> number && in.eof() ? std::optional(number) : std::nullopt;
}

// The first word of `text`, which loses it and the blanks behind it.
std::string TakeWord(std::string& text) {
  const size_t end = std::min(text.find(' '), text.size());
  std::string word = text.substr(0, end);
  text.erase(0, std::min(text.find_first_not_of(' ', end), text.size()));
  return word;
}

// False: the words behind the path are not what they must be.
bool ReadGuard(std::string rest, const std::string& path, v1::Command& guard) {
  guard.set_kind(v1::GUARD);
  const std::string what = TakeWord(rest);
  const std::optional<int64_t> number = NumberIn(rest);
  if (what == "absent") guard.set_path(path);
  if (what == "exists" || what == "absent") return rest.empty();
  if (what == "is") {
    guard.set_equals(true);
    guard.set_contents(rest);
    return true;
  }
  guard.set_compare(true);
  guard.set_generation(static_cast<uint64_t>(number.value_or(0)));
  return what == "generation" && number.value_or(-1) >= 0;
}

bool ReadChange(const std::string& word, const std::string& rest, const std::string& path, v1::Command& change) {
  if (word == "put" || word == "create") change.set_contents(rest);
  if (word == "create" || word == "mkdir") {
    change.set_kind(v1::CREATE);
    change.set_path(path);
    if (word == "mkdir") change.set_open_flags(v1::OPEN_DIRECTORY);
    return word == "create" || rest.empty();
  }
  if (word == "put") change.set_kind(v1::SET_CONTENTS);
  if (word == "rm") change.set_kind(v1::DELETE);
  if (word == "add") change.set_kind(v1::ADD);
  const std::optional<int64_t> number = NumberIn(rest);
  change.set_delta(word == "add" ? number.value_or(0) : 0);
  return word == "put" || (word == "rm" && rest.empty()) || (word == "add" && number.has_value());
}

std::optional<Failure> Parse(std::istream& in, Script* script) {
  std::vector<Line>* changes = &script->parts;
  std::string text;
  for (uint64_t number = 1; std::getline(in, text); ++number) {
    if (text.empty() || text[0] == '#') continue;
    const std::string word = TakeWord(text);
    if (word == "else" && text.empty() && changes == &script->parts) {
      changes = &script->otherwise;
      continue;
    }
    Line line;
    line.number = number;
    const std::string path = TakeWord(text);
    if (path.empty()) return Malformed(number, "'" + word + "' names no path");
    if (auto failure = ParseTarget(path, &line.target)) return failure;
    const bool guard = word == "if";
    if (guard && changes != &script->parts) return Malformed(number, "a guard behind 'else'");
    const bool good = guard ? ReadGuard(text, line.target.path, line.part) : ReadChange(word, text, line.target.path, line.part);
    if (!good) return Malformed(number, "'" + word + "' cannot be followed by that");
    (guard ? script->guards : *changes).push_back(std::move(line));
  }
  if (in.bad()) return Failure{net_real::kExitIo, "io", "cannot read the batch", "check where it comes from"};
  if (script->guards.empty() && script->parts.empty()) {
    return Failure{net_real::kExitUsage, "bad_batch", "nothing is to be done", "see 'bramah batch --help'"};
  }
  return std::nullopt;
}

std::vector<Line*> AllOf(Script& script) {
  std::vector<Line*> all;
  for (std::vector<Line>* lines : {&script.guards, &script.parts, &script.otherwise}) {
    for (Line& line : *lines) all.push_back(&line);
  }
  return all;
}

// One handle for each node that is there; for writing if anything is to be changed through it.
std::optional<Failure> OpenNodes(CellSession& session, Script& script) {
  std::map<std::string, uint32_t> flags;
  std::map<std::string, uint64_t> handles;
  for (const Line* line : AllOf(script)) {
    if (ByHandle(line->part)) flags[line->target.path] |= line->part.kind() == v1::GUARD ? v1::OPEN_READ : v1::OPEN_WRITE;
  }
  for (Line* line : AllOf(script)) {
    if (!ByHandle(line->part)) continue;
    const std::string& path = line->target.path;
    if (handles.count(path) == 0) {
      v1::Outcome opened;
      if (auto failure = session.OpenNode(line->target, {.flags = flags[path]}, &opened)) return failure;
      handles[path] = opened.handle();
    }
    line->part.set_handle(handles[path]);
  }
  return std::nullopt;
}

// What a refusal is about, as the user wrote it.
std::string Culprit(const Script& script, const v1::Outcome& outcome) {
  const bool guards = !outcome.guarded() && script.otherwise.empty();
  const std::vector<Line>& lines = guards || outcome.code() == v1::GUARD_FAILED ? script.guards
                                   : outcome.guarded()                         ? script.parts
                                                                               : script.otherwise;
  if (outcome.failed() >= lines.size()) return "the batch";
  const Line& line = lines[outcome.failed()];
  return FormatGlobalName(line.target.cell, line.target.path) + " (line " + std::to_string(line.number) + ")";
}

void PrintDone(const Context& context, const Script& script, const v1::Outcome& outcome) {
  if (!context.json) {
    std::printf("%s\n", outcome.guarded() ? "done" : "done otherwise");
    return;
  }
  ordered_json changes = ordered_json::array();
  const std::vector<Line>& done = outcome.guarded() ? script.parts : script.otherwise;
  for (size_t i = 0; i < done.size() && static_cast<int>(i) < outcome.parts_size(); ++i) {
    const v1::Outcome& part = outcome.parts(static_cast<int>(i));
    changes.push_back({{"path", FormatGlobalName(done[i].target.cell, done[i].target.path)},
                       {"created", part.created()},
                       {"instance", part.instance()},
                       {"content_generation", part.content_generation()},
                       {"value", part.value()}});
  }
  const ordered_json json = {{"guarded", outcome.guarded()}, {"changes", changes}};
  std::printf("%s\n", json.dump(2, ' ', false, ordered_json::error_handler_t::replace).c_str());
}

std::optional<Failure> Make(const Context& context, Script& script) {
  const std::vector<Line*> all = AllOf(script);
  const std::string& cell = all.front()->target.cell;
  for (const Line* line : all) {
    if (line->target.cell != cell) return Malformed(line->number, "another cell than '" + cell + "'");
  }
  CellSession session(context, cell);
  if (auto failure = session.Open()) return failure;
  if (auto failure = OpenNodes(session, script)) return failure;
  v1::Command batch;
  batch.set_kind(v1::BATCH);
  for (const Line& line : script.guards) *batch.add_guards() = line.part;
  for (const Line& line : script.parts) *batch.add_parts() = line.part;
  for (const Line& line : script.otherwise) *batch.add_otherwise() = line.part;
  v1::Outcome outcome;
  if (session.Call(batch, "the batch", &outcome)) return FailureOfOutcome(outcome, Culprit(script, outcome));
  PrintDone(context, script, outcome);
  return std::nullopt;
}

int RunBatch(const Context& context, const std::string& file) {
  std::string text;
  if (auto failure = ReadInputFile(file, kScriptBytesMax, &text)) return Report(context, *failure);
  if (text.size() > kScriptBytesMax) {
    const std::string cause = "the batch is more than " + std::to_string(kScriptBytesMax) + " bytes";
    return Report(context, {net_real::kExitBadData, "too_large", cause, "change less at once"});
  }
  Script script;
  std::istringstream in(text);
  if (auto failure = Parse(in, &script)) return Report(context, *failure);
  if (auto failure = Make(context, script)) return Report(context, *failure);
  return net_real::kExitOk;
}

}  // namespace

void AddBatchVerb(CLI::App& app, Context& context) {
  const auto file = std::make_shared<std::string>("-");
  CLI::App* const verb = app.add_subcommand("batch", "Change several nodes at once: all of it happens, or nothing");
  verb->add_option("file", *file, "Lines as below; - for standard input")->capture_default_str()->type_name("FILE");
  verb->footer(std::string("Lines:\n") + kGrammar);
  verb->callback([file, &context] { context.run = [file, &context] { return RunBatch(context, *file); }; });
}

}  // namespace bramah::cli

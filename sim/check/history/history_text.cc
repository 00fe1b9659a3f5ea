#include "sim/check/history/history_text.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/api/sequencer.h"
#include "core/base/hash.h"

namespace bramah::sim {
namespace {

constexpr char kExpect[] = "# expect: ";

struct Kind {
  const char* name;
  v1::CommandKind kind;
};
constexpr Kind kKinds[] = {{"open", v1::OPEN},       {"set", v1::SET_CONTENTS}, {"get", v1::GET_CONTENTS},
                           {"stat", v1::GET_STAT},   {"delete", v1::DELETE},    {"list", v1::READ_DIR},
                           {"acquire", v1::ACQUIRE}, {"release", v1::RELEASE},  {"close", v1::CLOSE},
                           {"add", v1::ADD},         {"set_acl", v1::SET_ACL},  {"get_sequencer", v1::GET_SEQUENCER},
                           {"check", v1::CHECK_SEQUENCER}, {"set_sequencer", v1::SET_SEQUENCER}};

v1::LockMode ModeOf(const std::string& word) {
  return word == "exclusive" ? v1::EXCLUSIVE : word == "shared" ? v1::SHARED : v1::FREE;
}

int64_t Signed(const std::string& text) {
  int64_t number = 0;
  return absl::SimpleAtoi(text, &number) ? number : 0;
}

uint64_t Number(const std::string& text) {
  uint64_t number = 0;
  return absl::SimpleAtoi(text, &number) ? number : 0;
}

// "key=value" or "key".
struct Word {
  explicit Word(const std::string& text) {
    const std::vector<std::string> parts = absl::StrSplit(text, absl::MaxSplits('=', 1));
    key = parts[0];
    if (parts.size() > 1) value = parts[1];
  }
  std::string key;
  std::string value;
};

bool ReadFlag(const Word& word, v1::Command& command) {
  uint32_t flags = command.open_flags();
  if (word.key == "create") flags |= v1::OPEN_MAY_CREATE;
  if (word.key == "must_create") flags |= v1::OPEN_MUST_CREATE;
  if (word.key == "ephemeral") flags |= v1::OPEN_EPHEMERAL;
  if (word.key == "owned") flags |= v1::OPEN_SESSION_OWNED;
  if (word.key == "dir") flags |= v1::OPEN_DIRECTORY;
  const bool flag = flags != command.open_flags();
  command.set_open_flags(flags);
  const v1::LockMode mode = ModeOf(word.key);
  if (mode != v1::FREE) command.set_mode(mode);
  return flag || mode != v1::FREE;
}

bool ReadBound(const Word& word, v1::Command& command) {
  if (word.key != "min" && word.key != "max") return false;
  command.set_bounded(true);
  word.key == "min" ? command.set_min(Signed(word.value)) : command.set_max(Signed(word.value));
  return true;
}

bool ReadCommandWord(const Word& word, v1::Command& command) {
  if (word.key == "handle") {
    command.set_handle(Number(word.value));
  } else if (word.key == "value") {
    command.set_contents(word.value);
  } else if (word.key == "if") {
    command.set_compare(true);
    command.set_generation(Number(word.value));
  } else if (word.key == "read") {
    command.set_acl_read(word.value);
  } else if (word.key == "write") {
    command.set_acl_write(word.value);
  } else if (word.key == "sequencer") {
    command.set_sequencer(word.value);
  } else {
    return ReadFlag(word, command) || ReadBound(word, command);
  }
  return true;
}

// From name, instance, generation and permit, and the mode that the command names.
std::string SequencerOf(const v1::Command& command) {
  std::vector<std::string> parts = absl::StrSplit(command.sequencer(), ':');
  parts.resize(4);
  const Sequencer sequencer{"cell",         parts[0], Position(Number(parts[1])), command.mode(), Position(Number(parts[2])),
                            static_cast<uint32_t>(Number(parts[3]))};
  return FormatSequencer(sequencer, MacKey{1, 2});
}

bool ReadChild(const Word& word, v1::Outcome& outcome) {
  const std::vector<std::string> parts = absl::StrSplit(word.value, ':');
  if (word.key != "child" || parts.size() != 3) return false;
  v1::ChildStat& child = *outcome.add_children();
  child.set_name(parts[0]);
  child.set_instance(Number(parts[1]));
  child.set_content_generation(Number(parts[2]));
  outcome.set_child_count(static_cast<uint64_t>(outcome.children_size()));
  return true;
}

// Of ACLs, lock and children.
bool ReadRemark(const Word& word, v1::Outcome& outcome) {
  if (word.key == "acl") {
    outcome.set_acl_generation(Number(word.value));
  } else if (word.key == "read") {
    outcome.set_acl_read(word.value);
  } else if (word.key == "write") {
    outcome.set_acl_write(word.value);
  } else if (word.key == "lock") {
    outcome.set_lock_generation(Number(word.value));
  } else if (ModeOf(word.key) != v1::FREE) {
    outcome.set_lock_mode(ModeOf(word.key));
  } else if (word.key == "permit") {
    outcome.set_permit(static_cast<uint32_t>(Number(word.value)));
  } else if (word.key == "permits") {
    outcome.set_permits(static_cast<uint32_t>(Number(word.value)));
  } else if (word.key == "holders") {
    outcome.set_lock_holders(static_cast<uint32_t>(Number(word.value)));
  } else if (word.key == "changed") {
    outcome.set_children_changed(Number(word.value));
  } else if (word.key == "children") {
    outcome.set_child_count(Number(word.value));
  } else if (word.key == "made") {
    outcome.set_children_made(Number(word.value));
  } else {
    return false;
  }
  return true;
}

bool ReadOutcomeWord(const Word& word, v1::Outcome& outcome) {
  if (word.key == "handle") {
    outcome.set_handle(Number(word.value));
  } else if (word.key == "instance") {
    outcome.set_instance(Number(word.value));
  } else if (word.key == "generation") {
    outcome.set_content_generation(Number(word.value));
  } else if (word.key == "created") {
    outcome.set_created(true);
  } else if (word.key == "ephemeral") {
    outcome.set_ephemeral(true);
  } else if (word.key == "owner") {
    outcome.set_owner(Number(word.value));
  } else if (word.key == "dir") {
    outcome.set_directory(true);
  } else if (word.key == "value") {
    outcome.set_contents(word.value);
    outcome.set_value(Signed(word.value));
    outcome.set_checksum(Hash64(word.value));
  } else {
    return ReadChild(word, outcome) || ReadRemark(word, outcome);
  }
  return true;
}

class Reader {
 public:
  bool Line(const std::vector<std::string>& words) {
    if (words.size() < 4 || words[1].size() < 2 || words[1][0] != 'c') return false;
    const uint32_t client = static_cast<uint32_t>(Number(words[1].substr(1)));
    const CallId call(Number(words[2]));
    if (words[0] == "call" && words.size() >= 5) return Called(client, call, words);
    return words[0] == "answer" && Answered(client, call, words);
  }
  bool Called(uint32_t client, CallId call, const std::vector<std::string>& words) {
    v1::Command command;
    for (const Kind& kind : kKinds) {
      if (words[3] == kind.name) command.set_kind(kind.kind);
    }
    for (size_t i = 5; i < words.size(); ++i) {
      if (!ReadCommandWord(Word(words[i]), command)) return false;
    }
    if (command.kind() == v1::ADD) command.set_delta(Signed(command.contents()));
    if (!command.sequencer().empty()) command.set_sequencer(SequencerOf(command));
    history.Called(client, call, command, words[4] == "-" ? "" : words[4]);
    return command.kind() != v1::NONE;
  }
  bool Answered(uint32_t client, CallId call, const std::vector<std::string>& words) {
    v1::Outcome outcome;
    v1::Code code;
    if (!v1::Code_Parse(absl::AsciiStrToUpper(words[3]), &code)) return false;
    outcome.set_code(code);
    outcome.set_permits(1);
    for (size_t i = 4; i < words.size(); ++i) {
      if (!ReadOutcomeWord(Word(words[i]), outcome)) return false;
    }
    if (const auto problem = history.Answered(client, call, outcome)) {
      verdict = {HistoryVerdict::kBad, "history.reply", *problem};
    }
    return true;
  }

  History history;
  HistoryVerdict verdict;
};

}  // namespace

TextVerdict JudgeText(std::string_view text, uint64_t search_max) {
  TextVerdict result;
  Reader reader;
  for (const std::string& raw : std::vector<std::string>(absl::StrSplit(std::string(text), '\n'))) {
    const std::string line(absl::StripAsciiWhitespace(raw));
    if (absl::StartsWith(line, kExpect)) result.expected = line.substr(sizeof(kExpect) - 1);
    if (line.empty() || line[0] == '#') continue;
    if (!reader.Line(absl::StrSplit(line, ' ', absl::SkipEmpty()))) {
      result.error = line;
      return result;
    }
    if (reader.verdict.kind == HistoryVerdict::kBad) {
      result.verdict = reader.verdict;
      return result;
    }
  }
  reader.history.Close();
  result.verdict = JudgeHistory(reader.history, search_max);
  return result;
}

}  // namespace bramah::sim

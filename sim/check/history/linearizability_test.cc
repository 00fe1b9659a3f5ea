#include "sim/check/history/linearizability.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/hash.h"
#include "core/base/keyed.h"
#include "core/wire/wire.pb.h"
#include "sim/check/history/brute_force.h"
#include "sim/check/history/history_text.h"

namespace bramah::sim {
namespace {

// ---------------------------------------------------------------------------------------------------------------- stories

constexpr const char* kStories[] = {
#include "sim/check/history/stories.inc"
};

class Story : public testing::TestWithParam<const char*> {};

TEST_P(Story, IsJudgedAsItsFolderSays) {
  std::ifstream file(GetParam());
  std::stringstream text;
  text << file.rdbuf();
  ASSERT_FALSE(text.str().empty());
  const TextVerdict judged = JudgeText(text.str());
  ASSERT_EQ(judged.error, "");
  if (std::string(GetParam()).find("/ok/") != std::string::npos) {
    EXPECT_EQ(judged.expected, "");
    EXPECT_EQ(judged.verdict.kind, HistoryVerdict::kOk) << judged.verdict.message;
  } else {
    EXPECT_EQ(judged.verdict.kind, HistoryVerdict::kBad);
    EXPECT_EQ(judged.verdict.checker, judged.expected) << judged.verdict.message;
    EXPECT_NE(judged.verdict.message, "");
  }
}

std::string StoryName(const testing::TestParamInfo<const char*>& info) {
  std::string path = info.param;
  path = path.substr(path.find("history/") + 8);
  path = path.substr(0, path.size() - 4);
  std::replace(path.begin(), path.end(), '/', '_');
  return path;
}
INSTANTIATE_TEST_SUITE_P(Testdata, Story, testing::ValuesIn(kStories), StoryName);

// ----------------------------------------------------------------------------------------------- against the definition

// Draws that follow one another.
class Dice {
 public:
  explicit Dice(uint64_t seed) : seed_(seed) {}
  uint64_t Roll(uint64_t sides) {
    const uint64_t draw = Draw(seed_, 1, 2, ++ordinal_);
    return Below(draw, sides);
  }

 private:
  uint64_t seed_;
  uint64_t ordinal_ = 0;
};

// The file of MakeHistory: what its contents are.
struct File {
  uint64_t value = 0;
  bool legible = false;
  std::optional<int64_t> number;

  void Set(const std::string& text) {
    const Contents contents = ContentsOf(text);
    value = *contents.hash;
    legible = true;
    number = contents.number;
  }
};

// An Add to `file`, done or refused.
void DrawAdd(Dice& dice, File& file, Operation& operation) {
  Addend add;
  add.delta = static_cast<int64_t>(dice.Roll(7)) - 3;
  if (dice.Roll(3) > 0) add.min = -static_cast<int64_t>(dice.Roll(3));
  if (dice.Roll(3) > 0) add.max = static_cast<int64_t>(dice.Roll(5));
  operation.add = add;
  const std::optional<int64_t> sum = file.number ? add.To(*file.number) : std::nullopt;
  operation.kind = sum ? Operation::kWrite : Operation::kRefusal;
  if (sum) file.Set(std::to_string(*sum));
}

// A random write: of something unique, or in a history of numbers most often of one, or an Add.
void DrawWrite(Dice& dice, bool numbers, size_t i, File& file, Operation& operation) {
  operation.kind = Operation::kWrite;
  const uint64_t what = numbers ? dice.Roll(8) : 0;
  if (what == 0) file.Set("w" + std::to_string(i));
  if (what == 1) file.Set("");
  if (what == 2) file.Set(std::to_string(dice.Roll(4)));
  if (what > 2) DrawAdd(dice, file, operation);
}

// An answer that tells of another number.
void LieOfNumbers(Dice& dice, Operation& victim) {
  const int64_t by = 1 + static_cast<int64_t>(dice.Roll(3));
  if (!victim.number || victim.maybe) return;
  const int64_t number = *victim.number + (dice.Roll(2) == 0 ? by : -by);
  if (victim.kind == Operation::kSee) victim.SetContents(ContentsOf(std::to_string(number)));
  if (victim.kind == Operation::kRefusal) victim.number = number;
  if (victim.kind == Operation::kWrite && victim.add) victim.SetContents(ContentsOf(std::to_string(number)));
}

// What a correct cell answers to random operations that overlap; some outcomes are withheld, and some answers are falsified.
std::vector<Operation> MakeHistory(uint64_t seed, bool numbers) {
  Dice dice(seed);
  const size_t count = 3 + dice.Roll(6);
  std::vector<Operation> operations(count);
  // The operations take effect in order; calls and answers stray around these instants.
  const uint64_t stray = 1 + dice.Roll(60);
  bool there = false;
  uint64_t instance = 0;
  uint64_t generation = 0;
  File file;
  bool ephemeral = false;
  const bool may_be_ephemeral = dice.Roll(3) == 0;
  const uint64_t withheld = dice.Roll(3);
  for (size_t i = 0; i < count; ++i) {
    Operation& operation = operations[i];
    const uint64_t instant = 100 + 20 * i;
    operation.client = static_cast<uint32_t>(i + 1);
    operation.call = CallId(1);
    operation.called = (instant - dice.Roll(stray)) * 64 + i;
    operation.answered = (instant + dice.Roll(stray)) * 64 + 32 + i;
    operation.instance = instance;
    operation.generation = generation;
    if (there && ephemeral && dice.Roll(4) == 0) there = false;
    const uint64_t what = dice.Roll(6);
    if (!there && what < 4) {
      there = true;
      instance += 1 + dice.Roll(3);
      generation = 1;
      file.Set(!numbers ? "c" + std::to_string(i) : dice.Roll(2) == 0 ? "" : std::to_string(dice.Roll(4)));
      ephemeral = may_be_ephemeral && dice.Roll(2) == 0;
      operation.kind = Operation::kCreate;
    } else if (!there) {
      operation.kind = what == 4 || instance == 0 ? Operation::kAbsent : Operation::kGone;
    } else if (what < 2 || (numbers && what < 4)) {
      DrawWrite(dice, numbers, i, file, operation);
      if (operation.kind == Operation::kWrite) ++generation;
    } else if (what == 2) {
      operation.kind = Operation::kRemove;
      there = false;
    } else if (what == 3) {
      operation.kind = Operation::kPresent;
    } else {
      operation.kind = Operation::kSee;
      operation.has_value = dice.Roll(2) == 0;
      operation.legible = operation.has_value && dice.Roll(3) > 0;
    }
    operation.instance = operation.kind == Operation::kAbsent ? 0 : instance;
    operation.ephemeral = operation.instance != 0 && ephemeral;  // the opening of the handle told
    operation.generation = generation;
    operation.value = file.value;
    if (operation.kind == Operation::kCreate || operation.kind == Operation::kWrite) operation.has_value = true;
    const bool refused = operation.kind == Operation::kRefusal;
    if (refused || (operation.has_value && operation.kind != Operation::kSee)) operation.legible = true;
    if (operation.legible) operation.number = file.number;
    const bool changes = operation.has_value && operation.kind != Operation::kSee;
    if ((changes || refused || operation.kind == Operation::kRemove) && dice.Roll(3) < withheld) {
      operation.maybe = true;
      operation.answered = Operation::kForever;
      if (operation.kind == Operation::kCreate) operation.instance = 0;
      if (operation.kind != Operation::kWrite || dice.Roll(2) == 0) operation.generation = 0;
      if (refused) operation.kind = Operation::kWrite;
      if (refused) operation.generation = 0;
      if (operation.add) operation.SetContents({});
    }
  }
  for (uint64_t lies = dice.Roll(4); lies > 0; --lies) {
    Operation& victim = operations[dice.Roll(count)];
    const uint64_t how = dice.Roll(numbers ? 8 : 5);
    if (how == 0 && victim.kind == Operation::kSee) victim.generation = 1 + dice.Roll(4);
    if (how == 1) std::swap(victim.called, operations[dice.Roll(count)].called);
    if (how == 2 && victim.kind == Operation::kPresent) {
      victim.kind = Operation::kAbsent;
      victim.instance = 0;
    }
    if (how == 3 && victim.kind == Operation::kAbsent) victim.kind = Operation::kPresent;
    if (how > 4) LieOfNumbers(dice, victim);
    if (how == 4 && !victim.maybe) victim.called = victim.answered - 1;
    for (Operation& operation : operations) operation.called = std::min(operation.called, operation.answered - 1);
  }
  return operations;
}

// A client can name an instance only because some answer named it before.
bool NamesComeFromAnswers(const std::vector<Operation>& operations) {
  return std::all_of(operations.begin(), operations.end(), [&](const Operation& one) {
    return one.instance == 0 || std::any_of(operations.begin(), operations.end(), [&](const Operation& other) {
             return other.instance == one.instance && !other.maybe && other.kind != Operation::kGone;
           });
  });
}

// "Exists" without a name is excused by any creation of unknown outcome: the judge does not count how often it was used.
bool MayBeExcused(const std::vector<Operation>& operations) {
  const auto has = [&](auto&& predicate) { return std::any_of(operations.begin(), operations.end(), predicate); };
  return has([](const Operation& o) { return o.kind == Operation::kPresent && o.instance == 0; }) &&
         has([](const Operation& o) { return o.kind == Operation::kCreate && o.maybe; });
}

std::string Written(const std::vector<Operation>& operations) {
  std::string text;
  for (const Operation& operation : operations) {
    text += Describe(operation) + " value " + std::to_string(operation.value) + (operation.has_value ? "! " : " ") +
            (operation.ephemeral ? "ephemeral " : "") + std::to_string(operation.called) + " .. " +
            std::to_string(operation.answered);
    if (operation.add) text += " adds " + std::to_string(operation.add->delta);
    if (operation.add) text += " [" + std::to_string(operation.add->min) + ", " + std::to_string(operation.add->max) + "]";
    if (operation.legible) text += operation.number ? " = " + std::to_string(*operation.number) : " = none";
    text += "\n";
  }
  return text;
}

class AgainstTheDefinition : public testing::TestWithParam<bool> {};

TEST_P(AgainstTheDefinition, AgreesOnSmallHistories) {
  uint64_t good = 0;
  uint64_t bad = 0;
  for (uint64_t seed = 0; seed < 20'000; ++seed) {
    const std::vector<Operation> operations = MakeHistory(seed, GetParam());
    if (!NamesComeFromAnswers(operations)) continue;
    const bool expected = IsLinearizable(operations);
    const HistoryVerdict verdict = JudgePath("/a", operations, {});
    ASSERT_NE(verdict.kind, HistoryVerdict::kInconclusive);
    ++(expected ? good : bad);
    if ((verdict.kind == HistoryVerdict::kOk) == expected) continue;
    if (!expected && MayBeExcused(operations)) continue;
    FAIL() << "seed " << seed << ": expected " << (expected ? "ok" : "bad") << ", judged " << verdict.message << "\n"
           << Written(operations);
  }
  EXPECT_GT(good, 5'000u);
  EXPECT_GT(bad, 1'000u);
}
INSTANTIATE_TEST_SUITE_P(Contents, AgainstTheDefinition, testing::Bool(),
                         [](const auto& info) { return info.param ? "Numbers" : "Texts"; });

// ---------------------------------------------------------------------------------------------------------------- limits

// Overlapping questions that each fit many places, and one answer that fits none: everything would have to be tried.
TEST(LinearizabilityTest, GivesUpAtTheLimit) {
  std::vector<Operation> operations;
  uint64_t clock = 100;
  for (uint64_t i = 0; i < 12; ++i) {
    Operation create;
    create.kind = Operation::kCreate;
    create.instance = i + 1;
    create.generation = 1;
    create.called = 10 + i;
    create.answered = 10'000 + i;
    Operation remove = create;
    remove.kind = Operation::kRemove;
    remove.called = 50 + i;
    remove.answered = 20'000 + i;
    operations.push_back(create);
    operations.push_back(remove);
    Operation absent;
    absent.kind = Operation::kAbsent;
    absent.called = clock += 10;
    absent.answered = clock + 5;
    operations.push_back(absent);
  }
  EXPECT_EQ(JudgePath("/a", operations, {}, 1).kind, HistoryVerdict::kInconclusive);
  EXPECT_EQ(JudgePath("/a", operations, {}).kind, HistoryVerdict::kOk);
}

// 600 s of 100 clients: the size that a bench run judges. A quadratic judge would not come back in the time of a quick test.
TEST(LinearizabilityTest, JudgesLongHistories) {
  std::vector<Operation> operations;
  uint64_t clock = 0;
  for (uint64_t generation = 1; generation <= 60'000; ++generation) {
    Operation write;
    write.kind = generation == 1 ? Operation::kCreate : Operation::kWrite;
    write.instance = 7;
    write.generation = generation;
    write.has_value = true;
    write.value = 1'000 + generation;
    write.called = ++clock;
    Operation read = write;
    read.kind = Operation::kSee;
    read.called = ++clock;
    write.answered = ++clock;
    read.answered = ++clock;
    if (generation % 40 == 2) {
      write.maybe = true;
      write.answered = Operation::kForever;
      write.generation = 0;
    }
    operations.push_back(write);
    operations.push_back(read);
  }
  EXPECT_EQ(JudgePath("/a", operations, {}).kind, HistoryVerdict::kOk);
  operations.back().answered = 5;
  operations.back().called = 4;
  EXPECT_EQ(JudgePath("/a", operations, {}).kind, HistoryVerdict::kBad);
}

Operation AddOf(int64_t delta, uint64_t called) {
  Operation operation;
  operation.kind = Operation::kWrite;
  operation.instance = 7;
  operation.add = Addend{delta};
  operation.called = called;
  return operation;
}

// A counter that `adds` of them were added to without an answer, and a read of `sum` a generation later for each.
std::vector<Operation> UnknownAdds(int64_t adds, int64_t sum) {
  std::vector<Operation> operations;
  Operation create;
  create.kind = Operation::kCreate;
  create.instance = 7;
  create.generation = 1;
  create.SetContents(ContentsOf(""));
  create.called = 1;
  create.answered = 2;
  operations.push_back(create);
  for (int64_t i = 0; i < adds; ++i) {
    operations.push_back(AddOf(int64_t{1} << i, 3));
    operations.back().maybe = true;
  }
  Operation read = create;
  read.kind = Operation::kSee;
  read.generation = 1 + static_cast<uint64_t>(adds) / 2;
  read.SetContents(ContentsOf(std::to_string(sum)));
  read.called = 10;
  read.answered = 11;
  operations.push_back(read);
  return operations;
}

// 8 Adds that are powers of two, of which 4 took effect: every sum is of one choice only, and whether there is one is found out.
// With 24 that takes too long for an answer, which must not be a false alarm.
TEST(LinearizabilityTest, TriesSumsUpToTheLimit) {
  EXPECT_EQ(JudgePath("/n", UnknownAdds(8, 1 + 4 + 32 + 128), {}).kind, HistoryVerdict::kOk);
  const HistoryVerdict bad = JudgePath("/n", UnknownAdds(8, 1 + 4 + 128), {});
  EXPECT_EQ(bad.kind, HistoryVerdict::kBad);
  EXPECT_EQ(bad.sums_unjudged, 0u);
  const HistoryVerdict open = JudgePath("/n", UnknownAdds(24, (1 << 11) - 1), {});
  EXPECT_EQ(open.kind, HistoryVerdict::kOk);
  EXPECT_EQ(open.sums_unjudged, 1u);
}

// Refusals that overlap everything fit many places each. Without them the rest is judged.
TEST(LinearizabilityTest, GivesUpRefusalsBeforeAnythingElse) {
  std::vector<Operation> operations = UnknownAdds(12, 5);
  operations.pop_back();
  for (uint64_t i = 0; i < 12; ++i) {
    Operation refusal = AddOf(1, 100 + 10 * i);
    refusal.kind = Operation::kRefusal;
    refusal.answered = refusal.called + 5;
    refusal.legible = true;
    refusal.number = static_cast<int64_t>(4'095 - i);  // falls, and that cannot be
    operations.push_back(refusal);
  }
  const HistoryVerdict verdict = JudgePath("/n", operations, {}, 50);
  EXPECT_EQ(verdict.kind, HistoryVerdict::kOk);
  EXPECT_EQ(verdict.sums_unjudged, 1u);
}

// What the Adds of a long run cost: some of unknown outcome, seen by what follows, and some refused at the bounds.
TEST(LinearizabilityTest, JudgesLongHistoriesOfAdds) {
  std::vector<Operation> operations = UnknownAdds(0, 0);
  operations.pop_back();
  uint64_t clock = 10;
  int64_t number = 0;
  for (uint64_t generation = 2; generation <= 60'000; ++generation) {
    Operation add = AddOf(generation % 20 < 10 ? 1 : -1, ++clock);
    add.generation = generation;
    add.SetContents(ContentsOf(std::to_string(number += add.add->delta)));
    add.answered = clock + 3;
    if (generation % 400 == 2) {
      add.maybe = true;
      add.generation = 0;
      add.answered = Operation::kForever;
      add.SetContents({});
    }
    operations.push_back(add);
    clock += 4;
    if (generation % 20 != 9) continue;
    Operation refusal = AddOf(1, clock - 2);
    refusal.kind = Operation::kRefusal;
    refusal.answered = ++clock;
    refusal.legible = true;
    refusal.number = number;
    operations.push_back(refusal);
  }
  EXPECT_EQ(JudgePath("/n", operations, {}).kind, HistoryVerdict::kOk);
  operations.back().kind = Operation::kRefusal;
  operations.back().number = 77;
  EXPECT_EQ(JudgePath("/n", operations, {}).kind, HistoryVerdict::kBad);
}

// ------------------------------------------------------------------------------------------------------- clocks that lie

class OneFile {
 public:
  explicit OneFile(bool reads_count) : history_(reads_count) {
    v1::Command open;
    open.set_kind(v1::OPEN);
    open.set_open_flags(v1::OPEN_WRITE | v1::OPEN_MAY_CREATE);
    v1::Outcome made = Seen(1, "");
    made.set_created(true);
    Do(open, made);
  }
  static v1::Outcome Seen(uint64_t generation, std::string_view contents) {
    v1::Outcome outcome;
    outcome.set_handle(1);
    outcome.set_instance(5);
    outcome.set_content_generation(generation);
    outcome.set_contents(std::string(contents));
    outcome.set_checksum(Hash64(contents));
    return outcome;
  }
  void Write(uint64_t generation, const std::string& contents) {
    v1::Command write;
    write.set_kind(v1::SET_CONTENTS);
    write.set_handle(1);
    write.set_contents(contents);
    Do(write, Seen(generation, contents));
  }
  void Read(uint64_t generation, const std::string& contents) {
    v1::Command read;
    read.set_kind(v1::GET_CONTENTS);
    read.set_handle(1);
    Do(read, Seen(generation, contents));
  }
  HistoryVerdict::Kind Judge(const std::vector<std::string>& ignored = {}) {
    history_.Close();
    return JudgeHistory(history_, kSearchSteps, ignored).kind;
  }

 private:
  void Do(const v1::Command& command, const v1::Outcome& outcome) {
    history_.Called(1, CallId(++calls_), command, "/f");
    EXPECT_FALSE(history_.Answered(1, CallId(calls_), outcome).has_value());
  }
  History history_;
  uint64_t calls_ = 0;
};

TEST(LyingHistory, AReadMayBeOldOnlyIfReadsDoNotCount) {
  for (const bool reads_count : {true, false}) {
    OneFile calls(reads_count);
    calls.Write(2, "a");
    calls.Read(1, "");
    EXPECT_EQ(calls.Judge(), reads_count ? HistoryVerdict::kBad : HistoryVerdict::kOk);
  }
}

TEST(JudgeHistory, PassesOverWhatIsIgnored) {
  for (const char* ignored : {"history.linearizable", "history.reply"}) {
    OneFile calls(true);
    calls.Write(2, "a");
    calls.Read(1, "");
    const bool passed = std::string(ignored) == "history.linearizable";
    EXPECT_EQ(calls.Judge({ignored}), passed ? HistoryVerdict::kOk : HistoryVerdict::kBad);
  }
}

TEST(LyingHistory, AWriteMayNeverBeLost) {
  OneFile calls(false);
  calls.Write(2, "a");
  calls.Write(2, "b");
  EXPECT_EQ(calls.Judge(), HistoryVerdict::kBad);
}

}  // namespace
}  // namespace bramah::sim

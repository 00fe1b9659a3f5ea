#include <gtest/gtest.h>

#include <string>

#include "core/api/effects.h"
#include "core/api/files.h"
#include "core/api/path.h"
#include "core/api/sequencer.h"

namespace bramah {
namespace {

TEST(Path, C01AcceptsTheGrammarAndFormatsItBack) {
  for (const char* name : {"/ls/demo", "/ls/demo/a", "/ls/demo/a/b c/\xc3\xa9"}) {
    const auto parsed = ParseGlobalName(name);
    ASSERT_TRUE(parsed.has_value()) << name;
    EXPECT_EQ(FormatGlobalName(parsed->cell, parsed->path), name);
  }
  EXPECT_EQ(ParseGlobalName("/ls/demo")->path, "/");
  EXPECT_EQ(ParseGlobalName("/ls/demo/")->path, "/");
}

TEST(Path, C01RefusesEverythingElse) {
  for (const char* name : {"", "/", "/ls", "/ls/", "ls/demo/a", "/ls//a", "/ls/demo//a", "/ls/demo/a/", "/ls/./a",
                           "/ls/demo/..", "/ls/demo/a/./b", "/ls/demo/\xff", "/ls/demo/\xc0\xaf", "/ls/demo/\xed\xa0\x80"}) {
    EXPECT_FALSE(ParseGlobalName(name).has_value()) << name;
  }
  EXPECT_FALSE(IsCellPath(std::string("/a\0b", 4)));
}

TEST(Path, LimitsAreInclusive) {
  EXPECT_TRUE(IsCellPath("/" + std::string(255, 'a')));
  EXPECT_FALSE(IsCellPath("/" + std::string(256, 'a')));
  std::string deep;
  for (int i = 0; i < 64; ++i) deep += "/d";
  EXPECT_TRUE(IsCellPath(deep));
  EXPECT_EQ(FaultOfPath(deep + "/d"), v1::TOO_DEEP);
  EXPECT_EQ(FaultOfPath(deep + "/d/.."), v1::BAD_NAME);
  EXPECT_EQ(FaultOfGlobalName("/ls/demo" + deep), v1::OK);
  EXPECT_EQ(FaultOfGlobalName("/ls/demo" + deep + "/d"), v1::TOO_DEEP);
  EXPECT_EQ(FaultOfGlobalName("/ls/.." + deep + "/d"), v1::BAD_NAME);
}

TEST(Path, ParentAndBase) {
  EXPECT_EQ(ParentPath("/a/b"), "/a");
  EXPECT_EQ(ParentPath("/a"), "/");
  EXPECT_EQ(BaseName("/a/b"), "b");
}

const Sequencer kSequencer{"demo", "/a/b:c d", Position(0x3000000000012), v1::EXCLUSIVE, Position(0x30000000000ff)};
const MacKey kKey{11, 22};

// [C-32]
TEST(SequencerText, SaysNameInstanceModeAndGeneration) {
  for (const v1::LockMode mode : {v1::SHARED, v1::EXCLUSIVE}) {
    Sequencer sequencer = kSequencer;
    sequencer.mode = mode;
    const std::string text = FormatSequencer(sequencer, kKey);
    EXPECT_EQ(ParseSequencer(text), sequencer);
    EXPECT_EQ(VerifySequencer(text, kKey), sequencer);
    const std::string letter = mode == v1::SHARED ? "s" : "x";
    EXPECT_EQ(text.substr(0, 39), "s1:" + letter + ":0003000000000012:00030000000000ff:");
    EXPECT_EQ(text.substr(56), "/ls/demo/a/b:c%20d");
  }
}

TEST(SequencerText, NamesThePermitOfALockThatHasSeveral) {
  for (const auto& [permit, letters] : {std::pair(0u, "x:"), std::pair(1u, "x1:"), std::pair(1'023u, "x3ff:")}) {
    Sequencer sequencer = kSequencer;
    sequencer.permit = permit;
    const std::string text = FormatSequencer(sequencer, kKey);
    EXPECT_EQ(text.substr(3, std::string(letters).size()), letters);
    EXPECT_EQ(VerifySequencer(text, kKey), sequencer);
  }
  const std::string text = FormatSequencer(kSequencer, kKey);
  for (const char* other : {"s1:x0:", "s1:x01:", "s1:s1:", "s1:xg:", "s1::", "s1:x123456789:"}) {
    EXPECT_FALSE(ParseSequencer(other + text.substr(5)).has_value()) << other;
  }
}

TEST(SequencerText, IsPrintableWhateverTheNameAndNeverTooLong) {
  std::string path;
  while (path.size() + 256 <= kPathBytesMax) path += "/" + std::string(255, '\n');
  for (const std::string& name : {path, std::string("/a\r\nX: 1\x1b%\x7f"), std::string("/\xc3\xa9"), std::string("/")}) {
    const Sequencer sequencer{std::string(255, '\t'), name, Position(1), v1::SHARED, Position(2)};
    const std::string text = FormatSequencer(sequencer, kKey);
    for (const char c : text) EXPECT_TRUE(c > ' ' && c <= '~') << text;
    EXPECT_LE(text.size(), kSequencerBytesMax);
    EXPECT_EQ(VerifySequencer(text, kKey), sequencer);
  }
}

TEST(SequencerText, NoChangedCharacterAndNoOtherKeyPasses) {
  const std::string text = FormatSequencer(kSequencer, kKey);
  EXPECT_FALSE(VerifySequencer(text, {11, 23}).has_value());
  EXPECT_FALSE(VerifySequencer(text, {22, 11}).has_value());
  EXPECT_FALSE(VerifySequencer(FormatSequencer(kSequencer, {}), {}).has_value()) << "there is no key";
  for (size_t at = 0; at < text.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = text;
      changed[at] = static_cast<char>(changed[at] ^ 1 << bit);
      EXPECT_FALSE(VerifySequencer(changed, kKey).has_value()) << changed;
    }
  }
}

TEST(SequencerText, NothingElseParses) {
  const std::string text = FormatSequencer(kSequencer, kKey);
  const std::string before = text.substr(0, 56);
  for (size_t size = 0; size <= 60; ++size) EXPECT_FALSE(ParseSequencer(text.substr(0, size)).has_value()) << size;
  for (const std::string& other :
       {text + "/", "s2" + text.substr(2), "s1:f" + text.substr(4), before + "/a", before + "/ls/demo/", before + "/ls/demo/a%2",
        before + "/ls/demo/a%2g", before + "/ls/demo/%61", before + "/ls/demo/a b", before + "/ls/demo/%C3%A9",
        before + "/ls/demo/" + std::string(20'000, 'a')}) {
    EXPECT_FALSE(ParseSequencer(other).has_value()) << other;
  }
  EXPECT_TRUE(ParseSequencer(before + "/ls/demo/%c3%a9").has_value());
  std::string capital = text;
  capital[17] = 'A';
  EXPECT_FALSE(ParseSequencer(capital).has_value()) << "there is one way to write a number";
}

TEST(Files, NamesRoundTripAndNothingElseParses) {
  for (const FileId id : {FileId{FileKind::kIdentity, 0}, FileId{FileKind::kIdentityTmp, 0}, FileId{FileKind::kVote, 0},
                          FileId{FileKind::kVote, 1}, FileId{FileKind::kSegment, 0xabc}, FileId{FileKind::kSnapshot, 7},
                          FileId{FileKind::kSnapshotTmp, 7}}) {
    EXPECT_EQ(ParseFileName(FileName(id)), id);
  }
  for (const char* name : {"", "vote-2", "wal-1", "wal-000000000000000G", "snapshot-0000000000000001.bak", "lost+found"}) {
    EXPECT_FALSE(ParseFileName(name).has_value()) << name;
  }
}

TEST(Effects, KeepsOrderAndRecyclesBodies) {
  Effects effects;
  v1::Ping& first = effects.Send<v1::Ping>(ConnId(2), After{3, 0});
  first.set_number(9);
  effects.Arm(TimerId::kRetry, 77);
  effects.Reply(CallId(5)).set_code(v1::EXISTS);
  ASSERT_EQ(effects.ops().size(), 3u);
  EXPECT_EQ(effects.send(effects.ops()[0]).after.log, 3u);
  EXPECT_EQ(effects.timer(effects.ops()[1]).at, 77);
  EXPECT_EQ(effects.reply(effects.ops()[2]).outcome->code(), v1::EXISTS);
  effects.Clear();
  v1::Ping& again = effects.Send<v1::Ping>(ConnId(2));
  EXPECT_EQ(&again, &first);
  EXPECT_EQ(again.number(), 0u);
}

TEST(Effects, OneBodyMayGoToSeveralConnections) {
  Effects effects;
  effects.Send<v1::Ping>(ConnId(2), After{3, 0}).set_number(9);
  effects.SendAgain(ConnId(4));
  ASSERT_EQ(effects.ops().size(), 2u);
  const Effects::SendOp& first = effects.send(effects.ops()[0]);
  const Effects::SendOp& second = effects.send(effects.ops()[1]);
  EXPECT_EQ(first.to, ConnId(2));
  EXPECT_EQ(second.to, ConnId(4));
  EXPECT_EQ(second.body, first.body);
  EXPECT_EQ(second.kind, MessageKind::kPing);
  EXPECT_EQ(second.after, first.after);
}

}  // namespace
}  // namespace bramah

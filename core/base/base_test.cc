#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <string>

#include "core/base/blob.h"
#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/base/keyed.h"
#include "core/base/mac.h"
#include "core/base/probe.h"
#include "core/base/shared.h"
#include "core/base/small_map.h"
#include "core/base/time.h"

namespace bramah {
namespace {

TEST(SmallMap, FindsWhatWasInsertedAndGoesByTheOrderOfKeys) {
  SmallMap<int, std::string> map;
  EXPECT_EQ(map.Find(1), nullptr);
  for (const int key : {3, 1, 2}) map[key] = std::string(static_cast<size_t>(key), 'x');
  map[3] = "three";
  ASSERT_NE(map.Find(2), nullptr);
  EXPECT_EQ(*map.Find(2), "xx");
  EXPECT_FALSE(map.contains(4));
  std::string seen;
  for (const auto& [key, value] : map) seen += value + ",";
  EXPECT_EQ(seen, "x,xx,three,");
  map.clear();
  EXPECT_EQ(map.size(), 0u);
}

TEST(Hash, Crc32cMatchesPublishedVectors) {
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720 B.4
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

TEST(Hash, Crc32cOfPartsEqualsCrc32cOfWhole) {
  const std::string text = "coarse-grained locks, small reliable files";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(Crc32c(text.substr(cut), Crc32c(text.substr(0, cut))), Crc32c(text));
  }
}

TEST(Hash, Hash64MatchesPublishedVectors) { EXPECT_EQ(Hash64(""), 0x2d06800538d394c2u); }

TEST(Hash, FoldDependsOnOrder) { EXPECT_NE(FoldHash(FoldHash(1, 2), 3), FoldHash(FoldHash(1, 3), 2)); }

TEST(Keyed, DrawsStayInTheirBounds) {
  std::set<int64_t> seen;
  for (uint64_t i = 0; i < 1000; ++i) {
    const int64_t v = Between(Draw(7, 1, 2, i), -3, 3);
    ASSERT_GE(v, -3);
    ASSERT_LE(v, 3);
    seen.insert(v);
  }
  EXPECT_EQ(seen.size(), 7u);
}

TEST(Keyed, EveryPartOfTheKeyMatters) {
  const uint64_t base = Draw(1, 2, 3, 4);
  EXPECT_NE(base, Draw(2, 2, 3, 4));
  EXPECT_NE(base, Draw(1, 3, 3, 4));
  EXPECT_NE(base, Draw(1, 2, 4, 4));
  EXPECT_NE(base, Draw(1, 2, 3, 5));
}

TEST(Keyed, ChanceIsCloseToItsRate) {
  int hits = 0;
  for (uint64_t i = 0; i < 100'000; ++i) hits += Chance(Draw(3, 1, 1, i), 250'000) ? 1 : 0;
  EXPECT_NEAR(hits, 25'000, 600);
}

TEST(Blob, SharesAndOutlives) {
  Blob copy;
  {
    const Blob original("abc");
    copy = original;
    EXPECT_EQ(copy.view().data(), original.view().data());
  }
  EXPECT_EQ(copy.view(), "abc");
  EXPECT_EQ(copy, Blob("abc"));
  EXPECT_TRUE(Blob("").empty());
}

TEST(Bytes, RoundTripAndShortRead) {
  std::string out;
  ByteWriter writer(&out);
  writer.U8(1);
  writer.U16(2);
  writer.U32(3);
  writer.U64(4);
  writer.I64(-5);
  writer.Bytes("six");
  ByteReader reader(out);
  EXPECT_EQ(reader.U8(), 1);
  EXPECT_EQ(reader.U16(), 2);
  EXPECT_EQ(reader.U32(), 3u);
  EXPECT_EQ(reader.U64(), 4u);
  EXPECT_EQ(reader.I64(), -5);
  EXPECT_EQ(reader.Bytes(), "six");
  EXPECT_TRUE(reader.Finished());
  EXPECT_EQ(reader.U64(), 0u);
  EXPECT_FALSE(reader.ok());
}

// The vectors of the function's authors: key 00 01 .. 0f, messages 00 01 .. of growing length.
TEST(Mac, AgreesWithThePublishedVectors) {
  const MacKey key{0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
  std::string message;
  for (int i = 0; i < 15; ++i) message += static_cast<char>(i);
  EXPECT_EQ(Mac(key, std::string_view(message).substr(0, 0)), 0x726fdb47dd0e0e31u);
  EXPECT_EQ(Mac(key, std::string_view(message).substr(0, 1)), 0x74f839c593dc67fdu);
  EXPECT_EQ(Mac(key, std::string_view(message).substr(0, 2)), 0x0d6c8009d9a94f5au);
  EXPECT_EQ(Mac(key, std::string_view(message).substr(0, 8)), 0x93f5f5799a932462u);
  EXPECT_EQ(Mac(key, message), 0xa129ca6149be45e5u);
}

TEST(Mac, DependsOnEveryBitOfTheKeyAndTheLength) {
  const uint64_t plain = Mac({}, "message");
  EXPECT_NE(Mac({}, std::string_view("message\0", 8)), plain);
  for (int bit = 0; bit < 64; ++bit) {
    EXPECT_NE(Mac({uint64_t{1} << bit, 0}, "message"), plain);
    EXPECT_NE(Mac({0, uint64_t{1} << bit}, "message"), plain);
  }
}

TEST(Bytes, LengthBeyondTheEndFails) {
  std::string out;
  ByteWriter writer(&out);
  writer.U32(1000);
  ByteReader reader(out);
  EXPECT_EQ(reader.Bytes(), "");
  EXPECT_FALSE(reader.ok());
}

TEST(Shared, LastHolderFreesIt) {
  Shared<std::string> none;
  EXPECT_FALSE(none);
  Shared<std::string> first(std::string(100, 'x'));
  {
    const Shared<std::string> second = first;
    first = Shared<std::string>("other");
    EXPECT_EQ(second->size(), 100u);
    none = second;
  }
  EXPECT_EQ(*none, std::string(100, 'x'));
  EXPECT_EQ(*first, "other");
  const Shared<std::string> moved = std::move(none);
  EXPECT_EQ(moved->size(), 100u);
}

TEST(Time, ShrinkRoundsDown) {
  EXPECT_EQ(ShrinkByDrift(12 * kSecond, 1000), 11'976'023'976);
  EXPECT_EQ(ShrinkByDrift(5, 0), 5);
  EXPECT_EQ(ShrinkByDrift(1, 1000), 0);
}

TEST(Ids, ZeroIsNone) {
  EXPECT_FALSE(Term());
  EXPECT_TRUE(Term(1));
  EXPECT_LT(Term(1), Term(1).Next());
  EXPECT_EQ(LogIndex(9) - LogIndex(4), 5u);
}

TEST(Check, CallsTheInstalledHandler) {
  const CheckHandler previous = SetCheckHandler([](const CheckFailure& f) { throw std::runtime_error(f.condition); });
  EXPECT_THROW(BRAMAH_CHECK(1 == 2), std::runtime_error);
  BRAMAH_CHECK(1 == 1);
  SetCheckHandler(previous);
}

TEST(Probe, EachHasANameAndIsReachedAlone) {
  for (size_t i = 0; i < kProbeCount; ++i) {
    Probes probes;
    SOMETIMES(probes, kElectionWon, false);
    probes.Reach(static_cast<ProbeId>(i));
    EXPECT_EQ(probes.bits(), uint64_t{1} << i);
    EXPECT_FALSE(ProbeName(static_cast<ProbeId>(i)).empty());
    EXPECT_FALSE(ProbeMeaning(static_cast<ProbeId>(i)).empty());
  }
}

}  // namespace
}  // namespace bramah

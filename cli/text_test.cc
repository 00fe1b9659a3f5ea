#include "cli/text.h"

#include "gtest/gtest.h"

namespace bramah::cli {
namespace {

TEST(TextTest, ReadsDurations) {
  EXPECT_EQ(ParseDuration("500ms"), 500 * kMillisecond);
  EXPECT_EQ(ParseDuration("5s"), 5 * kSecond);
  EXPECT_EQ(ParseDuration("1m30s"), 90 * kSecond);
  EXPECT_EQ(ParseDuration("2h"), 7200 * kSecond);
  EXPECT_EQ(ParseDuration("7us"), 7 * kMicrosecond);
  EXPECT_EQ(ParseDuration("1ns"), 1);
}

TEST(TextTest, RefusesWhatIsNoDuration) {
  for (const char* text : {"", "5", "s", "-5s", "5 s", "1.5s", "5x", "0s", "5s!", "99999999999999999999s", "9999h"}) {
    EXPECT_FALSE(ParseDuration(text).has_value()) << text;
  }
}

TEST(TextTest, WrittenDurationsReadBack) {
  for (const Duration duration : {Duration{1}, 1500 * kMillisecond, 90 * kSecond, 3600 * kSecond + 1, 60 * kSecond}) {
    EXPECT_EQ(ParseDuration(FormatDuration(duration)), duration) << FormatDuration(duration);
  }
  EXPECT_EQ(FormatDuration(60 * kSecond), "1m");
  EXPECT_EQ(FormatDuration(0), "0s");
  EXPECT_EQ(FormatDuration(-kSecond), "-1s");
}

TEST(TextTest, ReadsNumbersInBothBases) {
  EXPECT_EQ(ParseNumber("17"), 17u);
  EXPECT_EQ(ParseNumber("0x1F"), 31u);
  EXPECT_EQ(ParseNumber("18446744073709551615"), UINT64_MAX);
  for (const char* text : {"", "0x", "-1", "1a", "18446744073709551616", " 1"})
    EXPECT_FALSE(ParseNumber(text).has_value()) << text;
}

TEST(TextTest, SeedRangesAreHalfOpenAndNotEmpty) {
  EXPECT_EQ(ParseSeedRange("0..200"), std::make_pair(uint64_t{0}, uint64_t{200}));
  EXPECT_EQ(ParseSeedRange("0x10..20"), std::make_pair(uint64_t{16}, uint64_t{20}));
  for (const char* text : {"", "5", "5..", "..5", "5..5", "6..5", "1..2..3", "a..b"})
    EXPECT_FALSE(ParseSeedRange(text).has_value()) << text;
}

TEST(TextTest, SplitsLists) {
  EXPECT_EQ(SplitList("a,b,,c,", ','), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(SplitList("", ',').empty());
}

TEST(TextTest, KnowsUtf8) {
  EXPECT_TRUE(IsUtf8("plain"));
  EXPECT_TRUE(IsUtf8("gr\xc3\xbc\xc3\x9f\x65 \xe2\x82\xac \xf0\x9f\x94\x92"));
  for (const char* bytes : {"\xff", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"})
    EXPECT_FALSE(IsUtf8(bytes));
}

TEST(TextTest, EncodesBase64) {
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(Base64("f"), "Zg==");
  EXPECT_EQ(Base64("fo"), "Zm8=");
  EXPECT_EQ(Base64("foo"), "Zm9v");
  EXPECT_EQ(Base64("\xff\xfe\xfd\xfc"), "//79/A==");
}

TEST(TextTest, ErrorsStayOnOneLine) {
  EXPECT_EQ(OneLine("a\nb\tc\n"), "a b c");
  EXPECT_EQ(Hex16(255), "00000000000000ff");
}

TEST(TextTest, IntegersAreDecimalAndFit) {
  for (const char* text : {"0", "7", "10", "9223372036854775807"}) EXPECT_EQ(ProblemOfInteger(text, false), "") << text;
  for (const char* text : {"-1", "-9223372036854775808"}) {
    EXPECT_EQ(ProblemOfInteger(text, true), "") << text;
    EXPECT_EQ(ProblemOfInteger(text, false), "'" + std::string(text) + "' is less than 0");
  }
  for (const char* text : {"", "-", "+1", " 1", "1 ", "0x1", "1e3"}) EXPECT_NE(ProblemOfInteger(text, true), "") << text;
  for (const char* text : {"00", "010", "-01"}) EXPECT_NE(ProblemOfInteger(text, true), "") << text;
  EXPECT_EQ(ProblemOfInteger("9223372036854775808", true), "'9223372036854775808' does not fit into 64 bits");
}

TEST(TextTest, NamesAreOneLineAndNoCommands) {
  EXPECT_EQ(Escaped("plain name \xc3\xa9"), "plain name \xc3\xa9");
  EXPECT_EQ(Escaped("a\nb\tc\x1b[2J\x7f"), "a\\nb\\tc\\x1b[2J\\x7f");
}

}  // namespace
}  // namespace bramah::cli

#include "cli/token_file.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "gtest/gtest.h"

namespace bramah::cli {
namespace {

namespace fs = std::filesystem;

class TokenFileTest : public testing::Test {
 protected:
  void SetUp() override { fs::remove(path_); }
  void TearDown() override { fs::remove(path_); }
  void Write(const std::string& text) { std::ofstream(path_) << text; }

  const std::string path_ = testing::TempDir() + "/token";
  const SessionToken token_{0x10000000005, 0xfedcba9876543210, 7};
};

TEST_F(TokenFileTest, IsPrivateAndEmptyAtFirst) {
  TokenFile file;
  ASSERT_FALSE(file.Open(path_).has_value());
  EXPECT_FALSE(file.former().has_value());
  struct stat status;
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(TokenFileTest, ALaterLifeFindsWhatWasKept) {
  {
    TokenFile file;
    ASSERT_FALSE(file.Open(path_).has_value());
    ASSERT_FALSE(file.Keep({1, 2, 3}).has_value());
    ASSERT_FALSE(file.Keep(token_).has_value());
  }
  TokenFile later;
  ASSERT_FALSE(later.Open(path_).has_value());
  ASSERT_TRUE(later.former().has_value());
  EXPECT_EQ(*later.former(), token_);
}

TEST_F(TokenFileTest, NothingIsFoundOfASessionThatEnded) {
  {
    TokenFile file;
    ASSERT_FALSE(file.Open(path_).has_value());
    ASSERT_FALSE(file.Keep(token_).has_value());
    file.Clear();
  }
  TokenFile later;
  ASSERT_FALSE(later.Open(path_).has_value());
  EXPECT_FALSE(later.former().has_value());
}

TEST_F(TokenFileTest, WhoKeptNothingClearsNothing) {
  for (const std::string& text : {FormatToken(token_), std::string("something else")}) {
    Write(text);
    {
      TokenFile file;
      file.Open(path_);
      file.Clear();
    }
    EXPECT_EQ(fs::file_size(path_), text.size());
  }
}

TEST_F(TokenFileTest, OneAtATime) {
  TokenFile file;
  ASSERT_FALSE(file.Open(path_).has_value());
  TokenFile other;
  const auto failure = other.Open(path_);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->exit_code, net_real::kExitConflict);
  EXPECT_EQ(failure->code, "token_in_use");
}

TEST_F(TokenFileTest, WhatIsNoTokenIsRefusedAndLeftAlone) {
  const std::string good = FormatToken(token_);
  for (const std::string& text : {std::string("x"), good.substr(1), good + "\n", good.substr(0, good.size() - 1),
                                  FormatToken({0, 1, 2}), std::string(4'096, 'a'), std::string(good.size(), '\0')}) {
    Write(text);
    TokenFile file;
    const auto failure = file.Open(path_);
    ASSERT_TRUE(failure.has_value()) << text;
    EXPECT_EQ(failure->exit_code, net_real::kExitBadData);
    std::ifstream in(path_);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), text);
  }
}

TEST_F(TokenFileTest, WhatIsNoFileIsRefused) {
  for (const std::string& path : {testing::TempDir(), std::string("/dev/null"), testing::TempDir() + "/none/token"}) {
    TokenFile file;
    const auto failure = file.Open(path);
    ASSERT_TRUE(failure.has_value()) << path;
    EXPECT_EQ(failure->exit_code, net_real::kExitIo);
  }
}

}  // namespace
}  // namespace bramah::cli

#include "cli/cell_directory.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "gtest/gtest.h"

namespace bramah::cli {
namespace {

namespace fs = std::filesystem;

class CellDirectoryTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/cell-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
  }
  void TearDown() override { fs::remove_all(path_); }

  void WritePlan(int replicas, bool served) {
    std::string endpoints;
    for (int i = 1; i <= replicas; ++i) endpoints += (i == 1 ? "\"127.0.0.1:" : ",\"127.0.0.1:") + std::to_string(i) + '"';
    std::ofstream(path_ + "/cell.json") << R"({"cell":"demo","endpoints":[)" << endpoints << R"(],"served":)"
                                        << (served ? "true}" : "false}");
  }
  void WriteIdentity(int id) {
    fs::create_directory(path_ + "/r" + std::to_string(id));
    std::ofstream(path_ + "/r" + std::to_string(id) + "/identity") << "x";
  }
  // The code of the refusal; empty if there is none.
  std::string Open(CellDirectory& directory) {
    const auto failure = directory.Open(path_, "", 0);
    EXPECT_TRUE(!failure.has_value() || failure->exit_code == net_real::kExitDirectory);
    return failure.has_value() ? failure->code : "";
  }
  std::string Open() {
    CellDirectory directory;
    return Open(directory);
  }

  std::string path_;
};

// [C-67]
TEST_F(CellDirectoryTest, WhoLostItsDirectoryStaysOutAndTheRestGoOnIfTheyAreAMajority) {
  WritePlan(3, /*served=*/true);
  WriteIdentity(1);
  WriteIdentity(3);
  fs::create_directory(path_ + "/r2");  // left by a first boot that was not finished
  {
    CellDirectory directory;
    ASSERT_EQ(Open(directory), "");
    EXPECT_FALSE(directory.FindLost(1).has_value());
    ASSERT_TRUE(directory.FindLost(2).has_value());
    EXPECT_EQ(directory.FindLost(2)->code, "lost_replica");
    EXPECT_FALSE(directory.FindLost(3).has_value());
  }
  fs::remove_all(path_ + "/r1");
  EXPECT_EQ(Open(), "lost_replica");
}

TEST_F(CellDirectoryTest, HalfIsNoMajority) {
  WritePlan(4, /*served=*/true);
  for (int id = 1; id <= 3; ++id) WriteIdentity(id);
  EXPECT_EQ(Open(), "");
  fs::remove_all(path_ + "/r3");
  EXPECT_EQ(Open(), "lost_replica");
}

TEST_F(CellDirectoryTest, NothingIsLostBeforeTheCellHasServed) {
  WritePlan(3, /*served=*/false);
  CellDirectory directory;
  ASSERT_EQ(Open(directory), "");
  EXPECT_FALSE(directory.FindLost(1).has_value());
  ASSERT_FALSE(directory.NoteServed().has_value());
  EXPECT_TRUE(directory.FindLost(1).has_value());
}

TEST_F(CellDirectoryTest, IsHeldByOneAtATime) {
  auto first = std::make_unique<CellDirectory>();
  ASSERT_EQ(Open(*first), "");
  EXPECT_EQ(Open(), "directory_in_use");
  first.reset();
  EXPECT_EQ(Open(), "");
}

}  // namespace
}  // namespace bramah::cli

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "core/api/path.h"
#include "core/base/hash.h"
#include "core/cell/test_cell.h"

namespace bramah::cell {
namespace {

constexpr uint32_t kFile = v1::OPEN_WRITE | v1::OPEN_MAY_CREATE;
constexpr uint32_t kNew = v1::OPEN_WRITE | v1::OPEN_MUST_CREATE;
constexpr uint32_t kDir = kNew | v1::OPEN_DIRECTORY;
constexpr uint32_t kTemp = kNew | v1::OPEN_EPHEMERAL;

class CellNode : public ::testing::Test {
 protected:
  void SetUp() override {
    a = cell.Session();
    b = cell.Session();
  }
  // Opens with the next seq of a and a handle of the same number.
  v1::Code Open(std::string_view path, uint32_t flags, std::string_view contents = {}) {
    ++seq;
    return cell.Do(OpenPath(a, seq, seq, path, flags, contents));
  }
  TestCell cell;
  uint64_t a = 0, b = 0;
  uint64_t seq = 0;  // of a's last command by Open; also its handle
};

// [C-12, C-13, C-24, C-28]
TEST_F(CellNode, CreationGivesInstanceAndGenerations) {
  ASSERT_EQ(Open("/f", kNew, "hello"), v1::OK);
  const v1::Outcome open = cell.applied().outcome;
  EXPECT_TRUE(open.created());
  EXPECT_FALSE(open.directory());
  EXPECT_FALSE(open.ephemeral());
  EXPECT_EQ(open.instance(), At(cell.index()));
  EXPECT_EQ(open.content_generation(), 1u);
  EXPECT_EQ(open.handle(), seq);
  EXPECT_EQ(open.seq(), seq);
  const v1::Outcome stat = cell.Read(v1::GET_STAT, a, seq);
  EXPECT_EQ(stat.content_generation(), 1u);
  EXPECT_EQ(stat.acl_generation(), 1u);
  EXPECT_EQ(stat.lock_generation(), 0u);
  EXPECT_EQ(stat.content_length(), 5u);
  EXPECT_EQ(stat.checksum(), Hash64("hello"));
  EXPECT_EQ(stat.instance(), open.instance());
  EXPECT_TRUE(stat.contents().empty());
}

// [C-24]
TEST_F(CellNode, OpenOfAnExistingNodeTellsThatItCreatedNothing) {
  ASSERT_EQ(Open("/f", kNew, "one"), v1::OK);
  const uint64_t instance = cell.applied().outcome.instance();
  ASSERT_EQ(Open("/f", kFile | v1::OPEN_EPHEMERAL, "two"), v1::OK);
  EXPECT_FALSE(cell.applied().outcome.created());
  EXPECT_FALSE(cell.applied().outcome.ephemeral());
  EXPECT_EQ(cell.applied().outcome.instance(), instance);
  EXPECT_EQ(cell.Read(v1::GET_CONTENTS, a, seq).contents(), "one");
}

// [C-24]
TEST_F(CellNode, D55MustCreateFailsIfItExists) {
  ASSERT_EQ(Open("/f", kNew), v1::OK);
  EXPECT_EQ(Open("/f", kNew), v1::EXISTS);
  EXPECT_EQ(cell.Do(CloseOf(a, 100, seq)), v1::OK);
  EXPECT_FALSE(cell.applied().effect);  // the failed Open left no handle
}

// [C-03, C-24]
TEST_F(CellNode, OpenWithoutCreationNeedsTheNode) {
  EXPECT_EQ(Open("/f", v1::OPEN_WRITE), v1::NOT_FOUND);
  EXPECT_EQ(Open("/d/f", kFile), v1::NOT_FOUND);
  ASSERT_EQ(Open("/f", kNew), v1::OK);
  EXPECT_EQ(Open("/f/g", kFile), v1::NOT_A_DIRECTORY);
  EXPECT_EQ(Open("/f/g", v1::OPEN_READ), v1::NOT_A_DIRECTORY);
  EXPECT_EQ(Open("/f/g/h", kFile), v1::NOT_FOUND);
  EXPECT_EQ(cell.cell().node_count(), 1u);
}

TEST_F(CellNode, OpenAsDirectoryRefusesAFile) {
  ASSERT_EQ(Open("/f", kNew), v1::OK);
  EXPECT_EQ(Open("/f", v1::OPEN_DIRECTORY), v1::NOT_A_DIRECTORY);
  EXPECT_EQ(Open("/f", kFile | v1::OPEN_DIRECTORY), v1::NOT_A_DIRECTORY);
  ASSERT_EQ(Open("/d", kDir), v1::OK);
  EXPECT_TRUE(cell.applied().outcome.directory());
  EXPECT_EQ(Open("/d", v1::OPEN_READ), v1::OK);
  EXPECT_EQ(Open("/d", kFile), v1::OK);  // a directory may be opened without saying so
}

// [C-01]
TEST_F(CellNode, D51NamesOutsideTheGrammarAreRefused) {
  for (const char* path : {"", "a", "//", "/a/", "/.", "/a/../b", "/\xff"}) EXPECT_EQ(Open(path, kFile), v1::BAD_NAME) << path;
  EXPECT_EQ(Open("/" + std::string(kComponentBytesMax + 1, 'x'), kFile), v1::BAD_NAME);
  EXPECT_EQ(Open("/" + std::string(kComponentBytesMax, 'x'), kFile), v1::OK);
}

TEST_F(CellNode, DepthIsBounded) {
  std::string path;
  for (size_t i = 0; i < kPathDepthMax; ++i) {
    path += "/d";
    ASSERT_EQ(Open(path, kDir), v1::OK) << i;
  }
  EXPECT_EQ(Open(path + "/d", kDir), v1::TOO_DEEP);
}

// [C-19] What an Open that starts from a handle on a directory asks of the cell.
TEST_F(CellNode, OpenThroughADirectoryThatWasReplacedIsStale) {
  const auto open_through = [&](uint64_t instance, std::string_view path) {
    ++seq;
    v1::Command open = OpenPath(a, seq, seq, path, kFile);
    open.set_through(instance);
    return cell.Do(open);
  };
  ASSERT_EQ(Open("/d", kDir), v1::OK);
  const uint64_t old_dir = cell.applied().outcome.instance();
  const uint64_t dir_handle = seq;
  EXPECT_EQ(open_through(old_dir, "/d/f"), v1::OK);
  EXPECT_EQ(open_through(old_dir, "/dd"), v1::STALE_HANDLE);
  EXPECT_EQ(open_through(old_dir, "/d"), v1::STALE_HANDLE) << "it is not below itself";
  ASSERT_EQ(cell.Do(DeleteOf(a, ++seq, dir_handle + 1)), v1::OK);
  ASSERT_EQ(cell.Do(DeleteOf(a, ++seq, dir_handle)), v1::OK);
  ++seq;
  ASSERT_EQ(Open("/d", kDir), v1::OK);
  EXPECT_EQ(open_through(old_dir, "/d/f"), v1::STALE_HANDLE);
  EXPECT_EQ(open_through(cell.applied().outcome.instance() + 1, "/d/f"), v1::STALE_HANDLE);
}

// [C-04, C-75]
TEST_F(CellNode, D58ContentsAreBoundedAndNothingPartialRemains) {
  const std::string most(kContentBytesMax, 'x');
  EXPECT_EQ(Open("/f", kNew, most + "x"), v1::TOO_LARGE);
  EXPECT_EQ(cell.cell().node_count(), 0u);
  ASSERT_EQ(Open("/f", kNew, most), v1::OK);
  EXPECT_EQ(cell.Do(Set(a, 100, seq, most + "x")), v1::TOO_LARGE);
  EXPECT_EQ(cell.Read(v1::GET_STAT, a, seq).content_generation(), 1u);
  EXPECT_EQ(cell.Do(Set(a, 101, seq, most)), v1::OK);
}

// [C-13]
TEST_F(CellNode, C10EveryWriteRaisesTheContentGeneration) {
  ASSERT_EQ(Open("/f", kNew, "x"), v1::OK);
  ASSERT_EQ(cell.Do(Set(a, 100, seq, "y")), v1::OK);
  EXPECT_EQ(cell.applied().outcome.content_generation(), 2u);
  EXPECT_EQ(cell.applied().outcome.checksum(), Hash64("y"));
  EXPECT_EQ(cell.applied().outcome.content_length(), 1u);
  ASSERT_EQ(cell.Do(Set(a, 101, seq, "y")), v1::OK);
  EXPECT_EQ(cell.applied().outcome.content_generation(), 3u);
  EXPECT_EQ(cell.Read(v1::GET_CONTENTS, a, seq).contents(), "y");
}

// [C-29]
TEST_F(CellNode, CompareAndSetWritesOnlyAtTheExpectedGeneration) {
  ASSERT_EQ(Open("/f", kNew, "x"), v1::OK);
  EXPECT_EQ(cell.Do(CompareAndSet(a, 100, seq, "y", 2)), v1::GENERATION_MISMATCH);
  EXPECT_EQ(cell.applied().outcome.content_generation(), 1u);  // what it was compared with
  EXPECT_EQ(cell.Do(CompareAndSet(a, 101, seq, "y", 1)), v1::OK);
  EXPECT_EQ(cell.Do(CompareAndSet(a, 102, seq, "z", 0)), v1::GENERATION_MISMATCH);
  EXPECT_EQ(cell.Read(v1::GET_CONTENTS, a, seq).contents(), "y");
}

// [C-24]
TEST_F(CellNode, WritesNeedAWritableHandle) {
  ASSERT_EQ(Open("/f", v1::OPEN_MUST_CREATE), v1::OK);
  EXPECT_EQ(cell.Do(Set(a, 100, seq, "y")), v1::NOT_WRITABLE);
  EXPECT_EQ(cell.Do(DeleteOf(a, 101, seq)), v1::NOT_WRITABLE);
  EXPECT_TRUE(cell.Exists("/f"));
}

// [C-03]
TEST_F(CellNode, DirectoriesHaveNoContentsAndFilesNoChildren) {
  ASSERT_EQ(Open("/d", kDir), v1::OK);
  EXPECT_EQ(cell.Do(Set(a, 100, seq, "y")), v1::IS_A_DIRECTORY);
  EXPECT_EQ(cell.Read(v1::GET_CONTENTS, a, seq).code(), v1::IS_A_DIRECTORY);
  ASSERT_EQ(Open("/f", kNew), v1::OK);
  EXPECT_EQ(cell.Read(v1::READ_DIR, a, seq).code(), v1::NOT_A_DIRECTORY);
}

TEST_F(CellNode, C27ContentsAndMetadataComeInOneAnswer) {
  ASSERT_EQ(Open("/f", kNew, "hello"), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, 100, seq, v1::SHARED)), v1::OK);
  v1::Command both = ReadOf(v1::GET_CONTENTS, a, seq);
  both.set_with_stat(true);
  const v1::Outcome got = cell.Read(both);
  EXPECT_EQ(got.contents(), "hello");
  v1::Outcome without = got;
  without.clear_contents();
  EXPECT_EQ(without.SerializeAsString(), cell.Read(v1::GET_STAT, a, seq).SerializeAsString());
}

// [C-28]
TEST_F(CellNode, ReadDirListsChildrenInByteOrderWithTheirMetadata) {
  ASSERT_EQ(Open("/d", kDir), v1::OK);
  const uint64_t dir = seq;
  ASSERT_EQ(Open("/d/b", kNew, "bb"), v1::OK);
  const uint64_t instance = cell.applied().outcome.instance();
  ASSERT_EQ(Open("/d/a", kDir | v1::OPEN_EPHEMERAL), v1::OK);
  ASSERT_EQ(Open("/d/a/x", kNew), v1::OK);
  ASSERT_EQ(Open("/d/B", kNew), v1::OK);
  ASSERT_EQ(Open("/d2", kNew), v1::OK);
  const v1::Outcome list = cell.Read(v1::READ_DIR, a, dir);
  ASSERT_EQ(list.code(), v1::OK);
  EXPECT_EQ(list.child_count(), 3u);
  EXPECT_TRUE(list.directory());
  ASSERT_EQ(list.children_size(), 3);
  EXPECT_EQ(list.children(0).name(), "B");
  EXPECT_EQ(list.children(1).name(), "a");
  EXPECT_TRUE(list.children(1).directory());
  EXPECT_TRUE(list.children(1).ephemeral());
  EXPECT_EQ(list.children(2).name(), "b");
  EXPECT_FALSE(list.children(2).directory());
  EXPECT_EQ(list.children(2).content_length(), 2u);
  EXPECT_EQ(list.children(2).content_generation(), 1u);
  EXPECT_EQ(list.children(2).instance(), instance);
}

// [C-20]
TEST_F(CellNode, ReadsNeedASessionAHandleAndAReadCommand) {
  ASSERT_EQ(Open("/f", kNew), v1::OK);
  EXPECT_EQ(cell.Read(v1::GET_STAT, 12345, seq).code(), v1::SESSION_EXPIRED);
  EXPECT_EQ(cell.Read(v1::GET_STAT, a, seq + 1).code(), v1::BAD_HANDLE);
  EXPECT_EQ(cell.Read(v1::GET_STAT, b, seq).code(), v1::BAD_HANDLE);
  EXPECT_EQ(cell.Read(v1::SET_CONTENTS, a, seq).code(), v1::MALFORMED);
}

TEST_F(CellNode, C08DeleteNeedsAnEmptyDirectory) {
  ASSERT_EQ(Open("/d", kDir), v1::OK);
  const uint64_t dir = seq;
  ASSERT_EQ(Open("/d/f", kNew), v1::OK);
  EXPECT_EQ(cell.Do(DeleteOf(a, 100, dir)), v1::NOT_EMPTY);
  ASSERT_EQ(cell.Do(DeleteOf(a, 101, seq)), v1::OK);
  EXPECT_EQ(cell.Do(DeleteOf(a, 102, dir)), v1::OK);
  EXPECT_EQ(cell.cell().node_count(), 0u);
}

// [C-19]
TEST_F(CellNode, TheRootIsPermanent) {
  ASSERT_EQ(Open("/", v1::OPEN_WRITE), v1::OK);
  EXPECT_TRUE(cell.applied().outcome.directory());
  EXPECT_EQ(cell.Do(DeleteOf(a, 100, seq)), v1::ROOT_IS_PERMANENT);
  EXPECT_EQ(Open("/", kNew), v1::EXISTS);
}

// [C-09, C-22, C-23]
TEST_F(CellNode, CL08HandlesStayBoundToADeletedInstance) {
  ASSERT_EQ(Open("/f", kNew, "old"), v1::OK);
  const uint64_t old = seq;
  const uint64_t instance = cell.applied().outcome.instance();
  ASSERT_EQ(cell.Do(DeleteOf(a, 100, old)), v1::OK);
  ASSERT_EQ(Open("/f", kNew, "new"), v1::OK);
  EXPECT_GT(cell.applied().outcome.instance(), instance);  // C-09
  EXPECT_EQ(cell.Do(Set(a, 101, old, "x")), v1::STALE_HANDLE);
  EXPECT_EQ(cell.Do(DeleteOf(a, 102, old)), v1::STALE_HANDLE);
  EXPECT_EQ(cell.Do(AcquireOf(a, 103, old, v1::SHARED)), v1::STALE_HANDLE);
  EXPECT_EQ(cell.Do(ReleaseOf(a, 104, old)), v1::STALE_HANDLE);
  EXPECT_EQ(cell.Read(v1::GET_STAT, a, old).code(), v1::STALE_HANDLE);
  EXPECT_EQ(cell.Do(CloseOf(a, 105, old)), v1::OK);
  EXPECT_EQ(cell.Do(Set(a, 106, old, "x")), v1::BAD_HANDLE);
  EXPECT_EQ(cell.Read(v1::GET_CONTENTS, a, seq).contents(), "new");
}

// [C-25]
TEST_F(CellNode, UnknownHandlesAreBad) {
  EXPECT_EQ(cell.Do(Set(a, 1, 9, "x")), v1::BAD_HANDLE);
  EXPECT_EQ(cell.Do(DeleteOf(a, 2, 9)), v1::BAD_HANDLE);
  EXPECT_EQ(cell.Do(AcquireOf(a, 3, 9, v1::SHARED)), v1::BAD_HANDLE);
  EXPECT_EQ(cell.Do(ReleaseOf(a, 4, 9)), v1::BAD_HANDLE);
  EXPECT_EQ(cell.Do(CloseOf(a, 5, 9)), v1::OK);  // C-25: never fails
}

// [C-20, C-22]
TEST_F(CellNode, A24HandleIdsAreNeverUsedAgain) {
  ASSERT_EQ(cell.Do(OpenPath(a, 1, 7, "/f", kNew)), v1::OK);
  EXPECT_EQ(cell.Do(OpenPath(a, 2, 7, "/f", kFile)), v1::BAD_HANDLE);
  ASSERT_EQ(cell.Do(CloseOf(a, 3, 7)), v1::OK);
  EXPECT_EQ(cell.Do(First(OpenPath(a, 4, 7, "/f", kFile), 4)), v1::BAD_HANDLE);
  EXPECT_EQ(cell.Do(OpenPath(b, 1, 7, "/f", kFile)), v1::OK);  // another session's 7 is another handle
}

// ---- ephemerals

TEST_F(CellNode, C06EphemeralGoesWithItsLastHandleWhoeverCreatedIt) {
  ASSERT_EQ(Open("/e", kTemp), v1::OK);
  EXPECT_TRUE(cell.applied().outcome.ephemeral());
  ASSERT_EQ(cell.Do(OpenPath(b, 1, 1, "/e", v1::OPEN_READ)), v1::OK);
  EXPECT_TRUE(cell.applied().outcome.ephemeral());
  ASSERT_EQ(cell.Do(Expire(a)), v1::OK);
  EXPECT_TRUE(cell.Exists("/e"));  // EP-01
  ASSERT_EQ(cell.Do(CloseOf(b, 2, 1)), v1::OK);
  EXPECT_FALSE(cell.Exists("/e"));
  EXPECT_TRUE(cell.Reached(ProbeId::kEphemeralRemoved));
}

// [C-06]
TEST_F(CellNode, PR12TwoHandlesOfOneSessionAreTwoReferencesAndARetriedCloseDropsOne) {
  ASSERT_EQ(cell.Do(OpenPath(a, 1, 1, "/e", kTemp)), v1::OK);
  ASSERT_EQ(cell.Do(OpenPath(a, 2, 2, "/e", v1::OPEN_READ)), v1::OK);
  ASSERT_EQ(cell.Do(CloseOf(a, 3, 1)), v1::OK);
  ASSERT_EQ(cell.Do(CloseOf(a, 3, 1)), v1::OK);  // EP-05
  EXPECT_TRUE(cell.applied().duplicate);
  ASSERT_EQ(cell.Do(CloseOf(a, 4, 1)), v1::OK);
  EXPECT_TRUE(cell.Exists("/e"));
  ASSERT_EQ(cell.Do(CloseOf(a, 5, 2)), v1::OK);
  EXPECT_FALSE(cell.Exists("/e"));
}

// [C-05]
TEST_F(CellNode, PermanentNodesOutliveHandlesAndSessions) {
  ASSERT_EQ(Open("/f", kNew), v1::OK);
  ASSERT_EQ(cell.Do(Expire(a)), v1::OK);
  EXPECT_TRUE(cell.Exists("/f"));
}

TEST_F(CellNode, C07EphemeralDirectoryStaysWhileItHasChildren) {
  ASSERT_EQ(Open("/e", kDir | v1::OPEN_EPHEMERAL), v1::OK);
  const uint64_t dir = seq;
  ASSERT_EQ(Open("/e/f", kNew), v1::OK);
  ASSERT_EQ(cell.Do(CloseOf(a, 100, dir)), v1::OK);
  EXPECT_TRUE(cell.Exists("/e"));
  ASSERT_EQ(cell.Do(DeleteOf(a, 101, seq)), v1::OK);
  EXPECT_FALSE(cell.Exists("/e"));
}

// [C-07]
TEST_F(CellNode, D47RemovalCascadesUpwardsUntilSomethingKeepsADirectory) {
  ASSERT_EQ(Open("/p", kDir), v1::OK);
  for (const char* path : {"/p/a", "/p/a/b", "/p/a/b/c"}) ASSERT_EQ(Open(path, kDir | v1::OPEN_EPHEMERAL), v1::OK);
  ASSERT_EQ(Open("/p/a/b/c/f", kTemp), v1::OK);
  ASSERT_EQ(cell.Do(CloseOf(a, 100, 4)), v1::OK);  // c
  ASSERT_EQ(cell.Do(CloseOf(a, 101, 3)), v1::OK);  // b
  ASSERT_EQ(cell.Do(CloseOf(a, 102, 2)), v1::OK);  // a
  ASSERT_EQ(cell.Do(CloseOf(a, 103, 1)), v1::OK);  // p
  EXPECT_EQ(cell.cell().node_count(), 5u);
  ASSERT_EQ(cell.Do(CloseOf(a, 104, 5)), v1::OK);
  EXPECT_EQ(cell.cell().node_count(), 1u);
  EXPECT_TRUE(cell.Exists("/p"));
}

// [C-06, C-07]
TEST_F(CellNode, EphemeralsBelowEachOtherGoWithTheSessionInAnyOrderOfHandles) {
  ASSERT_EQ(cell.Do(OpenPath(a, 1, 9, "/e", kDir | v1::OPEN_EPHEMERAL)), v1::OK);
  ASSERT_EQ(cell.Do(OpenPath(a, 2, 5, "/e/d", kDir | v1::OPEN_EPHEMERAL)), v1::OK);
  ASSERT_EQ(cell.Do(OpenPath(a, 3, 7, "/e/d/f", kTemp)), v1::OK);
  ASSERT_EQ(cell.Do(End(a, 4)), v1::OK);
  EXPECT_EQ(cell.cell().node_count(), 0u);
}

// [C-23]
TEST_F(CellNode, EphemeralCanBeDeletedAndItsHandlesGoStale) {
  ASSERT_EQ(Open("/e", kTemp), v1::OK);
  ASSERT_EQ(cell.Do(OpenPath(b, 1, 1, "/e", v1::OPEN_WRITE)), v1::OK);
  ASSERT_EQ(cell.Do(DeleteOf(b, 2, 1)), v1::OK);
  EXPECT_FALSE(cell.Exists("/e"));
  ASSERT_EQ(cell.Do(OpenPath(b, 3, 2, "/e", kTemp)), v1::OK);
  ASSERT_EQ(cell.Do(CloseOf(a, 100, seq)), v1::OK);  // of the former instance
  EXPECT_TRUE(cell.Exists("/e"));
}

TEST_F(CellNode, EphemeralHeldLockGoesWithTheNode) {
  ASSERT_EQ(Open("/e", kTemp), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, 100, seq, v1::EXCLUSIVE)), v1::OK);
  ASSERT_EQ(cell.Do(CloseOf(a, 101, seq)), v1::OK);
  EXPECT_TRUE(cell.cell().HeldLocks().empty());
  EXPECT_FALSE(cell.Exists("/e"));
}

// ---- quotas

// [C-76]
TEST(CellLimits, HandlesChildrenAndSessionsAreBounded) {
  Limits limits;
  limits.sessions_max = 2;
  limits.handles_per_session_max = 3;
  limits.children_max = 2;
  TestCell cell(limits);
  const uint64_t a = cell.Session();
  cell.Session();
  EXPECT_EQ(cell.Do(Create(99)), v1::TOO_MANY_SESSIONS);
  EXPECT_EQ(cell.Do(Create(1)), v1::OK);  // a duplicate is no new session
  ASSERT_EQ(cell.Do(OpenPath(a, 1, 1, "/x", kFile)), v1::OK);
  ASSERT_EQ(cell.Do(OpenPath(a, 2, 2, "/y", kFile)), v1::OK);
  EXPECT_EQ(cell.Do(OpenPath(a, 3, 3, "/z", kFile)), v1::TOO_MANY_CHILDREN);  // children
  ASSERT_EQ(cell.Do(OpenPath(a, 4, 4, "/x", kFile)), v1::OK);
  EXPECT_EQ(cell.Do(OpenPath(a, 5, 5, "/x", kFile)), v1::TOO_MANY_HANDLES);  // handles
  ASSERT_EQ(cell.Do(CloseOf(a, 6, 4)), v1::OK);
  EXPECT_EQ(cell.Do(OpenPath(a, 7, 6, "/x", kFile)), v1::OK);
}

// [C-76]
TEST(CellLimits, ScatteredHandleIdsAreBounded) {
  Limits limits;
  limits.handles_per_session_max = 3;
  TestCell cell(limits);
  const uint64_t a = cell.Session();
  uint64_t seq = 0;
  for (uint64_t id = 10; id < 50; id += 10) {
    ASSERT_EQ(cell.Do(OpenPath(a, ++seq, id, "/x", kFile)), v1::OK);
    ASSERT_EQ(cell.Do(CloseOf(a, ++seq, id)), v1::OK);
  }
  EXPECT_EQ(cell.Do(OpenPath(a, ++seq, 50, "/x", kFile)), v1::TOO_MANY_HANDLES);
}

// ---------------------------------------------------------------------------------------------------------------------- Add

struct CellAdd : CellNode {
  v1::Code Add(int64_t delta, std::optional<std::pair<int64_t, int64_t>> bounds = std::nullopt) {
    const v1::Command add = AddOf(a, ++number, seq, delta);
    return cell.Do(bounds.has_value() ? Bounded(add, bounds->first, bounds->second) : add);
  }
  std::string Contents() { return cell.Read(v1::GET_CONTENTS, a, seq).contents(); }
  int64_t Value() { return cell.applied().outcome.value(); }
  uint64_t number = 100;
};

TEST_F(CellAdd, CountsFromNothingAndIsAWrite) {
  ASSERT_EQ(Open("/n", kNew), v1::OK);
  EXPECT_EQ(Add(5), v1::OK);
  EXPECT_EQ(Add(-12), v1::OK);
  EXPECT_EQ(Value(), -7);
  EXPECT_EQ(Contents(), "-7");
  EXPECT_EQ(cell.applied().outcome.content_generation(), 3u);
  EXPECT_EQ(cell.applied().outcome.content_length(), 2u);
}

TEST_F(CellAdd, BoundsAreKeptAndTheNumberIsTold) {
  ASSERT_EQ(Open("/n", kNew, "9"), v1::OK);
  EXPECT_EQ(Add(2, {{0, 10}}), v1::OUT_OF_BOUNDS);
  EXPECT_EQ(Value(), 9);
  EXPECT_EQ(Add(1, {{0, 10}}), v1::OK);
  EXPECT_EQ(Add(-11, {{0, 10}}), v1::OUT_OF_BOUNDS);
  EXPECT_EQ(Contents(), "10");
}

TEST_F(CellAdd, NothingOverflows) {
  ASSERT_EQ(Open("/n", kNew, "9223372036854775807"), v1::OK);
  EXPECT_EQ(Add(1), v1::OUT_OF_BOUNDS);
  EXPECT_EQ(Add(INT64_MIN), v1::OK);
  EXPECT_EQ(Add(INT64_MIN), v1::OUT_OF_BOUNDS);
  EXPECT_EQ(Contents(), "-1");
}

TEST_F(CellAdd, OnlyToNumbersAsTheyAreWritten) {
  for (const char* text : {"x", "1x", " 1", "+1", "01", "-0", "1.0", "9223372036854775808", "-"}) {
    ASSERT_EQ(Open("/" + std::to_string(number), kNew, text), v1::OK);
    EXPECT_EQ(Add(1), v1::NOT_A_NUMBER) << text;
    EXPECT_EQ(Contents(), text);
  }
}

TEST_F(CellAdd, NeedsAFileThatMayBeWritten) {
  ASSERT_EQ(Open("/d", kDir), v1::OK);
  EXPECT_EQ(Add(1), v1::IS_A_DIRECTORY);
  ASSERT_EQ(Open("/n", kNew), v1::OK);
  ASSERT_EQ(Open("/n", v1::OPEN_READ), v1::OK);
  EXPECT_EQ(Add(1), v1::NOT_WRITABLE);
}

TEST(CellQuota, BytesOfNamesAndContentsAreCounted) {
  Limits limits;
  limits.bytes_max = 10;
  TestCell cell(limits);
  const uint64_t a = cell.Session();
  ASSERT_EQ(cell.Do(OpenPath(a, 1, 1, "/four", kNew, "12345")), v1::OK);
  EXPECT_EQ(cell.Do(OpenPath(a, 2, 2, "/xy", kNew)), v1::CELL_FULL);
  EXPECT_EQ(cell.Do(Set(a, 3, 1, "1234567")), v1::CELL_FULL);
  EXPECT_EQ(cell.Do(Set(a, 4, 1, "123456")), v1::OK) << "exactly full";
  EXPECT_EQ(cell.Do(Set(a, 5, 1, "")), v1::OK) << "less is always possible";
  EXPECT_EQ(cell.Do(OpenPath(a, 6, 2, "/xy", kNew)), v1::OK);
  ASSERT_EQ(cell.Do(DeleteOf(a, 7, 1)), v1::OK);
  EXPECT_EQ(cell.Do(OpenPath(a, 8, 3, "/four", kNew, "1234")), v1::OK);
}

}  // namespace
}  // namespace bramah::cell

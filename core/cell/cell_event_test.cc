// Events [Chubby §2.5]: what a handle that asked for it is told of. The watcher is handle 1 of session w.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/cell/test_cell.h"

namespace bramah::cell {
namespace {

constexpr uint32_t kFile = v1::OPEN_WRITE | v1::OPEN_MAY_CREATE;
constexpr uint32_t kDirectory = kFile | v1::OPEN_DIRECTORY;

class CellEvent : public ::testing::Test {
 protected:
  void SetUp() override {
    w = cell.Session();
    a = cell.Session();
  }
  void Watch(const std::string& path, uint32_t events, uint32_t flags = kFile) {
    ASSERT_EQ(cell.Do(Watching(OpenPath(w, 1, 1, path, flags), events)), v1::OK);
  }
  v1::Code Open(const std::string& path, uint32_t flags = kFile) { return cell.Do(OpenPath(a, ++seq, ++handles, path, flags)); }
  // What the last command told, "contents 2 to 1" for kind, generation and handle; own positions are "now".
  std::vector<std::string> Told() const {
    std::vector<std::string> told;
    for (const Notice& notice : cell.applied().notices) {
      const bool now = notice.generation == At(cell.index());
      const std::string what = now ? "now" : std::to_string(notice.generation);
      const std::string who = (notice.session.value() == w ? "w" : "a") + std::to_string(notice.handle.value());
      told.push_back(v1::EventKind_Name(notice.kind).substr(6) + " " + what + " to " + who);
    }
    return told;
  }
  using Strings = std::vector<std::string>;

  TestCell cell;
  uint64_t w = 0, a = 0;
  uint64_t seq = 0, handles = 0;
};

// [C-38]
TEST_F(CellEvent, AWriteTellsWhoWatchesTheContents) {
  Watch("/f", v1::EVENT_CONTENTS);
  ASSERT_EQ(Open("/f"), v1::OK);
  EXPECT_EQ(Told(), Strings());
  ASSERT_EQ(cell.Do(Set(a, ++seq, 1, "x")), v1::OK);
  EXPECT_EQ(Told(), Strings({"CONTENTS 2 to w1"}));
  ASSERT_EQ(cell.Do(CompareAndSet(a, ++seq, 1, "y", 1)), v1::GENERATION_MISMATCH);
  EXPECT_EQ(Told(), Strings());
}

TEST_F(CellEvent, D23AWriterIsNotToldThroughTheHandleThatWroteButThroughItsOthers) {
  Watch("/f", v1::EVENT_CONTENTS);
  ASSERT_EQ(cell.Do(Watching(OpenPath(w, 2, 2, "/f", kFile), v1::EVENT_CONTENTS)), v1::OK);
  ASSERT_EQ(cell.Do(Set(w, 3, 1, "x")), v1::OK);
  EXPECT_EQ(Told(), Strings({"CONTENTS 2 to w2"}));
}

// [C-39]
TEST_F(CellEvent, ADirectoryTellsOfChildrenMadeWrittenAndRemoved) {
  Watch("/d", v1::EVENT_CHILDREN, kDirectory);
  ASSERT_EQ(Open("/d/f"), v1::OK);
  EXPECT_EQ(Told(), Strings({"CHILDREN now to w1"}));
  ASSERT_EQ(Open("/d/f"), v1::OK);
  EXPECT_EQ(Told(), Strings());
  ASSERT_EQ(cell.Do(Set(a, ++seq, 1, "x")), v1::OK);
  EXPECT_EQ(Told(), Strings({"CHILDREN now to w1"}));
  EXPECT_EQ(cell.Read(v1::GET_STAT, w, 1).children_changed(), At(cell.index()));
  ASSERT_EQ(cell.Do(DeleteOf(a, ++seq, 1)), v1::OK);
  EXPECT_EQ(Told(), Strings({"CHILDREN now to w1"}));
  ASSERT_EQ(cell.Do(OpenPath(w, 2, 2, "/d", v1::OPEN_READ)), v1::OK);
  EXPECT_EQ(cell.applied().outcome.children_changed(), At(cell.index() - 1));
}

// [C-39] Who wants to know whether somebody lives watches the directory: a handle on the file would keep it.
TEST_F(CellEvent, ADirectoryTellsOfAnEphemeralThatGoesWithItsSession) {
  Watch("/d", v1::EVENT_CHILDREN, kDirectory);
  ASSERT_EQ(Open("/d/alive", kFile | v1::OPEN_EPHEMERAL), v1::OK);
  ASSERT_EQ(cell.Do(Expire(a)), v1::OK);
  EXPECT_EQ(Told(), Strings({"CHILDREN now to w1"}));
}

TEST_F(CellEvent, GrandchildrenAreNobodysChildren) {
  Watch("/", v1::EVENT_CHILDREN, v1::OPEN_READ);
  ASSERT_EQ(Open("/d", kDirectory), v1::OK);
  EXPECT_EQ(Told(), Strings({"CHILDREN now to w1"}));
  ASSERT_EQ(Open("/d/f"), v1::OK);
  EXPECT_EQ(Told(), Strings());
}

// [C-41]
TEST_F(CellEvent, DeletionMakesTheHandlesOfOthersInvalid) {
  Watch("/f", v1::EVENT_HANDLE_INVALID | v1::EVENT_CONTENTS);
  ASSERT_EQ(Open("/f"), v1::OK);
  ASSERT_EQ(cell.Do(DeleteOf(a, ++seq, 1)), v1::OK);
  EXPECT_EQ(Told(), Strings({"HANDLE_INVALID now to w1"}));
  ASSERT_EQ(Open("/f"), v1::OK);
  ASSERT_EQ(cell.Do(Set(a, ++seq, 2, "x")), v1::OK);
  EXPECT_EQ(Told(), Strings()) << "another node of the same name";
}

// [C-42]
TEST_F(CellEvent, AcquisitionIsToldWhenAFreeLockBecomesHeld) {
  Watch("/l", v1::EVENT_LOCK_ACQUIRED);
  ASSERT_EQ(Open("/l"), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, ++seq, 1, v1::SHARED)), v1::OK);
  EXPECT_EQ(Told(), Strings({"LOCK_ACQUIRED now to w1"}));
  ASSERT_EQ(Open("/l"), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, ++seq, 2, v1::SHARED)), v1::OK);
  EXPECT_EQ(Told(), Strings()) << "it was held already";
  ASSERT_EQ(Open("/l"), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, ++seq, 3, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(ReleaseOf(a, ++seq, 1)), v1::OK);
  EXPECT_EQ(Told(), Strings());
  ASSERT_EQ(cell.Do(ReleaseOf(a, ++seq, 2)), v1::OK);
  EXPECT_EQ(Told(), Strings({"LOCK_ACQUIRED now to w1"})) << "by who had waited";
  ASSERT_EQ(cell.Do(ReleaseOf(a, ++seq, 3)), v1::OK);
  EXPECT_EQ(Told(), Strings());
  ASSERT_EQ(cell.Do(AcquireOf(w, 2, 1, v1::EXCLUSIVE)), v1::OK);
  EXPECT_EQ(Told(), Strings()) << "who has the lock knows";
}

// [C-43]
TEST_F(CellEvent, AHolderIsToldOfRequestsThatConflictWithIt) {
  Watch("/l", v1::EVENT_LOCK_REQUESTED);
  ASSERT_EQ(Open("/l"), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, ++seq, 1, v1::SHARED, true)), v1::OK);
  EXPECT_EQ(Told(), Strings()) << "it does not hold";
  ASSERT_EQ(cell.Do(AcquireOf(w, 2, 1, v1::SHARED)), v1::OK);
  EXPECT_EQ(Told(), Strings());
  ASSERT_EQ(Open("/l"), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, ++seq, 2, v1::EXCLUSIVE, true)), v1::LOCK_CONFLICT);
  EXPECT_EQ(Told(), Strings({"LOCK_REQUESTED now to w1"}));
  ASSERT_EQ(cell.Do(AcquireOf(a, ++seq, 2, v1::EXCLUSIVE)), v1::QUEUED);
  EXPECT_EQ(Told(), Strings({"LOCK_REQUESTED now to w1"}));
  ASSERT_EQ(cell.Do(AcquireOf(a, seq, 2, v1::EXCLUSIVE)), v1::QUEUED);
  EXPECT_EQ(Told(), Strings()) << "a copy of it";
}

// [C-43]
TEST_F(CellEvent, ANewHolderIsToldOfThoseWhoWaitedBeforeIt) {
  Watch("/l", v1::EVENT_LOCK_REQUESTED);
  for (int i = 0; i < 2; ++i) ASSERT_EQ(Open("/l"), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, ++seq, 1, v1::EXCLUSIVE)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(w, 2, 1, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(AcquireOf(a, ++seq, 2, v1::EXCLUSIVE)), v1::QUEUED);
  EXPECT_EQ(Told(), Strings());
  ASSERT_EQ(cell.Do(ReleaseOf(a, ++seq, 1)), v1::OK);
  EXPECT_EQ(Told(), Strings({"LOCK_REQUESTED now to w1"}));
}

TEST_F(CellEvent, WhoClosedIsToldNothing) {
  Watch("/f", v1::EVENT_CONTENTS);
  ASSERT_EQ(Open("/f"), v1::OK);
  ASSERT_EQ(cell.Do(CloseOf(w, 2, 1)), v1::OK);
  ASSERT_EQ(cell.Do(Set(a, ++seq, 1, "x")), v1::OK);
  EXPECT_EQ(Told(), Strings());
}

TEST_F(CellEvent, UnknownKindsAreMalformed) {
  EXPECT_EQ(cell.Do(Watching(OpenPath(w, 1, 1, "/f", kFile), 32)), v1::MALFORMED);
}

}  // namespace
}  // namespace bramah::cell

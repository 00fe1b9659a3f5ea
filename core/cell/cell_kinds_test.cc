// Nodes that the paper does not have: those that a session owns, those with contents and children, and what every node knows of
// itself besides.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/api/cache.h"
#include "core/cell/test_cell.h"

namespace bramah::cell {
namespace {

constexpr uint32_t kFile = v1::OPEN_WRITE | v1::OPEN_MAY_CREATE;
constexpr uint32_t kOwned = kFile | v1::OPEN_SESSION_OWNED;
constexpr uint32_t kBoth = kFile | v1::OPEN_DIRECTORY | v1::OPEN_BOTH;

class CellKinds : public ::testing::Test {
 protected:
  void SetUp() override {
    a = cell.Session();
    b = cell.Session();
    c = cell.Session();
  }
  // Opens with the next seq, and a handle of the same number.
  v1::Code Open(uint64_t session, std::string_view path, uint32_t flags, std::string_view contents = {}) {
    ++seq;
    return cell.Do(OpenPath(session, seq, seq, path, flags, contents));
  }
  v1::Outcome Stat(uint64_t session, uint64_t handle) { return cell.Read(v1::GET_STAT, session, handle); }
  Touches TouchesOf(const v1::Command& command) {
    Touches touches;
    cell.cell().TouchedBy(command, cell.time(), touches);
    return touches;
  }

  TestCell cell;
  uint64_t a = 0, b = 0, c = 0;
  uint64_t seq = 0;
};

// ---------------------------------------------------------------------------------------------------- owned by a session

// [D-46]
TEST_F(CellKinds, AnOwnedNodeOutlivesItsHandlesAndGoesWithItsSession) {
  ASSERT_EQ(Open(a, "/o", kOwned, "here"), v1::OK);
  EXPECT_EQ(cell.applied().outcome.owner(), a);
  EXPECT_FALSE(cell.applied().outcome.ephemeral());
  ASSERT_EQ(cell.Do(CloseOf(a, ++seq, 1)), v1::OK);
  ASSERT_EQ(Open(b, "/o", kFile), v1::OK);
  EXPECT_EQ(cell.applied().outcome.owner(), a) << "whoever opens it";
  EXPECT_EQ(Stat(b, seq).owner(), a);
  ASSERT_EQ(cell.Do(Expire(b)), v1::OK);
  EXPECT_TRUE(cell.Exists("/o"));
  ASSERT_EQ(cell.Do(End(a, ++seq)), v1::OK);
  EXPECT_FALSE(cell.Exists("/o"));
}

// [D-46]
TEST_F(CellKinds, OwnedNodesGoHoweverTheirSessionEnds) {
  for (const int way : {0, 1, 2}) {
    const uint64_t session = cell.Session();
    ASSERT_EQ(Open(session, "/o", kOwned), v1::OK);
    ASSERT_EQ(Open(session, "/p", kOwned), v1::OK);
    const v1::SessionEnd reason = way == 1 ? v1::END_CLOSED : v1::END_ABANDONED;
    ASSERT_EQ(cell.Do(way == 0 ? Expire(session) : End(session, ++seq, reason)), v1::OK);
    EXPECT_FALSE(cell.Exists("/o")) << way;
    EXPECT_FALSE(cell.Exists("/p")) << way;
  }
}

TEST_F(CellKinds, TheNodesOfOthersStayWhenASessionEnds) {
  ASSERT_EQ(Open(a, "/a", kOwned), v1::OK);
  ASSERT_EQ(Open(b, "/b", kOwned), v1::OK);
  ASSERT_EQ(Open(a, "/f", kFile), v1::OK);
  ASSERT_EQ(cell.Do(Expire(a)), v1::OK);
  EXPECT_FALSE(cell.Exists("/a"));
  EXPECT_TRUE(cell.Exists("/b"));
  EXPECT_TRUE(cell.Exists("/f"));
}

TEST_F(CellKinds, AnOwnedNodeCanBeDeletedByAnybodyAndMadeAgain) {
  ASSERT_EQ(Open(a, "/o", kOwned), v1::OK);
  ASSERT_EQ(Open(b, "/o", kFile), v1::OK);
  ASSERT_EQ(cell.Do(DeleteOf(b, ++seq, 2)), v1::OK);
  EXPECT_FALSE(cell.Exists("/o"));
  ASSERT_EQ(Open(b, "/o", kFile), v1::OK);
  ASSERT_EQ(cell.Do(Expire(a)), v1::OK);
  EXPECT_TRUE(cell.Exists("/o")) << "another instance, which nobody owns";
}

TEST_F(CellKinds, OpeningANodeDoesNotMakeItOnesOwn) {
  ASSERT_EQ(Open(a, "/f", kFile), v1::OK);
  ASSERT_EQ(Open(b, "/f", kOwned), v1::OK);
  EXPECT_EQ(cell.applied().outcome.owner(), 0u);
  ASSERT_EQ(cell.Do(Expire(b)), v1::OK);
  EXPECT_TRUE(cell.Exists("/f"));
}

TEST_F(CellKinds, AnOwnedNodeHasNoChildren) {
  ASSERT_EQ(Open(a, "/o", kOwned), v1::OK);
  EXPECT_EQ(Open(a, "/o/x", kFile), v1::NOT_A_DIRECTORY);
}

TEST_F(CellKinds, WhoHasAnOwnedNodeOpenIsToldThatItWent) {
  ASSERT_EQ(Open(a, "/o", kOwned), v1::OK);
  ++seq;
  ASSERT_EQ(cell.Do(Watching(OpenPath(b, seq, seq, "/o", v1::OPEN_READ), v1::EVENT_HANDLE_INVALID)), v1::OK);
  ++seq;
  ASSERT_EQ(cell.Do(Watching(OpenPath(c, seq, seq, "/", v1::OPEN_READ), v1::EVENT_CHILDREN)), v1::OK);
  ASSERT_EQ(cell.Do(Expire(a)), v1::OK);
  ASSERT_EQ(cell.applied().notices.size(), 2u);
  EXPECT_EQ(cell.applied().notices[0].kind, v1::EVENT_HANDLE_INVALID);
  EXPECT_EQ(cell.applied().notices[0].session.value(), b);
  EXPECT_EQ(cell.applied().notices[1].kind, v1::EVENT_CHILDREN);
  EXPECT_EQ(cell.applied().notices[1].session.value(), c);
  EXPECT_EQ(cell.Read(v1::GET_STAT, b, 2).code(), v1::STALE_HANDLE);
}

// [D-47]
TEST_F(CellKinds, AnEphemeralDirectoryGoesWithItsLastOwnedChild) {
  ASSERT_EQ(Open(b, "/d", kFile | v1::OPEN_DIRECTORY | v1::OPEN_EPHEMERAL), v1::OK);
  ASSERT_EQ(Open(a, "/d/o", kOwned), v1::OK);
  ASSERT_EQ(cell.Do(CloseOf(b, ++seq, 1)), v1::OK);
  EXPECT_TRUE(cell.Exists("/d"));
  ASSERT_EQ(cell.Do(Expire(a)), v1::OK);
  EXPECT_FALSE(cell.Exists("/d"));
}

// Nobody is granted the lock of a node that goes in the same entry.
TEST_F(CellKinds, WhoWaitsForTheLockOfAnOwnedNodeHearsThatTheNodeWent) {
  ASSERT_EQ(Open(a, "/o", kOwned), v1::OK);
  ASSERT_EQ(Open(b, "/o", kFile), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, ++seq, 1, v1::EXCLUSIVE)), v1::OK);
  const uint64_t wait = ++seq;
  ASSERT_EQ(cell.Do(AcquireOf(b, wait, 2, v1::EXCLUSIVE)), v1::QUEUED);
  ASSERT_EQ(cell.Do(Expire(a)), v1::OK);
  ASSERT_EQ(cell.applied().decisions.size(), 1u);
  EXPECT_EQ(cell.applied().decisions[0].kind, Decision::kHandleInvalid);
  EXPECT_EQ(cell.applied().decisions[0].seq.value(), wait);
  EXPECT_EQ(cell.Do(AcquireOf(b, wait, 2, v1::EXCLUSIVE)), v1::STALE_HANDLE);
}

// [A-04, D-32]
TEST_F(CellKinds, WhoHoldsTheLockOfAnOwnedNodeLosesItAndLeavesItsDelay) {
  ASSERT_EQ(Open(a, "/o", kOwned), v1::OK);
  ++seq;
  ASSERT_EQ(cell.Do(Delayed(OpenPath(b, seq, seq, "/o", kFile), 5 * kSecond)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(b, ++seq, 2, v1::EXCLUSIVE)), v1::OK);
  ASSERT_EQ(cell.Do(End(a, ++seq)), v1::OK);
  EXPECT_TRUE(cell.cell().HeldLocks().empty());
  ASSERT_EQ(Open(c, "/o", kFile), v1::OK);
  const uint64_t handle = seq;
  EXPECT_EQ(cell.Do(AcquireOf(c, ++seq, handle, v1::EXCLUSIVE, true)), v1::LOCK_DELAYED) << "what b sent may be under way";
  cell.Advance(5 * kSecond);
  EXPECT_EQ(cell.Do(AcquireOf(c, ++seq, handle, v1::EXCLUSIVE, true)), v1::OK);
}

//
TEST_F(CellKinds, AnEndTouchesWhatHoldersOfItsNodesBelieve) {
  ASSERT_EQ(Open(a, "/o", kOwned), v1::OK);
  const uint64_t instance = cell.applied().outcome.instance();
  ASSERT_EQ(Open(b, "/o", kFile), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, ++seq, 1, v1::SHARED)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(b, ++seq, 2, v1::SHARED)), v1::OK);
  const uint64_t hold = HoldId(SessionId(b), HandleId(2));
  for (const v1::Command& end : {Expire(a), End(a, seq + 1)}) {
    const Touches touches = TouchesOf(end);
    const auto has = [&](const Touch& touch) { return std::count(touches.begin(), touches.end(), touch); };
    EXPECT_EQ(has({hold, v1::CACHE_HOLD}), 1);
    EXPECT_EQ(has({instance, kCacheNode}), 1);
    EXPECT_EQ(has({cell.cell().View().nodes[0].instance.value(), v1::CACHE_CHILDREN}), 1);
    const std::vector<std::pair<SessionId, uint64_t>> others{{SessionId(b), hold}};
    EXPECT_EQ(cell.cell().HoldersToTell(end), others);
  }
  EXPECT_TRUE(cell.cell().HoldersToTell(Expire(b)).empty()) << "b owns nothing";
}

TEST_F(CellKinds, HowManyNodesASessionOwnsIsBounded) {
  Limits limits;
  limits.handles_per_session_max = 2;
  TestCell small(limits);
  const uint64_t owner = small.Session();
  for (uint64_t i = 1; i <= 3; ++i) {
    const std::string path = "/o" + std::to_string(i);
    EXPECT_EQ(small.Do(OpenPath(owner, 2 * i, i, path, kOwned)), i <= 2 ? v1::OK : v1::TOO_MANY_HANDLES);
    small.Apply(CloseOf(owner, 2 * i + 1, i));
  }
  EXPECT_EQ(small.Do(OpenPath(owner, 8, 4, "/o1", kOwned)), v1::OK) << "what is there is not made";
  EXPECT_EQ(small.Do(DeleteOf(owner, 9, 4)), v1::OK);
  EXPECT_EQ(small.Do(OpenPath(owner, 10, 5, "/o3", kOwned)), v1::OK);
}

// ---------------------------------------------------------------------------------------------------- contents and children

TEST_F(CellKinds, ADirectoryThatIsBothHasContentsAndChildren) {
  ASSERT_EQ(Open(a, "/b", kBoth, "7"), v1::OK);
  EXPECT_TRUE(cell.applied().outcome.both());
  EXPECT_TRUE(cell.applied().outcome.directory());
  ASSERT_EQ(Open(a, "/b/x", kFile), v1::OK);
  EXPECT_EQ(cell.Read(v1::GET_CONTENTS, a, 1).contents(), "7");
  ASSERT_EQ(cell.Do(AddOf(a, ++seq, 1, 3)), v1::OK);
  EXPECT_EQ(cell.Read(v1::GET_CONTENTS, a, 1).contents(), "10");
  ASSERT_EQ(cell.Do(Set(a, ++seq, 1, "new")), v1::OK);
  EXPECT_EQ(Stat(a, 1).content_generation(), 3u);
  EXPECT_TRUE(Stat(a, 1).both());
  EXPECT_EQ(cell.Read(v1::READ_DIR, a, 1).children_size(), 1);
  EXPECT_EQ(cell.Do(DeleteOf(a, ++seq, 1)), v1::NOT_EMPTY);
}

TEST_F(CellKinds, OpeningADirectoryDoesNotGiveItContents) {
  ASSERT_EQ(Open(a, "/d", kFile | v1::OPEN_DIRECTORY), v1::OK);
  ASSERT_EQ(Open(a, "/d", kBoth, "contents"), v1::OK);
  EXPECT_FALSE(cell.applied().outcome.both());
  EXPECT_EQ(cell.Do(Set(a, ++seq, 2, "new")), v1::IS_A_DIRECTORY);
  ASSERT_EQ(Open(a, "/", kBoth), v1::OK);
  EXPECT_EQ(cell.Do(Set(a, ++seq, 4, "new")), v1::IS_A_DIRECTORY);
}

// [D-17]
TEST_F(CellKinds, AWriteToADirectoryTouchesItsContentsNotItsChildren) {
  ASSERT_EQ(Open(a, "/b", kBoth), v1::OK);
  const Touches touches = TouchesOf(Set(a, seq + 1, 1, "new"));
  ASSERT_EQ(touches.size(), 2u);
  EXPECT_EQ(touches[0].classes, uint32_t{v1::CACHE_DATA | v1::CACHE_STAT});
}

// ------------------------------------------------------------------------------------------------------- what a node knows

// [D-45]
TEST_F(CellKinds, ANodeKnowsTheEntryAndTheTimeOfItsContents) {
  cell.Advance(3 * kSecond);
  ASSERT_EQ(Open(a, "/f", kFile, "one"), v1::OK);
  const uint64_t made = At(cell.index());
  EXPECT_EQ(Stat(a, 1).content_changed(), made);
  EXPECT_EQ(Stat(a, 1).changed_at_ns(), 3 * kSecond);
  cell.Advance(2 * kSecond);
  ASSERT_EQ(cell.Do(AcquireOf(a, ++seq, 1, v1::EXCLUSIVE)), v1::OK);
  EXPECT_EQ(Stat(a, 1).content_changed(), made) << "its lock is another thing";
  ASSERT_EQ(cell.Do(Set(a, ++seq, 1, "one")), v1::OK);
  EXPECT_EQ(Stat(a, 1).content_changed(), At(cell.index()));
  EXPECT_EQ(Stat(a, 1).changed_at_ns(), 5 * kSecond);
  const v1::Outcome read = cell.Read(v1::GET_CONTENTS, a, 1);
  EXPECT_EQ(read.content_changed(), At(cell.index()));
  EXPECT_EQ(read.changed_at_ns(), 5 * kSecond);
}

// [L6] A master whose clock lags behind that of its predecessor does not turn time back.
TEST_F(CellKinds, TheTimeOfContentsNeverGoesBack) {
  cell.Advance(5 * kSecond);
  ASSERT_EQ(Open(a, "/f", kFile), v1::OK);
  cell.Advance(-2 * kSecond);
  ASSERT_EQ(cell.Do(Set(a, ++seq, 1, "new")), v1::OK);
  EXPECT_EQ(Stat(a, 1).changed_at_ns(), 5 * kSecond);
}

// [D-45]
TEST_F(CellKinds, ADirectoryCountsTheChildrenEverMade) {
  ASSERT_EQ(Open(a, "/d", kFile | v1::OPEN_DIRECTORY), v1::OK);
  EXPECT_EQ(Stat(a, 1).children_made(), 0u);
  ASSERT_EQ(Open(a, "/d/x", kFile), v1::OK);
  ASSERT_EQ(Open(a, "/d/x", kFile), v1::OK);
  EXPECT_EQ(Stat(a, 1).children_made(), 1u) << "opening again makes nothing";
  ASSERT_EQ(cell.Do(DeleteOf(a, ++seq, 2)), v1::OK);
  EXPECT_EQ(Stat(a, 1).children_made(), 1u);
  ASSERT_EQ(Open(a, "/d/x", kFile), v1::OK);
  EXPECT_EQ(Stat(a, 1).children_made(), 2u);
  EXPECT_EQ(cell.Read(v1::READ_DIR, a, 1).children_made(), 2u);
}

}  // namespace
}  // namespace bramah::cell

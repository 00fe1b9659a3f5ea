// Batch: guards and changes of several nodes in one entry [D-61].
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/api/path.h"
#include "core/cell/test_cell.h"

namespace bramah::cell {
namespace {

constexpr uint32_t kFile = v1::OPEN_WRITE | v1::OPEN_MAY_CREATE;

// `me` has open: 1 /a ("one"), 2 /b ("two"), 3 /d (a directory), 4 /d/x; `other` has 9 on /a.
class CellBatch : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(cell.Do(NewEpoch({1, 2})), v1::OK);
    me = cell.Session("me");
    other = cell.Session("other");
    Must(OpenPath(me, ++seq, 1, "/a", kFile, "one"));
    Must(OpenPath(me, ++seq, 2, "/b", kFile, "two"));
    Must(OpenPath(me, ++seq, 3, "/d", kFile | v1::OPEN_DIRECTORY | v1::OPEN_CHANGE_ACL));
    Must(OpenPath(me, ++seq, 4, "/d/x", kFile));
    Must(OpenPath(other, 1, 9, "/a", kFile));
  }
  void Must(const v1::Command& command) { ASSERT_EQ(cell.Do(command), v1::OK); }
  v1::Outcome Do(std::vector<v1::Command> guards, std::vector<v1::Command> parts, std::vector<v1::Command> otherwise = {}) {
    return cell.ApplyBatch(BatchOf(me, ++seq, guards, parts, otherwise)).outcome;
  }
  // Nothing has happened.
  v1::Outcome Refused(std::vector<v1::Command> guards, std::vector<v1::Command> parts,
                      std::vector<v1::Command> otherwise = {}) {
    const CellView before = cell.cell().View();
    const v1::Outcome outcome = Do(guards, parts, otherwise);
    EXPECT_NE(outcome.code(), v1::OK);
    EXPECT_FALSE(cell.applied().effect);
    EXPECT_TRUE(cell.applied().decisions.empty() && cell.applied().notices.empty());
    EXPECT_EQ(before.nodes, cell.cell().View().nodes);
    EXPECT_EQ(outcome.parts_size(), 0);
    return outcome;
  }
  std::string Contents(uint64_t handle) { return cell.Read(v1::GET_CONTENTS, me, handle).contents(); }

  TestCell cell;
  uint64_t me = 0, other = 0;
  uint64_t seq = 0;
};

TEST_F(CellBatch, AllChangesAreMadeByOneEntry) {
  const v1::Outcome outcome = Do({}, {Set(me, 0, 1, "new"), Set(me, 0, 2, "newer"), MakePath(me, "/d/y", 0, "made"),
                                      DeleteOf(me, 0, 4)});
  EXPECT_EQ(outcome.code(), v1::OK);
  EXPECT_TRUE(outcome.guarded());
  EXPECT_EQ(Contents(1), "new");
  EXPECT_EQ(Contents(2), "newer");
  EXPECT_TRUE(cell.Exists("/d/y"));
  EXPECT_FALSE(cell.Exists("/d/x"));
  ASSERT_EQ(outcome.parts_size(), 4);
  EXPECT_EQ(outcome.parts(1).content_generation(), 2u);
  EXPECT_EQ(outcome.parts(1).content_length(), 5u);
  EXPECT_TRUE(outcome.parts(2).created());
}

TEST_F(CellBatch, OneRefusedPartIsEnoughAndSaysWhich) {
  const v1::Outcome outcome = Refused({}, {Set(me, 0, 1, "new"), Set(me, 0, 2, "newer"), DeleteOf(me, 0, 3)});
  EXPECT_EQ(outcome.code(), v1::NOT_EMPTY);
  EXPECT_EQ(outcome.failed(), 2u);
  EXPECT_TRUE(outcome.guarded());
  EXPECT_EQ(Refused({}, {Set(me, 0, 1, "new"), CompareAndSet(me, 0, 2, "newer", 7)}).code(), v1::GENERATION_MISMATCH);
}

TEST_F(CellBatch, GuardsDecideWhichChangesAreMade) {
  v1::Command generation = GuardOf(me, 1);
  generation.set_compare(true);
  generation.set_generation(1);
  EXPECT_TRUE(Do({generation, Equalling(GuardOf(me, 2), "two"), AbsenceOf(me, "/none")}, {Set(me, 0, 1, "then")},
                 {Set(me, 0, 1, "else")}).guarded());
  EXPECT_EQ(Contents(1), "then");
  const v1::Outcome otherwise = Do({generation}, {Set(me, 0, 1, "then")}, {Set(me, 0, 1, "else")});
  EXPECT_EQ(otherwise.code(), v1::OK);
  EXPECT_FALSE(otherwise.guarded());
  EXPECT_EQ(Contents(1), "else");
  const v1::Outcome none = Refused({GuardOf(me, 2), generation}, {Set(me, 0, 2, "then")});
  EXPECT_EQ(none.code(), v1::GUARD_FAILED);
  EXPECT_EQ(none.failed(), 1u);
}

TEST_F(CellBatch, AGuardOnARemovedNodeIsFalse) {
  Must(DeleteOf(other, 2, 9));
  EXPECT_EQ(Refused({GuardOf(me, 1)}, {Set(me, 0, 2, "new")}).code(), v1::GUARD_FAILED);
  EXPECT_EQ(Refused({}, {Set(me, 0, 1, "new"), Set(me, 0, 2, "new")}).code(), v1::STALE_HANDLE);
}

TEST_F(CellBatch, AGuardCannotReadWhatItsHandleMayNot) {
  Must(OpenPath(me, ++seq, 5, "/secret", kFile | v1::OPEN_CHANGE_ACL, "of others"));
  Must(SetAclOf(me, ++seq, 5, {"nobody", "", ""}));
  Must(OpenPath(me, ++seq, 6, "/secret", kFile));
  EXPECT_EQ(Refused({Equalling(GuardOf(me, 6), "of others")}, {}).code(), v1::PERMISSION_DENIED);
  EXPECT_EQ(Do({GuardOf(me, 6)}, {}).code(), v1::OK);  // that it is there, it knows
}

TEST_F(CellBatch, PermissionsAndNamesAreThoseOfBefore) {
  const v1::Outcome outcome = Do({}, {SetAclOf(me, 0, 3, {"nobody", "nobody", "nobody"}), MakePath(me, "/d/y"),
                                      DeleteOf(me, 0, 4)});
  EXPECT_EQ(outcome.code(), v1::OK);
  for (const NodeView& node : cell.cell().View().nodes) {
    if (node.path == "/d/y") {
      EXPECT_EQ(node.acl_write, "everyone");
    } else if (node.path == "/d") {
      EXPECT_EQ(node.acl_write, "nobody");
    }
  }
}

TEST_F(CellBatch, PartsMustNotMeet) {
  EXPECT_EQ(Refused({}, {Set(me, 0, 1, "x"), AddOf(me, 0, 1, 1)}).code(), v1::NOT_A_NUMBER);
  EXPECT_EQ(Refused({}, {Set(me, 0, 1, "x"), Set(me, 0, 1, "y")}).code(), v1::PARTS_OVERLAP);
  EXPECT_EQ(Refused({}, {MakePath(me, "/n"), MakePath(me, "/n")}).code(), v1::PARTS_OVERLAP);
  EXPECT_EQ(Refused({}, {MakePath(me, "/n", v1::OPEN_DIRECTORY), MakePath(me, "/n/m")}).code(), v1::NOT_FOUND);
  Must(DeleteOf(me, ++seq, 4));
  const v1::Outcome under = Refused({}, {DeleteOf(me, 0, 3), MakePath(me, "/d/y")});
  EXPECT_EQ(under.code(), v1::PARTS_OVERLAP);
  EXPECT_EQ(under.failed(), 0u);
}

//
TEST_F(CellBatch, A01EachNodeOfABatchHasAnInstanceOfItsOwn) {
  const v1::Outcome outcome = Do({}, {MakePath(me, "/n"), MakePath(me, "/m"), MakePath(me, "/o")});
  ASSERT_EQ(outcome.parts_size(), 3);
  EXPECT_EQ(outcome.parts(0).instance(), At(cell.index() - 2));
  EXPECT_EQ(outcome.parts(1).instance(), At(cell.index() - 1));
  EXPECT_EQ(outcome.parts(2).instance(), At(cell.index()));
}

TEST_F(CellBatch, WithoutReservedPositionsItHasNoEffect) {
  const v1::Command batch = BatchOf(me, ++seq, {}, {MakePath(me, "/n"), MakePath(me, "/m"), MakePath(me, "/o")});
  EXPECT_EQ(cell.Do(batch), v1::RECHECK);
  Must(Reserve());
  EXPECT_EQ(cell.Do(batch), v1::RECHECK);
  Must(Reserve());  // what was reserved for the one before is of no use
  EXPECT_EQ(cell.Do(batch), v1::RECHECK);
  Must(Reserve());
  Must(Reserve());
  Must(Set(other, 2, 9, "between"));
  EXPECT_EQ(cell.Do(batch), v1::RECHECK);
  EXPECT_FALSE(cell.Exists("/n"));
  EXPECT_EQ(cell.ApplyBatch(batch).outcome.code(), v1::OK);
}

TEST_F(CellBatch, ACopyIsAnsweredAndChangesNothing) {
  const v1::Command batch = BatchOf(me, ++seq, {}, {AddOf(me, 0, 4, 5), MakePath(me, "/n")});
  const v1::Outcome first = cell.ApplyBatch(batch).outcome;
  ASSERT_EQ(first.code(), v1::OK);
  const v1::Outcome copy = cell.ApplyBatch(batch).outcome;
  EXPECT_TRUE(cell.applied().duplicate);
  EXPECT_EQ(copy.ShortDebugString(), first.ShortDebugString());
  EXPECT_EQ(Contents(4), "5");
}

TEST_F(CellBatch, ACloseThatGivesItUpSettlesIt) {
  const v1::Command batch = BatchOf(me, ++seq, {}, {Set(me, 0, 1, "new"), Set(me, 0, 2, "new")});
  const uint64_t given_up = seq;
  Must(CloseOf(me, ++seq, 2, {given_up}));
  EXPECT_EQ(cell.ApplyBatch(batch).outcome.code(), v1::CANCELLED);
  EXPECT_EQ(Contents(1), "one");
}

//
TEST_F(CellBatch, A25ASequencerThatIsNotGoodRefusesAll) {
  Must(AcquireOf(me, ++seq, 1, v1::EXCLUSIVE));
  const std::string sequencer = cell.Read(v1::GET_SEQUENCER, me, 1).sequencer();
  EXPECT_EQ(Do({Guarded(GuardOf(me, 1), sequencer)}, {Guarded(Set(me, 0, 2, "fenced"), sequencer)}).code(), v1::OK);
  Must(ReleaseOf(me, ++seq, 1));
  EXPECT_EQ(Refused({}, {Guarded(Set(me, 0, 2, "late"), sequencer)}).code(), v1::SEQUENCER_INVALID);
  EXPECT_EQ(Refused({Guarded(GuardOf(me, 1), sequencer)}, {}, {Set(me, 0, 2, "late")}).code(), v1::SEQUENCER_INVALID);
}

//
TEST_F(CellBatch, A04ItTouchesWhatAllHoldersBelieveItsOwnSessionToo) {
  Must(OpenPath(me, ++seq, 5, "/a", kFile));
  Must(AcquireOf(me, ++seq, 5, v1::SHARED));
  Must(AcquireOf(other, 2, 9, v1::SHARED));
  Touches touches;
  const v1::Command batch = cell.Stamped(BatchOf(me, ++seq, {}, {DeleteOf(me, 0, 1)}));
  cell.cell().TouchedBy(batch, cell.time(), touches);
  size_t holds = 0;
  for (const Touch& touch : touches) holds += (touch.classes & v1::CACHE_HOLD) != 0 ? 1 : 0;
  EXPECT_EQ(holds, 2u);
  EXPECT_EQ(cell.cell().HoldersToTell(batch).size(), 2u);
}

TEST_F(CellBatch, WatchersAreToldOfEachChange) {
  Must(Watching(OpenPath(other, 2, 10, "/b", v1::OPEN_READ), v1::EVENT_CONTENTS));
  Must(Watching(OpenPath(other, 3, 11, "/d", v1::OPEN_READ), v1::EVENT_CHILDREN));
  ASSERT_EQ(Do({}, {Set(me, 0, 2, "new"), MakePath(me, "/d/y"), MakePath(me, "/d/z")}).code(), v1::OK);
  bool contents = false, children = false;
  for (const Notice& notice : cell.applied().notices) {
    contents = contents || (notice.kind == v1::EVENT_CONTENTS && notice.handle == HandleId(10));
    children = children || (notice.kind == v1::EVENT_CHILDREN && notice.handle == HandleId(11));
  }
  EXPECT_TRUE(contents && children);
}

TEST_F(CellBatch, TheQuotaOfBytesIsForAllPartsTogether) {
  Limits limits;
  limits.bytes_max = 30;
  limits.children_max = 3;
  TestCell small(limits);
  const uint64_t session = small.Session();
  ASSERT_EQ(small.Do(OpenPath(session, 1, 1, "/a", kFile)), v1::OK);
  ASSERT_EQ(small.Do(OpenPath(session, 2, 2, "/b", kFile)), v1::OK);
  const std::string half(20, 'x');
  EXPECT_EQ(small.Do(BatchOf(session, 3, {}, {Set(session, 0, 1, half), Set(session, 0, 2, half)})), v1::CELL_FULL);
  EXPECT_EQ(small.Do(BatchOf(session, 4, {}, {Set(session, 0, 1, half)})), v1::OK);
  EXPECT_EQ(small.ApplyBatch(BatchOf(session, 5, {}, {MakePath(session, "/c"), MakePath(session, "/d")})).outcome.code(),
            v1::TOO_MANY_CHILDREN);
}

TEST_F(CellBatch, BoundsHaveTheirErrors) {
  std::vector<v1::Command> many(kBatchPartsMax + 1, GuardOf(me, 1));
  EXPECT_EQ(Refused(many, {}).code(), v1::TOO_MANY_PARTS);
  std::vector<v1::Command> nodes;
  for (int i = 0; i < 2 * kBatchPartsMax; ++i) nodes.push_back(MakePath(me, "/n" + std::to_string(i)));
  EXPECT_EQ(Refused({}, nodes).code(), v1::TOO_MANY_PARTS);
  EXPECT_EQ(Refused({}, {}, nodes).code(), v1::TOO_MANY_PARTS);
  const std::string half(150 * 1024, 'x');
  EXPECT_EQ(Refused({}, {Set(me, 0, 1, half), Set(me, 0, 2, half)}).code(), v1::TOO_LARGE);
}

TEST_F(CellBatch, WhatIsNoPartIsMalformed) {
  v1::Command foreign = Set(other, 0, 9, "x");
  v1::Command nested = BatchOf(me, 0, {}, {});
  v1::Command neither = GuardOf(me, 0);
  v1::Command ephemeral = MakePath(me, "/e", v1::OPEN_EPHEMERAL);
  v1::Command both = AbsenceOf(me, "/e");
  both.set_handle(1);
  for (const v1::Command& part : {foreign, nested, ephemeral, AcquireOf(me, 0, 1, v1::EXCLUSIVE), CloseOf(me, 0, 1),
                                  GuardOf(me, 1), OpenPath(me, 0, 8, "/e", kFile)}) {
    EXPECT_EQ(Refused({}, {part}).code(), v1::MALFORMED) << part.ShortDebugString();
    EXPECT_EQ(Refused({GuardOf(me, 1)}, {}, {part}).code(), v1::MALFORMED) << part.ShortDebugString();
  }
  for (const v1::Command& guard : {neither, both, Set(me, 0, 1, "x")}) {
    EXPECT_EQ(Refused({guard}, {}).code(), v1::MALFORMED) << guard.ShortDebugString();
  }
  v1::Command on_handle = BatchOf(me, ++seq, {}, {});
  on_handle.set_handle(1);
  EXPECT_EQ(cell.Do(on_handle), v1::MALFORMED);
}

TEST_F(CellBatch, ForeignAndForgedHandlesAreRefused) {
  v1::Command stolen = Set(me, 0, 9, "x");
  EXPECT_EQ(Refused({}, {stolen}).code(), v1::BAD_HANDLE);
  v1::Command forged = Set(me, 0, 1, "x");
  forged.set_check_digits(77);
  EXPECT_EQ(Refused({}, {Set(me, 0, 2, "x"), forged}).code(), v1::BAD_HANDLE);
  EXPECT_EQ(Refused({GuardOf(me, 9)}, {}, {Set(me, 0, 2, "x")}).code(), v1::BAD_HANDLE);
}

}  // namespace
}  // namespace bramah::cell

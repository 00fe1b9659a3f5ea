// Each invariant is shown to notice: a sound view, one field broken by hand, and the sentence that names it.
#include "core/cell/invariants.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/cell/test_cell.h"

namespace bramah::cell {
namespace {

constexpr uint32_t kFile = v1::OPEN_WRITE | v1::OPEN_MAY_CREATE;

// Nodes: 0 "/", 1 "/d", 2 "/d/f" (a holds exclusively, b waits), 3 "/e" (ephemeral; a and b share it), 4 "/r", 5 "/s" (b's own).
// Handles of a: 1 /d, 2 /d/f, 3 /e, 4 /r (read only); of b: 1 /d/f, 2 /e. The lock of /k, which is gone, is delayed for 5 s.
CellView Sound() {
  TestCell cell;
  const uint64_t a = cell.Session();
  const uint64_t b = cell.Session();
  cell.Apply(OpenPath(a, 1, 1, "/d", kFile | v1::OPEN_DIRECTORY));
  cell.Apply(OpenPath(a, 2, 2, "/d/f", kFile, "contents"));
  cell.Apply(OpenPath(a, 3, 3, "/e", kFile | v1::OPEN_EPHEMERAL));
  cell.Apply(OpenPath(a, 4, 4, "/r", v1::OPEN_MAY_CREATE));
  cell.Apply(OpenPath(b, 1, 1, "/d/f", kFile));
  cell.Apply(OpenPath(b, 2, 2, "/e", kFile));
  cell.Apply(AcquireOf(a, 5, 2, v1::EXCLUSIVE));
  cell.Apply(AcquireOf(a, 6, 3, v1::SHARED));
  cell.Apply(AcquireOf(b, 3, 2, v1::SHARED));
  cell.Apply(AcquireOf(b, 4, 1, v1::EXCLUSIVE));
  const uint64_t lost = cell.Session();
  cell.Apply(Delayed(OpenPath(lost, 1, 1, "/k", kFile | v1::OPEN_EPHEMERAL), 5 * kSecond));
  cell.Apply(AcquireOf(lost, 2, 1, v1::EXCLUSIVE));
  cell.Apply(Expire(lost));
  cell.Apply(OpenPath(b, 5, 3, "/s", kFile | v1::OPEN_SESSION_OWNED));
  cell.Apply(CloseOf(b, 6, 3));
  return cell.cell().View();
}

struct Broken {
  const char* name;
  std::function<void(CellView&)> breaks;
  const char* says;
};

class BrokenView : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenView, IsNoticed) {
  CellView view = Sound();
  ASSERT_EQ(CheckInvariants(view), std::nullopt);
  GetParam().breaks(view);
  const auto problem = CheckInvariants(view);
  ASSERT_TRUE(problem.has_value());
  EXPECT_NE(problem->find(GetParam().says), std::string::npos) << *problem;
}

const Broken kBroken[] = {
    {"NoRoot", [](CellView& v) { v.nodes.erase(v.nodes.begin()); }, "there is no root"},
    {"EphemeralRoot", [](CellView& v) { v.nodes[0].ephemeral = true; }, "not a permanent directory"},
    {"BadName", [](CellView& v) { v.nodes[4].path = "/.."; }, "not a name"},
    {"TwoOfOneName", [](CellView& v) { v.nodes[4].path = "/e"; }, "two nodes have this name"},
    {"OneInstanceTwice", [](CellView& v) { v.nodes[4].instance = v.nodes[3].instance; }, "shares its instance"},
    {"NoParent", [](CellView& v) { v.nodes[2].parent = Position(1); }, "parent does not exist"},
    {"WrongParent", [](CellView& v) { v.nodes[2].parent = v.nodes[0].instance; }, "hangs below /"},
    {"BelowAFile", [](CellView& v) { v.nodes[1].directory = false; }, "hangs below a file"},
    {"OlderThanItsDirectory", [](CellView& v) { v.nodes[2].instance = Position(1); }, "is not younger"},
    {"ChildrenMiscounted", [](CellView& v) { ++v.nodes[1].children; }, "miscounts its children"},
    {"HandlesMiscounted", [](CellView& v) { ++v.nodes[1].references; }, "miscounts its handles"},
    {"DirectoryWithContents", [](CellView& v) { v.nodes[1].content_length = 1; }, "directory with contents"},
    {"BothAndNoDirectory", [](CellView& v) { v.nodes[4].both = true; }, "is no directory"},
    {"WrittenWithoutAnEntry", [](CellView& v) { v.nodes[4].content_changed = Position(); }, "were not written when they were"},
    {"RewrittenAtItsCreation", [](CellView& v) { v.nodes[4].content_generation = 2; }, "were not written when they were"},
    {"WrittenByAnEntryToCome", [](CellView& v) { v.nodes[4].content_changed = v.last.Next(); }, "written after the last entry"},
    {"WrittenInTheFuture", [](CellView& v) { v.nodes[4].changed_at = v.time + 1; }, "written in the future"},
    {"WrittenBeforeTime", [](CellView& v) { v.nodes[4].changed_at = -1; }, "written in the future"},
    {"MoreChildrenThanMade", [](CellView& v) { v.nodes[0].children_made = 1; }, "more children than were made"},
    {"UncountedChildren", [](CellView& v) { v.nodes[4].children_made = 1; }, "does not count its children"},
    {"OwnerIsGone", [](CellView& v) { v.nodes[5].owner = SessionId(1); }, "outlives the session"},
    {"OwnedBeforeItsSession",
     [](CellView& v) {
       v.nodes[0].owner = v.sessions[1].session;
     },
     "not younger than the session"},
    {"OwnedDirectory", [](CellView& v) { v.nodes[5].directory = true; }, "is owned, and"},
    {"OwnedEphemeral",
     [](CellView& v) {
       v.nodes[3].owner = v.sessions[0].session;
     },
     "is owned, and"},
    {"NodeOfTheFuture", [](CellView& v) { v.nodes[4].instance = v.last.Next(); }, "/r: is younger than the last"},
    {"GenerationOfTheFuture", [](CellView& v) { v.nodes[3].lock.generation = v.last.Next(); }, "generation is younger"},
    {"WaiterOfTheFuture", [](CellView& v) { v.nodes[2].lock.waiters[0].since = v.last.Next(); }, "a waiter is younger"},
    {"SessionOfTheFuture", [](CellView& v) { v.sessions[1].session = SessionId(v.last.Next().value()); }, "is younger"},
    {"HandleOfTheFuture", [](CellView& v) { v.sessions[1].handles[0].instance = v.last.Next(); }, "a handle on a node younger"},
    {"NoContentGeneration", [](CellView& v) { v.nodes[2].content_generation = 0; }, "no content generation"},
    {"NoAclGeneration", [](CellView& v) { v.nodes[2].acl_generation = 0; }, "no ACL generation"},
    {"FileWithChangedChildren", [](CellView& v) { v.nodes[2].children_changed = Position(1); }, "file whose children changed"},
    {"ChangeBeforeTheChild", [](CellView& v) { v.nodes[1].children_changed = Position(); }, "does not know when"},
    {"ChildrenOfTheFuture", [](CellView& v) { v.nodes[1].children_changed = v.last.Next(); }, "changed after the last entry"},
    {"AbandonedEphemeral",
     [](CellView& v) {
       v.nodes[4].ephemeral = true;
       v.nodes[4].references = 0;
       v.sessions[0].handles.pop_back();
     },
     "is ephemeral, and"},
    {"FreeWithHolder", [](CellView& v) { v.nodes[3].lock.mode = v1::FREE; }, "is free and has a holder"},
    {"HeldByNobody", [](CellView& v) { v.nodes[3].lock.holders.clear(); }, "held by nobody"},
    {"TwoExclusive", [](CellView& v) { v.nodes[3].lock.mode = v1::EXCLUSIVE; }, "too many hold the lock exclusively"},
    {"HeldWithoutGeneration", [](CellView& v) { v.nodes[3].lock.generation = Position(); }, "without a generation"},
    {"GenerationOfAnEarlierInstance",
     [](CellView& v) { v.nodes[3].lock.generation = v.nodes[1].instance; }, "older than the node"},
    {"HoldsTwice", [](CellView& v) { v.nodes[3].lock.holders[1] = v.nodes[3].lock.holders[0]; }, "holds twice"},
    {"HolderWithoutSession", [](CellView& v) { v.nodes[3].lock.holders[0].session = SessionId(1); }, "is not open"},
    {"HolderClosed", [](CellView& v) { v.nodes[3].lock.holders[0].handle = HandleId(77); }, "is not open"},
    {"HolderOfAnotherNode", [](CellView& v) { v.nodes[3].lock.holders[0].handle = HandleId(2); }, "bound to another node"},
    {"HolderReadOnly", [](CellView& v) { v.sessions[0].handles[2].writable = false; }, "not writable"},
    {"WaiterReadOnly", [](CellView& v) { v.sessions[1].handles[0].writable = false; }, "not writable"},
    {"WaiterClosed", [](CellView& v) { v.nodes[2].lock.waiters[0].handle = HandleId(77); }, "is not open"},
    {"WaitsForAFreeLock",
     [](CellView& v) {
       v.nodes[2].lock.mode = v1::FREE;
       v.nodes[2].lock.holders.clear();
     },
     "could be granted"},
    {"SharedWaitsForShared",
     [](CellView& v) {
       v.nodes[2].lock.mode = v1::SHARED;
       v.nodes[2].lock.waiters[0].mode = v1::SHARED;
     },
     "could be granted"},
    {"WaitUnknownToTheHandle", [](CellView& v) { v.sessions[1].handles[0].waits = Position(); }, "does not know that it waits"},
    {"WaitInNoQueue", [](CellView& v) { v.nodes[2].lock.waiters.clear(); }, "stands in no queue"},
    {"QueueOutOfOrder",
     [](CellView& v) { v.nodes[2].lock.waiters.push_back(v.nodes[2].lock.waiters[0]); }, "out of order"},
    {"HoldsAndWaits",
     [](CellView& v) {
       v.nodes[2].lock.holders[0].session = v.sessions[1].session;
       v.nodes[2].lock.holders[0].handle = HandleId(1);
     },
     "holds and waits"},
    {"NoPermits", [](CellView& v) { v.nodes[3].lock.permits = 0; }, "no number of permits"},
    {"PermitThatThereIsNot", [](CellView& v) { v.nodes[2].lock.holders[0].permit = 1; }, "a permit that there is not"},
    {"PermitOfASharedHolder", [](CellView& v) { v.nodes[3].lock.holders[0].permit = 1; }, "a permit that there is not"},
    {"OnePermitTwice",
     [](CellView& v) {
       v.nodes[3].lock.mode = v1::EXCLUSIVE;
       v.nodes[3].lock.permits = 2;
     },
     "another's permit"},
    {"HoldOfAnotherGeneration",
     [](CellView& v) { v.nodes[3].lock.holders[1].generation = Position(v.nodes[3].lock.generation.value() - 1); },
     "another generation"},
    {"HoldOfAnEarlierInstance",
     [](CellView& v) {
       v.nodes[2].lock.permits = 2;
       v.nodes[2].lock.holders[0].generation = v.nodes[2].instance;
     },
     "older than the node"},
    {"WaitsForAFreePermit", [](CellView& v) { v.nodes[2].lock.permits = 2; }, "could be granted"},
    {"ReopenedHandle", [](CellView& v) { v.sessions[0].reopened.push_back(HandleId(1)); }, "was closed before"},
    {"HandleWithoutId",
     [](CellView& v) {
       v.sessions[0].handles[3].handle = HandleId();
     },
     "without an id"},
    {"SettledAnswerKept", [](CellView& v) { v.sessions[0].first_outstanding = RequestSeq(3); }, "below its first outstanding"},
    {"DelayOfNothing", [](CellView& v) { v.delays[0].permits.clear(); }, "a lock-delay of nothing"},
    {"DelayWithoutEnd", [](CellView& v) { v.delays[0].permits[0].until = v.time + 61 * kSecond; }, "longer than any"},
    {"LeaseTooLong", [](CellView& v) { v.lease_max = 61 * kSecond; }, "longer than load makes any"},
    {"LeaseOfLessThanNothing", [](CellView& v) { v.lease_max = -1; }, "longer than load makes any"},
    {"OneNonceTwice", [](CellView& v) { v.sessions[1].nonce_low = v.sessions[0].nonce_low; }, "one nonce"},
};

INSTANTIATE_TEST_SUITE_P(Each, BrokenView, ::testing::ValuesIn(kBroken), [](const auto& info) { return info.param.name; });

TEST(Invariants, D36OneWaitsForADelayOnlyWhileItClosesTheLock) {
  CellView view = Sound();
  view.nodes[2].lock.mode = v1::FREE;
  view.nodes[2].lock.holders.clear();
  view.delays.insert(view.delays.begin(), {"/d/f", {}, view.time + kSecond});
  EXPECT_EQ(CheckInvariants(view), std::nullopt);
  view.nodes[2].lock.waiters[0].mode = v1::SHARED;
  EXPECT_EQ(CheckInvariants(view), "/d/f: the first waiter could be granted");
  view.delays[0].permits[0].until = view.time + kSecond;
  EXPECT_EQ(CheckInvariants(view), std::nullopt);
}

TEST(Succession, ADelayMayGoWhenItsTimeHasCome) {
  const CellView before = Sound();
  CellView after = before;
  after.time = before.delays[0].permits.at(0).until;
  after.delays.clear();
  EXPECT_EQ(CheckSuccession(before, after), std::nullopt);
}

TEST(Succession, LaterStateIsAccepted) { EXPECT_EQ(CheckSuccession(Sound(), Sound()), std::nullopt); }

class BrokenSuccession : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenSuccession, IsNoticed) {
  const CellView before = Sound();
  CellView after = before;
  GetParam().breaks(after);
  const auto problem = CheckSuccession(before, after);
  ASSERT_TRUE(problem.has_value());
  EXPECT_NE(problem->find(GetParam().says), std::string::npos) << *problem;
}

const Broken kBrokenSuccession[] = {
    {"Last", [](CellView& v) { v.last = Position(1); }, "the last entry went back"},
    {"Instance", [](CellView& v) { v.nodes[2].instance = Position(1); }, "the instance went back"},
    {"ContentGeneration", [](CellView& v) { v.nodes[2].content_generation = 0; }, "the content generation went back"},
    {"Owner", [](CellView& v) { v.nodes[5].owner = SessionId(); }, "of another kind"},
    {"Both", [](CellView& v) { v.nodes[1].both = true; }, "of another kind"},
    {"ContentChanged", [](CellView& v) { v.nodes[2].content_changed = v.last; }, "its entry do not go together"},
    {"ContentNotChanged", [](CellView& v) { ++v.nodes[2].content_generation; }, "its entry do not go together"},
    {"ChangedAt", [](CellView& v) { v.nodes[2].changed_at = 1; }, "its time do not go together"},
    {"ChildrenMade", [](CellView& v) { v.nodes[0].children_made = 0; }, "the number of children made went back"},
    {"AclGeneration", [](CellView& v) { v.nodes[2].acl_generation = 0; }, "the ACL generation went back"},
    {"AclNames", [](CellView& v) { v.nodes[2].acl_write = "other"; }, "changed without a new generation"},
    {"ChildrenChanged", [](CellView& v) { v.nodes[0].children_changed = Position(1); }, "change of its children went back"},
    {"LockGeneration", [](CellView& v) { v.nodes[2].lock.generation = Position(1); }, "the lock generation went back"},
    {"Permits", [](CellView& v) { v.nodes[2].lock.permits = 2; }, "the number of permits changed"},
    {"LockTaken", [](CellView& v) { v.nodes[2].lock.mode = v1::SHARED; }, "without a new generation"},
    {"Time", [](CellView& v) { v.time = -1; }, "the cluster time went back"},
    {"DelayForgotten", [](CellView& v) { v.delays.clear(); }, "/k: the lock-delay ended early"},
    {"DelayShortened", [](CellView& v) { --v.delays[0].permits[0].until; }, "/k: the lock-delay ended early"},
    {"FirstOutstanding", [](CellView& v) { v.sessions[0].first_outstanding = RequestSeq(); }, "first outstanding seq went back"},
};

INSTANTIATE_TEST_SUITE_P(Each, BrokenSuccession, ::testing::ValuesIn(kBrokenSuccession),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace bramah::cell

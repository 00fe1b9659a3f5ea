// Every command with every kind of argument that must not work: which answer it gets, and that nothing comes of it.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/cell/test_cell.h"

namespace bramah::cell {
namespace {

constexpr uint32_t kFile = v1::OPEN_WRITE | v1::OPEN_MAY_CREATE;
constexpr uint32_t kAll = kFile | v1::OPEN_CHANGE_ACL;
constexpr uint64_t kUnknown = 77;

constexpr v1::CommandKind kOnHandles[] = {v1::CLOSE,   v1::POISON,       v1::SET_CONTENTS, v1::ADD,      v1::SET_ACL, v1::DELETE,
                                          v1::ACQUIRE, v1::RELEASE,      v1::GET_CONTENTS, v1::GET_STAT, v1::READ_DIR,
                                          v1::GET_SEQUENCER};

bool IsRead(v1::CommandKind kind) { return kind >= v1::GET_CONTENTS && kind <= v1::CHECK_SEQUENCER; }
bool NeverFails(v1::CommandKind kind) { return kind == v1::CLOSE || kind == v1::POISON; }

// Two sessions. `me` has handles, each for one test: 1 /f, 2 /closed, 3 /gone (removed), 4 /d (a directory), 5 /f for reading
// only, 6 /secret, whose ACLs were changed after that. `other` has handle 9 on /f.
class BadInput : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(cell.Do(NewEpoch({1, 2})), v1::OK);
    me = cell.Session("me");
    other = cell.Session("other");
    Must(OpenPath(me, ++seq, 1, "/f", kAll, "contents"));
    Must(OpenPath(me, ++seq, 2, "/closed", kAll));
    Must(CloseOf(me, ++seq, 2));
    Must(OpenPath(me, ++seq, 3, "/gone", kAll));
    Must(DeleteOf(me, ++seq, 3));
    Must(OpenPath(me, ++seq, 4, "/d", kAll | v1::OPEN_DIRECTORY));
    Must(OpenPath(me, ++seq, 5, "/f", v1::OPEN_READ));
    Must(OpenPath(me, ++seq, 6, "/secret", kAll));
    Must(SetAclOf(me, ++seq, 6, {"nobody", "nobody", "nobody"}));
    Must(OpenPath(other, 1, 9, "/f", kAll));
  }
  void Must(const v1::Command& command) { ASSERT_EQ(cell.Do(command), v1::OK); }

  v1::Command On(v1::CommandKind kind, uint64_t session, uint64_t handle) {
    v1::Command command = ReadOf(kind, session, handle);
    if (!IsRead(kind)) command.set_seq(++seq);
    if (kind == v1::ACQUIRE) command.set_mode(v1::EXCLUSIVE);
    return command;
  }
  // The answer; whatever it is, nothing has happened.
  v1::Code Refused(const v1::Command& command) {
    if (IsRead(command.kind())) return cell.Read(command).code();
    const CellView before = cell.cell().View();
    const v1::Code code = cell.Do(command);
    const CellView after = cell.cell().View();
    EXPECT_FALSE(cell.applied().effect);
    EXPECT_TRUE(cell.applied().decisions.empty() && cell.applied().notices.empty());
    EXPECT_EQ(before.nodes, after.nodes);
    EXPECT_EQ(before.delays, after.delays);
    EXPECT_EQ(before.sessions.size(), after.sessions.size());
    for (size_t i = 0; i < before.sessions.size(); ++i) EXPECT_EQ(before.sessions[i].handles, after.sessions[i].handles);
    return code;
  }
  void ExpectOfAll(uint64_t session, uint64_t handle, v1::Code code) {
    for (const v1::CommandKind kind : kOnHandles) {
      const bool closes = NeverFails(kind) && code != v1::SESSION_EXPIRED && code != v1::MALFORMED;
      EXPECT_EQ(Refused(On(kind, session, handle)), closes ? v1::OK : code) << v1::CommandKind_Name(kind);
    }
  }

  TestCell cell;
  uint64_t me = 0, other = 0;
  uint64_t seq = 0;
};

TEST_F(BadInput, AHandleThatWasNeverOpened) { ExpectOfAll(me, kUnknown, v1::BAD_HANDLE); }

// [C-22]
TEST_F(BadInput, AClosedHandle) { ExpectOfAll(me, 2, v1::BAD_HANDLE); }

// [C-20]
TEST_F(BadInput, AHandleOfAnotherSession) { ExpectOfAll(me, 9, v1::BAD_HANDLE); }

// [C-20]
TEST_F(BadInput, AHandleWithTheCheckDigitsOfAnother) {
  const v1::Outcome of_other = cell.Apply(OpenPath(other, 2, 1, "/f", kAll)).outcome;
  for (const v1::CommandKind kind : kOnHandles) {
    if (NeverFails(kind)) continue;
    v1::Command command = On(kind, me, 1);
    command.set_check_digits(of_other.check_digits());
    EXPECT_EQ(Refused(command), v1::BAD_HANDLE) << v1::CommandKind_Name(kind);
  }
}

// [C-23]
TEST_F(BadInput, AHandleWhoseNodeIsGone) {
  for (const v1::CommandKind kind : kOnHandles) {
    if (NeverFails(kind)) continue;
    EXPECT_EQ(Refused(On(kind, me, 3)), v1::STALE_HANDLE) << v1::CommandKind_Name(kind);
  }
}

TEST_F(BadInput, ASessionThatIsOver) {
  cell.Apply(Expire(other));
  ExpectOfAll(other, 9, v1::SESSION_EXPIRED);
  EXPECT_EQ(Refused(OpenPath(other, ++seq, 20, "/f", kAll)), v1::SESSION_EXPIRED);
  EXPECT_EQ(Refused(CheckOf(other, "any")), v1::SESSION_EXPIRED);
  EXPECT_EQ(Refused(End(other, ++seq)), v1::SESSION_EXPIRED);
}

TEST_F(BadInput, ACommandWithoutHandleOrNumber) {
  for (const v1::CommandKind kind : kOnHandles) {
    if (IsRead(kind)) continue;
    EXPECT_EQ(Refused(On(kind, me, 0)), v1::MALFORMED) << v1::CommandKind_Name(kind);
    v1::Command command = On(kind, me, 1);
    command.set_seq(0);
    EXPECT_EQ(Refused(command), v1::MALFORMED) << v1::CommandKind_Name(kind);
  }
}

TEST_F(BadInput, AHandleThatWasNotOpenedForThat) {
  for (const v1::CommandKind kind : {v1::SET_CONTENTS, v1::ADD, v1::DELETE, v1::ACQUIRE}) {
    EXPECT_EQ(Refused(On(kind, me, 5)), v1::NOT_WRITABLE) << v1::CommandKind_Name(kind);
  }
  EXPECT_EQ(Refused(On(v1::SET_ACL, me, 5)), v1::PERMISSION_DENIED);
  EXPECT_EQ(Refused(On(v1::RELEASE, me, 5)), v1::LOCK_NOT_HELD);
}

TEST_F(BadInput, WhatTheAclForbids) {
  EXPECT_EQ(Refused(OpenPath(other, ++seq, 20, "/secret", v1::OPEN_READ)), v1::PERMISSION_DENIED);
  EXPECT_EQ(Refused(OpenPath(other, ++seq, 21, "/secret", v1::OPEN_WRITE)), v1::PERMISSION_DENIED);
  EXPECT_EQ(Refused(OpenPath(other, ++seq, 22, "/secret", v1::OPEN_CHANGE_ACL)), v1::PERMISSION_DENIED);
  EXPECT_EQ(Refused(On(v1::DELETE, me, 6)), v1::PERMISSION_DENIED) << "looked at again";
  EXPECT_EQ(Refused(On(v1::SET_ACL, me, 6)), v1::PERMISSION_DENIED) << "looked at again";
}

TEST_F(BadInput, NamesThatAreNone) {
  for (const std::string& path : {std::string(), std::string("f"), std::string("/f/"), std::string("//"), std::string("/."),
                                  std::string("/a/../b"), std::string("/a\0b", 4), "/" + std::string(256, 'x')}) {
    ++seq;
    EXPECT_EQ(Refused(OpenPath(me, seq, 20 + seq, path, kAll)), v1::BAD_NAME) << path;
  }
  EXPECT_EQ(Refused(WithAcl(OpenPath(me, ++seq, 60, "/new", kAll), {"a/b", "", ""})), v1::BAD_NAME);
  EXPECT_EQ(Refused(SetAclOf(me, ++seq, 1, {"a/b", "", ""})), v1::BAD_NAME);
}

TEST_F(BadInput, NodesThatAreNotWhatTheyShouldBe) {
  EXPECT_EQ(Refused(OpenPath(me, ++seq, 20, "/none", v1::OPEN_WRITE)), v1::NOT_FOUND);
  EXPECT_EQ(Refused(OpenPath(me, ++seq, 21, "/none/x", kAll)), v1::NOT_FOUND);
  EXPECT_EQ(Refused(OpenPath(me, ++seq, 22, "/f", kAll | v1::OPEN_MUST_CREATE)), v1::EXISTS);
  EXPECT_EQ(Refused(OpenPath(me, ++seq, 23, "/f", kAll | v1::OPEN_DIRECTORY)), v1::NOT_A_DIRECTORY);
  EXPECT_EQ(Refused(OpenPath(me, ++seq, 24, "/f/x", kAll)), v1::NOT_A_DIRECTORY);
  EXPECT_EQ(Refused(On(v1::READ_DIR, me, 1)), v1::NOT_A_DIRECTORY);
  for (const v1::CommandKind kind : {v1::SET_CONTENTS, v1::ADD, v1::GET_CONTENTS}) {
    EXPECT_EQ(Refused(On(kind, me, 4)), v1::IS_A_DIRECTORY) << v1::CommandKind_Name(kind);
  }
  EXPECT_EQ(Refused(On(v1::ADD, me, 1)), v1::NOT_A_NUMBER);
  Must(OpenPath(me, ++seq, 25, "/d/x", kAll));
  EXPECT_EQ(Refused(On(v1::DELETE, me, 4)), v1::NOT_EMPTY);
  Must(OpenPath(me, ++seq, 26, "/", kAll));
  EXPECT_EQ(Refused(On(v1::DELETE, me, 26)), v1::ROOT_IS_PERMANENT);
}

TEST_F(BadInput, GenerationsThatAreNotThePresentOnes) {
  EXPECT_EQ(Refused(CompareAndSet(me, ++seq, 1, "new", 0)), v1::GENERATION_MISMATCH);
  EXPECT_EQ(Refused(CompareAndSet(me, ++seq, 1, "new", 2)), v1::GENERATION_MISMATCH);
  v1::Command acl = SetAclOf(me, ++seq, 1, {"nobody", "", ""});
  acl.set_compare(true);
  acl.set_generation(9);
  EXPECT_EQ(Refused(acl), v1::GENERATION_MISMATCH);
}

// [C-75]
TEST_F(BadInput, ContentsThatAreTooLarge) {
  const std::string large(256 * 1024 + 1, 'x');
  EXPECT_EQ(Refused(Set(me, ++seq, 1, large)), v1::TOO_LARGE);
  EXPECT_EQ(Refused(OpenPath(me, ++seq, 20, "/new", kAll, large)), v1::TOO_LARGE);
}

TEST_F(BadInput, ArgumentsThatNoClientSends) {
  v1::Command acquire = On(v1::ACQUIRE, me, 1);
  acquire.set_mode(v1::FREE);
  EXPECT_EQ(Refused(acquire), v1::MALFORMED);
  EXPECT_EQ(Refused(OpenPath(me, ++seq, 20, "/f", 1u << 30)), v1::MALFORMED);
  EXPECT_EQ(Refused(OpenPath(me, ++seq, 0, "/f", kAll)), v1::MALFORMED);
  EXPECT_EQ(Refused(Delayed(OpenPath(me, ++seq, 20, "/f", kAll), -1)), v1::MALFORMED);
  EXPECT_EQ(Refused(Watching(OpenPath(me, ++seq, 20, "/f", kAll), 1u << 10)), v1::MALFORMED);
  EXPECT_EQ(Refused(OpenPath(me, ++seq, 20, "/new", kAll | v1::OPEN_DIRECTORY, "contents")), v1::MALFORMED);
  for (const uint32_t no_kind : {v1::OPEN_BOTH | 0u, v1::OPEN_SESSION_OWNED | v1::OPEN_DIRECTORY | 0u,
                                 v1::OPEN_SESSION_OWNED | v1::OPEN_EPHEMERAL | 0u,
                                 v1::OPEN_SESSION_OWNED | v1::OPEN_DIRECTORY | v1::OPEN_BOTH | 0u}) {
    EXPECT_EQ(Refused(OpenPath(me, ++seq, 20, "/new", kAll | no_kind)), v1::MALFORMED) << no_kind;
    EXPECT_EQ(Refused(OpenPath(me, ++seq, 20, "/f", kAll | no_kind)), v1::MALFORMED) << no_kind << ", also if it is there";
  }
  EXPECT_EQ(Refused(ReleaseOf(me, seq + 1, 1, seq + 1)), v1::MALFORMED) << "of an Acquire that is not earlier";
  ++seq;
  EXPECT_EQ(Refused(CloseOf(me, seq + 1, 1, {seq + 5})), v1::MALFORMED) << "gives up what is not earlier";
  EXPECT_EQ(Refused(OpenPath(me, ++seq, 1, "/f", kAll)), v1::BAD_HANDLE) << "the id is in use";
  EXPECT_EQ(Refused(OpenPath(me, ++seq, 2, "/f", kAll)), v1::BAD_HANDLE) << "the id was used";
}

TEST_F(BadInput, LocksThatAreNotThere) {
  EXPECT_EQ(Refused(On(v1::RELEASE, me, 1)), v1::LOCK_NOT_HELD);
  EXPECT_EQ(Refused(On(v1::GET_SEQUENCER, me, 1)), v1::LOCK_NOT_HELD);
  Must(AcquireOf(other, 2, 9, v1::EXCLUSIVE));
  EXPECT_EQ(Refused(AcquireOf(me, ++seq, 1, v1::SHARED, /*try_only=*/true)), v1::LOCK_CONFLICT);
  EXPECT_EQ(Refused(AcquireOf(other, 3, 9, v1::SHARED)), v1::BUSY) << "held in another mode";
  EXPECT_EQ(Refused(ReleaseOf(other, 4, 9, 1)), v1::LOCK_NOT_HELD) << "by another Acquire";
}

TEST_F(BadInput, Sequencers) {
  Must(AcquireOf(other, 2, 9, v1::EXCLUSIVE));
  const std::string sequencer = cell.Read(v1::GET_SEQUENCER, other, 9).sequencer();
  ASSERT_FALSE(sequencer.empty());
  EXPECT_EQ(Refused(CheckOf(me, "no sequencer")), v1::BAD_SEQUENCER);
  EXPECT_EQ(Refused(CheckOf(me, sequencer + "x")), v1::BAD_SEQUENCER);
  EXPECT_EQ(Refused(CheckOf(me, sequencer, v1::SHARED)), v1::SEQUENCER_INVALID) << "of another mode";
  Must(ReleaseOf(other, 3, 9));
  EXPECT_EQ(Refused(CheckOf(me, sequencer)), v1::SEQUENCER_INVALID);
  for (const v1::CommandKind kind : {v1::SET_CONTENTS, v1::ADD, v1::SET_ACL, v1::DELETE, v1::ACQUIRE, v1::GET_CONTENTS,
                                     v1::GET_STAT}) {
    EXPECT_EQ(Refused(Guarded(On(kind, me, 1), sequencer)), v1::SEQUENCER_INVALID) << v1::CommandKind_Name(kind);
    EXPECT_EQ(Refused(Guarded(On(kind, me, 1), "no sequencer")), v1::BAD_SEQUENCER) << v1::CommandKind_Name(kind);
  }
}

// [D-56]
TEST_F(BadInput, ACommandThatWasAnsweredLongAgo) {
  ++seq;
  ASSERT_EQ(cell.Do(First(Set(me, seq, 1, "new"), seq)), v1::OK);
  EXPECT_EQ(Refused(Set(me, seq - 1, 1, "old")), v1::CANCELLED);
  EXPECT_EQ(Refused(Set(me, seq + 2'000, 1, "far ahead")), v1::LIMIT_REACHED);
}

}  // namespace
}  // namespace bramah::cell

// Access control [Chubby §2.3]: who may open a node for what, and who decides that.
#include <gtest/gtest.h>

#include <string>

#include "core/cell/test_cell.h"

namespace bramah::cell {
namespace {

constexpr uint32_t kWrite = v1::OPEN_WRITE;
constexpr uint32_t kCreate = v1::OPEN_WRITE | v1::OPEN_MAY_CREATE;
constexpr uint32_t kDirectory = v1::OPEN_MAY_CREATE | v1::OPEN_DIRECTORY;
constexpr uint32_t kChange = v1::OPEN_CHANGE_ACL;

// The administrator has made the ACL `foo`, which lists bar, and the file /f, which readers may read, foo may write and only the
// administrator's own ACL may change.
class CellAcl : public ::testing::Test {
 protected:
  void SetUp() override {
    admin = cell.Session("admin");
    bar = cell.Session("bar");
    other = cell.Session("other");
    nameless = cell.Session("");
    ASSERT_EQ(Open(admin, "/acl", kDirectory), v1::OK);
    ASSERT_EQ(cell.Do(OpenPath(admin, ++seq, ++handle, "/acl/foo", kCreate, "baz bar\n")), v1::OK);
    foo = handle;
    ASSERT_EQ(cell.Do(OpenPath(admin, ++seq, ++handle, "/acl/admins", kCreate, "admin")), v1::OK);
    ASSERT_EQ(cell.Do(WithAcl(OpenPath(admin, ++seq, ++handle, "/f", kCreate | kChange), {"everyone", "everyone", "admins"})),
              v1::OK);
    file = handle;
    ASSERT_EQ(cell.Do(SetAclOf(admin, ++seq, file, {"", "foo", ""})), v1::OK);
  }
  v1::Code Open(uint64_t session, const std::string& path, uint32_t flags) {
    return cell.Do(OpenPath(session, ++seq, ++handle, path, flags));
  }
  v1::Outcome Stat(uint64_t session, uint64_t of) { return cell.Read(v1::GET_STAT, session, of); }

  TestCell cell;
  uint64_t admin = 0, bar = 0, other = 0, nameless = 0;
  uint64_t seq = 0, handle = 0;
  uint64_t foo = 0, file = 0;  // the administrator's handles
};

// [C-15] The example of the paper: F's write ACL name is foo, and the file foo lists bar, so bar may write F.
TEST_F(CellAcl, AnAclIsAFileThatListsPrincipals) {
  EXPECT_EQ(Open(bar, "/f", kWrite), v1::OK);
  EXPECT_EQ(Open(other, "/f", kWrite), v1::PERMISSION_DENIED);
  EXPECT_FALSE(cell.applied().effect);
  EXPECT_TRUE(cell.Reached(ProbeId::kPermissionDenied));
  EXPECT_EQ(Open(nameless, "/f", kWrite), v1::PERMISSION_DENIED);
  EXPECT_EQ(Open(admin, "/f", kWrite), v1::PERMISSION_DENIED) << "who may change the names is not thereby on the lists";
  for (const uint64_t session : {bar, other, nameless}) EXPECT_EQ(Open(session, "/f", v1::OPEN_READ), v1::OK);
  ASSERT_EQ(cell.Do(Set(admin, ++seq, foo, "other")), v1::OK);
  EXPECT_EQ(Open(bar, "/f", kWrite), v1::PERMISSION_DENIED);
  EXPECT_EQ(Open(other, "/f", kWrite), v1::OK);
}

// [C-15]
TEST_F(CellAcl, D50AMissingOrEmptyAclAndADirectoryListNobody) {
  ASSERT_EQ(Open(admin, "/acl/empty", kCreate), v1::OK);
  ASSERT_EQ(Open(admin, "/acl/directory", kDirectory), v1::OK);
  for (const char* name : {"missing", "empty", "directory", "nobody"}) {
    ASSERT_EQ(cell.Do(SetAclOf(admin, ++seq, file, {name, "", ""})), v1::OK);
    EXPECT_EQ(Open(bar, "/f", v1::OPEN_READ), v1::PERMISSION_DENIED) << name;
    EXPECT_EQ(Open(nameless, "/f", v1::OPEN_READ), v1::PERMISSION_DENIED) << name;
  }
}

//
TEST_F(CellAcl, RightsAreANodesOwnIfNoFileSaysWhoHasThem) {
  const Position node(Stat(admin, file).instance());
  EXPECT_FALSE(cell.cell().RightsAreItsOwn(node));
  ASSERT_EQ(cell.Do(SetAclOf(admin, ++seq, file, {"nobody", "everyone", ""})), v1::OK);
  EXPECT_FALSE(cell.cell().RightsAreItsOwn(node)) << "the ACL for changing them is a file";
  ASSERT_EQ(cell.Do(SetAclOf(admin, ++seq, file, {"", "", "everyone"})), v1::OK);
  EXPECT_TRUE(cell.cell().RightsAreItsOwn(node));
  EXPECT_FALSE(cell.cell().RightsAreItsOwn(Position(node.value() + 1'000)));
}

// [C-14]
TEST_F(CellAcl, NamesAreTakenFromTheDirectoryAtCreationUnlessGiven) {
  ASSERT_EQ(cell.Do(WithAcl(OpenPath(admin, ++seq, ++handle, "/d", kDirectory), {"foo", "everyone", "admins"})),
            v1::PERMISSION_DENIED)
      << "reading what one opens for reading needs the right to";
  const v1::Command open = OpenPath(admin, ++seq, ++handle, "/d", kDirectory | kChange | kWrite);
  ASSERT_EQ(cell.Do(WithAcl(open, {"foo", "everyone", "admins"})), v1::OK);
  const uint64_t directory = handle;
  ASSERT_EQ(cell.Do(OpenPath(bar, ++seq, ++handle, "/d/f", kCreate)), v1::OK);
  const v1::Outcome inherited = Stat(bar, handle);
  EXPECT_EQ(inherited.acl_read(), "foo");
  EXPECT_EQ(inherited.acl_write(), "everyone");
  EXPECT_EQ(inherited.acl_change(), "admins");
  EXPECT_EQ(inherited.acl_generation(), 1u);
  ASSERT_EQ(cell.Do(SetAclOf(admin, ++seq, directory, {"everyone", "", ""})), v1::OK);
  EXPECT_EQ(Stat(bar, handle).acl_read(), "foo") << "later changes of the directory are its own";
  ASSERT_EQ(cell.Do(WithAcl(OpenPath(bar, ++seq, ++handle, "/d/g", kCreate), {"", "foo", ""})), v1::OK);
  EXPECT_EQ(Stat(bar, handle).acl_write(), "foo");
  EXPECT_EQ(Stat(bar, handle).acl_read(), "everyone");
}

// [C-12, C-30]
TEST_F(CellAcl, SetAclRaisesTheGenerationAndNothingElseDoes) {
  EXPECT_EQ(Stat(admin, file).acl_generation(), 2u);
  EXPECT_EQ(cell.applied().outcome.acl_generation(), 2u);
  ASSERT_EQ(Open(bar, "/f", kWrite), v1::OK);
  ASSERT_EQ(cell.Do(Set(bar, ++seq, handle, "x")), v1::OK);
  EXPECT_EQ(Stat(admin, file).acl_generation(), 2u);
  v1::Command set = SetAclOf(admin, ++seq, file, {"foo", "", ""});
  set.set_compare(true);
  set.set_generation(1);
  EXPECT_EQ(cell.Do(set), v1::GENERATION_MISMATCH);
  EXPECT_EQ(cell.applied().outcome.acl_generation(), 2u);
  set.set_seq(++seq);
  set.set_generation(2);
  EXPECT_EQ(cell.Do(set), v1::OK);
  EXPECT_EQ(cell.applied().outcome.acl_generation(), 3u);
  EXPECT_EQ(Stat(admin, file).content_generation(), 2u);
  EXPECT_EQ(cell.Do(set), v1::OK);
  EXPECT_EQ(cell.applied().outcome.acl_generation(), 3u) << "the answer to a copy";
}

TEST_F(CellAcl, SetAclNeedsTheRightWhenOpenedAndWhenDone) {
  EXPECT_EQ(Open(bar, "/f", kChange), v1::PERMISSION_DENIED);
  ASSERT_EQ(Open(bar, "/f", v1::OPEN_READ), v1::OK);
  EXPECT_EQ(cell.Do(SetAclOf(bar, ++seq, handle, {"", "everyone", ""})), v1::PERMISSION_DENIED);
  ASSERT_EQ(Open(admin, "/acl/admins", kWrite), v1::OK);
  ASSERT_EQ(cell.Do(Set(admin, ++seq, handle, "somebody")), v1::OK);
  EXPECT_EQ(cell.Do(SetAclOf(admin, ++seq, file, {"", "everyone", ""})), v1::PERMISSION_DENIED);
}

// [C-18]
TEST_F(CellAcl, AHandleKeepsItsRights) {
  ASSERT_EQ(Open(bar, "/f", kWrite), v1::OK);
  const uint64_t open = handle;
  ASSERT_EQ(cell.Do(SetAclOf(admin, ++seq, file, {"nobody", "nobody", ""})), v1::OK);
  EXPECT_EQ(cell.Do(Set(bar, ++seq, open, "still")), v1::OK);
  EXPECT_EQ(cell.Read(v1::GET_CONTENTS, bar, open).contents(), "still");
  EXPECT_EQ(cell.Do(AcquireOf(bar, ++seq, open, v1::EXCLUSIVE)), v1::OK);
  EXPECT_EQ(Open(bar, "/f", kWrite), v1::PERMISSION_DENIED);
  EXPECT_EQ(cell.Do(DeleteOf(bar, ++seq, open)), v1::PERMISSION_DENIED) << "Delete looks again [D-48]";
}

// [C-16]
TEST_F(CellAcl, WhatStandsAboveANodeDoesNotMatter) {
  ASSERT_EQ(cell.Do(WithAcl(OpenPath(admin, ++seq, ++handle, "/d", kDirectory | kChange), {"", "", "admins"})), v1::OK);
  const uint64_t directory = handle;
  ASSERT_EQ(Open(admin, "/d/f", kCreate), v1::OK);
  ASSERT_EQ(cell.Do(SetAclOf(admin, ++seq, directory, {"nobody", "nobody", ""})), v1::OK);
  EXPECT_EQ(Open(bar, "/d", v1::OPEN_READ), v1::PERMISSION_DENIED);
  EXPECT_EQ(Open(bar, "/d/f", v1::OPEN_READ), v1::OK);
  EXPECT_EQ(Open(bar, "/d/g", kCreate), v1::PERMISSION_DENIED) << "creation needs the directory's write ACL [D-48]";
}

// [C-17]
TEST_F(CellAcl, ALockInEitherModeNeedsTheRightToWrite) {
  ASSERT_EQ(Open(other, "/f", v1::OPEN_READ), v1::OK);
  EXPECT_EQ(cell.Do(AcquireOf(other, ++seq, handle, v1::SHARED)), v1::NOT_WRITABLE);
  EXPECT_EQ(Open(other, "/f", kWrite), v1::PERMISSION_DENIED);
}

// [AC-04]
TEST_F(CellAcl, AHandleThatMayNotReadReadsNothing) {
  ASSERT_EQ(cell.Do(SetAclOf(admin, ++seq, file, {"nobody", "", ""})), v1::OK);
  ASSERT_EQ(Open(bar, "/f", kWrite), v1::OK);
  for (const v1::CommandKind kind : {v1::GET_CONTENTS, v1::GET_STAT, v1::READ_DIR}) {
    EXPECT_EQ(cell.Read(kind, bar, handle).code(), v1::PERMISSION_DENIED);
  }
  EXPECT_EQ(cell.Do(Watching(OpenPath(bar, ++seq, ++handle, "/f", kWrite), v1::EVENT_CONTENTS)), v1::PERMISSION_DENIED)
      << "events tell, too";
}

TEST_F(CellAcl, NamesAreComponents) {
  EXPECT_EQ(cell.Do(SetAclOf(admin, ++seq, file, {"a/b", "", ""})), v1::BAD_NAME);
  EXPECT_EQ(cell.Do(WithAcl(OpenPath(admin, ++seq, ++handle, "/g", kCreate), {"", "..", ""})), v1::BAD_NAME);
  EXPECT_FALSE(cell.Exists("/g"));
}

TEST_F(CellAcl, ANonceBelongsToItsPrincipal) {
  EXPECT_EQ(cell.Do(Create(77, "bar")), v1::OK);
  EXPECT_EQ(cell.Do(Create(77, "other")), v1::PERMISSION_DENIED);
  EXPECT_EQ(cell.Do(Create(77, "bar")), v1::OK);
  EXPECT_TRUE(cell.applied().duplicate);
  EXPECT_EQ(cell.Do(Create(78, std::string(256, 'p'))), v1::MALFORMED);
}

}  // namespace
}  // namespace bramah::cell

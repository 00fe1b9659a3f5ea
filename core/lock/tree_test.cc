#include "core/lock/tree.h"

#include <gtest/gtest.h>

#include "core/base/hash.h"

namespace bramah::lock {
namespace {

const AclPtr kAcl = AclPtr(Acl({"r", "w", "c"}));
constexpr Position kRoot(100);
const NodeKind kFile;
const NodeKind kDirectory{true, false, false, {}};
const NodeKind kEphemeral{false, true, false, {}};

// [C-19]
TEST(Tree, StartsWithTheRoot) {
  const Tree tree(kRoot);
  ASSERT_NE(tree.Resolve("/"), nullptr);
  EXPECT_EQ(tree.Resolve("/")->instance, kRoot);
  EXPECT_TRUE(tree.Resolve("/")->directory);
  EXPECT_EQ(tree.Resolve("/a"), nullptr);
}

// [C-03]
TEST(Tree, ResolvesByWalkingNames) {
  Tree tree(kRoot);
  tree.Create(Position(101), 0, kRoot, "a", kDirectory, "", kAcl);
  tree.Create(Position(102), 0, Position(101), "b", kEphemeral, "contents", kAcl);
  const Node* node = tree.Resolve("/a/b");
  ASSERT_NE(node, nullptr);
  EXPECT_EQ(node->instance, Position(102));
  EXPECT_EQ(node->parent, Position(101));
  EXPECT_EQ(node->path.view(), "/a/b");
  EXPECT_EQ(node->contents.view(), "contents");
  EXPECT_EQ(node->checksum, Hash64("contents"));
  EXPECT_EQ(node->content_generation, 1u);
  EXPECT_TRUE(node->ephemeral);
  EXPECT_EQ(tree.Resolve("/b"), nullptr);
  EXPECT_EQ(tree.Resolve("/a/b/c"), nullptr);
  EXPECT_EQ(tree.Find(Position(103)), nullptr);
}

TEST(Tree, RemovedNameIsFreeAndTheDigestForgetsIt) {
  Tree tree(kRoot);
  const uint64_t empty = tree.digest();
  tree.Create(Position(101), 0, kRoot, "a", kFile, "x", kAcl);
  EXPECT_NE(tree.digest(), empty);
  tree.Remove(Position(101), Position(102));
  EXPECT_EQ(tree.digest(), tree.DigestSlow());
  Tree touched(kRoot);
  Node& root = touched.TouchChildren(kRoot, Position(102));
  root.MutableExtras().children_made = 1;
  touched.Refresh(root);
  EXPECT_EQ(tree.digest(), touched.digest()) << "what remains is when the children changed, and how many there were";
  EXPECT_EQ(tree.Resolve("/a"), nullptr);
  tree.Create(Position(103), 0, kRoot, "a", kFile, "x", kAcl);
  EXPECT_EQ(tree.Resolve("/a")->instance, Position(103));
}

TEST(Tree, DigestFollowsEveryFieldThatRefreshAccountsFor) {
  Tree tree(kRoot);
  Node& node = tree.Create(Position(101), 0, kRoot, "a", kFile, "x", kAcl);
  uint64_t last = tree.digest();
  const auto expect_changed = [&] {
    tree.Refresh(node);
    EXPECT_NE(tree.digest(), last);
    EXPECT_EQ(tree.digest(), tree.DigestSlow());
    last = tree.digest();
  };
  tree.SetContents(node, "y", Position(102), 5);
  expect_changed();
  node.content_changed = Position(103);
  expect_changed();
  node.changed_at = 6;
  expect_changed();
  node.both = true;
  expect_changed();
  ++node.content_generation;
  expect_changed();
  node.lock.Grant({{SessionId(1), HandleId(1)}, RequestSeq(1), v1::SHARED}, Delay(), Position(105));
  expect_changed();
  node.ephemeral = true;
  expect_changed();
  node.MutableExtras().children_changed = Position(106);
  expect_changed();
  node.MutableExtras().children_made = 1;
  expect_changed();
  node.MutableExtras().owner = SessionId(1);
  expect_changed();
  node.acl = AclPtr(Acl({"r", "w", "d"}));
  expect_changed();
  ++node.acl_generation;
  expect_changed();
}

TEST(Tree, ADirectoryKnowsWhenItsChildrenLastChanged) {
  Tree tree(kRoot);
  EXPECT_FALSE(tree.Resolve("/")->children_changed());
  tree.Create(Position(101), 0, kRoot, "a", kDirectory, "", kAcl);
  EXPECT_EQ(tree.Resolve("/")->children_changed(), Position(101));
  tree.Create(Position(102), 0, Position(101), "b", kFile, "", kAcl);
  EXPECT_EQ(tree.Resolve("/")->children_changed(), Position(101));
  EXPECT_EQ(tree.Resolve("/a")->children_changed(), Position(102));
  tree.Remove(Position(102), Position(103));
  EXPECT_EQ(tree.Resolve("/a")->children_changed(), Position(103));
  tree.TouchChildren(Position(101), Position(102));
  EXPECT_EQ(tree.Resolve("/a")->children_changed(), Position(103)) << "it does not go back";
}

// [D-45]
TEST(Tree, ADirectoryCountsTheChildrenThatWereEverMadeInIt) {
  Tree tree(kRoot);
  EXPECT_EQ(tree.Resolve("/")->children_made(), 0u);
  tree.Create(Position(101), 0, kRoot, "a", kDirectory, "", kAcl);
  tree.Create(Position(102), 0, kRoot, "b", kFile, "", kAcl);
  tree.Create(Position(103), 0, Position(101), "c", kFile, "", kAcl);
  tree.Remove(Position(102), Position(104));
  EXPECT_EQ(tree.Resolve("/")->children_made(), 2u);
  EXPECT_EQ(tree.Resolve("/a")->children_made(), 1u);
  EXPECT_EQ(tree.Resolve("/a/c")->children_made(), 0u);
}

// [D-45]
TEST(Tree, ANodeKnowsWhenItsContentsWereWritten) {
  Tree tree(kRoot);
  EXPECT_EQ(tree.Resolve("/")->content_changed, kRoot);
  Node& node = tree.Create(Position(101), 7, kRoot, "a", kFile, "x", kAcl);
  EXPECT_EQ(node.content_changed, Position(101));
  EXPECT_EQ(node.changed_at, 7);
  tree.SetContents(node, "x", Position(103), 9);
  EXPECT_EQ(node.content_changed, Position(103));
  EXPECT_EQ(node.changed_at, 9);
}

// [D-46]
TEST(Tree, FindsTheNodesThatASessionOwns) {
  Tree tree(kRoot);
  const NodeKind of_one{false, false, false, SessionId(1)};
  const NodeKind of_two{false, false, false, SessionId(2)};
  tree.Create(Position(101), 0, kRoot, "a", of_one, "", kAcl);
  tree.Create(Position(102), 0, kRoot, "b", of_two, "", kAcl);
  tree.Create(Position(103), 0, kRoot, "c", of_one, "", kAcl);
  EXPECT_EQ(tree.Resolve("/b")->owner(), SessionId(2));
  EXPECT_EQ(tree.OwnedBy(SessionId(1)), (absl::btree_set<Position>{Position(101), Position(103)}));
  tree.Remove(Position(101), Position(104));
  EXPECT_EQ(tree.OwnedBy(SessionId(1)), (absl::btree_set<Position>{Position(103)}));
  tree.Remove(Position(103), Position(105));
  EXPECT_TRUE(tree.OwnedBy(SessionId(1)).empty());
}

TEST(Tree, LockedListsTheHeldLocks) {
  Tree tree(kRoot);
  Node& node = tree.Create(Position(101), 0, kRoot, "a", kFile, "", kAcl);
  EXPECT_TRUE(tree.locked().empty());
  node.lock.Grant({{SessionId(1), HandleId(1)}, RequestSeq(1), v1::SHARED}, Delay(), Position(102));
  tree.Refresh(node);
  EXPECT_EQ(tree.locked().count(Position(101)), 1u);
  tree.Remove(Position(101), Position(103));
  EXPECT_TRUE(tree.locked().empty());
}

// The names of children are parts of the children.
TEST(Tree, ACopyOutlivesWhatItWasCopiedFrom) {
  Tree copy(kRoot);
  {
    Tree tree(kRoot);
    tree.Create(Position(101), 0, kRoot, "a", kDirectory, "", kAcl);
    tree.Create(Position(102), 0, Position(101), "a name of more than a few bytes", kFile, "x", kAcl);
    copy = Tree(tree);
    tree.Remove(Position(102), Position(103));
  }
  ASSERT_NE(copy.Resolve("/a/a name of more than a few bytes"), nullptr);
  copy.Remove(Position(102), Position(103));
  copy.Create(Position(104), 0, Position(101), "b", kFile, "x", kAcl);
  EXPECT_EQ(copy.Resolve("/a")->children().begin()->first, "b");
  EXPECT_EQ(copy.digest(), copy.DigestSlow());
}

// [C-06, C-07]
TEST(Node, IsAbandonedOnlyIfEphemeralUnreferencedAndEmpty) {
  Node node;
  EXPECT_FALSE(node.Abandoned());
  node.ephemeral = true;
  EXPECT_TRUE(node.Abandoned());
  node.references = 1;
  EXPECT_FALSE(node.Abandoned());
  node.references = 0;
  node.MutableExtras().children.emplace("a", Position(1));
  EXPECT_FALSE(node.Abandoned());
}

}  // namespace
}  // namespace bramah::lock

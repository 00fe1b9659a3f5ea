#include "core/lock/acl.h"

#include <gtest/gtest.h>

namespace bramah::lock {
namespace {

// [C-15]
TEST(Acl, ListsWholeNamesBetweenBlanksAndLineEnds) {
  EXPECT_TRUE(Lists("bar", "bar"));
  EXPECT_TRUE(Lists("  foo\n\tbar baz\r\n", "bar"));
  EXPECT_TRUE(Lists("foo bar", "bar"));
  for (const char* contents : {"", " ", "ba", "barn", "foo,bar", "foobar", "Bar"}) {
    EXPECT_FALSE(Lists(contents, "bar")) << contents;
  }
}

TEST(Acl, NobodyWithoutANameIsListed) {
  EXPECT_FALSE(Lists("", ""));
  EXPECT_FALSE(Lists("foo", ""));
  EXPECT_FALSE(Lists("foo  bar", ""));
}

TEST(Acl, DigestTellsTheThreeNamesApart) {
  EXPECT_NE(Acl({"a", "b", "c"}).digest, Acl({"b", "a", "c"}).digest);
  EXPECT_NE(Acl({"a", "b", "c"}).digest, Acl({"a", "b", "d"}).digest);
  EXPECT_EQ(Acl({"a", "b", "c"}).digest, Acl({"a", "b", "c"}).digest);
}

}  // namespace
}  // namespace bramah::lock

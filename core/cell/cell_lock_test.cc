#include <gtest/gtest.h>

#include "core/cell/test_cell.h"

namespace bramah::cell {
namespace {

constexpr uint32_t kLockable = v1::OPEN_WRITE | v1::OPEN_MAY_CREATE;

// Three sessions a, b, c, each with handle 1 on the permanent file /l, opened by its seq 1.
class CellLock : public ::testing::Test {
 protected:
  void SetUp() override {
    for (uint64_t* session : {&a, &b, &c}) {
      *session = cell.Session();
      ASSERT_EQ(cell.Do(OpenPath(*session, 1, 1, "/l", kLockable)), v1::OK);
    }
  }
  TestCell cell;
  uint64_t a = 0, b = 0, c = 0;
};

TEST_F(CellLock, A01GenerationIsThePositionOfTheEntryThatMadeItHeld) {
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::OK);
  EXPECT_EQ(cell.applied().outcome.lock_generation(), At(cell.index()));
  EXPECT_EQ(cell.applied().outcome.lock_mode(), v1::EXCLUSIVE);
  EXPECT_TRUE(cell.applied().effect);
  const LockView lock = cell.Lock("/l");
  EXPECT_EQ(lock.mode, v1::EXCLUSIVE);
  ASSERT_EQ(lock.holders.size(), 1u);
  EXPECT_EQ(lock.holders[0], (HolderView{SessionId(a), HandleId(1), RequestSeq(2)}));
}

}  // namespace
}  // namespace bramah::cell

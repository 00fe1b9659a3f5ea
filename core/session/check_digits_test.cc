#include "core/session/check_digits.h"

#include <gtest/gtest.h>

#include <set>

namespace bramah::session {
namespace {

constexpr MacKey kKey{1, 2};

Handle Opened() {
  Handle handle;
  handle.instance = Position(7);
  handle.readable = true;
  return handle;
}

uint64_t Digits(const Handle& handle) { return CheckDigits(SessionId(3), HandleId(4), handle, kKey); }

// [C-20, D-53]
TEST(CheckDigits, EverythingThatMakesTheHandleCounts) {
  std::set<uint64_t> digits{Digits(Opened())};
  const auto with = [&digits](auto&& change) {
    Handle handle = Opened();
    change(handle);
    EXPECT_TRUE(digits.insert(Digits(handle)).second);
  };
  with([](Handle& h) { h.instance = Position(8); });
  with([](Handle& h) { h.readable = false; });
  with([](Handle& h) { h.writable = true; });
  with([](Handle& h) { h.changes_acl = true; });
  with([](Handle& h) { h.lock_delay = 1; });
  with([](Handle& h) { h.events = 1; });
  EXPECT_TRUE(digits.insert(CheckDigits(SessionId(4), HandleId(4), Opened(), kKey)).second);
  EXPECT_TRUE(digits.insert(CheckDigits(SessionId(3), HandleId(5), Opened(), kKey)).second);
  EXPECT_TRUE(digits.insert(CheckDigits(SessionId(3), HandleId(4), Opened(), MacKey{1, 3})).second);
}

TEST(CheckDigits, DoNotChangeWhileTheHandleWaits) {
  Handle handle = Opened();
  handle.waits = Position(9);
  handle.check_digits = 5;
  EXPECT_EQ(Digits(handle), Digits(Opened()));
}

TEST(CheckDigits, NoneAreMadeWithoutAKey) { EXPECT_EQ(CheckDigits(SessionId(3), HandleId(4), Opened(), MacKey()), 0u); }

}  // namespace
}  // namespace bramah::session

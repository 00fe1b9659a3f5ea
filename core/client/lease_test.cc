#include "core/client/lease.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "core/base/keyed.h"

namespace bramah::client {
namespace {

TEST(Lease, WithoutDriftOnlyTheFlightIsLost) { EXPECT_EQ(LeaseEnd(100, 7 * kSecond, 12 * kSecond, 0), 100 + 19 * kSecond); }

TEST(Lease, CostOfTheDefaultBoundIsThirtyEightMilliseconds) {
  const Duration lost = 19 * kSecond - LeaseEnd(0, 7 * kSecond, 12 * kSecond, 1'000);
  EXPECT_EQ(lost / kMillisecond, 37);  // 19 s * 2 rho, of which most is the hold
}

TEST(Lease, RefusesWhatIsNoGrant) {
  EXPECT_TRUE(IsGrant(0, 0, 0));
  EXPECT_TRUE(IsGrant(kGrantMax, kGrantMax, 0));
  EXPECT_FALSE(IsGrant(-1, kSecond, 0));
  EXPECT_FALSE(IsGrant(kSecond, -1, 0));
  EXPECT_FALSE(IsGrant(kGrantMax + 1, kSecond, 0));
  EXPECT_FALSE(IsGrant(kSecond, INT64_MAX, 0));
  EXPECT_TRUE(IsGrant(kSecond, kSecond, kMillion - 1));
  EXPECT_FALSE(IsGrant(kSecond, kSecond, kMillion));
  EXPECT_FALSE(IsGrant(kSecond, kSecond, -1));
}

// Real time until a clock of rate (million + ppm) has advanced by `local`, in units of 1 / million ns so that nothing is rounded:
// returns local * million / rate as a fraction with the given denominator.
struct Real {
  __int128 numerator;
  __int128 denominator;
  static Real Of(Duration local, int64_t ppm) { return {static_cast<__int128>(local) * kMillion, kMillion + ppm}; }
  Real Plus(Real other) const {
    return {numerator * other.denominator + other.numerator * denominator, denominator * other.denominator};
  }
  bool NotAfter(Real other) const { return numerator * other.denominator <= other.numerator * denominator; }
};

// L2 in exact arithmetic: whatever the two clocks do inside the bound, however long the request and the answer travel, the client
// stops trusting no later in real time than the master keeps its promise [C-59].
TEST(Lease, LemmaL2HoldsAtEveryCornerOfTheDriftBound) {
  for (const int64_t rho : {0, 100, 1'000, 50'000}) {
    for (uint64_t draw = 0; draw < 2'000; ++draw) {
      const Duration hold = Between(Draw(1, 1, rho, draw), 0, 20 * kSecond);
      const Duration lease = Between(Draw(1, 2, rho, draw), 0, 60 * kSecond);
      const Duration flight = Between(Draw(1, 3, rho, draw), 0, 60 * kSecond);  // real, from first send to receipt
      for (const int64_t master : {-rho, rho}) {
        for (const int64_t client : {-rho, rho}) {
          const Real master_end = Real{flight, 1}.Plus(Real::Of(hold + lease, master));
          const Real client_end = Real::Of(LeaseEnd(0, hold, lease, rho), client);
          ASSERT_TRUE(client_end.NotAfter(master_end)) << "hold " << hold << " lease " << lease << " rho " << rho;
        }
      }
    }
  }
}

// The bound is used up: at the worst corner a client that left out the drift, or trusted a millisecond longer, would be too late.
TEST(Lease, LemmaL2IsTight) {
  const int64_t rho = 1'000;
  const Real master_end = Real::Of(19 * kSecond, rho);
  EXPECT_FALSE(Real::Of(19 * kSecond, -rho).NotAfter(master_end));
  const Time end = LeaseEnd(0, 7 * kSecond, 12 * kSecond, rho);
  EXPECT_TRUE(Real::Of(end, -rho).NotAfter(master_end));
  EXPECT_FALSE(Real::Of(end + kMillisecond, -rho).NotAfter(master_end));
}

}  // namespace
}  // namespace bramah::client

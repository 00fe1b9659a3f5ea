#include "core/base/rate_watch.h"

#include "gtest/gtest.h"

namespace bramah {
namespace {

constexpr int64_t kBoundPpm = 500;

// A clock that runs at 1 + ppm, looked at whenever a window has passed.
class RateWatchTest : public testing::Test {
 protected:
  bool Run(int looks, int64_t ppm, Duration error = 0) {
    bool trusted = true;
    for (int i = 0; i < looks; ++i) {
      raw_ += RateWatch::kWindow;
      clock_ += RateWatch::kWindow + RateWatch::kWindow / kMillion * ppm;
      trusted = watch_.Add(clock_, raw_, error, kBoundPpm);
    }
    return trusted;
  }

  RateWatch watch_;
  Time clock_ = 77 * kSecond;
  Time raw_ = 5 * kSecond;
};

TEST_F(RateWatchTest, TrustsAClockAtTheEndsOfItsBound) {
  EXPECT_TRUE(Run(100, kBoundPpm));
  EXPECT_TRUE(Run(100, -kBoundPpm));
}

TEST_F(RateWatchTest, DoubtsAClockJustBeyondItsBound) {
  EXPECT_TRUE(Run(1, 0));
  EXPECT_FALSE(Run(1, kBoundPpm + 1));
}

TEST_F(RateWatchTest, DoubtsAClockThatIsSlowStandsStillOrGoesBack) {
  for (const int64_t ppm : {int64_t{-501}, int64_t{-1'000'000}, int64_t{-3'000'000}}) {
    watch_ = RateWatch();
    EXPECT_TRUE(Run(2, 0));
    EXPECT_FALSE(Run(1, ppm)) << ppm;
  }
}

TEST_F(RateWatchTest, TrustsAgainAfterAWhileWithoutFault) {
  Run(2, 0);
  EXPECT_FALSE(Run(3, 100'000));
  EXPECT_FALSE(Run(RateWatch::kCalm - 1, 0));
  EXPECT_TRUE(Run(1, 0));
}

TEST_F(RateWatchTest, TheWhileStartsAnewWithEachFault) {
  Run(2, 0);
  EXPECT_FALSE(Run(1, 100'000));
  EXPECT_FALSE(Run(RateWatch::kCalm - 1, 0));
  EXPECT_FALSE(Run(1, 100'000));
  EXPECT_FALSE(Run(RateWatch::kCalm - 1, 0));
}

// A process that was not run between the two readings knows how far apart they may be.
TEST_F(RateWatchTest, AllowsForTheErrorOfReading) {
  Run(1, 0, /*error=*/0);
  EXPECT_TRUE(Run(1, 2 * kBoundPpm, /*error=*/kBoundPpm * RateWatch::kWindow / kMillion));
  EXPECT_FALSE(Run(1, 4 * kBoundPpm, /*error=*/0));
}

TEST_F(RateWatchTest, ReadingsCloseTogetherAreNotCompared) {
  Run(1, 0);
  EXPECT_TRUE(watch_.Add(clock_ + kMillisecond, raw_ + RateWatch::kWindow - 1, 0, kBoundPpm));
}

TEST_F(RateWatchTest, SleepIsNoFault) {
  Run(3, 0);
  clock_ += 3600 * kSecond;
  watch_.Restart();
  EXPECT_TRUE(Run(3, 0));
}

// A month between two readings does not overflow.
TEST_F(RateWatchTest, ComparesReadingsFarApart) {
  constexpr Duration kMonth = 30 * 24 * 3600 * kSecond;
  Run(1, 0);
  EXPECT_TRUE(watch_.Add(clock_ + kMonth + kMonth / kMillion * kBoundPpm, raw_ + kMonth, 0, kBoundPpm));
  EXPECT_FALSE(watch_.Add(clock_ + 3 * kMonth, raw_ + 2 * kMonth, 0, kBoundPpm));
}

}  // namespace
}  // namespace bramah

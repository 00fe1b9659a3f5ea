// A server whose clock runs at a wrong rate is no master.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/replica/lone_server.h"

namespace bramah::replica {
namespace {

bool Said(const LoneServer& server, CoreEvent::Kind kind) {
  const auto& events = server.events();
  return std::any_of(events.begin(), events.end(), [kind](const CoreEvent& event) { return event.kind == kind; });
}

TEST(ServerClock, AMasterResignsAndServesAgainWhenTheClockIsRight) {
  LoneServer server;
  server.TellOfClock(false);
  EXPECT_EQ(server.view().phase, Phase::kNone);
  EXPECT_TRUE(Said(server, CoreEvent::kClockDoubted));
  server.Run(10 * kSecond);
  EXPECT_EQ(server.view().phase, Phase::kNone);
  EXPECT_FALSE(Said(server, CoreEvent::kClockTrusted));
  server.TellOfClock(true);
  EXPECT_TRUE(Said(server, CoreEvent::kClockTrusted));
  server.RunUntil([&] { return server.view().phase == Phase::kServing; });
}

// The driver compares clocks while the log is still being read.
TEST(ServerClock, WhatIsSaidBeforeRecoveryIsOverCounts) {
  LoneServer server(1, /*clock_trusted=*/false);
  server.Run(10 * kSecond);
  EXPECT_TRUE(server.view().ready);
  EXPECT_EQ(server.view().role, Role::kFollower);
  server.TellOfClock(true);
  server.RunUntil([&] { return server.view().phase == Phase::kServing; });
}

}  // namespace
}  // namespace bramah::replica

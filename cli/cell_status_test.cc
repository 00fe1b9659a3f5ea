#include "cli/cell_status.h"

#include "gtest/gtest.h"

namespace bramah::cli {
namespace {

net_real::ReplicaStatus Replica(uint32_t id, const std::string& phase, uint64_t epoch) {
  net_real::ReplicaStatus status;
  status.reachable = true;
  status.cell = "demo";
  status.reply.set_member(id);
  status.reply.set_phase(phase);
  status.reply.set_epoch(epoch);
  status.reply.set_lease_max_ns(static_cast<int64_t>(epoch) * kSecond);
  return status;
}

TEST(CellStatusTest, NobodyReachableIsNoCell) {
  const CellStatus status = Summarize({net_real::ReplicaStatus(), net_real::ReplicaStatus()});
  EXPECT_EQ(status.cell, "");
  EXPECT_EQ(status.master, 0u);
  EXPECT_EQ(status.phase, "none");
  EXPECT_EQ(status.replicas.size(), 2u);
}

TEST(CellStatusTest, FindsTheServingMaster) {
  const CellStatus status = Summarize({Replica(1, "none", 0), Replica(2, "serving", 7), Replica(3, "none", 0)});
  EXPECT_EQ(status.cell, "demo");
  EXPECT_EQ(status.master, 2u);
  EXPECT_EQ(status.phase, "serving");
  EXPECT_EQ(status.epoch, 7u);
  EXPECT_EQ(status.lease_max, 7 * kSecond);
}

TEST(CellStatusTest, NewerMasterWinsOverOneThatDoesNotKnowYet) {
  EXPECT_EQ(Summarize({Replica(1, "serving", 9), Replica(2, "serving", 8)}).master, 1u);
  EXPECT_EQ(Summarize({Replica(1, "serving", 8), Replica(2, "serving", 9)}).master, 2u);
}

TEST(CellStatusTest, ServingWinsOverRecovering) {
  const CellStatus status = Summarize({Replica(1, "recovering", 9), Replica(2, "serving", 8)});
  EXPECT_EQ(status.master, 2u);
  EXPECT_EQ(status.phase, "serving");
  EXPECT_EQ(Summarize({Replica(1, "recovering", 9)}).phase, "recovering");
}

}  // namespace
}  // namespace bramah::cli

// One directed scenario per storage rule about snapshots, and about their lane beside the log's.
#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "core/base/keyed.h"
#include "core/storage/format.h"
#include "core/storage/recovery_fixture.h"
#include "gtest/gtest.h"

namespace bramah::storage {
namespace {

TEST_F(RecoveryTest, ST15_SnapshotAboveTheDurableLogIsAMistake) {
  const CheckHandler old_handler = SetCheckHandler([](const CheckFailure&) { throw std::logic_error("check"); });
  driver_.Append(1, {MakeEntry(1, "a")});
  EXPECT_THROW(driver_.SaveSnapshot(MakeSnapshot(1, 1, "state")), std::logic_error);
  SetCheckHandler(old_handler);
}

TEST_F(RecoveryTest, ST15_CrashAnywhereInAnInstallLeavesTheOldLogOrTheSnapshot) {
  AppendDurably(1, {MakeEntry(1, "a"), MakeEntry(1, "b"), MakeEntry(1, "c")});
  driver_.SetVote({Term(5), ReplicaId(2), 0});
  driver_.RunAll();
  const TestDisk start = disk_;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    disk_ = start;
    driver_.BootFully(1);
    driver_.RunAll();
    driver_.InstallSnapshot(MakeSnapshot(2, 5, "installed"));
    for (uint64_t ops = Below(Draw(seed, 9, 9, 9), 30); ops > 0; --ops) {
      if (!driver_.RunOp(Lane::kBulk)) driver_.RunOp(Lane::kLog);
    }
    const bool done = !storage().saving();
    CrashMachine(Fate::kRandom, seed);
    const Recovered recovered = Boot();
    if (recovered.snapshot.has_value()) {
      ASSERT_EQ(recovered.snapshot->state.view(), "installed");
      ASSERT_EQ(PayloadsOf(recovered), Payloads());
      ASSERT_EQ(storage().durable_index(), LogIndex(2));
      AppendDurably(3, {MakeEntry(5, "next")});
      CrashMachine();
      ASSERT_EQ(PayloadsOf(Boot()), (Payloads{"next"}));
    } else {
      ASSERT_FALSE(done);
      ASSERT_EQ(PayloadsOf(recovered), (Payloads{"a", "b", "c"}));
    }
  }
}

TEST_F(RecoveryTest, ST17_OldSnapshotAndLogStayUntilTheNewOneWasReadBack) {
  for (uint64_t i = 1; i <= 30; ++i) AppendDurably(i, {MakeEntry(1, std::string(500, 'x'))});
  driver_.SaveSnapshot(MakeSnapshot(10, 1, "ten"));
  driver_.RunAll();
  const size_t before = driver_.history().size();
  driver_.SaveSnapshot(MakeSnapshot(20, 1, "twenty"));
  driver_.RunAll();
  std::vector<FileOp::Kind> kinds;
  for (size_t i = before; i < driver_.history().size(); ++i) kinds.push_back(driver_.history()[i].kind);
  const auto read = std::find(kinds.begin(), kinds.end(), FileOp::kRead);
  const auto unlink = std::find(kinds.begin(), kinds.end(), FileOp::kUnlink);
  ASSERT_NE(read, kinds.end());
  ASSERT_NE(unlink, kinds.end());
  EXPECT_LT(read, unlink);
  EXPECT_FALSE(disk_.Has({FileKind::kSnapshot, 10}));
}

TEST_F(RecoveryTest, ST17_SnapshotThatReadsBackDifferentlyStopsTheReplicaAndCostsNothing) {
  AppendDurably(1, {MakeEntry(1, "a"), MakeEntry(1, "b")});
  driver_.SaveSnapshot(MakeSnapshot(1, 1, "one"));
  driver_.RunAll();
  driver_.SaveSnapshot(MakeSnapshot(2, 1, "two"));
  ASSERT_TRUE(driver_.RunUntil(Lane::kBulk, FileOp::kRead, FileKind::kSnapshot));
  Flip({FileKind::kSnapshot, 2}, disk_.Contents({FileKind::kSnapshot, 2}).size() - 1);
  driver_.RunAll();
  ASSERT_TRUE(driver_.halt().has_value());
  EXPECT_EQ(driver_.halt()->why, HaltReason::kDiskFailure);
  const Recovered recovered = Boot();
  EXPECT_EQ(recovered.snapshot->state.view(), "one");
  EXPECT_EQ(PayloadsOf(recovered), (Payloads{"b"}));
}

TEST_F(RecoveryTest, ST17_DamagedOnlySnapshotIsRefused) {
  for (uint64_t i = 1; i <= 30; ++i) AppendDurably(i, {MakeEntry(1, std::string(500, 'x'))});
  driver_.SaveSnapshot(MakeSnapshot(29, 1, "state"));
  driver_.RunAll();
  const FileId file{FileKind::kSnapshot, 29};
  const std::string whole = disk_.Contents(file);
  for (uint64_t offset = 0; offset < whole.size(); ++offset) {
    Flip(file, offset);
    ExpectRefused(HaltReason::kCorruptSnapshot);
    disk_.Put(file, whole.substr(0, offset));
    ExpectRefused(HaltReason::kCorruptSnapshot);
    disk_.Put(file, whole);
  }
  disk_.Put(file, whole + "x");
  ExpectRefused(HaltReason::kCorruptSnapshot);
}

TEST_F(RecoveryTest, ST17_CrashAnywhereInASaveLosesNothing) {
  for (uint64_t i = 1; i <= 20; ++i) AppendDurably(i, {MakeEntry(1, std::string(500, 'x'))});
  driver_.SaveSnapshot(MakeSnapshot(10, 1, "ten"));
  driver_.RunAll();
  const TestDisk start = disk_;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    disk_ = start;
    driver_.BootFully(1);
    driver_.RunAll();
    driver_.SaveSnapshot(MakeSnapshot(19, 1, "nineteen"));
    for (uint64_t ops = Below(Draw(seed, 9, 9, 9), 20); ops > 0; --ops) driver_.RunOp(Lane::kBulk);
    const bool done = !storage().saving();
    CrashMachine(Fate::kRandom, seed);
    const Recovered recovered = Boot();
    ASSERT_TRUE(recovered.snapshot.has_value());
    const LogIndex index = recovered.snapshot->meta.index;
    ASSERT_TRUE(index == LogIndex(19) || (!done && index == LogIndex(10)));
    ASSERT_EQ(index.value() + recovered.entries.size(), 20u);
  }
}

// ---------------------------------------------------------------------------------------------------------------- lanes

TEST_F(RecoveryTest, ST18_LogDoesNotWaitForASnapshot) {
  AppendDurably(1, {MakeEntry(1, "a")});
  driver_.SaveSnapshot(MakeSnapshot(1, 1, std::string(3 << 20, 's')));
  ASSERT_TRUE(driver_.Busy(Lane::kBulk));
  driver_.Append(2, {MakeEntry(1, "b")});
  driver_.SetVote({Term(2), ReplicaId(2), 0});
  while (driver_.RunBatch(Lane::kLog)) {
  }
  EXPECT_EQ(storage().durable_index(), LogIndex(2));
  EXPECT_EQ(storage().Need(Term(2), LogIndex(2)), After());
  EXPECT_TRUE(storage().saving());
}

}  // namespace
}  // namespace bramah::storage

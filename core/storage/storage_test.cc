// Storage from outside: what was appended comes back, tickets and durability, group commit, rolling, snapshots, the idle mark.
#include "core/storage/storage.h"

#include <string>
#include <vector>

#include "core/storage/format.h"
#include "core/storage/test_disk.h"
#include "gtest/gtest.h"

namespace bramah::storage {
namespace {

using Payloads = std::vector<std::string>;

class StorageTest : public ::testing::Test {
 protected:
  Storage& storage() { return driver_.storage(); }
  // The machine crashes so that nothing unsynced survives, and boots.
  void Reboot() {
    disk_.Crash(TestDisk::Fate::kLost, 0);
    driver_.BootFully(2);
    ASSERT_TRUE(storage().ready()) << driver_.halt()->detail;
  }

  Options options_{4 << 10, 10 * kMillisecond};
  TestDisk disk_;
  TestDriver driver_{&options_, {"test", ReplicaId(2), 0, 0}, &disk_};
};

TEST_F(StorageTest, EmptyDirectoryIsFormatted) {
  driver_.BootFully(5);
  ASSERT_TRUE(storage().ready());
  const Recovered recovered = storage().TakeRecovered();
  EXPECT_EQ(recovered.identity.cell, "test");
  EXPECT_EQ(recovered.identity.member, ReplicaId(2));
  EXPECT_NE(recovered.identity.disk_high, 0u);
  EXPECT_NE(recovered.identity.disk_low, 0u);
  EXPECT_EQ(recovered.first, LogIndex(1));
  EXPECT_TRUE(recovered.entries.empty());
  EXPECT_EQ(recovered.hard, raft::HardState());
  Reboot();
  const Recovered again = storage().TakeRecovered();
  EXPECT_EQ(again.identity.disk_high, recovered.identity.disk_high);
  EXPECT_EQ(again.identity.disk_low, recovered.identity.disk_low);
}

TEST_F(StorageTest, DiskIdDependsOnTheSeedOfTheFirstBoot) {
  driver_.BootFully(5);
  const uint64_t first = storage().TakeRecovered().identity.disk_high;
  disk_ = TestDisk();
  driver_.BootFully(6);
  EXPECT_NE(storage().TakeRecovered().identity.disk_high, first);
}

TEST_F(StorageTest, WhatWasAppendedAndVotedComesBack) {
  driver_.BootFully();
  storage().SetVote({Term(3), ReplicaId(1), 5});
  driver_.Append(1, {MakeEntry(3, "a"), MakeEntry(3, "b")});
  driver_.RunAll();
  driver_.Append(3, {MakeEntry(3, "c")});
  driver_.RunAll();
  EXPECT_EQ(storage().durable_index(), LogIndex(3));
  Reboot();
  EXPECT_EQ(storage().durable_index(), LogIndex(3));
  const Recovered recovered = storage().TakeRecovered();
  EXPECT_EQ(recovered.hard, (raft::HardState{Term(3), ReplicaId(1), 5}));
  ASSERT_EQ(recovered.entries.size(), 3u);
  EXPECT_EQ(recovered.entries[2], MakeEntry(3, "c"));
}

TEST_F(StorageTest, EntriesOfEverySizeComeBack) {
  driver_.BootFully();
  Payloads expected;
  for (uint64_t i = 1; i <= 600; ++i) {
    expected.push_back(std::string(i * 7 % 1300, static_cast<char>('a' + i % 26)));
    driver_.Append(i, {MakeEntry(1, expected.back())});
    driver_.RunAll();
  }
  EXPECT_TRUE(driver_.probes().Reached(ProbeId::kSegmentRolled));
  Reboot();
  EXPECT_EQ(PayloadsOf(storage().TakeRecovered()), expected);
}

TEST_F(StorageTest, EntryLargerThanASegmentGetsALargerOne) {
  driver_.BootFully();
  const std::string large((256 << 10) + 1000, 'x');
  driver_.Append(1, {MakeEntry(1, "small")});
  driver_.RunAll();
  driver_.Append(2, {MakeEntry(1, large), MakeEntry(1, large)});
  driver_.RunAll();
  driver_.Append(4, {MakeEntry(1, "after")});
  driver_.RunAll();
  EXPECT_EQ(storage().durable_index(), LogIndex(4));
  Reboot();
  EXPECT_EQ(PayloadsOf(storage().TakeRecovered()), (Payloads{"small", large, large, "after"}));
}

TEST_F(StorageTest, ClaimWaitsForItsBatchOnly) {
  driver_.BootFully();
  driver_.RunAll();
  EXPECT_EQ(storage().Need(Term(0), LogIndex(0)), After());
  driver_.Append(1, {MakeEntry(1, "a")});
  const After first = storage().Need(Term(0), LogIndex(1));
  EXPECT_EQ(first, (After{1, 0}));
  driver_.Append(2, {MakeEntry(1, "b")});  // buffered: the lane is busy
  const After second = storage().Need(Term(0), LogIndex(2));
  EXPECT_EQ(second, (After{2, 0}));
  EXPECT_EQ(storage().Need(Term(0), LogIndex(1)), first);
  EXPECT_EQ(storage().Need(Term(0), LogIndex(0)), After());

  driver_.RunOp(Lane::kLog);  // the write
  EXPECT_FALSE(driver_.Completed(first));
  EXPECT_EQ(storage().durable_index(), LogIndex(0));
  driver_.RunOp(Lane::kLog);  // the sync
  EXPECT_TRUE(driver_.Completed(first));
  EXPECT_EQ(storage().durable_index(), LogIndex(1));
  EXPECT_EQ(storage().Need(Term(0), LogIndex(1)), After());
  EXPECT_EQ(storage().Need(Term(0), LogIndex(2)), second);
}

TEST_F(StorageTest, ClaimAboutAVoteWaitsForBothSlots) {
  driver_.BootFully();
  driver_.RunAll();
  driver_.SetVote({Term(4), ReplicaId(3), 0});
  const After after = storage().Need(Term(4), LogIndex(0));
  EXPECT_NE(after, After());
  for (int op = 0; op < 3; ++op) driver_.RunOp(Lane::kLog);
  EXPECT_FALSE(driver_.Completed(after));
  EXPECT_EQ(storage().Need(Term(4), LogIndex(0)), after);
  driver_.RunOp(Lane::kLog);
  EXPECT_TRUE(driver_.Completed(after));
  EXPECT_EQ(storage().Need(Term(4), LogIndex(0)), After());
}

TEST_F(StorageTest, ClaimAboutAReplacedEntryWaitsForTheNewOne) {
  driver_.BootFully();
  driver_.RunAll();
  driver_.Append(1, {MakeEntry(1, "a"), MakeEntry(1, "b"), MakeEntry(1, "c")});
  driver_.RunAll();
  EXPECT_EQ(storage().durable_index(), LogIndex(3));
  driver_.Append(2, {MakeEntry(2, "B")});
  EXPECT_EQ(storage().durable_index(), LogIndex(1));
  EXPECT_EQ(storage().Need(Term(0), LogIndex(1)), After());
  EXPECT_NE(storage().Need(Term(0), LogIndex(2)), After());
  driver_.RunAll();
  EXPECT_EQ(storage().durable_index(), LogIndex(2));
}

// [C-69]
TEST_F(StorageTest, WhatIsBufferedMeanwhileGoesIntoOneBatch) {
  driver_.BootFully();
  driver_.RunAll();
  const uint64_t before = driver_.batches();
  for (uint64_t i = 1; i <= 10; ++i) driver_.Append(i, {MakeEntry(1, "x")});
  driver_.RunAll();
  EXPECT_EQ(driver_.batches(), before + 2);
  EXPECT_EQ(storage().durable_index(), LogIndex(10));
}

TEST_F(StorageTest, BufferedEntriesThatWereReplacedAreNotWritten) {
  driver_.BootFully();
  driver_.RunAll();
  driver_.Append(1, {MakeEntry(1, "a")});
  driver_.Append(2, {MakeEntry(1, "gone"), MakeEntry(1, "gone")});
  driver_.Append(3, {MakeEntry(2, "c")});
  driver_.Append(2, {MakeEntry(3, "b")});
  driver_.RunAll();
  EXPECT_EQ(storage().durable_index(), LogIndex(2));
  Reboot();
  EXPECT_EQ(PayloadsOf(storage().TakeRecovered()), (Payloads{"a", "b"}));
}

TEST_F(StorageTest, CopyGoesOnIndependently) {
  driver_.BootFully();
  driver_.RunAll();
  Storage copy = storage();
  driver_.Append(1, {MakeEntry(1, "a")});
  driver_.RunAll();
  EXPECT_EQ(storage().durable_index(), LogIndex(1));
  EXPECT_EQ(copy.durable_index(), LogIndex(0));
  Effects effects;
  copy.Append(LogIndex(1), {MakeEntry(1, "other")});
  copy.Flush(0, effects);
  EXPECT_EQ(effects.ops().size(), 1u);
}

TEST_F(StorageTest, IdleLogIsMarkedOnceAndThenLeftAlone) {
  driver_.BootFully();
  driver_.RunAll();
  driver_.Append(1, {MakeEntry(1, "a")});
  driver_.RunAll();
  const uint64_t before = driver_.batches();
  driver_.Advance(9 * kMillisecond);
  EXPECT_FALSE(driver_.Busy(Lane::kLog));
  driver_.Advance(2 * kMillisecond);
  EXPECT_TRUE(driver_.Busy(Lane::kLog));
  driver_.RunAll();
  for (int i = 0; i < 100; ++i) {
    driver_.Advance(kSecond);
    driver_.RunAll();
  }
  EXPECT_EQ(driver_.batches(), before + 1);
  EXPECT_FALSE(driver_.timer().has_value());
}

TEST_F(StorageTest, RebootOfAMarkedLogWritesNothingToIt) {
  driver_.BootFully();
  driver_.Append(1, {MakeEntry(1, "a")});
  driver_.RunAll();
  driver_.Advance(kSecond);
  driver_.RunAll();
  const size_t before = driver_.history().size();
  driver_.BootFully();
  for (size_t i = before; i < driver_.history().size(); ++i) {
    const FileOp& op = driver_.history()[i];
    EXPECT_FALSE(op.kind == FileOp::kWrite && op.file.kind == FileKind::kSegment);
  }
  EXPECT_EQ(PayloadsOf(storage().TakeRecovered()), (Payloads{"a"}));
}

// [C-69]
TEST_F(StorageTest, SnapshotReplacesTheLogBelowIt) {
  driver_.BootFully();
  for (uint64_t i = 1; i <= 60; ++i) {
    driver_.Append(i, {MakeEntry(1, std::string(300, 'x'))});
    driver_.RunAll();
  }
  driver_.SaveSnapshot(MakeSnapshot(50, 1, "state of 50"));
  EXPECT_TRUE(storage().saving());
  driver_.RunAll();
  EXPECT_FALSE(storage().saving());
  EXPECT_EQ(storage().snapshot_index(), LogIndex(50));
  EXPECT_FALSE(disk_.Has({FileKind::kSegment, 1}));
  Reboot();
  const Recovered recovered = storage().TakeRecovered();
  ASSERT_TRUE(recovered.snapshot.has_value());
  EXPECT_EQ(recovered.snapshot->meta, MakeSnapshot(50, 1, "").meta);
  EXPECT_EQ(recovered.snapshot->state.view(), "state of 50");
  EXPECT_EQ(recovered.first, LogIndex(51));
  EXPECT_EQ(recovered.entries.size(), 10u);
  EXPECT_EQ(storage().durable_index(), LogIndex(60));
}

TEST_F(StorageTest, LargeSnapshotIsWrittenAndReadBackInChunks) {
  driver_.BootFully();
  driver_.Append(1, {MakeEntry(1, "a"), MakeEntry(1, "b")});
  driver_.RunAll();
  for (const size_t size : {size_t{0}, size_t{kSnapshotChunkBytes}, size_t{3 * kSnapshotChunkBytes + 17}}) {
    const std::string state(size, 's');
    const uint64_t index = storage().snapshot_index().value() + 1;
    if (index > 2) break;
    driver_.SaveSnapshot(MakeSnapshot(index, 1, state));
    driver_.RunAll();
    ASSERT_FALSE(storage().saving());
    Reboot();
    EXPECT_EQ(storage().TakeRecovered().snapshot->state.view(), state);
  }
}

TEST_F(StorageTest, InstalledSnapshotReplacesTheWholeLog) {
  driver_.BootFully();
  driver_.Append(1, {MakeEntry(1, "old"), MakeEntry(1, "old"), MakeEntry(1, "old")});
  driver_.RunAll();
  driver_.InstallSnapshot(MakeSnapshot(2, 5, "from the leader"));
  driver_.RunAll();
  EXPECT_FALSE(storage().saving());
  EXPECT_EQ(storage().snapshot_index(), LogIndex(2));
  EXPECT_EQ(storage().durable_index(), LogIndex(2));
  driver_.Append(3, {MakeEntry(5, "new")});
  driver_.RunAll();
  Reboot();
  const Recovered recovered = storage().TakeRecovered();
  EXPECT_EQ(recovered.snapshot->state.view(), "from the leader");
  EXPECT_EQ(PayloadsOf(recovered), (Payloads{"new"}));
}

TEST_F(StorageTest, EntriesBufferedBeforeAnInstallAreStillWritten) {
  driver_.BootFully();
  driver_.RunAll();
  driver_.Append(1, {MakeEntry(1, "a")});
  driver_.Append(2, {MakeEntry(1, "b")});
  const After claim = storage().Need(Term(0), LogIndex(2));
  driver_.InstallSnapshot(MakeSnapshot(9, 5, "nine"));
  driver_.RunAll();
  EXPECT_TRUE(driver_.Completed(claim));
  EXPECT_EQ(storage().durable_index(), LogIndex(9));
}

TEST_F(StorageTest, StaleCompletionsAreIgnored) {
  driver_.BootFully();
  driver_.RunAll();
  driver_.Append(1, {MakeEntry(1, "a")});
  Effects effects;
  storage().OnDiskDone(0, {Lane::kLog, 99, {}}, effects);
  storage().OnDiskFailed(0, {Lane::kLog, 99, 0, DiskError::kWriteIo}, effects);
  storage().OnTimer(0, effects);
  EXPECT_FALSE(storage().halted());
  EXPECT_EQ(storage().durable_index(), LogIndex(0));
  driver_.RunAll();
  EXPECT_EQ(storage().durable_index(), LogIndex(1));
}

}  // namespace
}  // namespace bramah::storage

// One directed scenario per storage rule: what goes wrong, and what has to be left.
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

// ------------------------------------------------------------------------------------------- what was read is not durable

TEST_F(RecoveryTest, ST01_RecordsReadFromThePageCacheAreDurableBeforeThePromise) {
  driver_.Append(1, {MakeEntry(1, "a")});
  driver_.RunOp(Lane::kLog);  // written, not synced; the process dies and the page cache stays
  EXPECT_EQ(PayloadsOf(Boot()), (Payloads{"a"}));
  EXPECT_EQ(storage().durable_index(), LogIndex(1));
  EXPECT_EQ(storage().Need(Term(0), LogIndex(1)), After());
  CrashMachine();
  EXPECT_EQ(PayloadsOf(Boot()), (Payloads{"a"}));
}

TEST_F(RecoveryTest, ST01_VoteReadFromThePageCacheIsDurableBeforeThePromise) {
  driver_.SetVote({Term(7), ReplicaId(3), 0});
  driver_.RunOp(Lane::kLog);
  EXPECT_EQ(Boot().hard.term, Term(7));
  CrashMachine();
  EXPECT_EQ(Boot().hard, (raft::HardState{Term(7), ReplicaId(3), 0}));
}

TEST_F(RecoveryTest, ST01_PromisedTailSurvivesACrashAtEveryOperationOfItsRewriting) {
  AppendDurably(1, {MakeEntry(1, "promised"), MakeEntry(1, "too")});  // durable, and no mark says so
  for (int ops = 0; ops < 40; ++ops) {
    for (uint64_t seed = 0; seed < 10; ++seed) {
      TestDisk disk = disk_;
      TestDriver driver(&options_, {"cell", ReplicaId(1), 0, 0}, &disk);
      driver.Boot(1);
      for (int i = 0; i < ops; ++i) driver.RunOp(Lane::kBulk);
      disk.Crash(Fate::kRandom, seed);
      driver.BootFully();
      ASSERT_TRUE(driver.storage().ready()) << driver.halt()->detail;
      ASSERT_EQ(PayloadsOf(driver.storage().TakeRecovered()), (Payloads{"promised", "too"})) << ops << " " << seed;
    }
  }
}

TEST_F(RecoveryTest, ST02_FailedSyncIsNotBelievedLater) {
  driver_.Append(1, {MakeEntry(1, "a")});
  driver_.RunOp(Lane::kLog);
  driver_.FailOp(Lane::kLog, DiskError::kSyncIo);
  ASSERT_TRUE(driver_.halt().has_value());
  EXPECT_EQ(driver_.halt()->why, HaltReason::kDiskFailure);
  // Reads still show the record, and a sync of the same bytes would succeed without writing them.
  EXPECT_EQ(PayloadsOf(Boot()), (Payloads{"a"}));
  CrashMachine();
  EXPECT_EQ(PayloadsOf(Boot()), (Payloads{"a"}));
}

TEST_F(RecoveryTest, ST02_FailedSyncOfAVoteIsNotBelievedLater) {
  driver_.SetVote({Term(7), ReplicaId(3), 0});
  driver_.RunOp(Lane::kLog);
  driver_.FailOp(Lane::kLog, DiskError::kSyncIo);
  EXPECT_EQ(Boot().hard.term, Term(7));
  CrashMachine();
  EXPECT_EQ(Boot().hard.term, Term(7));
}

TEST_F(RecoveryTest, ST02_SecondFailureWithinTheTailStopsAgain) {
  driver_.Append(1, {MakeEntry(1, "a")});
  driver_.RunOp(Lane::kLog);
  driver_.FailOp(Lane::kLog, DiskError::kSyncIo);
  driver_.Boot(1);
  ASSERT_TRUE(driver_.RunUntil(Lane::kBulk, FileOp::kSyncData, FileKind::kSegment));
  driver_.FailOp(Lane::kBulk, DiskError::kSyncIo);
  ASSERT_TRUE(driver_.halt().has_value());
  EXPECT_EQ(driver_.halt()->why, HaltReason::kDiskFailure);
  EXPECT_FALSE(storage().ready());
}

TEST_F(RecoveryTest, ST02_FailedDirectorySyncOfASnapshotIsNotBelievedLater) {
  for (uint64_t i = 1; i <= 40; ++i) AppendDurably(i, {MakeEntry(1, std::string(400, 'x'))});
  driver_.SaveSnapshot(MakeSnapshot(20, 1, "twenty"));
  driver_.RunAll();
  driver_.SaveSnapshot(MakeSnapshot(40, 1, "forty"));
  ASSERT_TRUE(driver_.RunUntil(Lane::kBulk, FileOp::kSyncDir, FileKind::kSnapshot));
  driver_.FailOp(Lane::kBulk, DiskError::kSyncIo);
  EXPECT_EQ(Boot().snapshot->state.view(), "forty");
  driver_.RunAll();  // removes what "forty" replaces
  CrashMachine();
  EXPECT_EQ(Boot().snapshot->state.view(), "forty");
}

// ------------------------------------------------------------------------------------------------------ torn or rotten

TEST_F(RecoveryTest, ST03_LostRecordWithAKeptSuccessorDoesNotBringItBackBehindAnother) {
  AppendDurably(1, {MakeEntry(1, "zero")});
  const std::string b(100, 'B');
  driver_.Append(2, {MakeEntry(1, std::string(1500, 'A')), MakeEntry(1, b)});
  const uint64_t place = driver_.NextOp(Lane::kLog).offset;
  driver_.RunOp(Lane::kLog);
  // One sector in the middle of A is lost; its first one and all of B are kept.
  std::string image = disk_.Contents(kFirstSegment);
  image.replace(place + kSectorBytes, kSectorBytes, kSectorBytes, '\0');
  ASSERT_NE(image.find(b), std::string::npos);
  CrashMachine();
  disk_.Put(kFirstSegment, image);
  EXPECT_EQ(PayloadsOf(Boot()), (Payloads{"zero"}));
  // Another entry of the size of A takes its place.
  driver_.Append(2, {MakeEntry(2, std::string(1500, 'a'))});
  ASSERT_EQ(driver_.NextOp(Lane::kLog).file, kFirstSegment);
  ASSERT_EQ(driver_.NextOp(Lane::kLog).offset, place);
  driver_.RunAll();
  CrashMachine();
  ASSERT_NE(disk_.Contents(kFirstSegment).find(b), std::string::npos);
  EXPECT_EQ(PayloadsOf(Boot()), (Payloads{"zero", std::string(1500, 'a')}));
}

TEST_F(RecoveryTest, ST04_BytesOfAnotherSegmentAreNoRecords) {
  AppendDurably(1, {MakeEntry(1, "a")});
  Idle();
  // The bytes of the used segment turn up in a new one, as in a recycled file.
  disk_.Put({FileKind::kSegment, 9}, disk_.Contents(kFirstSegment));
  EXPECT_EQ(PayloadsOf(Boot()), (Payloads{"a"}));
  driver_.RunAll();
  EXPECT_FALSE(disk_.Has({FileKind::kSegment, 9}));
  // The number is not used again.
  EXPECT_TRUE(disk_.Has({FileKind::kSegment, 10}));
}

TEST_F(RecoveryTest, ST04_BytesOfAnotherDiskAreNoRecords) {
  AppendDurably(1, {MakeEntry(1, "a")});
  Idle();
  TestDisk other;
  TestDriver stranger(&options_, {"cell", ReplicaId(1), 0, 0}, &other);
  stranger.BootFully(77);
  stranger.Append(1, {MakeEntry(1, "b")});
  stranger.RunAll();
  disk_.Put(kFirstSegment, other.Contents(kFirstSegment));
  ExpectRefused(HaltReason::kCorruptLog);
}

TEST_F(RecoveryTest, ST05_DamageBelowAMarkIsRefused) {
  AppendDurably(1, {MakeEntry(1, "first"), MakeEntry(1, "second")});
  Idle();
  Flip(kFirstSegment, FindLast(kFirstSegment, "second"));
  ExpectRefused(HaltReason::kCorruptLog);
}

TEST_F(RecoveryTest, ST05_ZerosBelowAMarkAreRefused) {
  AppendDurably(1, {MakeEntry(1, "first")});
  AppendDurably(2, {MakeEntry(1, "second")});
  std::string contents = disk_.Contents(kFirstSegment);
  contents.replace(kSectorBytes, kSectorBytes, kSectorBytes, '\0');
  disk_.Put(kFirstSegment, contents);
  ExpectRefused(HaltReason::kCorruptLog);
}

TEST_F(RecoveryTest, ST05_DamageAboveTheMarkIsATornTail) {
  AppendDurably(1, {MakeEntry(1, "first")});
  AppendDurably(2, {MakeEntry(1, "second")});
  Flip(kFirstSegment, FindLast(kFirstSegment, "second"));
  EXPECT_EQ(PayloadsOf(Boot()), (Payloads{"first"}));
  EXPECT_TRUE(driver_.probes().Reached(ProbeId::kRecoveredTornTail));
  AppendDurably(2, {MakeEntry(1, "other")});
  EXPECT_EQ(PayloadsOf(Boot()), (Payloads{"first", "other"}));
}

TEST_F(RecoveryTest, ST06_TornBatchWithAValidSuccessorIsRefused) {
  for (uint64_t i = 1; i <= 3; ++i) AppendDurably(i, {MakeEntry(1, "entry " + std::to_string(i))});
  // The CRC of the second batch itself is gone: only the third one tells that it was synced.
  Flip(kFirstSegment, NextSector(FindLast(kFirstSegment, "entry 1")));
  ExpectRefused(HaltReason::kCorruptLog);
}

TEST_F(RecoveryTest, ST11_MisdirectedWriteIsRefusedWhereItWentAndWhereItIsMissing) {
  for (uint64_t i = 1; i <= 3; ++i) AppendDurably(i, {MakeEntry(1, "entry " + std::to_string(i))});
  Idle();
  std::string contents = disk_.Contents(kFirstSegment);
  const std::string second = contents.substr(2 * kSectorBytes, kSectorBytes);
  contents.replace(2 * kSectorBytes, kSectorBytes, kSectorBytes, '\0');
  disk_.Put(kFirstSegment, contents);
  ExpectRefused(HaltReason::kCorruptLog);
  contents.replace(2 * kSectorBytes, kSectorBytes, second);
  contents.replace(3 * kSectorBytes, kSectorBytes, second);
  disk_.Put(kFirstSegment, contents);
  ExpectRefused(HaltReason::kCorruptLog);
}

// ------------------------------------------------------------------------------------------------------------- segments

TEST_F(RecoveryTest, ST07_SegmentIsUsedOnlyAfterItAndItsNameAreDurable) {
  for (uint64_t i = 1; i <= 60; ++i) AppendDurably(i, {MakeEntry(1, std::string(500, 'x'))});
  std::map<uint64_t, std::vector<FileOp::Kind>> life;
  for (const FileOp& op : driver_.history()) {
    for (auto& [seq, kinds] : life) {
      if (op.kind == FileOp::kSyncDir) kinds.push_back(op.kind);
    }
    if (op.file.kind == FileKind::kSegment && op.kind != FileOp::kSyncDir) life[op.file.seq].push_back(op.kind);
  }
  ASSERT_GT(life.size(), 5u);
  for (const auto& [seq, kinds] : life) {
    ASSERT_GE(kinds.size(), 4u);
    EXPECT_EQ(kinds[0], FileOp::kCreate);
    EXPECT_EQ(kinds[1], FileOp::kZeroFill);
    EXPECT_EQ(kinds[2], FileOp::kSyncData);
    EXPECT_EQ(kinds[3], FileOp::kSyncDir);
  }
}

TEST_F(RecoveryTest, ST07_RollRecordWithoutSuccessorIsRefused) {
  for (uint64_t i = 1; i <= 5; ++i) AppendDurably(i, {MakeEntry(1, std::string(500, 'x'))});
  ASSERT_TRUE(driver_.probes().Reached(ProbeId::kSegmentRolled));
  disk_.Remove({FileKind::kSegment, 2});
  ExpectRefused(HaltReason::kCorruptLog);
}

TEST_F(RecoveryTest, ST07_LostHeaderOfAUsedSegmentIsRefused) {
  for (uint64_t i = 1; i <= 5; ++i) AppendDurably(i, {MakeEntry(1, std::string(500, 'x'))});
  for (const uint64_t offset : {0, 20, 45, 60, 83}) {
    Flip({FileKind::kSegment, 2}, offset);
    ExpectRefused(HaltReason::kCorruptLog);
    Flip({FileKind::kSegment, 2}, offset);
  }
}

TEST_F(RecoveryTest, ST14_NewTailSupersedesOverSeveralSegments) {
  for (uint64_t i = 1; i <= 30; ++i) AppendDurably(i, {MakeEntry(1, std::string(500, 'x'))});
  const size_t before = driver_.history().size();
  AppendDurably(3, {MakeEntry(2, "three")});
  EXPECT_EQ(storage().durable_index(), LogIndex(3));
  // No file was shortened or removed for it.
  for (size_t i = before; i < driver_.history().size(); ++i) {
    EXPECT_NE(driver_.history()[i].kind, FileOp::kUnlink);
  }
  EXPECT_EQ(Boot().entries.size(), 3u);
  AppendDurably(4, {MakeEntry(2, "four")});
  const Recovered recovered = Boot();
  ASSERT_EQ(recovered.entries.size(), 4u);
  EXPECT_EQ(recovered.entries[2], MakeEntry(2, "three"));
  EXPECT_EQ(recovered.entries[3], MakeEntry(2, "four"));
}

TEST_F(RecoveryTest, ST16_ReorderedRemovalsLeaveAGapBelowTheSnapshotOnly) {
  for (uint64_t i = 1; i <= 30; ++i) AppendDurably(i, {MakeEntry(1, std::string(500, 'x'))});
  TestDisk before = disk_;
  driver_.SaveSnapshot(MakeSnapshot(29, 1, "state"));
  driver_.RunAll();
  for (const uint64_t seq : {1u, 3u}) disk_.Put({FileKind::kSegment, seq}, before.Contents({FileKind::kSegment, seq}));
  ASSERT_FALSE(disk_.Has({FileKind::kSegment, 2}));
  EXPECT_EQ(Boot().entries.size(), 1u);
  driver_.RunAll();
  EXPECT_FALSE(disk_.Has({FileKind::kSegment, 1}));
  EXPECT_FALSE(disk_.Has({FileKind::kSegment, 3}));
}

TEST_F(RecoveryTest, ST16_GapAboveTheSnapshotIsRefused) {
  for (uint64_t i = 1; i <= 30; ++i) AppendDurably(i, {MakeEntry(1, std::string(500, 'x'))});
  disk_.Remove({FileKind::kSegment, 1});
  ExpectRefused(HaltReason::kCorruptSnapshot);
  disk_.Remove({FileKind::kSegment, 3});
  ExpectRefused(HaltReason::kCorruptSnapshot);
}

TEST_F(RecoveryTest, ST16_DamageInASegmentBelowTheSnapshotDoesNotMatter) {
  for (uint64_t i = 1; i <= 30; ++i) AppendDurably(i, {MakeEntry(1, std::string(500, 'x'))});
  TestDisk before = disk_;
  driver_.SaveSnapshot(MakeSnapshot(29, 1, "state"));
  driver_.RunAll();
  for (const FileInfo& file : before.List()) {
    if (file.id.kind == FileKind::kSegment && !disk_.Has(file.id)) disk_.Put(file.id, before.Contents(file.id));
  }
  Flip({FileKind::kSegment, 2}, 700);
  EXPECT_EQ(Boot().entries.size(), 1u);
}

// ---------------------------------------------------------------------------------------------------------------- votes

TEST_F(RecoveryTest, ST08_CrashAnywhereInAVoteChangeLeavesOldOrNew) {
  const raft::HardState old_vote{Term(4), ReplicaId(2), 0};
  const raft::HardState new_vote{Term(5), ReplicaId(3), 9};
  driver_.SetVote(old_vote);
  driver_.RunAll();
  driver_.SetVote(new_vote);
  for (int ops = 0; ops <= 4; ++ops) {
    for (uint64_t seed = 0; seed < 30; ++seed) {
      TestDisk disk = disk_;
      TestDriver driver(&options_, {"cell", ReplicaId(1), 0, 0}, &disk);
      disk.Crash(Fate::kRandom, seed);
      driver.BootFully();
      ASSERT_TRUE(driver.storage().ready()) << driver.halt()->detail;
      const raft::HardState hard = driver.storage().TakeRecovered().hard;
      ASSERT_TRUE(hard == new_vote || (ops < 4 && hard == old_vote)) << ops;
    }
    driver_.RunOp(Lane::kLog);
  }
}

TEST_F(RecoveryTest, ST08_RotOfEitherSlotDoesNotBringBackAnOlderVote) {
  const raft::HardState vote{Term(5), ReplicaId(3), 9};
  driver_.SetVote({Term(4), ReplicaId(2), 0});
  driver_.RunAll();
  driver_.SetVote(vote);
  driver_.RunAll();
  for (const uint32_t slot : {0u, 1u}) {
    for (uint64_t offset = 0; offset < kVoteSlotBytes; ++offset) {
      Flip({FileKind::kVote, slot}, offset, '\x40');
      ASSERT_EQ(Boot().hard, vote) << slot << " " << offset;
      driver_.RunAll();
    }
    disk_.Remove({FileKind::kVote, slot});
    ASSERT_EQ(Boot().hard, vote);
  }
  EXPECT_TRUE(driver_.probes().Reached(ProbeId::kRecoveredOneVoteSlot));
}

TEST_F(RecoveryTest, ST08_BothSlotsBadIsRefused) {
  Flip({FileKind::kVote, 0}, 50);
  Flip({FileKind::kVote, 1}, 60);
  ExpectRefused(HaltReason::kCorruptVote);
}

TEST_F(RecoveryTest, ST08_SlotCopiedOverTheOtherIsNoSlot) {
  driver_.SetVote({Term(4), ReplicaId(2), 0});
  driver_.RunAll();
  disk_.Put({FileKind::kVote, 1}, disk_.Contents({FileKind::kVote, 0}));
  Flip({FileKind::kVote, 0}, 0);
  ExpectRefused(HaltReason::kCorruptVote);
}

// ------------------------------------------------------------------------------------------------------- failing writes

TEST_F(RecoveryTest, ST09_WriteWithoutSpaceIsRepeatedAtTheSamePlace) {
  driver_.Append(1, {MakeEntry(1, "a")});
  const After claim = storage().Need(Term(0), LogIndex(1));
  const FileOp first = driver_.NextOp(Lane::kLog);
  driver_.FailOp(Lane::kLog, DiskError::kNoSpace);
  EXPECT_FALSE(driver_.halt().has_value());
  EXPECT_FALSE(driver_.Busy(Lane::kLog));
  driver_.Advance(kSecond);
  ASSERT_TRUE(driver_.Busy(Lane::kLog));
  EXPECT_EQ(driver_.NextOp(Lane::kLog).file, first.file);
  EXPECT_EQ(driver_.NextOp(Lane::kLog).offset, first.offset);
  EXPECT_EQ(driver_.NextOp(Lane::kLog).bytes, first.bytes);
  driver_.RunAll();
  EXPECT_TRUE(driver_.Completed(claim));
  EXPECT_TRUE(driver_.probes().Reached(ProbeId::kWriteRetriedNoSpace));
  EXPECT_EQ(PayloadsOf(Boot()), (Payloads{"a"}));
}

TEST_F(RecoveryTest, ST09_NoSpaceOfASyncIsFinal) {
  driver_.Append(1, {MakeEntry(1, "a")});
  driver_.RunOp(Lane::kLog);
  driver_.FailOp(Lane::kLog, DiskError::kNoSpace);
  ASSERT_TRUE(driver_.halt().has_value());
  EXPECT_EQ(driver_.halt()->why, HaltReason::kDiskFailure);
  EXPECT_EQ(driver_.halt()->detail,
            "syncing wal-0000000000000001 failed for lack of space; free some and start this replica again");
}

TEST_F(RecoveryTest, ST09_OtherFailuresAreFinal) {
  driver_.Append(1, {MakeEntry(1, "a")});
  driver_.FailOp(Lane::kLog, DiskError::kWriteIo);
  ASSERT_TRUE(driver_.halt().has_value());
  EXPECT_EQ(driver_.halt()->detail, "writing wal-0000000000000001 failed; check the disk and start this replica again");
  const uint64_t batches = driver_.batches();
  driver_.Advance(kSecond);
  driver_.Flush();
  EXPECT_EQ(driver_.batches(), batches);
}

TEST_F(RecoveryTest, ST10_LogWaitsForASegmentThatFindsNoSpaceAndGoesOnWithIt) {
  uint64_t last = 0;
  while (!driver_.probes().Reached(ProbeId::kSegmentRolled)) {
    driver_.Append(++last, {MakeEntry(1, std::string(500, 'x'))});
    while (driver_.RunBatch(Lane::kLog)) {
    }
  }
  ASSERT_TRUE(driver_.Busy(Lane::kBulk));  // the next spare
  driver_.FailOp(Lane::kBulk, DiskError::kNoSpace);
  for (int i = 0; i < 20; ++i) {
    driver_.Append(++last, {MakeEntry(1, std::string(500, 'x'))});
    while (driver_.RunBatch(Lane::kLog)) {
    }
  }
  EXPECT_FALSE(driver_.halt().has_value());
  EXPECT_LT(storage().durable_index(), LogIndex(last));
  driver_.Advance(kSecond);
  driver_.RunAll();
  EXPECT_EQ(storage().durable_index(), LogIndex(last));
  EXPECT_EQ(Boot().entries.size(), last);
}

// ------------------------------------------------------------------------------------------------------------- identity

TEST_F(RecoveryTest, ST13_ForeignDirectoryIsRefusedNamingBoth) {
  const Identity own = Boot().identity;
  Identity other_disk = own;
  other_disk.disk_low ^= 1;
  for (const Identity& expect : {Identity{"other", ReplicaId(1), 0, 0}, Identity{"cell", ReplicaId(2), 0, 0}, other_disk}) {
    TestDriver driver(&options_, expect, &disk_);
    driver.BootFully();
    ASSERT_TRUE(driver.halt().has_value());
    EXPECT_EQ(driver.halt()->why, HaltReason::kForeignDirectory);
    EXPECT_NE(driver.halt()->detail.find("'cell', replica 1, disk "), std::string::npos) << driver.halt()->detail;
    EXPECT_NE(driver.halt()->detail.find("expected cell '" + expect.cell + "', replica "), std::string::npos);
    for (const FileOp& op : driver.history()) EXPECT_EQ(op.kind, FileOp::kRead);
  }
  TestDriver same(&options_, own, &disk_);
  same.BootFully();
  EXPECT_TRUE(same.storage().ready());
}

TEST_F(RecoveryTest, ST13_EmptyDirectoryIsRefusedWhereACertainDiskIsExpected) {
  disk_ = TestDisk();
  TestDriver driver(&options_, {"cell", ReplicaId(1), 5, 6}, &disk_);
  driver.BootFully();
  ASSERT_TRUE(driver.halt().has_value());
  EXPECT_EQ(driver.halt()->why, HaltReason::kForeignDirectory);
  EXPECT_TRUE(disk_.List().empty());
}

TEST_F(RecoveryTest, ST13_DirectoryFormattedOnlyHalfIsRefused) {
  for (int ops = 1;; ++ops) {
    TestDisk disk;
    TestDriver driver(&options_, {"cell", ReplicaId(1), 0, 0}, &disk);
    driver.Boot(1);
    for (int i = 0; i < ops; ++i) driver.RunOp(Lane::kBulk);
    if (driver.storage().ready()) break;
    const bool named = disk.Has({FileKind::kIdentity, 0});
    driver.BootFully();
    ASSERT_EQ(driver.storage().ready(), named) << ops;
    if (named) continue;
    EXPECT_EQ(driver.halt()->why, HaltReason::kIncompleteFormat);
  }
}

TEST_F(RecoveryTest, ST13_IdentityThatWasReadIsDurableBeforeThePromise) {
  TestDisk disk;
  TestDriver driver(&options_, {"cell", ReplicaId(1), 0, 0}, &disk);
  driver.Boot(1);
  while (!disk.Has({FileKind::kIdentity, 0})) driver.RunOp(Lane::kBulk);
  driver.FailOp(Lane::kBulk, DiskError::kSyncIo);  // the name of the identity is not durable, though it is there
  driver.BootFully();
  ASSERT_TRUE(driver.storage().ready());
  driver.SetVote({Term(3), ReplicaId(2), 0});
  driver.RunAll();
  disk.Crash(Fate::kLost, 0);
  driver.BootFully();
  ASSERT_TRUE(driver.storage().ready()) << driver.halt()->detail;
  EXPECT_EQ(driver.storage().TakeRecovered().hard.term, Term(3));
}

TEST_F(RecoveryTest, ST13_DamagedIdentityIsRefused) {
  const uint64_t size = disk_.Contents({FileKind::kIdentity, 0}).size();
  for (uint64_t offset = 0; offset < size; ++offset) {
    Flip({FileKind::kIdentity, 0}, offset);
    ExpectRefused(HaltReason::kIncompleteFormat);
    Flip({FileKind::kIdentity, 0}, offset);
  }
}

}  // namespace
}  // namespace bramah::storage

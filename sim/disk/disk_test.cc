#include "sim/disk/disk.h"

#include <gtest/gtest.h>

#include <string>

namespace bramah::sim {
namespace {

constexpr FileId kFile{FileKind::kSegment, 1};
constexpr FileId kOther{FileKind::kSnapshot, 7};
constexpr FileId kTemporary{FileKind::kSnapshotTmp, 7};
constexpr CrashRules kLoseAll{.seed = 1, .entity = 0, .crash = 1, .lost_ppm = 1'000'000, .torn_ppm = 0};
constexpr CrashRules kKeepAll{.seed = 1, .entity = 0, .crash = 1, .lost_ppm = 0, .torn_ppm = 0};
constexpr CrashRules kTearAll{.seed = 1, .entity = 0, .crash = 1, .lost_ppm = 0, .torn_ppm = 1'000'000};

FileOp Make(FileOp::Kind kind, FileId file = {}, uint64_t offset = 0, std::string_view bytes = {}) {
  FileOp op;
  op.kind = kind;
  op.file = file;
  op.offset = offset;
  op.bytes = Blob(bytes);
  return op;
}

FileOp MakeLong(FileOp::Kind kind, FileId file, uint64_t offset, uint64_t length) {
  FileOp op = Make(kind, file, offset);
  op.length = length;
  return op;
}

FileOp MakeRename(FileId file, FileId to) {
  FileOp op = Make(FileOp::kRename, file);
  op.to = to;
  return op;
}

class DiskTest : public testing::Test {
 protected:
  void Create(FileId file) { Do(Make(FileOp::kCreate, file)); }
  void Write(FileId file, uint64_t offset, std::string_view bytes) {
    Do(Make(FileOp::kWrite, file, offset, bytes));
  }
  void Sync(FileId file) { Do(Make(FileOp::kSyncData, file)); }
  void SyncNames() { Do(Make(FileOp::kSyncDir)); }
  void Do(const FileOp& op) { EXPECT_EQ(disk_.Apply(op, &reads_), std::nullopt); }
  // A durable file with these contents.
  void Settle(FileId file, std::string_view bytes) {
    Create(file);
    Write(file, 0, bytes);
    Sync(file);
    SyncNames();
  }

  Disk disk_;
  std::vector<Blob> reads_;
};

TEST_F(DiskTest, ReadsSeeWritesAtOnceButOnlySyncsMakeThemDurable) {
  Settle(kFile, "old");
  Write(kFile, 0, "new");
  EXPECT_EQ(disk_.View(kFile), "new");
  EXPECT_EQ(disk_.Durable(kFile), "old");
  Sync(kFile);
  EXPECT_EQ(disk_.Durable(kFile), "new");
}

TEST_F(DiskTest, ReadsStopAtTheEndOfTheFile) {
  Settle(kFile, "0123456789");
  Do(MakeLong(FileOp::kRead, kFile, 8, 100));
  Do(MakeLong(FileOp::kRead, kFile, 50, 1));
  ASSERT_EQ(reads_.size(), 2u);
  EXPECT_EQ(reads_[0].view(), "89");
  EXPECT_EQ(reads_[1].view(), "");
}

// Allocated space behind the last sector that was ever written is not worth reading; zeros that were written are.
TEST_F(DiskTest, ReadsMayLeaveOutTheZerosOfAnAllocation) {
  Create(kFile);
  Do(MakeLong(FileOp::kZeroFill, kFile, 0, 4096));
  Do(MakeLong(FileOp::kRead, kFile, 0, 4096));
  Write(kFile, 512, std::string(600, '\0'));
  Do(MakeLong(FileOp::kRead, kFile, 0, 4096));
  Do(MakeLong(FileOp::kRead, kFile, 3000, 10));
  ASSERT_EQ(reads_.size(), 3u);
  EXPECT_EQ(reads_[0].view(), "");
  EXPECT_EQ(reads_[1].view(), std::string(1536, '\0'));
  EXPECT_EQ(reads_[2].view(), "");
  EXPECT_EQ(disk_.View(kFile), std::string(4096, '\0'));
}

TEST_F(DiskTest, OperationsOnMissingFilesFail) {
  EXPECT_EQ(disk_.Apply(Make(FileOp::kWrite, kFile, 0, "x"), &reads_), DiskError::kWriteIo);
  EXPECT_EQ(disk_.Apply(Make(FileOp::kSyncData, kFile), &reads_), DiskError::kSyncIo);
  EXPECT_EQ(disk_.Apply(MakeLong(FileOp::kRead, kFile, 0, 1), &reads_), DiskError::kReadIo);
  EXPECT_EQ(disk_.Apply(Make(FileOp::kUnlink, kFile), &reads_), std::nullopt);
}

TEST_F(DiskTest, MachineCrashLosesUnsyncedSectorsAndSizes) {
  Settle(kFile, std::string(1024, 'a'));
  Write(kFile, 512, std::string(1024, 'b'));
  disk_.CrashMachine(kLoseAll);
  EXPECT_EQ(disk_.View(kFile), std::string(1024, 'a'));
}

TEST_F(DiskTest, MachineCrashMayKeepUnsyncedSectors) {
  Settle(kFile, std::string(1024, 'a'));
  Write(kFile, 512, std::string(1024, 'b'));
  disk_.CrashMachine(kKeepAll);
  EXPECT_EQ(disk_.View(kFile), std::string(512, 'a') + std::string(1024, 'b'));
}

TEST_F(DiskTest, MachineCrashDecidesEachSectorByItself) {
  Settle(kFile, std::string(64 * 512, 'a'));
  Write(kFile, 0, std::string(64 * 512, 'b'));
  disk_.CrashMachine({.seed = 3, .entity = 1, .crash = 1, .lost_ppm = 500'000, .torn_ppm = 0});
  const std::string view = *disk_.View(kFile);
  int kept = 0;
  for (size_t sector = 0; sector < 64; ++sector) {
    const std::string part = view.substr(sector * 512, 512);
    EXPECT_TRUE(part == std::string(512, 'a') || part == std::string(512, 'b'));
    kept += part[0] == 'b';
  }
  EXPECT_GT(kept, 10);
  EXPECT_LT(kept, 54);
}

TEST_F(DiskTest, TornSectorsHoldGarbageAndNeighboursAreWhole) {
  Settle(kFile, std::string(1536, 'a'));
  Write(kFile, 512, std::string(512, 'b'));
  disk_.CrashMachine(kTearAll);
  const std::string view = *disk_.View(kFile);
  EXPECT_EQ(view.substr(0, 512), std::string(512, 'a'));
  EXPECT_EQ(view.substr(1024), std::string(512, 'a'));
  EXPECT_NE(view.substr(512, 512), std::string(512, 'a'));
  EXPECT_NE(view.substr(512, 512), std::string(512, 'b'));
}

TEST_F(DiskTest, CrashIsAFunctionOfItsKeys) {
  Disk twin;
  for (Disk* disk : {&disk_, &twin}) {
    disk->Apply(Make(FileOp::kCreate, kFile), &reads_);
    disk->Apply(Make(FileOp::kSyncDir), &reads_);
    disk->Apply(Make(FileOp::kWrite, kFile, 0, std::string(9000, 'x')), &reads_);
    disk->CrashMachine({.seed = 3, .entity = 1, .crash = 1, .lost_ppm = 300'000, .torn_ppm = 300'000});
  }
  EXPECT_EQ(disk_.View(kFile), twin.View(kFile));
}

TEST_F(DiskTest, NamesAreDurableOnlyAfterTheDirectoryIsSynced) {
  Create(kFile);
  Write(kFile, 0, "data");
  Sync(kFile);
  EXPECT_EQ(disk_.Durable(kFile), std::nullopt);
  disk_.CrashMachine(kLoseAll);
  EXPECT_EQ(disk_.View(kFile), std::nullopt);
}

TEST_F(DiskTest, RenameReplacesAtomicallyAndCarriesItsFile) {
  Settle(kOther, "old");
  Create(kTemporary);
  Write(kTemporary, 0, "new");
  Sync(kTemporary);
  Do(MakeRename(kTemporary, kOther));
  EXPECT_EQ(disk_.View(kOther), "new");
  EXPECT_EQ(disk_.View(kTemporary), std::nullopt);
  EXPECT_EQ(disk_.Durable(kOther), "old");
  SyncNames();
  EXPECT_EQ(disk_.Durable(kOther), "new");
  disk_.CrashMachine(kLoseAll);
  EXPECT_EQ(disk_.View(kOther), "new");
}

TEST_F(DiskTest, UnsyncedRemovalComesBackAfterACrash) {
  Settle(kFile, "data");
  Do(Make(FileOp::kUnlink, kFile));
  EXPECT_TRUE(disk_.List().empty());
  disk_.CrashMachine(kLoseAll);
  EXPECT_EQ(disk_.View(kFile), "data");
}

TEST_F(DiskTest, FailedSyncIsVisibleUntilTheMachineCrashesAndNeverDurable) {
  Settle(kFile, "old");
  Write(kFile, 0, "new");
  disk_.FailSync(Make(FileOp::kSyncData, kFile));
  EXPECT_EQ(disk_.View(kFile), "new");
  Sync(kFile);
  EXPECT_EQ(disk_.Durable(kFile), "old");
  disk_.CrashMachine(kKeepAll);
  EXPECT_EQ(disk_.View(kFile), "old");
}

TEST_F(DiskTest, RewritingAfterAFailedSyncMakesDurable) {
  Settle(kFile, "old");
  Write(kFile, 0, "new");
  disk_.FailSync(Make(FileOp::kSyncData, kFile));
  Write(kFile, 0, "new");
  Sync(kFile);
  EXPECT_EQ(disk_.Durable(kFile), "new");
  disk_.CrashMachine(kLoseAll);
  EXPECT_EQ(disk_.View(kFile), "new");
}

TEST_F(DiskTest, ZeroFillNeedsSpaceAndRewritesDoNot) {
  Settle(kFile, "");
  const FileOp fill = MakeLong(FileOp::kZeroFill, kFile, 0, 8192);
  EXPECT_TRUE(disk_.Grows(fill));
  Do(fill);
  EXPECT_FALSE(disk_.Grows(fill));
  EXPECT_EQ(disk_.View(kFile), std::string(8192, '\0'));
  EXPECT_FALSE(disk_.Grows(Make(FileOp::kWrite, kFile, 8000, std::string(192, 'x'))));
  EXPECT_TRUE(disk_.Grows(Make(FileOp::kWrite, kFile, 8000, std::string(193, 'x'))));
}

TEST_F(DiskTest, InterruptedWriteLeavesItsBeginning) {
  Settle(kFile, "aaaa");
  disk_.ApplyPrefix(Make(FileOp::kWrite, kFile, 0, "bbbb"), 3);
  EXPECT_EQ(disk_.View(kFile), "bbba");
}

TEST_F(DiskTest, GrowingAgainAfterALostSizeReadsZeros) {
  Settle(kFile, "abc");
  Write(kFile, 3, std::string(5000, 'x'));
  disk_.CrashMachine(kLoseAll);
  EXPECT_EQ(disk_.View(kFile), "abc");
  Do(MakeLong(FileOp::kZeroFill, kFile, 3, 5000));
  EXPECT_EQ(disk_.View(kFile), "abc" + std::string(5000, '\0'));
}

TEST_F(DiskTest, BitFlipsStrikeOnlyWhatASecondSyncCovers) {
  Settle(kFile, std::string(512, 'a'));
  EXPECT_EQ(disk_.FlipBit(1), std::nullopt);
  Write(kFile, 512, std::string(512, 'b'));
  EXPECT_EQ(disk_.FlipBit(1), std::nullopt);
  Sync(kFile);
  for (uint64_t choice = 0; choice < 20; ++choice) {
    const std::string before = *disk_.View(kFile);
    ASSERT_TRUE(disk_.FlipBit(choice).has_value());
    const std::string after = *disk_.View(kFile);
    EXPECT_EQ(disk_.Durable(kFile), after);
    EXPECT_EQ(after.substr(512), std::string(512, 'b'));
    int bits = 0;
    for (size_t i = 0; i < 512; ++i) bits += __builtin_popcount(static_cast<uint8_t>(before[i] ^ after[i]));
    EXPECT_EQ(bits, 1);
  }
}

TEST_F(DiskTest, WipeLeavesNothing) {
  Settle(kFile, "data");
  disk_.Wipe();
  EXPECT_TRUE(disk_.List().empty());
  disk_.CrashMachine(kKeepAll);
  EXPECT_TRUE(disk_.List().empty());
}

}  // namespace
}  // namespace bramah::sim

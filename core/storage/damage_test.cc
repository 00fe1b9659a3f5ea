// Damage to the last two records of the log, at every byte, and random damage to every file: recovered or refused as the rules
// say, never a crash, never something that was not written.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/base/keyed.h"
#include "core/storage/format.h"
#include "core/storage/storage.h"
#include "core/storage/test_disk.h"
#include "gtest/gtest.h"

namespace bramah::storage {
namespace {

using Payloads = std::vector<std::string>;

constexpr FileId kFirstSegment{FileKind::kSegment, 1};
const Payloads kAll = {"one", "two", "three", "the entry before the last", "the last entry"};

// The bytes [first, second) and [second, end) of a file are two records.
struct TwoRecords {
  uint64_t first = 0;
  uint64_t second = 0;
  uint64_t end = 0;
};

class DamageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    driver_.BootFully();
    driver_.RunAll();
  }
  // Appends kAll[from .. to) in one batch.
  void AppendBatch(size_t from, size_t to) {
    std::vector<raft::Entry> entries;
    for (size_t i = from; i < to; ++i) entries.push_back(MakeEntry(1, kAll[i]));
    driver_.Append(from + 1, entries);
    driver_.RunAll();
  }
  void Idle() {
    driver_.Advance(kSecond);
    driver_.RunAll();
  }
  // Where the records of the last two entries lie in the first segment. A record that starts a batch includes the batch record.
  TwoRecords LastTwo() const {
    const std::string& bytes = disk_.Contents(kFirstSegment);
    const auto record_of = [&](const std::string& payload) {
      return bytes.rfind(payload) - raft::Entry::kHeaderBytes - kRecordHeaderBytes;
    };
    const auto size_of = [](const std::string& payload) { return EntryRecordBytes(raft::Entry::kHeaderBytes + payload.size()); };
    return {record_of(kAll[3]), record_of(kAll[4]), record_of(kAll[4]) + size_of(kAll[4])};
  }
  static Payloads Prefix(size_t count) { return Payloads(kAll.begin(), kAll.begin() + static_cast<int64_t>(count)); }

  // Boots on a copy of the disk whose first segment holds `bytes`.
  struct Outcome {
    bool refused = false;
    HaltReason why = HaltReason::kDiskFailure;
    Payloads payloads;
  };
  Outcome BootWith(const std::string& bytes) {
    TestDisk disk = disk_;
    disk.Put(kFirstSegment, bytes);
    TestDriver driver(&options_, {"cell", ReplicaId(1), 0, 0}, &disk);
    driver.BootFully(2);
    if (driver.halt().has_value()) {
      EXPECT_EQ(disk.Contents(kFirstSegment), bytes) << "evidence was touched";
      return {true, driver.halt()->why, {}};
    }
    Outcome outcome{false, {}, PayloadsOf(driver.storage().TakeRecovered())};
    ExpectLifeGoesOn(driver, outcome.payloads);
    return outcome;
  }
  // What is recovered can be appended to, and survives the next crash.
  static void ExpectLifeGoesOn(TestDriver& driver, Payloads payloads) {
    driver.Append(payloads.size() + 1, {MakeEntry(2, "afterwards")});
    driver.RunAll();
    driver.BootFully(3);
    ASSERT_TRUE(driver.storage().ready());
    payloads.push_back("afterwards");
    EXPECT_EQ(PayloadsOf(driver.storage().TakeRecovered()), payloads);
  }
  static std::string Flipped(std::string bytes, uint64_t offset, char mask) {
    bytes[offset] = static_cast<char>(bytes[offset] ^ mask);
    return bytes;
  }
  // Flips each byte of [from, to) in several ways; each must give `count` entries, or be refused if there is no count.
  void FlipEach(uint64_t from, uint64_t to, std::optional<size_t> count) {
    const std::string whole = disk_.Contents(kFirstSegment);
    for (uint64_t offset = from; offset < to; ++offset) {
      for (const char mask : {'\x01', '\x80', '\xff'}) {
        const Outcome outcome = BootWith(Flipped(whole, offset, mask));
        ASSERT_EQ(outcome.refused, !count.has_value()) << offset;
        if (outcome.refused) {
          ASSERT_EQ(outcome.why, HaltReason::kCorruptLog) << offset;
        } else {
          ASSERT_EQ(outcome.payloads, Prefix(*count)) << offset;
        }
      }
    }
  }

  Options options_{4 << 10, 10 * kMillisecond};
  TestDisk disk_;
  TestDriver driver_{&options_, {"cell", ReplicaId(1), 0, 0}, &disk_};
};

TEST_F(DamageTest, FlippedByteInTheSyncedRegionIsRefused) {
  AppendBatch(0, 3);
  AppendBatch(3, 5);
  Idle();
  const TwoRecords last = LastTwo();
  FlipEach(last.first - kBatchRecordBytes, last.end, std::nullopt);
}

TEST_F(DamageTest, FlippedByteInTheUnsyncedBatchDropsWhatFollows) {
  AppendBatch(0, 3);
  AppendBatch(3, 5);
  const TwoRecords last = LastTwo();
  FlipEach(last.first - kBatchRecordBytes, last.second, 3);
  FlipEach(last.second, last.end, 4);
}

TEST_F(DamageTest, FlippedByteInTheLastOfTwoBatchesDropsItAndInTheOneBeforeIsRefused) {
  AppendBatch(0, 3);
  AppendBatch(3, 4);
  AppendBatch(4, 5);
  const TwoRecords last = LastTwo();
  const uint64_t last_batch = last.second - kBatchRecordBytes;
  const uint64_t end_of_first = last.first + EntryRecordBytes(raft::Entry::kHeaderBytes + kAll[3].size());
  FlipEach(last.first - kBatchRecordBytes, end_of_first, std::nullopt);
  FlipEach(last_batch, last.end, 4);
}

TEST_F(DamageTest, FlippedByteOfTheMarkOnlyLosesTheMark) {
  AppendBatch(0, 5);
  Idle();
  const uint64_t mark = NextSector(LastTwo().end);
  FlipEach(mark, mark + kBatchRecordBytes, 5);
}

TEST_F(DamageTest, FlippedByteBetweenRecordsMeansNothing) {
  AppendBatch(0, 5);
  Idle();
  const uint64_t end = LastTwo().end;
  ASSERT_LT(end, NextSector(end));
  FlipEach(end, NextSector(end), 5);
}

// Cutting the file takes the marks behind the cut with it: what is left ends like a torn tail.
TEST_F(DamageTest, TruncationAtEachByteKeepsTheWholeRecordsBeforeIt) {
  for (const bool marked : {false, true}) {
    SCOPED_TRACE(marked);
    if (marked) {
      Idle();
    } else {
      AppendBatch(0, 3);
      AppendBatch(3, 5);
    }
    const TwoRecords last = LastTwo();
    const std::string whole = disk_.Contents(kFirstSegment);
    for (uint64_t size = last.first - kBatchRecordBytes; size <= last.end; ++size) {
      const Outcome outcome = BootWith(whole.substr(0, size));
      ASSERT_FALSE(outcome.refused) << size;
      ASSERT_EQ(outcome.payloads, Prefix(size < last.second ? 3 : size < last.end ? 4 : 5)) << size;
    }
  }
}

// The marks of the next segment say that this one was synced to its end.
TEST_F(DamageTest, TruncationOrDamageBelowTheMarksOfTheNextSegmentIsRefused) {
  AppendBatch(0, 3);
  AppendBatch(3, 5);
  for (uint64_t i = 6; i <= 12; ++i) {
    driver_.Append(i, {MakeEntry(1, std::string(700, 'x'))});
    driver_.RunAll();
  }
  ASSERT_TRUE(driver_.probes().Reached(ProbeId::kSegmentRolled));
  const TwoRecords last = LastTwo();
  const std::string whole = disk_.Contents(kFirstSegment);
  for (uint64_t size = last.first - kBatchRecordBytes; size <= last.end; ++size) {
    ASSERT_TRUE(BootWith(whole.substr(0, size)).refused) << size;
  }
  FlipEach(last.first - kBatchRecordBytes, last.end, std::nullopt);
}

TEST_F(DamageTest, FlippedByteOfTheOnlyHeaderIsRefused) {
  AppendBatch(0, 5);
  Idle();
  FlipEach(0, kSegmentHeaderBytes, std::nullopt);
}

// Random damage anywhere: refused with a reason, or a log of which nothing was invented. (Damage of the newest batch is
// undetectable before its mark, so the log may be shorter.)
TEST_F(DamageTest, RandomDamageToAnyFileInventsNothing) {
  Payloads written;
  for (uint64_t i = 1; i <= 40; ++i) {
    written.push_back(std::string(i * 37 % 700, static_cast<char>('a' + i % 26)));
    driver_.Append(i, {MakeEntry(1, written.back())});
    driver_.RunAll();
    if (i == 10 || i == 25) {
      driver_.SaveSnapshot(MakeSnapshot(i, 1, "state " + std::to_string(i)));
      driver_.RunAll();
    }
  }
  int refused = 0;
  int recovered_whole = 0;
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    TestDisk disk = disk_;
    uint64_t ordinal = 0;
    const auto pick = [&](uint64_t bound) { return Below(Draw(seed, 1, 2, ordinal++), bound); };
    const std::vector<FileInfo> files = disk.List();
    for (uint64_t damages = 1 + pick(3); damages > 0; --damages) {
      const FileInfo file = files[pick(files.size())];
      std::string bytes = disk.Contents(file.id);
      const uint64_t how = pick(5);
      const uint64_t at = bytes.empty() ? 0 : pick(bytes.size());
      if (how == 0) bytes.resize(at);
      if (how == 1) bytes.replace(at, 512, std::string(std::min<uint64_t>(512, bytes.size() - at), '\0'));
      if (how == 2) bytes.insert(at, "inserted");
      if (how >= 3 && !bytes.empty()) bytes[at] = static_cast<char>(pick(256));
      disk.Put(file.id, bytes);
    }
    TestDriver driver(&options_, {"cell", ReplicaId(1), 0, 0}, &disk);
    driver.BootFully(seed);
    ASSERT_TRUE(driver.halt().has_value() || driver.storage().ready()) << seed;
    if (driver.halt().has_value()) {
      ++refused;
      continue;
    }
    const Recovered recovered = driver.storage().TakeRecovered();
    const uint64_t base = recovered.snapshot.has_value() ? recovered.snapshot->meta.index.value() : 0;
    if (base > 0) {
      ASSERT_EQ(recovered.snapshot->state.view(), "state " + std::to_string(base)) << seed;
    }
    const Payloads payloads = PayloadsOf(recovered);
    ASSERT_LE(base + payloads.size(), written.size()) << seed;
    ASSERT_TRUE(std::equal(payloads.begin(), payloads.end(), written.begin() + static_cast<int64_t>(base))) << seed;
    recovered_whole += base + payloads.size() == written.size();
  }
  EXPECT_GT(refused, 100);
  EXPECT_GT(recovered_whole, 100);
}

}  // namespace
}  // namespace bramah::storage

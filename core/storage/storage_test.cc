// Storage from outside: what was appended comes back, tickets and durability, group commit, rolling, snapshots.
#include "core/storage/storage.h"

#include <string>
#include <vector>

#include "core/storage/format.h"
#include "core/storage/test_disk.h"
#include "gtest/gtest.h"

namespace bramah::storage {
namespace {

using raft::Entry;
using raft::EntryKind;

Identity Expected() { return {"test", ReplicaId(2), 0, 0}; }

Entry MakeEntry(uint64_t term, const std::string& payload) { return Entry(Term(term), 7, EntryKind::kCommand, payload); }

class StorageTest : public ::testing::Test {
 protected:
  void Append(uint64_t first, const std::vector<Entry>& entries) {
    driver_.storage().Append(LogIndex(first), entries);
    driver_.Flush();
  }
  // Crashes the machine so that nothing unsynced survives, and boots.
  void Reboot(TestDisk::Fate fate = TestDisk::Fate::kLost) {
    disk_.Crash(fate, 0);
    driver_.BootFully(2);
  }
  std::vector<std::string> RecoveredPayloads() {
    std::vector<std::string> payloads;
    for (const Entry& entry : driver_.storage().TakeRecovered().entries) payloads.emplace_back(entry.payload());
    return payloads;
  }

  Options options_{4 << 10, 10 * kMillisecond};
  TestDisk disk_;
  TestDriver driver_{&options_, Expected(), &disk_};
};

using Payloads = std::vector<std::string>;

TEST_F(StorageTest, EmptyDirectoryIsFormatted) {
  driver_.BootFully(5);
  ASSERT_TRUE(driver_.storage().ready());
  const Recovered recovered = driver_.storage().TakeRecovered();
  EXPECT_EQ(recovered.identity.cell, "test");
  EXPECT_NE(recovered.identity.disk_high, 0u);
  EXPECT_EQ(recovered.first, LogIndex(1));
  EXPECT_TRUE(recovered.entries.empty());
  EXPECT_EQ(recovered.hard, raft::HardState());
  Reboot();
  ASSERT_TRUE(driver_.storage().ready());
  EXPECT_EQ(driver_.storage().TakeRecovered().identity.disk_high, recovered.identity.disk_high);
}

TEST_F(StorageTest, WhatWasAppendedAndVotedComesBack) {
  driver_.BootFully();
  driver_.storage().SetVote({Term(3), ReplicaId(1), 5});
  Append(1, {MakeEntry(3, "a"), MakeEntry(3, "b")});
  driver_.RunAll();
  Append(3, {MakeEntry(3, "c")});
  driver_.RunAll();
  EXPECT_EQ(driver_.storage().durable_index(), LogIndex(3));
  Reboot();
  ASSERT_TRUE(driver_.storage().ready());
  EXPECT_EQ(driver_.storage().durable_index(), LogIndex(3));
  const Recovered recovered = driver_.storage().TakeRecovered();
  EXPECT_EQ(recovered.hard, (raft::HardState{Term(3), ReplicaId(1), 5}));
  ASSERT_EQ(recovered.entries.size(), 3u);
  EXPECT_EQ(recovered.entries[2], MakeEntry(3, "c"));
}

TEST_F(StorageTest, LogRollsThroughManySegments) {
  driver_.BootFully();
  Payloads expected;
  for (uint64_t i = 1; i <= 200; ++i) {
    expected.push_back(std::string(100 + i, static_cast<char>('a' + i % 26)));
    Append(i, {MakeEntry(1, expected.back())});
    driver_.RunAll();
  }
  EXPECT_TRUE(driver_.probes().Reached(ProbeId::kSegmentRolled));
  Reboot();
  ASSERT_TRUE(driver_.storage().ready()) << driver_.halt()->detail;
  EXPECT_EQ(RecoveredPayloads(), expected);
}

}  // namespace
}  // namespace bramah::storage

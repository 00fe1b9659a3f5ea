// Encoding and parsing: round trips, and no damaged structure passes.
#include "core/storage/format.h"

#include <optional>
#include <string>
#include <vector>

#include "core/storage/segment_scan.h"
#include "core/storage/snapshot_file.h"
#include "core/storage/vote_slots.h"
#include "gtest/gtest.h"

namespace bramah::storage {
namespace {

const Identity kIdentity{"cell", ReplicaId(3), 0x1111, 0x2222};

// `parses(bytes)` must be false for every single-byte change and every shorter prefix of `bytes`.
template <class Parses>
void ExpectEveryByteCounts(const std::string& bytes, Parses parses) {
  ASSERT_TRUE(parses(bytes));
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      ASSERT_FALSE(parses(damaged)) << i;
    }
    ASSERT_FALSE(parses(bytes.substr(0, i))) << i;
  }
}

TEST(FormatTest, IdentityRoundTrip) {
  const std::string bytes = EncodeIdentity(kIdentity);
  const std::optional<Identity> parsed = ParseIdentity(bytes);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->cell, "cell");
  EXPECT_EQ(OwnerOf(*parsed), OwnerOf(kIdentity));
  ExpectEveryByteCounts(bytes, [](const std::string& b) { return ParseIdentity(b).has_value(); });
  EXPECT_FALSE(ParseIdentity(bytes + "x").has_value());
}

TEST(FormatTest, VoteSlotRoundTrip) {
  const VoteRecord record{1, OwnerOf(kIdentity), 9, {Term(7), ReplicaId(2), 150 * kMillisecond}};
  const std::string bytes = EncodeVoteSlot(record);
  EXPECT_EQ(bytes.size(), kVoteSlotBytes);
  EXPECT_EQ(ParseVoteSlot(bytes), record);
  EXPECT_EQ(ParseVoteSlot(bytes + "behind"), record);
  ExpectEveryByteCounts(bytes, [](const std::string& b) { return ParseVoteSlot(b).has_value(); });
}

TEST(FormatTest, SegmentHeaderRoundTrip) {
  SegmentHeader header{OwnerOf(kIdentity), 12, {11, 4000}, 77, LogIndex(5), Term(4)};
  std::string bytes(kSegmentHeaderBytes, '\0');
  header.crc = StoreSegmentHeader(bytes.data(), header);
  EXPECT_EQ(ParseSegmentHeader(bytes), header);
  ExpectEveryByteCounts(bytes, [](const std::string& b) { return ParseSegmentHeader(b).has_value(); });
}

// [ST-03] A torn batch was replaced by a shorter one that begins with the same entry: the rest of the first one is tied to it.
TEST(FormatTest, WhatATornBatchLeftBehindAShorterOneIsNotFollowed) {
  const Owner owner = OwnerOf(kIdentity);
  SegmentHeader header{owner, 12, {}, 0, LogIndex(1), Term(0)};
  std::string bytes(4 * kSectorBytes, '\0');
  header.crc = StoreSegmentHeader(bytes.data(), header);
  const std::string entry(200, 'x');
  const auto write = [&](uint64_t count) {
    char* const to = bytes.data() + kSectorBytes;
    const uint64_t size = kBatchRecordBytes + count * EntryRecordBytes(entry.size());
    uint32_t crc = StoreBatchRecord(to, kSectorBytes, {{}, header.crc, size}, BatchSalt(owner, 12));
    for (uint64_t i = 0; i < count; ++i) {
      crc = StoreEntryRecord(to + kBatchRecordBytes + i * EntryRecordBytes(entry.size()), LogIndex(1 + i), entry, crc);
    }
  };
  write(3);
  EXPECT_EQ(ScanSegment(owner, 12, bytes.size(), Blob(bytes)).entries.size(), 3u);
  write(1);
  EXPECT_EQ(ScanSegment(owner, 12, bytes.size(), Blob(bytes)).entries.size(), 1u);
}

TEST(FormatTest, RecordsRoundTrip) {
  std::string bytes(kBatchRecordBytes, '\0');
  const uint32_t batch = StoreBatchRecord(bytes.data(), 512, {{3, 99}, 1234, 40}, 42);
  const std::optional<Record> parsed = ParseRecord(bytes);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->kind, RecordKind::kBatch);
  EXPECT_EQ(parsed->value, 512u);
  EXPECT_EQ(parsed->crc, batch);
  EXPECT_EQ(RecordCrc(parsed->whole, 42), batch);
  EXPECT_EQ(ParseBatchBody(*parsed).synced_through, (Position{3, 99}));
  EXPECT_EQ(ParseBatchBody(*parsed).previous_crc, 1234u);
  EXPECT_EQ(ParseBatchBody(*parsed).bytes, 40u);

  std::string roll(kRollRecordBytes, '\0');
  const uint32_t roll_crc = StoreRollRecord(roll.data(), LogIndex(8), 4, batch);
  const std::optional<Record> parsed_roll = ParseRecord(roll);
  ASSERT_TRUE(parsed_roll.has_value());
  EXPECT_EQ(parsed_roll->kind, RecordKind::kRoll);
  EXPECT_EQ(ParseRollBody(*parsed_roll), 4u);
  EXPECT_EQ(RecordCrc(parsed_roll->whole, batch), roll_crc);
}

TEST(FormatTest, EntryRecordDependsOnEachByteAndOnItsPredecessor) {
  for (const size_t size : {0, 1, 7, 8, 9, 300}) {
    const std::string entry(size, 'e');
    std::string bytes(EntryRecordBytes(size), '\0');
    StoreEntryRecord(bytes.data(), LogIndex(6), entry, 1000);
    const std::optional<Record> parsed = ParseRecord(bytes);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->body, entry);
    EXPECT_EQ(parsed->whole.size() % kRecordAlignment, 0u);
    EXPECT_NE(RecordCrc(parsed->whole, 1001), parsed->crc);
    ExpectEveryByteCounts(bytes, [&](const std::string& b) {
      const std::optional<Record> record = ParseRecord(b);
      return record.has_value() && record->whole.size() == bytes.size() && RecordCrc(record->whole, 1000) == record->crc;
    });
  }
}

TEST(FormatTest, ZerosAreNoRecord) {
  EXPECT_FALSE(ParseRecord(std::string(4096, '\0')).has_value());
  EXPECT_FALSE(ParseRecord("").has_value());
  EXPECT_FALSE(ParseSegmentHeader(std::string(4096, '\0')).has_value());
  EXPECT_FALSE(ParseVoteSlot(std::string(4096, '\0')).has_value());
}

TEST(FormatTest, SnapshotRoundTrip) {
  const Owner owner = OwnerOf(kIdentity);
  const raft::Snapshot snapshot{{LogIndex(8), Term(3), 77, "members"}, Blob("the state")};
  const std::string bytes = std::string(EncodeSnapshotHeader(owner, snapshot).view()) + "the state";
  const std::optional<raft::Snapshot> parsed = ParseSnapshotFile(owner, LogIndex(8), bytes);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->meta, snapshot.meta);
  EXPECT_EQ(parsed->state, snapshot.state);
  ExpectEveryByteCounts(bytes, [&](const std::string& b) { return ParseSnapshotFile(owner, LogIndex(8), b).has_value(); });
  EXPECT_FALSE(ParseSnapshotFile(owner, LogIndex(9), bytes).has_value());
  EXPECT_FALSE(ParseSnapshotFile(OwnerOf({"other", ReplicaId(3), 0x1111, 0x2222}), LogIndex(8), bytes).has_value());
  EXPECT_FALSE(ParseSnapshotFile(owner, LogIndex(8), bytes + "x").has_value());
}

TEST(FormatTest, EntriesOfAWriteAreFound) {
  const std::vector<std::string> entries = {"one", "", "three"};
  std::string bytes(kBatchRecordBytes, '\0');
  uint32_t crc = StoreBatchRecord(bytes.data(), 512, {{1, 84}, 5}, 42);
  for (size_t i = 0; i < entries.size(); ++i) {
    std::string record(EntryRecordBytes(entries[i].size()), '\0');
    crc = StoreEntryRecord(record.data(), LogIndex(7 + i), entries[i], crc);
    bytes += record;
  }
  std::vector<std::string> found;
  ForEachEntryWritten(512, bytes, [&](LogIndex index, std::string_view entry) {
    EXPECT_EQ(index, LogIndex(7 + found.size()));
    found.emplace_back(entry);
  });
  EXPECT_EQ(found, entries);

  std::string header(kSegmentHeaderBytes, '\0');
  StoreSegmentHeader(header.data(), {OwnerOf(kIdentity), 2, {}, 0, LogIndex(1), Term(0)});
  ForEachEntryWritten(0, header, [](LogIndex, std::string_view) { FAIL(); });
}

TEST(VoteSlotsTest, HighestValidGenerationWins) {
  const Owner owner = OwnerOf(kIdentity);
  const std::string older = EncodeVoteSlot({0, owner, 4, {Term(4), ReplicaId(1), 0}});
  const std::string newer = EncodeVoteSlot({1, owner, 5, {Term(5), ReplicaId(2), 0}});
  const std::optional<RecoveredVote> vote = RecoverVote(owner, {older, newer});
  ASSERT_TRUE(vote.has_value());
  EXPECT_EQ(vote->slots.hard().term, Term(5));
  EXPECT_EQ(vote->winner, 1u);
  EXPECT_FALSE(vote->one_only);
  EXPECT_TRUE(RecoverVote(owner, {older, ""})->one_only);
  EXPECT_FALSE(RecoverVote(owner, {newer, older}).has_value());  // in each other's place
  EXPECT_FALSE(RecoverVote(Owner(), {older, newer}).has_value());
}

}  // namespace
}  // namespace bramah::storage

// Random histories of one replica's storage against a model: whatever the draws do (appends, superseding, votes, snapshots,
// crashes of process or machine between any two file operations, failing writes and syncs), what was promised is recovered.
#include <algorithm>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/keyed.h"
#include "core/storage/storage.h"
#include "core/storage/test_disk.h"
#include "gtest/gtest.h"

namespace bramah::storage {
namespace {

using raft::Entry;
using raft::EntryKind;
using raft::HardState;

// One log entry of the model: a unique number and its term.
struct Item {
  uint64_t id = 0;
  uint64_t term = 0;
  friend bool operator==(const Item&, const Item&) = default;
};
using Items = std::vector<Item>;  // the log from index 1 on

// The state of a model snapshot is the whole log that it stands for.
std::string EncodeItems(const Items& items) {
  std::string bytes;
  ByteWriter out(&bytes);
  for (const Item& item : items) {
    out.U64(item.id);
    out.U64(item.term);
  }
  return bytes;
}
Items DecodeItems(std::string_view bytes) {
  ByteReader in(bytes);
  Items items;
  while (!in.rest().empty()) {
    const uint64_t id = in.U64();
    items.push_back({id, in.U64()});
  }
  return items;
}

class Model {
 public:
  explicit Model(uint64_t seed) : seed_(seed) {
    options_.segment_bytes = (4 << 10) << Pick(3);
    logs_ = {{}};
    hards_ = {{}};
  }

  void Run() {
    for (int incarnation = 0; incarnation < 12 && !::testing::Test::HasFailure(); ++incarnation) {
      if (Start() && !::testing::Test::HasFailure()) Live();
      Crash();
    }
  }
  Probes probes() const { return driver_.probes(); }

 private:
  uint64_t Pick(uint64_t bound) { return Below(Draw(seed_, 0, 0, ordinal_++), bound); }
  bool OneIn(uint64_t n) { return Pick(n) == 0; }

  // ---- life
  // Boots; sometimes only half. True if the replica became ready.
  bool Start() {
    const bool formatting = disk_.List().empty();
    driver_.Boot(Draw(seed_, 1, 0, ordinal_++));
    uint64_t ops = OneIn(4) ? Pick(30) : 1000;
    while (!driver_.storage().ready() && !driver_.halt().has_value() && ops-- > 0) {
      if (OneIn(100)) {
        FailSomething(Lane::kBulk);
      } else {
        driver_.RunOp(Lane::kBulk);
      }
    }
    if (driver_.halt().has_value()) {
      const HaltReason why = driver_.halt()->why;
      const bool half_formatted = why == HaltReason::kIncompleteFormat && !formatted_;
      EXPECT_TRUE(why == HaltReason::kDiskFailure || half_formatted) << seed_ << ": " << driver_.halt()->detail;
      if (half_formatted) disk_ = TestDisk();
    }
    if (!driver_.storage().ready()) return false;
    if (!formatting) formatted_ = true;
    formatted_ = true;
    CheckRecovered(driver_.storage().TakeRecovered());
    return true;
  }

  void Live() {
    for (uint64_t steps = 10 + Pick(150); steps > 0 && !driver_.halt().has_value(); --steps) {
      Act(Pick(100));
      driver_.Flush();
      CollectPromises();
    }
  }

  void Act(uint64_t choice) {
    if (choice < 20) return Append();
    if (choice < 25) return Vote();
    if (choice < 30) return Claim();
    if (choice < 34) return Save();
    if (choice < 35) return Install();
    if (choice < 38) return driver_.Advance(OneIn(3) ? kSecond : Pick(20) * kMillisecond);
    if (choice < 39 && OneIn(4)) return FailSomething(OneIn(2) ? Lane::kLog : Lane::kBulk);
    const Lane lane = choice < 80 ? Lane::kLog : Lane::kBulk;
    for (uint64_t ops = 1 + Pick(6); ops > 0; --ops) driver_.RunOp(lane);
  }

  void Crash() {
    // What the replica itself believes durable is a promise, too.
    if (driver_.storage().ready() && !installing_) {
      const LogIndex durable = driver_.storage().durable_index();
      believed_.assign(logs_.back().begin(), logs_.back().begin() + static_cast<int64_t>(durable.value()));
    }
    if (!OneIn(3)) disk_.Crash(TestDisk::Fate(Pick(3)), Draw(seed_, 2, 0, ordinal_++));
    claims_.clear();
  }

  void FailSomething(Lane lane) {
    if (!driver_.Busy(lane)) return;
    if (OneIn(3)) return driver_.FailOp(lane, DiskError::kNoSpace);
    const FileOp::Kind kind = driver_.NextOp(lane).kind;
    const bool sync = kind == FileOp::kSyncData || kind == FileOp::kSyncDir;
    driver_.FailOp(lane, sync ? DiskError::kSyncIo : DiskError::kWriteIo);
  }

  // ---- what the replica does
  void Append() {
    if (installing_) return;
    Items log = logs_.back();
    const uint64_t floor = driver_.storage().snapshot_index().value();
    const uint64_t safe = std::max(floor, saving_index_);
    if (OneIn(5) && log.size() > safe) {
      log.resize(safe + Pick(log.size() - safe));
      ++term_;
      Vote();
    }
    const LogIndex first(log.size() + 1);
    std::vector<Entry> entries;
    for (uint64_t count = 1 + Pick(4); count > 0; --count) {
      log.push_back({++last_id_, term_});
      std::string payload(OneIn(30) ? Pick(20'000) : Pick(300), static_cast<char>(last_id_));
      ByteWriter(&payload).U64(last_id_);
      entries.push_back(Entry(Term(term_), 0, EntryKind::kCommand, payload));
      logs_.push_back(log);
    }
    driver_.storage().Append(first, entries);
  }

  void Vote() {
    if (OneIn(2)) ++term_;
    const HardState hard{Term(term_), ReplicaId(static_cast<uint32_t>(Pick(4))), static_cast<Duration>(Pick(5))};
    hards_.push_back(hard);
    driver_.storage().SetVote(hard);
  }

  // A message that says: this vote and this log are stored here.
  void Claim() {
    if (installing_) return;
    const LogIndex last(logs_.back().size());
    claims_.push_back({driver_.storage().Need(hards_.back().term, last), logs_.size() - 1, hards_.size() - 1});
  }

  void Save() {
    const uint64_t low = driver_.storage().snapshot_index().value();
    const uint64_t high = driver_.storage().durable_index().value();
    if (driver_.storage().saving() || high <= low) return;
    saving_index_ = low + 1 + Pick(high - low);
    const Items& log = logs_.back();
    const Items prefix(log.begin(), log.begin() + static_cast<int64_t>(saving_index_));
    driver_.storage().SaveSnapshot(driver_.now(), SnapshotOf(prefix), effects_);
  }

  void Install() {
    if (driver_.storage().saving()) return;
    ++term_;
    Vote();
    const uint64_t size = driver_.storage().snapshot_index().value() + 1 + Pick(40);
    Items log;
    for (uint64_t i = 0; i < size; ++i) log.push_back({++last_id_, term_});
    driver_.storage().InstallSnapshot(driver_.now(), SnapshotOf(log), effects_);
    logs_.push_back(log);
    saving_index_ = size;
    installing_ = true;
  }

  static raft::Snapshot SnapshotOf(const Items& items) {
    return {{LogIndex(items.size()), Term(items.back().term), 0, "configuration"}, Blob(EncodeItems(items))};
  }

  // ---- what has to hold
  void CollectPromises() {
    if (driver_.halt().has_value()) return;
    for (const Pending& claim : claims_) {
      if (!driver_.Completed(claim.after)) continue;
      promised_log_ = std::max(promised_log_, claim.log);
      promised_hard_ = std::max(promised_hard_, claim.hard);
    }
    std::erase_if(claims_, [&](const Pending& claim) { return driver_.Completed(claim.after); });
    if (installing_ && !driver_.storage().saving()) {
      installing_ = false;
      promised_log_ = logs_.size() - 1;
    }
  }

  void CheckRecovered(const Recovered& recovered) {
    Items log;
    if (recovered.snapshot.has_value()) {
      log = DecodeItems(recovered.snapshot->state.view());
      ASSERT_EQ(recovered.snapshot->meta.index, LogIndex(log.size())) << seed_;
      ASSERT_EQ(recovered.snapshot->meta.configuration, "configuration");
    }
    ASSERT_EQ(recovered.first, LogIndex(log.size() + 1)) << seed_;
    for (const Entry& entry : recovered.entries) {
      const std::string_view payload = entry.payload();
      ASSERT_GE(payload.size(), 8u);
      log.push_back({LoadLittle<uint64_t>(payload.data() + payload.size() - 8), entry.term().value()});
    }
    const auto since = logs_.begin() + static_cast<int64_t>(promised_log_);
    ASSERT_NE(std::find(since, logs_.end(), log), logs_.end())
        << "seed " << seed_ << ": recovered a log of " << log.size() << " that never was, or was superseded before a promise of "
        << logs_[promised_log_].size();
    ASSERT_LE(believed_.size(), log.size()) << seed_;
    ASSERT_TRUE(std::equal(believed_.begin(), believed_.end(), log.begin())) << seed_;
    CheckHard(recovered.hard, log);
    logs_ = {log};
    hards_ = {recovered.hard};
    promised_log_ = promised_hard_ = 0;
    believed_.clear();
    saving_index_ = 0;
    installing_ = false;
    term_ = std::max(term_, recovered.hard.term.value());
  }

  void CheckHard(const HardState& hard, const Items& log) {
    const auto since = hards_.begin() + static_cast<int64_t>(promised_hard_);
    const bool raised = !log.empty() && hard.term.value() == log.back().term && !hard.vote && hard.term > since->term;
    ASSERT_TRUE(raised || std::find(since, hards_.end(), hard) != hards_.end())
        << "seed " << seed_ << ": recovered term " << hard.term.value() << " vote " << hard.vote.value();
  }

  struct Pending {
    After after;
    size_t log;   // into logs_
    size_t hard;  // into hards_
  };

  uint64_t seed_;
  uint64_t ordinal_ = 0;
  Options options_;
  TestDisk disk_;
  TestDriver driver_{&options_, {"model", ReplicaId(1), 0, 0}, &disk_};
  Effects effects_;  // Save and Install emit nothing before Flush
  bool formatted_ = false;

  std::vector<Items> logs_;       // every log there was since the last boot, entry by entry
  std::vector<HardState> hards_;  // every term and vote
  size_t promised_log_ = 0;       // nothing before may come back
  size_t promised_hard_ = 0;
  Items believed_;
  std::vector<Pending> claims_;
  uint64_t saving_index_ = 0;
  bool installing_ = false;
  uint64_t term_ = 1;
  uint64_t last_id_ = 0;
};

TEST(StorageModelTest, WhatWasPromisedIsRecovered) {
  Probes probes;
  for (uint64_t seed = 0; seed < 400 && !::testing::Test::HasFailure(); ++seed) {
    Model model(seed);
    model.Run();
    probes.Merge(model.probes());
  }
  for (const ProbeId id : {ProbeId::kRecoveredTornTail, ProbeId::kRecoveredUnsyncedTail, ProbeId::kRecoveredOneVoteSlot,
                           ProbeId::kSegmentRolled, ProbeId::kWriteRetriedNoSpace}) {
    EXPECT_TRUE(probes.Reached(id)) << ProbeName(id);
  }
}

}  // namespace
}  // namespace bramah::storage

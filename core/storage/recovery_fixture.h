// RecoveryTest: one storage on a disk that the test crashes, damages and boots again.
#ifndef BRAMAH_CORE_STORAGE_RECOVERY_FIXTURE_H_
#define BRAMAH_CORE_STORAGE_RECOVERY_FIXTURE_H_

#include <string>
#include <vector>

#include "core/storage/storage.h"
#include "core/storage/test_disk.h"
#include "gtest/gtest.h"

namespace bramah::storage {

using Payloads = std::vector<std::string>;
using Fate = TestDisk::Fate;

inline constexpr FileId kFirstSegment{FileKind::kSegment, 1};

class RecoveryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    driver_.BootFully();
    driver_.RunAll();
  }
  Storage& storage() { return driver_.storage(); }

  void AppendDurably(uint64_t first, const std::vector<raft::Entry>& entries) {
    driver_.Append(first, entries);
    driver_.RunAll();
  }
  // Lets the log be idle, so that a mark says it is durable.
  void Idle() {
    driver_.Advance(kSecond);
    driver_.RunAll();
  }
  void CrashMachine(Fate fate = Fate::kLost, uint64_t seed = 0) { disk_.Crash(fate, seed); }
  Recovered Boot() {
    driver_.BootFully(3);
    EXPECT_TRUE(storage().ready()) << (driver_.halt().has_value() ? driver_.halt()->detail : "");
    return storage().ready() ? storage().TakeRecovered() : Recovered();
  }
  // Boots, expects a refusal for `why` that names cause and remedy, and that nothing was written.
  void ExpectRefused(HaltReason why) {
    const size_t before = driver_.history().size();
    driver_.BootFully(3);
    ASSERT_TRUE(driver_.halt().has_value());
    EXPECT_EQ(driver_.halt()->why, why) << driver_.halt()->detail;
    EXPECT_NE(driver_.halt()->detail.find("; "), std::string::npos);
    EXPECT_EQ(driver_.halt()->detail.find('\n'), std::string::npos);
    EXPECT_TRUE(storage().halted());
    for (size_t i = before; i < driver_.history().size(); ++i) EXPECT_EQ(driver_.history()[i].kind, FileOp::kRead);
  }
  void Flip(FileId file, uint64_t offset, char mask = 1) {
    std::string contents = disk_.Contents(file);
    ASSERT_LT(offset, contents.size());
    contents[offset] = static_cast<char>(contents[offset] ^ mask);
    disk_.Put(file, contents);
  }
  // Offset in `file` of the last occurrence of `text`.
  uint64_t FindLast(FileId file, const std::string& text) { return disk_.Contents(file).rfind(text); }

  Options options_{4 << 10, 10 * kMillisecond};
  TestDisk disk_;
  TestDriver driver_{&options_, {"cell", ReplicaId(1), 0, 0}, &disk_};
};

}  // namespace bramah::storage

#endif  // BRAMAH_CORE_STORAGE_RECOVERY_FIXTURE_H_

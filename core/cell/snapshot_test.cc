#include <gtest/gtest.h>

#include "core/api/path.h"
#include "core/base/bytes.h"
#include "core/base/keyed.h"
#include "core/cell/invariants.h"
#include "core/cell/test_cell.h"

namespace bramah::cell {
namespace {

constexpr uint32_t kFile = v1::OPEN_WRITE | v1::OPEN_MAY_CREATE;

// A cell with something of everything: directories, ephemerals, a stale handle, both kinds of hold, waiters, answers, pending
// lock-delays, a directory that is both, a node with an owner.
void MakeRich(TestCell& cell) {
  const uint64_t a = cell.Session();
  const uint64_t b = cell.Session();
  cell.Apply(OpenPath(a, 1, 1, "/d", kFile | v1::OPEN_DIRECTORY));
  cell.Apply(OpenPath(a, 2, 2, "/d/f", kFile, "contents"));
  cell.Apply(OpenPath(a, 3, 3, "/e", kFile | v1::OPEN_EPHEMERAL));
  cell.Apply(OpenPath(b, 1, 1, "/d/f", kFile));
  cell.Apply(OpenPath(b, 2, 2, "/e", v1::OPEN_WRITE));
  cell.Apply(AcquireOf(a, 4, 2, v1::EXCLUSIVE));
  cell.Apply(AcquireOf(b, 3, 1, v1::SHARED));
  cell.Apply(AcquireOf(a, 5, 3, v1::SHARED));
  cell.Apply(AcquireOf(b, 4, 2, v1::SHARED));
  cell.Apply(First(Set(a, 6, 2, "changed"), 3));
  cell.Apply(OpenPath(a, 7, 5, "/gone", kFile));
  cell.Apply(DeleteOf(a, 8, 5));
  cell.Apply(OpenPath(a, 9, 6, "/x", kFile));
  cell.Apply(CloseOf(a, 10, 6));
  cell.Apply(Delayed(OpenPath(a, 11, 7, "/x", kFile), 3 * kSecond));
  cell.Apply(OpenPath(a, 12, 8, "/both", kFile | v1::OPEN_DIRECTORY | v1::OPEN_BOTH, "both"));
  cell.Apply(OpenPath(b, 5, 3, "/both/owned", kFile | v1::OPEN_SESSION_OWNED));
  cell.Apply(SetLeaseMax(20 * kSecond));
  cell.Advance(kSecond);
  for (const v1::LockMode mode : {v1::SHARED, v1::EXCLUSIVE}) {
    const uint64_t lost = cell.Session();
    cell.Apply(Delayed(OpenPath(lost, 1, 1, mode == v1::SHARED ? "/x" : "/y", kFile), 20 * kSecond));
    cell.Apply(AcquireOf(lost, 2, 1, mode));
    cell.Apply(Expire(lost));
  }
}

TEST(Snapshot, EmptyCellRoundTrips) {
  TestCell cell;
  const std::string saved = cell.Saved();
  Limits limits;
  Cell loaded(&limits, 9);
  ASSERT_TRUE(loaded.Load(saved));
  EXPECT_EQ(loaded.digest(), cell.cell().digest());
  EXPECT_EQ(loaded.node_count(), 0u);
}

// [C-69]
TEST(Snapshot, LoadedCellGoesOnLikeTheOriginal) {
  TestCell rich;
  MakeRich(rich);
  Limits limits;
  Cell original = rich.cell();
  Cell loaded(&limits, 0);
  ASSERT_TRUE(loaded.Load(rich.Saved()));
  const uint64_t a = At(1), b = At(2);
  const std::vector<v1::Command> commands = {ReleaseOf(a, 11, 2, 4), AcquireOf(b, 3, 1, v1::SHARED), Set(a, 6, 2, "again"),
                                             Create(1), OpenPath(a, 13, 9, "/x", kFile), Expire(a), CloseOf(b, 6, 2),
                                             OpenPath(b, 7, 4, "/both/more", kFile | v1::OPEN_SESSION_OWNED), Expire(b)};
  uint64_t index = rich.index();
  for (const v1::Command& command : commands) {
    Applied from_original, from_loaded;
    Probes probes;
    ++index;
    original.Apply(LogIndex(index), 1, command, from_original, probes);
    loaded.Apply(LogIndex(index), 1, command, from_loaded, probes);
    EXPECT_EQ(from_loaded.outcome.SerializeAsString(), from_original.outcome.SerializeAsString());
    EXPECT_EQ(from_loaded.decisions.size(), from_original.decisions.size());
    EXPECT_EQ(from_loaded.effect, from_original.effect);
    EXPECT_EQ(loaded.digest(), original.digest());
  }
}

TEST(Snapshot, EveryTruncationIsRefused) {
  TestCell rich;
  MakeRich(rich);
  const std::string saved = rich.Saved();
  Limits limits;
  for (size_t size = 0; size < saved.size(); ++size) {
    Cell loaded(&limits, 0);
    EXPECT_FALSE(loaded.Load(std::string_view(saved).substr(0, size))) << size;
  }
  Cell loaded(&limits, 0);
  EXPECT_FALSE(loaded.Load(saved + '\0'));
}

// The caller's checksum finds random damage. What gets past it must still never be undefined, nor give a state with two encodings
// or one that no cell can be in.
TEST(Snapshot, DamagedBytesAreRefusedOrAreTheEncodingOfASoundState) {
  TestCell rich;
  MakeRich(rich);
  const std::string saved = rich.Saved();
  Limits limits;
  int refused = 0;
  for (size_t at = 0; at < saved.size(); ++at) {
    for (const uint8_t flip : {0x01, 0x80}) {
      std::string damaged = saved;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      Cell loaded(&limits, 0);
      if (!loaded.Load(damaged)) {
        ++refused;
        continue;
      }
      std::string again;
      loaded.Save(&again);
      EXPECT_EQ(again, damaged) << at;
      EXPECT_EQ(loaded.digest(), loaded.DigestSlow()) << at;
      EXPECT_NE(loaded.digest(), rich.cell().digest()) << at;
    }
  }
  EXPECT_GT(refused, 0);
}

TEST(Snapshot, HugeCountsAreRefusedWithoutAllocating) {
  std::string bytes = TestCell().Saved();
  StoreLittle(bytes.data() + 44, UINT64_MAX);
  Limits limits;
  Cell loaded(&limits, 0);
  EXPECT_FALSE(loaded.Load(bytes));
}

TEST(Snapshot, AnImpossibleTimeIsRefused) {
  for (const int64_t time : {int64_t{-1}, kClusterTimeMax + 1, kNever}) {
    std::string bytes = TestCell().Saved();
    StoreLittle(bytes.data() + 20, static_cast<uint64_t>(time));
    Limits limits;
    EXPECT_FALSE(Cell(&limits, 0).Load(bytes)) << time;
  }
}

TEST(Snapshot, AnImpossibleLeaseIsRefused) {
  for (const int64_t lease_max : {int64_t{-1}, kLeaseLongest + 1, kNever}) {
    std::string bytes = TestCell().Saved();
    StoreLittle(bytes.data() + 48, static_cast<uint64_t>(lease_max));
    Limits limits;
    EXPECT_FALSE(Cell(&limits, 0).Load(bytes)) << lease_max;
  }
}

TEST(Snapshot, UnknownVersionIsRefused) {
  std::string bytes = TestCell().Saved();
  ++bytes[4];
  Limits limits;
  Cell loaded(&limits, 0);
  EXPECT_FALSE(loaded.Load(bytes));
}

TEST(Snapshot, CopyIsIndependent) {
  TestCell rich;
  MakeRich(rich);
  const uint64_t before = rich.cell().digest();
  Cell copy = rich.cell();
  Applied applied;
  Probes probes;
  copy.Apply(LogIndex(1000), 1, Create(1000), applied, probes);
  EXPECT_EQ(applied.outcome.code(), v1::OK);
  EXPECT_NE(copy.digest(), before);
  EXPECT_EQ(rich.cell().digest(), before);
  EXPECT_EQ(rich.cell().DigestSlow(), before);
}

}  // namespace
}  // namespace bramah::cell

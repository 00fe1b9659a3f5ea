// Sequencers [Chubby §2.4, §2.6]: who gets one, how long it is good, and what it guards.
#include <gtest/gtest.h>

#include <string>

#include "core/api/sequencer.h"
#include "core/cell/test_cell.h"

namespace bramah::cell {
namespace {

constexpr uint32_t kLockable = v1::OPEN_WRITE | v1::OPEN_MAY_CREATE;

// Sessions a and b have handle 1 open on /l, and b handle 2 on /data. a holds the lock exclusively and has its sequencer.
class CellSequencer : public ::testing::Test {
 protected:
  void SetUp() override {
    cell.Apply(NewEpoch({1, 2}));
    a = cell.Session();
    b = cell.Session();
    for (const uint64_t session : {a, b}) ASSERT_EQ(cell.Do(OpenPath(session, 1, 1, "/l", kLockable)), v1::OK);
    ASSERT_EQ(cell.Do(OpenPath(b, 2, 2, "/data", kLockable)), v1::OK);
    ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::OK);
    of_a = SequencerOf(a);
    ASSERT_FALSE(of_a.empty());
  }
  std::string SequencerOf(uint64_t session) { return cell.Read(v1::GET_SEQUENCER, session, 1).sequencer(); }
  v1::Code Check(const std::string& sequencer, v1::LockMode mode = v1::FREE) {
    return cell.Read(CheckOf(b, sequencer, mode)).code();
  }

  TestCell cell;
  uint64_t a = 0, b = 0;
  std::string of_a;
};

// [C-32]
TEST_F(CellSequencer, SaysWhatIsHeldAndAnySessionMayCheckIt) {
  const LockView lock = cell.Lock("/l");
  EXPECT_EQ(ParseSequencer(of_a), (Sequencer{"demo", "/l", lock.instance, v1::EXCLUSIVE, lock.generation, 0}));
  const v1::Outcome checked = cell.Read(CheckOf(b, of_a));
  EXPECT_EQ(checked.code(), v1::OK);
  EXPECT_EQ(checked.lock_mode(), v1::EXCLUSIVE);
  EXPECT_EQ(checked.lock_generation(), lock.generation.value());
  EXPECT_EQ(checked.instance(), lock.instance.value());
}

// [C-32]
TEST_F(CellSequencer, IsInvalidAfterReleaseAndAfterTheNextAcquire) {
  ASSERT_EQ(cell.Do(ReleaseOf(a, 3, 1)), v1::OK);
  EXPECT_EQ(Check(of_a), v1::SEQUENCER_INVALID);
  ASSERT_EQ(cell.Do(AcquireOf(a, 4, 1, v1::EXCLUSIVE)), v1::OK);
  EXPECT_EQ(Check(of_a), v1::SEQUENCER_INVALID) << "the same handle, another generation";
  EXPECT_EQ(Check(SequencerOf(a)), v1::OK);
}

// [C-32]
TEST_F(CellSequencer, IsInvalidAfterExpiryAndAfterDeletion) {
  ASSERT_EQ(cell.Do(DeleteOf(a, 3, 1)), v1::OK);
  EXPECT_EQ(Check(of_a), v1::SEQUENCER_INVALID);
  ASSERT_EQ(cell.Do(OpenPath(a, 4, 2, "/l", kLockable)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, 5, 2, v1::EXCLUSIVE)), v1::OK);
  EXPECT_EQ(Check(of_a), v1::SEQUENCER_INVALID) << "another node of the same name";
  const std::string second = cell.Read(v1::GET_SEQUENCER, a, 2).sequencer();
  EXPECT_GT(ParseSequencer(second)->generation, ParseSequencer(of_a)->generation) << "fencing tokens rise by name [A-01]";
  ASSERT_EQ(cell.Do(Expire(a)), v1::OK);
  EXPECT_EQ(Check(second), v1::SEQUENCER_INVALID);
}

TEST_F(CellSequencer, D41IsInvalidWithinALockDelay) {
  ASSERT_EQ(cell.Do(Delayed(OpenPath(a, 3, 3, "/d", kLockable), kSecond)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, 4, 3, v1::EXCLUSIVE)), v1::OK);
  const std::string sequencer = cell.Read(v1::GET_SEQUENCER, a, 3).sequencer();
  ASSERT_EQ(cell.Do(Expire(a)), v1::OK);
  EXPECT_EQ(Check(sequencer), v1::SEQUENCER_INVALID);
}

// A former holder must not get the sequencer of its successor.
TEST_F(CellSequencer, SQ04OnlyTheHandleThatHoldsGetsOne) {
  EXPECT_EQ(cell.Read(v1::GET_SEQUENCER, b, 1).code(), v1::LOCK_NOT_HELD);
  ASSERT_EQ(cell.Do(AcquireOf(b, 3, 1, v1::EXCLUSIVE)), v1::QUEUED);
  EXPECT_EQ(cell.Read(v1::GET_SEQUENCER, b, 1).code(), v1::LOCK_NOT_HELD);
  ASSERT_EQ(cell.Do(ReleaseOf(a, 3, 1)), v1::OK);
  EXPECT_EQ(cell.Read(v1::GET_SEQUENCER, a, 1).code(), v1::LOCK_NOT_HELD);
  EXPECT_TRUE(cell.Read(v1::GET_SEQUENCER, a, 1).sequencer().empty());
  EXPECT_EQ(Check(SequencerOf(b)), v1::OK);
}

TEST_F(CellSequencer, D40ASharedOneIsGoodWhileAnyHolderOfTheGenerationRemains) {
  ASSERT_EQ(cell.Do(ReleaseOf(a, 3, 1)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, 4, 1, v1::SHARED)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(b, 3, 1, v1::SHARED)), v1::OK);
  const std::string sequencer = SequencerOf(a);
  EXPECT_EQ(SequencerOf(b), sequencer);
  ASSERT_EQ(cell.Do(ReleaseOf(a, 5, 1)), v1::OK);
  EXPECT_EQ(Check(sequencer), v1::OK);
  ASSERT_EQ(cell.Do(ReleaseOf(b, 4, 1)), v1::OK);
  EXPECT_EQ(Check(sequencer), v1::SEQUENCER_INVALID);
}

TEST_F(CellSequencer, SQ03AServerMayDemandAMode) {
  EXPECT_EQ(Check(of_a, v1::EXCLUSIVE), v1::OK);
  EXPECT_EQ(Check(of_a, v1::SHARED), v1::SEQUENCER_INVALID);
  ASSERT_EQ(cell.Do(ReleaseOf(a, 3, 1)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, 4, 1, v1::SHARED)), v1::OK);
  EXPECT_EQ(Check(SequencerOf(a), v1::SHARED), v1::OK);
  EXPECT_EQ(Check(SequencerOf(a), v1::EXCLUSIVE), v1::SEQUENCER_INVALID) << "a reader must not pass for a writer";
}

TEST(CellSequencerAlone, WithoutASecretThereAreNone) {
  TestCell cell;
  const uint64_t a = cell.Session();
  ASSERT_EQ(cell.Do(OpenPath(a, 1, 1, "/l", kLockable)), v1::OK);
  ASSERT_EQ(cell.Do(AcquireOf(a, 2, 1, v1::EXCLUSIVE)), v1::OK);
  EXPECT_EQ(cell.Read(v1::GET_SEQUENCER, a, 1).code(), v1::UNAVAILABLE);
  const LockView lock = cell.Lock("/l");
  const std::string guess = FormatSequencer({"demo", "/l", lock.instance, v1::EXCLUSIVE, lock.generation, 0}, {});
  EXPECT_EQ(cell.Read(CheckOf(a, guess)).code(), v1::BAD_SEQUENCER);
}

TEST_F(CellSequencer, ForgedOnesAreBadWhateverTheySay) {
  const Sequencer said = *ParseSequencer(of_a);
  EXPECT_EQ(Check(FormatSequencer(said, MacKey{1, 3})), v1::BAD_SEQUENCER);
  EXPECT_EQ(Check("hello"), v1::BAD_SEQUENCER);
  EXPECT_EQ(Check(""), v1::BAD_SEQUENCER);
  EXPECT_EQ(cell.Do(Guarded(Set(b, 3, 2, "x"), FormatSequencer(said, MacKey{}))), v1::BAD_SEQUENCER);
}

TEST_F(CellSequencer, CheckNeedsASession) {
  EXPECT_EQ(cell.Read(CheckOf(99, of_a)).code(), v1::SESSION_EXPIRED);
}

TEST_F(CellSequencer, D42GuardedCallsFailOnceItIsInvalid) {
  EXPECT_EQ(cell.Do(Guarded(Set(b, 3, 2, "while held"), of_a)), v1::OK);
  EXPECT_EQ(cell.Read(Guarded(ReadOf(v1::GET_STAT, b, 2), of_a)).code(), v1::OK);
  ASSERT_EQ(cell.Do(ReleaseOf(a, 3, 1)), v1::OK);
  EXPECT_EQ(cell.Do(Guarded(Set(b, 4, 2, "late"), of_a)), v1::SEQUENCER_INVALID);
  EXPECT_FALSE(cell.applied().effect);
  EXPECT_EQ(cell.Do(Guarded(AcquireOf(b, 5, 2, v1::EXCLUSIVE), of_a)), v1::SEQUENCER_INVALID);
  EXPECT_EQ(cell.Do(Guarded(DeleteOf(b, 6, 2), of_a)), v1::SEQUENCER_INVALID);
  EXPECT_EQ(cell.Read(Guarded(ReadOf(v1::GET_CONTENTS, b, 2), of_a)).code(), v1::SEQUENCER_INVALID);
  EXPECT_EQ(cell.Read(v1::GET_CONTENTS, b, 2).contents(), "while held");
}

TEST_F(CellSequencer, ARetriedGuardedCallIsAnsweredAsItWasTheFirstTime) {
  const v1::Command write = Guarded(Set(b, 3, 2, "x"), of_a);
  ASSERT_EQ(cell.Do(write), v1::OK);
  ASSERT_EQ(cell.Do(ReleaseOf(a, 3, 1)), v1::OK);
  EXPECT_EQ(cell.Do(write), v1::OK);
  EXPECT_TRUE(cell.applied().duplicate);
}

TEST_F(CellSequencer, AnEndlessOneIsMalformed) {
  EXPECT_EQ(cell.Do(Guarded(Set(b, 3, 2, "x"), std::string(kSequencerBytesMax + 1, 's'))), v1::MALFORMED);
}

}  // namespace
}  // namespace bramah::cell

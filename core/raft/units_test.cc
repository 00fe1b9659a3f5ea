// The leaves of Raft: log, quorum, progress, entries.
#include <gtest/gtest.h>

#include <string>

#include "core/raft/log.h"
#include "core/raft/progress.h"
#include "core/raft/quorum.h"
#include "core/raft/types.h"

namespace bramah::raft {
namespace {

Entry MakeEntry(uint64_t term, std::string payload = "x") {
  return Entry(Term(term), static_cast<Time>(term) * 10, EntryKind::kCommand, payload);
}

TEST(Entry, ParsesItsOwnBytesAndNothingShorter) {
  const Entry entry(Term(7), 99, EntryKind::kConfiguration, "payload");
  const auto parsed = Entry::Parse(entry.bytes());
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->term(), Term(7));
  EXPECT_EQ(parsed->cluster_time(), 99);
  EXPECT_EQ(parsed->kind(), EntryKind::kConfiguration);
  EXPECT_EQ(parsed->payload(), "payload");
  EXPECT_FALSE(Entry::Parse(Blob(entry.bytes().view().substr(0, Entry::kHeaderBytes - 1))).has_value());
}

TEST(Entry, RefusesAnImpossibleTime) {
  EXPECT_TRUE(Entry::Parse(Entry(Term(1), kClusterTimeMax, EntryKind::kCommand, "x").bytes()).has_value());
  for (const Time time : {Time{-1}, kClusterTimeMax + 1, kNever}) {
    EXPECT_FALSE(Entry::Parse(Entry(Term(1), time, EntryKind::kCommand, "x").bytes()).has_value()) << time;
  }
}

TEST(Entry, RefusesAnUnknownKind) {
  std::string bytes(MakeEntry(1).bytes().view());
  bytes[16] = 9;
  EXPECT_FALSE(Entry::Parse(Blob(bytes)).has_value());
}

TEST(Log, KeepsTheSuffixBehindItsBase) {
  Log log;
  log.Reset(LogIndex(10), Term(2), 5);
  EXPECT_EQ(log.last(), LogIndex(10));
  EXPECT_EQ(log.last_term(), Term(2));
  EXPECT_EQ(log.last_time(), 5);
  log.Append(MakeEntry(3));
  log.Append(MakeEntry(3));
  log.Append(MakeEntry(4));
  EXPECT_EQ(log.TermAt(LogIndex(10)), Term(2));
  EXPECT_EQ(log.TermAt(LogIndex(13)), Term(4));
  EXPECT_FALSE(log.Knows(LogIndex(9)));
  EXPECT_FALSE(log.Knows(LogIndex(14)));
  log.TruncateFrom(LogIndex(12));
  EXPECT_EQ(log.last(), LogIndex(11));
  log.CompactTo(LogIndex(11));
  EXPECT_EQ(log.base(), LogIndex(11));
  EXPECT_EQ(log.TermAt(LogIndex(11)), Term(3));
  EXPECT_EQ(log.bytes(), 0u);
}

TEST(Quorum, TakesWhatAMajorityHasReached) {
  EXPECT_EQ(ReachedByMajority<int>({}), 0);
  EXPECT_EQ(ReachedByMajority<int>({5}), 5);
  EXPECT_EQ(ReachedByMajority<int>({5, 3}), 3);
  EXPECT_EQ(ReachedByMajority<int>({1, 9, 4}), 4);
  EXPECT_EQ(ReachedByMajority<int>({7, 7, 1, 2}), 2);  // four voters need three
  EXPECT_EQ(ReachedByMajority<int>({5, 4, 3, 2, 1}), 3);
}

TEST(Progress, ASuccessTurnsAProbeIntoReplication) {
  Progress progress;
  progress.next = LogIndex(8);
  progress.Matched(LogIndex(5));
  EXPECT_EQ(progress.state, Progress::kReplicate);
  EXPECT_EQ(progress.next, LogIndex(6));
}

TEST(Progress, MatchNeverFallsAndNextStaysAboveIt) {
  Progress progress;
  progress.next = LogIndex(10);
  progress.Matched(LogIndex(9));
  progress.Matched(LogIndex(4));
  EXPECT_EQ(progress.match, LogIndex(9));
  progress.Refused(LogIndex(2));
  EXPECT_EQ(progress.match, LogIndex(9));
  EXPECT_EQ(progress.next, LogIndex(10));
}

TEST(Progress, ATransferKeepsTheSnapshotItStartedWith) {
  Progress progress;
  progress.next = LogIndex(1);
  Snapshot snapshot;
  snapshot.meta.index = LogIndex(40);
  snapshot.state = Blob("state");
  progress.StartSnapshot(snapshot);
  snapshot.meta.index = LogIndex(80);
  progress.FinishSnapshot();
  EXPECT_EQ(progress.match, LogIndex(40));
  EXPECT_EQ(progress.next, LogIndex(41));
}

}  // namespace
}  // namespace bramah::raft

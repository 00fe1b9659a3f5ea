// Log: the in-memory suffix of the replicated log behind the last snapshot. Which part of it is durable is storage's business.
#ifndef BRAMAH_CORE_RAFT_LOG_H_
#define BRAMAH_CORE_RAFT_LOG_H_

#include <cstdint>
#include <deque>

#include "absl/types/span.h"
#include "core/base/ids.h"
#include "core/raft/types.h"

namespace bramah::raft {

// Invariant: entries have indexes base()+1 .. last(), terms and cluster times never fall.
class Log {
 public:
  // The empty log behind `base` (the snapshot's last entry; index 0, term 0 for a new cell).
  void Reset(LogIndex base, Term base_term, Time base_time);
  // Appends at last() + 1.
  void Append(Entry entry);
  // Removes last() .. from. REQUIRES: from > base().
  void TruncateFrom(LogIndex from);
  // Forgets entries up to `upto`, which becomes the base. REQUIRES: base() <= upto <= last().
  void CompactTo(LogIndex upto);

  LogIndex base() const { return base_; }
  LogIndex last() const { return base_ + entries_.size(); }
  Term last_term() const { return entries_.empty() ? base_term_ : entries_.back().term(); }
  Time last_time() const { return entries_.empty() ? base_time_ : entries_.back().cluster_time(); }
  // Whether the term at `index` is known: base() <= index <= last().
  bool Knows(LogIndex index) const { return index >= base_ && index <= last(); }
  // REQUIRES: Knows(index).
  Term TermAt(LogIndex index) const;
  Time TimeAt(LogIndex index) const;
  // REQUIRES: base() < index <= last().
  const Entry& At(LogIndex index) const;
  // Bytes of all entries held.
  uint64_t bytes() const { return bytes_; }

 private:
  LogIndex base_;
  Term base_term_;
  Time base_time_ = 0;
  uint64_t bytes_ = 0;
  std::deque<Entry> entries_;
};

}  // namespace bramah::raft

#endif  // BRAMAH_CORE_RAFT_LOG_H_

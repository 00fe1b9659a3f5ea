// A checker's own copy of what a log holds, entry by entry as (term, hash): independent of the replica's memory.
#ifndef BRAMAH_SIM_CHECK_SHADOW_LOG_H_
#define BRAMAH_SIM_CHECK_SHADOW_LOG_H_

#include <cstdint>
#include <deque>

#include "core/base/ids.h"

namespace bramah::sim {

struct EntryMark {
  Term term;
  uint64_t hash = 0;  // XXH3-64 of the entry's bytes
  friend bool operator==(const EntryMark&, const EntryMark&) = default;
};

// Marks of base()+1 .. last().
class ShadowLog {
 public:
  void Reset(LogIndex base, Term base_term) {
    base_ = base;
    base_term_ = base_term;
    marks_.clear();
  }
  void Append(EntryMark mark) { marks_.push_back(mark); }
  // Removes last() .. from.
  void TruncateFrom(LogIndex from) {
    while (last() >= from && !marks_.empty()) marks_.pop_back();
  }
  // Forgets everything up to `upto`, whose term is `term`.
  void CompactTo(LogIndex upto, Term term) {
    while (base_ < upto && !marks_.empty()) {
      marks_.pop_front();
      base_ = base_.Next();
    }
    base_ = upto;
    base_term_ = term;
  }

  LogIndex base() const { return base_; }
  Term base_term() const { return base_term_; }
  LogIndex last() const { return base_ + marks_.size(); }
  bool Holds(LogIndex index) const { return index > base_ && index <= last(); }
  // REQUIRES: Holds(index).
  const EntryMark& At(LogIndex index) const { return marks_[index - base_ - 1]; }
  // REQUIRES: base() <= index <= last().
  Term TermAt(LogIndex index) const { return index == base_ ? base_term_ : At(index).term; }

 private:
  LogIndex base_;
  Term base_term_;
  std::deque<EntryMark> marks_;
};

// Values of consecutive indexes, trimmed from below.
template <class T>
class IndexTable {
 public:
  // The value at `index`, made if it is new; null if it was trimmed.
  T* At(uint64_t index) {
    if (index < floor_) return nullptr;
    if (index - floor_ >= values_.size()) values_.resize(index - floor_ + 1);
    return &values_[index - floor_];
  }
  void TrimBelow(uint64_t index) {
    while (!values_.empty() && floor_ < index) {
      values_.pop_front();
      ++floor_;
    }
  }

 private:
  uint64_t floor_ = 0;  // index of values_[0]
  std::deque<T> values_;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_SHADOW_LOG_H_

#include "core/raft/log.h"

#include <utility>

#include "core/base/check.h"

namespace bramah::raft {

void Log::Reset(LogIndex base, Term base_term, Time base_time) {
  base_ = base;
  base_term_ = base_term;
  base_time_ = base_time;
  bytes_ = 0;
  entries_.clear();
}

void Log::Append(Entry entry) {
  bytes_ += entry.bytes().size();
  entries_.push_back(std::move(entry));
}

void Log::TruncateFrom(LogIndex from) {
  BRAMAH_CHECK(from > base_);
  while (last() >= from) {
    bytes_ -= entries_.back().bytes().size();
    entries_.pop_back();
  }
}

void Log::CompactTo(LogIndex upto) {
  BRAMAH_CHECK(Knows(upto));
  base_term_ = TermAt(upto);
  base_time_ = TimeAt(upto);
  while (base_ < upto) {
    bytes_ -= entries_.front().bytes().size();
    entries_.pop_front();
    base_ = base_.Next();
  }
}

Term Log::TermAt(LogIndex index) const {
  BRAMAH_CHECK(Knows(index));
  return index == base_ ? base_term_ : entries_[index - base_ - 1].term();
}

Time Log::TimeAt(LogIndex index) const {
  BRAMAH_CHECK(Knows(index));
  return index == base_ ? base_time_ : entries_[index - base_ - 1].cluster_time();
}

const Entry& Log::At(LogIndex index) const {
  BRAMAH_CHECK(index > base_ && index <= last());
  return entries_[index - base_ - 1];
}

}  // namespace bramah::raft

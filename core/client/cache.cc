#include "core/client/cache.h"

#include <iterator>

namespace bramah::client {
namespace {

uint32_t QuestionOf(const v1::Command& command) {
  return static_cast<uint32_t>(command.kind()) * 2 + (command.with_stat() ? 1 : 0);
}

}  // namespace

const v1::Outcome* Cache::Find(uint64_t id, const v1::Command& question) const {
  const auto at = answers_.find({id, QuestionOf(question)});
  return at == answers_.end() ? nullptr : &at->second.outcome;
}

bool Cache::Absent(const std::string& path, const v1::Command& open) const {
  const auto at = answers_.find({AbsenceId(path), QuestionOf(open)});
  return at != answers_.end() && at->second.path == path && at->second.outcome.code() == v1::NOT_FOUND;
}

uint64_t Cache::Since(uint64_t id, const v1::Command& question) const {
  const auto at = answers_.find({id, QuestionOf(question)});
  return at == answers_.end() ? 0 : at->second.order;
}

void Cache::Keep(const Touch& depends_on, const v1::Command& question, const v1::Outcome& outcome) {
  const Key key{depends_on.id, QuestionOf(question)};
  if (const auto before = answers_.find(key); before != answers_.end()) Erase(before);
  Answer& answer = answers_[key];
  ++version_;
  answer.kind = question.kind();
  answer.with_stat = question.with_stat();
  answer.path = question.path();
  answer.outcome = outcome;
  answer.classes = depends_on.classes;
  answer.order = ++last_order_;
  answer.bytes = outcome.ByteSizeLong();
  bytes_ += answer.bytes;
  by_age_.insert({answer.order, key});
  while (answers_.size() > kCachedAnswersMax || bytes_ > kCachedBytesMax) Erase(answers_.find(by_age_.begin()->second));
}

bool Cache::Drop(const Touch& touch) {
  bool dropped = false;
  for (auto at = answers_.lower_bound({touch.id, 0}); at != answers_.end() && at->first.first == touch.id;) {
    const bool goes = (at->second.classes & touch.classes) != 0;
    dropped = dropped || goes;
    at = goes ? Erase(at) : std::next(at);
  }
  return dropped;
}

bool Cache::Flush() {
  const bool dropped = !answers_.empty();
  answers_.clear();
  by_age_.clear();
  bytes_ = 0;
  ++generation_;
  ++version_;
  return dropped;
}

Cache::Answers::iterator Cache::Erase(Answers::iterator at) {
  ++version_;
  by_age_.erase({at->second.order, at->first});
  bytes_ -= at->second.bytes;
  return answers_.erase(at);
}

}  // namespace bramah::client

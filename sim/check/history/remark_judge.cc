#include "sim/check/history/remark_judge.h"

#include <algorithm>

#include "absl/container/btree_map.h"
#include "absl/strings/str_cat.h"
#include "sim/check/history/precedence.h"
#include "sim/check/history/remark_lines.h"

namespace bramah::sim {
namespace {

class RemarkJudge {
 public:
  RemarkJudge(const std::vector<Operation>& operations, const StateChain& chain, absl::Span<const Remark> remarks)
      : operations_(operations), chain_(chain), remarks_(remarks), states_(events_.AddLine(chain.states.size())) {}

  Problem Run() {
    for (size_t i = 0; i < operations_.size(); ++i) Bound(operations_[i], i + 1);
    for (size_t i = 0; i < remarks_.size(); ++i) Note({&remarks_[i], operations_.size() + i + 1});
    for (auto& [instance, lines] : instances_) {
      if (const Problem problem = lines.acl.Lay(events_)) return problem;
      if (const Problem problem = lines.lock.Lay(events_)) return problem;
      if (const Problem problem = lines.children.Lay(events_)) return problem;
    }
    for (size_t i = 0; i < remarks_.size(); ++i) Put({&remarks_[i], operations_.size() + i + 1});
    if (const auto conflict = events_.Settle()) return Say(*conflict);
    for (const auto& [instance, lines] : instances_) {
      if (const Problem problem = lines.acl.Judge(events_)) return problem;
      if (const Problem problem = lines.lock.Judge(events_)) return problem;
    }
    return std::nullopt;
  }

 private:
  struct Lines {
    AclLine acl;
    LockLine lock;
    ChildrenLine children;
  };

  // The states that it may be about; nothing: that is for others to say.
  std::optional<Range> StatesOf(const Operation& operation) const {
    const size_t last = chain_.states.size() - 1;
    if (operation.maybe || operation.instance == 0) return std::nullopt;
    switch (operation.kind) {
      case Operation::kCreate:
      case Operation::kWrite:
      case Operation::kSee: {
        const size_t place = chain_.PlaceOf(operation.instance, operation.generation);
        return Range{place, place};
      }
      case Operation::kPresent:
        return chain_.Of(operation.instance).states;
      case Operation::kRemove:
      case Operation::kGone:
        return Range{chain_.Of(operation.instance).states.last + 1, last};
      default:
        return std::nullopt;
    }
  }

  void Bound(const Operation& operation, Precedence::Witness number) {
    const std::optional<Range> range = StatesOf(operation);
    if (!range) return;
    events_.NotAfter(states_ + range->first, operation.answered, number);
    if (range->last + 1 < chain_.states.size()) events_.NotBefore(states_ + range->last + 1, operation.called, number);
    const bool made = chain_.states[range->first].maker == &operation;
    if (made) events_.NotBefore(states_ + range->first, operation.called, number);
  }

  void Note(const Witnessed& witnessed) {
    Lines& lines = instances_[witnessed.remark->instance];
    lines.acl.Note(witnessed);
    lines.lock.Note(*witnessed.remark);
    lines.children.Note(*witnessed.remark);
  }

  void Put(const Witnessed& witnessed) {
    const Remark& remark = *witnessed.remark;
    if (remark.maybe) return;
    const size_t event = events_.Add();
    events_.NotBefore(event, remark.called, witnessed.number);
    events_.NotAfter(event, remark.answered, witnessed.number);
    if (remark.lock.kind != LockRemark::kOver) PutPresent(remark, event);
    const Lines& lines = instances_.at(remark.instance);
    lines.acl.Put(remark, event, events_);
    lines.lock.Put(witnessed, event, events_);
    lines.children.Put(remark, event, events_);
  }

  // Its instance was there, with the contents that it tells of. That of the root always is, and is in no chain.
  void PutPresent(const Remark& remark, size_t event) {
    const auto instance = std::lower_bound(chain_.instances.begin(), chain_.instances.end(), remark.instance,
                                           [](const StateChain::Instance& a, uint64_t b) { return a.instance < b; });
    if (instance == chain_.instances.end() || instance->instance != remark.instance) return;
    Range range = instance->states;
    if (remark.content_generation != 0) range.first = range.last = chain_.PlaceOf(remark.instance, remark.content_generation);
    events_.Before(states_ + range.first, event);
    events_.Before(event, states_ + range.last + 1);
  }

  std::string Name(Precedence::Witness number) const {
    if (number == 0) return "somebody";
    return number <= operations_.size() ? Describe(operations_[number - 1]) : Describe(remarks_[number - operations_.size() - 1]);
  }
  Problem Say(const Precedence::Conflict& conflict) const {
    const std::string late = Name(conflict.late);
    const std::string early = Name(conflict.early);
    if (conflict.circle) return absl::StrCat(late, " and ", early, " saw parts of states that cannot have been at one time");
    return absl::StrCat(late, " was asked after the answer to ", early, ", and what they tell came to be the other way round");
  }

  const std::vector<Operation>& operations_;
  const StateChain& chain_;
  const absl::Span<const Remark> remarks_;
  Precedence events_;
  const size_t states_;  // the event of the first; they follow one another
  absl::btree_map<uint64_t, Lines> instances_;
};

}  // namespace

std::optional<std::string> JudgeRemarks(const std::vector<Operation>& operations, const StateChain& chain,
                                        absl::Span<const Remark> remarks) {
  if (remarks.empty()) return std::nullopt;
  return RemarkJudge(operations, chain, remarks).Run();
}

}  // namespace bramah::sim

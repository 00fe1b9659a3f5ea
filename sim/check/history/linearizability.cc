#include "sim/check/history/linearizability.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/check/history/state_chain.h"

namespace bramah::sim {
namespace {

constexpr uint64_t kForever = Operation::kForever;

// When a state may have begun, and whose call or answer says so.
struct Bounds {
  uint64_t low = 0;
  uint64_t high = kForever;
  const Operation* low_by = nullptr;
  const Operation* high_by = nullptr;
};

// An answer that fits several places.
struct Choice {
  const Operation* operation = nullptr;
  const std::vector<Range>* places = nullptr;
};

class Judge {
 public:
  Judge(const std::vector<Operation>& operations, const StateChain& chain, uint64_t search_max)
      : operations_(operations), chain_(chain), search_max_(search_max), bounds_(chain.states.size()) {
    for (const Operation& operation : operations_) {
      if (operation.maybe) maybes_.push_back(&operation);
    }
  }

  HistoryVerdict Run() {
    for (size_t place = 0; place < chain_.states.size(); ++place) BoundMaker(place);
    for (const Operation& operation : operations_) BoundObservation(operation);
    if (!problem_.empty()) return Bad();
    const bool found = Search(bounds_, choices_);
    if (found) return {};
    if (steps_ >= search_max_) return {HistoryVerdict::kInconclusive, "", ""};
    return Bad();
  }

 private:
  HistoryVerdict Bad() const { return {HistoryVerdict::kBad, "history.linearizable", problem_}; }
  void Fail(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
  }
  size_t Last() const { return chain_.states.size() - 1; }

  // ---- bounds

  void BoundMaker(size_t place) {
    const ChainState& state = chain_.states[place];
    Bounds& bounds = bounds_[place];
    if (place == 0) return;
    if (state.maker != nullptr) {
      bounds = {state.maker->called, state.maker->answered, state.maker, state.maker};
      return;
    }
    if (state.instance == 0 && chain_.Of(state.ends).ephemeral) return;
    bounds.low = kForever;
    for (const Operation* maybe : maybes_) {
      if (!MayMake(*maybe, state) || maybe->called >= bounds.low) continue;
      bounds.low = maybe->called;
      bounds.low_by = maybe;
    }
    if (bounds.low != kForever || place == Last()) return;
    if (state.instance == 0) {
      Fail(absl::StrCat("nobody removed instance ", state.ends, ", and yet another one followed"));
    } else {
      Fail(absl::StrCat("nobody can have made instance ", state.instance, ", generation ", state.generation));
    }
  }

  // Whether an operation of unknown outcome can be the maker of a state that nobody claims.
  static bool MayMake(const Operation& operation, const ChainState& state) {
    if (state.instance == 0) return operation.kind == Operation::kRemove && operation.instance == state.ends;
    if (state.seen != nullptr && operation.has_value && state.seen->value != operation.value) return false;
    if (state.generation == 1) return operation.kind == Operation::kCreate;
    return operation.kind == Operation::kWrite && operation.instance == state.instance &&
           (operation.generation == 0 || operation.generation == state.generation);
  }

  void BoundObservation(const Operation& operation) {
    if (operation.maybe) return;
    switch (operation.kind) {
      case Operation::kSee: {
        const size_t place = chain_.PlaceOf(operation.instance, operation.generation);
        return Observe(operation, {place, place}, bounds_);
      }
      case Operation::kPresent:
        if (operation.instance != 0) return Observe(operation, chain_.Of(operation.instance).states, bounds_);
        // Somebody whose outcome is unknown may have created a node that nobody ever named.
        if (!CreatedUnseen(operation)) choices_.push_back({&operation, &Presences()});
        return;
      case Operation::kAbsent:
        choices_.push_back({&operation, &Absences()});
        return;
      case Operation::kGone:
        return Observe(operation, {chain_.Of(operation.instance).states.last + 1, Last()}, bounds_);
      default:
        return;
    }
  }

  bool CreatedUnseen(const Operation& present) const {
    return std::any_of(maybes_.begin(), maybes_.end(), [&](const Operation* maybe) {
      return maybe->kind == Operation::kCreate && maybe->called < present.answered;
    });
  }

  const std::vector<Range>& Presences() {
    if (presences_.empty()) {
      for (const StateChain::Instance& instance : chain_.instances) presences_.push_back(instance.states);
    }
    return presences_;
  }
  const std::vector<Range>& Absences() {
    if (absences_.empty()) {
      for (size_t place = 0; place <= Last(); ++place) {
        if (chain_.states[place].instance == 0) absences_.push_back({place, place});
      }
    }
    return absences_;
  }

  void Observe(const Operation& operation, Range range, std::vector<Bounds>& bounds) const {
    Bounds& begin = bounds[range.first];
    if (operation.answered < begin.high) {
      begin.high = operation.answered;
      begin.high_by = &operation;
    }
    if (range.last == Last()) return;
    Bounds& end = bounds[range.last + 1];
    if (operation.called > end.low) {
      end.low = operation.called;
      end.low_by = &operation;
    }
  }

  // ---- search

  // When each state can begin at the earliest and at the latest; false (and a description) if the bounds contradict each other.
  bool Windows(const std::vector<Bounds>& bounds) {
    const size_t count = bounds.size();
    earliest_.resize(count + 1);
    latest_.resize(count + 1);
    uint64_t low = 0;
    const Operation* low_by = nullptr;
    for (size_t place = 0; place < count; ++place) {
      if (bounds[place].low > low) {
        low = bounds[place].low;
        low_by = bounds[place].low_by;
      }
      earliest_[place] = low;
      if (place > 0 && low > bounds[place].high) {
        Contradiction(low_by, bounds[place].high_by, place);
        return false;
      }
    }
    earliest_[count] = latest_[count] = kForever;
    for (size_t place = count; place-- > 0;) latest_[place] = std::min(latest_[place + 1], bounds[place].high);
    return true;
  }

  void Contradiction(const Operation* late, const Operation* early, size_t place) {
    const ChainState& state = chain_.states[place];
    if (late == nullptr || early == nullptr) {
      Fail(absl::StrCat(early == nullptr ? "an answer" : Describe(*early), " tells of a state that nobody can have made"));
    } else if (late == state.maker || late->maybe) {
      Fail(absl::StrCat(Describe(*early), " was answered before ", Describe(*late), ", which made that state, was asked"));
    } else {
      Fail(absl::StrCat(Describe(*late), " was asked after the answer to ", Describe(*early), ", and tells of an older state"));
    }
  }

  // The candidates of a choice within the present windows: places rise, so they are neighbours.
  std::pair<size_t, size_t> Candidates(const Choice& choice) const {
    const auto& places = *choice.places;
    const auto low = std::partition_point(places.begin(), places.end(), [&](const Range& range) {
      return latest_[range.last + 1] < choice.operation->called;
    });
    const auto high = std::partition_point(places.begin(), places.end(), [&](const Range& range) {
      return earliest_[range.first] <= choice.operation->answered;
    });
    return {static_cast<size_t>(low - places.begin()), static_cast<size_t>(high - places.begin())};
  }

  // Whether the choice has a place whatever instants are taken within the windows.
  bool Implied(const Choice& choice) const {
    const auto& places = *choice.places;
    const auto [low, high] = Candidates(choice);
    for (size_t i = low; i < high && latest_[places[i].first] <= choice.operation->answered; ++i) {
      if (earliest_[places[i].last + 1] >= choice.operation->called) return true;
    }
    return false;
  }

  // Drops what is implied and takes what has no alternative, until nothing changes. False if something has no place at all.
  bool Propagate(std::vector<Bounds>& bounds, std::vector<Choice>& choices) {
    bool changed = true;
    while (changed) {
      changed = false;
      if (!Windows(bounds)) return false;
      std::vector<Choice> open;
      for (const Choice& choice : choices) {
        const auto [low, high] = Candidates(choice);
        if (low >= high) {
          Fail(absl::StrCat(Describe(*choice.operation), " fits no state of its time"));
          return false;
        }
        if (Implied(choice)) continue;
        if (high - low > 1) {
          open.push_back(choice);
          continue;
        }
        Observe(*choice.operation, (*choice.places)[low], bounds);
        changed = true;
      }
      choices = std::move(open);
    }
    return true;
  }

  bool Search(std::vector<Bounds> bounds, std::vector<Choice> choices) {
    if (!Propagate(bounds, choices)) return false;
    if (choices.empty()) return MakersSuffice();
    const Choice choice = choices.back();
    choices.pop_back();
    const auto [low, high] = Candidates(choice);
    for (size_t i = low; i < high; ++i) {
      if (++steps_ >= search_max_) return false;
      std::vector<Bounds> next = bounds;
      Observe(*choice.operation, (*choice.places)[i], next);
      if (Search(std::move(next), choices)) return true;
    }
    return false;
  }

  // ---- makers of unclaimed states

  // Each unclaimed state needs an operation of its own that was asked before the state must have begun. Such an operation has no
  // answer that binds it, so whichever is taken does not tighten anything else; but one that fits several states may be the only
  // one for some of them. Hence a matching, by augmenting paths.
  bool MakersSuffice() {
    std::vector<size_t> made_by(maybes_.size());  // place that each operation made; 0: none
    for (size_t place = 1; place < chain_.states.size(); ++place) {
      if (!NeedsMaker(place)) continue;
      std::vector<bool> tried(maybes_.size());
      if (FindMaker(place, tried, made_by)) continue;
      const ChainState& state = chain_.states[place];
      Fail(absl::StrCat("no operation is left that can have made ",
                        state.instance == 0 ? absl::StrCat("instance ", state.ends, " go away")
                                            : absl::StrCat("instance ", state.instance, ", generation ", state.generation)));
      return false;
    }
    return true;
  }

  bool NeedsMaker(size_t place) const {
    const ChainState& state = chain_.states[place];
    const bool required = place < Last() || latest_[place] != kForever;
    return required && state.maker == nullptr && (state.instance != 0 || !chain_.Of(state.ends).ephemeral);
  }

  // Gives `place` an operation, if need be one whose place finds another.
  bool FindMaker(size_t place, std::vector<bool>& tried, std::vector<size_t>& made_by) const {
    for (size_t i = 0; i < maybes_.size(); ++i) {
      if (tried[i] || maybes_[i]->called > latest_[place] || !MayMake(*maybes_[i], chain_.states[place])) continue;
      tried[i] = true;
      if (made_by[i] != 0 && !FindMaker(made_by[i], tried, made_by)) continue;
      made_by[i] = place;
      return true;
    }
    return false;
  }

  const std::vector<Operation>& operations_;
  const StateChain& chain_;
  const uint64_t search_max_;
  uint64_t steps_ = 0;
  std::string problem_;
  std::vector<const Operation*> maybes_;  // of unknown outcome
  std::vector<Bounds> bounds_;
  std::vector<Choice> choices_;
  std::vector<Range> presences_;
  std::vector<Range> absences_;
  std::vector<uint64_t> earliest_;  // of the states, and one past the end
  std::vector<uint64_t> latest_;
};

}  // namespace

HistoryVerdict JudgePath(const std::string& path, const std::vector<Operation>& operations, const std::vector<uint64_t>& refused,
                         uint64_t search_max) {
  const ChainResult made = MakeChain(operations, refused);
  HistoryVerdict verdict;
  if (made.problem.empty()) {
    verdict = Judge(operations, made.chain, search_max).Run();
  } else {
    verdict = {HistoryVerdict::kBad, made.checker, made.problem};
  }
  if (verdict.kind == HistoryVerdict::kBad) verdict.message = absl::StrCat(path, ": ", verdict.message);
  return verdict;
}

HistoryVerdict JudgeHistory(const History& history, uint64_t search_max) {
  HistoryVerdict total;
  for (const auto& [path, operations] : history.operations()) {
    HistoryVerdict verdict = JudgePath(path, operations, history.refused(), search_max);
    if (verdict.kind == HistoryVerdict::kBad) return verdict;
    if (verdict.kind == HistoryVerdict::kInconclusive) total = verdict;
  }
  return total;
}

}  // namespace bramah::sim

#include "sim/check/history/linearizability.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/check/history/makers.h"
#include "sim/check/history/remark_judge.h"
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

// Somewhere that an answer fits. `open`: only if the contents, which nobody told of, are right.
struct Fit : Range {
  bool open = false;
};

// An answer that fits several places.
struct Choice {
  const Operation* operation = nullptr;
  const std::vector<Fit>* places = nullptr;
};

// What is settled and what is not.
struct Standing {
  std::vector<Bounds> bounds;
  std::vector<Choice> choices;
  std::vector<Finding> findings;
};

class Judge {
 public:
  Judge(const std::vector<Operation>& operations, const StateChain& chain, uint64_t search_max)
      : operations_(operations), chain_(chain), search_max_(search_max), makers_(operations, chain, search_max) {
    start_.bounds.resize(chain.states.size());
  }

  HistoryVerdict Run() {
    for (size_t place = 0; place < chain_.states.size(); ++place) BoundMaker(place);
    for (const Operation& operation : operations_) BoundObservation(operation);
    if (!problem_.empty()) return Bad();
    bool found = Search(start_);
    if (!found && steps_ >= search_max_ && DropRefusals()) found = Search(start_);
    if (!found && steps_ < search_max_) return Bad();
    HistoryVerdict verdict;
    if (!found) verdict.kind = HistoryVerdict::kInconclusive;
    verdict.sums_unjudged = sums_unjudged_ ? 1 : 0;
    return verdict;
  }

 private:
  HistoryVerdict Bad() const { return {HistoryVerdict::kBad, "history.linearizable", problem_, 0}; }
  void Fail(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
  }
  size_t Last() const { return chain_.states.size() - 1; }

  // ---- bounds

  void BoundMaker(size_t place) {
    const ChainState& state = chain_.states[place];
    Bounds& bounds = start_.bounds[place];
    if (place == 0) return;
    if (state.maker != nullptr) {
      bounds = {state.maker->called, state.maker->answered, state.maker, state.maker};
      return;
    }
    if (!makers_.Needed(place, false)) return;
    bounds.low_by = makers_.First(place);
    bounds.low = bounds.low_by == nullptr ? kForever : bounds.low_by->called;
    if (bounds.low_by == nullptr && place < Last()) Fail(NobodyMade(place, "nobody"));
  }

  std::string NobodyMade(size_t place, const char* who) const {
    const ChainState& state = chain_.states[place];
    if (state.instance == 0) return absl::StrCat(who, " can have removed instance ", state.ends, ", and yet it was gone");
    return absl::StrCat(who, " can have made instance ", state.instance, ", generation ", state.generation);
  }

  void BoundObservation(const Operation& operation) {
    if (operation.maybe) return;
    switch (operation.kind) {
      case Operation::kSee: {
        const size_t place = chain_.PlaceOf(operation.instance, operation.generation);
        return Observe(operation, {place, place}, start_.bounds);
      }
      case Operation::kPresent:
        if (operation.instance != 0) return Observe(operation, chain_.Of(operation.instance).states, start_.bounds);
        // Somebody whose outcome is unknown may have created a node that nobody ever named.
        if (!CreatedUnseen(operation)) start_.choices.push_back({&operation, &Presences()});
        return;
      case Operation::kAbsent:
        start_.choices.push_back({&operation, &Absences()});
        return;
      case Operation::kRefusal:
        start_.choices.push_back({&operation, &Refusals(operation)});
        return;
      case Operation::kGone:
        return Observe(operation, {chain_.Of(operation.instance).states.last + 1, Last()}, start_.bounds);
      default:
        return;
    }
  }

  bool CreatedUnseen(const Operation& present) const {
    return std::any_of(operations_.begin(), operations_.end(), [&](const Operation& other) {
      return other.maybe && other.kind == Operation::kCreate && other.called < present.answered;
    });
  }

  const std::vector<Fit>& Presences() {
    if (presences_.empty()) {
      for (const StateChain::Instance& instance : chain_.instances) presences_.push_back({instance.states});
    }
    return presences_;
  }
  const std::vector<Fit>& Absences() {
    if (absences_.empty()) {
      for (size_t place = 0; place <= Last(); ++place) {
        if (chain_.states[place].instance == 0) absences_.push_back({{place, place}});
      }
    }
    return absences_;
  }

  // The states of its instance with the number that it found, or none, and those of which nobody tells.
  const std::vector<Fit>& Refusals(const Operation& refusal) {
    if (by_number_.empty() && open_.empty()) SortByNumber();
    const auto key = std::pair(refusal.instance, refusal.number);
    const auto [at, missing] = refusals_.try_emplace(key);
    std::vector<Fit>& fits = at->second;
    if (!missing) return fits;
    fits = by_number_[key];
    const std::vector<Fit>& open = open_[refusal.instance];
    fits.insert(fits.end(), open.begin(), open.end());
    std::sort(fits.begin(), fits.end(), [](const Fit& a, const Fit& b) { return a.first < b.first; });
    return fits;
  }

  void SortByNumber() {
    for (size_t place = 1; place < Last(); ++place) {
      const uint64_t instance = chain_.states[place].instance;
      if (instance == 0) continue;
      const Contents contents = chain_.ContentsAt(place);
      if (!contents.legible) {
        open_[instance].push_back({{place, place}, true});
        continue;
      }
      std::vector<Fit>& fits = by_number_[{instance, contents.number}];
      const bool more = !fits.empty() && fits.back().last + 1 == place;
      more ? static_cast<void>(fits.back().last = place) : fits.push_back({{place, place}});
    }
  }

  // Rather than nothing, all but what refused Adds say is judged.
  bool DropRefusals() {
    const size_t before = start_.choices.size();
    std::erase_if(start_.choices, [](const Choice& choice) { return choice.operation->kind == Operation::kRefusal; });
    sums_unjudged_ = start_.choices.size() < before;
    if (sums_unjudged_) steps_ = 0;
    problem_.clear();
    return sums_unjudged_;
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
      if (!places[i].open && earliest_[places[i].last + 1] >= choice.operation->called) return true;
    }
    return false;
  }

  void Take(const Choice& choice, size_t candidate, Standing& standing) const {
    const Fit& fit = (*choice.places)[candidate];
    Observe(*choice.operation, fit, standing.bounds);
    if (fit.open) standing.findings.push_back({fit.first, choice.operation});
  }

  // Drops what is implied and takes what has no alternative, until nothing changes. False if something has no place at all.
  bool Propagate(Standing& standing) {
    bool changed = true;
    while (changed) {
      changed = false;
      if (!Windows(standing.bounds)) return false;
      std::vector<Choice> open;
      for (const Choice& choice : standing.choices) {
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
        Take(choice, low, standing);
        changed = true;
      }
      standing.choices = std::move(open);
    }
    return true;
  }

  bool Search(Standing standing) {
    if (!Propagate(standing)) return false;
    if (standing.choices.empty()) return MakersSuffice(standing.findings);
    const Choice choice = standing.choices.back();
    standing.choices.pop_back();
    const auto [low, high] = Candidates(choice);
    for (size_t i = low; i < high; ++i) {
      if (++steps_ >= search_max_) return false;
      Standing next = standing;
      Take(choice, i, next);
      if (Search(std::move(next))) return true;
    }
    return false;
  }

  bool MakersSuffice(const std::vector<Finding>& findings) {
    const Makers::Answer answer = makers_.Suffice(latest_, findings);
    sums_unjudged_ = sums_unjudged_ || answer == Makers::kTooMany;
    if (answer == Makers::kMissing) Fail(NobodyMade(makers_.missing(), "no operation is left that"));
    return answer != Makers::kMissing;
  }

  const std::vector<Operation>& operations_;
  const StateChain& chain_;
  const uint64_t search_max_;
  uint64_t steps_ = 0;
  std::string problem_;
  bool sums_unjudged_ = false;
  Makers makers_;
  Standing start_;
  std::vector<Fit> presences_;
  std::vector<Fit> absences_;
  using Number = std::pair<uint64_t, std::optional<int64_t>>;  // an instance and what its contents are
  std::map<Number, std::vector<Fit>> by_number_;               // where that is known
  std::map<uint64_t, std::vector<Fit>> open_;                  // places of the instance where it is not
  std::map<Number, std::vector<Fit>> refusals_;
  std::vector<uint64_t> earliest_;  // of the states, and one past the end
  std::vector<uint64_t> latest_;
};

}  // namespace

HistoryVerdict JudgePath(const std::string& path, const std::vector<Operation>& operations, const std::vector<uint64_t>& refused,
                         uint64_t search_max, absl::Span<const Remark> remarks) {
  const ChainResult made = MakeChain(operations, refused);
  HistoryVerdict verdict;
  if (made.problem.empty()) {
    verdict = Judge(operations, made.chain, search_max).Run();
    const auto problem = JudgeRemarks(operations, made.chain, remarks);
    const bool counts = verdict.kind != HistoryVerdict::kBad && problem.has_value();
    if (counts) verdict = {HistoryVerdict::kBad, "history.linearizable", *problem, 0};
  } else {
    verdict = {HistoryVerdict::kBad, made.checker, made.problem, 0};
  }
  if (verdict.kind == HistoryVerdict::kBad) verdict.message = absl::StrCat(path, ": ", verdict.message);
  return verdict;
}

HistoryVerdict JudgeHistory(const History& history, uint64_t search_max, absl::Span<const std::string> ignored) {
  HistoryVerdict total;
  for (const auto& [path, operations] : history.operations()) {
    const auto remarks = history.remarks().find(path);
    const bool none = remarks == history.remarks().end();
    HistoryVerdict verdict = JudgePath(path, operations, history.refused(), search_max,
                                       none ? absl::Span<const Remark>() : remarks->second);
    const bool counts = std::find(ignored.begin(), ignored.end(), verdict.checker) == ignored.end();
    if (verdict.kind == HistoryVerdict::kBad && counts) return verdict;
    if (verdict.kind == HistoryVerdict::kInconclusive) total.kind = verdict.kind;
    total.sums_unjudged += verdict.sums_unjudged;
  }
  return total;
}

}  // namespace bramah::sim

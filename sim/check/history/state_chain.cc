#include "sim/check/history/state_chain.h"

#include <algorithm>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/strings/str_cat.h"

namespace bramah::sim {
namespace {

constexpr const char* kLinearizable = "history.linearizable";
constexpr const char* kReply = "history.reply";

class Builder {
 public:
  Builder(const std::vector<Operation>& operations, const std::vector<uint64_t>& refused)
      : operations_(operations), refused_(refused) {}

  ChainResult Build() {
    for (const Operation& operation : operations_) CheckSource(operation);
    for (const Operation& operation : operations_) CheckNames(operation);
    if (!result_.problem.empty()) return std::move(result_);
    LayOut();
    for (const Operation& operation : operations_) Place(operation);
    for (const ChainState& state : result_.chain.states) CheckContents(state);
    for (size_t place = 1; place < result_.chain.states.size(); ++place) CheckSum(place);
    return std::move(result_);
  }

 private:
  void Fail(const char* checker, std::string problem) {
    if (!result_.problem.empty()) return;
    result_.checker = checker;
    result_.problem = std::move(problem);
  }

  static bool NamesGeneration(const Operation& operation) {
    if (operation.maybe) return false;
    return operation.kind == Operation::kCreate || operation.kind == Operation::kWrite || operation.kind == Operation::kSee;
  }

  // A correct answer names what it saw, and every generation behind the first takes a write.
  void CheckNames(const Operation& operation) {
    if (writes_ == 0) {
      writes_ = 1;
      for (const Operation& other : operations_) writes_ += other.kind == Operation::kWrite ? 1 : 0;
    }
    if (operation.maybe || (!NamesGeneration(operation) && operation.kind != Operation::kRemove)) return;
    const uint64_t least = operation.kind == Operation::kWrite ? 2 : 1;
    if (operation.instance == 0) {
      Fail(kReply, absl::StrCat(Describe(operation), " names no instance"));
    } else if (!NamesGeneration(operation)) {
      return;
    } else if (operation.generation < least) {
      Fail(kReply, absl::StrCat(Describe(operation), " names an impossible generation"));
    } else if (operation.generation > writes_) {
      Fail(kLinearizable, absl::StrCat(Describe(operation), " names a generation that takes more writes than there were"));
    }
  }

  // Which states there are: every instance that an answer names, with all generations up to the highest that one names.
  void LayOut() {
    struct Life {
      uint64_t generations = 1;
      bool ephemeral = false;
      bool refused = false;     // an Add
      uint64_t unknown = 0;     // writes of unknown outcome
    };
    absl::btree_map<uint64_t, Life> lives;
    for (const Operation& operation : operations_) {
      if (operation.instance == 0) continue;
      Life& life = lives[operation.instance];
      life.ephemeral = life.ephemeral || operation.ephemeral;
      life.refused = life.refused || operation.kind == Operation::kRefusal;
      life.unknown += operation.maybe && operation.kind == Operation::kWrite ? 1 : 0;
      if (NamesGeneration(operation)) life.generations = std::max(life.generations, operation.generation);
    }
    StateChain& chain = result_.chain;
    chain.states.emplace_back();
    for (const auto& [instance, life] : lives) {
      const uint64_t most = life.generations + (life.refused ? life.unknown : 0);
      chain.instances.push_back({instance, {chain.states.size(), chain.states.size() + most - 1}, life.ephemeral});
      for (uint64_t generation = 1; generation <= most; ++generation) {
        ChainState& state = chain.states.emplace_back();
        state.instance = instance;
        state.generation = generation;
        state.hidden = generation > life.generations;
      }
      chain.states.emplace_back().ends = instance;
    }
  }

  void Place(const Operation& operation) {
    if (operation.maybe) return;
    switch (operation.kind) {
      case Operation::kCreate:
      case Operation::kWrite:
        return Made(operation, result_.chain.PlaceOf(operation.instance, operation.generation));
      case Operation::kRemove:
        return Made(operation, result_.chain.Of(operation.instance).states.last + 1);
      case Operation::kSee:
        if (operation.has_value) Seen(operation);
        return;
      default:
        return;
    }
  }

  void Made(const Operation& operation, size_t place) {
    ChainState& state = result_.chain.states[place];
    if (state.maker == nullptr) {
      state.maker = &operation;
      return;
    }
    const bool creations = state.maker->kind == Operation::kCreate && operation.kind == Operation::kCreate;
    Fail(creations ? kReply : kLinearizable,
         absl::StrCat(Describe(operation), " and ", Describe(*state.maker), " claim to have done the same"));
  }

  void Seen(const Operation& operation) {
    ChainState& state = result_.chain.states[result_.chain.PlaceOf(operation.instance, operation.generation)];
    if (state.seen != nullptr && state.seen->value != operation.value) {
      Fail(kLinearizable, absl::StrCat(Describe(operation), " and ", Describe(*state.seen), " saw different contents"));
    }
    if (state.seen == nullptr || operation.legible) state.seen = &operation;
  }

  // Contents come from a write that was not refused, or are a number that an Add of unknown outcome may have made.
  void CheckSource(const Operation& operation) {
    if (operation.kind != Operation::kSee || !operation.has_value || Written(operation.value)) return;
    if (unknown_adds_ && (!operation.legible || operation.number)) return;
    const bool refused = std::binary_search(refused_.begin(), refused_.end(), operation.value);
    Fail(kReply, absl::StrCat(Describe(operation), refused ? " saw what a refused write would have written"
                                                           : " saw contents that nobody wrote"));
  }

  void CheckContents(const ChainState& state) {
    if (state.seen == nullptr || state.maker == nullptr || state.maker->value == state.seen->value) return;
    Fail(kLinearizable, absl::StrCat(Describe(*state.seen), " saw other contents than ", Describe(*state.maker), " wrote"));
  }

  // What adds must have found what was there before.
  void CheckSum(size_t place) {
    const Operation* const maker = result_.chain.states[place].maker;
    const ChainState& before = result_.chain.states[place - 1];
    const Operation* const known = before.maker != nullptr ? before.maker : before.seen;
    if (maker == nullptr || !maker->add || !maker->number) return;
    const std::optional<int64_t> over = maker->add->Before(*maker->number);
    if (!over) return Fail(kReply, absl::StrCat(Describe(*maker), " made a number out of its bounds"));
    if (known == nullptr || ContentsOf(*over).Fits(known->contents())) return;
    Fail(kLinearizable, absl::StrCat(Describe(*maker), " added to another number than ", Describe(*known), " left there"));
  }

  bool Written(uint64_t value) {
    if (written_.empty()) {
      for (const Operation& operation : operations_) {
        const bool writes = operation.kind == Operation::kCreate || operation.kind == Operation::kWrite;
        if (writes) written_.insert(operation.value);
        unknown_adds_ = unknown_adds_ || (operation.maybe && operation.add);
      }
    }
    return written_.contains(value);
  }

  const std::vector<Operation>& operations_;
  const std::vector<uint64_t>& refused_;
  absl::btree_set<uint64_t> written_;
  bool unknown_adds_ = false;
  uint64_t writes_ = 0;  // and one: the highest generation there can be
  ChainResult result_;
};

}  // namespace

const StateChain::Instance& StateChain::Of(uint64_t instance) const {
  return *std::lower_bound(instances.begin(), instances.end(), instance,
                           [](const Instance& a, uint64_t b) { return a.instance < b; });
}

size_t StateChain::PlaceOf(uint64_t instance, uint64_t generation) const { return Of(instance).states.first + generation - 1; }

Contents StateChain::ContentsAt(size_t place) const {
  const ChainState& state = states[place];
  Contents contents;
  if (state.maker != nullptr) contents = state.maker->contents();
  if (state.maker == nullptr && state.seen != nullptr) contents = state.seen->contents();
  if (contents.legible || state.instance == 0) return contents;
  const ChainState& next = states[place + 1];
  if (next.instance == 0 || next.maker == nullptr || !next.maker->add || !next.maker->number) return contents;
  if (const auto number = next.maker->add->Before(*next.maker->number)) contents.Learn(ContentsOf(*number));
  return contents;
}

ChainResult MakeChain(const std::vector<Operation>& operations, const std::vector<uint64_t>& refused) {
  return Builder(operations, refused).Build();
}

}  // namespace bramah::sim

#include "sim/check/history/brute_force.h"

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>

#include "absl/container/btree_set.h"
#include "core/base/hash.h"

namespace bramah::sim {
namespace {

struct Node {
  bool there = false;
  uint64_t instance = 0;  // 0: one that no answer names
  uint64_t generation = 0;
  uint64_t value = 0;
  std::optional<int64_t> number = std::nullopt;  // that the contents are, if they are one
  bool ephemeral = false;
  uint64_t newest = 0;  // highest instance so far
};

class Search {
 public:
  explicit Search(const std::vector<Operation>& operations) : operations_(operations) {
    for (const Operation& operation : operations) {
      if (operation.instance == 0) continue;
      named_.insert(operation.instance);
      if (operation.ephemeral) ephemeral_.insert(operation.instance);
    }
  }

  bool From(uint32_t done, const Node& node) {
    if (Complete(done)) return true;
    const auto state = std::tuple(done, node.there, node.instance, node.generation, node.value, node.newest);
    if (!seen_.insert(state).second) return false;
    if (node.there && node.ephemeral) {
      Node gone = node;
      gone.there = false;
      if (From(done, gone)) return true;
    }
    uint64_t first_answer = Operation::kForever;
    for (size_t i = 0; i < operations_.size(); ++i) {
      if (!(done >> i & 1)) first_answer = std::min(first_answer, operations_[i].answered);
    }
    for (size_t i = 0; i < operations_.size(); ++i) {
      if ((done >> i & 1) || operations_[i].called > first_answer) continue;
      for (const Node& next : Apply(operations_[i], node)) {
        if (From(done | 1u << i, next)) return true;
      }
    }
    return false;
  }

 private:
  bool Complete(uint32_t done) const {
    for (size_t i = 0; i < operations_.size(); ++i) {
      if (!(done >> i & 1) && !operations_[i].maybe) return false;
    }
    return true;
  }

  // The states that the operation may lead to; none if its answer is impossible here.
  std::vector<Node> Apply(const Operation& operation, const Node& node) const {
    const bool same = node.there && node.instance == operation.instance;
    switch (operation.kind) {
      case Operation::kCreate:
        return Create(operation, node);
      case Operation::kWrite:
        if (!same || (operation.generation != 0 && node.generation + 1 != operation.generation)) return {};
        return Write(operation, node);
      case Operation::kRemove: {
        if (!same) return {};
        Node next = node;
        next.there = false;
        return {next};
      }
      case Operation::kSee:
        if (!same || node.generation != operation.generation) return {};
        if (operation.has_value && node.value != operation.value) return {};
        return {node};
      case Operation::kRefusal:
        if (!same || node.number != operation.number) return {};
        return {node};
      case Operation::kPresent:
        if (operation.instance == 0 ? !node.there : !same) return {};
        return {node};
      case Operation::kAbsent:
        if (node.there) return {};
        return {node};
      case Operation::kGone:
        // Instances rise: one that is not there and is not the newest yet either was there before or comes later.
        if (same || node.newest < operation.instance) return {};
        return {node};
    }
    return {};
  }

  std::vector<Node> Write(const Operation& operation, const Node& node) const {
    Node next = node;
    ++next.generation;
    next.value = operation.value;
    next.number = operation.number;
    if (!operation.add) return {next};
    next.number = node.number ? operation.add->To(*node.number) : std::nullopt;
    if (!next.number || (!operation.maybe && next.number != operation.number)) return {};
    next.value = Hash64(std::to_string(*next.number));
    return {next};
  }

  std::vector<Node> Create(const Operation& operation, const Node& node) const {
    std::vector<Node> next;
    if (node.there) return next;
    const auto make = [&](uint64_t instance) {
      const bool ephemeral = operation.ephemeral || ephemeral_.contains(instance);
      next.push_back({true, instance, 1, operation.value, operation.number, ephemeral, std::max(node.newest, instance)});
    };
    if (!operation.maybe) {
      if (operation.instance > node.newest) make(operation.instance);
      return next;
    }
    make(0);
    for (const uint64_t instance : named_) {
      if (instance > node.newest) make(instance);
    }
    return next;
  }

  const std::vector<Operation>& operations_;
  absl::btree_set<uint64_t> named_;
  absl::btree_set<uint64_t> ephemeral_;
  absl::btree_set<std::tuple<uint32_t, bool, uint64_t, uint64_t, uint64_t, uint64_t>> seen_;
};

}  // namespace

bool IsLinearizable(const std::vector<Operation>& operations) { return Search(operations).From(0, Node()); }

}  // namespace bramah::sim

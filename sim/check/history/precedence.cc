#include "sim/check/history/precedence.h"

namespace bramah::sim {

size_t Precedence::Add() {
  events_.emplace_back();
  after_.emplace_back();
  return events_.size() - 1;
}

size_t Precedence::AddLine(size_t count) {
  const size_t first = events_.size();
  events_.resize(first + count);
  after_.resize(first + count);
  for (size_t event = first + 1; event < first + count; ++event) Before(event - 1, event);
  return first;
}

void Precedence::NotBefore(size_t event, uint64_t instant, Witness by) {
  Event& bound = events_[event];
  if (instant <= bound.low) return;
  bound.low = instant;
  bound.low_by = by;
}

void Precedence::NotAfter(size_t event, uint64_t instant, Witness by) {
  Event& bound = events_[event];
  if (instant >= bound.high) return;
  bound.high = instant;
  bound.high_by = by;
}

// What an event must precede bounds it. Then all can be at their latest, if none would be too early there.
std::optional<Precedence::Conflict> Precedence::Settle() {
  const std::vector<size_t> order = Order();
  if (order.size() < events_.size()) return Circle(order);
  for (size_t i = order.size(); i-- > 0;) {
    const size_t event = order[i];
    for (const size_t next : after_[event]) NotAfter(event, events_[next].high, events_[next].high_by);
  }
  for (const size_t event : order) {
    const Event& bound = events_[event];
    if (bound.low > bound.high) return Conflict{bound.low_by, bound.high_by, false};
  }
  return std::nullopt;
}

std::vector<size_t> Precedence::Order() const {
  std::vector<size_t> before(events_.size());
  for (const std::vector<size_t>& followers : after_) {
    for (const size_t next : followers) ++before[next];
  }
  std::vector<size_t> order;
  order.reserve(events_.size());
  for (size_t event = 0; event < events_.size(); ++event) {
    if (before[event] == 0) order.push_back(event);
  }
  for (size_t i = 0; i < order.size(); ++i) {
    for (const size_t next : after_[order[i]]) {
      if (--before[next] == 0) order.push_back(next);
    }
  }
  return order;
}

// Two witnesses of events on a circle. Whatever has no place in the order follows something that has none either, so going back
// from one to the next ends in a circle.
Precedence::Conflict Precedence::Circle(const std::vector<size_t>& order) const {
  constexpr size_t kNone = SIZE_MAX;
  std::vector<bool> placed(events_.size());
  for (const size_t event : order) placed[event] = true;
  std::vector<size_t> before(events_.size(), kNone);
  size_t at = kNone;
  for (size_t event = 0; event < events_.size(); ++event) {
    if (placed[event]) continue;
    at = event;
    for (const size_t next : after_[event]) before[next] = event;
  }
  for (size_t i = 0; i < events_.size(); ++i) at = before[at];
  Conflict conflict{0, 0, true};
  for (size_t i = 0; i < events_.size(); ++i, at = before[at]) {
    const Witness witness = events_[at].low_by;
    if (witness == 0 || witness == conflict.early) continue;
    if (conflict.early == 0) {
      conflict.early = witness;
    } else if (conflict.late == 0) {
      conflict.late = witness;
    }
  }
  return conflict;
}

}  // namespace bramah::sim

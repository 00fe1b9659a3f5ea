// Events of which is known that some come before others, and that each comes between two instants: is there a way to place them?
#ifndef BRAMAH_SIM_CHECK_HISTORY_PRECEDENCE_H_
#define BRAMAH_SIM_CHECK_HISTORY_PRECEDENCE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace bramah::sim {

class Precedence {
 public:
  // Whoever knows a bound, by a number of the caller's; 0: nobody.
  using Witness = size_t;

  // An event at any time.
  size_t Add();
  // So many that come one after the other. Returns the first; the next ones follow it.
  size_t AddLine(size_t count);
  void Before(size_t first, size_t second) { after_[first].push_back(second); }
  void NotBefore(size_t event, uint64_t instant, Witness by);
  void NotAfter(size_t event, uint64_t instant, Witness by);

  // What `late` says cannot be before what `early` says, and has to be. `circle`: whatever the instants, the two and perhaps
  // others would have to precede themselves.
  struct Conflict {
    Witness late = 0;
    Witness early = 0;
    bool circle = false;
  };
  // Call it once. If there is none, every event can be at its earliest or at its latest instant.
  std::optional<Conflict> Settle();
  // After Settle: the last instant at which the event can be.
  uint64_t latest(size_t event) const { return events_[event].high; }

 private:
  struct Event {
    uint64_t low = 0;
    uint64_t high = UINT64_MAX;
    Witness low_by = 0;
    Witness high_by = 0;
  };
  // Events, none before those that it must follow; fewer than all if there is a circle.
  std::vector<size_t> Order() const;
  Conflict Circle(const std::vector<size_t>& order) const;

  std::vector<Event> events_;
  std::vector<std::vector<size_t>> after_;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_HISTORY_PRECEDENCE_H_

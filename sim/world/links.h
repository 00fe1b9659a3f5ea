// Links: what the network does to each message between two processes. Fates are keyed by the link, the bytes and how often these
// bytes were sent on the link, so that taking a fault out of a plan leaves the fates of unchanged messages alone.
#ifndef BRAMAH_SIM_WORLD_LINKS_H_
#define BRAMAH_SIM_WORLD_LINKS_H_

#include <cstdint>
#include <vector>

#include "core/base/time.h"
#include "sim/plan/plan.pb.h"
#include "sim/world/event_queue.h"

namespace bramah::sim {

struct Fate {
  bool lost = false;
  bool breaks = false;     // its connection breaks instead
  bool duplicate = false;
  Duration delay = 0;
  Duration second_delay = 0;  // of the duplicate
};

class Links {
 public:
  Links(uint64_t seed, const v1::Network& network, uint32_t processes);

  // The fate of the next copy of a message with this hash. Not const: it counts repetitions.
  Fate Next(ProcessId from, ProcessId to, uint64_t hash);
  // The delay of a packet that is no message: opening, end or reset of a connection; `key` says which.
  Duration Delay(ProcessId from, ProcessId to, uint64_t key) const;

  bool IsCut(ProcessId from, ProcessId to) const { return paths_[Index(from, to)].cuts > 0; }
  void Cut(ProcessId from, ProcessId to, int by) { paths_[Index(from, to)].cuts += by; }
  void Slow(ProcessId from, ProcessId to, Duration by) { paths_[Index(from, to)].slow += by; }
  // No cuts, no slow links, no loss; delays of at most `delay_max`.
  void Heal(Duration delay_max);

 private:
  struct Path {
    int32_t cuts = 0;  // in force
    Duration slow = 0;
  };
  struct Repeat {
    uint32_t key = 0;  // the upper half
    uint32_t count = 0;
  };
  // Enough for several seconds of traffic. An older message that returns after its place was taken has its first fate again.
  static constexpr size_t kRepeats = 1 << 14;

  size_t Index(ProcessId from, ProcessId to) const { return size_t{from} * processes_ + to; }
  uint64_t Count(uint64_t key);
  Duration DrawDelay(uint64_t draw) const;

  uint64_t seed_;
  v1::Network network_;
  uint32_t processes_;
  std::vector<Path> paths_;
  std::vector<Repeat> repeats_;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_WORLD_LINKS_H_

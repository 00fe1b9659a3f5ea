// Streams of keyed draws. Every decision of a simulated run is Draw(seed, stream, entity, ordinal); a stream of its own for each
// family of decisions means that leaving one out changes no other.
#ifndef BRAMAH_SIM_PLAN_STREAMS_H_
#define BRAMAH_SIM_PLAN_STREAMS_H_

#include <cstdint>

#include "core/base/keyed.h"

namespace bramah::sim {

// Numbers are part of what a seed means: never reuse or renumber one.
enum class Stream : uint64_t {
  // ---- while a plan is made; entity: see generate.cc
  kTopology = 1,
  kKnobs = 2,
  kNetwork = 3,
  kDiskTimes = 4,
  kClocks = 5,
  kFamilies = 6,      // which families of faults a seed has, and at what rate
  kFaultTimes = 7,
  kWorkload = 8,      // entity: workload << 32 | client
  kStale = 9,         // whether a plan has stale reads
  kNoWait = 10,       // entity: 0, ordinal: workload; whether it waits out a jeopardy
  kLies = 11,         // how clocks lie that are asked to
  // ---- while a plan runs
  kBoot = 20,         // entity: process, ordinal: boot
  kFate = 21,         // entity: link, ordinal: hash of the bytes and how often they were seen
  kDial = 22,         // entity: process, ordinal: connection
  kBatch = 23,        // entity: process, ordinal: batch << 8 | operation
  kCrashCut = 24,     // entity: process, ordinal: crash; how far batches and steps in progress came
  kCrashSector = 25,  // entity: process, ordinal: crash, file and sector
  kCrashName = 26,    // entity: process, ordinal: crash and directory operation
  kClockOffset = 27,  // entity: process
  kRestart = 28,      // entity: process, ordinal: halt
  kActor = 29,        // entity: client, ordinal: attempt
  kTakeover = 32,     // entity: client, ordinal: session
  kCounters = 33,     // whether a plan has counters
  kSecret = 30,       // entity: process, ordinal: 2 * boot and the next
  kResource = 31,     // entity: client, ordinal: token and number of a request to the resource
};

[[nodiscard]] constexpr uint64_t Draw(uint64_t seed, Stream stream, uint64_t entity, uint64_t ordinal) {
  return bramah::Draw(seed, static_cast<uint64_t>(stream), entity, ordinal);
}

// Draws one after the other from one (stream, entity): for making plans, where each family has its own.
class Dice {
 public:
  Dice(uint64_t seed, Stream stream, uint64_t entity) : seed_(seed), stream_(stream), entity_(entity) {}
  [[nodiscard]] uint64_t Roll() { return Draw(seed_, stream_, entity_, next_++); }
  [[nodiscard]] int64_t In(int64_t low, int64_t high) { return Between(Roll(), low, high); }
  [[nodiscard]] bool Hit(uint64_t ppm) { return Chance(Roll(), ppm); }
  // In [low, high], every octave about equally likely. REQUIRES: 0 < low <= high.
  [[nodiscard]] int64_t LogIn(int64_t low, int64_t high) {
    const int64_t octave =
        In(63 - __builtin_clzll(static_cast<uint64_t>(low)), 63 - __builtin_clzll(static_cast<uint64_t>(high)));
    const int64_t floor = int64_t{1} << octave;
    const int64_t from = floor < low ? low : floor;
    const int64_t to = 2 * floor - 1 < high ? 2 * floor - 1 : high;
    return In(from, to);
  }

 private:
  uint64_t seed_;
  Stream stream_;
  uint64_t entity_;
  uint64_t next_ = 0;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_PLAN_STREAMS_H_

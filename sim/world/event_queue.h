// The queue of everything that will happen: a 4-ary heap of 16-byte keys (time, sequence, slot) over a slab of small events.
// Equal times come out in the order they went in.
#ifndef BRAMAH_SIM_WORLD_EVENT_QUEUE_H_
#define BRAMAH_SIM_WORLD_EVENT_QUEUE_H_

#include <cstdint>
#include <vector>

#include "core/base/check.h"
#include "core/base/time.h"

namespace bramah::sim {

using ProcessId = uint32_t;  // 0 .. replicas-1: r1 .. rN; then c1 .. cM

// What happens; plain data. Which fields count depends on the kind.
struct Happening {
  enum Kind : uint8_t {
    kTimer,      // small: TimerId
    kDisk,       // small: Lane; the batch in flight is over
    kDiskReady,  // small: Lane; the node hears of it (after a pause)
    kDialed,     // a: connection; the dialler's first packet reaches the other side
    kUp,         // a: connection, small: side
    kDown,       // a: connection, small: side, b: CloseReason
    kFrame,      // a: connection, small: receiving side, b: frame
    kCall,       // a: call slot of the actor
    kWake,       // a: tag of the actor
    kOperation,  // a: number of the plan's operation
    kBoot,
    kResume,     // end of a pause
    kFault,      // a: number of the plan's fault, b: process of the event that triggered it
    kFaultEnd,   // the same
  };
  Kind kind = kTimer;
  uint8_t small = 0;
  ProcessId process = 0;
  uint32_t incarnation = 0;  // of the process; 0: whoever runs then
  uint32_t a = 0;
  uint32_t b = 0;
};

class EventQueue {
 public:
  // REQUIRES: at >= 0.
  void Push(Time at, const Happening& what) {
    uint32_t slot;
    if (free_.empty()) {
      slot = static_cast<uint32_t>(slab_.size());
      BRAMAH_CHECK(slot <= kSlotMask);
      slab_.push_back(what);
    } else {
      slot = free_.back();
      free_.pop_back();
      slab_[slot] = what;
    }
    heap_.push_back(Key{static_cast<unsigned __int128>(at) << 64 | next_++ << kSlotBits | slot});
    Rise(heap_.size() - 1);
  }
  bool empty() const { return heap_.empty(); }
  size_t size() const { return heap_.size(); }
  // REQUIRES: !empty().
  Time next_time() const { return static_cast<Time>(heap_.front().value >> 64); }
  // Removes and returns the next one. REQUIRES: !empty().
  Happening Pop() {
    const uint32_t slot = static_cast<uint32_t>(heap_.front().value) & kSlotMask;
    const Key last = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) Sink(last);
    free_.push_back(slot);
    return slab_[slot];
  }

 private:
  static constexpr int kSlotBits = 22;  // four million pending, 2^42 in all
  static constexpr uint32_t kSlotMask = (uint32_t{1} << kSlotBits) - 1;
  // Time, order of arrival, slot, from high bits to low: one comparison decides.
  struct Key {
    unsigned __int128 value;
    bool operator<(const Key& other) const { return value < other.value; }
  };

  void Rise(size_t i) {
    const Key key = heap_[i];
    while (i > 0 && key < heap_[(i - 1) / 4]) {
      heap_[i] = heap_[(i - 1) / 4];
      i = (i - 1) / 4;
    }
    heap_[i] = key;
  }
  // Puts `key` in the place of the root.
  void Sink(Key key) {
    size_t i = 0;
    while (true) {
      const size_t first = 4 * i + 1;
      if (first >= heap_.size()) break;
      const size_t end = first + 4 < heap_.size() ? first + 4 : heap_.size();
      size_t least = first;
      for (size_t child = first + 1; child < end; ++child) {
        if (heap_[child] < heap_[least]) least = child;
      }
      if (!(heap_[least] < key)) break;
      heap_[i] = heap_[least];
      i = least;
    }
    heap_[i] = key;
  }

  std::vector<Key> heap_;
  std::vector<Happening> slab_;
  std::vector<uint32_t> free_;
  uint64_t next_ = 0;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_WORLD_EVENT_QUEUE_H_

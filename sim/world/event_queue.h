// The queue of everything that will happen: 16-byte keys (time, sequence, slot) over a slab of small events. What is near lies in
// a 4-ary heap, what is far in buckets. Equal times come out in the order they went in.
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
    kRequest,    // a: number of the request in flight to the resource
    kOperation,  // a: number of the plan's operation
    kBoot,
    kResume,     // end of a pause
    kFault,      // a: number of the plan's fault, b: process of the event that triggered it
    kFaultEnd,   // the same
    kClockLook,  // the driver compares the clock of the process with real time
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
    const Key key{static_cast<unsigned __int128>(at) << 64 | next_++ << kSlotBits | slot};
    if (at < horizon_) {
      Insert(key);
    } else {
      far_[Bucket(at)].push_back(key);
      ++far_count_;
      if (near_.empty()) MoveHorizon();
    }
  }
  bool empty() const { return near_.empty(); }
  size_t size() const { return near_.size() + far_count_; }
  // REQUIRES: !empty().
  Time next_time() const { return near_.front().time(); }
  // Removes and returns the next one. REQUIRES: !empty().
  Happening Pop() {
    const uint32_t slot = static_cast<uint32_t>(near_.front().value) & kSlotMask;
    const Key last = near_.back();
    near_.pop_back();
    if (!near_.empty()) {
      Sink(last);
    } else if (far_count_ > 0) {
      MoveHorizon();
    }
    free_.push_back(slot);
    return slab_[slot];
  }

 private:
  static constexpr int kSlotBits = 22;  // four million pending, 2^42 in all
  static constexpr uint32_t kSlotMask = (uint32_t{1} << kSlotBits) - 1;
  static constexpr int kBucketBits = 22;   // of time: some 4 ms each
  static constexpr size_t kBuckets = 1024;  // some 4 s in all
  // Time, order of arrival, slot, from high bits to low: one comparison decides.
  struct Key {
    unsigned __int128 value;
    Time time() const { return static_cast<Time>(value >> 64); }
    bool operator<(const Key& other) const { return value < other.value; }
  };

  static size_t Bucket(Time at) { return static_cast<size_t>(at >> kBucketBits) % kBuckets; }

  // ---- far: what happens at or behind the horizon lies in buckets of equal spans of time, each of which comes round again and
  // again. Most of it is timers; kept out of the heap it makes that small.

  // Fills the empty heap with the earliest span that has anything. REQUIRES: far_count_ > 0.
  void MoveHorizon() {
    constexpr Time kSpan = Time{1} << kBucketBits;
    for (size_t looked = 0; near_.empty(); ++looked) {
      if (looked == kBuckets) horizon_ = EarliestFar() / kSpan * kSpan;  // nothing for a whole round: leave it out
      std::vector<Key>& bucket = far_[Bucket(horizon_)];
      horizon_ += kSpan;
      size_t kept = 0;
      for (const Key& key : bucket) {
        if (key.time() < horizon_) {
          Insert(key);
        } else {
          bucket[kept++] = key;
        }
      }
      far_count_ -= bucket.size() - kept;
      bucket.resize(kept);
    }
  }
  Time EarliestFar() const {
    Time earliest = kNever;
    for (const std::vector<Key>& bucket : far_) {
      for (const Key& key : bucket) earliest = key.time() < earliest ? key.time() : earliest;
    }
    return earliest;
  }

  // ---- near: a 4-ary heap.

  void Insert(const Key& key) {
    near_.push_back(key);
    Rise(near_.size() - 1);
  }
  void Rise(size_t i) {
    const Key key = near_[i];
    while (i > 0 && key < near_[(i - 1) / 4]) {
      near_[i] = near_[(i - 1) / 4];
      i = (i - 1) / 4;
    }
    near_[i] = key;
  }
  // The least of the four children that begin at `first`; without branches, because nobody can predict them.
  size_t LeastOfFour(size_t first) const {
    const Key* const child = &near_[first];
    const size_t left = child[1] < child[0] ? 1 : 0;
    const size_t right = child[3] < child[2] ? 3 : 2;
    return first + (child[right] < child[left] ? right : left);
  }
  // Puts `key`, which came from the end, in the place of the root: the hole sinks to a leaf, from which the key rises the little
  // it has to.
  void Sink(Key key) {
    size_t hole = 0;
    size_t first = 1;
    for (; first + 4 <= near_.size(); first = 4 * hole + 1) {
      const size_t least = LeastOfFour(first);
      near_[hole] = near_[least];
      hole = least;
    }
    if (first < near_.size()) {
      size_t least = first;
      for (size_t child = first + 1; child < near_.size(); ++child) {
        if (near_[child] < near_[least]) least = child;
      }
      near_[hole] = near_[least];
      hole = least;
    }
    near_[hole] = key;
    Rise(hole);
  }

  Time horizon_ = Time{1} << kBucketBits;
  std::vector<Key> near_;  // before the horizon; never empty while anything is far
  std::vector<std::vector<Key>> far_ = std::vector<std::vector<Key>>(kBuckets);
  size_t far_count_ = 0;
  std::vector<Happening> slab_;
  std::vector<uint32_t> free_;
  uint64_t next_ = 0;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_WORLD_EVENT_QUEUE_H_

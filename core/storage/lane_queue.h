// One lane of the disk, seen from the core: numbers batches and keeps the one in flight, so that it can be issued again.
#ifndef BRAMAH_CORE_STORAGE_LANE_QUEUE_H_
#define BRAMAH_CORE_STORAGE_LANE_QUEUE_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "core/api/effects.h"
#include "core/api/files.h"

namespace bramah::storage {

class LaneQueue {
 public:
  explicit LaneQueue(Lane lane) : lane_(lane) {}

  // No batch is in flight or waits to be issued again.
  bool idle() const { return state_ == State::kIdle; }
  // The batch in flight, or the last one.
  Ticket current() const { return ticket_; }
  // The batch after it: what is buffered now will be in this one.
  Ticket next() const { return ticket_ + 1; }
  // Whether `ticket` is in flight; answers to anything else are stale.
  bool InFlight(Ticket ticket) const { return state_ == State::kInFlight && ticket == ticket_; }
  bool WaitsForRetry() const { return state_ == State::kWaitsForRetry; }
  absl::Span<const FileOp> ops() const { return ops_; }

  // The next batch, empty, to be filled and issued; nothing happens if it is not. REQUIRES: idle().
  std::vector<FileOp>& Next() {
    ops_.clear();
    return ops_;
  }
  // REQUIRES: idle(), and that Next() was filled.
  void Issue(Effects& out) {
    ++ticket_;
    Emit(out);
  }
  void Done() { state_ = State::kIdle; }
  void WaitForRetry() { state_ = State::kWaitsForRetry; }
  // The same operations under the same ticket: nothing of them was promised [ST-09].
  void IssueAgain(Effects& out) { Emit(out); }

 private:
  enum class State : uint8_t { kIdle, kInFlight, kWaitsForRetry };

  void Emit(Effects& out) {
    state_ = State::kInFlight;
    out.Disk(lane_, ticket_, ops_);
  }

  Lane lane_;
  State state_ = State::kIdle;
  Ticket ticket_ = 0;
  std::vector<FileOp> ops_;
};

}  // namespace bramah::storage

#endif  // BRAMAH_CORE_STORAGE_LANE_QUEUE_H_

// ItemQueue: what the master has to tell one session, numbered from 1 in each mastership and repeated until acknowledged [A-19,
// D-20]. Answers of queued Acquires are kept whatever happens. Events may be merged and, when there are too many, be replaced by
// one item that says so: the client then looks for itself.
#ifndef BRAMAH_CORE_REPLICA_ITEM_QUEUE_H_
#define BRAMAH_CORE_REPLICA_ITEM_QUEUE_H_

#include <algorithm>
#include <cstdint>
#include <list>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/wire/wire.pb.h"

namespace bramah::replica {

class ItemQueue {
 public:
  struct Entry {
    v1::SessionItem item;
    Time queued_at = 0;
  };

  // Told by AddEvent, not an answer or an order.
  static bool IsEvent(const v1::SessionItem& item) {
    return item.kind() == v1::ITEM_EVENTS_LOST || (item.seq() == 0 && item.handle() != 0);
  }
  bool empty() const { return entries_.empty(); }
  const std::list<Entry>& entries() const { return entries_; }
  // When the oldest was queued. REQUIRES: !empty().
  Time oldest() const { return entries_.front().queued_at; }

  // Returns its number.
  uint64_t Add(Time now, v1::ItemKind kind, HandleId handle, RequestSeq seq, uint64_t generation, uint32_t classes = 0,
               uint32_t permit = 0) {
    Entry& entry = entries_.emplace_back();
    entry.queued_at = now;
    entry.item.set_number(++last_number_);
    entry.item.set_kind(kind);
    entry.item.set_handle(handle.value());
    entry.item.set_seq(seq.value());
    entry.item.set_generation(generation);
    entry.item.set_classes(classes);
    entry.item.set_permit(permit);
    return last_number_;
  }
  // An event. It takes the place of an earlier one of its kind and handle that was not sent yet; what was sent may have been
  // processed, and its number would not be looked at again. If `most` or more are unacknowledged it is lost, and an item says so.
  // Returns whether it was merged.
  bool AddEvent(Time now, v1::ItemKind kind, HandleId handle, uint64_t generation, size_t most) {
    for (auto at = entries_.rbegin(); at != entries_.rend() && at->item.number() > sent_; ++at) {
      // Events that follow this marker are part of what it says was lost.
      if (at->item.kind() == v1::ITEM_EVENTS_LOST) return true;
      // What comes after the grant of a lock is about that hold.
      if (at->item.seq() != 0 && at->item.handle() == handle.value()) break;
      if (at->item.kind() != kind || at->item.handle() != handle.value() || at->item.seq() != 0) continue;
      at->item.set_generation(generation);
      return true;
    }
    const bool lost = events_ >= most;
    ++events_;
    Add(now, lost ? v1::ITEM_EVENTS_LOST : kind, lost ? HandleId() : handle, RequestSeq(), lost ? 0 : generation);
    return false;
  }
  uint64_t last_number() const { return last_number_; }
  // Everything up to this number went out.
  void Sent(uint64_t number) { sent_ = std::max(sent_, number); }
  uint64_t sent() const { return sent_; }
  // Of what went out, up to this number.
  void Acknowledge(uint64_t number) {
    while (!entries_.empty() && entries_.front().item.number() <= std::min(number, sent_)) {
      if (IsEvent(entries_.front().item)) --events_;
      entries_.pop_front();
    }
  }

 private:
  std::list<Entry> entries_;
  uint64_t last_number_ = 0;
  uint64_t sent_ = 0;  // highest number that went out
  size_t events_ = 0;  // unacknowledged
};

}  // namespace bramah::replica

#endif  // BRAMAH_CORE_REPLICA_ITEM_QUEUE_H_

// ItemQueue: what the master has to tell one session, numbered from 1 in each mastership and repeated until acknowledged [A-19,
// D-20]. Answers of queued Acquires are kept whatever happens. Events may be merged and, when there are too many, be replaced by
// one item that says so: the client then looks for itself.
#ifndef BRAMAH_CORE_REPLICA_ITEM_QUEUE_H_
#define BRAMAH_CORE_REPLICA_ITEM_QUEUE_H_

#include <algorithm>
#include <cstdint>
#include <list>
#include <memory>
#include <utility>

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
  ItemQueue() = default;
  ItemQueue(const ItemQueue& other) : body_(other.body_ == nullptr ? nullptr : std::make_unique<Body>(*other.body_)) {}
  ItemQueue(ItemQueue&&) = default;
  ItemQueue& operator=(ItemQueue other) {
    body_ = std::move(other.body_);
    return *this;
  }

  bool empty() const { return entries().empty(); }
  const std::list<Entry>& entries() const {
    static const std::list<Entry> kNone;
    return body_ == nullptr ? kNone : body_->entries;
  }
  // When the oldest was queued. REQUIRES: !empty().
  Time oldest() const { return body_->entries.front().queued_at; }
  uint64_t last_number() const { return body_ == nullptr ? 0 : body_->last_number; }
  // The highest that went out.
  uint64_t sent() const { return body_ == nullptr ? 0 : body_->sent; }

  // Returns its number.
  uint64_t Add(Time now, v1::ItemKind kind, HandleId handle, RequestSeq seq, uint64_t generation, uint32_t classes = 0,
               uint32_t permit = 0) {
    if (body_ == nullptr) body_ = std::make_unique<Body>();
    Entry& entry = body_->entries.emplace_back();
    entry.queued_at = now;
    entry.item.set_number(++body_->last_number);
    entry.item.set_kind(kind);
    entry.item.set_handle(handle.value());
    entry.item.set_seq(seq.value());
    entry.item.set_generation(generation);
    entry.item.set_classes(classes);
    entry.item.set_permit(permit);
    return body_->last_number;
  }
  // An event. It takes the place of an earlier one of its kind and handle that was not sent yet; what was sent may have been
  // processed, and its number would not be looked at again. If `most` or more are unacknowledged it is lost, and an item says so.
  // Returns whether it was merged.
  bool AddEvent(Time now, v1::ItemKind kind, HandleId handle, uint64_t generation, size_t most) {
    if (body_ == nullptr) body_ = std::make_unique<Body>();
    std::list<Entry>& entries = body_->entries;
    for (auto at = entries.rbegin(); at != entries.rend() && at->item.number() > body_->sent; ++at) {
      // Events that follow this marker are part of what it says was lost.
      if (at->item.kind() == v1::ITEM_EVENTS_LOST) return true;
      // What comes after the grant of a lock is about that hold.
      if (at->item.seq() != 0 && at->item.handle() == handle.value()) break;
      if (at->item.kind() != kind || at->item.handle() != handle.value() || at->item.seq() != 0) continue;
      at->item.set_generation(generation);
      return true;
    }
    const bool lost = body_->events >= most;
    ++body_->events;
    Add(now, lost ? v1::ITEM_EVENTS_LOST : kind, lost ? HandleId() : handle, RequestSeq(), lost ? 0 : generation);
    return false;
  }
  // Everything up to this number went out.
  void Sent(uint64_t number) {
    if (body_ != nullptr) body_->sent = std::max(body_->sent, number);
  }
  // Of what went out, up to this number.
  void Acknowledge(uint64_t number) {
    if (body_ == nullptr) return;
    std::list<Entry>& entries = body_->entries;
    while (!entries.empty() && entries.front().item.number() <= std::min(number, body_->sent)) {
      if (IsEvent(entries.front().item)) --body_->events;
      entries.pop_front();
    }
  }

 private:
  struct Body {
    std::list<Entry> entries;
    uint64_t last_number = 0;
    uint64_t sent = 0;
    size_t events = 0;  // unacknowledged
  };
  std::unique_ptr<Body> body_;  // from the first item on; most sessions never have one
};

}  // namespace bramah::replica

#endif  // BRAMAH_CORE_REPLICA_ITEM_QUEUE_H_

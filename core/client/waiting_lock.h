// For tests: an Acquire that waits, and its grant.
#ifndef BRAMAH_CORE_CLIENT_WAITING_LOCK_H_
#define BRAMAH_CORE_CLIENT_WAITING_LOCK_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "core/client/client_harness.h"

namespace bramah::client {

inline v1::SessionItem Item(uint64_t number, v1::ItemKind kind, HandleId handle, uint64_t seq, uint64_t generation = 0) {
  v1::SessionItem item;
  item.set_number(number);
  item.set_kind(kind);
  item.set_handle(handle.value());
  item.set_seq(seq);
  item.set_generation(generation);
  return item;
}

// An Acquire that the master has queued.
struct Waiting {
  HandleId handle;
  CallId call;
  v1::Request request;
};

inline Waiting WaitForLock(Harness& h, const std::string& path = "/f") {
  Waiting waiting;
  waiting.handle = h.OpenHandle(path);
  waiting.call = h.Acquire(waiting.handle);
  waiting.request = h.Last<v1::Request>();
  h.Reply(waiting.request, v1::QUEUED);
  EXPECT_FALSE(h.Answered(waiting.call));
  return waiting;
}

inline void Grant(Harness& h, const Waiting& waiting, uint64_t number = 1, uint64_t generation = 60) {
  v1::KeepAliveReply reply = h.Kept();
  *reply.add_items() = Item(number, v1::ITEM_LOCK_GRANTED, waiting.handle, waiting.request.command().seq(), generation);
  h.Deliver(reply);
}

}  // namespace bramah::client

#endif  // BRAMAH_CORE_CLIENT_WAITING_LOCK_H_

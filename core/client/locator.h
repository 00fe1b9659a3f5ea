// Locator: which endpoint to try next, and when. Pure choice; dialling is Connection's.
//
// The configured endpoints are tried in turn from a drawn position on, with a doubling, jittered back-off. A replica that is not
// the master may name the one that is: that hint is followed at once, but only once in a row, because two deposed masters may
// name each other for ever; after a hint that did not help the list goes on.
#ifndef BRAMAH_CORE_CLIENT_LOCATOR_H_
#define BRAMAH_CORE_CLIENT_LOCATOR_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/client/client.h"

namespace bramah::client {

class Locator {
 public:
  explicit Locator(const ClientConfig* config) : config_(config) {}
  // Draws the first position. Draws are keyed by `seed`.
  void Seed(uint64_t seed);

  // What to dial next; empty if nothing is configured.
  const std::string& endpoint() const { return endpoint_; }
  // Not before this local instant.
  Time dial_at() const { return dial_at_; }

  // The endpoint was of no use: on to the next of the list, after a back-off.
  void Fail(Time now);
  // The endpoint is not the master's; `hint` is what it knows, empty for nothing. Returns whether the hint is followed.
  bool NotMaster(Time now, const std::string& hint);
  // A serving master answered from the endpoint: the back-off starts afresh.
  void Succeed();

 private:
  Duration Backoff();

  const ClientConfig* config_;
  uint64_t seed_ = 0;
  size_t cursor_ = 0;      // position in the list
  std::string endpoint_;
  bool by_hint_ = false;   // endpoint_ was a hint, and has not proved right
  uint32_t failures_ = 0;  // since the last success
  uint64_t draws_ = 0;
  Time dial_at_ = INT64_MIN;
};

}  // namespace bramah::client

#endif  // BRAMAH_CORE_CLIENT_LOCATOR_H_

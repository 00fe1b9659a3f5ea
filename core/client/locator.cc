#include "core/client/locator.h"

#include <algorithm>

#include "core/base/keyed.h"
#include "core/client/draws.h"

namespace bramah::client {
namespace {

// Longer hints are no host:port.
constexpr size_t kEndpointBytesMax = 512;

}  // namespace

void Locator::Seed(uint64_t seed) {
  seed_ = seed;
  if (config_->endpoints.empty()) return;
  cursor_ = Below(Draw(seed_, kEndpointDraw, 0, 0), config_->endpoints.size());
  endpoint_ = config_->endpoints[cursor_];
}

void Locator::Fail(Time now) {
  by_hint_ = false;
  ++failures_;
  dial_at_ = now + Backoff();
  if (config_->endpoints.empty()) return;
  cursor_ = (cursor_ + 1) % config_->endpoints.size();
  endpoint_ = config_->endpoints[cursor_];
}

bool Locator::NotMaster(Time now, const std::string& hint) {
  if (by_hint_ || hint.empty() || hint == endpoint_ || hint.size() > kEndpointBytesMax) {
    Fail(now);
    return false;
  }
  by_hint_ = true;
  endpoint_ = hint;
  dial_at_ = now;
  return true;
}

void Locator::Succeed() {
  by_hint_ = false;
  failures_ = 0;
}

// Between half and all of retry_min * 2^(failures - 1), at most retry_max.
Duration Locator::Backoff() {
  const uint32_t doublings = std::min(failures_ - 1, 20u);
  const Duration full = std::clamp<Duration>(config_->retry_min << doublings, 1, std::max<Duration>(config_->retry_max, 1));
  return Between(Draw(seed_, kBackoffDraw, 0, ++draws_), full / 2, full);
}

}  // namespace bramah::client

#include "core/replica/lease_length.h"

#include <algorithm>

#include "core/api/path.h"

namespace bramah::replica {

void LeaseLength::TakeOver(Time now, Duration least, Duration margin, Duration lease_max) {
  least_ = least;
  margin_ = margin;
  lease_max_ = lease_max;
  proposed_ = 0;
  aim_ = lease_max;
  granted_ = lease_max;
  none_longer_since_ = now;
}

Duration LeaseLength::WantedFor(uint64_t sessions) const {
  const Duration most = std::max(least_, kLeaseLongest);
  if (spacing_ == 0) return least_;
  if (sessions > static_cast<uint64_t>(most / spacing_)) return most;
  return std::clamp(static_cast<Duration>(sessions) * spacing_ + margin_, least_, most);
}

Duration LeaseLength::Fit(Time now, uint64_t sessions) {
  const Duration wanted = WantedFor(sessions);
  const bool extreme = wanted == least_ || wanted >= kLeaseLongest;
  if (extreme || 5 * wanted > 6 * aim_ || 5 * wanted < 4 * aim_) aim_ = wanted;
  Duration grant = std::min(aim_, lease_max_);
  if (proposed_ != 0) grant = std::min(grant, proposed_);
  if (grant < granted_) none_longer_since_ = now;
  granted_ = grant;
  if (FitAt() > now) return 0;
  proposed_ = aim_;
  return proposed_;
}

void LeaseLength::Applied(Duration lease_max) {
  lease_max_ = lease_max;
  proposed_ = 0;
}

Time LeaseLength::FitAt() const {
  if (proposed_ != 0 || aim_ == lease_max_) return kNever;
  return aim_ > lease_max_ ? INT64_MIN : none_longer_since_ + lease_max_ + 1;
}

}  // namespace bramah::replica

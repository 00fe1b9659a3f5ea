// The client's half of lemma L2: how long a client may trust its session, given one answer of the master. Pure arithmetic.
//
// The client remembers c, the instant on its own clock at which it *first* sent the nonce that is being answered. The master got
// a copy of it no earlier than c, kept it for h of the master's clock, and then, able to prove that it still was the master,
// promised the session L more and answered (h, L), and the rho that the cell works by: all clocks keep their rate within rho of
// real time; R = (1 + rho) / (1 - rho).
//
//   master:  the answer leaves h / (1 + rho) of real time after c or later, and the promise lasts L / (1 + rho) from then or
//            longer; so the session lives, in real time, at least until c + (h + L) / (1 + rho).
//   client:  trusting until c + (h + L) / R of its own clock, it stops, in real time, at the latest
//            (h + L) / (R (1 - rho)) = (h + L) / (1 + rho) after c.
//
// So the client stops first. Neither the hold nor any bound on the network enters: a slow answer only shortens what is left. The
// proof needs the first send time, because the copy the master got may be the oldest one; it holds for CreateSession as it does
// for KeepAlive. Rounding is down.
#ifndef BRAMAH_CORE_CLIENT_LEASE_H_
#define BRAMAH_CORE_CLIENT_LEASE_H_

#include "core/base/time.h"

namespace bramah::client {

// No master holds or grants longer than this; larger numbers are nonsense, not leases.
inline constexpr Duration kGrantMax = 24 * 3'600 * kSecond;

constexpr bool IsGrant(Duration hold, Duration lease, int64_t rho_ppm) {
  return hold >= 0 && lease >= 0 && hold <= kGrantMax && lease <= kGrantMax && rho_ppm >= 0 && rho_ppm < kMillion;
}

// Local instant before which the session may be trusted. REQUIRES: IsGrant(hold, lease, rho_ppm).
constexpr Time LeaseEnd(Time first_sent, Duration hold, Duration lease, int64_t rho_ppm) {
  return first_sent + ShrinkByDrift(hold + lease, rho_ppm);
}

}  // namespace bramah::client

#endif  // BRAMAH_CORE_CLIENT_LEASE_H_

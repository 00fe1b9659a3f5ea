// LeaseLength: how long the leases are that a master grants, and when it changes the bound on them, Lmax [C-63]. Pure arithmetic;
// it knows no session and proposes nothing itself.
//
// Overload rule [D-25]. A session asks again when a margin of its lease L is left, so N sessions send N / (L - margin) KeepAlives
// a second. The master aims at one per `spacing`: it wants L = N * spacing + margin, but not less than the configured lease nor
// more than a minute. It changes its mind when it is off by a fifth, or when it wants the least or the most, so that no crowd of
// some size makes the length swing.
//
// Lmax [D-08, A-13]. A successor gives every session Lmax, so no lease may reach further than an Lmax that it knows of (L3).
//
//   longer   as far as Lmax at once; beyond it when the entry with the larger one was applied, for then every successor has it
//   shorter  at once; Lmax follows when no longer lease is left, that is when Lmax has passed since one can have been granted.
//            Taking over counts as granting Lmax to every session, since some predecessor may have done so
//
// One entry is under way at a time. From the proposal of a smaller Lmax on nothing longer is granted, applied or not.
#ifndef BRAMAH_CORE_REPLICA_LEASE_LENGTH_H_
#define BRAMAH_CORE_REPLICA_LEASE_LENGTH_H_

#include <cstdint>

#include "core/base/time.h"

namespace bramah::replica {

class LeaseLength {
 public:
  // `spacing`: the time between two KeepAlives of all sessions together that is aimed at; 0: load does not lengthen leases.
  explicit LeaseLength(Duration spacing) : spacing_(spacing) {}

  // A mastership begins under the Lmax `lease_max`. `least`: the configured lease; `margin`: what is left of a lease when its
  // KeepAlive is answered. REQUIRES: 0 <= margin <= least <= lease_max.
  void TakeOver(Time now, Duration least, Duration margin, Duration lease_max);
  // Fits the leases to so many sessions. Returns the Lmax that is to be proposed now; 0: none.
  Duration Fit(Time now, uint64_t sessions);
  // What was proposed has been applied: this is Lmax now.
  void Applied(Duration lease_max);

  // How long a lease is that is granted now.
  Duration granted() const { return granted_; }
  // When Fit has something to propose though no session comes or goes; kNever: there is no such instant.
  Time FitAt() const;

 private:
  Duration WantedFor(uint64_t sessions) const;

  Duration spacing_;
  Duration least_ = 0;
  Duration margin_ = 0;
  Duration lease_max_ = 0;       // in force
  Duration proposed_ = 0;        // an Lmax under way; 0: none
  Duration aim_ = 0;             // as long as leases should be
  Duration granted_ = 0;         // as long as they may be: at most aim_, lease_max_ and what is proposed
  Time none_longer_since_ = 0;   // since when no lease longer than granted_ was granted
};

}  // namespace bramah::replica

#endif  // BRAMAH_CORE_REPLICA_LEASE_LENGTH_H_

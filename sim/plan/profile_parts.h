// What profiles are made of, and those that have a file of their own.
#ifndef BRAMAH_SIM_PLAN_PROFILE_PARTS_H_
#define BRAMAH_SIM_PLAN_PROFILE_PARTS_H_

#include "sim/plan/settings.h"

namespace bramah::sim {

// A quiet background on which a profile puts what it is about.
Settings Quiet(const Settings& drawn);
// Nothing is lost or late, and delays are up to a millisecond.
void Lan(v1::Network& network);
void OrdinaryDisk(v1::Disk& disk);
// Leases short enough that jeopardy and expiry happen many times in a minute.
void ShortLeases(Dice& dice, v1::Knobs& knobs);
// A stream of operations of all clients together.
void AddStream(v1::Plan& plan, v1::Operation::Kind kind, int64_t per_hundred_seconds, const char* prefix, uint32_t paths,
               Duration hold);

// ---- lapse_profiles.cc
void Rounds(Dice& dice, Settings& settings, v1::Plan& plan);
void Stalls(Dice& dice, Settings& settings, v1::Plan& plan);
void Lapse(Dice& dice, Settings& settings, v1::Plan& plan);

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_PLAN_PROFILE_PARTS_H_

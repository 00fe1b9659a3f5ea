// Steps: what random clients do to a cell, as plain values. Every number is relative - a handle, a command, a sequencer is named
// by how many of its kind came after it - so any part of a list of steps means something, and a long list that shows a bug can be
// shrunk to a short one.
#ifndef BRAMAH_CORE_CELL_STEP_H_
#define BRAMAH_CORE_CELL_STEP_H_

#include <cstdint>
#include <iosfwd>
#include <string_view>
#include <vector>

#include "core/wire/wire.pb.h"

namespace bramah::cell {

inline constexpr int64_t kClients = 3;

struct Step {
  enum What : uint8_t {
    kSend,      // a new command
    kKeepBack,  // a new command that is not sent yet
    kDeliver,   // one that was kept back
    kRepeat,    // one that was sent before, perhaps in an earlier session
    kReload,    // the lasting cell goes through a snapshot
  };
  What what = kSend;
  v1::CommandKind kind = v1::NONE;  // of a new command
  int64_t client = 0;
  int64_t seconds = 0;    // that pass before; may be negative, like the difference between the clocks of two masters
  int64_t nth = 0;        // which handle or command, counted back from the latest
  int64_t stray = 0;      // not of those that are open: a handle with any id; OPEN: of an id that may be spent
  int64_t settles = 0;    // n > 0: the client is done with all its calls but the n latest; kRepeat: the copy knows about that
  int64_t sequencer = 0;  // n > 0: guarded by the nth latest one given out
  int64_t flaw = 0;       // n > 0: with a wrong bit in the nth byte of the sequencer
  int64_t path = 0;       // OPEN; commands on a handle: of the handle that the client opens if it has none
  int64_t through = 0;    // OPEN: n > 0: only by way of the nth latest node that the client opened
  int64_t flags = 0;
  int64_t events = 0;
  int64_t lock_delay = 0;  // in seconds
  int64_t gives_up = 0;    // CLOSE, POISON: bit i stands for the call i + 1 before
  int64_t acl_read = 0;    // OPEN, SET_ACL: n > 0: which name; 0 leaves it as it is
  int64_t acl_write = 0;
  int64_t acl_change = 0;
  int64_t size = 0;        // SET_CONTENTS
  int64_t permits = 0;     // OPEN
  int64_t forged = 0;      // on a handle: n > 0: with check digits that are not its own
  int64_t lists = 0;       // OPEN, SET_CONTENTS: n > 0: contents that list which principals
  int64_t generation = 0;  // SET_CONTENTS, SET_ACL: n > 0: compares
  int64_t delta = 0;       // ADD
  int64_t bounds = 0;      // ADD: n > 0: not beyond -n and n
  int64_t guards = 0;      // BATCH: bits, each a guard
  int64_t parts = 0;       // BATCH: bits, each a change
  int64_t made = 0;        // BATCH: path of what it creates
  int64_t exclusive = 0;   // ACQUIRE
  int64_t try_only = 0;
  int64_t undoes = 0;     // RELEASE: n > 0: only the Acquire that was the nth call before
  int64_t abandoned = 0;  // END_SESSION
  int64_t secret = 0;     // NEW_EPOCH
  int64_t lease = 0;      // SET_LEASE_MAX: in seconds; some are no lease
  int64_t principal = 0;  // of a session that begins with this step; CREATE_SESSION: n > 0: not the one that has the session
  int64_t caches = 0;     // of a session that begins with this step: its client keeps answers
};

std::string_view PathOf(const Step& step);
// What a BATCH creates, first and second.
std::string_view MadeBy(const Step& step, int64_t nth);
// What the numbers of steps stand for.
std::string_view Principal(int64_t number);
std::string_view AclName(int64_t number);
std::string_view Listing(int64_t number);
bool UsesHandle(const Step& step);
// Opens a handle for a step that uses one, at its path.
Step OpenFor(const Step& step);

// A random step, drawn from `seed`.
Step DrawStep(uint64_t seed);

// The steps that are a little simpler, the simplest first; none if nothing can be left out of `step`.
std::vector<Step> Simpler(const Step& step);

// `step`, where it counts back, counting one less.
std::vector<Step> CountingLess(const Step& step);

// How a list of steps is printed: one a line, without what is zero.
void showValue(const std::vector<Step>& steps, std::ostream& os);  // NOLINT: rapidcheck looks for this name

}  // namespace bramah::cell

#endif  // BRAMAH_CORE_CELL_STEP_H_

// What holds in every state of a cell, as pure predicates over a view.
//
//   positions instances, generations, waits and sessions are no younger than the last entry
//   tree      the root is a permanent directory "/"; every other node hangs below an older directory, which counts it and knows
//             when its children last changed; directories have no contents; names are of the grammar; instances are unique
//   ephemeral exists iff a handle is open on it or, a directory, it has children [D-46, D-47]
//   handles   a node counts exactly the handles bound to it; no handle id was closed before
//   locks     free, or one exclusive holder, or shared holders only; a held lock has a generation younger than its node
//   holders   session and handle exist, the handle is bound to this node and writable
//   waiters   likewise; the handle knows that it waits, and does not hold; the head conflicts with the holders or with a
//             lock-delay, so nobody waits for an open lock
//   delays    no longer than any that could be asked for [C-36]
//   leases    no longer than load makes them [D-25]
//   sessions  keep no answer of a settled seq; nonces are unique [D-56]
#ifndef BRAMAH_CORE_CELL_INVARIANTS_H_
#define BRAMAH_CORE_CELL_INVARIANTS_H_

#include <optional>
#include <string>

#include "core/cell/view.h"

namespace bramah::cell {

// A description of the first violation, nothing if all hold. O(n log n).
std::optional<std::string> CheckInvariants(const CellView& view);

// `after` is a later state than `before`, any number of commands apart: no generation of an instance went back, a reused name has
// a greater instance, a session did not forget what it settled, no lock-delay ended before its time [D-44, D-45, C-09, D-56,
// C-36].
std::optional<std::string> CheckSuccession(const CellView& before, const CellView& after);

}  // namespace bramah::cell

#endif  // BRAMAH_CORE_CELL_INVARIANTS_H_

// Handle ids, as the application and as the master know them [C-48, A-24].
//
// A handle that the library kept open when the application closed it, and gives out again for a later Open, is one handle to the
// master and two to the application: what was closed stays closed for ever [C-61], so a later Open needs an id of its own. It is
// the master's id with the number of earlier uses above it. So either side's id follows from the other's without a table,
// checkers can compare what an application believes with what the cell says, and a handle that is used once has the same id
// everywhere.
#ifndef BRAMAH_CORE_CLIENT_HANDLE_IDS_H_
#define BRAMAH_CORE_CLIENT_HANDLE_IDS_H_

#include <cstdint>

#include "core/base/ids.h"

namespace bramah::client {

// Bits of the master's id: more handles than a client opens in its life.
inline constexpr int kMasterHandleBits = 40;

// The id by which the master knows the handle.
constexpr HandleId AtMaster(HandleId id) { return HandleId(id.value() & ((uint64_t{1} << kMasterHandleBits) - 1)); }
// Whether there is an id for another use of the handle, and which.
constexpr bool MayBeUsedAgain(HandleId id) { return id.value() >> kMasterHandleBits != UINT64_MAX >> kMasterHandleBits; }
// REQUIRES: MayBeUsedAgain(id).
constexpr HandleId NextUse(HandleId id) { return HandleId(id.value() + (uint64_t{1} << kMasterHandleBits)); }

}  // namespace bramah::client

#endif  // BRAMAH_CORE_CLIENT_HANDLE_IDS_H_

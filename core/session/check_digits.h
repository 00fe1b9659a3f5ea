// Check digits of handles: who names a handle must have been given it [Chubby §2.3, C-20, D-53]. They are made with the cell's
// secret of everything that makes the handle what it is, so none can be guessed, and those of one handle fit no other.
#ifndef BRAMAH_CORE_SESSION_CHECK_DIGITS_H_
#define BRAMAH_CORE_SESSION_CHECK_DIGITS_H_

#include <cstdint>

#include "core/base/ids.h"
#include "core/base/mac.h"
#include "core/session/session_table.h"

namespace bramah::session {

// Of `handle` as it was opened; its own field of that name is not looked at. 0 if there is no key.
uint64_t CheckDigits(SessionId session, HandleId id, const Handle& handle, const MacKey& key);

}  // namespace bramah::session

#endif  // BRAMAH_CORE_SESSION_CHECK_DIGITS_H_

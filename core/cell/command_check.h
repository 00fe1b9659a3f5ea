// Whether a command is one that a correct client or master can send, judged by the command alone. What fails here is answered
// MALFORMED and leaves no trace, not even in the exactly-once table.
#ifndef BRAMAH_CORE_CELL_COMMAND_CHECK_H_
#define BRAMAH_CORE_CELL_COMMAND_CHECK_H_

#include <cstdint>

#include "core/wire/wire.pb.h"

namespace bramah::cell {

// All bits of v1::EventKind.
inline constexpr uint32_t kAllEvents = 31;

bool WellFormed(const v1::Command& command);

}  // namespace bramah::cell

#endif  // BRAMAH_CORE_CELL_COMMAND_CHECK_H_

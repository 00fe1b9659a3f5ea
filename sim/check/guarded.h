// Which calls a sequencer guards, as the checkers see it: they fail unless the sequencer that their handle is tied to is valid
// [A-25, D-42]. Said again here, because what judges the core does not ask the core.
#ifndef BRAMAH_SIM_CHECK_GUARDED_H_
#define BRAMAH_SIM_CHECK_GUARDED_H_

#include "core/wire/wire.pb.h"

namespace bramah::sim {

inline bool IsGuarded(v1::CommandKind kind) {
  switch (kind) {
    case v1::SET_CONTENTS:
    case v1::ADD:
    case v1::DELETE:
    case v1::SET_ACL:
    case v1::ACQUIRE:
    case v1::GET_CONTENTS:
    case v1::GET_STAT:
    case v1::READ_DIR:
    case v1::GET_SEQUENCER:
      return true;
    default:
      return false;
  }
}

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_GUARDED_H_

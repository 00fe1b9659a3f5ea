// Kinds of calls, by what the library does with them.
#ifndef BRAMAH_CORE_CLIENT_KINDS_H_
#define BRAMAH_CORE_CLIENT_KINDS_H_

#include "core/wire/wire.pb.h"

namespace bramah::client {

// Commands that change the cell: replicated, exactly once, with a seq.
inline bool Changes(v1::CommandKind kind) {
  switch (kind) {
    case v1::END_SESSION:
    case v1::OPEN:
    case v1::CLOSE:
    case v1::SET_CONTENTS:
    case v1::SET_ACL:
    case v1::ADD:
    case v1::DELETE:
    case v1::ACQUIRE:
    case v1::RELEASE:
    case v1::POISON:
    case v1::BATCH:
      return true;
    default:
      return false;
  }
}

inline bool IsRead(v1::CommandKind kind) { return kind >= v1::GET_CONTENTS && kind <= v1::CHECK_SEQUENCER; }

inline bool ChangesContents(v1::CommandKind kind) { return kind == v1::SET_CONTENTS || kind == v1::ADD; }

// Never fails, and never waits for what came before.
inline bool Leaves(v1::CommandKind kind) { return kind == v1::CLOSE || kind == v1::POISON; }

inline bool OnHandle(v1::CommandKind kind) {
  return kind != v1::OPEN && kind != v1::END_SESSION && kind != v1::CHECK_SEQUENCER && kind != v1::BATCH;
}

}  // namespace bramah::client

#endif  // BRAMAH_CORE_CLIENT_KINDS_H_

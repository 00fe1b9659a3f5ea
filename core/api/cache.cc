#include "core/api/cache.h"

namespace bramah {

Touch DependsOn(const v1::Command& command, const v1::Outcome& outcome) {
  if (command.kind() == v1::OPEN && outcome.code() == v1::NOT_FOUND && !MayCreate(command)) {
    return {AbsenceId(command.path()), v1::CACHE_ABSENCE};
  }
  if (outcome.code() != v1::OK) return {};
  const uint64_t id = CacheId(Position(outcome.instance()));
  const uint32_t children = outcome.directory() ? v1::CACHE_CHILDREN : 0;
  const uint32_t stat = v1::CACHE_STAT | v1::CACHE_LOCK_STATE | children;
  switch (command.kind()) {
    // Whoever closes a handle on an ephemeral node must say so, thus has no use for the answer [C-48].
    case v1::OPEN:
      if (!command.caches() || outcome.ephemeral()) return {};
      return {id, v1::CACHE_STAT | children};
    case v1::GET_CONTENTS:
      return {id, v1::CACHE_DATA | (command.with_stat() ? stat : 0u)};
    case v1::GET_STAT:
      return {id, stat};
    case v1::READ_DIR:
      return {id, v1::CACHE_CHILDREN};
    default:
      return {};
  }
}

bool MayCreate(const v1::Command& open) {
  return (open.open_flags() & (v1::OPEN_MAY_CREATE | v1::OPEN_MUST_CREATE)) != 0;
}

bool WriterDropsOwn(v1::CommandKind kind) {
  switch (kind) {
    case v1::SET_CONTENTS:
    case v1::ADD:
    case v1::SET_ACL:
    case v1::DELETE:
    case v1::ACQUIRE:
    case v1::RELEASE:
    case v1::CLOSE:
    case v1::POISON:
      return true;
    default:
      return false;
  }
}

void SetCovers(const Touches& touches, v1::Command& command) {
  command.clear_covers();
  for (const Touch& touch : touches) {
    command.add_covers(touch.id);
    command.add_covers(touch.classes);
  }
}

Touches CoversOf(const v1::Command& command) {
  Touches touches;
  for (int i = 0; i + 1 < command.covers_size(); i += 2) {
    touches.push_back({command.covers(i), static_cast<uint32_t>(command.covers(i + 1))});
  }
  return touches;
}

}  // namespace bramah

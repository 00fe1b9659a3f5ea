#include "core/cell/command_check.h"

#include <algorithm>

#include "core/api/path.h"
#include "core/api/sequencer.h"

namespace bramah::cell {
namespace {

constexpr uint32_t kAllOpenFlags =
    v1::OPEN_WRITE | v1::OPEN_MAY_CREATE | v1::OPEN_MUST_CREATE | v1::OPEN_DIRECTORY | v1::OPEN_EPHEMERAL | v1::OPEN_CHANGE_ACL |
    v1::OPEN_SESSION_OWNED | v1::OPEN_BOTH;

// What is both is a directory that has contents besides. What a session owns goes with it, whoever has it open: it cannot go with
// its last handle, and it must not keep children of others from going or be kept by them, so it is a file [D-46].
bool IsKind(uint32_t flags) {
  const bool directory = (flags & v1::OPEN_DIRECTORY) != 0;
  const bool owned = (flags & v1::OPEN_SESSION_OWNED) != 0;
  if ((flags & v1::OPEN_BOTH) != 0 && !directory) return false;
  return !owned || (!directory && (flags & v1::OPEN_EPHEMERAL) == 0);
}

bool IsOpen(const v1::Command& command) {
  if ((command.open_flags() & ~kAllOpenFlags) != 0 || command.lock_delay_ns() < 0 || command.events() > kAllEvents) return false;
  const bool file = !(command.open_flags() & v1::OPEN_DIRECTORY);
  return IsKind(command.open_flags()) && (file || (command.open_flags() & v1::OPEN_BOTH) || command.contents().empty());
}

// A call can be given up, or an Acquire be undone, only by a later command.
bool IsEarlier(const v1::Command& command, uint64_t seq) { return seq != 0 && seq < command.seq(); }

bool IsClose(const v1::Command& command) {
  return std::all_of(command.gives_up().begin(), command.gives_up().end(),
                     [&](uint64_t seq) { return IsEarlier(command, seq); });
}

// The sender waits for the answer to what it sends. An Acquire is the exception: QUEUED ended its call, and a copy only asks
// what became of it [A-05, PR-18].
bool IsNumbered(const v1::Command& command) {
  return command.seq() != 0 && (command.first_outstanding() <= command.seq() || command.kind() == v1::ACQUIRE);
}

// What a Batch may change: nodes, through handles or by creating them. No part is a Batch.
bool IsPart(const v1::Command& batch, const v1::Command& part) {
  if (part.session() != batch.session() || part.guards_size() + part.parts_size() + part.otherwise_size() > 0) return false;
  if (part.sequencer().size() > kSequencerBytesMax) return false;
  switch (part.kind()) {
    case v1::SET_CONTENTS:
    case v1::ADD:
    case v1::SET_ACL:
    case v1::DELETE:
      return part.handle() != 0;
    case v1::CREATE:
      return part.handle() == 0 && part.events() == 0 && part.lock_delay_ns() == 0 && IsOpen(part) &&
             (part.open_flags() & ~uint32_t{v1::OPEN_DIRECTORY}) == v1::OPEN_MUST_CREATE;
    case v1::GUARD:
      return (part.handle() != 0) == part.path().empty();
    default:
      return false;
  }
}

bool IsBatch(const v1::Command& batch) {
  const auto is_guard = [&](const v1::Command& part) { return part.kind() == v1::GUARD && IsPart(batch, part); };
  const auto is_change = [&](const v1::Command& part) { return part.kind() != v1::GUARD && IsPart(batch, part); };
  return std::all_of(batch.guards().begin(), batch.guards().end(), is_guard) &&
         std::all_of(batch.parts().begin(), batch.parts().end(), is_change) &&
         std::all_of(batch.otherwise().begin(), batch.otherwise().end(), is_change);
}

}  // namespace

bool WellFormed(const v1::Command& command) {
  if (command.sequencer().size() > kSequencerBytesMax) return false;
  const bool numbered = IsNumbered(command);
  const bool on_handle = numbered && command.handle() != 0;
  switch (command.kind()) {
    case v1::NEW_EPOCH:
    case v1::EXPIRE_SESSION:
    case v1::EXPIRE_LOCK_DELAYS:
      return true;
    case v1::SET_LEASE_MAX:
      return command.lease_max_ns() > 0 && command.lease_max_ns() <= kLeaseLongest;
    case v1::CREATE_SESSION:
      return (command.nonce_high() != 0 || command.nonce_low() != 0) && command.principal().size() <= kComponentBytesMax;
    case v1::RESERVE:
      return true;
    case v1::END_SESSION:
      return numbered;
    case v1::BATCH:
      return numbered && command.handle() == 0 && IsBatch(command);
    case v1::OPEN:
      return on_handle && IsOpen(command);
    case v1::CLOSE:
    case v1::POISON:
      return on_handle && IsClose(command);
    case v1::SET_CONTENTS:
    case v1::SET_ACL:
    case v1::ADD:
    case v1::DELETE:
      return on_handle;
    case v1::ACQUIRE:
      return on_handle && (command.mode() == v1::SHARED || command.mode() == v1::EXCLUSIVE);
    case v1::RELEASE:
      return on_handle && (command.acquire_seq() == 0 || IsEarlier(command, command.acquire_seq()));
    default:
      return false;
  }
}

}  // namespace bramah::cell

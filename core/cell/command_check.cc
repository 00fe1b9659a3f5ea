#include "core/cell/command_check.h"

#include <algorithm>

#include "core/api/path.h"
#include "core/api/sequencer.h"

namespace bramah::cell {
namespace {

constexpr uint32_t kAllOpenFlags =
    v1::OPEN_WRITE | v1::OPEN_MAY_CREATE | v1::OPEN_MUST_CREATE | v1::OPEN_DIRECTORY | v1::OPEN_EPHEMERAL | v1::OPEN_CHANGE_ACL;

bool IsOpen(const v1::Command& command) {
  if ((command.open_flags() & ~kAllOpenFlags) != 0 || command.lock_delay_ns() < 0 || command.events() > kAllEvents) return false;
  return !(command.open_flags() & v1::OPEN_DIRECTORY) || command.contents().empty();
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
    case v1::END_SESSION:
      return numbered;
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

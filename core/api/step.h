// The only door between a node (server or client) and the world: Step(now, const Input&, Effects&).
//
// A node is a value. Step is a total function: any input in any state, bounded work, no I/O, no clock. `now` is the node's own
// monotonic clock, read after the input was taken from the kernel, once per input.
#ifndef BRAMAH_CORE_API_STEP_H_
#define BRAMAH_CORE_API_STEP_H_

#include <cstdint>
#include <string>
#include <type_traits>
#include <variant>

#include "absl/types/span.h"
#include "core/api/files.h"
#include "core/base/ids.h"
#include "core/base/mac.h"
#include "core/base/time.h"
#include "core/wire/kinds.h"

namespace bramah {

// Whose data a directory holds. `disk` is drawn at formatting; zero in an expectation means "any".
struct Identity {
  std::string cell;
  ReplicaId member;
  uint64_t disk_high = 0;
  uint64_t disk_low = 0;
};

enum class CloseReason : uint8_t {
  kPeerClosed,     // the other side, or its process, is gone
  kUnreachable,    // connecting failed
  kMalformed,      // bytes that are no frame
  kForeign,        // another cell, member or version than expected
  kStalled,        // given up by this node: nothing was heard for too long
  kSuperseded,     // a newer connection of the same session exists
  kShutdown,       // this node stops
};

// Timers are data: arming replaces, firing late or once too often is harmless. Few per node.
enum class TimerId : uint8_t {
  kElection,   // server: no leader heard
  kHeartbeat,  // server: leader's next round
  kSessions,   // server: next thing due in the queue of session leases and held KeepAlives
  kConnect,    // both: dial again
  kStorage,    // server: idle mark of the log
  kContinue,   // both: work left over from a bounded step
  kLease,      // client: local lease end, grace end
  kProbe,      // client: KeepAlive retransmission and stream probes
  kRetry,      // client: unanswered calls
  kCount,
};
inline constexpr int kTimerCount = static_cast<int>(TimerId::kCount);

// ------------------------------------------------------------------------------------------------------------------- input
// Views, borrowed for one Step; whoever drives owns the data.

// First input of an incarnation, exactly once. `expect` and `files` are for servers (null and empty for clients); a server whose
// directory holds anything else than `expect` halts. `seed` is the node's source of randomness and must differ between boots;
// what is drawn from it may become known. `secret` (servers) is drawn from nothing that does: the cell may keep it as its own.
struct Boot {
  const Identity* expect = nullptr;
  uint64_t seed = 0;
  absl::Span<const FileInfo> files;
  MacKey secret;
};
// The connection is usable and the peer said `peer`. Ids of dialled connections are the node's own choice (odd), ids of accepted
// ones the driver's (even).
struct ConnUp {
  ConnId conn;
  const v1::Hello* peer = nullptr;
};
// The connection is gone, or could not be made; nothing more arrives from it.
struct ConnDown {
  ConnId conn;
  CloseReason why = CloseReason::kPeerClosed;
};
// The queue of a slow peer fell below its low-water mark.
struct Writable {
  ConnId conn;
};
struct Deliver {
  ConnId conn;
  Message message;
};
struct TimerFired {
  TimerId timer;
};
// A batch completed; `reads` holds one Blob per kRead of the batch, in order.
struct DiskDone {
  Lane lane;
  Ticket ticket;
  absl::Span<const Blob> reads;
};
// Operations before number `op` of the batch were done; `op` and later ones are unknown.
struct DiskFailed {
  Lane lane;
  Ticket ticket;
  uint16_t op;
  DiskError error;
};
// The embedding application asks its client library. `command` uses the kinds OPEN_SESSION and those a client may send. Without
// `wait` a call that is made in jeopardy, and would have to wait for its end, is answered JEOPARDY at once and nothing is done; one
// that was made before waits through it like any other [D-28].
struct Call {
  CallId call;
  const v1::Command* command = nullptr;
  bool wait = true;
};
// Whether the node's clock is to be believed, whenever that changes: the driver compares it with one that nobody adjusts
// (RateWatch). It is until told otherwise. A node whose clock is not gives up what rests on time: authority, votes, its session's
// lease.
struct ClockRate {
  bool trusted = true;
};
using Input = std::variant<Boot, ConnUp, ConnDown, Writable, Deliver, TimerFired, DiskDone, DiskFailed, Call, ClockRate>;
static_assert(std::is_trivially_copyable_v<Input> && sizeof(Input) <= 56);

class Effects;  // core/api/effects.h

}  // namespace bramah

#endif  // BRAMAH_CORE_API_STEP_H_

// Connections: who talks to whom. A connection has two ends; an end exists from Connect (dialler) or acceptance until its process
// closes it, hears that it is down, or dies. The other end may live on for a while, as with TCP.
#ifndef BRAMAH_SIM_WORLD_CONNECTIONS_H_
#define BRAMAH_SIM_WORLD_CONNECTIONS_H_

#include <cstdint>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "sim/world/event_queue.h"
#include "sim/world/frames.h"

namespace bramah::sim {

inline constexpr uint32_t kNoConnection = UINT32_MAX;

// One end of a connection: side 0 dialled, side 1 accepted.
struct ConnectionEnd {
  uint32_t connection = kNoConnection;
  uint8_t side = 0;
  ConnectionEnd other() const { return {connection, static_cast<uint8_t>(1 - side)}; }
  explicit operator bool() const { return connection != kNoConnection; }
};

struct Connection {
  enum State : uint8_t {
    kAbsent,   // the accepting side before it accepted
    kDialing,  // the dialling side before ConnUp
    kUp,
    kGone,
  };
  struct End {
    State state = kAbsent;
    ProcessId process = 0;
    uint32_t incarnation = 0;
    ConnId id;           // at its process
    Time usable_at = 0;  // kDialing: when ConnUp arrives, once that is known; nothing is delivered before
    bool told = false;   // news of the end of the connection is on its way here
  };
  End end[2];
  FrameId hello = 0;     // of the dialler, until it was delivered
};

// Never forgets: ids are not reused within a run.
class Connections {
 public:
  ConnectionEnd Add(ProcessId from, uint32_t incarnation, ConnId id, ProcessId to, FrameId hello) {
    Connection& connection = all_.emplace_back();
    connection.end[0] = {Connection::kDialing, from, incarnation, id, 0, false};
    connection.end[1].process = to;
    connection.hello = hello;
    return {static_cast<uint32_t>(all_.size() - 1), 0};
  }
  Connection& of(ConnectionEnd end) { return all_[end.connection]; }
  Connection::End& at(ConnectionEnd end) { return all_[end.connection].end[end.side]; }
  const Connection::End& at(ConnectionEnd end) const { return all_[end.connection].end[end.side]; }
  // The even id that the accepting side knows a connection by.
  static ConnId AcceptedId(ConnectionEnd end) { return ConnId(2 * (uint64_t{end.connection} + 1)); }
  // The end that has this even id; nothing if there is none.
  ConnectionEnd Accepted(ConnId id) const {
    const uint64_t number = id.value() / 2;
    if (number == 0 || number > all_.size()) return ConnectionEnd();
    return {static_cast<uint32_t>(number - 1), 1};
  }

 private:
  std::vector<Connection> all_;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_WORLD_CONNECTIONS_H_

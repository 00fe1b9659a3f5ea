// Connections and messages between processes. Opening one takes a packet each way; a cut path swallows packets silently, so a
// dialler then gives up after a time-out, and a live end of a connection whose other end is gone learns it by sending (a reset),
// as with TCP.
#include <algorithm>

#include "core/base/check.h"
#include "sim/plan/streams.h"
#include "sim/world/world.h"

namespace bramah::sim {
namespace {

constexpr Duration kDialTimeout = 500 * kMillisecond;

auto Locate(auto& connections, ConnId conn) {
  return std::lower_bound(connections.begin(), connections.end(), conn,
                          [](const auto& entry, ConnId id) { return entry.first < id; });
}

uint64_t PacketKey(ConnectionEnd end, uint64_t what) { return uint64_t{end.connection} << 3 | uint64_t{end.side} << 2 | what; }

}  // namespace

void World::Attach(Host& host, ConnId conn, ConnectionEnd end) {
  const auto at = Locate(host.connections, conn);
  BRAMAH_CHECK(at == host.connections.end() || at->first != conn);
  host.connections.insert(at, {conn, end});
}

void World::Detach(Host& host, ConnId conn) {
  const auto at = Locate(host.connections, conn);
  if (at != host.connections.end() && at->first == conn) host.connections.erase(at);
}

// What `host` knows as `conn`, unless that end is gone.
ConnectionEnd World::FindEnd(const Host& host, ConnId conn) const {
  if (conn.value() % 2 == 0) {
    const ConnectionEnd end = connections_.Accepted(conn);
    if (!end) return ConnectionEnd();
    const Connection::End& mine = connections_.at(end);
    return mine.process == host.id && mine.state == Connection::kUp ? end : ConnectionEnd();
  }
  const auto at = Locate(host.connections, conn);
  return at != host.connections.end() && at->first == conn ? at->second : ConnectionEnd();
}

// -------------------------------------------------------------------------------------------------------------------- opening

void World::OnListen(Host& host, const Effects::ConnectOp& op) {
  if (host.listening) frames_.Release(host.hello);
  host.listening = true;
  host.hello = frames_.Encode(MessageKind::kHello, op.hello);
  Fold(frames_.hash(host.hello));
}

void World::OnConnect(Host& host, const Effects::ConnectOp& op) {
  BRAMAH_CHECK(op.conn.value() % 2 == 1);
  Fold(op.conn.value());
  Fold(Hash64(op.endpoint));
  const FrameId hello = frames_.Encode(MessageKind::kHello, op.hello);
  Fold(frames_.hash(hello));
  ProcessId to = host.id;  // an endpoint that does not exist refuses, as the own one does
  for (ProcessId replica = 0; replica < replicas_; ++replica) {
    if (hosts_[replica]->name == op.endpoint) to = replica;
  }
  const ConnectionEnd end = connections_.Add(host.id, host.incarnation, op.conn, to, hello);
  Attach(host, op.conn, end);
  if (links_.IsCut(host.id, to)) return TellDown(end, now_ + kDialTimeout, CloseReason::kUnreachable);
  Schedule(now_ + links_.Delay(host.id, to, PacketKey(end, 0)), {.kind = Happening::kDialed, .process = to, .a = end.connection});
}

void World::OnDialed(const Happening& what) {
  Host& host = *hosts_[what.process];
  if (host.paused) return host.backlog.push_back(what);
  const ConnectionEnd end{what.a, 1};
  Connection& connection = connections_.of(end);
  const FrameId hello = connection.hello;
  const ProcessId dialler = connection.end[0].process;
  if (host.node == nullptr || !host.listening || dialler == host.id) return Refuse(end.other(), !host.machine_up);
  connection.end[1] = {Connection::kUp, host.id, host.incarnation, Connections::AcceptedId(end), 0, false};
  Attach(host, connection.end[1].id, end);
  if (links_.IsCut(host.id, dialler)) {
    TellDown(end.other(), now_ + kDialTimeout, CloseReason::kUnreachable);
  } else {
    const Time back = now_ + links_.Delay(host.id, dialler, PacketKey(end, 1));
    frames_.Share(host.hello);
    connection.end[0].usable_at = back;
    Schedule(back, {.kind = Happening::kUp,
                    .process = dialler,
                    .incarnation = connection.end[0].incarnation,
                    .a = end.connection,
                    .b = host.hello});
  }
  const ConnUp up{Connections::AcceptedId(end), frames_.Decode(hello).As<v1::Hello>()};
  const uint64_t hash = FoldHash(up.conn.value(), frames_.hash(hello));
  frames_.Release(hello);
  Step(host, up, hash);
}

// Nobody accepted. A packet back says so, unless the machine is dead or the path is cut.
void World::Refuse(ConnectionEnd dialler, bool silently) {
  const ProcessId to = connections_.at(dialler).process;
  const ProcessId from = connections_.at(dialler.other()).process;
  frames_.Release(connections_.of(dialler).hello);
  const bool silent = silently || links_.IsCut(from, to);
  const Duration delay = silent ? kDialTimeout : links_.Delay(from, to, PacketKey(dialler.other(), 1));
  TellDown(dialler, now_ + delay, CloseReason::kUnreachable);
}

void World::OnUp(const Happening& what) {
  Host& host = *hosts_[what.process];
  if (host.paused) return host.backlog.push_back(what);
  const ConnectionEnd end{what.a, 0};
  Connection::End& mine = connections_.at(end);
  const FrameId hello = what.b;
  if (mine.state != Connection::kDialing) {
    frames_.Release(hello);
    return Reset(end);
  }
  mine.state = Connection::kUp;
  const ConnUp up{mine.id, frames_.Decode(hello).As<v1::Hello>()};
  const uint64_t hash = FoldHash(mine.id.value(), frames_.hash(hello));
  frames_.Release(hello);
  Step(host, up, hash);
}

// -------------------------------------------------------------------------------------------------------------------- closing

// News of the end reaches `end` at `at`, at most once.
void World::TellDown(ConnectionEnd end, Time at, CloseReason why) {
  Connection::End& told = connections_.at(end);
  if (told.told) return;
  told.told = true;
  Schedule(at, {.kind = Happening::kDown,
                .small = end.side,
                .process = told.process,
                .a = end.connection,
                .b = static_cast<uint32_t>(why)});
}

void World::OnDown(const Happening& what) {
  Host& host = *hosts_[what.process];
  if (host.paused) return host.backlog.push_back(what);
  const ConnectionEnd end{what.a, what.small};
  Connection::End& mine = connections_.at(end);
  if (mine.state != Connection::kDialing && mine.state != Connection::kUp) return;
  mine.state = Connection::kGone;
  Detach(host, mine.id);
  Step(host, ConnDown{mine.id, static_cast<CloseReason>(what.b)}, FoldHash(mine.id.value(), what.b));
}

void World::OnClose(Host& host, ConnId conn) {
  const ConnectionEnd end = FindEnd(host, conn);
  if (!end) return;
  Detach(host, conn);
  connections_.at(end).state = Connection::kGone;
  Reset(end);
}

// `silent` is gone; its other end hears of that, if the path is open.
void World::Reset(ConnectionEnd silent) {
  const ProcessId from = connections_.at(silent).process;
  const Connection::End& other = connections_.at(silent.other());
  if (other.state != Connection::kUp && other.state != Connection::kDialing) return;
  if (links_.IsCut(from, other.process)) return;
  TellDown(silent.other(), now_ + links_.Delay(from, other.process, PacketKey(silent, 2)), CloseReason::kPeerClosed);
}

// The process of all these ends died. The kernel of a live machine says goodbye for it; a dead machine says nothing.
void World::DropConnections(Host& host, bool silently) {
  for (const auto& [conn, end] : host.connections) {
    connections_.at(end).state = Connection::kGone;
    if (!silently) Reset(end);
  }
  host.connections.clear();
}

// What waited for a paused process that then died.
void World::DropBacklog(Host& host) {
  for (const Happening& what : host.backlog) {
    if (what.kind == Happening::kFrame || what.kind == Happening::kUp) frames_.Release(what.b);
    if (what.kind == Happening::kDialed) Refuse({what.a, 0}, !host.machine_up);
  }
  host.backlog.clear();
}

// ------------------------------------------------------------------------------------------------------------------- messages

// Takes over the reference to `frame`.
void World::Leave(Host& host, ConnectionEnd end, FrameId frame, const Claim& claim) {
  const uint64_t hash = frames_.hash(frame);
  if (observer_ != nullptr && IsReplica(host.id)) observer_->MessageLeft(now_, host.id, claim);
  const Connection::End& to = connections_.at(end.other());
  const Fate fate = links_.Next(host.id, to.process, hash);
  if (fate.lost || fate.breaks || links_.IsCut(host.id, to.process)) {
    frames_.Release(frame);
    if (!fate.breaks) return;
    TellDown(end.other(), now_ + fate.delay, CloseReason::kPeerClosed);
    return TellDown(end, now_ + links_.Delay(to.process, host.id, PacketKey(end, 3)), CloseReason::kPeerClosed);
  }
  const Happening arrival{.kind = Happening::kFrame,
                          .small = static_cast<uint8_t>(1 - end.side),
                          .process = to.process,
                          .a = end.connection,
                          .b = frame};
  Schedule(std::max(to.usable_at, now_ + fate.delay), arrival);
  if (!fate.duplicate) return;
  frames_.Share(frame);
  Schedule(std::max(to.usable_at, now_ + fate.second_delay), arrival);
}

void World::OnFrame(const Happening& what) {
  Host& host = *hosts_[what.process];
  if (host.paused) return host.backlog.push_back(what);
  const ConnectionEnd end{what.a, what.small};
  const Connection::End& mine = connections_.at(end);
  const FrameId frame = what.b;
  if (mine.state != Connection::kUp) {
    frames_.Release(frame);
    if (host.machine_up) Reset(end);
    return;
  }
  const Deliver deliver{mine.id, frames_.Decode(frame)};
  const uint64_t hash = FoldHash(mine.id.value(), frames_.hash(frame));
  frames_.Release(frame);
  Step(host, deliver, hash);
}

}  // namespace bramah::sim

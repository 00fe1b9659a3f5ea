#include "core/replica/peers.h"

#include <algorithm>

namespace bramah::replica {

void Peers::Dial(Time now, const v1::Configuration& configuration, const v1::Hello& hello, Duration retry, Effects& out) {
  Time next = kNever;
  for (const v1::Member& member : configuration.members()) {
    if (member.id() == hello.member()) continue;
    Peer& peer = peers_[ReplicaId(member.id())];
    if (peer.conn) continue;
    if (peer.dial_at > now) {
      next = std::min(next, peer.dial_at);
      continue;
    }
    peer.conn = ConnId(next_conn_);
    next_conn_ += 2;
    peer.dial_at = now + retry;
    out.Connect(peer.conn, member.endpoint()) = hello;
  }
  if (next != kNever) out.Arm(TimerId::kConnect, next);
}

ReplicaId Peers::MemberOf(ConnId conn) const {
  for (const auto& [id, peer] : peers_) {
    if (peer.conn == conn) return id;
  }
  return ReplicaId();
}

void Peers::Up(ConnId conn) { peers_[MemberOf(conn)].up = true; }

bool Peers::IsUp(ConnId conn) const {
  const auto it = peers_.find(MemberOf(conn));
  return it != peers_.end() && it->second.up;
}

ReplicaId Peers::Down(Time now, ConnId conn, Duration retry) {
  const ReplicaId id = MemberOf(conn);
  if (!id) return id;
  Peer& peer = peers_[id];
  peer.conn = ConnId();
  peer.up = false;
  peer.dial_at = std::max(peer.dial_at, now + retry);
  return id;
}

}  // namespace bramah::replica

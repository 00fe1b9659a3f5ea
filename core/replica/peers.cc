#include "core/replica/peers.h"

#include <algorithm>

namespace bramah::replica {

void Peers::Dial(Time now, const v1::Configuration& configuration, uint64_t version, const v1::Hello& hello, Duration retry,
                 Effects& out) {
  if (complete_ && version == dialled_) return;
  dialled_ = version;
  complete_ = true;
  Time next = kNever;
  for (const v1::Member& member : configuration.members()) {
    if (member.id() == hello.member()) continue;
    Peer& peer = peers_[ReplicaId(member.id())];
    if (peer.conn) continue;
    if (peer.dial_at > now) {
      next = std::min(next, peer.dial_at);
      complete_ = false;
      continue;
    }
    peer.conn = ConnId(next_conn_);
    next_conn_ += 2;
    peer.dial_at = now + retry;
    out.Connect(peer.conn, member.endpoint()) = hello;
  }
  if (next != kNever && next != armed_at_) out.Arm(TimerId::kConnect, next);
  armed_at_ = next;
}

ReplicaId Peers::MemberOf(ConnId conn) const {
  for (const auto& [id, peer] : peers_) {
    if (peer.conn == conn) return id;
  }
  return ReplicaId();
}

void Peers::Up(ConnId conn) {
  if (const ReplicaId id = MemberOf(conn)) peers_[id].up = true;
}

bool Peers::IsUp(ConnId conn) const {
  return std::any_of(peers_.begin(), peers_.end(),
                     [conn](const auto& entry) { return entry.second.conn == conn && entry.second.up; });
}

void Peers::TellAll(const v1::StateDigest& message, Effects& out) const {
  for (const auto& [id, peer] : peers_) {
    if (peer.up) out.Send<v1::StateDigest>(peer.conn) = message;
  }
}

ReplicaId Peers::Down(Time now, ConnId conn, Duration retry) {
  const ReplicaId id = MemberOf(conn);
  if (!id) return id;
  Peer& peer = peers_[id];
  complete_ = false;
  peer.conn = ConnId();
  peer.up = false;
  peer.dial_at = std::max(peer.dial_at, now + retry);
  return id;
}

}  // namespace bramah::replica

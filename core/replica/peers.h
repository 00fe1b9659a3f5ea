// Peers: this replica's dialled connections to the other members, one each; requests travel on them, answers come back on them.
#ifndef BRAMAH_CORE_REPLICA_PEERS_H_
#define BRAMAH_CORE_REPLICA_PEERS_H_

#include <optional>
#include <string_view>

#include "core/api/effects.h"
#include "core/api/step.h"
#include "core/base/small_map.h"

namespace bramah::replica {

class Peers {
 public:
  // Dials every member of `configuration` but `self` that is not connected or being dialled and whose pause is over; arms
  // kConnect for the rest. `version` changes whenever `configuration` does: in most steps there is nobody to dial and nobody new.
  // `hello` is what we say.
  void Dial(Time now, const v1::Configuration& configuration, uint64_t version, const v1::Hello& hello, Duration retry,
            Effects& out);

  // The member that `conn` was dialled for; none if it is not one of ours.
  ReplicaId MemberOf(ConnId conn) const;
  void Up(ConnId conn);
  bool IsUp(ConnId conn) const;
  // Sends every member that is connected a copy of `message`.
  void TellAll(const v1::StateDigest& message, Effects& out) const;
  // The connection is gone or was refused: the next Dial tries again after `retry`. Returns whose it was.
  ReplicaId Down(Time now, ConnId conn, Duration retry);

 private:
  struct Peer {
    ConnId conn;       // none: not dialled
    bool up = false;
    Time dial_at = 0;  // not before
  };

  SmallMap<ReplicaId, Peer> peers_;
  uint64_t next_conn_ = 1;  // odd: ours to choose
  bool complete_ = false;   // nobody of configuration `dialled_` waits to be dialled
  uint64_t dialled_ = 0;
  Time armed_at_ = kNever;  // the next dialling that waits
};

}  // namespace bramah::replica

#endif  // BRAMAH_CORE_REPLICA_PEERS_H_

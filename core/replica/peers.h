// Peers: this replica's dialled connections to the other members, one each; requests travel on them, answers come back on them.
#ifndef BRAMAH_CORE_REPLICA_PEERS_H_
#define BRAMAH_CORE_REPLICA_PEERS_H_

#include <optional>
#include <string_view>
#include <vector>

#include "core/api/effects.h"
#include "core/api/step.h"

namespace bramah::replica {

class Peers {
 public:
  // Nobody waits to be dialled, if the configuration is still that of the last Dial.
  bool complete() const { return complete_; }
  // Dials every member of `configuration` but `self` that is not connected or being dialled and whose pause is over; arms
  // kConnect for the rest. `hello` is what we say.
  void Dial(Time now, const v1::Configuration& configuration, const v1::Hello& hello, Duration retry, Effects& out);

  // The member that `conn` was dialled for; none if it is not one of ours.
  ReplicaId MemberOf(ConnId conn) const;
  void Up(ConnId conn);
  bool IsUp(ConnId conn) const;
  // The connection is gone or was refused: the next Dial tries again after `retry`. Returns whose it was.
  ReplicaId Down(Time now, ConnId conn, Duration retry);

 private:
  struct Peer {
    ReplicaId id;
    ConnId conn;       // none: not dialled
    bool up = false;
    Time dial_at = 0;  // not before
  };
  Peer& Of(ReplicaId id);

  std::vector<Peer> peers_;  // a handful: asked about in every step
  uint64_t next_conn_ = 1;  // odd: ours to choose
  bool complete_ = false;
  Time armed_at_ = kNever;  // the next dialling that waits
};

}  // namespace bramah::replica

#endif  // BRAMAH_CORE_REPLICA_PEERS_H_

// Connection: the one stream to a replica that the client uses at a time - dialling, the greeting, and whether it is alive.
//
// A stream that says nothing is asked (Ping) and then abandoned: TCP would take minutes to notice. Any byte counts as
// life. Every dial carries a higher connection number, so that a server can tell which copy of a request is the newest.
#ifndef BRAMAH_CORE_CLIENT_CONNECTION_H_
#define BRAMAH_CORE_CLIENT_CONNECTION_H_

#include <cstdint>
#include <string>

#include "core/api/effects.h"
#include "core/api/step.h"
#include "core/client/client.h"
#include "core/client/locator.h"
#include "core/client/session.h"

namespace bramah::client {

class Connection {
 public:
  explicit Connection(const ClientConfig* config) : config_(config), locator_(config) {}
  void Seed(uint64_t seed) { locator_.Seed(seed); }

  // The stream on which messages may be sent; none while there is none.
  ConnId up() const { return phase_ == Phase::kUp ? conn_ : ConnId(); }
  // Who is at the other end of it.
  ReplicaId member() const { return member_; }

  // Does what is due: dial, give up a dial or a silent stream, ask a quiet one. The greeting says whose stream it is,
  // and proves it by the nonce of the session.
  void Run(Time now, const Session& session, Effects& out);
  // Returns whether the stream is usable now. Strangers are turned away.
  bool OnUp(Time now, const ConnUp& up, Effects& out);
  void OnDown(Time now, const ConnDown& down);
  // Something arrived on `conn`. False: not on the present stream, to be ignored.
  bool Hear(Time now, ConnId conn);
  void OnPing(const v1::Ping& ping, Effects& out) const;

  // The peer answered as the serving master.
  void Succeed() { locator_.Succeed(); }
  // The peer is not the master. Does nothing without a stream.
  void NotMaster(Time now, const v1::Located& located, Effects& out);
  // The stream is of no use: closes it, if there is one, and goes on to the next endpoint.
  void Abandon(Time now, CloseReason why, Effects& out);
  // No stream is needed until the next Run.
  void Drop(Effects& out);

  // From now on only replicas of the present peer's cell will do, until UnpinCell.
  void PinCell() { cell_ = peer_cell_; }
  void UnpinCell() { cell_.clear(); }

  // When Run has to do with dialling, and with a stream that is up; kNever: nothing to do.
  Time DialAt() const;
  Time ProbeAt() const;

 private:
  enum class Phase : uint8_t { kIdle, kDialling, kUp };

  bool IsForeign(const v1::Hello* peer) const;

  const ClientConfig* config_;
  Locator locator_;
  Phase phase_ = Phase::kIdle;
  ConnId conn_;                 // of the latest dial
  uint64_t dials_ = 0;          // also the connection number
  Time dialled_at_ = 0;
  Time heard_at_ = 0;           // last arrival on the stream
  Time asked_at_ = kNever;      // first Ping since then
  Time pinged_at_ = 0;          // latest Ping
  uint64_t pings_ = 0;
  ReplicaId member_;
  std::string peer_cell_;
  std::string cell_;            // pinned; empty: any
};

}  // namespace bramah::client

#endif  // BRAMAH_CORE_CLIENT_CONNECTION_H_

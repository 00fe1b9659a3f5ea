// StaleReads: reads by name that any replica may answer from what it has applied. They need neither a session nor a handle
// nor a master, so that they work when the cell has lost its majority.
//
// The library presents the highest entry whose effects it has seen in any answer, and a replica that has not applied that yet
// refuses: so what an application sees never goes back, whoever answers. A new library has seen nothing and takes what there is.
#ifndef BRAMAH_CORE_CLIENT_STALE_READS_H_
#define BRAMAH_CORE_CLIENT_STALE_READS_H_

#include <cstdint>
#include <map>

#include "core/api/effects.h"
#include "core/client/client.h"

namespace bramah::client {

class StaleReads {
 public:
  explicit StaleReads(const ClientConfig* config) : config_(config) {}

  // Whether a call is one of these.
  static bool Is(const v1::Command& command) { return command.stale(); }
  // Whether a Reply with this id answers one of these.
  static bool IsId(uint64_t id) { return (id & kMark) != 0; }

  // `conn`: where to send; none: nowhere.
  void Accept(Time now, ConnId conn, CallId call, const v1::Command& asked, Effects& out);
  // Everything again: there is a new stream.
  void Resend(Time now, ConnId conn, Effects& out);
  // What has waited for keepalive_retry.
  void Retry(Time now, ConnId conn, Effects& out);
  // False: this replica cannot answer, another may. REQUIRES: IsId(reply.id()).
  bool OnReply(const v1::Reply& reply, Effects& out);
  // Some answer showed the state after this entry.
  void Saw(uint64_t applied_index);
  // Answers all with CANCELLED.
  void GiveUp(Effects& out);

  bool wanted() const { return !reads_.empty(); }
  uint32_t pending() const { return static_cast<uint32_t>(reads_.size()); }
  Time retry_at() const { return reads_.empty() ? kNever : retry_at_; }

 private:
  static constexpr uint64_t kMark = uint64_t{1} << 63;  // no id of Calls has it
  struct Read {
    CallId call;
    v1::Command command;
  };
  void Send(uint64_t id, const Read& read, ConnId conn, Effects& out) const;

  const ClientConfig* config_;
  std::map<uint64_t, Read> reads_;  // by id
  uint64_t last_id_ = kMark;
  uint64_t seen_ = 0;               // highest entry that any answer showed
  Time retry_at_ = kNever;
};

}  // namespace bramah::client

#endif  // BRAMAH_CORE_CLIENT_STALE_READS_H_

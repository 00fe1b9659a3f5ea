// What one server is told at start. Replicated settings (members, E_min, rho, lease) only bootstrap: once the log has a
// configuration, that one counts.
#ifndef BRAMAH_CORE_REPLICA_CONFIG_H_
#define BRAMAH_CORE_REPLICA_CONFIG_H_

#include <cstdint>
#include <string>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/cell/cell.h"
#include "core/storage/storage.h"
#include "core/wire/wire.pb.h"

namespace bramah::replica {

// How the master proves that its answer is current [D-03]. Both linearizable.
enum class ReadMode : uint8_t {
  kLease,   // authority by L1: no message, needs the clock bound
  kQuorum,  // ReadIndex: one majority round that starts after the request arrived [Diss §6.4]
};

struct ServerConfig {
  std::string cell = "local";
  ReplicaId self;
  v1::Configuration bootstrap;  // the same on every replica of a new cell; members must contain `self`

  // Raft timing, this replica's own. An election timeout is drawn from [election_min, 2 * election_min] of the configuration in
  // force; REQUIRES heartbeat < election_min / 2.
  Duration heartbeat = 50 * kMillisecond;
  uint32_t append_entries_max = 64;       // per message, >= 1
  uint64_t append_bytes_max = 1 << 20;    // payload per message; one larger entry still travels alone
  uint32_t append_inflight_max = 8;       // messages per follower before an acknowledgement is needed
  uint64_t snapshot_after_bytes = 1 << 20;   // log bytes since the last snapshot that trigger the next
  uint64_t snapshot_after_entries = 10'000;  // or that many entries
  uint32_t snapshot_chunk_bytes = 256 << 10;
  uint32_t step_work_max = 256;           // entries applied per Step; the rest is resumed by kContinue
  Duration connect_retry = 100 * kMillisecond;

  ReadMode read_mode = ReadMode::kLease;
  Duration keepalive_margin = 5 * kSecond;  // a KeepAlive is answered when so much of the lease is left [D-24]
  // Leases are made so long, but no longer than a minute, that all sessions together send one KeepAlive per so much; 0: their
  // number does not count [D-25].
  Duration keepalive_spacing = kSecond / 1'500;
  uint32_t session_items_max = 512;         // unacknowledged items of a session from which on it loses events, and is told so
  uint32_t requests_inflight_max = 4'096;   // client commands proposed and not yet applied
  uint32_t writes_held_max = 65'536;        // client commands that wait until caches are flushed
  uint32_t session_cache_max = 4'096;       // nodes and absent names of which a session keeps answers; then it starts over
  uint32_t cache_max = 2'000'000;           // the same, of all sessions together; then no more is kept

  cell::Limits limits;
  storage::Options storage;
};

}  // namespace bramah::replica

#endif  // BRAMAH_CORE_REPLICA_CONFIG_H_

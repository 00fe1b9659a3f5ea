// CellView: a cell's state as plain data, for invariants and for checkers outside. Reading it decides nothing.
#ifndef BRAMAH_CORE_CELL_VIEW_H_
#define BRAMAH_CORE_CELL_VIEW_H_

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/wire/wire.pb.h"

namespace bramah::cell {

struct HolderView {
  SessionId session;
  HandleId handle;
  RequestSeq seq;           // of the Acquire
  Duration lock_delay = 0;  // of its handle
  uint32_t permit = 0;
  Position generation = {};  // of the permit, or of the lock if shared
  friend auto operator<=>(const HolderView&, const HolderView&) = default;
};

struct WaiterView {
  Position since;  // of the entry that queued it
  SessionId session;
  HandleId handle;
  RequestSeq seq;
  v1::LockMode mode = v1::FREE;
  friend auto operator<=>(const WaiterView&, const WaiterView&) = default;
};

struct LockView {
  std::string path;
  Position instance;
  v1::LockMode mode = v1::FREE;
  Position generation;               // of the present or latest period of being held
  uint32_t permits = 1;
  uint32_t permit = 0;               // what is described is this one alone; 0: or the whole lock
  std::vector<HolderView> holders;   // by session, handle
  std::vector<WaiterView> waiters;   // in queue order
  friend bool operator==(const LockView&, const LockView&) = default;
};

struct NodeView {
  std::string path;
  Position instance;
  Position parent;
  bool directory = false;
  bool ephemeral = false;
  bool both = false;
  SessionId owner;  // none: it goes with nobody's session
  Position content_changed;
  Time changed_at = 0;
  uint64_t content_generation = 0;
  uint64_t content_length = 0;
  uint64_t children = 0;    // as the node counts them
  uint64_t children_made = 0;
  uint64_t references = 0;  // as the node counts them
  Position children_changed;
  std::string acl_read;
  std::string acl_write;
  std::string acl_change;
  uint64_t acl_generation = 0;
  LockView lock;
  friend bool operator==(const NodeView&, const NodeView&) = default;
};

struct HandleView {
  HandleId handle;
  Position instance;  // the node may be gone
  bool readable = false;
  bool writable = false;
  bool changes_acl = false;
  Duration lock_delay = 0;
  uint32_t events = 0;
  Position waits;  // `since` of its waiter, if any
  friend bool operator==(const HandleView&, const HandleView&) = default;
};

// Who may do what with the node of a handle.
struct AccessView {
  struct List {
    std::string name;                     // of the ACL
    std::optional<std::string> contents;  // of its file; nothing if there is none
  };
  std::string path;
  std::string principal;  // of the session
  HandleView handle;
  List read;
  List write;
  List change;
};

struct SessionView {
  SessionId session;
  uint64_t nonce_high = 0;
  uint64_t nonce_low = 0;
  std::string principal;
  RequestSeq first_outstanding;
  std::vector<RequestSeq> answered;  // in the exactly-once table, rising
  std::vector<HandleView> handles;   // by id
  std::vector<HandleId> reopened;    // open, though they were closed before
};

struct LostPermitView {
  Time until = 0;
  uint32_t of = 1;  // so many permits the lock had
  friend bool operator==(const LostPermitView&, const LostPermitView&) = default;
};

// A lock-delay that is pending.
struct DelayView {
  std::string path;
  std::map<uint32_t, LostPermitView> permits;  // of which exclusive holders were lost
  Time exclusive = 0;                // 0: this part is not pending
  friend bool operator==(const DelayView&, const DelayView&) = default;
};

struct CellView {
  Position last;                      // of the latest entry applied
  Time time = 0;                      // cluster time of it
  bool has_secret = false;            // for check digits
  Duration lease_max = 0;             // 0: never set
  std::vector<NodeView> nodes;        // in path order
  std::vector<SessionView> sessions;  // by id
  std::vector<DelayView> delays;      // by path
};

}  // namespace bramah::cell

#endif  // BRAMAH_CORE_CELL_VIEW_H_

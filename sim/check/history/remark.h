// What answers say of a node besides its existence and contents: its ACLs, its lock, its children.
#ifndef BRAMAH_SIM_CHECK_HISTORY_REMARK_H_
#define BRAMAH_SIM_CHECK_HISTORY_REMARK_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/api/sequencer.h"
#include "core/base/ids.h"
#include "core/wire/wire.pb.h"

namespace bramah::sim {

struct AclRemark {
  uint64_t generation = 0;           // there was, or came to be; 0: not told, or if it may have been any
  bool set = false;                  // by this very call
  std::array<uint64_t, 3> names{};   // hashes of those for read, write and change that were seen or set; 0: not told
};

struct LockRemark {
  enum Kind : uint8_t {
    kNothing,
    kShown,     // `generation` is the latest; held in `mode`, or free since
    kHeld,      // somebody holds `permit` in `mode` since `generation`
    kReleased,  // that hold, which was the handle's, ended by this very call
    kOver,      // nobody holds like that any more
    kAsked,     // an Acquire of which nobody knows if it was granted, or when
    kInUse,     // somebody held the lock, or waited for it
  };
  Kind kind = kNothing;
  v1::LockMode mode = v1::FREE;
  uint32_t permit = 0;
  uint32_t permits = 0;     // how many there are; 0: not told
  uint64_t generation = 0;  // position of the entry that granted; 0: never held
  uint64_t asked = 0;       // kHeld: no earlier than this; 0: it is an older hold
  HandleId handle;          // kHeld by an Acquire
};

struct ChildrenRemark {
  bool told = false;
  uint64_t changed = 0;  // position of the entry that last changed them
  std::optional<uint64_t> count;
  std::optional<uint64_t> made;
};

// All this was so at one instant between call and answer.
struct Remark {
  uint32_t client = 0;
  CallId call;
  v1::CommandKind kind = v1::NONE;
  bool maybe = false;  // the outcome is unknown: it was so at any time after the call, or never
  uint64_t called = 0;  // as in Operation
  uint64_t answered = UINT64_MAX;
  uint64_t instance = 0;
  uint64_t content_generation = 0;  // 0: not told
  AclRemark acl;
  LockRemark lock;
  ChildrenRemark children;

  bool Empty() const { return acl.generation == 0 && !acl.set && lock.kind == LockRemark::kNothing && !children.told; }
};

// By name, in the order in which the outcomes became known.
using RemarksByPath = absl::btree_map<std::string, std::vector<Remark>>;

// "c3 call 7 (GET_STAT)"
std::string Describe(const Remark& remark);

// What a command would set; what an answer shows.
std::array<uint64_t, 3> NamesOf(const v1::Command& command);
AclRemark AclOf(const v1::Outcome& stat);
LockRemark LockOf(const v1::Outcome& stat);
LockRemark LockOf(const Sequencer& sequencer, LockRemark::Kind kind);
ChildrenRemark ChildrenOf(v1::CommandKind kind, const v1::Outcome& outcome);
// What cannot be of one node, whichever.
std::optional<std::string> Impossible(v1::CommandKind kind, const v1::Outcome& outcome);

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_HISTORY_REMARK_H_

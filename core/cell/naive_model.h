// NaiveModel: the same commands as Cell, written to be obviously right instead of fast or elegant. It keeps flat lists, looks
// through all of them for every question, and after each command repeats "grant what can be granted" and "remove what nothing
// keeps" until nothing changes. The state machine test runs both.
#ifndef BRAMAH_CORE_CELL_NAIVE_MODEL_H_
#define BRAMAH_CORE_CELL_NAIVE_MODEL_H_

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/cell/cell.h"

namespace bramah::cell {

class NaiveModel {
 public:
  explicit NaiveModel(const Limits& limits) : limits_(limits) {
    Node& root = nodes_["/"];
    root.instance = position_;
    root.directory = true;
  }

  // `position` and `time` are those of the entry.
  Applied Apply(uint64_t position, Time time, const v1::Command& command);
  v1::Outcome Read(const v1::Command& command) const;
  // Locks that are held, in path order.
  std::vector<LockView> HeldLocks() const;
  std::vector<std::string> Paths() const;
  // Lock-delays that are pending, in path order.
  std::vector<DelayView> Delays() const;
  Duration lease_max() const { return lease_max_; }

 private:
  struct Hold {
    uint64_t session, handle, seq;
    uint32_t permit;
    uint64_t generation;
  };
  struct Wait {
    uint64_t since, session, handle, seq;
    v1::LockMode mode;
  };
  struct Node {
    uint64_t instance = 0;
    bool directory = false;
    bool ephemeral = false;
    bool both = false;
    uint64_t owner = 0;
    std::string contents;
    uint64_t content_generation = 1;
    uint64_t content_changed = static_cast<uint64_t>(3) << 48;
    Time changed_at = 0;
    uint64_t lock_generation = 0;
    uint64_t children_changed = 0;
    uint64_t children_made = 0;
    std::string acl_read = "everyone";
    std::string acl_write = "everyone";
    std::string acl_change = "everyone";
    uint64_t acl_generation = 1;
    uint32_t permits = 1;
    v1::LockMode mode = v1::FREE;
    std::vector<Hold> holds;  // by session, handle
    std::vector<Wait> waits;  // in order
  };
  struct Handle {
    uint64_t instance = 0;
    bool readable = false;
    bool writable = false;
    bool changes_acl = false;
    bool open = true;  // closed ones are kept: their ids are spent
    Duration lock_delay = 0;
    uint32_t events = 0;
    uint64_t check_digits = 0;
  };

  Applied Change(uint64_t position, Time time, const v1::Command& command);
  // What happened to nodes since `before`, and who asked to be told of it.
  void Compare(const std::map<std::string, Node>& before, const v1::Command& command);
  v1::Outcome Execute(const v1::Command& command);
  void Open(const v1::Command& command, v1::Outcome& outcome);
  // Why the node of an OPEN or CREATE cannot be made.
  bool LeadsThrough(std::string path, uint64_t instance) const;
  v1::Code WhyNotMake(const v1::Command& command) const;
  Node Made(const v1::Command& command) const;  // without an instance
  Node& Make(const v1::Command& command, uint64_t instance);
  void Batch(const v1::Command& command, v1::Outcome& outcome);
  // Whether the handle is that of the command that was applied, or of one of the parts that it has made.
  bool ActedThrough(const v1::Command& command, uint64_t handle) const;
  // Whether what the guard says is so; `refusal`: why that must not be asked.
  bool IsTrue(const v1::Command& guard, v1::Code& refusal) const;
  // What the part of a Batch would answer if it were alone, and by how much it would let names and contents grow.
  std::pair<v1::Outcome, size_t> Try(const v1::Command& part) const;
  // Of names and contents.
  size_t Bytes() const;
  void Acquire(const v1::Command& command, Node& node, v1::Outcome& outcome);
  void Release(const v1::Command& command, Node& node, v1::Outcome& outcome);
  void Delete(const v1::Command& command, const std::string& path, v1::Outcome& outcome);
  // The node goes, whoever uses it, but for one holder who is not said to have lost anything.
  void Take(const std::string& path, std::pair<uint64_t, uint64_t> by);
  void TakeOwned(uint64_t session);
  void Set(const v1::Command& command, Node& node, v1::Outcome& outcome);
  void SetAcl(const v1::Command& command, Node& node, v1::Outcome& outcome);
  void Add(const v1::Command& command, Node& node, v1::Outcome& outcome);
  void Write(Node& node, const std::string& contents, v1::Outcome& outcome);
  bool May(uint64_t session, const std::string& acl) const;
  void Forget(uint64_t session, uint64_t handle, bool whole_session);
  // The handle, or the whole session, goes without having let go of its locks.
  void Lose(uint64_t session, uint64_t handle, bool whole_session);
  v1::Code Judge(const std::string& sequencer) const;
  // Of holders and delays alone; who waits is not looked at.
  bool Free(const std::string& path, v1::LockMode mode) const;
  // The same if no delay were pending.
  static bool FreeOfHolders(const Node& node, v1::LockMode mode);
  // The new holder; `wanted.since` does not matter.
  const Hold& Give(const std::string& path, const Wait& wanted);
  void StartDelay(const std::string& path, uint32_t permits, v1::LockMode mode, const Hold& hold, Duration delay);
  void EndDelays(const std::string& path);
  void Settle();
  bool RemoveOneAbandoned();
  void GiveUp(uint64_t session, uint64_t seq, uint64_t handle);
  // The fate of a waiter overwrites its QUEUED, if that is still kept.
  void Tell(const Wait& wait, const v1::Outcome& fate);
  static std::string ParentOf(const std::string& path);
  static bool IsChild(const std::string& path, const std::string& parent);
  const std::string* PathOf(uint64_t instance) const;
  const Handle* FindOpen(uint64_t session, uint64_t handle) const;
  // The same, if the command knows the check digits.
  const Handle* FindNamed(const v1::Command& command) const;
  size_t ChildCount(const std::string& path) const;
  // Closed ids are remembered as runs without a gap, and there is a quota for these as for open ones.
  size_t ClosedRuns(uint64_t session) const;

  Limits limits_;
  Time time_ = 0;
  Duration lease_max_ = 0;
  std::map<std::string, std::map<uint32_t, LostPermitView>> closed_;  // by path: nobody gets the permit before, or shares
  std::map<std::string, Time> no_writers_;                  // by path: nobody gets it exclusively before
  MacKey secret_;
  std::string name_;
  uint64_t position_ = static_cast<uint64_t>(3) << 48;
  Applied applied_;
  bool judged_ = false;  // parts of a Batch are being done, and may be
  std::map<std::string, Node> nodes_;
  std::map<uint64_t, std::pair<uint64_t, uint64_t>> sessions_;  // id -> nonce
  std::map<uint64_t, std::string> principals_;                   // by session
  std::map<uint64_t, uint64_t> first_;                          // session -> first outstanding
  std::map<std::pair<uint64_t, uint64_t>, Handle> handles_;
  std::map<std::pair<uint64_t, uint64_t>, v1::Outcome> answers_;  // (session, seq)
};

}  // namespace bramah::cell

#endif  // BRAMAH_CORE_CELL_NAIVE_MODEL_H_

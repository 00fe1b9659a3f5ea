// A cell under test: every command is checked against the invariants, the slow digest and a snapshot taken right after it.
#ifndef BRAMAH_CORE_CELL_TEST_CELL_H_
#define BRAMAH_CORE_CELL_TEST_CELL_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/cell/cell.h"
#include "core/lock/acl.h"

namespace bramah::cell {

inline constexpr uint32_t kTestIncarnation = 3;

// The position of log entry `index` in the test cell.
constexpr uint64_t At(uint64_t index) { return static_cast<uint64_t>(kTestIncarnation) << 48 | index; }

// Builders of commands. `first` is first_outstanding; 1 trims nothing.
v1::Command Create(uint64_t nonce, const std::string& principal = "me");
v1::Command Expire(uint64_t session);
v1::Command End(uint64_t session, uint64_t seq, v1::SessionEnd reason = v1::END_CLOSED);
v1::Command NewEpoch(const MacKey& secret);
v1::Command ExpireDelays();
v1::Command SetLeaseMax(Duration lease_max);
v1::Command Watching(v1::Command open, uint32_t events);
v1::Command Delayed(v1::Command open, Duration lock_delay);
v1::Command OpenPath(uint64_t session, uint64_t seq, uint64_t handle, std::string_view path, uint32_t flags,
                     std::string_view contents = {});
v1::Command CloseOf(uint64_t session, uint64_t seq, uint64_t handle, std::vector<uint64_t> gives_up = {});
v1::Command PoisonOf(uint64_t session, uint64_t seq, uint64_t handle, std::vector<uint64_t> gives_up = {});
v1::Command Set(uint64_t session, uint64_t seq, uint64_t handle, std::string_view contents);
v1::Command CompareAndSet(uint64_t session, uint64_t seq, uint64_t handle, std::string_view contents, uint64_t generation);
v1::Command AddOf(uint64_t session, uint64_t seq, uint64_t handle, int64_t delta);
v1::Command Bounded(v1::Command add, int64_t min, int64_t max);
v1::Command DeleteOf(uint64_t session, uint64_t seq, uint64_t handle);
v1::Command AcquireOf(uint64_t session, uint64_t seq, uint64_t handle, v1::LockMode mode, bool try_only = false);
v1::Command ReleaseOf(uint64_t session, uint64_t seq, uint64_t handle, uint64_t acquire_seq = 0);
v1::Command ReadOf(v1::CommandKind kind, uint64_t session, uint64_t handle);
v1::Command CheckOf(uint64_t session, const std::string& sequencer, v1::LockMode mode = v1::FREE);
// Empty names are left as they are.
v1::Command SetAclOf(uint64_t session, uint64_t seq, uint64_t handle, const lock::AclNames& names);
v1::Command WithAcl(v1::Command open, const lock::AclNames& names);
v1::Command WithPermits(v1::Command open, uint32_t permits);
v1::Command Guarded(v1::Command command, const std::string& sequencer);
// Of a Batch, and its parts: made by the builders above with seq 0, or by these.
v1::Command BatchOf(uint64_t session, uint64_t seq, std::vector<v1::Command> guards, std::vector<v1::Command> parts,
                    std::vector<v1::Command> otherwise = {});
v1::Command GuardOf(uint64_t session, uint64_t handle);
v1::Command Equalling(v1::Command guard, std::string_view contents);
v1::Command AbsenceOf(uint64_t session, std::string_view path);
v1::Command MakePath(uint64_t session, std::string_view path, uint32_t flags = 0, std::string_view contents = {});
v1::Command Reserve();
v1::Command First(v1::Command command, uint64_t first_outstanding);

class TestCell {
 public:
  explicit TestCell(const Limits& limits = Limits());
  TestCell(const TestCell&) = delete;

  // The next entries are made so much later.
  void Advance(Duration by) { time_ += by; }
  Time time() const { return time_; }
  // Applies the next log entry; fails the running test if anything that must always hold does not. A command without check digits
  // gets those of its handle, and so do reads.
  const Applied& Apply(const v1::Command& command);
  v1::Command Stamped(v1::Command command) const;
  // The same for a Batch, after the entries that reserve its positions.
  const Applied& ApplyBatch(const v1::Command& batch);
  // The code it answers.
  v1::Code Do(const v1::Command& command) { return Apply(command).outcome.code(); }
  v1::Outcome Read(v1::CommandKind kind, uint64_t session, uint64_t handle) const;
  v1::Outcome Read(const v1::Command& command) const;
  // A new session's id.
  uint64_t Session(const std::string& principal = "me");
  // The present lock of `path`; must be held.
  LockView Lock(std::string_view path) const;
  bool Exists(std::string_view path) const;

  const Cell& cell() const { return cell_; }
  const Applied& applied() const { return applied_; }
  uint64_t index() const { return index_; }  // of the last entry
  bool Reached(ProbeId id) const { return probes_.Reached(id); }
  std::string Saved() const;
  // The encoded state without position and time of the last entry, which every command changes.
  std::string State() const;

 private:
  Limits limits_;
  Cell cell_;
  CellView view_;
  Applied applied_;
  Probes probes_;
  uint64_t index_ = 0;
  Time time_ = 0;
  uint64_t nonces_ = 0;
  std::map<std::pair<uint64_t, uint64_t>, uint64_t> digits_;  // by session and handle
};

}  // namespace bramah::cell

#endif  // BRAMAH_CORE_CELL_TEST_CELL_H_

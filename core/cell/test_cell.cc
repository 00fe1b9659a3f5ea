#include "core/cell/test_cell.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "core/cell/invariants.h"

namespace bramah::cell {
namespace {

// Everything but the exactly-once tables.
bool SameButAnswers(const CellView& a, const CellView& b) {
  if (a.has_secret != b.has_secret || a.lease_max != b.lease_max) return false;
  if (a.nodes != b.nodes || a.delays != b.delays) return false;
  if (a.sessions.size() != b.sessions.size()) return false;
  for (size_t i = 0; i < a.sessions.size(); ++i) {
    if (a.sessions[i].session != b.sessions[i].session || a.sessions[i].handles != b.sessions[i].handles) return false;
  }
  return true;
}

// A node is a set of parts, each of which may change only if it was touched.
uint32_t Changed(const NodeView* before, const NodeView* after) {
  if (before == nullptr || after == nullptr) return kCacheNode;
  uint32_t classes = 0;
  const auto note = [&classes](bool same, uint32_t touched) { classes |= same ? 0 : touched; };
  note(before->content_generation == after->content_generation && before->content_changed == after->content_changed &&
           before->changed_at == after->changed_at,
       v1::CACHE_DATA | v1::CACHE_STAT);
  note(before->acl_generation == after->acl_generation && before->acl_read == after->acl_read &&
           before->acl_write == after->acl_write && before->acl_change == after->acl_change,
       v1::CACHE_STAT);
  note(before->lock == after->lock, v1::CACHE_LOCK_STATE);
  note(before->children == after->children && before->children_changed == after->children_changed &&
           before->children_made == after->children_made,
       v1::CACHE_CHILDREN);
  return classes;
}

//
void ExpectTouched(const CellView& before, const CellView& after, const Touches& touches) {
  std::map<Position, std::pair<const NodeView*, const NodeView*>> nodes;
  for (const NodeView& node : before.nodes) nodes[node.instance].first = &node;
  for (const NodeView& node : after.nodes) nodes[node.instance].second = &node;
  for (const auto& [instance, pair] : nodes) {
    const bool made = pair.first == nullptr;  // nobody can have kept anything but that it was not there
    const uint64_t id = made ? AbsenceId(pair.second->path) : CacheId(instance);
    const uint32_t changed = made ? uint32_t{v1::CACHE_ABSENCE} : Changed(pair.first, pair.second);
    uint32_t touched = 0;
    for (const Touch& touch : touches) touched |= touch.id == id ? touch.classes : 0;
    EXPECT_EQ(changed & ~touched, 0u) << "more was changed than touched of " << (made ? pair.second : pair.first)->path;
  }
}

v1::Command OfSession(v1::CommandKind kind, uint64_t session, uint64_t seq, uint64_t handle) {
  v1::Command command;
  command.set_kind(kind);
  command.set_session(session);
  command.set_seq(seq);
  command.set_first_outstanding(1);
  command.set_handle(handle);
  return command;
}

}  // namespace

v1::Command Create(uint64_t nonce, const std::string& principal) {
  v1::Command command;
  command.set_kind(v1::CREATE_SESSION);
  command.set_nonce_high(7);
  command.set_nonce_low(nonce);
  command.set_principal(principal);
  return command;
}

v1::Command Expire(uint64_t session) {
  v1::Command command;
  command.set_kind(v1::EXPIRE_SESSION);
  command.set_session(session);
  return command;
}

v1::Command End(uint64_t session, uint64_t seq, v1::SessionEnd reason) {
  v1::Command command = OfSession(v1::END_SESSION, session, seq, 0);
  command.set_reason(reason);
  return command;
}

v1::Command NewEpoch(const MacKey& secret) {
  v1::Command command;
  command.set_kind(v1::NEW_EPOCH);
  command.set_nonce_low(secret.low);
  command.set_nonce_high(secret.high);
  command.set_path("demo");
  return command;
}

v1::Command ExpireDelays() {
  v1::Command command;
  command.set_kind(v1::EXPIRE_LOCK_DELAYS);
  return command;
}

v1::Command SetLeaseMax(Duration lease_max) {
  v1::Command command;
  command.set_kind(v1::SET_LEASE_MAX);
  command.set_lease_max_ns(lease_max);
  return command;
}

v1::Command Watching(v1::Command open, uint32_t events) {
  open.set_events(events);
  return open;
}

v1::Command Delayed(v1::Command open, Duration lock_delay) {
  open.set_lock_delay_ns(lock_delay);
  return open;
}

v1::Command OpenPath(uint64_t session, uint64_t seq, uint64_t handle, std::string_view path, uint32_t flags,
                     std::string_view contents) {
  v1::Command command = OfSession(v1::OPEN, session, seq, handle);
  command.set_path(std::string(path));
  command.set_open_flags(flags);
  command.set_contents(std::string(contents));
  return command;
}

v1::Command CloseOf(uint64_t session, uint64_t seq, uint64_t handle, std::vector<uint64_t> gives_up) {
  v1::Command command = OfSession(v1::CLOSE, session, seq, handle);
  for (const uint64_t given_up : gives_up) command.add_gives_up(given_up);
  return command;
}

v1::Command PoisonOf(uint64_t session, uint64_t seq, uint64_t handle, std::vector<uint64_t> gives_up) {
  v1::Command command = CloseOf(session, seq, handle, std::move(gives_up));
  command.set_kind(v1::POISON);
  return command;
}

v1::Command Set(uint64_t session, uint64_t seq, uint64_t handle, std::string_view contents) {
  v1::Command command = OfSession(v1::SET_CONTENTS, session, seq, handle);
  command.set_contents(std::string(contents));
  return command;
}

v1::Command CompareAndSet(uint64_t session, uint64_t seq, uint64_t handle, std::string_view contents, uint64_t generation) {
  v1::Command command = Set(session, seq, handle, contents);
  command.set_compare(true);
  command.set_generation(generation);
  return command;
}

v1::Command AddOf(uint64_t session, uint64_t seq, uint64_t handle, int64_t delta) {
  v1::Command command = OfSession(v1::ADD, session, seq, handle);
  command.set_delta(delta);
  return command;
}

v1::Command Bounded(v1::Command add, int64_t min, int64_t max) {
  add.set_bounded(true);
  add.set_min(min);
  add.set_max(max);
  return add;
}

v1::Command DeleteOf(uint64_t session, uint64_t seq, uint64_t handle) { return OfSession(v1::DELETE, session, seq, handle); }

v1::Command AcquireOf(uint64_t session, uint64_t seq, uint64_t handle, v1::LockMode mode, bool try_only) {
  v1::Command command = OfSession(v1::ACQUIRE, session, seq, handle);
  command.set_mode(mode);
  command.set_try_only(try_only);
  return command;
}

v1::Command ReleaseOf(uint64_t session, uint64_t seq, uint64_t handle, uint64_t acquire_seq) {
  v1::Command command = OfSession(v1::RELEASE, session, seq, handle);
  command.set_acquire_seq(acquire_seq);
  return command;
}

v1::Command ReadOf(v1::CommandKind kind, uint64_t session, uint64_t handle) { return OfSession(kind, session, 0, handle); }

v1::Command CheckOf(uint64_t session, const std::string& sequencer, v1::LockMode mode) {
  v1::Command command = OfSession(v1::CHECK_SEQUENCER, session, 0, 0);
  command.set_sequencer(sequencer);
  command.set_mode(mode);
  return command;
}

v1::Command WithAcl(v1::Command command, const lock::AclNames& names) {
  command.set_acl_read(names.read);
  command.set_acl_write(names.write);
  command.set_acl_change(names.change);
  return command;
}

v1::Command SetAclOf(uint64_t session, uint64_t seq, uint64_t handle, const lock::AclNames& names) {
  return WithAcl(OfSession(v1::SET_ACL, session, seq, handle), names);
}

v1::Command Guarded(v1::Command command, const std::string& sequencer) {
  command.set_sequencer(sequencer);
  return command;
}

v1::Command WithPermits(v1::Command open, uint32_t permits) {
  open.set_permits(permits);
  return open;
}

v1::Command First(v1::Command command, uint64_t first_outstanding) {
  command.set_first_outstanding(first_outstanding);
  return command;
}

v1::Command BatchOf(uint64_t session, uint64_t seq, std::vector<v1::Command> guards, std::vector<v1::Command> parts,
                    std::vector<v1::Command> otherwise) {
  v1::Command batch = OfSession(v1::BATCH, session, seq, 0);
  for (v1::Command& guard : guards) *batch.add_guards() = std::move(guard);
  for (v1::Command& part : parts) *batch.add_parts() = std::move(part);
  for (v1::Command& part : otherwise) *batch.add_otherwise() = std::move(part);
  return batch;
}

v1::Command GuardOf(uint64_t session, uint64_t handle) { return OfSession(v1::GUARD, session, 0, handle); }

v1::Command Equalling(v1::Command guard, std::string_view contents) {
  guard.set_equals(true);
  guard.set_contents(std::string(contents));
  return guard;
}

v1::Command AbsenceOf(uint64_t session, std::string_view path) {
  v1::Command guard = GuardOf(session, 0);
  guard.set_path(std::string(path));
  return guard;
}

v1::Command MakePath(uint64_t session, std::string_view path, uint32_t flags, std::string_view contents) {
  v1::Command make = OpenPath(session, 0, 0, path, flags | v1::OPEN_MUST_CREATE, contents);
  make.set_kind(v1::CREATE);
  return make;
}

v1::Command Reserve() {
  v1::Command command;
  command.set_kind(v1::RESERVE);
  return command;
}

TestCell::TestCell(const Limits& limits) : limits_(limits), cell_(&limits_, kTestIncarnation), view_(cell_.View()) {}

v1::Command TestCell::Stamped(v1::Command command) const {
  const auto known = digits_.find({command.session(), command.handle()});
  if (command.check_digits() == 0 && known != digits_.end()) command.set_check_digits(known->second);
  for (auto* parts : {command.mutable_guards(), command.mutable_parts(), command.mutable_otherwise()}) {
    for (v1::Command& part : *parts) part = Stamped(part);
  }
  return command;
}

const Applied& TestCell::ApplyBatch(const v1::Command& batch) {
  for (uint32_t left = PositionsOf(batch); left > 1; --left) Apply(Reserve());
  return Apply(batch);
}

const Applied& TestCell::Apply(const v1::Command& asked) {
  const v1::Command command = Stamped(asked);
  ++index_;
  v1::Command covered = command;
  Touches touches;
  cell_.TouchedBy(command, time_, touches);
  SetCovers(touches, covered);
  cell_.Apply(LogIndex(index_), time_, covered, applied_, probes_);
  const CellView after = cell_.View();
  const auto problem = CheckInvariants(after);
  EXPECT_FALSE(problem.has_value()) << *problem;
  const auto step_back = CheckSuccession(view_, after);
  EXPECT_FALSE(step_back.has_value()) << *step_back;
  EXPECT_EQ(applied_.effect, !SameButAnswers(view_, after)) << command.ShortDebugString();
  ExpectTouched(view_, after, touches);
  EXPECT_EQ(cell_.digest(), cell_.DigestSlow());
  view_ = after;
  const std::string saved = Saved();
  Cell loaded(&limits_, 0);
  EXPECT_TRUE(loaded.Load(saved));
  EXPECT_EQ(loaded.digest(), cell_.digest());
  const v1::Outcome& outcome = applied_.outcome;
  if (outcome.check_digits() != 0) digits_[{command.session(), command.handle()}] = outcome.check_digits();
  // From here on the copy that went through the snapshot is the cell.
  cell_ = loaded;
  EXPECT_EQ(Saved(), saved);
  return applied_;
}

v1::Outcome TestCell::Read(v1::CommandKind kind, uint64_t session, uint64_t handle) const {
  return Read(ReadOf(kind, session, handle));
}

v1::Outcome TestCell::Read(const v1::Command& command) const {
  v1::Outcome outcome;
  cell_.Read(Stamped(command), outcome);
  return outcome;
}

uint64_t TestCell::Session(const std::string& principal) {
  const Applied& applied = Apply(Create(++nonces_, principal));
  EXPECT_EQ(applied.outcome.code(), v1::OK);
  return applied.outcome.session();
}

LockView TestCell::Lock(std::string_view path) const {
  for (LockView& lock : cell_.HeldLocks()) {
    if (lock.path == path) return lock;
  }
  ADD_FAILURE() << path << " is not locked";
  return {};
}

bool TestCell::Exists(std::string_view path) const {
  for (const NodeView& node : cell_.View().nodes) {
    if (node.path == path) return true;
  }
  return false;
}

std::string TestCell::Saved() const {
  std::string bytes;
  cell_.Save(&bytes);
  return bytes;
}

std::string TestCell::State() const { return Saved().erase(12, 16); }

}  // namespace bramah::cell

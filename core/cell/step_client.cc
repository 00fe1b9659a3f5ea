#include "core/cell/step_client.h"

#include <utility>

#include "core/cell/test_cell.h"
#include "core/lock/acl.h"

namespace bramah::cell {
namespace {

lock::AclNames AclNamesOf(const Step& step) {
  return {std::string(AclName(step.acl_read)), std::string(AclName(step.acl_write)), std::string(AclName(step.acl_change))};
}

std::string ContentsOf(const Step& step) {
  return step.lists > 0 ? std::string(Listing(step.lists)) : std::string(static_cast<size_t>(step.size), 's');
}

v1::Command Comparing(v1::Command command, const Step& step) {
  command.set_compare(step.generation > 0);
  command.set_generation(static_cast<uint64_t>(step.generation));
  return command;
}

}  // namespace

v1::Command StepClient::Begin(const Step& step, uint64_t new_nonce) {
  nonce = new_nonce;
  principal = step.principal;
  v1::Command create = Create(nonce, std::string(Principal(principal)));
  create.set_caches(step.caches != 0);
  return create;
}

v1::Command StepClient::New(const Step& step, const std::vector<std::string>& sequencers) {
  switch (step.kind) {
    case v1::CREATE_SESSION:
      return Create(nonce, std::string(Principal(principal + step.principal)));
    case v1::EXPIRE_SESSION:
      return Expire(session);
    case v1::EXPIRE_LOCK_DELAYS:
      return ExpireDelays();
    case v1::SET_LEASE_MAX:
      return SetLeaseMax(step.lease * kSecond);
    case v1::NEW_EPOCH:
      return NewEpoch({static_cast<uint64_t>(step.secret) % 3, static_cast<uint64_t>(step.secret) / 3});
    default:
      break;
  }
  ++seq;
  if (step.settles > 0 && seq >= static_cast<uint64_t>(step.settles)) {
    first = std::max(first, seq + 1 - static_cast<uint64_t>(step.settles));
  }
  v1::Command command = First(OfSession(step), first);
  if (UsesHandle(step)) command.set_check_digits(static_cast<uint64_t>(step.forged));
  if (step.sequencer == 0) return command;
  std::string sequencer = sequencers.empty() ? "none" : *FromLast(sequencers, step.sequencer - 1);
  if (step.flaw > 0) sequencer[static_cast<size_t>(step.flaw) % sequencer.size()] ^= 1;
  if (step.kind != v1::BATCH) return Guarded(command, sequencer);
  if (command.guards_size() > 0) command.mutable_guards(0)->set_sequencer(sequencer);
  if (command.parts_size() > 0) command.mutable_parts(0)->set_sequencer(sequencer);
  return command;
}

v1::Command StepClient::Again(const Step& step) {
  v1::Command copy = *FromLast(sent, step.nth);
  if (copy.kind() == v1::ACQUIRE && step.settles > 0) copy.set_first_outstanding(first);
  return copy;
}

void StepClient::Learn(const v1::Command& command, const v1::Outcome& outcome, bool alive) {
  if (command.kind() == v1::CREATE_SESSION && session == 0) session = outcome.session();
  if (command.session() != session) return;
  const v1::Code code = outcome.code();
  if (command.kind() == v1::OPEN && code == v1::OK) instances.push_back(outcome.instance());
  if (code == v1::BAD_HANDLE || (command.kind() == v1::OPEN && code != v1::OK)) std::erase(open, command.handle());
  if (alive) return;
  std::vector<v1::Command> before = std::move(sent);
  *this = StepClient();
  sent = std::move(before);
}

v1::Command StepClient::OfSession(const Step& step) {
  if (step.kind == v1::END_SESSION) return End(session, seq, step.abandoned ? v1::END_ABANDONED : v1::END_CLOSED);
  if (step.kind == v1::OPEN) return Open(step);
  if (step.kind == v1::BATCH) return Batch(step);
  const uint64_t handle = HandleOf(step);
  if (step.kind == v1::CLOSE || step.kind == v1::POISON) std::erase(open, handle);
  return OnHandle(step, handle);
}

v1::Command StepClient::OnHandle(const Step& step, uint64_t handle) {
  std::vector<uint64_t> gives_up;
  for (int64_t bit = 0; bit < 8; ++bit) {
    if ((step.gives_up >> bit & 1) != 0 && Before(bit + 1) != 0) gives_up.push_back(Before(bit + 1));
  }
  switch (step.kind) {
    case v1::CLOSE:
      return CloseOf(session, seq, handle, gives_up);
    case v1::POISON:
      return PoisonOf(session, seq, handle, gives_up);
    case v1::SET_CONTENTS:
      return Comparing(Set(session, seq, handle, ContentsOf(step)), step);
    case v1::SET_ACL:
      return Comparing(SetAclOf(session, seq, handle, AclNamesOf(step)), step);
    case v1::ADD:
      return step.bounds > 0 ? Bounded(AddOf(session, seq, handle, step.delta), -step.bounds, step.bounds)
                             : AddOf(session, seq, handle, step.delta);
    case v1::DELETE:
      return DeleteOf(session, seq, handle);
    case v1::ACQUIRE:
      return AcquireOf(session, seq, handle, step.exclusive ? v1::EXCLUSIVE : v1::SHARED, step.try_only != 0);
    default:
      return ReleaseOf(session, seq, handle, Before(step.undoes));
  }
}

v1::Command StepClient::Batch(const Step& step) const {
  const auto handle = [&](int64_t back) {
    Step use = step;
    use.nth += back;
    return HandleOf(use);
  };
  const std::vector<v1::Command> parts = {
      Comparing(Set(session, 0, handle(0), ContentsOf(step)), step),
      AddOf(session, 0, handle(1), step.delta),
      SetAclOf(session, 0, handle(2), AclNamesOf(step)),
      DeleteOf(session, 0, handle(3)),
      MakePath(session, MadeBy(step, 0), 0, Listing(step.lists)),
      MakePath(session, MadeBy(step, 1), step.size > 5 ? v1::OPEN_DIRECTORY : 0),
      Set(session, 0, handle(4), ContentsOf(step)),
  };
  const std::vector<v1::Command> guards = {
      GuardOf(session, handle(0)),
      Comparing(GuardOf(session, handle(0)), step),
      Equalling(GuardOf(session, handle(1)), Listing(step.lists)),
      AbsenceOf(session, MadeBy(step, 0)),
      AbsenceOf(session, PathOf(step)),
  };
  v1::Command batch = BatchOf(session, seq, {}, {});
  for (size_t i = 0; i < guards.size(); ++i) {
    if ((step.guards >> i & 1) != 0) *batch.add_guards() = guards[i];
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    if ((step.parts >> i & 1) != 0) *batch.add_parts() = parts[i];
  }
  if ((step.parts >> parts.size() & 1) != 0) *batch.add_otherwise() = parts.back();
  for (auto* part : {batch.mutable_guards(), batch.mutable_parts(), batch.mutable_otherwise()}) {
    for (v1::Command& command : *part) {
      if (command.handle() != 0) command.set_check_digits(static_cast<uint64_t>(step.forged));
    }
  }
  return batch;
}

v1::Command StepClient::Open(const Step& step) {
  const uint64_t handle = step.stray ? HandleOf(step) : ++handles;
  open.push_back(handle);
  const auto flags = static_cast<uint32_t>(step.flags);
  const bool empty = (flags & v1::OPEN_DIRECTORY) && !(flags & v1::OPEN_BOTH);
  const std::string_view contents = empty ? "" : Listing(step.lists);
  v1::Command made = OpenPath(session, seq, handle, PathOf(step), flags, contents);
  made = WithPermits(made, static_cast<uint32_t>(step.permits));
  if (step.through > 0 && !instances.empty()) made.set_through(*FromLast(instances, step.through - 1));
  return WithAcl(Watching(Delayed(made, step.lock_delay * kSecond), static_cast<uint32_t>(step.events)), AclNamesOf(step));
}

uint64_t StepClient::HandleOf(const Step& step) const {
  if (open.empty() || step.stray) return 1 + static_cast<uint64_t>(step.nth) % (handles + 1);
  return *FromLast(open, step.nth);
}

uint64_t StepClient::Before(int64_t back) const {
  return back > 0 && back < static_cast<int64_t>(seq) ? seq - static_cast<uint64_t>(back) : 0;
}

}  // namespace bramah::cell

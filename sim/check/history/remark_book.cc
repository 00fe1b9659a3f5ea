#include "sim/check/history/remark_book.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/api/sequencer.h"
#include "sim/check/guarded.h"

namespace bramah::sim {
namespace {

AclRemark Sets(const v1::Command& set) { return {set.compare() ? set.generation() + 1 : 0, true, NamesOf(set)}; }

}  // namespace

RemarkBook::Asked RemarkBook::Ask(uint32_t client, const v1::Command& command, uint64_t now) const {
  const v1::CommandKind kind = command.kind();
  Asked asked;
  Remark& remark = asked.remark;
  remark.client = client;
  remark.kind = kind;
  remark.called = now;
  if (kind == v1::SET_ACL) remark.acl = Sets(command);
  if (kind == v1::OPEN || kind == v1::CREATE) remark.acl.names = NamesOf(command);
  if (kind == v1::CHECK_SEQUENCER || kind == v1::SET_SEQUENCER) asked.sequencer = command.sequencer();
  if (kind == v1::CHECK_SEQUENCER || kind == v1::ACQUIRE) remark.lock.mode = command.mode();
  const Handle* const handle = kind == v1::OPEN ? nullptr : handles_.Find(client, HandleId(command.handle()));
  if (handle == nullptr) return asked;
  if (kind == v1::RELEASE && !handle->released) remark.lock = handle->hold;
  remark.lock.permits = handle->permits;
  remark.lock.handle = HandleId(command.handle());
  if (IsGuarded(kind)) asked.sequencer = handle->tied;
  return asked;
}

void RemarkBook::Called(uint32_t client, const v1::Command& command, uint64_t now) {
  Handle* const handle = command.kind() == v1::OPEN ? nullptr : handles_.Find(client, HandleId(command.handle()));
  if (handle == nullptr) return;
  if (command.kind() == v1::RELEASE) handle->released = true;
  if (command.kind() == v1::SET_SEQUENCER) handle->tied.clear();
  if (command.kind() == v1::ACQUIRE && handle->under_way++ == 0) handle->asked = now;
}

void RemarkBook::Opened(uint32_t client, const v1::Outcome& outcome) {
  Handle handle;
  handle.permits = outcome.permits();
  handles_.Put(client, HandleId(outcome.handle()), std::move(handle));
}

RemarkBook::Problem RemarkBook::Answered(const Asked& asked, const About& about, uint64_t now, const v1::Outcome& outcome) {
  Remark remark = asked.remark;
  remark.call = about.call;
  remark.answered = now;
  remark.instance = about.instance;
  const bool ok = outcome.code() == v1::OK;
  if (remark.kind == v1::SET_SEQUENCER) {
    Handle* const handle = handles_.Find(remark.client, remark.lock.handle);
    if (ok && handle != nullptr) handle->tied = asked.sequencer;
    return std::nullopt;
  }
  if (!asked.sequencer.empty()) Sequenced(asked.sequencer, remark, outcome.code());
  switch (remark.kind) {
    case v1::ACQUIRE:
      return Acquired(remark, about.path, outcome);
    case v1::RELEASE:
      // Without an instance it is the library's answer, which goes on to hold the lock [C-49].
      if (!ok || outcome.instance() == 0 || remark.lock.generation == 0) return std::nullopt;
      remark.lock.kind = LockRemark::kReleased;
      Add(about.path, remark);
      return std::nullopt;
    case v1::SET_ACL:
      return AclSet(remark, about.path, outcome);
    default:
      return ok ? Read(remark, about.path, outcome) : std::nullopt;
  }
}

// A hold that the handle has already may be the library's to give again [C-49], so it counts like a read. A node that is gone may
// have been so only since the lock was granted.
RemarkBook::Problem RemarkBook::Acquired(Remark remark, std::string_view path, const v1::Outcome& outcome) {
  Handle* const handle = handles_.Find(remark.client, remark.lock.handle);
  if (handle == nullptr) return std::nullopt;
  const uint64_t asked = handle->asked;
  if (handle->under_way > 0) --handle->under_way;
  if (outcome.code() == v1::STALE_HANDLE) Unknown({remark, ""}, {remark.call, path, remark.instance});
  if (outcome.code() == v1::LOCK_CONFLICT) {
    remark.lock.kind = LockRemark::kInUse;
    Add(path, remark);
  }
  if (outcome.code() != v1::OK) return std::nullopt;
  if (outcome.lock_generation() == 0) return "grants the lock without a generation";
  if (outcome.lock_mode() != remark.lock.mode) return "grants the lock in another mode than was asked for";
  const bool again = handle->hold.generation == outcome.lock_generation();
  remark.lock.kind = LockRemark::kHeld;
  remark.lock.permit = outcome.permit();
  remark.lock.generation = outcome.lock_generation();
  remark.lock.asked = again ? 0 : asked;
  handle->hold = remark.lock;
  handle->released = false;
  if (!again || reads_count_) Add(path, remark);
  return std::nullopt;
}

RemarkBook::Problem RemarkBook::AclSet(Remark remark, std::string_view path, const v1::Outcome& outcome) {
  const uint64_t wanted = remark.acl.generation;  // if it compared
  const bool refused = outcome.code() == v1::GENERATION_MISMATCH;
  if (!refused && outcome.code() != v1::OK) return std::nullopt;
  remark.acl.generation = outcome.acl_generation();
  if (refused) remark.acl = {outcome.acl_generation(), false, {}};
  Add(path, remark);
  if (refused) return wanted == outcome.acl_generation() + 1 ? Problem("refuses the ACL generation that there is") : std::nullopt;
  if (wanted != 0 && wanted != outcome.acl_generation()) {
    return absl::StrCat("compared with ACL generation ", wanted - 1, " and made ", outcome.acl_generation());
  }
  return std::nullopt;
}

// What an Open shows of the ACLs is what it asked for, if it made the node.
RemarkBook::Problem RemarkBook::Read(Remark remark, std::string_view path, const v1::Outcome& outcome) {
  const v1::CommandKind kind = remark.kind;
  const bool stat = kind == v1::GET_STAT || kind == v1::GET_CONTENTS;
  if (kind == v1::OPEN || stat) remark.content_generation = outcome.content_generation();
  if (kind == v1::OPEN || kind == v1::CREATE) {
    const bool named = remark.acl.names != AclRemark().names;
    remark.acl.generation = outcome.created() && named ? 1 : 0;
  } else if (kind == v1::GET_SEQUENCER) {
    remark.lock.kind = LockRemark::kHeld;
    remark.lock.mode = outcome.lock_mode();
    remark.lock.permit = outcome.permit();
    remark.lock.generation = outcome.lock_generation();
  } else if (stat && outcome.acl_generation() != 0) {
    remark.acl = AclOf(outcome);
    remark.lock = LockOf(outcome);
    remark.children = ChildrenOf(kind, outcome);
  }
  if (kind == v1::OPEN || kind == v1::READ_DIR) remark.children = ChildrenOf(kind, outcome);
  Add(path, remark);
  return stat || kind == v1::READ_DIR ? Impossible(kind, outcome) : std::nullopt;
}

void RemarkBook::Sequenced(const std::string& sequencer, Remark remark, v1::Code code) {
  const std::optional<Sequencer> said = ParseSequencer(sequencer);
  if (!said || (code != v1::OK && code != v1::SEQUENCER_INVALID)) return;
  const bool checks = remark.kind == v1::CHECK_SEQUENCER;
  const bool other_mode = checks && remark.lock.mode != v1::FREE && remark.lock.mode != said->mode;
  if (other_mode) return;
  remark.instance = said->instance.value();
  remark.acl = {};
  remark.lock = LockOf(*said, code == v1::OK ? LockRemark::kHeld : LockRemark::kOver);
  Add(said->path, remark);
}

void RemarkBook::Unknown(const Asked& asked, const About& about) {
  Remark remark = asked.remark;
  const bool acquires = remark.kind == v1::ACQUIRE;
  if (!acquires && remark.kind != v1::SET_ACL) return;
  remark.call = about.call;
  remark.maybe = true;
  remark.answered = UINT64_MAX;
  remark.instance = about.instance;
  remark.lock.kind = acquires ? LockRemark::kAsked : LockRemark::kNothing;
  Add(about.path, remark);
}

void RemarkBook::Add(std::string_view path, const Remark& remark) {
  if (remark.instance != 0 && !remark.Empty()) remarks_[std::string(path)].push_back(remark);
}

}  // namespace bramah::sim

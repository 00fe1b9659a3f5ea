#include "core/cell/cell.h"

#include <algorithm>

#include "core/api/path.h"
#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/cell/command_check.h"

namespace bramah::cell {
namespace {

constexpr int kIndexBits = 48;

}  // namespace

void Applied::Clear() {
  outcome.Clear();
  effect = false;
  duplicate = false;
  decisions.clear();
  notices.clear();
  touches.clear();
  ended = SessionId();
}

Cell::Cell(const Limits* limits, uint32_t incarnation)
    : limits_(limits), incarnation_(incarnation), last_(PositionOf(LogIndex(0))), tree_(last_) {
  BRAMAH_CHECK(incarnation <= kIncarnationMax);
}

Position Cell::PositionOf(LogIndex index) const {
  return Position(static_cast<uint64_t>(incarnation_) << kIndexBits | index.value());
}

void Cell::Apply(LogIndex index, Time time, const v1::Command& command, Applied& applied, Probes& probes) {
  applied.Clear();
  Entry entry{PositionOf(index), command, nullptr, applied, probes};
  applied.outcome.set_seq(command.seq());
  applied.outcome.set_handle(command.handle());
  if (entry.position <= last_) return entry.Refuse(v1::MALFORMED);
  last_ = entry.position;
  time_ = std::max(time_, std::min(time, kClusterTimeMax));
  if (command.kind() != v1::RESERVE && command.kind() != v1::BATCH) reserved_ = 0;
  if (!WellFormed(command)) return entry.Refuse(v1::MALFORMED);
  switch (command.kind()) {
    case v1::RESERVE:
      reserved_ = std::min<uint32_t>(reserved_ + 1, kBatchPartsMax);
      break;
    case v1::NEW_EPOCH:
      NewEpoch(entry);
      break;
    case v1::CREATE_SESSION:
      CreateSession(entry);
      break;
    case v1::EXPIRE_SESSION:
      ExpireSession(entry);
      break;
    case v1::EXPIRE_LOCK_DELAYS:
      ExpireLockDelays(entry);
      break;
    case v1::SET_LEASE_MAX:
      SetLeaseMax(entry);
      break;
    default:
      ApplyOfSession(entry);
  }
  if (command.kind() == v1::BATCH) reserved_ = 0;
}

// A secret that never leaves the cell must be made in it: the first leader's is kept by all, those of later ones go by [D-01].
void Cell::NewEpoch(Entry& entry) {
  const MacKey offered{entry.command.nonce_low(), entry.command.nonce_high()};
  if (secret_ || !offered || !IsCellName(entry.command.path())) return;
  secret_ = offered;
  name_ = entry.command.path();
  entry.applied.effect = true;
}

void Cell::ApplyOfSession(Entry& entry) {
  session::Session* session = sessions_.Find(SessionId(entry.command.session()));
  if (session == nullptr) return entry.Refuse(v1::SESSION_EXPIRED);
  entry.session = session;
  session->results.Trim(RequestSeq(entry.command.first_outstanding()));
  if (!AnswerFromLock(entry) && !AnswerFromTable(entry)) Execute(entry);
  if (entry.session != nullptr) sessions_.Refresh(*session);
  SOMETIMES(entry.probes, kDuplicateAnswered, entry.applied.duplicate);
}

// A copy of an Acquire asks the lock first: its answer may have been trimmed while it waited, because QUEUED ended the call
// [A-05, PR-17, PR-18].
bool Cell::AnswerFromLock(Entry& entry) {
  if (entry.command.kind() != v1::ACQUIRE) return false;
  const session::Handle* handle = HandleOf(*entry.session, entry.command);
  if (handle == nullptr) return false;
  const RequestSeq seq(entry.command.seq());
  v1::Outcome& outcome = entry.outcome();
  const lock::Node* node = tree_.Find(handle->instance);
  if (node == nullptr) {
    // What became of a trimmed Acquire of this handle, if it waited: the node went away, and that is final.
    if (seq >= entry.session->results.first()) return false;
    outcome.set_code(v1::STALE_HANDLE);
    return true;
  }
  const lock::Hold* hold = node->lock.HoldOf(entry.owner());
  const bool holds = hold != nullptr && hold->seq == seq;
  const bool waits = handle->waits && node->lock.waiters().at(handle->waits).seq == seq;
  if (!holds && !waits) return false;
  outcome.set_code(holds ? v1::OK : v1::QUEUED);
  outcome.set_instance(node->instance.value());
  if (holds) Describe(*node, *hold, outcome);
  entry.applied.duplicate = true;
  return true;
}

// True if the command must not be executed: it was already, it is settled, or it is too far ahead.
bool Cell::AnswerFromTable(Entry& entry) {
  const session::Results& results = entry.session->results;
  const RequestSeq seq(entry.command.seq());
  if (seq < results.first()) {
    entry.Refuse(v1::CANCELLED);
    return true;
  }
  if (const session::Result* result = results.Find(seq)) {
    session::ToOutcome(*result, entry.outcome());
    entry.applied.duplicate = true;
    return true;
  }
  if (seq - results.first() >= limits_->results_per_session_max) {
    entry.Refuse(v1::LIMIT_REACHED);
    return true;
  }
  return false;
}

void Cell::Execute(Entry& entry) {
  if (entry.command.kind() == v1::BATCH && PositionsOf(entry.command) > reserved_ + 1) return entry.Refuse(v1::RECHECK);
  if (!Covered(entry)) return;
  switch (entry.command.kind()) {
    case v1::OPEN:
      Open(entry);
      break;
    case v1::CLOSE:
      Close(entry, /*lost=*/false);
      break;
    case v1::POISON:
      Close(entry, /*lost=*/true);
      break;
    case v1::SET_CONTENTS:
    case v1::ADD:
    case v1::DELETE:
    case v1::SET_ACL:
      Change(entry);
      break;
    case v1::BATCH:
      Batch(entry);
      break;
    case v1::ACQUIRE:
      Acquire(entry);
      break;
    case v1::RELEASE:
      Release(entry);
      break;
    default:  // END_SESSION: nothing remains in which an answer could be stored
      EndSession(SessionId(entry.command.session()), entry.command.reason() != v1::END_CLOSED, entry);
      entry.session = nullptr;
      return;
  }
  entry.session->results.Put(RequestSeq(entry.command.seq()), session::FromOutcome(entry.outcome()));
}

uint64_t Cell::digest() const {
  return Digest(tree_.digest() + sessions_.digest() + delays_.digest());
}

uint64_t Cell::DigestSlow() const {
  return Digest(tree_.DigestSlow() + sessions_.DigestSlow() + delays_.DigestSlow());
}

uint64_t Cell::Digest(uint64_t tables) const {
  uint64_t hash = FoldHash(tables, incarnation_);
  for (const uint64_t word : {secret_.low, secret_.high, Hash64(name_), last_.value(), static_cast<uint64_t>(time_),
                              static_cast<uint64_t>(lease_max_), uint64_t{reserved_}}) {
    hash = FoldHash(hash, word);
  }
  return hash;
}

}  // namespace bramah::cell

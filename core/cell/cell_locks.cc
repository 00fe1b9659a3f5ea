// Commands on locks, and what follows when a lock is left.
#include <algorithm>

#include "core/base/check.h"
#include "core/cell/cell.h"

namespace bramah::cell {

void Cell::Acquire(Entry& entry) {
  const auto [handle, node] = TargetOf(entry);
  if (node == nullptr) return;
  if (!handle->writable) return entry.Refuse(v1::NOT_WRITABLE);
  const v1::LockMode mode = entry.command.mode();
  // Who waited for a delay that has passed by now comes first.
  if (delays_.next() <= time_) Promote(*node, entry);
  const lock::Delay delay = delays_.At(node->path.view());
  const bool holds = node->lock.HoldOf(entry.owner()) != nullptr;
  const lock::Waiter wanted{entry.owner(), RequestSeq(entry.command.seq()), mode};
  // A second Acquire would wait behind the first; an upgrade could never be granted beside its own hold [D-37, PR-23].
  if (handle->waits || (holds && node->lock.mode() != mode)) return entry.Refuse(v1::BUSY);
  if (!holds && !node->lock.Grantable(mode, delay)) {
    const bool delayed = node->lock.Grantable(mode, lock::Delay());
    TellHolders(*node, entry);
    if (entry.command.try_only()) return entry.Refuse(delayed ? v1::LOCK_DELAYED : v1::LOCK_CONFLICT);
    node->lock.Enqueue(wanted, entry.position);
    entry.session->SetWaits(HandleId(entry.command.handle()), entry.position);
    entry.outcome().set_code(v1::QUEUED);
    SOMETIMES(entry.probes, kLockQueued, true);
  } else {
    const Position before = node->lock.generation();
    if (!holds) node->lock.Grant(wanted, delay, entry.position);
    if (node->lock.generation() != before) TellAcquired(*node, entry);
    Describe(*node, *node->lock.HoldOf(entry.owner()), entry.outcome());
  }
  tree_.Refresh(*node);
  if (!holds) entry.applied.effect = true;
}

void Cell::Describe(const lock::Node& node, const lock::Hold& hold, v1::Outcome& outcome) {
  outcome.set_lock_mode(node.lock.mode());
  outcome.set_lock_generation(hold.generation.value());
  outcome.set_permit(hold.permit);
}

void Cell::Release(Entry& entry) {
  const RequestSeq acquire(entry.command.acquire_seq());
  const HandleId id(entry.command.handle());
  if (entry.session->Find(id) != HandleOf(*entry.session, entry.command)) return entry.Refuse(v1::BAD_HANDLE);
  // An Acquire that comes after its own Release is given up like one that comes after its Close [A-22, LK-08].
  if (acquire) entry.session->results.GiveUp(acquire, id);
  const auto [handle, node] = TargetOf(entry);
  if (node == nullptr) return;
  const lock::Hold* hold = node->lock.HoldOf(entry.owner());
  RequestSeq present;
  if (hold != nullptr) present = hold->seq;
  if (handle->waits) present = node->lock.waiters().at(handle->waits).seq;
  // A late Release must not free a later hold of the same handle [LK-04].
  if (!present || (acquire && acquire != present)) return entry.Refuse(v1::LOCK_NOT_HELD);
  LeaveLock(*node, entry.owner(), entry);
  Promote(*node, entry);
  entry.applied.effect = true;
}

bool Cell::LeaveLock(lock::Node& node, const lock::Owner& owner, Entry& entry) {
  const session::Handle& handle = *entry.session->Find(owner.handle);
  if (handle.waits) {
    const RequestSeq seq = node.lock.waiters().at(handle.waits).seq;
    node.lock.Cancel(handle.waits);
    entry.session->SetWaits(owner.handle, Position());
    session::Result cancelled;
    cancelled.code = v1::CANCELLED;
    cancelled.handle = owner.handle;
    entry.session->results.Revise(seq, cancelled);
  } else if (node.lock.HoldOf(owner) != nullptr) {
    node.lock.Release(owner);
  } else {
    return false;
  }
  return true;
}

void Cell::StartLockDelay(const lock::Node& node, const lock::Hold& hold, Duration delay, Entry& entry) {
  if (delay == 0) return;
  const Time until = std::min(time_ + delay, kClusterTimeMax);
  delays_.Add(node.path.view(), node.lock.mode(), {hold.permit, node.lock.permits(), until});
  SOMETIMES(entry.probes, kLockDelayed, true);
}

void Cell::Promote(lock::Node& node, Entry& entry) {
  const bool delay_ended = delays_.End(node.path.view(), time_);
  if (delay_ended) entry.applied.effect = true;
  std::vector<lock::Waiter> granted;
  node.lock.Promote(entry.position, delays_.At(node.path.view()), granted);
  tree_.Refresh(node);
  if (!granted.empty() && node.lock.generation() == entry.position) TellAcquired(node, entry);
  for (const lock::Waiter& waiter : granted) Decide(waiter, Decision::kGranted, node, entry);
  // Who holds from now on has not heard of those who were waiting already.
  if (!granted.empty() && !node.lock.waiters().empty()) TellHolders(node, entry);
  SOMETIMES(entry.probes, kLockGrantedLater, !granted.empty());
  SOMETIMES(entry.probes, kLockDelayEnded, delay_ended && !granted.empty());
}

// In path order, like everything that grants on more than one node. What is due and not covered, because it became due
// since the entry was proposed, is left to the next such entry: nothing here depends on anything else here.
void Cell::ExpireLockDelays(Entry& entry) {
  for (const std::string& path : delays_.Due(time_)) {
    const lock::Node* node = tree_.Resolve(path);
    if (node != nullptr) {
      entry.applied.touches.assign(1, {CacheId(node->instance), v1::CACHE_LOCK_STATE});
      if (!Covers(entry.command, entry.applied.touches)) continue;
      Promote(*tree_.Find(node->instance), entry);
    } else {
      delays_.End(path, time_);
    }
    entry.applied.effect = true;
  }
}

// The stored answer of a queued Acquire follows its fate, so that a copy which comes to the next master learns it too.
void Cell::Decide(const lock::Waiter& waiter, Decision::Kind kind, const lock::Node& node, Entry& entry) {
  session::Session* session = sessions_.Find(waiter.owner.session);
  BRAMAH_CHECK(session != nullptr);
  session->SetWaits(waiter.owner.handle, Position());
  session::Result result;
  result.handle = waiter.owner.handle;
  result.instance = node.instance;
  if (kind == Decision::kGranted) {
    const lock::Hold& hold = *node.lock.HoldOf(waiter.owner);
    result.lock_mode = waiter.mode;
    result.lock_generation = hold.generation;
    result.permit = static_cast<uint16_t>(hold.permit);
  } else {
    result.code = v1::STALE_HANDLE;
  }
  session->results.Revise(waiter.seq, result);
  sessions_.Refresh(*session);
  entry.applied.decisions.push_back(
      {kind, waiter.owner.session, waiter.owner.handle, waiter.seq, result.lock_generation, result.permit});
}

}  // namespace bramah::cell

#include "core/client/calls.h"

#include <algorithm>
#include <utility>

#include "core/api/path.h"
#include "core/api/sequencer.h"
#include "core/client/handle_ids.h"
#include "core/client/kinds.h"

namespace bramah::client {
namespace {

// What the library fills in is not the caller's to say.
void ClearLibraryFields(v1::Command& command) {
  command.clear_session();
  command.clear_seq();
  command.clear_first_outstanding();
  command.clear_gives_up();
  command.clear_nonce_high();
  command.clear_nonce_low();
  command.clear_reason();
  command.clear_acquire_seq();
  command.clear_principal();
  command.clear_covers();
  command.clear_caches();
  command.clear_check_digits();
  command.clear_stale();
  if (command.kind() == v1::CHECK_SEQUENCER) {
    command.clear_handle();
  } else {
    command.clear_sequencer();
  }
}

}  // namespace

// ------------------------------------------------------------------------------------------------------------- application

void Calls::Accept(const Context& context, const bramah::Call& made) {
  const CallId call = made.call;
  const v1::Command& asked = *made.command;
  if (Leaves(asked.kind())) return AcceptLeave(context, call, asked);
  if (asked.kind() == v1::OPEN && asked.handle() != 0) return AcceptRelative(context, made);
  const v1::Code refusal = Judge(context, asked, made.wait);
  if (refusal != v1::OK) {
    context.out.Reply(call).set_code(refusal);
    return;
  }
  if (asked.kind() == v1::END_SESSION) return AcceptEnd(context, call);
  Handle* const handle = Find(HandleId(asked.handle()));
  // A kept lock is of use only for an Acquire of its mode that nothing else is to judge.
  const bool other = asked.kind() == v1::SET_SEQUENCER ||
                     (asked.kind() == v1::ACQUIRE && handle->granted_mode != asked.mode());
  if (other) GiveBackKeptLock(context, HandleId(asked.handle()), *handle);
  if (asked.kind() == v1::SET_SEQUENCER) {
    handle->sequencer = asked.sequencer();
    context.out.Reply(call).set_handle(asked.handle());
    return;
  }
  // What is known of a name says nothing of the directory that an Open starts from.
  const bool whole = asked.kind() == v1::OPEN && asked.through() == 0;
  if (whole && KnownAbsent(context, asked)) {
    SOMETIMES(context.out.probes(), kAbsenceHit, true);
    context.out.Reply(call).set_code(v1::NOT_FOUND);
    return;
  }
  if (whole && OpenKeptHandle(context, call, asked)) return;
  Pending& pending = calls_[++last_id_];
  ++pending_;
  pending.call = call;
  pending.command = asked.kind() == v1::BATCH ? PrepareBatch(asked) : asked;
  ClearLibraryFields(pending.command);
  if (asked.kind() == v1::OPEN) {
    PrepareOpen(pending.command);
  } else if (handle != nullptr && OnHandle(asked.kind()) && asked.kind() != v1::RELEASE) {
    pending.command.set_sequencer(handle->sequencer);
  }
  Advance(context, HandleId(pending.command.handle()));
  if (asked.kind() == v1::OPEN) CloseUselessHandles(context, asked.path());
}

// By the name that its directory had when that was opened: a directory keeps its name.
void Calls::AcceptRelative(const Context& context, const bramah::Call& made) {
  const HandleId id(made.command->handle());
  const Handle* const base = Find(id);
  const bool known = base != nullptr && base->open;
  if (!known || base->poisoned) {
    const bool ended = AtMaster(id) && AtMaster(id).value() <= ended_handles_;
    context.out.Reply(made.call).set_code(ended ? v1::SESSION_EXPIRED : known ? v1::POISONED : v1::BAD_HANDLE);
    return;
  }
  v1::Command whole = *made.command;
  whole.clear_handle();
  whole.set_path(PathBelow(base->path, whole.path()));
  whole.set_through(base->instance.value());
  bramah::Call call = made;
  call.command = &whole;
  Accept(context, call);
}

void Calls::PrepareOpen(v1::Command& open) {
  open.set_handle(++last_handle_);
  Handle& made = handles_[HandleId(last_handle_)];
  made.path = open.path();
  made.open_flags = RightsOf(open);
  made.lock_delay_ns = open.lock_delay_ns();
  // One that is told of events would be told of them for nothing, and is not what is opened again and again.
  made.may_be_kept = config_->cache && config_->cache_handles && open.events() == 0;
  if (made.may_be_kept) open.set_caches(true);
  made.keeps_lock = config_->cache_locks && open.lock_delay_ns() == 0 && (open.open_flags() & v1::OPEN_WRITE) != 0;
  watches_.Add(HandleId(last_handle_), open.events());
  if (made.keeps_lock) open.set_events(open.events() | v1::EVENT_LOCK_REQUESTED);
}

// OK: the call may proceed.
v1::Code Calls::Judge(const Context& context, const v1::Command& asked, bool may_wait) const {
  const bool on_handle = OnHandle(asked.kind());
  if (!Changes(asked.kind()) && !IsRead(asked.kind()) && asked.kind() != v1::SET_SEQUENCER) return v1::MALFORMED;
  const HandleId at_master = AtMaster(HandleId(asked.handle()));
  if (on_handle && at_master && at_master.value() <= ended_handles_) return v1::SESSION_EXPIRED;
  if (context.state == SessionState::kNone) return v1::NO_SESSION;
  if (context.state == SessionState::kExpired && !on_handle) return v1::SESSION_EXPIRED;
  if (ending()) return v1::SESSION_CLOSING;
  if (on_handle) {
    const auto handle = handles_.find(HandleId(asked.handle()));
    if (handle == handles_.end() || !handle->second.open) return v1::BAD_HANDLE;
    if (handle->second.poisoned) return v1::POISONED;
  }
  const bool sequencer = asked.kind() == v1::SET_SEQUENCER || asked.kind() == v1::CHECK_SEQUENCER;
  if (sequencer && !ParseSequencer(asked.sequencer())) return v1::BAD_SEQUENCER;
  if (asked.kind() == v1::OPEN && !IsCellPath(asked.path())) return FaultOfPath(asked.path());
  if (const v1::Code code = JudgeBatch(asked); code != v1::OK) return code;
  if (asked.contents().size() > kContentBytesMax) return v1::TOO_LARGE;
  const bool waits = asked.kind() != v1::END_SESSION && asked.kind() != v1::SET_SEQUENCER;
  if (waits && !may_wait && context.state == SessionState::kJeopardy) return v1::JEOPARDY;
  if (!waits || pending_ < kCallsMax) return v1::OK;
  // A lock that cannot be given back would be held for ever.
  const auto same = [&](const auto& entry) {
    return entry.second.command.kind() == v1::RELEASE && entry.second.command.handle() == asked.handle();
  };
  const bool first = asked.kind() == v1::RELEASE && std::none_of(calls_.begin(), calls_.end(), same);
  return first ? v1::OK : v1::LIMIT_REACHED;
}

// Never fails: a handle that is not open is closed already [C-25]. A poisoned one is unknown to the master, so its Close stays
// here.
void Calls::AcceptLeave(const Context& context, CallId call, const v1::Command& asked) {
  const HandleId id(asked.handle());
  const bool close = asked.kind() == v1::CLOSE;
  Handle* const handle = Find(id);
  if (handle == nullptr || !handle->open || handle->poisoned) {
    context.out.Reply(call).set_code(v1::OK);
    if (handle != nullptr && handle->poisoned && close) handles_.erase(id);
    return;
  }
  if (close && KeepHandle(context, call, id, *handle)) return;
  Pending leave;
  leave.call = call;
  leave.command.set_kind(asked.kind());
  leave.command.set_handle(asked.handle());
  leave.instance = handle->instance;
  const Position instance = handle->instance;
  const uint64_t leave_id = ++last_id_;
  const bool batches = GiveUp(context, id, close ? v1::CANCELLED : v1::POISONED, leave_id, leave.command);
  beliefs_.End(context.session, id, context.out);
  watches_.Remove(id);
  if (close) {
    handles_.erase(id);
  } else {
    handle->poisoned = true;
    handle->doubted = false;
  }
  NoteDoubts();
  ++pending_;
  const auto at = calls_.emplace(leave_id, std::move(leave)).first;
  Issue(context, at);
  if (context.state == SessionState::kJeopardy) Answer(context, at->second, v1::OK);
  if (batches) Resume(context);  // what waited behind one that was not issued yet
  SettleGrants(context, instance);  // it may have given up a Delete that others waited for
}

bool Calls::GiveUp(const Context& context, HandleId handle, v1::Code code, uint64_t id, v1::Command& leave) {
  bool batches = false;
  for (auto at = calls_.begin(); at != calls_.end();) {
    Pending& pending = at->second;
    if (!Uses(pending.command, handle)) {
      ++at;
      continue;
    }
    if (pending.command.kind() == v1::BATCH) {
      PassHandles(at->first, id);
      batches = true;
    }
    if (pending.command.seq() != 0) leave.add_gives_up(pending.command.seq());
    if (pending.command.kind() == v1::DELETE && pending.stage == Stage::kIssued) RevokeAll(pending.instance);
    Answer(context, pending, code);
    at = Erase(at);
  }
  return batches;
}

void Calls::EndIdle(const Context& context) {
  end_id_ = ++last_id_;
  Pending& end = calls_[end_id_];
  end.told = true;
  end.command.set_kind(v1::END_SESSION);
  end.command.set_reason(v1::END_IDLE);
  Issue(context, calls_.find(end_id_));
}

// A Poison that the master may not have heard of makes the whole session lost: a clean end would free the lock at once.
void Calls::AcceptEnd(const Context& context, CallId call) {
  const bool poisoned = std::any_of(calls_.begin(), calls_.end(),
                                    [](const auto& entry) { return entry.second.command.kind() == v1::POISON; });
  EndAll(context, v1::CANCELLED);
  end_id_ = ++last_id_;
  Pending& end = calls_[end_id_];
  ++pending_;
  end.call = call;
  end.command.set_kind(v1::END_SESSION);
  end.command.set_reason(poisoned ? v1::END_ABANDONED : v1::END_CLOSED);
  Issue(context, calls_.find(end_id_));
}

// Answers the application unless it was told before.
void Calls::Answer(const Context& context, Pending& pending, v1::Code code, const v1::Outcome* outcome) {
  if (pending.told) return;
  pending.told = true;
  --pending_;
  v1::Outcome& answer = context.out.Reply(pending.call);
  if (outcome != nullptr) answer = *outcome;
  answer.set_code(code);
  answer.set_seq(pending.command.seq());
  answer.set_handle(pending.command.handle());
}

Calls::PendingMap::iterator Calls::Erase(PendingMap::iterator at) {
  unanswered_.erase(at->second.command.seq());
  return calls_.erase(at);
}

Calls::Handle* Calls::Find(HandleId id) {
  const auto at = handles_.find(id);
  return at == handles_.end() ? nullptr : &at->second;
}

// ------------------------------------------------------------------------------------------------------------------ issuing

void Calls::Advance(const Context& context, HandleId id) {
  if (context.state != SessionState::kActive) return;
  if (!id) return AdvanceUnbound(context);
  Handle* const handle = Find(id);
  if (handle == nullptr) return;
  for (auto at = calls_.begin(); at != calls_.end() && handle->issued == 0;) {
    if (WindowFull()) {
      starved_ = true;
      return;
    }
    const uint64_t call = at->first;
    const bool next = at->second.stage == Stage::kBlocked && Uses(at->second.command, id);
    if (next && at->second.command.kind() == v1::BATCH) {
      if (!TryBatch(context, at)) return;
    } else if (next && Issue(context, at)) {
      handle->issued = call;
    }
    at = calls_.upper_bound(call);
  }
}

// Reads wait for nothing but the session, Batches for others.
void Calls::AdvanceUnbound(const Context& context) {
  for (auto at = calls_.begin(); at != calls_.end(); ++at) {
    if (at->second.stage != Stage::kBlocked || at->second.command.handle() != 0) continue;
    if (at->second.command.kind() != v1::BATCH) {
      Issue(context, at);
    } else if (WindowFull()) {
      starved_ = true;
    } else {
      TryBatch(context, at);
    }
  }
}

bool Calls::Issue(const Context& context, PendingMap::iterator at) {
  v1::Command& command = at->second.command;
  if (const v1::Outcome* const known = FromCache(command)) {
    SOMETIMES(context.out.probes(), kCacheHit, true);
    CoreEvent& event = context.out.Event(CoreEvent::kCacheHit);
    event.session = context.session;
    event.handle = HandleId(command.handle());
    event.command = command.kind();
    Answer(context, at->second, v1::OK, known);
    Erase(at);
    return false;
  }
  if (AnswerFromKeptLock(context, at->second)) {
    Erase(at);
    return false;
  }
  if (command.kind() == v1::RELEASE && !PrepareRelease(context, command)) {
    Answer(context, at->second, v1::LOCK_NOT_HELD);
    Erase(at);
    return false;
  }
  // Whatever may free the lock ends the belief before it leaves.
  if (command.kind() == v1::DELETE) EndBeliefsOf(context, HandleId(command.handle()));
  if (Changes(command.kind())) {
    command.set_seq(++last_seq_);
    unanswered_.insert(last_seq_);
  }
  at->second.stage = Stage::kIssued;
  if (const Handle* const handle = Find(HandleId(command.handle()))) at->second.instance = handle->instance;
  DropOwn(at->second);
  Transmit(context, at->first, at->second);
  return true;
}

// Names the Acquire to undo: one that still waits, which is thereby given up, or the one by which the handle holds. False:
// neither.
bool Calls::PrepareRelease(const Context& context, v1::Command& command) {
  const HandleId id(command.handle());
  for (auto at = calls_.begin(); at != calls_.end(); ++at) {
    if (at->second.stage != Stage::kQueued || at->second.command.handle() != id.value()) continue;
    command.set_acquire_seq(at->second.command.seq());
    Answer(context, at->second, v1::CANCELLED);
    Erase(at);
    return true;
  }
  Handle* const handle = Find(id);
  if (handle == nullptr || !handle->hold) return false;
  command.set_acquire_seq(handle->hold.value());
  handle->hold = RequestSeq();
  beliefs_.End(context.session, id, context.out);
  return true;
}

void Calls::Transmit(const Context& context, uint64_t id, Pending& pending) {
  pending.last_sent = context.now;
  pending.confirmed = false;
  if (!pending.sent) pending.cache_generation = cache_.generation();
  if (Unanswered(pending)) retry_at_ = std::min(retry_at_, context.now + config_->keepalive_retry);
  if (!context.conn) return;
  SOMETIMES(context.out.probes(), kClientResent, pending.sent);
  pending.sent = true;
  v1::Request& request = context.out.Send<v1::Request>(context.conn);
  request.set_epoch(context.epoch.value());
  request.set_id(id);
  v1::Command& command = *request.mutable_command();
  command = pending.command;
  if (const Handle* const handle = Find(HandleId(command.handle()))) command.set_check_digits(handle->check_digits);
  command.set_handle(AtMaster(HandleId(command.handle())).value());
  command.set_session(context.session.value());
  ForEachPart(command, [&](v1::Command& part) {
    part.set_session(context.session.value());
    part.set_handle(AtMaster(HandleId(part.handle())).value());
  });
  if (command.seq() != 0) command.set_first_outstanding(unanswered_.empty() ? last_seq_ + 1 : *unanswered_.begin());
}

bool Calls::Unanswered(const Pending& pending) {
  return pending.stage == Stage::kIssued || (pending.stage == Stage::kQueued && !pending.confirmed);
}

void Calls::Resend(const Context& context) {
  for (auto& [id, pending] : calls_) {
    if (pending.stage == Stage::kIssued || pending.stage == Stage::kQueued) Transmit(context, id, pending);
  }
}

void Calls::Retry(const Context& context) {
  if (context.now < retry_at_) return;
  retry_at_ = kNever;
  for (auto& [id, pending] : calls_) {
    if (!Unanswered(pending)) continue;
    const Time due = pending.last_sent + config_->keepalive_retry;
    if (context.now >= due) {
      Transmit(context, id, pending);
    } else {
      retry_at_ = std::min(retry_at_, due);
    }
  }
}

// ------------------------------------------------------------------------------------------------------------------ session

void Calls::Pause(const Context& context) {
  FlushCache(context);
  for (auto& [id, pending] : calls_) {
    if (Leaves(pending.command.kind())) Answer(context, pending, v1::OK);
  }
}

void Calls::Resume(const Context& context) {
  starved_ = false;
  bool unbound = false;  // those were advanced, all of them
  for (auto at = calls_.begin(); at != calls_.end();) {
    const uint64_t id = at->first;
    const HandleId handle(at->second.command.handle());
    if (at->second.stage == Stage::kGranted) {
      OnGrant(context, at, at->second.grant);
    } else if (at->second.stage == Stage::kBlocked && (handle || !std::exchange(unbound, true))) {
      Advance(context, handle);
    }
    at = calls_.upper_bound(id);
  }
}

void Calls::EndAll(const Context& context, v1::Code code) {
  for (auto& [id, pending] : calls_) Answer(context, pending, Leaves(pending.command.kind()) ? v1::OK : code);
  FlushCache(context);
  beliefs_.EndAll(context.session, context.out);
  watches_.RemoveAll();
  calls_.clear();
  handles_.clear();
  NoteDoubts();
  kept_handles_.clear();
  owns_ = false;
  unanswered_.clear();
  ended_handles_ = last_handle_;
  end_id_ = 0;
  starved_ = false;
  retry_at_ = kNever;
}

void Calls::SendAbandoned(const Context& context) {
  if (!context.conn) return;
  Pending end;
  end.command.set_kind(v1::END_SESSION);
  end.command.set_reason(v1::END_ABANDONED);
  end.command.set_seq(++last_seq_);
  unanswered_.clear();
  unanswered_.insert(last_seq_);
  Transmit(context, ++last_id_, end);
  unanswered_.clear();
}

}  // namespace bramah::client

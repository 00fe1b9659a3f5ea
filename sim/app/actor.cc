#include "sim/app/actor.h"

#include <iterator>
#include <utility>

#include "sim/plan/streams.h"

namespace bramah::sim {
namespace {

constexpr uint32_t kSlotBits = 16;

constexpr uint32_t kEverything = v1::EVENT_CONTENTS | v1::EVENT_CHILDREN | v1::EVENT_HANDLE_INVALID | v1::EVENT_LOCK_ACQUIRED |
                                 v1::EVENT_LOCK_REQUESTED;

// Every fourth file that is made on a handle of its own goes with the session.
uint32_t OwnedOr(uint32_t otherwise, const v1::Operation& operation) {
  return operation.at_ns() % 4 == 3 ? uint32_t{v1::OPEN_SESSION_OWNED} : otherwise;
}

// Who holds something has to let it go, however long that takes.
bool GivesUp(v1::CommandKind kind) { return kind == v1::RELEASE || kind == v1::CLOSE || kind == v1::POISON; }

bool HandleIsGone(v1::Code code) { return code == v1::STALE_HANDLE || code == v1::BAD_HANDLE; }

}  // namespace

Actor::Actor(uint64_t seed, uint32_t number, std::vector<const v1::Operation*> operations)
    : seed_(seed), number_(number), operations_(std::move(operations)) {}

// ------------------------------------------------------------------------------------------------------------ tasks and calls

uint32_t Actor::NewTask(uint32_t operation) {
  uint32_t task;
  if (free_tasks_.empty()) {
    task = static_cast<uint32_t>(tasks_.size());
    tasks_.emplace_back();
  } else {
    task = free_tasks_.back();
    free_tasks_.pop_back();
  }
  tasks_[task] = Task();
  tasks_[task].operation = operation;
  ++tasks_in_use_;
  return task;
}

void Actor::EndTask(uint32_t task) {
  if (tasks_[task].borrowed) {
    const auto kept = kept_.find(OperationOf(tasks_[task]).path());
    if (kept != kept_.end() && kept->second.handle == tasks_[task].handle) kept->second.lock_in_use = false;
  }
  tasks_[task].stage = Stage::kFree;
  free_tasks_.push_back(task);
  --tasks_in_use_;
}

v1::Command& Actor::NewCall(uint32_t task, v1::CommandKind kind, const std::string& path) {
  uint32_t slot;
  if (free_calls_.empty()) {
    slot = static_cast<uint32_t>(calls_.size());
    calls_.emplace_back();
  } else {
    slot = free_calls_.back();
    free_calls_.pop_back();
  }
  PendingCall& call = calls_[slot];
  call.id = CallId(next_call_++ << kSlotBits | slot);
  call.issued = false;
  call.wait = task >= kSessionTask || GivesUp(kind) || !OperationOf(tasks_[task]).no_wait();
  call.command.Clear();
  call.command.set_kind(kind);
  call.path = path;
  call.task = task;
  call.session = session_ordinal_;
  ++calls_in_flight_;
  wishes_.push_back({Wish::kCall, slot});
  return call.command;
}

const Actor::PendingCall& Actor::Issue(uint32_t slot) {
  calls_[slot].issued = true;
  return calls_[slot];
}

// ------------------------------------------------------------------------------------------------------------------- session

void Actor::Started() {
  takes_over_ = token_.session != 0;
  OpenSession();
}

void Actor::Stopped() {
  session_ = Session::kNone;
  calls_.clear();
  free_calls_.clear();
  calls_in_flight_ = 0;
  tasks_.clear();
  free_tasks_.clear();
  tasks_in_use_ = 0;
  waiting_.clear();
  kept_.clear();
  watched_.clear();
  former_ = {};
  wishes_.clear();
  requests_.clear();
}

void Actor::OpenSession() {
  session_ = Session::kOpening;
  ++session_ordinal_;
  v1::Command& open = NewCall(kSessionTask, v1::OPEN_SESSION, "");
  if (takes_over_) NameFormerSession(open);
}

// Two in four take their former session over at once, as they may: their former life is over. One waits for its lease, and one
// knows of nothing.
void Actor::NameFormerSession(v1::Command& open) const {
  const uint64_t how = Below(Draw(seed_, Stream::kTakeover, number_, session_ordinal_), 4);
  if (how == 0) return;
  open.set_takes_over(token_.session);
  open.set_former_high(token_.nonce_high);
  open.set_former_low(token_.nonce_low);
  open.set_former_is_gone(how != 1);
}

void Actor::OnSessionAnswer(const v1::Outcome& outcome) {
  if (session_ != Session::kOpening) return;
  if (outcome.code() != v1::OK) {
    session_ = Session::kNone;
    const uint64_t draw = Draw(seed_, Stream::kActor, number_, attempts_++);
    wishes_.push_back({Wish::kWake, kOpenTag, Between(draw, 50 * kMillisecond, 500 * kMillisecond)});
    return;
  }
  session_ = Session::kOpen;
  session_id_ = SessionId(outcome.session());
  token_ = {outcome.session(), outcome.nonce_high(), outcome.nonce_low()};
  takes_over_ = false;
  TryFormerHandle();
  std::vector<uint32_t> ready = std::exchange(waiting_, {});
  for (uint32_t task : ready) Begin(task);
}

void Actor::SessionEnded() {
  if (session_ == Session::kOpen) ForgetSession();
}

// Its handles died with it. Tasks that wait for calls get answers; those that hold something find out when they wake.
void Actor::ForgetSession() {
  watched_.clear();
  const std::map<std::string, Kept> gone = std::exchange(kept_, {});
  for (const auto& [path, kept] : gone) {
    if (kept.handle) former_ = {path, kept.handle};
    for (uint32_t task : kept.waiting) {
      if (tasks_[task].stage == Stage::kWaiting) EndTask(task);
    }
  }
  OpenSession();
}

// In vain: no handle outlives its session. What the call is told says nothing of the session that there is now.
void Actor::TryFormerHandle() {
  const auto [path, handle] = std::exchange(former_, {});
  if (!handle) return;
  NewCall(kNoTask, v1::GET_STAT, path).set_handle(handle.value());
  calls_[wishes_.back().id].session = session_ordinal_ - 1;
}

// --------------------------------------------------------------------------------------------------------------------- inputs

void Actor::Due(uint32_t operation) { Begin(NewTask(operation)); }

void Actor::Woken(uint32_t tag) {
  if (tag == kOpenTag) {
    if (session_ == Session::kNone) OpenSession();
    return;
  }
  if ((tag & kPatienceTag) != 0) return GiveUp(tag & ~kPatienceTag);
  LetGo(tag);
}

void Actor::Answered(CallId id, const v1::Outcome& outcome) {
  const uint32_t slot = static_cast<uint32_t>(id.value() & ((1u << kSlotBits) - 1));
  if (slot >= calls_.size() || calls_[slot].id != id) return;
  PendingCall& call = calls_[slot];
  const uint32_t task = call.task;
  const uint32_t session = call.session;
  const v1::CommandKind kind = call.command.kind();
  call.id = CallId();
  free_calls_.push_back(slot);
  --calls_in_flight_;
  const bool current = kind != v1::OPEN_SESSION && !call.command.stale();
  if (outcome.content_generation() > 0 && current) seen_[call.path] = outcome.content_generation();
  if (task == kSessionTask) {
    OnSessionAnswer(outcome);
  } else if (task != kNoTask) {
    OnTaskAnswer(task, outcome);
  }
  const bool over = outcome.code() == v1::SESSION_EXPIRED || outcome.code() == v1::NO_SESSION;
  if (over && session == session_ordinal_ && session_ == Session::kOpen) ForgetSession();
}

// ---------------------------------------------------------------------------------------------------------------------- tasks

void Actor::Begin(uint32_t task) {
  const v1::Operation& operation = OperationOf(tasks_[task]);
  if (operation.stale()) return BeginStale(task);
  if (session_ != Session::kOpen) {
    tasks_[task].stage = Stage::kWaiting;
    waiting_.push_back(task);
    return;
  }
  tasks_[task].session = session_ordinal_;
  switch (operation.kind()) {
    case v1::Operation::SET:
    case v1::Operation::COMPARE_AND_SET:
    case v1::Operation::ADD:
    case v1::Operation::BATCH:
      return UseKept(task, true);
    case v1::Operation::GET:
    case v1::Operation::STAT:
    case v1::Operation::LIST:
      return UseKept(task, false);
    case v1::Operation::REMOVE:
      return UseKept(task, true);
    case v1::Operation::LOCK:
    case v1::Operation::TRY_LOCK:
      return BeginLock(task);
    case v1::Operation::EPHEMERAL:
      return OpenOwn(task, v1::OPEN_WRITE | v1::OPEN_MAY_CREATE | OwnedOr(v1::OPEN_EPHEMERAL, operation));
    case v1::Operation::WATCH:
      return BeginWatch(task);
    case v1::Operation::MAKE_DIRECTORY:
      return OpenOwn(task, v1::OPEN_MAY_CREATE | v1::OPEN_DIRECTORY);
    case v1::Operation::GRANT:
      return OpenOwn(task, v1::OPEN_WRITE | v1::OPEN_MAY_CREATE);
    case v1::Operation::SET_ACL:
      return OpenOwn(task, v1::OPEN_CHANGE_ACL);
    case v1::Operation::LEAK:
      return OpenOwn(task, v1::OPEN_WRITE | v1::OPEN_MAY_CREATE);
    case v1::Operation::CLOSE: {
      const auto kept = kept_.find(operation.path());
      if (kept != kept_.end() && !kept->second.opening) DropKept(operation.path(), kept->second.handle);
      return EndTask(task);
    }
    case v1::Operation::END_SESSION:
      session_ = Session::kEnding;
      tasks_[task].stage = Stage::kCalling;
      NewCall(task, v1::END_SESSION, "");
      return;
    default:
      return EndTask(task);
  }
}

// With or without a session.
void Actor::BeginStale(uint32_t task) {
  const v1::Operation& operation = OperationOf(tasks_[task]);
  tasks_[task].stage = Stage::kCalling;
  tasks_[task].session = session_ordinal_;
  const bool list = operation.kind() == v1::Operation::LIST;
  v1::Command& command = NewCall(task, list ? v1::READ_DIR : v1::GET_CONTENTS, operation.path());
  command.set_path(operation.path());
  command.set_stale(true);
}

// A watch lasts as long as its node and session; only a second one of the same path takes its place.
void Actor::BeginWatch(uint32_t task) {
  const std::string& path = OperationOf(tasks_[task]).path();
  OpenOwn(task, path == "/" ? v1::OPEN_READ : v1::OPEN_READ | v1::OPEN_MAY_CREATE);
}

void Actor::OnWatchOpened(uint32_t task, HandleId handle) {
  const std::string& path = OperationOf(tasks_[task]).path();
  const HandleId before = std::exchange(watched_[path], handle);
  if (before) Close(kNoTask, path, before);
  EndTask(task);
}

// As an application would: look, or give up what is gone.
void Actor::Notified(const CoreEvent& event) {
  for (auto at = watched_.begin(); at != watched_.end(); ++at) {
    const auto& [path, handle] = *at;
    if (handle != event.handle || event.session != session_id_) continue;
    if (event.kind == CoreEvent::kHandleInvalid) {
      Close(kNoTask, path, handle);
      watched_.erase(at);
      return;
    }
    NewCall(kNoTask, path == "/" ? v1::READ_DIR : v1::GET_CONTENTS, path).set_handle(handle.value());
    return;
  }
}

// The kept handle if no other lock of this client uses it, else one of its own, so that clients also compete with themselves. A
// file that this makes may go with the session, whoever has its lock by then.
void Actor::BeginLock(uint32_t task) {
  const auto kept = kept_.find(OperationOf(tasks_[task]).path());
  const bool taken = kept != kept_.end() && (kept->second.lock_in_use || kept->second.opening);
  if (taken) return OpenOwn(task, v1::OPEN_WRITE | v1::OPEN_MAY_CREATE | OwnedOr(0, OperationOf(tasks_[task])));
  UseKept(task, true);
}

void Actor::UseKept(uint32_t task, bool writable) {
  const std::string& path = OperationOf(tasks_[task]).path();
  Kept& kept = kept_[path];
  if (kept.handle && !kept.opening && (kept.writable || !writable)) {
    tasks_[task].handle = kept.handle;
    return Perform(task);
  }
  tasks_[task].stage = Stage::kWaiting;
  kept.waiting.push_back(task);
  if (kept.opening) return;
  kept.opening = true;
  tasks_[task].stage = Stage::kOpening;
  const bool creates = writable && OperationOf(tasks_[task]).kind() != v1::Operation::REMOVE;
  v1::Command& open = NewCall(task, v1::OPEN, path);
  open.set_path(path);
  open.set_lock_delay_ns(OperationOf(tasks_[task]).lock_delay_ns());
  open.set_permits(OperationOf(tasks_[task]).permits());
  open.set_open_flags((writable ? v1::OPEN_WRITE : v1::OPEN_READ) | (creates ? v1::OPEN_MAY_CREATE : 0));
}

void Actor::OnKeptOpened(uint32_t task, const v1::Outcome& outcome) {
  const std::string path = OperationOf(tasks_[task]).path();
  const auto at = kept_.find(path);
  if (at == kept_.end() || tasks_[task].session != session_ordinal_) return EndTask(task);
  const bool was_writable = OperationOf(tasks_[task]).kind() != v1::Operation::GET &&
                            OperationOf(tasks_[task]).kind() != v1::Operation::STAT &&
                            OperationOf(tasks_[task]).kind() != v1::Operation::LIST;
  std::vector<uint32_t> waiting = std::exchange(at->second.waiting, {});
  at->second.opening = false;
  if (outcome.code() == v1::OK) {
    if (at->second.handle) Close(kNoTask, path, at->second.handle);
    at->second.handle = HandleId(outcome.handle());
    at->second.writable = was_writable;
    at->second.lock_in_use = false;
  } else if (!at->second.handle) {
    kept_.erase(at);
  }
  // On failure only this task gives up; the others may want more (creation) than it did, and try for themselves.
  for (uint32_t other : waiting) {
    if (other == task && outcome.code() != v1::OK) {
      EndTask(other);
    } else {
      Begin(other);
    }
  }
}

void Actor::OpenOwn(uint32_t task, uint32_t flags) {
  const std::string& path = OperationOf(tasks_[task]).path();
  tasks_[task].stage = Stage::kOpening;
  tasks_[task].own_handle = true;
  v1::Command& open = NewCall(task, v1::OPEN, path);
  open.set_path(path);
  open.set_lock_delay_ns(OperationOf(tasks_[task]).lock_delay_ns());
  open.set_permits(OperationOf(tasks_[task]).permits());
  open.set_open_flags(flags);
  if (OperationOf(tasks_[task]).kind() == v1::Operation::WATCH) open.set_events(kEverything);
}

// The call that the operation is about; its handle is open.
void Actor::Perform(uint32_t id) {
  Task& task = tasks_[id];
  const v1::Operation& operation = OperationOf(task);
  task.stage = Stage::kCalling;
  const auto call = [&](v1::CommandKind kind) -> v1::Command& {
    v1::Command& command = NewCall(id, kind, operation.path());
    command.set_handle(task.handle.value());
    return command;
  };
  switch (operation.kind()) {
    case v1::Operation::GET:
      call(v1::GET_CONTENTS).set_with_stat(operation.with_stat());
      return;
    case v1::Operation::STAT:
      call(v1::GET_STAT);
      return;
    case v1::Operation::LIST:
      call(v1::READ_DIR);
      return;
    case v1::Operation::REMOVE:
      call(v1::DELETE);
      return;
    case v1::Operation::COMPARE_AND_SET:
    case v1::Operation::SET: {
      v1::Command& command = call(v1::SET_CONTENTS);
      command.set_contents(Value(task.operation));
      if (operation.kind() == v1::Operation::SET) return;
      const auto seen = seen_.find(operation.path());
      command.set_compare(true);
      command.set_generation(seen == seen_.end() ? 1 : seen->second);
      return;
    }
    case v1::Operation::ADD:
      return Count(id);
    case v1::Operation::BATCH:
      return FillBatch(task, call(v1::BATCH));
    case v1::Operation::MAKE_DIRECTORY:
      task.stage = Stage::kClosing;
      return Close(id, operation.path(), task.handle);
    case v1::Operation::GRANT:
      call(v1::SET_CONTENTS).set_contents(Value(task.operation) + SomeClients(task.operation));
      return;
    case v1::Operation::SET_ACL: {
      v1::Command& command = call(v1::SET_ACL);
      command.set_acl_read(SomeAcl(task.operation, 0));
      command.set_acl_write(SomeAcl(task.operation, 1));
      return;
    }
    default: {  // LOCK, TRY_LOCK
      v1::Command& command = call(v1::ACQUIRE);
      command.set_mode(operation.shared() ? v1::SHARED : v1::EXCLUSIVE);
      command.set_try_only(operation.kind() == v1::Operation::TRY_LOCK);
      if (operation.patience_ns() > 0) wishes_.push_back({Wish::kWake, id | kPatienceTag, operation.patience_ns()});
      if (task.own_handle) return;
      task.borrowed = true;
      kept_[operation.path()].lock_in_use = true;
      return;
    }
  }
}

// Writes up to three files that are open for it, if the first is as it was seen last, or makes two new ones; draws depend, like
// Value, on the operation alone.
void Actor::FillBatch(const Task& task, v1::Command& batch) {
  const v1::Operation& operation = OperationOf(task);
  const uint64_t draw = Scramble(static_cast<uint64_t>(operation.at_ns()));
  batch.clear_handle();
  const auto add = [&](google::protobuf::RepeatedPtrField<v1::Command>& parts, v1::CommandKind kind, HandleId handle) {
    v1::Command& part = *parts.Add();
    part.set_kind(kind);
    part.set_handle(handle.value());
    if (kind != v1::GUARD) part.set_contents(Value(task.operation) + "/" + std::to_string(parts.size()));
    return &part;
  };
  const auto seen = seen_.find(operation.path());
  if (draw % 2 == 0 && seen != seen_.end()) {
    v1::Command& guard = *add(*batch.mutable_guards(), v1::GUARD, task.handle);
    guard.set_compare(true);
    guard.set_generation(seen->second);
    if (draw % 4 == 0) add(*batch.mutable_otherwise(), v1::SET_CONTENTS, task.handle)->mutable_contents()->append("?");
  }
  add(*batch.mutable_parts(), v1::SET_CONTENTS, task.handle);
  for (const auto& [path, kept] : kept_) {
    const bool open = kept.handle && kept.writable && !kept.opening && kept.handle != task.handle;
    if (open && path[1] == operation.path()[1] && batch.parts_size() < 3) {
      add(*batch.mutable_parts(), v1::SET_CONTENTS, kept.handle);
    }
  }
  for (int i = 0; draw % 8 < 2 && i < 2; ++i) {
    add(*batch.mutable_parts(), v1::CREATE, HandleId())->set_path("/" + Value(task.operation) + "-" + std::to_string(i));
  }
}

void Actor::OnTaskAnswer(uint32_t id, const v1::Outcome& outcome) {
  Task& task = tasks_[id];
  const v1::Operation& operation = OperationOf(task);
  switch (task.stage) {
    case Stage::kOpening:
      if (!task.own_handle) return OnKeptOpened(id, outcome);
      if (outcome.code() != v1::OK || task.session != session_ordinal_) return EndTask(id);
      task.handle = HandleId(outcome.handle());
      if (operation.kind() == v1::Operation::LEAK) return EndTask(id);
      if (operation.kind() == v1::Operation::WATCH) return OnWatchOpened(id, task.handle);
      return operation.kind() == v1::Operation::EPHEMERAL ? Hold(id) : Perform(id);
    case Stage::kCalling:
      return OnPerformed(id, outcome);
    case Stage::kFencing:
      return OnFenced(id, outcome);
    case Stage::kReleasing:
    case Stage::kPoisoning:
      if (!task.own_handle || task.session != session_ordinal_) return LetGone(id);
      task.stage = Stage::kClosing;
      return Close(id, operation.path(), task.handle);
    case Stage::kFenced:
      return EndFence(id);
    case Stage::kAgain:  // whatever it was told, it holds
      return task.session == session_ordinal_ ? Hold(id) : EndTask(id);
    default:  // kClosing
      return LetGone(id);
  }
}

void Actor::OnPerformed(uint32_t id, const v1::Outcome& outcome) {
  Task& task = tasks_[id];
  const v1::Operation& operation = OperationOf(task);
  if (operation.kind() == v1::Operation::END_SESSION) {
    if (session_ == Session::kEnding) ForgetSession();
    return EndTask(id);
  }
  if (task.session != session_ordinal_) return EndTask(id);
  const bool lock = operation.kind() == v1::Operation::LOCK || operation.kind() == v1::Operation::TRY_LOCK;
  if (lock && outcome.code() == v1::OK) return operation.fenced() ? BeginFence(id, outcome) : Hold(id);
  const bool removed = operation.kind() == v1::Operation::REMOVE && outcome.code() == v1::OK;
  if (task.own_handle) {
    task.stage = Stage::kClosing;
    return Close(id, operation.path(), task.handle);
  }
  // The library gives no lock of this node to the handle any more.
  const bool revoked = lock && outcome.code() == v1::CANCELLED && !task.gave_up;
  if (removed || revoked || HandleIsGone(outcome.code())) DropKept(operation.path(), task.handle);
  EndTask(id);
}

// Some forget that they hold the lock. In the same mode that changes nothing, in the other it is refused.
bool Actor::AcquireAgain(uint32_t id) {
  Task& task = tasks_[id];
  const v1::Operation& operation = OperationOf(task);
  if (!operation.again() || task.again) return false;
  task.again = true;
  task.stage = Stage::kAgain;
  v1::Command& command = NewCall(id, v1::ACQUIRE, operation.path());
  command.set_handle(task.handle.value());
  command.set_mode(operation.shared() != (operation.at_ns() % 4 == 0) ? v1::SHARED : v1::EXCLUSIVE);
  command.set_try_only(operation.kind() == v1::Operation::TRY_LOCK);
  return true;
}

void Actor::Hold(uint32_t task) {
  if (AcquireAgain(task)) return;
  tasks_[task].stage = Stage::kHolding;
  wishes_.push_back({Wish::kWake, task, OperationOf(tasks_[task]).hold_ns()});
}

// The end of a hold. Of the locks on own handles, every other one is not released but goes with its handle, and every fourth of
// these handles is poisoned before it is closed.
void Actor::LetGo(uint32_t id) {
  Task& task = tasks_[id];
  if (task.stage != Stage::kHolding) return;
  const v1::Operation& operation = OperationOf(task);
  if (task.session != session_ordinal_ || session_ != Session::kOpen) return EndTask(id);
  UseFenceOnceMore(id);
  const bool lock = operation.kind() != v1::Operation::EPHEMERAL;
  if (lock && task.own_handle && operation.at_ns() % 8 == 0) {
    task.stage = Stage::kPoisoning;
    NewCall(id, v1::POISON, operation.path()).set_handle(task.handle.value());
    return;
  }
  if (!lock || (task.own_handle && operation.at_ns() % 2 == 0)) {
    task.stage = Stage::kClosing;
    return Close(id, operation.path(), task.handle);
  }
  task.stage = Stage::kReleasing;
  NewCall(id, v1::RELEASE, operation.path()).set_handle(task.handle.value());
}

// The end of a wait: the answer to its Acquire, if that still waits, is CANCELLED. Who has a handle of his own may close or poison
// it. The wake may have been meant for an earlier task of this number; then somebody has a little less patience.
void Actor::GiveUp(uint32_t id) {
  Task& task = tasks_[id];
  const v1::Operation& operation = OperationOf(task);
  const bool waits = task.stage == Stage::kCalling && operation.patience_ns() > 0 && !task.gave_up;
  if (!waits || task.session != session_ordinal_ || session_ != Session::kOpen) return;
  task.gave_up = true;
  const int64_t how = task.own_handle ? operation.at_ns() % 4 : 0;
  const v1::CommandKind kind = how == 1 ? v1::CLOSE : how == 2 ? v1::POISON : v1::RELEASE;
  NewCall(kNoTask, kind, operation.path()).set_handle(task.handle.value());
}

void Actor::LetGone(uint32_t task) {
  if (!TryFenceInVain(task)) EndTask(task);
}

void Actor::DropKept(const std::string& path, HandleId handle) {
  const auto kept = kept_.find(path);
  if (kept == kept_.end() || kept->second.handle != handle || kept->second.opening) return;
  kept_.erase(kept);
  Close(kNoTask, path, handle);
}

void Actor::Close(uint32_t task, const std::string& path, HandleId handle) {
  NewCall(task, v1::CLOSE, path).set_handle(handle.value());
}

// Unique in the run, and independent of which other operations the plan has.
std::string Actor::Value(uint32_t number) const {
  const v1::Operation& operation = *operations_[number];
  uint32_t twins = 0;
  for (uint32_t i = number; i > 0 && operations_[i - 1]->at_ns() == operation.at_ns(); --i) ++twins;
  std::string value = operation.client() + "#" + std::to_string(operation.at_ns());
  if (twins > 0) value += "+" + std::to_string(twins);
  if (value.size() < operation.bytes()) value.resize(operation.bytes(), '.');
  return value;
}

// Depends, like Value, on the operation alone.
std::string Actor::SomeClients(uint32_t number) const {
  const uint64_t draw = Scramble(static_cast<uint64_t>(operations_[number]->at_ns()));
  std::string clients;
  for (int i = 0; i < 20; ++i) {
    if ((draw >> i & 1) != 0) clients += " c" + std::to_string(i + 1);
  }
  return clients;
}

// "" leaves the name as it is.
std::string Actor::SomeAcl(uint32_t number, uint64_t which) const {
  static constexpr const char* kNames[] = {"", "everyone", "everyone", "a0", "a1", "a2", "nobody"};
  const uint64_t draw = Scramble(static_cast<uint64_t>(operations_[number]->at_ns()) + which);
  return kNames[Below(draw, std::size(kNames))];
}

// ------------------------------------------------------------------------------------------------------------------- liveness

std::string Actor::Describe() const {
  for (const PendingCall& call : calls_) {
    if (!call.id) continue;
    return "call " + v1::CommandKind_Name(call.command.kind()) + (call.path.empty() ? "" : " " + call.path) + " is not answered";
  }
  if (session_ != Session::kOpen) return "it has no session";
  for (const Task& task : tasks_) {
    if (task.stage != Stage::kFree)
      return v1::Operation::Kind_Name(OperationOf(task).kind()) + " " + OperationOf(task).path() + " is not done";
  }
  return "nothing";
}

Duration Actor::HoldsLeft() const {
  Duration sum = 0;
  for (const Task& task : tasks_) {
    if (task.stage != Stage::kFree) sum += OperationOf(task).hold_ns() + OperationOf(task).lock_delay_ns();
  }
  return sum;
}

}  // namespace bramah::sim

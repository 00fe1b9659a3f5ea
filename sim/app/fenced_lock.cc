// A lock operation that is `fenced`: while it holds, the client works through a server that checks sequencers, and through a
// second handle that it has tied to its own. Both are tried once more when they must no longer work [Chubby §2.4, §2.6].
//
//   after the grant     GetSequencer; a request to the resource; Open of the second handle, SetSequencer, SetContents
//   when it lets go     another request and SetContents, side by side with the Release
//   when that is over   GetSequencer and SetContents once more, and Close of the second handle
#include "sim/app/actor.h"

namespace bramah::sim {

void Actor::BeginFence(uint32_t id, const v1::Outcome& granted) {
  Task& task = tasks_[id];
  task.stage = Stage::kFencing;
  task.fence = Fence();
  task.fence.request.path = OperationOf(task).path();
  task.fence.request.token = Position(granted.lock_generation());
  task.fence.request.session = session_id_;
  task.fence.request.handle = task.handle;
  task.fence.request.acquire = RequestSeq(granted.seq());
  NewCall(id, v1::GET_SEQUENCER, OperationOf(task).path()).set_handle(task.handle.value());
}

// The next step of building the fence; whatever fails, the lock is held all the same.
void Actor::OnFenced(uint32_t id, const v1::Outcome& outcome) {
  Task& task = tasks_[id];
  Fence& fence = task.fence;
  if (task.session != session_ordinal_) return EndTask(id);
  if (outcome.code() != v1::OK) return Hold(id);
  const std::string& path = OperationOf(task).path();
  if (fence.request.sequencer.empty()) {
    fence.request.sequencer = outcome.sequencer();
    SendToResource(task);
    v1::Command& open = NewCall(id, v1::OPEN, path);
    open.set_path(path);
    open.set_open_flags(v1::OPEN_WRITE);
  } else if (!fence.guarded) {
    fence.guarded = HandleId(outcome.handle());
    v1::Command& set = NewCall(id, v1::SET_SEQUENCER, path);
    set.set_handle(fence.guarded.value());
    set.set_sequencer(fence.request.sequencer);
  } else if (!fence.tied) {
    fence.tied = true;
    WriteGuarded(id, id);
  } else {
    Hold(id);
  }
}

void Actor::WriteGuarded(uint32_t id, uint32_t for_task) {
  Task& task = tasks_[id];
  v1::Command& write = NewCall(for_task, v1::SET_CONTENTS, OperationOf(task).path());
  write.set_handle(task.fence.guarded.value());
  write.set_contents(Value(task.operation) + "~" + std::to_string(++task.fence.writes));
}

void Actor::SendToResource(Task& task) {
  if (task.fence.request.sequencer.empty()) return;
  ++task.fence.request.ordinal;
  wishes_.push_back({Wish::kRequest, static_cast<uint32_t>(requests_.size())});
  requests_.push_back(task.fence.request);
}

void Actor::UseFenceOnceMore(uint32_t id) {
  SendToResource(tasks_[id]);
  if (tasks_[id].fence.tied) WriteGuarded(id, kNoTask);
}

// The lock is gone. False: there is nothing left to try.
bool Actor::TryFenceInVain(uint32_t id) {
  Task& task = tasks_[id];
  if (!task.fence.guarded || task.session != session_ordinal_ || session_ != Session::kOpen) return false;
  task.stage = Stage::kFenced;
  if (!task.own_handle) NewCall(kNoTask, v1::GET_SEQUENCER, OperationOf(task).path()).set_handle(task.handle.value());
  if (task.fence.tied) {
    WriteGuarded(id, id);
  } else {
    EndFence(id);
  }
  return true;
}

void Actor::EndFence(uint32_t id) {
  const Task& task = tasks_[id];
  if (task.session == session_ordinal_) Close(kNoTask, OperationOf(task).path(), task.fence.guarded);
  EndTask(id);
}

void Actor::Check(const std::string& sequencer, v1::LockMode mode) {
  if (session_ != Session::kOpen) return;
  v1::Command& check = NewCall(kNoTask, v1::CHECK_SEQUENCER, "");
  check.set_sequencer(sequencer);
  check.set_mode(mode);
}

}  // namespace bramah::sim

// Actor: the application of one client. A small script machine that carries out the operations of a plan through calls to the
// client library: it opens handles on demand and keeps one per path, holds locks for as long as the plan says, opens a session at
// start and a new one whenever the old one ended. Pure: calls and wishes to be woken come out, answers go in.
//
// Operations run side by side; each is a task of at most a few calls. A task whose handle or session is lost ends quietly, as an
// application would report an error to its user: nothing is retried here, that is the library's business.
#ifndef BRAMAH_SIM_APP_ACTOR_H_
#define BRAMAH_SIM_APP_ACTOR_H_

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/api/event.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/wire/wire.pb.h"
#include "sim/app/resource.h"
#include "sim/plan/plan.pb.h"

namespace bramah::sim {

class Actor {
 public:
  // What an input makes the actor want; the world appends events for it.
  struct Wish {
    enum Kind : uint8_t { kCall, kWake, kRequest } kind;
    uint32_t id;          // kCall: slot of the call; kWake: tag to be handed to Woken; kRequest: number in requests()
    Duration after = 0;   // kWake
  };
  struct PendingCall {
    CallId id;             // none: the slot is free
    bool issued = false;   // the library was told
    bool wait = true;      // out a jeopardy
    v1::Command command;
    std::string path;      // that the call is about
    uint32_t task = 0;
    uint32_t session = 0;  // ordinal of the actor's session it belongs to
  };

  // `operations` are those of this client (any order) and outlive the actor; `number` is M of "cM".
  Actor(uint64_t seed, uint32_t number, std::vector<const v1::Operation*> operations);

  // ---- inputs; each may add wishes
  void Started();                            // the client process booted, first time or again
  void Stopped();                            // it died: tasks and calls are gone, the token of its session is kept
  void Due(uint32_t operation);              // operations()[operation] is due
  void Woken(uint32_t tag);
  void Answered(CallId call, const v1::Outcome& outcome);
  void SessionEnded();                       // the library said so
  void Notified(const CoreEvent& event);     // the library told of something that a handle watches
  // Somebody else's sequencer is to be checked by this client.
  void Check(const std::string& sequencer, v1::LockMode mode);
  std::vector<Wish>& wishes() { return wishes_; }
  // What was sent to the resource since the start of the process.
  const std::vector<ResourceRequest>& requests() const { return requests_; }

  // The call in `slot`, to be handed to the library now.
  const PendingCall& Issue(uint32_t slot);

  // ---- for the liveness phase
  bool idle() const { return tasks_in_use_ == 0 && calls_in_flight_ == 0 && session_ == Session::kOpen; }
  // What it still waits for, in words.
  std::string Describe() const;
  // Sum of the times that unfinished tasks mean to hold something.
  Duration HoldsLeft() const;
  const std::vector<const v1::Operation*>& operations() const { return operations_; }

 private:
  enum class Session : uint8_t { kNone, kOpening, kOpen, kEnding };
  enum class Stage : uint8_t {
    kFree, kWaiting, kOpening, kCalling, kFencing, kAgain, kHolding, kReleasing, kPoisoning, kClosing, kFenced,
  };
  // What a fenced lock operation has built (fenced_lock.cc).
  struct Fence {
    ResourceRequest request;  // its sequencer is empty until there is one
    HandleId guarded;         // the second handle
    bool tied = false;        // to the sequencer
    uint32_t writes = 0;      // through it
  };
  struct Task {
    Stage stage = Stage::kFree;
    uint32_t operation = 0;
    uint32_t session = 0;
    HandleId handle;
    bool own_handle = false;  // opened for this task alone
    bool borrowed = false;    // uses the kept handle's lock
    bool again = false;       // has acquired its lock once more
    bool gave_up = false;     // waiting for its lock
    Fence fence;
  };
  // The handle kept for a path.
  struct Kept {
    HandleId handle;
    bool writable = false;
    bool opening = false;
    bool lock_in_use = false;
    std::vector<uint32_t> waiting;  // tasks that need it
  };

  static constexpr uint32_t kNoTask = UINT32_MAX;
  static constexpr uint32_t kSessionTask = UINT32_MAX - 1;
  static constexpr uint32_t kOpenTag = UINT32_MAX;
  static constexpr uint32_t kPatienceTag = 1u << 31;  // with the number of a task

  const v1::Operation& OperationOf(const Task& task) const { return *operations_[task.operation]; }
  uint32_t NewTask(uint32_t operation);
  void EndTask(uint32_t task);
  v1::Command& NewCall(uint32_t task, v1::CommandKind kind, const std::string& path);
  void OpenSession();
  void NameFormerSession(v1::Command& open) const;
  void BeginStale(uint32_t task);
  void ForgetSession();
  void TryFormerHandle();
  void OnSessionAnswer(const v1::Outcome& outcome);
  void Begin(uint32_t task);
  void BeginLock(uint32_t task);
  void BeginWatch(uint32_t task);
  void OnWatchOpened(uint32_t task, HandleId handle);
  void UseKept(uint32_t task, bool writable);
  void OpenOwn(uint32_t task, uint32_t flags);
  void Perform(uint32_t task);
  void FillBatch(const Task& task, v1::Command& batch);
  void OnKeptOpened(uint32_t task, const v1::Outcome& outcome);
  void OnTaskAnswer(uint32_t task, const v1::Outcome& outcome);
  void OnPerformed(uint32_t task, const v1::Outcome& outcome);
  bool AcquireAgain(uint32_t task);
  void Hold(uint32_t task);
  void LetGo(uint32_t task);
  void GiveUp(uint32_t task);
  // What was held is held no longer.
  void LetGone(uint32_t task);
  void DropKept(const std::string& path, HandleId handle);
  void Close(uint32_t task, const std::string& path, HandleId handle);
  std::string Value(uint32_t operation) const;
  std::string SomeClients(uint32_t operation) const;
  std::string SomeAcl(uint32_t operation, uint64_t which) const;

  // ---- counter.cc
  void Count(uint32_t task);

  // ---- fenced_lock.cc
  void BeginFence(uint32_t task, const v1::Outcome& granted);
  void OnFenced(uint32_t task, const v1::Outcome& outcome);
  void WriteGuarded(uint32_t task, uint32_t for_task);
  void SendToResource(Task& task);
  void UseFenceOnceMore(uint32_t task);
  bool TryFenceInVain(uint32_t task);
  void EndFence(uint32_t task);

  uint64_t seed_;
  uint32_t number_;
  std::vector<const v1::Operation*> operations_;
  std::vector<Wish> wishes_;
  Session session_ = Session::kNone;
  uint32_t session_ordinal_ = 0;
  SessionId session_id_;
  struct Token {
    uint64_t session = 0;
    uint64_t nonce_high = 0;
    uint64_t nonce_low = 0;
  };
  Token token_;             // of the latest session, as if in a file
  bool takes_over_ = false;  // it is that of a former life
  std::vector<ResourceRequest> requests_;
  uint32_t attempts_ = 0;
  std::deque<PendingCall> calls_;
  std::vector<uint32_t> free_calls_;
  uint32_t calls_in_flight_ = 0;
  uint64_t next_call_ = 1;
  std::deque<Task> tasks_;
  uint32_t tasks_in_use_ = 0;
  std::vector<uint32_t> free_tasks_;
  std::vector<uint32_t> waiting_;  // tasks that need a session
  std::pair<std::string, HandleId> former_;  // path and handle of a session that ended, to be tried in the next one
  std::map<std::string, Kept> kept_;
  std::map<std::string, HandleId> watched_;  // handle that is told of everything, by path
  std::map<std::string, uint64_t> seen_;  // content generation seen last, by path
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_APP_ACTOR_H_

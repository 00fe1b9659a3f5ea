// Takes random steps with a few clients that keep answers and a cell of one replica, and compares, after every step of any of
// them, all that an active client would answer from its cache with what a direct read of the cell answers [INV-4, L4]. When they
// differ, the fewest and simplest steps that still show it are printed, and a line that repeats just them.
//
// The run is always the same. Others, or longer ones:
//   bazel test //sim/run:cache_machine_test --test_env=RC_PARAMS='seed=7 max_success=2000'
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/client/cache.h"
#include "core/client/handle_ids.h"
#include "sim/run/cache_step.h"
#include "sim/run/wired_cell.h"

namespace bramah::sim {
namespace {

constexpr int64_t kClients = kCacheClients;
constexpr Duration kPasses[] = {kMillisecond, 60 * kMillisecond, 700 * kMillisecond, 3 * kSecond, 7 * kSecond, 15 * kSecond};
constexpr uint32_t kFlags[] = {v1::OPEN_READ, v1::OPEN_WRITE, v1::OPEN_WRITE | v1::OPEN_MAY_CREATE,
                               v1::OPEN_WRITE | v1::OPEN_MAY_CREATE | v1::OPEN_CHANGE_ACL,
                               v1::OPEN_WRITE | v1::OPEN_CHANGE_ACL,
                               v1::OPEN_WRITE | v1::OPEN_MAY_CREATE | v1::OPEN_EPHEMERAL};

// What the runs must come across.
struct Reached {
  Probes probes;
  std::map<v1::CommandKind, int> hits;
  int absences = 0;
  int compared = 0;
};

std::vector<client::ClientConfig> Configs() {
  std::vector<client::ClientConfig> configs(static_cast<size_t>(kClients));
  for (size_t i = 0; i < configs.size(); ++i) {
    configs[i].endpoints = {"r1"};
    configs[i].idle_end = 0;
    configs[i].cache_handles = true;
    configs[i].cache_locks = i == 2;
  }
  return configs;
}

class Walk {
 public:
  explicit Walk(Reached& reached)
      : reached_(reached), world_(Configs(), [this](int client, Effects& effects) { Look(client, effects); }) {
    RC_ASSERT(world_.serving());
    wired_ = true;
    for (int client = 0; client < kClients; ++client) Begin(client);
  }

  void Take(const CacheStep& step) {
    const int client = static_cast<int>(step.client);
    switch (step.what) {
      case CacheStep::kCall:
        return CallFor(step);
      case CacheStep::kDeliver:
        world_.Deliver(client, step.more % 2 == 0, static_cast<size_t>(step.nth));
        return;
      case CacheStep::kSettle:
        return world_.Settle(client, static_cast<size_t>(step.nth));
      case CacheStep::kPass:
        return world_.Pass(kPasses[static_cast<size_t>(step.more) % std::size(kPasses)]);
      default:
        return world_.Break(client);
    }
  }

 private:
  struct App {
    std::vector<uint64_t> handles;
    std::map<uint64_t, uint64_t> instances;  // of handles
    std::map<CallId, v1::Command> calls;     // unanswered
  };

  void Begin(int client) {
    v1::Command open;
    open.set_kind(v1::OPEN_SESSION);
    Ask(client, open);
    world_.Settle(client, 0);
  }
  void Ask(int client, const v1::Command& command) {
    const CallId call(++calls_);
    apps_[client].calls.emplace(call, command);
    world_.Call(client, call, command);
  }
  void CallFor(const CacheStep& step) {
    const int client = static_cast<int>(step.client);
    App& app = apps_[client];
    const client::SessionState state = world_.view(client).state;
    if (state == client::SessionState::kNone || state == client::SessionState::kExpired) {
      app.handles.clear();
      return Begin(client);
    }
    v1::Command command;
    command.set_kind(app.handles.empty() ? v1::OPEN : KindOf(step));
    if (command.kind() == v1::OPEN) {
      command.set_path(PathOf(step));
      command.set_open_flags(kFlags[static_cast<size_t>(step.more) % std::size(kFlags)]);
      if (command.path() == "/d") command.set_open_flags(v1::OPEN_WRITE | v1::OPEN_MAY_CREATE | v1::OPEN_DIRECTORY);
      return Ask(client, command);
    }
    const size_t back = std::min(static_cast<size_t>(step.nth), app.handles.size() - 1);
    command.set_handle(app.handles[app.handles.size() - 1 - back]);
    Fill(step, command);
    const bool leaves = command.kind() == v1::CLOSE || command.kind() == v1::POISON;
    if (leaves) app.handles.erase(app.handles.end() - 1 - static_cast<ptrdiff_t>(back));
    Ask(client, command);
  }
  void Fill(const CacheStep& step, v1::Command& command) {
    command.set_mode(command.kind() == v1::ACQUIRE ? v1::EXCLUSIVE : v1::FREE);
    command.set_try_only(command.kind() == v1::ACQUIRE && step.more % 2 == 0);
    command.set_delta(command.kind() == v1::ADD ? 1 : 0);
    if (command.kind() == v1::SET_CONTENTS) command.set_contents(std::to_string(++calls_));
    if (command.kind() == v1::SET_ACL) command.set_acl_read(step.more % 2 == 0 ? "nobody" : "everyone");
    command.set_with_stat(command.kind() == v1::GET_CONTENTS && step.more % 3 == 0);
  }

  // ---- after every step of a node
  void Look(int client, Effects& effects) {
    reached_.probes.Merge(effects.probes());
    if (!wired_ || !world_.serving()) return;
    if (client >= 0) LookAtAnswers(client, effects);
    for (int number = 0; number < kClients; ++number) LookAtCache(number);
  }
  void LookAtAnswers(int client, const Effects& effects) {
    App& app = apps_[client];
    bool hit = false;
    for (const Effects::Ref ref : effects.ops()) {
      if (ref.op == Effects::Op::kEvent) hit = effects.event(ref).kind == CoreEvent::kCacheHit;
      if (ref.op != Effects::Op::kReply) continue;
      const auto asked = app.calls.find(effects.reply(ref).call);
      RC_ASSERT(asked != app.calls.end());
      const v1::Command command = asked->second;
      app.calls.erase(asked);
      Learn(client, command, *effects.reply(ref).outcome, hit);
      hit = false;
    }
  }
  void Learn(int client, const v1::Command& command, const v1::Outcome& outcome, bool hit) {
    App& app = apps_[client];
    const bool local = command.kind() == v1::OPEN && outcome.seq() == 0;
    if (local && outcome.code() == v1::NOT_FOUND) {
      ++reached_.absences;
      RC_ASSERT(!world_.cell().Exists(command.path()));
    }
    if (hit) ++reached_.hits[command.kind()];
    if (command.kind() == v1::OPEN && outcome.code() == v1::OK) {
      RC_ASSERT(app.instances.emplace(outcome.handle(), outcome.instance()).second);  // a closed id stays closed
      app.handles.push_back(outcome.handle());
      if (hit) CompareOpen(client, command, outcome);
    } else if (hit) {
      RC_ASSERT(outcome.instance() == app.instances.at(command.handle()));
      const HandleId handle = client::AtMaster(HandleId(command.handle()));
      RC_ASSERT(world_.cell().AccessOf(world_.view(client).session, handle)->handle.readable);
      CompareRead(command, outcome);
    }
  }
  // With what the handle is in the cell, which must be what its Open asked for.
  void CompareOpen(int client, const v1::Command& command, const v1::Outcome& outcome) {
    const auto access = world_.cell().AccessOf(world_.view(client).session, client::AtMaster(HandleId(outcome.handle())));
    RC_ASSERT(access.has_value());
    RC_ASSERT(access->path == command.path());
    RC_ASSERT(access->handle.instance.value() == outcome.instance());
    RC_ASSERT(access->handle.writable == ((command.open_flags() & v1::OPEN_WRITE) != 0));
    RC_ASSERT(access->handle.readable == (access->read.name == "everyone"));
    RC_ASSERT(!access->handle.waits);
    CompareStat(outcome);
  }
  void CompareRead(const v1::Command& question, const v1::Outcome& answer) {
    v1::Outcome now;
    world_.cell().ReadNode(Position(answer.instance()), question, now);
    v1::Outcome kept = answer;
    kept.clear_seq();
    kept.clear_handle();
    ++reached_.compared;
    if (kept.SerializeAsString() == now.SerializeAsString()) return;
    RC_ASSERT(kept.ShortDebugString() == now.ShortDebugString());
  }
  // What an Open says of the node.
  void CompareStat(const v1::Outcome& open) {
    v1::Command question;
    question.set_kind(v1::GET_STAT);
    v1::Outcome now;
    world_.cell().ReadNode(Position(open.instance()), question, now);
    ++reached_.compared;
    RC_ASSERT(now.code() == v1::OK);
    RC_ASSERT(open.content_generation() == now.content_generation());
    RC_ASSERT(open.children_changed() == now.children_changed());
    RC_ASSERT(open.directory() == now.directory());
  }
  void LookAtCache(int client) {
    const client::ClientView& view = world_.view(client);
    if (view.state != client::SessionState::kActive || world_.now() >= view.lease_end) return;
    for (const auto& [key, answer] : view.cache->answers()) {
      v1::Command question;
      question.set_kind(answer.kind);
      question.set_with_stat(answer.with_stat);
      if (answer.kind != v1::OPEN) {
        RC_ASSERT(answer.outcome.instance() == key.first);
        CompareRead(question, answer.outcome);
      } else if (answer.outcome.code() == v1::OK) {
        CompareStat(answer.outcome);
      } else {
        RC_ASSERT(!world_.cell().Exists(answer.path));
      }
    }
  }

  Reached& reached_;
  bool wired_ = false;
  uint64_t calls_ = 0;
  std::map<int, App> apps_;
  WiredCell world_;
};

TEST(CacheMachine, WhatAClientKeepsIsWhatTheCellSays) {
  const char* wanted = std::getenv("RC_PARAMS");
  setenv("RC_PARAMS", (std::string("seed=1 max_success=1000 max_size=1000 ") + (wanted == nullptr ? "" : wanted)).c_str(), 1);
  SetCheckHandler([](const CheckFailure& failure) { RC_FAIL(std::string(failure.condition)); });
  Reached reached;
  EXPECT_TRUE(rc::check("a client keeps what the cell says", [&] {
    const std::vector<CacheStep> steps = *CacheSteps();
    Walk walk(reached);
    for (const CacheStep& step : steps) walk.Take(step);
  }));
  for (const auto& [kind, hits] : reached.hits) std::printf("%s: %d from the cache\n", v1::CommandKind_Name(kind).c_str(), hits);
  if (HasFailure() || wanted != nullptr) return;
  for (const v1::CommandKind kind : {v1::GET_CONTENTS, v1::GET_STAT, v1::READ_DIR, v1::OPEN}) {
    EXPECT_GT(reached.hits[kind], 5) << v1::CommandKind_Name(kind);
  }
  EXPECT_GT(reached.absences, 0);
  EXPECT_GT(reached.compared, 10'000);
  for (const ProbeId probe :
       {ProbeId::kCacheInvalidated, ProbeId::kOvertakenReply, ProbeId::kWriteHeld, ProbeId::kWriteOutlastedCacher,
        ProbeId::kClientJeopardy, ProbeId::kClientSafe, ProbeId::kClientResent, ProbeId::kKeptLockTaken,
        ProbeId::kHeldNodeDeleted, ProbeId::kEphemeralRemoved}) {
    EXPECT_TRUE(reached.probes.Reached(probe)) << ProbeName(probe);
  }
}

}  // namespace
}  // namespace bramah::sim

// Takes random steps of a few clients with Cell and NaiveModel, and compares everything that can be seen. When they differ, the
// fewest and simplest steps that still show it are printed, and a line that repeats just them.
//
// The run is always the same. Others, or longer ones:
//   bazel test //core/cell:state_machine_test --test_env=RC_PARAMS='seed=7 max_success=2000'
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/api/cache.h"
#include "core/base/check.h"
#include "core/cell/invariants.h"
#include "core/cell/naive_model.h"
#include "core/cell/step_client.h"
#include "core/cell/step_list.h"
#include "core/cell/test_cell.h"

namespace bramah {

// How rapidcheck prints what it finds different.
static void showValue(const Touch& touch, std::ostream& os) { os << touch.id << " in " << touch.classes; }

namespace cell {

static void showValue(const DelayView& delay, std::ostream& os) {
  os << delay.path << ", exclusively until " << delay.exclusive;
  for (const auto& [permit, lost] : delay.permits) os << ", permit " << permit << " of " << lost.of << " until " << lost.until;
}
static void showValue(const LockView& lock, std::ostream& os) {
  os << lock.path << "#" << lock.permit << " " << v1::LockMode_Name(lock.mode) << " since " << lock.generation.value()
     << ", holders:";
  for (const HolderView& holder : lock.holders) os << " " << holder.session.value() << "/" << holder.handle.value();
  os << ", waiters:";
  for (const WaiterView& waiter : lock.waiters) os << " " << waiter.session.value() << "/" << waiter.handle.value();
}

namespace {

// What the runs must come across, or they do not compare what they are meant to.
constexpr v1::Code kCodes[] = {
    v1::OK, v1::QUEUED, v1::NOT_FOUND, v1::EXISTS, v1::NOT_EMPTY, v1::NOT_A_DIRECTORY, v1::IS_A_DIRECTORY, v1::BAD_NAME,
    v1::GENERATION_MISMATCH, v1::LOCK_CONFLICT, v1::LOCK_NOT_HELD, v1::BAD_HANDLE, v1::STALE_HANDLE, v1::BUSY,
    v1::TOO_MANY_HANDLES, v1::CELL_FULL, v1::OUT_OF_BOUNDS, v1::NOT_A_NUMBER, v1::ROOT_IS_PERMANENT, v1::CANCELLED,
    v1::SESSION_EXPIRED, v1::NOT_WRITABLE, v1::LOCK_DELAYED, v1::MALFORMED,
    v1::SEQUENCER_INVALID, v1::BAD_SEQUENCER, v1::PERMISSION_DENIED, v1::TOO_MANY_PERMITS, v1::GUARD_FAILED,
    v1::PARTS_OVERLAP};
constexpr v1::EventKind kKinds[] = {v1::EVENT_CONTENTS, v1::EVENT_CHILDREN, v1::EVENT_HANDLE_INVALID, v1::EVENT_LOCK_ACQUIRED,
                                    v1::EVENT_LOCK_REQUESTED};
constexpr v1::CommandKind kDenied[] = {v1::CREATE_SESSION, v1::OPEN, v1::SET_ACL, v1::DELETE,
                                       v1::GET_CONTENTS, v1::GET_STAT, v1::READ_DIR, v1::BATCH};

// How often they did.
struct Reached {
  std::map<v1::Code, int> codes;
  std::map<v1::EventKind, int> kinds;
  std::map<v1::CommandKind, int> denied;
};

Limits SmallLimits() {
  Limits limits;
  limits.handles_per_session_max = 8;
  limits.children_max = 6;
  limits.results_per_session_max = 16;
  limits.bytes_max = 60;
  return limits;
}

using Told = std::set<std::tuple<v1::EventKind, uint64_t, uint64_t, uint64_t>>;

// Who was told what by `command`; how often and in which order does not matter. An Acquire first grants what only waited for a
// delay that has passed. Whether its own handle is told of that, if it gets the lock as well, is left open.
Told ToldBy(const v1::Command& command, const std::vector<Notice>& notices) {
  Told told;
  for (const Notice& notice : notices) {
    const bool own = notice.session.value() == command.session() && notice.handle.value() == command.handle();
    if (own && command.kind() == v1::ACQUIRE && notice.kind == v1::EVENT_LOCK_ACQUIRED) continue;
    told.insert({notice.kind, notice.session.value(), notice.handle.value(), notice.generation});
  }
  return told;
}

std::string Text(const std::vector<Decision>& decisions) {
  std::string text;
  for (const Decision& decision : decisions) {
    text += std::to_string(decision.kind) + " " + std::to_string(decision.session.value()) + " " +
            std::to_string(decision.handle.value()) + " " + std::to_string(decision.seq.value()) + " " +
            std::to_string(decision.generation.value()) + "#" + std::to_string(decision.permit) + "; ";
  }
  return text;
}

void Compare(const v1::Command& command, const v1::Outcome& got, const v1::Outcome& expected) {
  if (got.SerializeAsString() == expected.SerializeAsString()) return;  // which costs less than text
  RC_LOG("  different answers: " + command.ShortDebugString());
  RC_ASSERT(got.ShortDebugString() == expected.ShortDebugString());
}

void Compare(const v1::Command& command, const Applied& got, const Applied& expected) {
  Compare(command, got.outcome, expected.outcome);
  RC_ASSERT(got.effect == expected.effect);
  RC_ASSERT(got.duplicate == expected.duplicate);
  RC_ASSERT(got.ended.value() == expected.ended.value());
  RC_ASSERT(Text(got.decisions) == Text(expected.decisions));
  RC_ASSERT(ToldBy(command, got.notices) == ToldBy(command, expected.notices));
}

// Two cells: one goes through a snapshot after every command, the other one lasts, so that what is derived from a snapshot is
// compared with what is kept up to date.
class Walk {
 public:
  explicit Walk(Reached& reached)
      : reached_(reached), limits_(SmallLimits()), cell_(limits_), lasting_(&limits_, kTestIncarnation), model_(limits_) {
    MakeAcls();
  }

  void Take(const Step& step) {
    cell_.Advance(step.seconds * kSecond);
    if (step.what == Step::kReload) return Reload();
    StepClient& client = clients_[static_cast<size_t>(step.client)];
    // What a step needs is made if it is not there, so that few steps go nowhere.
    if (client.session == 0) Send(client, client.Begin(step, ++nonces_));
    if (step.what == Step::kRepeat) {
      Apply(client, client.Again(step));
    } else if (step.what == Step::kDeliver) {
      if (client.kept.empty()) return;
      const auto it = FromLast(client.kept, step.nth);
      const v1::Command command = *it;
      client.kept.erase(it);
      Send(client, command);
    } else {
      if (UsesHandle(step) && client.open.empty()) Send(client, client.New(OpenFor(step), sequencers_));
      const v1::Command command = client.New(step, sequencers_);
      if (step.what == Step::kKeepBack) return client.kept.push_back(command);
      Send(client, command);
    }
  }

 private:
  // What ACL names mean at first, so that few steps are needed to be listed or not.
  void MakeAcls() {
    StepClient maker;
    Apply(maker, Create(++nonces_, "maker"));
    Apply(maker, OpenPath(maker.session, 1, 1, "/acl", v1::OPEN_MAY_CREATE | v1::OPEN_DIRECTORY));
    Apply(maker, OpenPath(maker.session, 2, 2, "/acl/few", v1::OPEN_MAY_CREATE, Listing(2)));
    Apply(maker, OpenPath(maker.session, 3, 3, "/acl/more", v1::OPEN_MAY_CREATE, Listing(3)));
    Apply(maker, End(maker.session, 4));
  }

  void Send(StepClient& client, const v1::Command& command) {
    client.sent.push_back(command);
    Apply(client, command);
  }

  void Apply(StepClient& client, const v1::Command& asked) {
    if (asked.kind() == v1::BATCH) {
      for (uint32_t left = PositionsOf(asked); left > 1; --left) Apply(client, Reserve());
    }
    const v1::Command command = cell_.Stamped(asked);
    const Applied& got = cell_.Apply(command);
    RC_LOG("  " + std::to_string(cell_.time() / kSecond) + " s: " + command.ShortDebugString() + " -> " +
           v1::Code_Name(got.outcome.code()));
    Compare(command, got, model_.Apply(At(cell_.index()), cell_.time(), command));
    Touches touches;
    lasting_.TouchedBy(command, cell_.time(), touches);
    // Delays are ended one by one, each for itself.
    if (got.effect && command.kind() != v1::EXPIRE_LOCK_DELAYS) RC_ASSERT(got.touches == touches);
    if (!got.touches.empty()) CheckUncovered(command);
    v1::Command covered = command;
    SetCovers(touches, covered);
    Applied lasting;
    lasting_.Apply(LogIndex(cell_.index()), cell_.time(), covered, lasting, probes_);
    Compare(command, lasting, got);
    CheckState(client, command);
    Count(command, got);
    client.Learn(command, got.outcome, cell_.cell().HasSession(SessionId(client.session)));
  }

  // A command that would touch something, and covers nothing, is as if it had not come.
  void CheckUncovered(const v1::Command& command) {
    Cell cell = lasting_;
    Applied refused;
    cell.Apply(LogIndex(cell_.index()), cell_.time(), command, refused, probes_);
    const CellView after = cell.View();
    RC_ASSERT(after.nodes == view_.nodes);
    RC_ASSERT(refused.decisions.empty());
    RC_ASSERT(refused.notices.empty());
    if (command.kind() == v1::EXPIRE_LOCK_DELAYS) return;  // ends those of nodes that are gone
    RC_ASSERT(v1::Code_Name(refused.outcome.code()) == v1::Code_Name(v1::RECHECK));
    RC_ASSERT(!refused.effect);
    RC_ASSERT(after.delays == view_.delays);
    RC_ASSERT(cell.HasSession(SessionId(command.session())));
  }

  void Reload() {
    RC_LOG("  the lasting cell is loaded from a snapshot");
    std::string saved;
    lasting_.Save(&saved);
    Cell loaded(&limits_, 0);
    RC_ASSERT(loaded.Load(saved));
    lasting_ = loaded;
  }

  void CheckState(const StepClient& client, const v1::Command& command) {
    const CellView view = cell_.cell().View();
    std::vector<std::string> paths;
    for (const NodeView& node : view.nodes) paths.push_back(node.path);
    RC_ASSERT(paths == model_.Paths());
    RC_ASSERT(cell_.cell().HeldLocks() == model_.HeldLocks());
    RC_ASSERT(view.delays == model_.Delays());
    RC_ASSERT(view.lease_max == model_.lease_max());
    RC_ASSERT(lasting_.digest() == cell_.cell().digest());
    view_ = lasting_.View();
    RC_ASSERT(view_.nodes == view.nodes);
    RC_ASSERT(CheckInvariants(view_).value_or("") == "");
    CheckEphemerals(view);
    for (const uint64_t handle : client.open) CheckReads(client.session, handle, command.sequencer());
    if (command.handle() != 0) CheckReads(command.session(), command.handle(), command.sequencer());
    if (!command.sequencer().empty()) CheckSequencer(client.session, command.sequencer());
    if (!sequencers_.empty()) CheckSequencer(client.session, sequencers_.back());
  }

  // ViewOfEphemerals is the part of View that it says.
  void CheckEphemerals(const CellView& all) {
    const Position also = all.nodes[cell_.index() % all.nodes.size()].instance;
    const CellView part = cell_.cell().ViewOfEphemerals(absl::MakeConstSpan(&also, 1));
    std::vector<NodeView> nodes;
    std::set<Position> wanted{also};
    for (const NodeView& node : all.nodes) {
      if (!node.ephemeral && !node.owner) continue;
      nodes.push_back(node);
      wanted.insert(node.instance);
    }
    RC_ASSERT(part.nodes == nodes);
    const auto of_wanted = [&](const CellView& view) {
      std::vector<std::pair<SessionId, HandleView>> handles;
      for (const SessionView& session : view.sessions) {
        for (const HandleView& handle : session.handles) {
          if (wanted.count(handle.instance) > 0) handles.emplace_back(session.session, handle);
        }
      }
      return handles;
    };
    RC_ASSERT(of_wanted(part) == of_wanted(all));
    size_t handles = 0;
    for (const SessionView& session : part.sessions) handles += session.handles.size();
    RC_ASSERT(handles == of_wanted(all).size());
  }

  v1::Outcome CheckRead(const v1::Command& asked) {
    const v1::Command read = cell_.Stamped(asked);
    const v1::Outcome got = cell_.Read(read);
    Compare(read, got, model_.Read(read));
    if (got.code() == v1::PERMISSION_DENIED) ++reached_.denied[read.kind()];
    return got;
  }

  void CheckReads(uint64_t session, uint64_t handle, const std::string& sequencer) {
    for (const v1::CommandKind kind : {v1::GET_CONTENTS, v1::GET_STAT, v1::READ_DIR, v1::GET_SEQUENCER}) {
      const v1::Outcome got = CheckRead(Guarded(ReadOf(kind, session, handle), sequencer));
      const bool is_new = std::find(sequencers_.begin(), sequencers_.end(), got.sequencer()) == sequencers_.end();
      if (!got.sequencer().empty() && is_new) sequencers_.push_back(got.sequencer());
    }
    v1::Command both = Guarded(ReadOf(v1::GET_CONTENTS, session, handle), sequencer);
    both.set_with_stat(true);
    CheckRead(both);
  }

  void CheckSequencer(uint64_t session, const std::string& sequencer) {
    for (const v1::LockMode mode : {v1::FREE, v1::SHARED, v1::EXCLUSIVE}) {
      CheckRead(CheckOf(session, sequencer, mode));
    }
  }

  void Count(const v1::Command& command, const Applied& got) {
    const v1::Code code = got.outcome.code();
    ++reached_.codes[code];
    if (code == v1::PERMISSION_DENIED) ++reached_.denied[command.kind()];
    for (const Notice& notice : got.notices) ++reached_.kinds[notice.kind];
  }

  Reached& reached_;
  const Limits limits_;
  TestCell cell_;
  Cell lasting_;
  CellView view_;  // of the lasting one
  NaiveModel model_;
  std::array<StepClient, kClients> clients_;
  std::vector<std::string> sequencers_;  // given out
  uint64_t nonces_ = 0;
  Probes probes_;
};

// Whatever fails within, an expectation of TestCell or a check of the cell, fails the case, so that it is shrunk.
void TakeAll(const std::vector<Step>& steps, Reached& reached) {
  ::testing::TestPartResultArray failures;
  const ::testing::ScopedFakeTestPartResultReporter reporter(&failures);
  Walk walk(reached);
  for (const Step& step : steps) {
    walk.Take(step);
    if (failures.size() > 0) RC_FAIL(std::string(failures.GetTestPartResult(0).message()));
  }
}

TEST(StateMachine, CellAgreesWithTheNaiveModel) {
  const char* wanted = std::getenv("RC_PARAMS");
  setenv("RC_PARAMS", (std::string("seed=1 max_success=125 max_size=800 ") + (wanted == nullptr ? "" : wanted)).c_str(), 1);
  SetCheckHandler([](const CheckFailure& failure) { RC_FAIL(std::string(failure.condition)); });
  Reached reached;
  EXPECT_TRUE(rc::check("the cell agrees with the naive model", [&] { TakeAll(*Steps(), reached); }));
  if (HasFailure() || wanted != nullptr) return;
  for (const v1::Code code : kCodes) {
    EXPECT_GT(reached.codes[code], 0) << v1::Code_Name(code);
  }
  for (const v1::EventKind kind : kKinds) {
    EXPECT_GT(reached.kinds[kind], 0) << v1::EventKind_Name(kind);
  }
  for (const v1::CommandKind kind : kDenied) {
    EXPECT_GT(reached.denied[kind], 0) << v1::CommandKind_Name(kind);
  }
}

}  // namespace
}  // namespace cell
}  // namespace bramah

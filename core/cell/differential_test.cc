// Runs random commands of a few clients through Cell and NaiveModel. TestCell puts a snapshot, the invariants and the slow digest
// between any two commands. Clients repeat, delay and give up commands like a bad network makes them.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/keyed.h"
#include "core/cell/naive_model.h"
#include "core/cell/test_cell.h"

namespace bramah::cell {
namespace {

constexpr int kClients = 4;
constexpr int kSteps = 250;
constexpr uint64_t kSeeds = 60;

struct Client {
  uint64_t nonce = 0;
  std::string principal;
  uint64_t session = 0;
  uint64_t seq = 0;
  uint64_t first = 1;
  uint64_t handles = 0;              // ids given out
  std::vector<uint64_t> open;        // as far as it knows
  std::vector<v1::Command> sent;     // of this session; may be sent again
  std::deque<v1::Command> delayed;   // not sent yet
};

class Walk {
 public:
  explicit Walk(uint64_t seed) : seed_(seed), limits_(SmallLimits()), cell_(limits_), model_(limits_) {}

  void Go() {
    MakeAcls();
    for (step_ = 0; step_ < kSteps && !::testing::Test::HasFailure(); ++step_) {
      ordinal_ = 0;
      Client& client = clients_[Pick(kClients)];
      const std::optional<v1::Command> command = Next(client);
      if (command.has_value()) Check(client, *command);
    }
  }

  // How often each code was the answer, over all runs.
  static std::map<v1::Code, int>& Codes() {
    static std::map<v1::Code, int> codes;
    return codes;
  }
  // And how often each kind of event was told.
  static std::map<v1::EventKind, int>& Kinds() {
    static std::map<v1::EventKind, int> kinds;
    return kinds;
  }

 private:
  // /acl and /acl/few, which lists p.
  void MakeAcls() {
    Client maker;
    Check(maker, Create(1, "maker"));
    const uint64_t session = maker.session;
    Check(maker, OpenPath(session, 1, 1, "/acl", v1::OPEN_MAY_CREATE | v1::OPEN_DIRECTORY));
    Check(maker, OpenPath(session, 2, 2, "/acl/few", v1::OPEN_MAY_CREATE, "p"));
    Check(maker, End(session, 3));
  }

  static Limits SmallLimits() {
    Limits limits;
    limits.handles_per_session_max = 8;
    limits.children_max = 6;
    limits.results_per_session_max = 16;
    limits.bytes_max = 60;
    return limits;
  }

  uint64_t Pick(uint64_t bound) { return Below(Draw(seed_, 1, step_, ordinal_++), bound); }
  bool Percent(uint64_t percent) { return Pick(100) < percent; }

  // What happens next at `client`; nothing if it only delayed something.
  std::optional<v1::Command> Next(Client& client) {
    if (client.session == 0) {
      client.nonce = Draw(seed_, 2, step_, 0);
      client.principal = std::string(1, static_cast<char>('p' + Pick(3)));
      return Create(client.nonce, client.principal);
    }
    if (Percent(2)) return Create(client.nonce, Percent(90) ? client.principal : "p");
    if (Percent(1)) return Expire(client.session);
    if (Percent(3)) return ExpireDelays();
    if (Percent(2)) return NewEpoch({Pick(3), Pick(2)});
    if (!client.sent.empty() && Percent(12)) {
      v1::Command copy = client.sent[Pick(client.sent.size())];
      if (copy.kind() == v1::ACQUIRE && Percent(50)) copy.set_first_outstanding(client.first);
      return copy;
    }
    if (!client.delayed.empty() && Percent(20)) {
      const v1::Command command = client.delayed.front();
      client.delayed.pop_front();
      client.sent.push_back(command);
      return command;
    }
    const v1::Command command = Fresh(client);
    if (command.kind() != v1::END_SESSION && Percent(12)) {
      client.delayed.push_back(command);
      return std::nullopt;
    }
    client.sent.push_back(command);
    return command;
  }

  uint64_t SomeHandle(const Client& client) {
    if (client.open.empty() || Percent(4)) return 1 + Pick(client.handles + 1);
    return client.open[Pick(client.open.size())];
  }

  std::string SomePath() {
    static constexpr const char* kPaths[] = {"/",    "/a",   "/b",     "/a/x",   "/a/y", "/b/x", "/a/x/p",
                                             "/a/x/q", "/c", "/c-", "/c/x", "/a/x/p/z", "/bad/", "/d",
                                             "/acl/few", "/acl/more"};
    return kPaths[Percent(50) ? 1 + Pick(3) : Pick(std::size(kPaths))];
  }

  // Two of them are files that may exist and may list somebody; the last is none.
  lock::AclNames SomeNames() {
    const auto some = [this]() -> std::string {
      static constexpr const char* kNames[] = {"everyone", "everyone", "few", "more", "nobody", "bad/name"};
      return Percent(50) ? "" : kNames[Pick(Percent(90) ? 5 : 6)];
    };
    lock::AclNames names;
    names.read = some();
    names.write = some();
    names.change = some();
    return names;
  }

  // The first that hits contents of text is refused; an empty file is made a counter now and then.
  v1::Command AddNumber(uint64_t session, uint64_t seq, uint64_t handle) {
    if (Percent(30)) return Set(session, seq, handle, Percent(80) ? "" : "9223372036854775800");
    const v1::Command add = AddOf(session, seq, handle, static_cast<int64_t>(Pick(40)) - 15);
    return Percent(50) ? Bounded(add, -5, 9) : add;
  }

  // One that the cell gave out, mostly of late; now and then not quite.
  std::string SomeSequencer() {
    if (sequencers_.empty()) return "none";
    std::string text = sequencers_[sequencers_.size() - 1 - Pick(std::min<size_t>(sequencers_.size(), 5))];
    if (Percent(5)) text[Pick(text.size())] ^= 1;
    return text;
  }

  v1::Command Fresh(Client& client) {
    const uint64_t seq = ++client.seq;
    if (Percent(30)) client.first = std::max(client.first, seq - Pick(std::min<uint64_t>(seq, 10)));
    v1::Command command = First(Body(client, client.session, seq), client.first);
    const bool guarded = command.kind() != v1::OPEN && command.kind() != v1::CLOSE && command.kind() != v1::END_SESSION;
    if (guarded && Percent(10)) command = Guarded(command, SomeSequencer());
    if (command.kind() == v1::OPEN) client.open.push_back(command.handle());
    if (command.kind() == v1::CLOSE) std::erase(client.open, command.handle());
    return command;
  }

  v1::Command Body(Client& client, uint64_t session, uint64_t seq) {
    const uint64_t dice = Pick(100);
    if (dice < 24 || client.open.empty()) {
      const uint64_t handle = Percent(95) || client.handles == 0 ? ++client.handles : 1 + Pick(client.handles);
      uint32_t flags = 0;
      if (Percent(90)) flags |= v1::OPEN_WRITE;
      if (Percent(80)) flags |= v1::OPEN_MAY_CREATE;
      if (Percent(10)) flags |= v1::OPEN_MUST_CREATE;
      if (Percent(30)) flags |= v1::OPEN_DIRECTORY;
      if (Percent(55)) flags |= v1::OPEN_EPHEMERAL;
      const std::string path = SomePath();
      const Duration lock_delay = Percent(60) ? static_cast<Duration>(Pick(20 * kSecond)) : 0;
      const char* contents = flags & v1::OPEN_DIRECTORY ? "" : "new";
      v1::Command open = Delayed(OpenPath(session, seq, handle, path, flags, contents), lock_delay);
      if (Percent(60)) open.set_events(static_cast<uint32_t>(Pick(32)));
      if (Percent(30)) open.set_open_flags(open.open_flags() | v1::OPEN_CHANGE_ACL);
      if (Percent(10)) open = WithAcl(open, SomeNames());
      return open;
    }
    const uint64_t handle = SomeHandle(client);
    if (dice < 32) {
      std::vector<uint64_t> gives_up;
      for (const v1::Command& command : client.delayed) {
        if (command.handle() == handle || Percent(10)) gives_up.push_back(command.seq());
      }
      return Percent(70) ? CloseOf(session, seq, handle, gives_up) : PoisonOf(session, seq, handle, gives_up);
    }
    if (dice < 33) return Set(session, seq, handle, std::string(Pick(30), 's'));
    if (dice < 35) return Set(session, seq, handle, Percent(50) ? "p q" : "q\nr\n");
    if (dice < 39) return AddNumber(session, seq, handle);
    if (dice < 41) return SetAclOf(session, seq, handle, SomeNames());
    if (dice < 45) return CompareAndSet(session, seq, handle, "cas", 1 + Pick(3));
    if (dice < 48) return DeleteOf(session, seq, handle);
    if (dice < 80) {
      const v1::LockMode mode = Percent(50) ? v1::SHARED : v1::EXCLUSIVE;
      return AcquireOf(session, seq, handle, mode, Percent(15));
    }
    if (dice < 99) return ReleaseOf(session, seq, handle, Percent(60) ? 0 : Pick(seq));
    return Percent(40) ? End(session, seq, Percent(50) ? v1::END_CLOSED : v1::END_ABANDONED) : Set(session, seq, handle, "last");
  }

  void Check(Client& client, const v1::Command& command) {
    if (Percent(50)) cell_.Advance(static_cast<Duration>(Pick(kSecond)));
    const Applied& got = cell_.Apply(command);
    const Applied expected = model_.Apply(At(cell_.index()), cell_.time(), command);
    const std::string where =
        "seed " + std::to_string(seed_) + " step " + std::to_string(step_) + ": " + command.ShortDebugString();
    ASSERT_EQ(got.outcome.ShortDebugString(), expected.outcome.ShortDebugString()) << where;
    ASSERT_EQ(got.effect, expected.effect) << where;
    ASSERT_EQ(got.duplicate, expected.duplicate) << where;
    ASSERT_EQ(got.ended, expected.ended) << where;
    ASSERT_EQ(Text(got.decisions), Text(expected.decisions)) << where;
    ASSERT_EQ(Told(got.notices), Told(expected.notices)) << where;
    ASSERT_TRUE(cell_.cell().HeldLocks() == model_.HeldLocks()) << where;
    const CellView view = cell_.cell().View();
    std::vector<std::string> paths;
    for (const NodeView& node : view.nodes) paths.push_back(node.path);
    ASSERT_EQ(paths, model_.Paths()) << where;
    ASSERT_TRUE(view.delays == model_.Delays()) << where;
    CheckEphemerals(view, where);
    CheckRead(client, where);
    ++Codes()[got.outcome.code()];
    if (got.outcome.code() == v1::BAD_HANDLE || (command.kind() == v1::OPEN && got.outcome.code() != v1::OK)) {
      std::erase(client.open, command.handle());
    }
    if (command.kind() == v1::CREATE_SESSION) client.session = got.outcome.session();
    if (client.session != 0 && !cell_.cell().HasSession(SessionId(client.session))) {
      std::vector<v1::Command> sent = std::move(client.sent);  // late copies outlive the session
      client = Client();
      client.sent = std::move(sent);
    }
  }

  // ViewOfEphemerals is the part of View that it says.
  void CheckEphemerals(const CellView& all, const std::string& where) {
    const Position also = all.nodes[Pick(all.nodes.size())].instance;
    const CellView part = cell_.cell().ViewOfEphemerals(absl::MakeConstSpan(&also, 1));
    std::vector<NodeView> nodes;
    std::set<Position> wanted{also};
    for (const NodeView& node : all.nodes) {
      if (!node.ephemeral) continue;
      nodes.push_back(node);
      wanted.insert(node.instance);
    }
    ASSERT_TRUE(part.nodes == nodes) << where;
    const auto of_wanted = [&](const CellView& view) {
      std::vector<std::pair<SessionId, HandleView>> handles;
      for (const SessionView& session : view.sessions) {
        for (const HandleView& handle : session.handles) {
          if (wanted.count(handle.instance) > 0) handles.emplace_back(session.session, handle);
        }
      }
      return handles;
    };
    ASSERT_TRUE(of_wanted(part) == of_wanted(all)) << where;
    size_t handles = 0;
    for (const SessionView& session : part.sessions) handles += session.handles.size();
    ASSERT_EQ(handles, of_wanted(all).size()) << where;
  }

  void CheckRead(const Client& client, const std::string& where) {
    const v1::CommandKind kinds[] = {v1::GET_CONTENTS, v1::GET_STAT, v1::READ_DIR, v1::GET_SEQUENCER, v1::GET_SEQUENCER};
    v1::Command read = ReadOf(kinds[Pick(5)], client.session, SomeHandle(client));
    if (Percent(10)) read = Guarded(read, SomeSequencer());
    if (Percent(20)) read = CheckOf(client.session, SomeSequencer(), static_cast<v1::LockMode>(Pick(3)));
    const v1::Outcome got = cell_.Read(read);
    ASSERT_EQ(got.ShortDebugString(), model_.Read(read).ShortDebugString()) << where << " then " << read.ShortDebugString();
    if (!got.sequencer().empty()) sequencers_.push_back(got.sequencer());
    if (read.kind() == v1::CHECK_SEQUENCER) ++Codes()[got.code()];
  }

  // Who was told what; how often and in which order does not matter. Counts by kind.
  std::set<std::tuple<v1::EventKind, uint64_t, uint64_t, uint64_t>> Told(const std::vector<Notice>& notices) const {
    std::set<std::tuple<v1::EventKind, uint64_t, uint64_t, uint64_t>> told;
    for (const Notice& notice : notices) {
      told.insert({notice.kind, notice.session.value(), notice.handle.value(), notice.generation});
      ++Kinds()[notice.kind];
    }
    return told;
  }

  static std::string Text(const std::vector<Decision>& decisions) {
    std::string text;
    for (const Decision& decision : decisions) {
      text += std::to_string(decision.kind) + " " + std::to_string(decision.session.value()) + " " +
              std::to_string(decision.handle.value()) + " " + std::to_string(decision.seq.value()) + " " +
              std::to_string(decision.generation.value()) + "; ";
    }
    return text;
  }

  const uint64_t seed_;
  const Limits limits_;
  TestCell cell_;
  NaiveModel model_;
  std::array<Client, kClients> clients_;
  std::vector<std::string> sequencers_;  // given out
  uint64_t step_ = 0;
  uint64_t ordinal_ = 0;
};

TEST(Differential, CellAgreesWithTheNaiveModel) {
  for (uint64_t seed = 0; seed < kSeeds && !HasFailure(); ++seed) Walk(seed).Go();
  // The runs must reach what they are meant to compare.
  for (const v1::Code code :
       {v1::OK, v1::QUEUED, v1::NOT_FOUND, v1::EXISTS, v1::NOT_EMPTY, v1::NOT_A_DIRECTORY, v1::IS_A_DIRECTORY, v1::BAD_NAME,
        v1::GENERATION_MISMATCH, v1::LOCK_CONFLICT, v1::LOCK_NOT_HELD, v1::BAD_HANDLE, v1::STALE_HANDLE, v1::BUSY,
        v1::TOO_MANY_HANDLES, v1::ROOT_IS_PERMANENT, v1::CANCELLED, v1::SESSION_EXPIRED, v1::NOT_WRITABLE, v1::LOCK_DELAYED,
        v1::SEQUENCER_INVALID, v1::BAD_SEQUENCER, v1::PERMISSION_DENIED, v1::OUT_OF_BOUNDS, v1::NOT_A_NUMBER, v1::CELL_FULL}) {
    EXPECT_GT(Walk::Codes()[code], 0) << v1::Code_Name(code);
  }
  for (const v1::EventKind kind : {v1::EVENT_CONTENTS, v1::EVENT_CHILDREN, v1::EVENT_HANDLE_INVALID, v1::EVENT_LOCK_ACQUIRED,
                                   v1::EVENT_LOCK_REQUESTED}) {
    EXPECT_GT(Walk::Kinds()[kind], 0) << v1::EventKind_Name(kind);
  }
}

}  // namespace
}  // namespace bramah::cell

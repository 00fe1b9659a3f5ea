// Placing faults. Each family draws from its own dice, so that a family that is off shifts no other.
#include <algorithm>
#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "sim/plan/settings.h"

namespace bramah::sim {
namespace {

// Nothing is struck while directories are formatted and the first master is elected for the first time: an operator would wait,
// too.
constexpr Duration kCalm = 500 * kMillisecond;

class FaultPlacer {
 public:
  FaultPlacer(const Settings& settings, v1::Plan& plan) : settings_(settings), plan_(plan) {}

  void Place() {
    PlaceProcesses();
    PlaceLinks();
    PlaceDisks();
    PlaceClients();
    PlaceTriggered();
    DeposeMasters();
    PlaceClocks();
    PlaceCrowds();
    StrikeLeaseChanges();
    StrikeAfterLapses();
    PlaceSlews();
    std::stable_sort(plan_.mutable_fault()->pointer_begin(), plan_.mutable_fault()->pointer_end(),
                     [](const v1::Fault* a, const v1::Fault* b) { return a->at_ns() < b->at_ns(); });
  }

 private:
  // Calls `place` at instants about `every` apart, with the family's dice.
  void Family(Duration every, const std::function<void(Dice&, Time)>& place) {
    Dice dice(plan_.seed(), Stream::kFaultTimes, next_family_++);
    if (every == 0) return;
    Time at = kCalm + dice.In(0, every);
    while (at < plan_.duration_ns()) {
      place(dice, at);
      at += std::max<Duration>(kMillisecond, dice.In(every / 2, every + every / 2));
    }
  }
  v1::Fault& Add(v1::Fault::Kind kind, Time at) {
    v1::Fault& fault = *plan_.add_fault();
    fault.set_kind(kind);
    fault.set_at_ns(at);
    return fault;
  }
  std::string Replica(Dice& dice) const { return absl::StrCat("r", dice.In(1, plan_.replicas())); }
  std::string Client(Dice& dice) const { return absl::StrCat("c", dice.In(1, plan_.clients())); }
  static Duration Length(Dice& dice, Span span) {
    return dice.LogIn(std::max<Duration>(kMicrosecond, span.min), std::max<Duration>(kMicrosecond, span.max));
  }

  void Crash(Dice& dice, Time at, v1::Fault::Kind kind, const std::string& process) {
    v1::Fault& fault = Add(kind, at);
    fault.add_process(process);
    fault.set_for_ns(Length(dice, settings_.down));
    fault.set_between_effects(dice.Hit(settings_.in_step_ppm));
  }

  void PlaceProcesses() {
    Family(settings_.crash_process_every, [&](Dice& dice, Time at) {
      const std::string process = Replica(dice);
      Crash(dice, at, v1::Fault::CRASH_PROCESS, process);
    });
    Family(settings_.crash_machine_every, [&](Dice& dice, Time at) {
      const std::string process = Replica(dice);
      Crash(dice, at, v1::Fault::CRASH_MACHINE, process);
    });
    Family(settings_.power_cut_every, [&](Dice& dice, Time at) {
      v1::Fault& fault = Add(v1::Fault::CRASH_MACHINE, at);
      const int64_t spared = dice.In(0, 1);
      if (spared == 0) {
        fault.add_process("r*");
      } else {
        const int64_t first = dice.In(1, plan_.replicas());
        for (uint32_t i = 0; i <= plan_.replicas() / 2; ++i)
          fault.add_process(absl::StrCat("r", (first + i) % plan_.replicas() + 1));
      }
      fault.set_for_ns(Length(dice, settings_.down));
    });
    Family(settings_.pause_every, [&](Dice& dice, Time at) {
      v1::Fault& fault = Add(v1::Fault::PAUSE, at);
      fault.add_process(Replica(dice));
      fault.set_for_ns(Length(dice, settings_.paused));
    });
  }

  void Cut(Time at, Duration length, const std::vector<std::string>& from, const std::vector<std::string>& to, bool both) {
    for (const bool back : {false, true}) {
      if (back && !both) return;
      v1::Fault& fault = Add(v1::Fault::CUT, at);
      for (const std::string& name : from) back ? fault.add_to(name) : fault.add_from(name);
      for (const std::string& name : to) back ? fault.add_from(name) : fault.add_to(name);
      fault.set_for_ns(length);
    }
  }

  void PlaceLinks() {
    Family(settings_.cut_every, [&](Dice& dice, Time at) {
      const Duration length = Length(dice, settings_.cut);
      const int64_t shape = dice.In(0, 9);
      const std::string one = Replica(dice);
      const bool both = dice.Hit(700'000);
      if (shape < 5) return Cut(at, length, {one}, {"r*"}, both);            // one replica from its peers
      if (shape < 6) return Cut(at, length, {one}, {"c*"}, both);            // one replica from its clients
      if (shape < 8) return Cut(at, length, {one}, {Replica(dice)}, both);   // one link
      std::vector<std::string> some;                                         // two sides
      std::vector<std::string> others;
      for (uint32_t i = 1; i <= plan_.replicas(); ++i) (dice.Hit(500'000) ? some : others).push_back(absl::StrCat("r", i));
      if (!some.empty() && !others.empty()) Cut(at, length, some, others, both);
    });
    Family(settings_.slow_link_every, [&](Dice& dice, Time at) {
      v1::Fault& fault = Add(v1::Fault::SLOW_LINK, at);
      const bool towards_clients = plan_.clients() > 0 && dice.Hit(500'000);
      fault.add_from(Replica(dice));
      fault.add_to(towards_clients ? "c*" : "r*");
      fault.set_for_ns(Length(dice, settings_.cut));
      fault.set_amount(static_cast<uint64_t>(dice.LogIn(kMillisecond, kSecond)));
    });
  }

  void PlaceDisks() {
    const auto strike = [&](v1::Fault::Kind kind) {
      return [this, kind](Dice& dice, Time at) -> void {
        v1::Fault& fault = Add(kind, at);
        fault.add_process(Replica(dice));
        if (kind == v1::Fault::NO_SPACE || kind == v1::Fault::SLOW_DISK)
          fault.set_for_ns(dice.LogIn(50 * kMillisecond, 5 * kSecond));
        if (kind == v1::Fault::SLOW_DISK) fault.set_amount(static_cast<uint64_t>(dice.LogIn(kMillisecond, 500 * kMillisecond)));
      };
    };
    Family(settings_.sync_failure_every, strike(v1::Fault::FAIL_SYNC));
    Family(settings_.write_failure_every, strike(v1::Fault::FAIL_WRITE));
    Family(settings_.no_space_every, strike(v1::Fault::NO_SPACE));
    Family(settings_.slow_disk_every, strike(v1::Fault::SLOW_DISK));
    PlaceRot();
  }

  // At most a minority rots; beyond that nothing could be promised.
  void PlaceRot() {
    Dice dice(plan_.seed(), Stream::kFaultTimes, next_family_++);
    const uint32_t minority = (plan_.replicas() - 1) / 2;
    const int64_t first = dice.In(0, plan_.replicas() - 1);
    for (uint32_t i = 0; i < std::min(settings_.rotten_replicas, minority); ++i) {
      const std::string victim = absl::StrCat("r", (first + i) % plan_.replicas() + 1);
      Time at = dice.In(plan_.duration_ns() / 10, plan_.duration_ns());
      const int64_t flips = dice.In(1, 4);
      for (int64_t flip = 0; flip < flips; ++flip) {
        v1::Fault& fault = Add(v1::Fault::BIT_FLIP, at);
        fault.add_process(victim);
        fault.set_amount(static_cast<uint64_t>(dice.In(0, 1'000'000'000)));
      }
      at = std::min<Time>(plan_.duration_ns(), at + dice.LogIn(kMillisecond, kSecond));
      Crash(dice, at, v1::Fault::CRASH_PROCESS, victim);
    }
  }

  void PlaceClients() {
    const bool any = plan_.clients() > 0;
    const Duration lease = plan_.knobs().lease_ns() > 0 ? plan_.knobs().lease_ns() : 12 * kSecond;
    const Span absence{lease / 10, 2 * lease};
    Family(any ? settings_.client_cut_every : 0, [&](Dice& dice, Time at) {
      const std::string client = Client(dice);
      const Duration length = Length(dice, absence);
      const bool deaf = dice.Hit(500'000);
      const bool both = dice.Hit(600'000);
      if (deaf) return Cut(at, length, {"r*"}, {client}, both);
      Cut(at, length, {client}, {"r*"}, both);
    });
    Family(any ? settings_.client_pause_every : 0, [&](Dice& dice, Time at) {
      v1::Fault& fault = Add(v1::Fault::PAUSE, at);
      fault.add_process(Client(dice));
      fault.set_for_ns(Length(dice, absence));
    });
    Family(any ? settings_.client_crash_every : 0, [&](Dice& dice, Time at) {
      v1::Fault& fault = Add(v1::Fault::CRASH_PROCESS, at);
      fault.add_process(Client(dice));
      fault.set_for_ns(Length(dice, settings_.down));
    });
    Dice dice(plan_.seed(), Stream::kFaultTimes, next_family_++);
    for (uint32_t i = 0; any && i < settings_.clients_stopped; ++i) {
      const Time at = dice.In(std::min<Time>(kCalm, plan_.duration_ns()), plan_.duration_ns());
      Add(v1::Fault::STOP_CLIENT, at).add_process(Client(dice));
    }
  }

  // Strikes one master after the other some time into its reign: it crashes, stalls, or loses its peers.
  void StrikeMasters() {
    Dice dice(plan_.seed(), Stream::kFaultTimes, next_family_++);
    for (uint32_t i = 1; i <= settings_.masters_struck; ++i) {
      const Duration after = dice.LogIn(100 * kMicrosecond, std::max<Duration>(100 * kMicrosecond, settings_.reign_max));
      const int64_t how = dice.In(0, 9);
      const Duration length = Length(dice, how < 5 ? settings_.down : how < 7 ? settings_.paused : settings_.cut);
      const auto on = [&](v1::Fault& fault) -> v1::Fault& {
        fault.mutable_on()->set_event("MasterServing");
        fault.mutable_on()->set_ordinal(i);
        fault.mutable_on()->set_after_ns(after);
        fault.set_for_ns(length);
        return fault;
      };
      if (how < 3) on(Add(v1::Fault::CRASH_PROCESS, 0));
      else if (how < 5) on(Add(v1::Fault::CRASH_MACHINE, 0));
      else if (how < 7) on(Add(v1::Fault::PAUSE, 0));
      else on(Add(v1::Fault::CUT, 0)).add_to("r*");
      if (how == 9) on(Add(v1::Fault::CUT, 0)).add_from("r*");
    }
  }

  // Three leaders in a row: what the first one appends reaches one peer only, what the second one appends nobody; the third
  // spreads the first one's entry and dies before its own is safe, and the second is back. Counting copies of an older entry is
  // wrong precisely here [Raft §5.4.2, figure 8]; a vote or an entry that was not kept shows here, too.
  void StrikeRisingLeaders() {
    Dice dice(plan_.seed(), Stream::kFaultTimes, next_family_++);
    const Duration election = plan_.knobs().election_min_ns();
    for (uint32_t i = 1; i <= settings_.leaders_struck; ++i) {
      const int64_t spared = dice.In(1, plan_.replicas());
      const Duration length = dice.In(election, 6 * election);
      const Duration after = dice.In(kMillisecond / 2, settings_.rise_max);
      const auto on = [&](v1::Fault::Kind kind) -> v1::Fault& {
        v1::Fault& fault = Add(kind, 0);
        fault.mutable_on()->set_event("BecameLeader");
        fault.mutable_on()->set_ordinal(i);
        fault.set_for_ns(length);
        return fault;
      };
      if (i % 3 == 1) {
        v1::Fault& cut = on(v1::Fault::CUT);
        cut.set_between_effects(true);
        for (int64_t peer = 1; peer <= plan_.replicas(); ++peer) {
          if (peer != spared) cut.add_to(absl::StrCat("r", peer));
        }
      } else if (i % 3 == 2) {
        v1::Fault& out = on(v1::Fault::CUT);
        out.set_between_effects(true);
        out.add_to("r*");
        on(v1::Fault::CUT).add_from("r*");
      } else {
        on(v1::Fault::CRASH_PROCESS).mutable_on()->set_after_ns(after);
      }
    }
  }

  // Masters that do not know yet that they are deposed: without their peers they hear their clients a little longer; then nobody
  // hears the clients for more than a lease, so that the next master ends their sessions. A lease that was granted without
  // authority outlives its session precisely here [L1, L2].
  void DeposeMasters() {
    Dice dice(plan_.seed(), Stream::kFaultTimes, next_family_++);
    const Duration election = plan_.knobs().election_min_ns();
    const Duration lease = plan_.knobs().lease_ns();
    for (uint32_t i = 1; i <= settings_.masters_deposed; ++i) {
      const auto on = [&](Duration after, Duration length) -> v1::Fault& {
        v1::Fault& fault = Add(v1::Fault::CUT, 0);
        fault.mutable_on()->set_event("MasterServing");
        fault.mutable_on()->set_ordinal(i);
        fault.mutable_on()->set_after_ns(after);
        fault.set_for_ns(length);
        return fault;
      };
      const Duration alone = dice.In(2 * lease, 3 * lease);
      const Duration unheard = alone + dice.In(election, 3 * election);
      const Duration for_long = dice.In(lease + lease / 4, 2 * lease);
      on(alone, 6 * election).add_to("r*");
      on(alone, 6 * election).add_from("r*");
      for (const bool back : {false, true}) {
        v1::Fault& cut = on(unheard, for_long);
        cut.add_from(back ? "r*" : "c*");
        cut.add_to(back ? "c*" : "r*");
      }
    }
  }

  // Some clocks only fall behind, some catch up, some jump ahead of the others.
  v1::Fault& Freeze(Dice& dice, Time at) {
    v1::Fault& fault = Add(v1::Fault::FREEZE_CLOCK, at);
    fault.set_for_ns(Length(dice, settings_.frozen));
    const int64_t how = dice.In(0, 2);
    const Duration ahead = dice.LogIn(kMillisecond, 2 * settings_.frozen.max);
    fault.set_amount(static_cast<uint64_t>(how == 0 ? 0 : how == 1 ? fault.for_ns() : fault.for_ns() + ahead));
    return fault;
  }

  // A master whose time stands still never learns that its authority has passed, while its peers elect another.
  void PlaceClocks() {
    Family(settings_.freeze_every, [&](Dice& dice, Time at) { Freeze(dice, at).add_process(Replica(dice)); });
    Family(plan_.clients() > 0 ? settings_.freeze_every : 0,
           [&](Dice& dice, Time at) { Freeze(dice, at).add_process(Client(dice)); });
    Dice dice(plan_.seed(), Stream::kFaultTimes, next_family_++);
    for (uint32_t i = 1; i <= settings_.masters_frozen; ++i) StrikeClock(dice, i, [&] { return &Freeze(dice, 0); });
  }

  // Something happens to the clock of the i-th master, and its peers hear it no longer.
  void StrikeClock(Dice& dice, uint32_t i, const std::function<v1::Fault*()>& add) {
    const Duration after = dice.LogIn(kMillisecond, settings_.reign_max);
    v1::Fault& wrong = *add();
    wrong.mutable_on()->set_event("MasterServing");
    wrong.mutable_on()->set_ordinal(i);
    wrong.mutable_on()->set_after_ns(after);
    for (const bool back : {false, true}) {
      v1::Fault& cut = Add(v1::Fault::CUT, 0);
      *cut.mutable_on() = wrong.on();
      cut.set_for_ns(wrong.for_ns());
      back ? cut.add_from("r*") : cut.add_to("r*");
    }
  }

  v1::Fault& Slew(Dice& dice, Time at) {
    v1::Fault& fault = Add(dice.Hit(500'000) ? v1::Fault::FAST_CLOCK : v1::Fault::SLOW_CLOCK, at);
    fault.set_for_ns(Length(dice, settings_.slewed));
    fault.set_amount(static_cast<uint64_t>(dice.In(settings_.slew_ppm / 4, settings_.slew_ppm)));
    return fault;
  }

  // A client that nobody hears while its clock is slow would believe for longer than it may.
  void PlaceSlews() {
    Family(settings_.slew_every, [&](Dice& dice, Time at) { Slew(dice, at).add_process(Replica(dice)); });
    Family(plan_.clients() > 0 ? settings_.slew_every : 0, [&](Dice& dice, Time at) {
      const std::string client = Client(dice);
      v1::Fault& slew = Slew(dice, at);
      slew.add_process(client);
      if (dice.Hit(500'000)) return;
      const Duration length = slew.for_ns();
      v1::Fault& cut = Add(v1::Fault::CUT, at);
      cut.add_from(client);
      cut.add_to("r*");
      cut.set_for_ns(length);
    });
    Dice dice(plan_.seed(), Stream::kFaultTimes, next_family_++);
    for (uint32_t i = 1; i <= settings_.masters_slewed; ++i) StrikeClock(dice, i, [&] { return &Slew(dice, 0); });
  }

  // Most sessions lapse, and are there again when leases have become short.
  void PlaceCrowds() {
    const Duration lease = plan_.knobs().lease_ns();
    Family(plan_.clients() > 0 ? settings_.crowd_leaves_every : 0, [&](Dice& dice, Time at) {
      v1::Fault& fault = Add(v1::Fault::CRASH_PROCESS, at);
      fault.add_process(Client(dice));
      for (uint32_t i = 1; i <= plan_.clients(); ++i) {
        if (dice.Hit(700'000)) fault.add_process(absl::StrCat("c", i));
      }
      fault.set_for_ns(Length(dice, {lease, 8 * lease}));
    });
  }

  // A master that wants another Lmax: its entry reaches nobody, though it hears its clients a little longer; or it dies some time
  // later. Then nobody hears some of the clients, or any, for longer than a lease, so that the next master ends their sessions if
  // it does not know what they were promised [D-08, A-13].
  void StrikeLeaseChanges() {
    Dice dice(plan_.seed(), Stream::kFaultTimes, next_family_++);
    const Duration election = plan_.knobs().election_min_ns();
    const Duration lease = plan_.knobs().lease_ns();
    for (uint32_t i = 1; i <= settings_.lease_changes_struck; ++i) {
      const auto on = [&](v1::Fault::Kind kind, Duration after, Duration length) -> v1::Fault& {
        v1::Fault& fault = Add(kind, 0);
        fault.mutable_on()->set_event("LeaseMaxProposed");
        fault.mutable_on()->set_ordinal(i);
        fault.mutable_on()->set_after_ns(after);
        fault.set_for_ns(length);
        return fault;
      };
      const int64_t how = dice.In(0, 9);
      const bool unheard = how < 4;
      const Duration later = dice.LogIn(kMillisecond, 3 * lease);
      const Duration after = unheard ? dice.In(kMillisecond, election) : later;
      const Duration for_long = dice.In(lease + lease / 4, 4 * lease);
      const std::string some = dice.Hit(500'000) || plan_.clients() == 0 ? "c*" : Client(dice);
      if (how >= 8) continue;
      if (unheard) {
        v1::Fault& cut = on(v1::Fault::CUT, 0, 6 * election);
        cut.set_between_effects(true);
        cut.add_to("r*");
        on(v1::Fault::CUT, 0, 6 * election).add_from("r*");
      } else {
        on(v1::Fault::CRASH_PROCESS, after, Length(dice, settings_.down));
      }
      for (const bool back : {false, true}) {
        v1::Fault& cut = on(v1::Fault::CUT, after, for_long);
        cut.add_from(back ? "r*" : some);
        cut.add_to(back ? some : "r*");
      }
    }
  }

  // When many have lapsed, leases become short; who survived trusts in a long one, which the next master has not granted.
  void StrikeAfterLapses() {
    Dice dice(plan_.seed(), Stream::kFaultTimes, next_family_++);
    const int64_t crowd = std::max<int64_t>(1, plan_.clients() / 2);
    for (uint32_t i = 0; i < settings_.lapses_struck; ++i) {
      v1::Fault& fault = Add(v1::Fault::CRASH_PROCESS, 0);
      fault.mutable_on()->set_event("SessionClosing");
      fault.mutable_on()->set_ordinal(static_cast<uint32_t>(i * crowd + dice.In(1, crowd)));
      fault.mutable_on()->set_after_ns(dice.LogIn(kMillisecond, plan_.knobs().lease_ns()));
      fault.set_for_ns(Length(dice, settings_.down));
    }
  }

  void PlaceTriggered() {
    StrikeMasters();
    StrikeRisingLeaders();
    static constexpr const char* kEvents[] = {"VoteGranted", "BecameLeader", "BecameCandidate", "EntryAppended", "CommitAdvanced",
                                              "Applied",     "SnapshotTaken", "SnapshotInstalled", "TermChanged", "Recovered"};
    Dice dice(plan_.seed(), Stream::kFaultTimes, next_family_++);
    for (uint32_t i = 0; i < settings_.triggered_crashes; ++i) {
      const int64_t event = dice.In(0, 9);
      const bool machine = dice.Hit(500'000);
      v1::Fault& fault = Add(machine ? v1::Fault::CRASH_MACHINE : v1::Fault::CRASH_PROCESS, 0);
      fault.mutable_on()->set_event(kEvents[event]);
      const bool anybody = dice.Hit(300'000);
      const std::string process = Replica(dice);
      if (!anybody) fault.mutable_on()->set_process(process);
      const bool frequent = event >= 3 && event <= 5;
      // The first few are the formatting of the cell.
      fault.mutable_on()->set_ordinal(static_cast<uint32_t>(event == 9 ? dice.In(2, 12) : dice.LogIn(1, frequent ? 500 : 12)));
      const bool at_once = dice.Hit(500'000);
      const Duration after = dice.LogIn(10 * kMicrosecond, 5 * kMillisecond);
      fault.set_between_effects(at_once);
      if (!at_once) fault.mutable_on()->set_after_ns(after);
      fault.set_for_ns(Length(dice, settings_.down));
    }
  }

  const Settings& settings_;
  v1::Plan& plan_;
  uint64_t next_family_ = 0;
};

}  // namespace

void AddFaults(const Settings& settings, v1::Plan& plan) {
  AddLapses(settings, plan);
  FaultPlacer(settings, plan).Place();
}

}  // namespace bramah::sim

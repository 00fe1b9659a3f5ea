// Faults that outlast leases and authorities: masters that stall while another one is elected, clients that lapse while somebody
// waits for them. Families of their own, apart from those of fault_plan.cc: each has dice that no other shifts.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/plan/settings.h"

namespace bramah::sim {
namespace {

// Entities of Stream::kFaultTimes; fault_plan.cc counts its families from 0.
enum Family : uint64_t { kOutrun = 1'000, kStranded = 1'001, kStalled = 1'002 };

struct Trigger {
  const char* event;
  uint32_t ordinal;
};

// What befalls the process that told of the event.
v1::Fault& AddOn(v1::Plan& plan, Trigger trigger, v1::Fault::Kind kind, Duration after, Duration length) {
  v1::Fault& fault = *plan.add_fault();
  fault.set_kind(kind);
  fault.mutable_on()->set_event(trigger.event);
  fault.mutable_on()->set_ordinal(trigger.ordinal);
  fault.mutable_on()->set_after_ns(after);
  fault.set_for_ns(length);
  return fault;
}

// Nothing passes between these clients and the servers, in force at once if there is no `after`.
void Silence(v1::Plan& plan, Trigger trigger, Duration after, Duration length, const std::vector<std::string>& clients) {
  for (const bool back : {false, true}) {
    v1::Fault& cut = AddOn(plan, trigger, v1::Fault::CUT, after, length);
    cut.set_between_effects(after == 0);
    for (const std::string& name : clients) back ? cut.add_to(name) : cut.add_from(name);
    back ? cut.add_from("r*") : cut.add_to("r*");
  }
}

// A master whose rounds take long stalls in the middle of them; when it wakes, what it finds first are the acknowledgements, and
// another master has taken over meanwhile. Then nobody hears the clients for longer than a lease. Whoever counts a lease from
// the end of the round that proves it, and not from its beginning, grants more than the other master keeps.
void OutrunMasters(const Settings& settings, v1::Plan& plan) {
  Dice dice(plan.seed(), Stream::kFaultTimes, kOutrun);
  const Duration election = plan.knobs().election_min_ns();
  const Duration lease = plan.knobs().lease_ns();
  for (uint32_t i = 1; i <= settings.masters_outrun; ++i) {
    const Trigger serving{"MasterServing", i};
    const Duration stalls = dice.In(2 * lease, 3 * lease);
    const Duration late = dice.In(election, election * 3 / 2);  // longer, and it would find out by itself
    const Duration stalled = dice.In(election * 5 / 2, 5 * election);
    v1::Fault& slow = AddOn(plan, serving, v1::Fault::SLOW_LINK, stalls - lease, lease + stalled);
    slow.add_from("r*");
    slow.set_amount(static_cast<uint64_t>(late));
    AddOn(plan, serving, v1::Fault::PAUSE, stalls, stalled);
    // When what it answers has arrived, and before anybody who was sent away has found the other master.
    const Duration unheard = stalls + stalled + 2 * plan.network().delay_max_ns();
    const Duration for_long = dice.In(lease + lease / 4, 2 * lease);
    Silence(plan, serving, unheard, for_long, {"c*"});
  }
}

// Some clients lapse while a write waits for them, one after the other, and the master dies in between: what it went past has
// happened, and the end of those that it went past has not. They are back before the next master ends their sessions.
void StrandWrites(const Settings& settings, v1::Plan& plan) {
  Dice dice(plan.seed(), Stream::kFaultTimes, kStranded);
  const Duration lease = plan.knobs().lease_ns();
  uint32_t ordinal = 0;
  for (uint32_t i = 0; i < settings.writes_stranded; ++i) {
    ordinal += static_cast<uint32_t>(dice.LogIn(1, 32));
    const Trigger held{"WriteHeld", ordinal};
    const Duration unheard = dice.In(lease * 3 / 4, lease * 3 / 2);
    const Duration dies = dice.In(lease / 2, lease * 9 / 8);
    std::vector<std::string> some;
    for (uint32_t client = 1; client <= plan.clients(); ++client) {
      if (dice.Hit(600'000)) some.push_back(absl::StrCat("c", client));
    }
    if (!some.empty()) Silence(plan, held, 0, unheard, some);
    AddOn(plan, held, v1::Fault::CRASH_PROCESS, dies, dice.LogIn(std::max(settings.down.min, kMicrosecond), settings.down.max));
  }
}

// A master that stalls, and when it wakes finds in its queue what its clients asked meanwhile, but nothing of its peers, who have
// elected another. Whoever takes that for as old as the stall answers with an authority that has passed.
void StallMasters(const Settings& settings, v1::Plan& plan) {
  Dice dice(plan.seed(), Stream::kFaultTimes, kStalled);
  for (uint32_t i = 1; i <= settings.masters_stalled; ++i) {
    const Trigger serving{"MasterServing", i};
    const Duration after = dice.LogIn(100 * kMillisecond, settings.reign_max);
    const Duration length = dice.In(settings.paused.min, settings.paused.max);
    AddOn(plan, serving, v1::Fault::PAUSE, after, length);
    AddOn(plan, serving, v1::Fault::CUT, after, length).add_from("r*");
  }
}

}  // namespace

void AddLapses(const Settings& settings, v1::Plan& plan) {
  OutrunMasters(settings, plan);
  StrandWrites(settings, plan);
  StallMasters(settings, plan);
}

}  // namespace bramah::sim

// The faults of a plan.
#include <algorithm>

#include "sim/plan/streams.h"
#include "sim/world/world.h"

namespace bramah::sim {
namespace {

Duration LengthOf(const v1::Fault& fault) { return fault.for_ns() == 0 ? kNever : fault.for_ns(); }

bool IsCrash(const v1::Fault& fault) {
  return fault.kind() == v1::Fault::CRASH_PROCESS || fault.kind() == v1::Fault::CRASH_MACHINE;
}

// What a clock gains, in ppm; 0: the fault is none of clocks that are slewed.
int64_t SlewOf(const v1::Fault& fault) {
  const int64_t amount = static_cast<int64_t>(fault.amount());
  if (fault.kind() == v1::Fault::FAST_CLOCK) return amount;
  return fault.kind() == v1::Fault::SLOW_CLOCK ? -amount : 0;
}

}  // namespace

// A crash in the middle of effects that follows its event at once cuts the very step that told of the event.
void World::WatchEvents(Host& host, absl::Span<const CoreEvent> events) {
  if (lifted_ || watches_.empty()) return;
  for (const CoreEvent& event : events) {
    for (Watch& watch : watches_) {
      if (watch.left == 0 || watch.kind != event.kind || (watch.process != kAnybody && watch.process != host.id)) continue;
      if (--watch.left > 0) continue;
      const v1::Fault& fault = plan_.fault(static_cast<int>(watch.fault));
      const Duration after = fault.on().after_ns();
      if (after == 0 && fault.between_effects()) {
        ApplyFault(watch.fault, host.id);
      } else {
        Schedule(now_ + after, {.kind = Happening::kFault, .a = watch.fault, .b = host.id});
      }
    }
  }
  std::erase_if(watches_, [](const Watch& watch) { return watch.left == 0; });
}

// An empty list stands for the process whose event triggered the fault; "r*" and "c*" for all replicas and all clients.
std::vector<ProcessId> World::Resolve(const google::protobuf::RepeatedPtrField<std::string>& names, ProcessId trigger) const {
  std::vector<ProcessId> found;
  if (names.empty() && trigger != kAnybody) found.push_back(trigger);
  for (const std::string& name : names) {
    for (const auto& host : hosts_) {
      if (host->name == name || (name.size() == 2 && name[1] == '*' && name[0] == host->name[0])) found.push_back(host->id);
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

void World::ApplyFault(uint32_t number, ProcessId trigger) {
  if (lifted_) return;
  const v1::Fault& fault = plan_.fault(static_cast<int>(number));
  ++events_;
  Fold(static_cast<uint64_t>(now_));
  Fold(uint64_t{number} << 32 | trigger);
  const std::vector<ProcessId> struck = Resolve(fault.process(), trigger);
  if (observer_ != nullptr) {
    std::string text = v1::Fault::Kind_Name(fault.kind());
    for (ProcessId process : struck) text += " " + NameOf(process);
    const auto list = [&](const char* word, const auto& names) {
      if (!names.empty()) text += word;
      for (const std::string& name : names) text += " " + name;
    };
    if (fault.kind() == v1::Fault::CUT || fault.kind() == v1::Fault::SLOW_LINK) {
      list(" from", fault.from());
      list(" to", fault.to());
    }
    observer_->FaultApplied(now_, text);
  }
  if (fault.kind() == v1::Fault::CUT || fault.kind() == v1::Fault::SLOW_LINK) {
    ChangeLinks(fault, trigger, 1);
  } else {
    for (ProcessId process : struck) StrikeProcess(fault, *hosts_[process]);
  }
  const bool ends = fault.for_ns() > 0 && !IsCrash(fault) && fault.kind() != v1::Fault::PAUSE;
  if (ends) Schedule(now_ + fault.for_ns(), {.kind = Happening::kFaultEnd, .a = number, .b = trigger});
}

// From now on the clock runs at the rate that its drift and the faults in force make, and shows `jump` more than it would.
void World::SetClock(Host& host, Duration jump) {
  const int64_t rate = host.freezes > 0 ? -kMillion : host.drift_ppm + host.slew_ppm;
  if (rate == host.clock.drift_ppm && jump == 0) return;
  const Time shown = host.clock.ToLocal(now_) + jump;
  host.clock = {rate, 0};
  host.clock.offset = shown - host.clock.ToLocal(now_);
  for (int id = 0; id < kTimerCount; ++id) {
    if (host.timers[static_cast<size_t>(id)].local != kNever) SetDeadline(host, static_cast<TimerId>(id));
  }
  if (observer_ != nullptr) observer_->ClockChanged(now_, host.id, host.clock);
}

void World::StrikeProcess(const v1::Fault& fault, Host& host) {
  switch (fault.kind()) {
    case v1::Fault::CRASH_PROCESS:
    case v1::Fault::CRASH_MACHINE: {
      const bool machine = fault.kind() == v1::Fault::CRASH_MACHINE;
      if (fault.between_effects() && host.node != nullptr) {
        host.between_effects = {true, machine, LengthOf(fault)};
        return;
      }
      return Crash(host, machine, LengthOf(fault));
    }
    case v1::Fault::PAUSE:
      return Pause(host, LengthOf(fault));
    case v1::Fault::FAIL_SYNC:
      ++host.sync_failures;
      return;
    case v1::Fault::FAIL_WRITE:
      ++host.write_failures;
      return;
    case v1::Fault::NO_SPACE:
      ++host.no_space;
      return;
    case v1::Fault::SLOW_DISK:
      host.slow_disk += static_cast<Duration>(fault.amount());
      return;
    case v1::Fault::BIT_FLIP: {
      const auto flipped = host.disk.FlipBit(fault.amount());
      if (!flipped) return;
      host.rotted = true;
      if (observer_ != nullptr) observer_->FaultApplied(now_, host.name + ": flipped " + *flipped);
      return;
    }
    case v1::Fault::STOP_CLIENT:
      host.stopped = true;
      return Crash(host, false, kNever);
    case v1::Fault::FREEZE_CLOCK:
      ++host.freezes;
      return SetClock(host, 0);
    case v1::Fault::FAST_CLOCK:
    case v1::Fault::SLOW_CLOCK:
      ++host.slews;
      host.slew_ppm = SlewOf(fault);
      return SetClock(host, 0);
    default:
      return;
  }
}

void World::EndFault(uint32_t number, ProcessId trigger) {
  if (lifted_) return;
  const v1::Fault& fault = plan_.fault(static_cast<int>(number));
  if (fault.kind() == v1::Fault::CUT || fault.kind() == v1::Fault::SLOW_LINK) return ChangeLinks(fault, trigger, -1);
  for (ProcessId process : Resolve(fault.process(), trigger)) {
    Host& host = *hosts_[process];
    if (fault.kind() == v1::Fault::NO_SPACE) --host.no_space;
    if (fault.kind() == v1::Fault::SLOW_DISK) host.slow_disk -= static_cast<Duration>(fault.amount());
    if (fault.kind() == v1::Fault::FREEZE_CLOCK) {
      --host.freezes;
      SetClock(host, static_cast<Duration>(fault.amount()));
    } else if (SlewOf(fault) != 0 && --host.slews == 0) {
      host.slew_ppm = 0;
      SetClock(host, 0);
    }
  }
}

void World::ChangeLinks(const v1::Fault& fault, ProcessId trigger, int sign) {
  const std::vector<ProcessId> to = Resolve(fault.to(), trigger);
  for (ProcessId from : Resolve(fault.from(), trigger)) {
    for (ProcessId other : to) {
      if (from == other) continue;
      if (fault.kind() == v1::Fault::CUT) links_.Cut(from, other, sign);
      if (fault.kind() == v1::Fault::SLOW_LINK) links_.Slow(from, other, sign * static_cast<Duration>(fault.amount()));
    }
  }
}

}  // namespace bramah::sim

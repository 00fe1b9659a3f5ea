#include "sim/world/world.h"

#include <algorithm>

#include "core/base/check.h"
#include "sim/plan/plan.h"
#include "sim/plan/streams.h"

namespace bramah::sim {
namespace {

constexpr Duration kClockOffsetMax = 1'000 * kSecond;
constexpr Duration kResourceLateMax = 15 * kSecond;

uint64_t HashOf(const google::protobuf::Message& message, std::string* scratch) {
  scratch->clear();
  message.AppendToString(scratch);
  return Hash64(*scratch);
}

uint64_t HashOf(const Boot& boot) {
  uint64_t hash = boot.seed;
  for (const FileInfo& file : boot.files) {
    hash = FoldHash(hash, static_cast<uint64_t>(file.id.kind));
    hash = FoldHash(FoldHash(hash, file.id.seq), file.size);
  }
  return hash;
}

}  // namespace

std::vector<LocalClock> MakeClocks(const v1::Plan& plan) {
  std::vector<LocalClock> clocks(plan.replicas() + plan.clients());
  for (size_t i = 0; i < clocks.size(); ++i) {
    clocks[i].offset = Between(Draw(plan.seed(), Stream::kClockOffset, i, 0), 0, kClockOffsetMax);
  }
  for (const v1::Clock& clock : plan.clock()) {
    const uint32_t number = static_cast<uint32_t>(std::stoul(clock.process().substr(1)));
    clocks[(clock.process()[0] == 'r' ? 0 : plan.replicas()) + number - 1].drift_ppm = clock.drift_ppm();
  }
  return clocks;
}

World::World(const v1::Plan& plan, NodeFactory factory, Observer* observer)
    : plan_(plan),
      factory_(std::move(factory)),
      observer_(observer),
      replicas_(plan.replicas()),
      links_(plan.seed(), plan.network(), plan.replicas() + plan.clients()),
      disk_times_(plan.disk()) {
  const std::vector<LocalClock> clocks = MakeClocks(plan);
  std::vector<std::vector<const v1::Operation*>> operations(plan.clients() + 1);
  for (const v1::Operation& operation : plan.operation()) {
    operations[std::stoul(operation.client().substr(1))].push_back(&operation);
  }
  for (ProcessId id = 0; id < clocks.size(); ++id) {
    Host& host = *hosts_.emplace_back(std::make_unique<Host>());
    host.id = id;
    host.clock = clocks[id];
    host.drift_ppm = host.clock.drift_ppm;
    const uint32_t number = IsReplica(id) ? id + 1 : id - replicas_ + 1;
    host.name = (IsReplica(id) ? "r" : "c") + std::to_string(number);
    if (!IsReplica(id)) {
      auto& mine = operations[number];
      std::stable_sort(mine.begin(), mine.end(), [](const auto* a, const auto* b) { return a->at_ns() < b->at_ns(); });
      if (!mine.empty()) Schedule(mine[0]->at_ns(), {.kind = Happening::kOperation, .process = id});
      host.actor = std::make_unique<Actor>(plan.seed(), number, std::move(mine));
    }
  }
  ScheduleFaults();
  for (const auto& host : hosts_) ScheduleBoot(*host, 0);
}

// Before anything else of the same instant: a cut from the start is in force when the first packet leaves.
void World::ScheduleFaults() {
  for (int i = 0; i < plan_.fault_size(); ++i) {
    const v1::Fault& fault = plan_.fault(i);
    if (!fault.has_on()) {
      Schedule(fault.at_ns(), {.kind = Happening::kFault, .a = static_cast<uint32_t>(i), .b = kAnybody});
      continue;
    }
    Watch watch{static_cast<uint32_t>(i), CoreEvent::kRecovered, kAnybody, std::max<uint32_t>(1, fault.on().ordinal())};
    for (int kind = 0; kind <= CoreEvent::kLast; ++kind) {
      if (EventName(static_cast<CoreEvent::Kind>(kind)) == fault.on().event()) watch.kind = static_cast<CoreEvent::Kind>(kind);
    }
    for (const auto& host : hosts_) {
      if (host->name == fault.on().process()) watch.process = host->id;
    }
    watches_.push_back(watch);
  }
}

World::~World() = default;

// ---------------------------------------------------------------------------------------------------------------------- time

bool World::Advance(Time until) {
  if (queue_.empty() || queue_.next_time() > until) {
    now_ = std::max(now_, until);
    return false;
  }
  if (queue_.next_time() > now_) {
    now_ = queue_.next_time();
    steps_in_instant_ = 0;
  }
  Dispatch(queue_.Pop());
  return true;
}

void World::Dispatch(const Happening& what) {
  switch (what.kind) {
    case Happening::kFault:
      return ApplyFault(what.a, what.b);
    case Happening::kFaultEnd:
      return EndFault(what.a, what.b);
    case Happening::kDialed:
      return OnDialed(what);
    case Happening::kUp:
      return OnUp(what);
    case Happening::kDown:
      return OnDown(what);
    case Happening::kFrame:
      return OnFrame(what);
    case Happening::kRequest:
      return OnRequest(what);
    default:
      break;
  }
  Host& host = *hosts_[what.process];
  if (what.kind == Happening::kBoot) {
    if (host.node == nullptr && now_ >= host.down_until && !GoneForGood(what.process)) Boot(host);
    return;
  }
  if (what.kind == Happening::kOperation) return OnOperation(host);
  if (host.node == nullptr || what.incarnation != host.incarnation) return;
  if (what.kind == Happening::kDisk) return OnDiskTime(host, static_cast<Lane>(what.small));
  if (what.kind == Happening::kResume) {
    if (host.paused && now_ >= host.paused_until) Resume(host);
    return;
  }
  if (host.paused) {
    host.backlog.push_back(what);
    return;
  }
  switch (what.kind) {
    case Happening::kTimer:
      return OnTimer(host, what);
    case Happening::kDiskReady:
      return OnDiskReady(host, static_cast<Lane>(what.small));
    case Happening::kClockLook:
      return OnClockLook(host);
    case Happening::kCall:
      return OnCall(host, what.a);
    case Happening::kWake:
      host.actor->Woken(what.a);
      return GrantWishes(host);
    default:
      return;
  }
}

// ------------------------------------------------------------------------------------------------------------------ processes

void World::ScheduleBoot(Host& host, Time at) {
  host.down_until = std::max(host.down_until, at);
  if (host.down_until < kNever) Schedule(host.down_until, {.kind = Happening::kBoot, .process = host.id});
}

void World::Boot(Host& host) {
  host.machine_up = true;
  host.timers.fill(Timer());
  host.lanes = {};
  host.done.fill(0);
  host.node = factory_(host.id);
  const uint64_t seed = Draw(plan_.seed(), Stream::kBoot, host.id, host.incarnation++);
  if (observer_ != nullptr) observer_->Booted(now_, host.id);
  const std::vector<FileInfo> files = host.disk.List();
  Identity identity;
  identity.cell = "local";
  identity.member = ReplicaId(host.id + 1);
  bramah::Boot boot;
  boot.seed = seed;
  if (IsReplica(host.id)) {
    boot.expect = &identity;
    boot.files = files;
    boot.secret.low = Draw(plan_.seed(), Stream::kSecret, host.id, 2 * host.incarnation);
    boot.secret.high = Draw(plan_.seed(), Stream::kSecret, host.id, 2 * host.incarnation + 1);
  }
  host.watch = RateWatch();
  host.clock_trusted = true;
  const uint32_t incarnation = host.incarnation;
  Step(host, boot, HashOf(boot));
  if (plan_.clock_watch()) OnClockLook(host);
  if (host.actor == nullptr || host.node == nullptr || host.incarnation != incarnation) return;
  host.actor->Started();
  GrantWishes(host);
}

void World::Crash(Host& host, bool machine, Duration down_for) {
  const Time until = down_for == kNever ? kNever : now_ + std::max<Duration>(1, down_for);
  if (host.node != nullptr || machine) {
    const uint32_t crash = ++host.crashes;
    CutBatches(host);
    if (machine && IsReplica(host.id)) {
      host.disk.CrashMachine({plan_.seed(), host.id, crash, disk_times_.lost_ppm(), disk_times_.torn_ppm()});
    }
    if (machine) host.machine_up = false;
    DropConnections(host, machine);
    for (const Held& held : host.held) frames_.Release(held.frame);
    host.held.clear();
    DropBacklog(host);
    host.paused = false;
    if (host.listening) frames_.Release(host.hello);
    host.listening = false;
    host.between_effects = {};
    host.node = nullptr;
    if (host.actor != nullptr) host.actor->Stopped();
    if (observer_ != nullptr) observer_->Crashed(now_, host.id, machine);
  }
  ScheduleBoot(host, until);
}

void World::Pause(Host& host, Duration length) {
  if (host.node == nullptr) return;
  host.paused = true;
  host.paused_until = std::max(host.paused_until, length == kNever ? kNever : now_ + length);
  if (host.paused_until == kNever) return;
  Schedule(host.paused_until, {.kind = Happening::kResume, .process = host.id, .incarnation = host.incarnation});
}

// What queued up happens now, in order.
void World::Resume(Host& host) {
  host.paused = false;
  std::vector<Happening> backlog;
  backlog.swap(host.backlog);
  for (const Happening& what : backlog) Dispatch(what);
}

bool World::WithinBudget() {
  ++events_;
  if (now_ - second_ >= kSecond) {
    second_ = now_ - now_ % kSecond;
    steps_in_second_ = 0;
  }
  ++steps_in_instant_;
  ++steps_in_second_;
  if (steps_in_instant_ <= kStepsPerInstantMax && steps_in_second_ <= kStepsPerSecondMax) return true;
  const bool instant = steps_in_instant_ > kStepsPerInstantMax;
  const std::string limit = instant ? std::to_string(kStepsPerInstantMax) + " steps without time advancing"
                                    : std::to_string(kStepsPerSecondMax) + " steps within one second";
  if (observer_ != nullptr) observer_->Report("resource.bounded", now_, "more than " + limit);
  return false;
}

void World::Step(Host& host, const Input& input, uint64_t input_hash) {
  if (!WithinBudget()) return;
  Fold(static_cast<uint64_t>(now_));
  Fold(uint64_t{host.id} << 8 | input.index());
  Fold(input_hash);
  effects_.Clear();
  host.node->Step(host.clock.ToLocal(now_), input, effects_);
  probes_.Merge(effects_.probes());
  if (observer_ != nullptr) observer_->Stepped(now_, host.id, *host.node, input, effects_);
  if (!effects_.events().empty()) WatchEvents(host, effects_.events());
  if (!host.between_effects.armed) return CarryOut(host, effects_.ops().size());
  const CrashOrder order = host.between_effects;
  const uint64_t draw = Draw(plan_.seed(), Stream::kCrashCut, host.id, uint64_t{host.crashes} << 8);
  CarryOut(host, Below(draw, effects_.ops().size() + 1));
  Crash(host, order.machine, order.down_for);
}

// --------------------------------------------------------------------------------------------------------------------- inputs

void World::OnTimer(Host& host, const Happening& what) {
  Timer& timer = host.timers[what.small];
  if (timer.queued == kNever || timer.queued > now_) return;
  timer.queued = kNever;
  if (timer.deadline == kNever) return;
  if (timer.deadline > now_) {
    timer.queued = timer.deadline;
    return Schedule(timer.deadline, what);
  }
  timer.local = timer.deadline = kNever;
  Step(host, TimerFired{static_cast<TimerId>(what.small)}, what.small);
}

// What the driver of a real node does, with simulated clocks.
void World::OnClockLook(Host& host) {
  if (host.node == nullptr) return;
  const Time local = host.clock.ToLocal(now_);
  const bool goes = host.clock.drift_ppm > -kMillion;
  const Time next = goes ? host.clock.ToReal(local + RateWatch::kLook) : now_ + RateWatch::kLook;
  Schedule(next, {.kind = Happening::kClockLook, .process = host.id, .incarnation = host.incarnation});
  const bool trusted = host.watch.Add(local, now_, /*error=*/1, RhoOf(plan_) / 2);  // a clock shows whole nanoseconds
  if (trusted == std::exchange(host.clock_trusted, trusted)) return;
  Step(host, ClockRate{trusted}, trusted);
}

void World::OnOperation(Host& host) {
  const auto& operations = host.actor->operations();
  const uint32_t number = static_cast<uint32_t>(host.next_operation++);
  if (host.next_operation < operations.size()) {
    Schedule(operations[host.next_operation]->at_ns(), {.kind = Happening::kOperation, .process = host.id});
  }
  if (host.node == nullptr) return;  // nobody there to do it
  host.actor->Due(number);
  GrantWishes(host);
}

void World::OnCall(Host& host, uint32_t slot) {
  const Actor::PendingCall& call = host.actor->Issue(slot);
  const Call made{call.id, &call.command, call.wait};
  if (observer_ != nullptr) observer_->Called(now_, host.id, made, call.path);
  const uint64_t asked = FoldHash(call.id.value(), HashOf(call.command, &scratch_));
  Step(host, made, call.wait ? asked : ~asked);
}

void World::GrantWishes(Host& host) {
  for (const Actor::Wish& wish : host.actor->wishes()) {
    if (wish.kind == Actor::Wish::kRequest) {
      SendToResource(host, host.actor->requests()[wish.id]);
      continue;
    }
    const auto kind = wish.kind == Actor::Wish::kCall ? Happening::kCall : Happening::kWake;
    Schedule(now_ + wish.after, {.kind = kind, .process = host.id, .incarnation = host.incarnation, .a = wish.id});
  }
  host.actor->wishes().clear();
}

// Most requests take as long as any message, one in eight as long as it takes to lose a lock.
void World::SendToResource(Host& host, const ResourceRequest& request) {
  const uint64_t number = requests_.size();
  requests_.push_back(request);
  const uint64_t draw = Draw(plan_.seed(), Stream::kResource, host.id, FoldHash(request.token.value(), request.ordinal));
  const Duration late = draw % 8 == 0 ? kResourceLateMax : 0;
  const Duration delay = Between(Scramble(draw), plan_.network().delay_min_ns(), plan_.network().delay_max_ns() + late);
  Schedule(now_ + delay, {.kind = Happening::kRequest, .process = host.id, .a = static_cast<uint32_t>(number)});
}

// The resource judges by the token; and the next client asks the cell, as a server with a session would.
void World::OnRequest(const Happening& what) {
  const ResourceRequest& request = requests_[what.a];
  const bool accepted = resource_.Accept(request);
  SOMETIMES(probes_, kFencedOff, !accepted);
  Fold(uint64_t{what.a} << 1 | (accepted ? 1 : 0));
  if (observer_ != nullptr) observer_->Requested(now_, request, accepted);
  Host& checker = *hosts_[what.process + 1 < hosts_.size() ? what.process + 1 : replicas_];
  if (checker.node == nullptr) return;
  checker.actor->Check(request.sequencer, what.a % 2 == 0 ? v1::FREE : v1::EXCLUSIVE);
  GrantWishes(checker);
}

// -------------------------------------------------------------------------------------------------------------------- healing

void World::LiftFaults() {
  lifted_ = true;
  const Duration election = plan_.knobs().election_min_ns();
  const Duration prompt = election > 0 ? std::max<Duration>(2, election / 20) : 5 * kMillisecond;
  links_.Heal(prompt);
  disk_times_.set_write_max_ns(std::min<int64_t>(disk_times_.write_max_ns(), prompt / 2));
  disk_times_.set_write_min_ns(std::min(disk_times_.write_min_ns(), disk_times_.write_max_ns()));
  disk_times_.set_sync_max_ns(std::min<int64_t>(disk_times_.sync_max_ns(), prompt / 2));
  disk_times_.set_sync_min_ns(std::min(disk_times_.sync_min_ns(), disk_times_.sync_max_ns()));
  for (const auto& host : hosts_) {
    host->sync_failures = host->write_failures = host->no_space = 0;
    host->slow_disk = 0;
    // A cell most of whose clocks are known to be wrong has no master.
    if (plan_.clock_watch() && plan_.clocks_lie()) host->drift_ppm = 0;
    host->freezes = 0;
    host->slews = 0;
    host->slew_ppm = 0;
    SetClock(*host, 0);
    host->between_effects = {};
    if (host->node == nullptr && !GoneForGood(host->id)) {
      host->down_until = now_;
      ScheduleBoot(*host, now_);
    }
    if (!host->paused) continue;
    host->paused_until = now_;
    Schedule(now_, {.kind = Happening::kResume, .process = host->id, .incarnation = host->incarnation});
  }
}

}  // namespace bramah::sim

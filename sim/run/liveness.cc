#include "sim/run/liveness.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/api/path.h"
#include "core/base/rate_watch.h"
#include "sim/check/event_delivery.h"

namespace bramah::sim {
namespace {

constexpr std::string_view kProgress = "liveness.progress";
constexpr std::string_view kDrain = "liveness.drain";
constexpr std::string_view kDelivery = "event.delivery";

const replica::ServerView* ServerAt(const World& world, ProcessId process) {
  const Node* node = world.NodeOf(process);
  return node == nullptr ? nullptr : &static_cast<const ServerNode*>(node)->view();
}

const client::ClientView* ClientAt(const World& world, ProcessId process) {
  const Node* node = world.NodeOf(process);
  return node == nullptr ? nullptr : &static_cast<const ClientNode*>(node)->view();
}

std::optional<Obstacle> FindReplicaObstacle(const World& world) {
  const replica::ServerView* master = nullptr;
  for (ProcessId id = 0; id < world.replicas(); ++id) {
    if (world.GoneForGood(id)) continue;
    const replica::ServerView* view = ServerAt(world, id);
    if (view == nullptr || !view->ready) return Obstacle{kProgress, absl::StrCat(world.NameOf(id), " did not come back")};
    const bool serves = view->phase == replica::Phase::kServing;
    if (serves && (master == nullptr || view->term > master->term)) master = view;
  }
  if (master == nullptr) return Obstacle{kProgress, "no replica serves as master"};
  return std::nullopt;
}

// Equal digests at equal applied indexes are the digest checker's business; here all must have got there.
std::optional<Obstacle> FindConvergenceObstacle(const World& world) {
  const replica::ServerView* first = nullptr;
  for (ProcessId id = 0; id < world.replicas(); ++id) {
    if (world.GoneForGood(id)) continue;
    const replica::ServerView* view = ServerAt(world, id);
    if (first == nullptr) first = view;
    if (view->applied == view->commit && view->applied == first->applied) continue;
    return Obstacle{kDrain, absl::StrCat(world.NameOf(id), " has applied ", view->applied.value(), " of ", view->commit.value(),
                                         ", another replica ", first->applied.value())};
  }
  return std::nullopt;
}

std::optional<Obstacle> FindClientObstacle(const World& world) {
  for (ProcessId id = world.replicas(); id < world.processes(); ++id) {
    if (world.GoneForGood(id)) continue;
    if (world.NodeOf(id) == nullptr) return Obstacle{kProgress, absl::StrCat(world.NameOf(id), " did not come back")};
    const Actor& actor = world.ActorOf(id);
    if (!actor.idle()) return Obstacle{kProgress, absl::StrCat(world.NameOf(id), ": ", actor.Describe())};
  }
  return std::nullopt;
}

// Sessions that exist although no live client has them.
std::optional<Obstacle> FindSessionObstacle(const World& world, const std::set<SessionId>& sessions) {
  std::set<SessionId> wanted;
  for (ProcessId id = world.replicas(); id < world.processes(); ++id) {
    const client::ClientView* view = ClientAt(world, id);
    if (view != nullptr && view->state == client::SessionState::kActive) wanted.insert(view->session);
  }
  for (SessionId session : sessions) {
    if (wanted.count(session) > 0) continue;
    return Obstacle{kDrain, absl::StrCat("session ", session.value() & 0xffff'ffff'ffffu, " of no live client still exists")};
  }
  return std::nullopt;
}

std::optional<Obstacle> FindEventObstacle(const World& world) {
  const replica::ServerView* replica = nullptr;
  for (ProcessId id = 0; id < world.replicas() && replica == nullptr; ++id) {
    if (!world.GoneForGood(id)) replica = ServerAt(world, id);
  }
  if (replica == nullptr) return std::nullopt;
  const EventDelivery delivery(*replica->cell);
  for (ProcessId id = world.replicas(); id < world.processes(); ++id) {
    const client::ClientView* view = ClientAt(world, id);
    if (view == nullptr || view->state != client::SessionState::kActive) continue;
    const auto untold = delivery.FindUntold(*view);
    if (untold) return Obstacle{kDelivery, absl::StrCat(world.NameOf(id), " was not told ", *untold)};
  }
  return std::nullopt;
}

}  // namespace

void LiveSessions::Applied(const CoreEvent& event) {
  if (event.index <= upto_) return;
  upto_ = event.index;
  if (!event.effect) return;
  if (event.command == v1::CREATE_SESSION) sessions_.insert(event.session);
  if (event.command == v1::EXPIRE_SESSION || event.command == v1::END_SESSION) sessions_.erase(event.session);
}

// Cheapest first: this is asked many times before everything has settled.
std::optional<Obstacle> FindObstacle(const World& world, const LiveSessions& sessions, bool clocks_within_rho) {
  if (auto obstacle = FindReplicaObstacle(world)) return obstacle;
  if (auto obstacle = FindClientObstacle(world)) return obstacle;
  if (auto obstacle = FindConvergenceObstacle(world)) return obstacle;
  if (auto obstacle = FindSessionObstacle(world, sessions.sessions())) return obstacle;
  return clocks_within_rho ? FindEventObstacle(world) : std::nullopt;
}

Duration SettlingBound(const v1::Plan& plan, const World& world) {
  const Timing timing = TimingOf(plan);
  Duration bound = 10 * kSecond + 60 * timing.election_min + 4 * timing.lease_max + 2 * timing.grace;
  if (plan.clock_watch()) bound += (RateWatch::kCalm + 2) * RateWatch::kLook;
  for (ProcessId id = world.replicas(); id < world.processes(); ++id) {
    if (!world.GoneForGood(id)) bound += world.ActorOf(id).HoldsLeft();
  }
  // Of holders that were lost while faults could strike.
  Duration delay = 0;
  for (const v1::Operation& operation : plan.operation()) delay = std::max<Duration>(delay, operation.lock_delay_ns());
  return bound + std::min(delay, kLockDelayMax);
}

}  // namespace bramah::sim

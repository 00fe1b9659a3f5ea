#include "sim/check/belief_checker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace bramah::sim {
namespace {

using client::ClientView;
using client::HeldLock;
using client::SessionState;

constexpr size_t kGenerationsKept = 64;  // per path and permit

bool SameLock(const HeldLock& a, const HeldLock& b) {
  return a.handle == b.handle && a.generation == b.generation && a.mode == b.mode && a.seq == b.seq && a.permit == b.permit;
}

const char* ModeName(v1::LockMode mode) { return mode == v1::SHARED ? "shared" : "exclusive"; }

}  // namespace

BeliefChecker::BeliefChecker(const std::vector<LocalClock>& clocks, bool clocks_within_rho, Reporter* reporter)
    : reporter_(reporter), clocks_(clocks), clocks_within_rho_(clocks_within_rho), believers_(clocks.size()) {}

bool BeliefChecker::SameLocks(const std::vector<HeldLock>& a, const std::vector<HeldLock>* b) {
  if (b == nullptr) return a.empty();
  return a.size() == b->size() && std::equal(a.begin(), a.end(), b->begin(), SameLock);
}

void BeliefChecker::Stopped(uint32_t client) {
  Believer& believer = believers_[client - 1];
  Unindex(client, believer);
  believer = Believer();
}

void BeliefChecker::AfterStep(Time at, uint32_t client, const ClientView& view) {
  Believer& believer = believers_[client - 1];
  const bool same_locks = SameLocks(believer.held, view.held);
  const bool same_lease =
      view.state == believer.state && view.lease_end == believer.local_end && view.session == believer.session;
  if (same_locks && same_lease) return;
  const bool believed = believer.end > at;
  believer.state = view.state;
  believer.session = view.session;
  believer.local_end = view.lease_end;
  believer.end = 0;
  if (same_locks && believer.held.empty()) return;
  if (view.state == SessionState::kActive) believer.end = clocks_[client - 1].ToReal(view.lease_end);
  std::vector<HeldLock> before;
  if (!same_locks) {
    Unindex(client, believer);
    before = std::exchange(believer.held, view.held == nullptr ? std::vector<HeldLock>() : *view.held);
    Index(client, believer);
  }
  if (believer.end <= at || (believed && same_locks)) return;
  for (const HeldLock& lock : believer.held) {
    const auto same = [&](const HeldLock& old) { return SameLock(old, lock); };
    if (believed && std::any_of(before.begin(), before.end(), same)) continue;
    CheckConflicts(at, client, lock);
    CheckGeneration(at, client, lock);
  }
}

void BeliefChecker::ClockChanged(Time at, uint32_t client, const LocalClock& clock) {
  clocks_[client - 1] = clock;
  Believer& believer = believers_[client - 1];
  const bool believed = believer.end > at;
  if (believer.end != 0) believer.end = clock.ToReal(believer.local_end);
  if (believed || believer.end <= at) return;
  for (const HeldLock& lock : believer.held) CheckConflicts(at, client, lock);
}

void BeliefChecker::Index(uint32_t client, const Believer& believer) {
  for (const HeldLock& lock : believer.held) {
    claims_[lock.path].push_back({client, lock.handle, lock.mode, lock.generation, lock.permit});
  }
}

void BeliefChecker::Unindex(uint32_t client, const Believer& believer) {
  for (const HeldLock& lock : believer.held) {
    const auto it = claims_.find(lock.path);
    std::erase_if(it->second, [&](const Claim& claim) { return claim.client == client && claim.handle == lock.handle; });
    if (it->second.empty()) claims_.erase(it);
  }
}

void BeliefChecker::CheckConflicts(Time at, uint32_t client, const HeldLock& lock) {
  if (!clocks_within_rho_) return;
  for (const Claim& other : claims_[lock.path]) {
    if (other.client == client && other.handle == lock.handle) continue;
    if (other.mode == lock.mode && (lock.mode == v1::SHARED || other.permit != lock.permit)) continue;
    if (other.client != client && believers_[other.client - 1].end <= at) continue;
    reporter_->Report(
        "lock.two_believers", at,
        absl::StrCat("c", client, " believes it holds ", lock.path, " ", ModeName(lock.mode), " with generation ",
                     lock.generation.value(), ", and c", other.client, " believes ", ModeName(other.mode), " with generation ",
                     other.generation.value(), " until ", believers_[other.client - 1].end, " ns"));
  }
}

void BeliefChecker::CheckGeneration(Time at, uint32_t client, const HeldLock& lock) {
  auto& known = generations_[{lock.path, lock.permit}];
  const SessionId session = believers_[client - 1].session;
  const auto [it, first] = known.try_emplace(lock.generation, Owner{client, session, lock.handle, lock.mode});
  const Owner& owner = it->second;
  if (!first) {
    const bool same = owner.client == client && owner.handle == lock.handle && owner.session == session;
    if (!same && (owner.mode != v1::SHARED || lock.mode != v1::SHARED)) {
      reporter_->Report("lock.generation", at,
                        absl::StrCat("c", client, " holds ", lock.path, " with generation ", lock.generation.value(),
                                     ", which c", owner.client, " held before"));
    }
    return;
  }
  const auto newest = std::prev(known.end());
  const bool both_shared = newest->second.mode == v1::SHARED && lock.mode == v1::SHARED;
  if (newest != it && !both_shared && clocks_within_rho_) {
    reporter_->Report("lock.generation", at,
                      absl::StrCat("c", client, " starts to hold ", lock.path, " with generation ", lock.generation.value(),
                                   " after c", newest->second.client, " held it with generation ", newest->first.value()));
  }
  if (known.size() > kGenerationsKept) known.erase(known.begin());
}

}  // namespace bramah::sim

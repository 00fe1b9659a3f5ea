#include "sim/check/cache_checker.h"

#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"

namespace bramah::sim {
namespace {

std::string Describe(const v1::Outcome& outcome) {
  return absl::StrCat("code ", v1::Code_Name(outcome.code()), ", content generation ", outcome.content_generation(),
                      ", ACL generation ", outcome.acl_generation(), ", lock generation ", outcome.lock_generation(), " (",
                      outcome.lock_holders(), " hold, ", outcome.lock_waiters(), " wait), children changed at ",
                      outcome.children_changed());
}

}  // namespace

void CacheChecker::AfterStep(Time, uint32_t client, const client::ClientView& view) {
  Client& known = clients_[client - 1];
  known.session = view.session;
  known.active = view.state == client::SessionState::kActive;
  known.local_end = view.lease_end;
  if (view.cache == nullptr || view.cache->version() == known.version) return;
  known.version = view.cache->version();
  known.answers = view.cache->answers();
  known.fresh = any_fresh_ = true;
  keepers_.insert(client);
}

void CacheChecker::Stopped(uint32_t client) {
  clients_[client - 1] = Client();
  keepers_.erase(client);
}

uint64_t CacheChecker::StateOf(const cell::Cell& cell, const client::Cache::Key& key, const client::Cache::Answer& answer) {
  const bool absent = answer.kind == v1::OPEN && answer.outcome.code() == v1::NOT_FOUND;
  if (absent) return cell.Exists(answer.path) ? 1 : 0;
  return cell.NodeDigest(Position(key.first));
}

void CacheChecker::Look(Time at, const cell::Cell& newest) {
  const bool moved = newest.last() != looked_;
  looked_ = newest.last();
  if (!moved && !any_fresh_) return;
  any_fresh_ = false;
  absl::btree_map<uint64_t, uint64_t> present;
  for (auto keeper = keepers_.begin(); keeper != keepers_.end();) {
    const uint32_t number = *keeper;
    Client& client = clients_[number - 1];
    if (!moved && !client.fresh) {
      ++keeper;
      continue;
    }
    const Time end = client.active ? clocks_[number - 1].ToReal(client.local_end) : 0;
    for (const auto& [key, answer] : client.answers) {
      const auto [state, first] = present.insert({key.first, 0});
      if (first) state->second = StateOf(newest, key, answer);
      const auto before = seen_.find(key.first);
      const bool changed = before == seen_.end() || before->second != state->second;
      if ((changed || client.fresh) && at < end) Check(at, number, key, answer, newest);
    }
    client.fresh = false;
    keeper = client.answers.empty() ? keepers_.erase(keeper) : std::next(keeper);
  }
  if (moved) {
    seen_ = std::move(present);
  } else {
    seen_.insert(present.begin(), present.end());
  }
}

void CacheChecker::Check(Time at, uint32_t client, const client::Cache::Key& key, const client::Cache::Answer& answer,
                         const cell::Cell& newest) {
  const auto report = [&](const std::string& what) {
    reporter_->Report("cache.no_stale_read", at, absl::StrCat("c", client, " would still answer ", what));
  };
  if (answer.kind == v1::OPEN && answer.outcome.code() == v1::OK) {
    const std::string wrong = CheckOpen(at, client, key, answer, newest);
    if (!wrong.empty()) report(wrong);
    return;
  }
  if (answer.kind == v1::OPEN) {
    if (newest.Exists(answer.path)) report(absl::StrCat("that there is no ", answer.path));
    return;
  }
  v1::Command question;
  question.set_kind(answer.kind);
  question.set_with_stat(answer.with_stat);
  v1::Outcome now;
  newest.ReadNode(Position(key.first), question, now);
  v1::Outcome kept = answer.outcome;
  kept.clear_seq();
  kept.clear_handle();
  if (kept.SerializeAsString() == now.SerializeAsString()) return;
  report(absl::StrCat(v1::CommandKind_Name(answer.kind), " of instance ", key.first, " with ", Describe(kept), "; now it is ",
                      Describe(now)));
}

// An Open of the name could be answered with a handle that was closed: it must be about the same node, in the same condition, and
// the principal must still have every right that the first Open gave, if its handle is there to tell.
std::string CacheChecker::CheckOpen(Time at, uint32_t client, const client::Cache::Key& key, const client::Cache::Answer& answer,
                                    const cell::Cell& newest) {
  const std::string what = absl::StrCat("an OPEN of ", answer.path, " with instance ", key.first);
  v1::Command stat;
  stat.set_kind(v1::GET_STAT);
  v1::Outcome now;
  newest.ReadNode(Position(key.first), stat, now);
  if (now.code() != v1::OK) return what + ", which is gone";
  const auto access = newest.AccessOf(clients_[client - 1].session, HandleId(answer.outcome.handle()));
  if (access.has_value()) {
    const bool same = access->path == answer.path && access->handle.instance.value() == key.first;
    if (!same) return what + ", which is another node";
    acls_.CheckAccess(at, *access);
  }
  const v1::Outcome& kept = answer.outcome;
  const bool same = kept.content_generation() == now.content_generation() && kept.directory() == now.directory() &&
                    kept.children_changed() == now.children_changed() && kept.permits() == now.permits();
  return same ? "" : absl::StrCat(what, " and ", Describe(kept), "; now it is ", Describe(now));
}

// Twice at different instants: a process that was paused finds its timer late, and handles what came first.
void WriteWaitChecker::AfterStep(Time at, ReplicaId replica, const replica::ServerView& view) {
  Late& late = late_[replica.value() - 1];
  const Time now = clocks_[replica.value() - 1].ToLocal(at);
  if (now <= view.held_since + view.lease_max + 1) return;
  if (late.since != view.held_since) {
    late = Late{view.held_since, at};
  } else if (at > late.seen) {
    reporter_->Report("cache.write_wait", at,
                      absl::StrCat("r", replica.value(), ": a write has waited for caches since ", view.held_since,
                                   " (local), longer than a lease of ", view.lease_max, " ns"));
  }
}

}  // namespace bramah::sim

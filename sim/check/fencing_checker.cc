#include "sim/check/fencing_checker.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/client/handle_ids.h"
#include "sim/check/guarded.h"

namespace bramah::sim {
namespace {

bool IsRead(v1::CommandKind kind) { return kind >= v1::GET_CONTENTS && kind <= v1::CHECK_SEQUENCER; }

}  // namespace

void FencingChecker::Look(Time at, const std::vector<cell::LockView>& locks) {
  absl::btree_set<PeriodKey> held;
  for (const cell::LockView& lock : locks) {
    const PeriodKey key(lock.instance, lock.generation, lock.permit);
    held.insert(key);
    if (held_.contains(key)) continue;
    FencedPeriod& period = periods_[key];
    if (period.ordinal == 0) period = {++periods_seen_, lock.path, lock.mode, at, kNever};
  }
  LookAtHolders(at, locks);
  for (const PeriodKey& key : held_) {
    if (!held.contains(key)) periods_[key].until = at;
  }
  held_ = std::move(held);
}

// Only who has come or gone since the last look costs more than a comparison.
void FencingChecker::LookAtHolders(Time at, const std::vector<cell::LockView>& locks) {
  decltype(present_) present;
  for (const cell::LockView& lock : locks) {
    const PeriodKey key(lock.instance, lock.generation, lock.permit);
    for (const cell::HolderView& holder : lock.holders) {
      const std::pair who(holder.session, holder.handle);
      present[who] = {key, holder.seq};
      const auto before = present_.find(who);
      if (before != present_.end() && before->second == std::pair(key, holder.seq)) continue;
      holds_[{holder.session, holder.handle, holder.seq}] = key;
      holders_.insert({key, holder.session, holder.handle});
      Holding& holding = holding_[who];
      if (holding.period != key || holding.until != kNever) holding = {key, at, kNever};
    }
  }
  for (const auto& [who, period] : present_) {
    if (!present.contains(who)) holding_[who].until = at;
  }
  present_ = std::move(present);
}

void FencingChecker::Called(Time at, uint32_t client, SessionId session, CallId call, const v1::Command& command) {
  Asked asked{at, session, command.kind(), HandleId(command.handle()), command.mode(), command.sequencer()};
  if (command.kind() == v1::RELEASE) released_.insert({client, session, asked.handle});
  if (command.kind() == v1::ACQUIRE) released_.erase({client, session, asked.handle});
  if (IsGuarded(command.kind())) {
    const auto tied = tied_.find({client, session, asked.handle});
    if (tied == tied_.end() && command.kind() != v1::GET_SEQUENCER) return;
    asked.sequencer = tied == tied_.end() ? "" : tied->second;
  } else if (command.kind() != v1::SET_SEQUENCER && command.kind() != v1::CHECK_SEQUENCER) {
    return;
  }
  asked_.Put(client, call, std::move(asked));
}

void FencingChecker::Answered(Time at, uint32_t client, CallId call, const v1::Outcome& outcome) {
  const std::optional<Asked> found = asked_.Take(client, call);
  if (!found.has_value()) return;
  const Asked& asked = *found;
  if (asked.kind == v1::SET_SEQUENCER) {
    if (outcome.code() == v1::OK) tied_[{client, asked.session, asked.handle}] = asked.sequencer;
    return;
  }
  if (IsRead(asked.kind) && !reads_count_) return;
  if (asked.kind == v1::GET_SEQUENCER) CheckToken(at, client, asked, outcome);
  if (!asked.sequencer.empty()) CheckVerdict(at, asked, outcome.code());
}

void FencingChecker::Stopped(uint32_t client) {
  asked_.Forget(client);
  released_.erase(released_.lower_bound({client, SessionId(), HandleId()}),
                  released_.lower_bound({client + 1, SessionId(), HandleId()}));
  const auto first = tied_.lower_bound({client, SessionId(), HandleId()});
  tied_.erase(first, tied_.lower_bound({client + 1, SessionId(), HandleId()}));
}

const FencedPeriod* FencingChecker::Find(const Sequencer& sequencer) const {
  const auto period = periods_.find({sequencer.instance, sequencer.generation, sequencer.permit});
  return period == periods_.end() ? nullptr : &period->second;
}

void FencingChecker::CheckToken(Time at, uint32_t client, const Asked& asked, const v1::Outcome& outcome) {
  const auto report = [&](const std::string& what) {
    const std::string who = absl::StrCat("handle ", asked.handle.value(), " of session ", asked.session.value());
    const std::string given = outcome.code() == v1::OK ? "given the sequencer " + outcome.sequencer() : "refused one";
    reporter_->Report("sequencer.fencing", at, absl::StrCat(who, " was ", given, ", ", what));
  };
  const auto held = holding_.find({asked.session, client::AtMaster(asked.handle)});
  const bool holds = held != holding_.end() && held->second.from <= asked.at && held->second.until > at;
  if (outcome.code() == v1::LOCK_NOT_HELD || outcome.code() == v1::UNAVAILABLE) {
    const bool released = released_.contains({client, asked.session, asked.handle});
    if (holds && !released) report("although it held all the while");
    return;
  }
  if (outcome.code() != v1::OK) return;
  const std::optional<Sequencer> said = ParseSequencer(outcome.sequencer());
  if (!said) return report("which is none");
  const PeriodKey key(said->instance, said->generation, said->permit);
  if (holds && held->second.period != key) return report("which is not of the lock that it held all the while");
  const FencedPeriod* period = Find(*said);
  if (period == nullptr) return;
  if (period->path != said->path) report("which names another lock");
  if (period->mode != said->mode) report("which says another mode than the lock was held in");
  if (period->until < asked.at) report(absl::StrCat("which was over ", (asked.at - period->until) / kMicrosecond, " us before"));
  // A shared holder may join and leave unseen.
  const bool known = period->mode != v1::EXCLUSIVE || holders_.contains({key, asked.session, client::AtMaster(asked.handle)});
  if (!known) report("which is another holder's");
}

void FencingChecker::CheckVerdict(Time at, const Asked& asked, v1::Code code) {
  const bool refused = code == v1::SEQUENCER_INVALID;
  if (code != v1::OK && !refused && code != v1::BAD_SEQUENCER) return;
  const auto report = [&](const std::string& what) {
    reporter_->Report("sequencer.fencing", at,
                      absl::StrCat(v1::CommandKind_Name(asked.kind), " with the sequencer ", asked.sequencer, " was ",
                                   refused ? "refused" : "let pass", ", although ", what));
  };
  if (code == v1::BAD_SEQUENCER) return report("the cell gave it out");
  const std::optional<Sequencer> said = ParseSequencer(asked.sequencer);
  const FencedPeriod* period = said ? Find(*said) : nullptr;
  if (period == nullptr) return;
  const bool mode = asked.kind != v1::CHECK_SEQUENCER || asked.mode == v1::FREE || asked.mode == period->mode;
  if (refused) {
    const bool throughout = period->from <= asked.at && period->until > at;
    if (mode && throughout) report("the lock was held all the while");
  } else if (!mode) {
    report(absl::StrCat("the lock is not held in mode ", v1::LockMode_Name(asked.mode)));
  } else if (period->until < asked.at) {
    report(absl::StrCat("the lock had been lost ", (asked.at - period->until) / kMicrosecond, " us before"));
  }
}

bool FencingChecker::InConflict(const Acted& a, const Acted& b) {
  const bool apart = a.mode == v1::EXCLUSIVE && b.mode == v1::EXCLUSIVE && a.permit != b.permit;
  return a.instance != b.instance || !apart;
}

void FencingChecker::Requested(Time at, const ResourceRequest& request, bool accepted) {
  const auto hold = holds_.find({request.session, client::AtMaster(request.handle), request.acquire});
  if (hold == holds_.end()) return;
  const FencedPeriod& period = periods_.at(hold->second);
  if (!accepted) {
    if (period.until != kNever) return;
    return reporter_->Report("sequencer.fencing", at,
                             absl::StrCat("the resource refused the present holder of ", request.path, ", whose token is ",
                                          request.token.value()));
  }
  const Acted kind{std::get<0>(hold->second), period.mode, std::get<2>(hold->second), period.ordinal};
  std::vector<Acted>& acted = acted_[request.path];
  for (const Acted& other : acted) {
    if (other.latest <= period.ordinal || !InConflict(kind, other)) continue;
    reporter_->Report("sequencer.fencing", at,
                      absl::StrCat("the resource acted for a former holder of ", request.path,
                                   " after it acted for a later one; the token is ", request.token.value()));
  }
  const auto same = std::find_if(acted.begin(), acted.end(), [&](const Acted& other) {
    return other.instance == kind.instance && other.mode == kind.mode && other.permit == kind.permit;
  });
  if (same == acted.end()) return acted.push_back(kind);
  same->latest = std::max(same->latest, kind.latest);
}

}  // namespace bramah::sim

#include "core/replica/cache_table.h"

namespace bramah::replica {
namespace {

// Calls `visit` with the position of every bit.
template <class Visit>
void ForEachClass(uint32_t classes, const Visit& visit) {
  for (int i = 0; i < kCacheClassCount; ++i) {
    if ((classes >> i & 1) != 0) visit(i);
  }
}

}  // namespace

CacheTable::Kept CacheTable::Register(SessionId session, const Touch& touch, uint64_t number) {
  const auto known = ids_.find(touch.id);
  bool forbidden = false;
  if (known != ids_.end()) {
    ForEachClass(touch.classes, [&](int c) { forbidden = forbidden || known->second.forbidden[c] > 0; });
  }
  if (forbidden) return Kept::kNo;
  Session& of = sessions_[session];
  if (of.flushing != 0) return Kept::kNo;
  if (!of.ids.contains(touch.id)) {
    if (of.ids.size() >= ids_max_) return Kept::kFull;
    if (total_ >= total_max_) return Kept::kNo;
  }
  Add(session, touch, number);
  return Kept::kYes;
}

void CacheTable::Believes(SessionId session, const Touch& touch, uint64_t number) {
  const auto known = ids_.find(touch.id);
  if (known != ids_.end() && known->second.forbidden != Counts{}) return;
  Add(session, touch, number);
}

void CacheTable::Add(SessionId session, const Touch& touch, uint64_t number) {
  if (sessions_[session].ids.insert(touch.id).second) ++total_;
  Id& id = ids_[touch.id];
  Cacher& cacher = id.cachers[session];
  ForEachClass(touch.classes & ~cacher.classes, [&](int c) { ++id.cached[c]; });
  const bool known_untold = (cacher.classes & ~cacher.told) != 0;
  cacher.classes |= touch.classes;
  cacher.told &= ~touch.classes;
  if (!known_untold) ++id.untold;
  ForEachClass(touch.classes, [&](int c) { cacher.registered[c] = number; });
}

void CacheTable::Flushing(SessionId session, uint64_t number) {
  Session& of = sessions_[session];
  of.flushing = number;
  of.notices.push_back({number, {}});
}

void CacheTable::Forbid(const Touches& touches) {
  for (const Touch& touch : touches) {
    Id& id = ids_[touch.id];
    ForEachClass(touch.classes, [&](int c) { ++id.forbidden[c]; });
  }
}

void CacheTable::Allow(const Touches& touches) {
  for (const Touch& touch : touches) {
    const auto id = ids_.find(touch.id);
    if (id == ids_.end()) continue;
    ForEachClass(touch.classes, [&](int c) {
      if (id->second.forbidden[c] > 0) --id->second.forbidden[c];
    });
    Sweep(touch.id);
  }
}

std::vector<CacheTable::Untold> CacheTable::ToTell(const Touches& touches) const {
  std::vector<Untold> untold;
  for (const Touch& touch : touches) {
    const auto id = ids_.find(touch.id);
    if (id == ids_.end() || id->second.untold == 0) continue;
    for (const auto& [session, cacher] : id->second.cachers) {
      const uint32_t classes = cacher.classes & touch.classes & ~cacher.told;
      if (classes != 0) untold.push_back({session, {touch.id, classes}});
    }
  }
  return untold;
}

void CacheTable::Told(SessionId session, const Touch& touch, uint64_t number) {
  sessions_[session].notices.push_back({number, touch});
  const auto id = ids_.find(touch.id);
  if (id == ids_.end()) return;
  const auto cacher = id->second.cachers.find(session);
  if (cacher == id->second.cachers.end()) return;
  const bool was_untold = (cacher->second.classes & ~cacher->second.told) != 0;
  cacher->second.told |= touch.classes;
  if (was_untold && (cacher->second.classes & ~cacher->second.told) == 0) --id->second.untold;
}

bool CacheTable::Cached(const Touches& touches, SessionId writer, uint64_t own) const {
  for (const Touch& touch : touches) {
    const auto id = ids_.find(touch.id);
    if (id == ids_.end()) continue;
    const auto mine = touch.id == own ? id->second.cachers.find(writer) : id->second.cachers.end();
    const uint32_t of_writer = mine == id->second.cachers.end() ? 0 : mine->second.classes;
    bool cached = false;
    ForEachClass(touch.classes, [&](int c) { cached = cached || id->second.cached[c] > (of_writer >> c & 1); });
    if (cached) return true;
  }
  return false;
}

bool CacheTable::Acknowledge(SessionId session, uint64_t number) {
  const auto of = sessions_.find(session);
  if (of == sessions_.end()) return false;
  freed_ = false;
  while (!of->second.notices.empty() && of->second.notices.front().number <= number) {
    const Notice notice = of->second.notices.front();
    of->second.notices.pop_front();
    Obey(session, notice);
  }
  return freed_;
}

void CacheTable::Obey(SessionId session, const Notice& notice) {
  if (notice.touch.classes == 0) {
    Session& of = sessions_[session];
    of.flushing = 0;
    // Emptying a cache does not end a belief.
    for (const uint64_t id : absl::btree_set<uint64_t>(of.ids)) Drop(session, id, ~uint32_t{v1::CACHE_HOLD});
    return;
  }
  const auto id = ids_.find(notice.touch.id);
  if (id == ids_.end()) return;
  const auto cacher = id->second.cachers.find(session);
  if (cacher == id->second.cachers.end()) return;
  uint32_t classes = 0;
  ForEachClass(notice.touch.classes, [&](int c) {
    // What was registered again after it was told is kept again.
    if (cacher->second.registered[c] < notice.number) classes |= uint32_t{1} << c;
  });
  Drop(session, notice.touch.id, classes);
}

bool CacheTable::Forget(SessionId session) {
  const auto of = sessions_.find(session);
  if (of == sessions_.end()) return false;
  freed_ = false;
  for (const uint64_t id : absl::btree_set<uint64_t>(of->second.ids)) Drop(session, id, ~uint32_t{0});
  sessions_.erase(of);
  return freed_;
}

void CacheTable::Drop(SessionId session, uint64_t which, uint32_t classes) {
  const auto id = ids_.find(which);
  if (id == ids_.end()) return;
  const auto cacher = id->second.cachers.find(session);
  if (cacher == id->second.cachers.end()) return;
  ForEachClass(cacher->second.classes & classes, [&](int c) {
    --id->second.cached[c];
    freed_ = freed_ || (id->second.cached[c] <= 1 && id->second.forbidden[c] > 0);
  });
  const bool was_untold = (cacher->second.classes & ~cacher->second.told) != 0;
  cacher->second.classes &= ~classes;
  cacher->second.told &= ~classes;
  if (was_untold && (cacher->second.classes & ~cacher->second.told) == 0) --id->second.untold;
  if (cacher->second.classes != 0) return;
  id->second.cachers.erase(cacher);
  sessions_[session].ids.erase(which);
  --total_;
  Sweep(which);
}

void CacheTable::Sweep(uint64_t which) {
  const auto id = ids_.find(which);
  if (id != ids_.end() && id->second.cachers.empty() && id->second.forbidden == Counts{}) ids_.erase(id);
}

}  // namespace bramah::replica

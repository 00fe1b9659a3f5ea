#include "core/session/session_table.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/hash.h"

namespace bramah::session {
namespace {

uint64_t HashHandle(HandleId id, const Handle& handle) {
  const uint64_t rights = (handle.readable ? 2u : 0u) | (handle.writable ? 1u : 0u) | (handle.changes_acl ? 4u : 0u);
  const uint64_t hash = FoldHash(FoldHash(FoldHash(4, id.value()), handle.instance.value()), rights);
  return FoldHash(FoldHash(FoldHash(hash, static_cast<uint64_t>(handle.lock_delay)), handle.events), handle.check_digits);
}

}  // namespace

Session::Handles::iterator Session::Place(HandleId id) {
  // Where it is if none of those before it was closed.
  const uint64_t guess = handles_.empty() || id < handles_.front().first ? 0 : id - handles_.front().first;
  if (guess < handles_.size() && handles_[guess].first == id) return handles_.begin() + static_cast<ptrdiff_t>(guess);
  return std::lower_bound(handles_.begin(), handles_.end(), id, [](const auto& entry, HandleId i) { return entry.first < i; });
}

const Handle* Session::Find(HandleId id) const {
  const auto it = const_cast<Session*>(this)->Place(id);
  return it == handles_.end() || it->first != id ? nullptr : &it->second;
}

void Session::Open(HandleId id, const Handle& handle) {
  BRAMAH_CHECK(!Spent(id));
  handles_.insert(Place(id), {id, handle});
  handle_items_ += HashHandle(id, handle);
}

void Session::Close(HandleId id) {
  const auto it = Place(id);
  BRAMAH_CHECK(it != handles_.end() && it->first == id);
  handle_items_ -= HashHandle(id, it->second);
  handles_.erase(it);
  closed_.Insert(id.value());
}

void Session::SetWaits(HandleId id, Position waits) {
  const auto it = Place(id);
  BRAMAH_CHECK(it != handles_.end() && it->first == id);
  it->second.waits = waits;
}

uint64_t Session::Hash(uint64_t results, uint64_t handles, uint64_t closed) const {
  uint64_t hash = FoldHash(id_.value(), nonce_.high);
  hash = FoldHash(hash, nonce_.low);
  hash = FoldHash(FoldHash(hash, Hash64(principal_)), caches_ ? 1 : 0);
  hash = FoldHash(hash, results);
  hash = FoldHash(hash, handles);
  return FoldHash(hash, closed);
}

uint64_t Session::digest() const { return Hash(results.digest(), handle_items_, closed_.digest()); }

uint64_t Session::DigestSlow() const {
  uint64_t handles = 0;
  for (const auto& [id, handle] : handles_) handles += HashHandle(id, handle);
  return Hash(results.DigestSlow(), handles, closed_.DigestSlow());
}

SessionId SessionTable::WithNonce(const Nonce& nonce) const {
  const auto it = by_nonce_.find(nonce);
  return it == by_nonce_.end() ? SessionId() : it->second;
}

Session* SessionTable::Create(SessionId id, const Nonce& nonce, const std::string& principal, bool caches) {
  if (Find(id) != nullptr || WithNonce(nonce)) return nullptr;
  by_nonce_.emplace(nonce, id);
  Session& session = *sessions_.Add(Session(id, nonce, principal, caches));
  Refresh(session);
  return &session;
}

void SessionTable::Remove(SessionId id) {
  const Session* session = Find(id);
  BRAMAH_CHECK(session != nullptr);
  by_nonce_.erase(session->nonce());
  digest_ -= session->accounted;
  sessions_.Remove(id);
}

void SessionTable::Refresh(Session& session) {
  digest_ -= session.accounted;
  session.accounted = session.digest();
  digest_ += session.accounted;
}

uint64_t SessionTable::DigestSlow() const {
  uint64_t sum = 0;
  for (const auto& [id, session] : sessions_) sum += session->DigestSlow();
  return sum;
}

}  // namespace bramah::session

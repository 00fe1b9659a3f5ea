#include "core/client/watches.h"

#include <algorithm>
#include <utility>

namespace bramah::client {
namespace {

CoreEvent& Tell(CoreEvent::Kind kind, SessionId session, HandleId handle, Effects& out) {
  CoreEvent& event = out.Event(kind);
  event.session = session;
  event.handle = handle;
  return event;
}

}  // namespace

void Watches::Add(HandleId handle, uint32_t events) {
  if (events != 0) opening_[handle].events = events;
}

void Watches::Remove(HandleId handle) {
  opening_.erase(handle);
  std::erase_if(open_, [handle](const Watch& watch) { return watch.handle == handle; });
}

void Watches::RemoveAll() {
  opening_.clear();
  open_.clear();
}

Watch* Watches::Find(HandleId handle) {
  const auto at = std::find_if(open_.begin(), open_.end(), [handle](const Watch& watch) { return watch.handle == handle; });
  return at == open_.end() ? nullptr : &*at;
}

bool Watches::Opened(SessionId session, HandleId handle, const v1::Outcome& opened, Effects& out) {
  const auto at = opening_.find(handle);
  if (at == opening_.end()) return false;
  const Opening opening = std::move(at->second);
  opening_.erase(at);
  const auto place = std::find_if(open_.begin(), open_.end(), [handle](const Watch& watch) { return watch.handle > handle; });
  open_.insert(place, {handle, opening.events, Position(opened.instance()), opened.content_generation(),
                       Position(opened.children_changed()), false});
  for (const v1::SessionItem& item : opening.early) OnItem(session, item, out);
  return opening.suspect;
}

void Watches::Wrote(SessionId session, HandleId handle, uint64_t content_generation, Effects& out) {
  Watch* const watch = Find(handle);
  if (watch == nullptr || content_generation <= watch->content_generation) return;
  TellContents(session, *watch, content_generation - 1, out);
  watch->content_generation = content_generation;
}

void Watches::Deleted(HandleId handle) {
  if (Watch* const watch = Find(handle)) watch->gone = true;
}

void Watches::OnItem(SessionId session, const v1::SessionItem& item, Effects& out) {
  const HandleId handle(item.handle());
  if (const auto opening = opening_.find(handle); opening != opening_.end()) return opening->second.early.push_back(item);
  Watch* const watch = Find(handle);
  // Closed since; or found gone by a look that overtook what was queued before.
  if (watch == nullptr || watch->gone) return;
  switch (item.kind()) {
    case v1::ITEM_CONTENTS:
      return TellContents(session, *watch, item.generation(), out);
    case v1::ITEM_CHILDREN:
      return TellChildren(session, *watch, item.generation(), out);
    case v1::ITEM_HANDLE_INVALID:
      return TellGone(session, *watch, out);
    case v1::ITEM_LOCK_ACQUIRED:
      Tell(CoreEvent::kLockAcquired, session, handle, out).generation = Position(item.generation());
      return;
    case v1::ITEM_LOCK_REQUESTED:  // the library may have asked for it, for itself
      if (watch->events & v1::EVENT_LOCK_REQUESTED) Tell(CoreEvent::kLockRequested, session, handle, out);
      return;
    default:
      return;  // of a later version
  }
}

void Watches::OnLook(SessionId session, HandleId handle, const v1::Outcome& stat, Effects& out) {
  Watch* const watch = Find(handle);
  if (watch == nullptr || watch->gone) return;
  const size_t before = out.events().size();
  if (stat.code() == v1::STALE_HANDLE) {
    TellGone(session, *watch, out);
  } else {
    TellContents(session, *watch, stat.content_generation(), out);
    TellChildren(session, *watch, stat.children_changed(), out);
  }
  SOMETIMES(out.probes(), kChangeFoundByLooking, out.events().size() > before);
}

std::vector<HandleId> Watches::Suspect() {
  for (auto& [handle, opening] : opening_) opening.suspect = true;
  std::vector<HandleId> handles;
  for (const Watch& watch : open_) handles.push_back(watch.handle);
  return handles;
}

void Watches::TellContents(SessionId session, Watch& watch, uint64_t generation, Effects& out) {
  if ((watch.events & v1::EVENT_CONTENTS) == 0 || generation <= watch.content_generation) return;
  watch.content_generation = generation;
  Tell(CoreEvent::kContentsModified, session, watch.handle, out).content_generation = generation;
}

void Watches::TellChildren(SessionId session, Watch& watch, uint64_t position, Effects& out) {
  if ((watch.events & v1::EVENT_CHILDREN) == 0 || Position(position) <= watch.children_changed) return;
  watch.children_changed = Position(position);
  Tell(CoreEvent::kChildrenChanged, session, watch.handle, out).generation = watch.children_changed;
}

void Watches::TellGone(SessionId session, Watch& watch, Effects& out) {
  if (std::exchange(watch.gone, true) || (watch.events & v1::EVENT_HANDLE_INVALID) == 0) return;
  Tell(CoreEvent::kHandleInvalid, session, watch.handle, out);
}

}  // namespace bramah::client

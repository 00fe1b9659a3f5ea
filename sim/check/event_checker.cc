#include "sim/check/event_checker.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"

namespace bramah::sim {
namespace {

constexpr std::string_view kOrder = "event.order";

// Erases everything of one client from a map whose keys begin with its number.
template <class Map, class First, class Last>
void EraseRange(Map& map, const First& first, const Last& last) {
  map.erase(map.lower_bound(first), map.lower_bound(last));
}

}  // namespace

void EventChecker::AfterStep(Time at, uint32_t client, absl::Span<const CoreEvent> events) {
  for (const CoreEvent& event : events) {
    if (event.kind == CoreEvent::kMasterFailedOver) {
      Epoch& last = epochs_[{client, event.session}];
      if (event.epoch <= last) {
        reporter_->Report(kOrder, at, absl::StrCat("c", client, " was told twice of the master of epoch ", event.epoch.value()));
      }
      last = std::max(last, event.epoch);
    } else if (event.kind >= CoreEvent::kContentsModified && event.kind <= CoreEvent::kLockRequested) {
      Told(at, {client, event.session, event.handle}, event);
    }
  }
}

void EventChecker::Told(Time at, const Key& key, const CoreEvent& event) {
  const auto report = [&](const std::string& what) {
    reporter_->Report(kOrder, at, absl::StrCat("c", std::get<0>(key), " was told ", std::string(EventName(event.kind)),
                                               " of handle ", event.handle.value(), ", ", what));
  };
  ToldOfNode& told = told_[key];
  if (told.gone) report("which it closed, or whose node it was told is gone");
  // An event that comes with the answer of Open is told before the node is known here.
  const auto instance = instances_.find(key);
  ToldOfNode unknown;
  ToldOfNode& of_node =
      instance == instances_.end() ? unknown : by_node_[{std::get<0>(key), std::get<1>(key), instance->second}];
  switch (event.kind) {
    case CoreEvent::kContentsModified:
      if (event.content_generation <= told.contents) report(absl::StrCat("generation not above ", told.contents));
      told.contents = event.content_generation;
      of_node.contents = std::max(of_node.contents, told.contents);
      return;
    case CoreEvent::kChildrenChanged:
      if (event.generation <= told.children) report(absl::StrCat("position not above ", told.children.value()));
      told.children = event.generation;
      of_node.children = std::max(of_node.children, told.children);
      return;
    case CoreEvent::kLockAcquired:
      if (event.generation <= told.lock) report(absl::StrCat("generation not above ", told.lock.value()));
      told.lock = event.generation;
      return;
    case CoreEvent::kHandleInvalid:
      told.gone = true;
      return;
    default:
      return;
  }
}

void EventChecker::Called(uint32_t client, SessionId session, CallId call, const v1::Command& command) {
  Asked asked;
  asked.key = {client, session, HandleId(command.handle())};
  const bool leaves = command.kind() == v1::CLOSE || command.kind() == v1::POISON;
  if (leaves && instances_.erase(asked.key) > 0) told_[asked.key].gone = true;
  asked.open = command.kind() == v1::OPEN;
  const bool reads = command.kind() == v1::GET_CONTENTS || command.kind() == v1::GET_STAT || command.kind() == v1::READ_DIR;
  if (!asked.open && !reads) return;
  if (reads) {
    const auto instance = instances_.find(asked.key);
    const auto told = instance == instances_.end() ? by_node_.end() : by_node_.find({client, session, instance->second});
    if (told == by_node_.end()) return;
    asked.told = told->second;
  }
  asked_.Put(client, call, asked);
}

void EventChecker::Answered(Time at, uint32_t client, CallId call, const v1::Outcome& outcome) {
  const std::optional<Asked> found = asked_.Take(client, call);
  if (!found.has_value() || outcome.code() != v1::OK) return;
  const Asked& asked = *found;
  if (!asked.open) return CheckRead(at, asked, outcome);
  const Key key(client, std::get<1>(asked.key), HandleId(outcome.handle()));
  instances_[key] = Position(outcome.instance());
  // What Open said needs no telling.
  ToldOfNode& told = told_[key];
  told.contents = std::max(told.contents, outcome.content_generation());
  told.children = std::max(told.children, Position(outcome.children_changed()));
}

void EventChecker::CheckRead(Time at, const Asked& asked, const v1::Outcome& outcome) {
  const bool contents = outcome.content_generation() >= asked.told.contents;
  const bool children = Position(outcome.children_changed()) >= asked.told.children;
  if (!reads_count_ || (contents && children)) return;
  reporter_->Report(kOrder, at,
                    absl::StrCat("c", std::get<0>(asked.key), " read content generation ", outcome.content_generation(),
                                 ", children as of ", outcome.children_changed(), ", after it was told of ", asked.told.contents,
                                 " and ", asked.told.children.value()));
}

void EventChecker::Stopped(uint32_t client) {
  EraseRange(told_, Key{client, SessionId(), HandleId()}, Key{client + 1, SessionId(), HandleId()});
  EraseRange(instances_, Key{client, SessionId(), HandleId()}, Key{client + 1, SessionId(), HandleId()});
  EraseRange(by_node_, std::tuple(client, SessionId(), Position()), std::tuple(client + 1, SessionId(), Position()));
  EraseRange(epochs_, std::pair(client, SessionId()), std::pair(client + 1, SessionId()));
  asked_.Forget(client);
}

}  // namespace bramah::sim

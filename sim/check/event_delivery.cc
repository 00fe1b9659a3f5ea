#include "sim/check/event_delivery.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace bramah::sim {

EventDelivery::EventDelivery(const cell::Cell& cell) {
  cell::CellView view = cell.View();
  for (cell::NodeView& node : view.nodes) nodes_.emplace(node.instance, std::move(node));
}

std::optional<std::string> EventDelivery::FindUntold(const client::ClientView& client) const {
  for (const client::Watch& watch : *client.watches) {
    if (const auto untold = FindUntold(watch)) return absl::StrCat("through handle ", watch.handle.value(), " that ", *untold);
  }
  return std::nullopt;
}

std::optional<std::string> EventDelivery::FindUntold(const client::Watch& watch) const {
  const auto found = nodes_.find(watch.instance);
  if (found == nodes_.end()) {
    const bool told = watch.gone || (watch.events & v1::EVENT_HANDLE_INVALID) == 0;
    return told ? std::nullopt : std::optional<std::string>("its node is gone");
  }
  const cell::NodeView& node = found->second;
  if ((watch.events & v1::EVENT_CONTENTS) != 0 && watch.content_generation != node.content_generation) {
    return absl::StrCat(node.path, " is at content generation ", node.content_generation, ", not ", watch.content_generation);
  }
  if ((watch.events & v1::EVENT_CHILDREN) != 0 && watch.children_changed != node.children_changed) {
    return absl::StrCat("the children of ", node.path, " have changed");
  }
  return std::nullopt;
}

}  // namespace bramah::sim

#include "sim/check/history/remark.h"

#include "absl/strings/str_cat.h"
#include "core/base/hash.h"

namespace bramah::sim {
namespace {

uint64_t HashOf(const std::string& name) { return name.empty() ? 0 : Hash64(name); }

// That of a lock with one permit is its only holder.
bool HoldersFit(const v1::Outcome& stat) {
  switch (stat.lock_mode()) {
    case v1::FREE:
      return stat.lock_holders() == 0;
    case v1::SHARED:
      return stat.lock_holders() > 0;
    default:
      return stat.lock_holders() > 0 && stat.lock_holders() <= stat.permits();
  }
}

}  // namespace

std::string Describe(const Remark& remark) {
  return absl::StrCat("c", remark.client, " call ", remark.call.value(), " (", v1::CommandKind_Name(remark.kind),
                      remark.maybe ? ", outcome unknown)" : ")");
}

std::array<uint64_t, 3> NamesOf(const v1::Command& command) {
  return {HashOf(command.acl_read()), HashOf(command.acl_write()), HashOf(command.acl_change())};
}

AclRemark AclOf(const v1::Outcome& stat) {
  return {stat.acl_generation(), false, {HashOf(stat.acl_read()), HashOf(stat.acl_write()), HashOf(stat.acl_change())}};
}

LockRemark LockOf(const v1::Outcome& stat) {
  return {LockRemark::kShown, stat.lock_mode(), 0, stat.permits(), stat.lock_generation(), 0, {}};
}

LockRemark LockOf(const Sequencer& sequencer, LockRemark::Kind kind) {
  return {kind, sequencer.mode, sequencer.permit, 0, sequencer.generation.value(), 0, {}};
}

ChildrenRemark ChildrenOf(v1::CommandKind kind, const v1::Outcome& outcome) {
  ChildrenRemark children{outcome.directory(), outcome.children_changed(), std::nullopt, std::nullopt};
  if (kind == v1::OPEN) return children;
  children.count = outcome.child_count();
  children.made = outcome.children_made();
  return children;
}

std::optional<std::string> Impossible(v1::CommandKind kind, const v1::Outcome& outcome) {
  if (kind == v1::READ_DIR) {
    const bool all = outcome.child_count() == static_cast<uint64_t>(outcome.children_size());
    return all ? std::nullopt : std::optional("counts other children than it lists");
  }
  const bool stat = outcome.acl_generation() != 0;
  if (!stat) return std::nullopt;
  if (outcome.children_made() < outcome.child_count()) return "shows more children than were ever made";
  if (!HoldersFit(outcome)) return "shows as many holders of the lock as its mode cannot have";
  if (outcome.lock_mode() != v1::FREE && outcome.lock_generation() == 0) return "shows a lock that is held and never was";
  return std::nullopt;
}

}  // namespace bramah::sim

// Questions to the model: reads, sequencers, and what tests compare after every command.
#include <algorithm>
#include <map>

#include "core/api/sequencer.h"
#include "core/base/hash.h"
#include "core/cell/naive_model.h"

namespace bramah::cell {

// A sequencer is good while the very period of being held goes on that it speaks of.
v1::Code NaiveModel::Judge(const std::string& sequencer) const {
  if (sequencer.empty()) return v1::OK;
  const auto said = VerifySequencer(sequencer, secret_);
  if (!said) return v1::BAD_SEQUENCER;
  const auto node = nodes_.find(said->path);
  const bool same = node != nodes_.end() && node->second.instance == said->instance.value() && !node->second.holds.empty() &&
                    node->second.mode == said->mode;
  const auto is_it = [&](const Hold& hold) {
    return hold.generation == said->generation.value() && hold.permit == said->permit;
  };
  const bool held = same && std::any_of(node->second.holds.begin(), node->second.holds.end(), is_it);
  return held ? v1::OK : v1::SEQUENCER_INVALID;
}

size_t NaiveModel::ClosedRuns(uint64_t session) const {
  size_t runs = 0;
  for (const auto& [id, handle] : handles_) {
    const auto before = handles_.find({id.first, id.second - 1});
    const bool goes_on = before != handles_.end() && !before->second.open;
    runs += id.first == session && !handle.open && !goes_on ? 1 : 0;
  }
  return runs;
}

v1::Outcome NaiveModel::Read(const v1::Command& command) const {
  v1::Outcome outcome;
  outcome.set_handle(command.handle());
  const auto fail = [&](v1::Code code) {
    outcome.set_code(code);
    return outcome;
  };
  if (sessions_.find(command.session()) == sessions_.end()) return fail(v1::SESSION_EXPIRED);
  if (command.kind() == v1::CHECK_SEQUENCER) {
    const auto said = VerifySequencer(command.sequencer(), secret_);
    if (!said) return fail(v1::BAD_SEQUENCER);
    outcome.set_instance(said->instance.value());
    outcome.set_lock_generation(said->generation.value());
    outcome.set_lock_mode(said->mode);
    outcome.set_permit(said->permit);
    if (command.mode() != v1::FREE && command.mode() != said->mode) return fail(v1::SEQUENCER_INVALID);
    return fail(Judge(command.sequencer()));
  }
  const Handle* handle = FindNamed(command);
  if (handle == nullptr) return fail(v1::BAD_HANDLE);
  const std::string* path = PathOf(handle->instance);
  if (path == nullptr) return fail(v1::STALE_HANDLE);
  if (const v1::Code code = Judge(command.sequencer()); code != v1::OK) return fail(code);
  const Node& node = nodes_.at(*path);
  if (command.kind() == v1::GET_SEQUENCER) {
    for (const Hold& hold : node.holds) {
      if (hold.session != command.session() || hold.handle != command.handle()) continue;
      if (secret_ == MacKey()) return fail(v1::UNAVAILABLE);
      outcome.set_instance(node.instance);
      outcome.set_lock_generation(hold.generation);
      outcome.set_permit(hold.permit);
      outcome.set_lock_mode(node.mode);
      outcome.set_sequencer(FormatSequencer(
          {name_, *path, Position(node.instance), node.mode, Position(hold.generation), hold.permit}, secret_));
      return outcome;
    }
    return fail(v1::LOCK_NOT_HELD);
  }
  if (!handle->readable) return fail(v1::PERMISSION_DENIED);
  if (command.kind() == v1::GET_CONTENTS && node.directory && !node.both) return fail(v1::IS_A_DIRECTORY);
  if (command.kind() == v1::READ_DIR && !node.directory) return fail(v1::NOT_A_DIRECTORY);
  if (command.kind() == v1::GET_CONTENTS) outcome.set_contents(node.contents);
  std::map<std::string, const Node*> children;
  for (const auto& [other, child] : nodes_) {
    if (IsChild(other, *path)) children[other.substr(other.rfind('/') + 1)] = &child;
  }
  for (const auto& [name, child] : children) {
    if (command.kind() != v1::READ_DIR) continue;
    v1::ChildStat& stat = *outcome.add_children();
    stat.set_name(name);
    stat.set_directory(child->directory);
    stat.set_ephemeral(child->ephemeral);
    stat.set_content_length(child->contents.size());
    stat.set_content_generation(child->content_generation);
    stat.set_instance(child->instance);
  }
  outcome.set_directory(node.directory);
  outcome.set_ephemeral(node.ephemeral);
  outcome.set_both(node.both);
  outcome.set_owner(node.owner);
  outcome.set_instance(node.instance);
  outcome.set_permits(node.permits);
  if (command.kind() == v1::READ_DIR) {
    outcome.set_child_count(children.size());
    outcome.set_children_changed(node.children_changed);
    outcome.set_children_made(node.children_made);
    return outcome;
  }
  outcome.set_content_generation(node.content_generation);
  outcome.set_checksum(Hash64(node.contents));
  outcome.set_content_length(node.contents.size());
  outcome.set_content_changed(node.content_changed);
  outcome.set_changed_at_ns(node.changed_at);
  if (command.kind() == v1::GET_CONTENTS && !command.with_stat()) return outcome;
  outcome.set_lock_generation(node.lock_generation);
  outcome.set_acl_generation(node.acl_generation);
  outcome.set_acl_read(node.acl_read);
  outcome.set_acl_write(node.acl_write);
  outcome.set_acl_change(node.acl_change);
  outcome.set_child_count(children.size());
  outcome.set_children_changed(node.children_changed);
  outcome.set_children_made(node.children_made);
  outcome.set_lock_mode(node.mode);
  outcome.set_lock_holders(static_cast<uint32_t>(node.holds.size()));
  outcome.set_lock_waiters(static_cast<uint32_t>(node.waits.size()));
  return outcome;
}

std::vector<LockView> NaiveModel::HeldLocks() const {
  std::vector<LockView> locks;
  for (const auto& [path, node] : nodes_) {
    // Each permit that is held is shown as a lock of its own.
    std::map<uint32_t, LockView> views;
    for (const Hold& hold : node.holds) {
      const Handle& handle = handles_.at({hold.session, hold.handle});
      LockView& lock = views[hold.permit];
      lock = {path, Position(node.instance), node.mode, Position(hold.generation), node.permits, hold.permit,
              lock.holders, {}};
      lock.holders.push_back({SessionId(hold.session), HandleId(hold.handle), RequestSeq(hold.seq), handle.lock_delay,
                              hold.permit, Position(hold.generation)});
      for (const Wait& wait : node.waits) {
        lock.waiters.push_back(
            {Position(wait.since), SessionId(wait.session), HandleId(wait.handle), RequestSeq(wait.seq), wait.mode});
      }
    }
    for (const auto& [permit, lock] : views) locks.push_back(lock);
  }
  return locks;
}

std::vector<DelayView> NaiveModel::Delays() const {
  std::map<std::string, DelayView> delays;
  for (const auto& [path, permits] : closed_) delays[path].permits = permits;
  for (const auto& [path, until] : no_writers_) delays[path].exclusive = until;
  std::vector<DelayView> views;
  for (auto& [path, view] : delays) {
    view.path = path;
    views.push_back(view);
  }
  return views;
}

std::vector<std::string> NaiveModel::Paths() const {
  std::vector<std::string> paths;
  for (const auto& [path, node] : nodes_) paths.push_back(path);
  return paths;
}

}  // namespace bramah::cell

// The tree in the model: opening and making nodes, contents, access control, removal.
#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <utility>

#include "core/api/path.h"
#include "core/base/hash.h"
#include "core/cell/naive_model.h"
#include "core/session/check_digits.h"

namespace bramah::cell {

void NaiveModel::Open(const v1::Command& command, v1::Outcome& outcome) {
  const std::pair id(command.session(), command.handle());
  if (handles_.count(id) > 0) return outcome.set_code(v1::BAD_HANDLE);
  size_t open = 0;
  for (const auto& [other, handle] : handles_) open += other.first == command.session() && handle.open ? 1 : 0;
  if (open >= limits_.handles_per_session_max) return outcome.set_code(v1::TOO_MANY_HANDLES);
  if (ClosedRuns(command.session()) > limits_.handles_per_session_max) return outcome.set_code(v1::TOO_MANY_HANDLES);
  const std::string& path = command.path();
  if (!IsCellPath(path)) return outcome.set_code(FaultOfPath(path));
  if (command.through() != 0 && !LeadsThrough(path, command.through())) return outcome.set_code(v1::STALE_HANDLE);
  const uint32_t flags = command.open_flags();
  const bool exists = nodes_.count(path) > 0;
  if (exists && (flags & v1::OPEN_MUST_CREATE)) return outcome.set_code(v1::EXISTS);
  if (exists && (flags & v1::OPEN_DIRECTORY) && !nodes_[path].directory) return outcome.set_code(v1::NOT_A_DIRECTORY);
  if (!exists) {
    if (const v1::Code code = WhyNotMake(command); code != v1::OK) return outcome.set_code(code);
  }
  Node made;
  if (!exists) made = Made(command);
  const Node& target = exists ? nodes_[path] : made;
  const bool writes = flags & v1::OPEN_WRITE;
  const bool changes = flags & v1::OPEN_CHANGE_ACL;
  const bool may_read = May(command.session(), target.acl_read);
  if (writes && !May(command.session(), target.acl_write)) return outcome.set_code(v1::PERMISSION_DENIED);
  if (changes && !May(command.session(), target.acl_change)) return outcome.set_code(v1::PERMISSION_DENIED);
  if (!may_read && ((!writes && !changes) || (command.events() & 15) != 0)) return outcome.set_code(v1::PERMISSION_DENIED);
  const Node& node = exists ? nodes_[path] : Make(command, position_);
  Handle& made_handle = handles_[id];
  made_handle = {node.instance, may_read, writes, changes, true, std::min(command.lock_delay_ns(), 60 * kSecond),
                 command.events(), 0};
  session::Handle facts;
  facts.instance = Position(node.instance);
  facts.readable = may_read;
  facts.writable = writes;
  facts.changes_acl = changes;
  facts.lock_delay = made_handle.lock_delay;
  facts.events = command.events();
  made_handle.check_digits = session::CheckDigits(SessionId(id.first), HandleId(id.second), facts, secret_);
  outcome.set_check_digits(made_handle.check_digits);
  outcome.set_permits(node.permits);
  outcome.set_created(!exists);
  outcome.set_directory(node.directory);
  outcome.set_ephemeral(node.ephemeral);
  outcome.set_both(node.both);
  outcome.set_owner(node.owner);
  outcome.set_instance(node.instance);
  outcome.set_content_generation(node.content_generation);
  outcome.set_children_changed(node.children_changed);
  applied_.effect = true;
}

bool NaiveModel::LeadsThrough(std::string path, uint64_t instance) const {
  while (path != "/") {
    path = ParentOf(path);
    const auto above = nodes_.find(path);
    if (above != nodes_.end() && above->second.instance == instance) return true;
  }
  return false;
}

v1::Code NaiveModel::WhyNotMake(const v1::Command& command) const {
  const std::string& path = command.path();
  const auto parent = nodes_.find(ParentOf(path));
  if (parent == nodes_.end()) return v1::NOT_FOUND;
  if (!parent->second.directory) return v1::NOT_A_DIRECTORY;
  if (!(command.open_flags() & (v1::OPEN_MAY_CREATE | v1::OPEN_MUST_CREATE))) return v1::NOT_FOUND;
  if (command.contents().size() > kContentBytesMax) return v1::TOO_LARGE;
  for (const std::string& name : {command.acl_read(), command.acl_write(), command.acl_change()}) {
    if (!name.empty() && !IsCellName(name)) return v1::BAD_NAME;
  }
  if (command.permits() > 1'024) return v1::TOO_MANY_PERMITS;
  if (!May(command.session(), parent->second.acl_write)) return v1::PERMISSION_DENIED;
  if (ChildCount(ParentOf(path)) >= limits_.children_max) return v1::TOO_MANY_CHILDREN;
  size_t owned = 0;
  for (const auto& [name, node] : nodes_) owned += node.owner == command.session() ? 1 : 0;
  const bool full = (command.open_flags() & v1::OPEN_SESSION_OWNED) && owned >= limits_.handles_per_session_max;
  if (full) return v1::TOO_MANY_HANDLES;
  const size_t more = path.size() - path.rfind('/') - 1 + command.contents().size();
  return Bytes() + more > limits_.bytes_max ? v1::CELL_FULL : v1::OK;
}

NaiveModel::Node NaiveModel::Made(const v1::Command& command) const {
  Node made;
  const Node& parent = nodes_.at(ParentOf(command.path()));
  made.acl_read = command.acl_read().empty() ? parent.acl_read : command.acl_read();
  made.acl_write = command.acl_write().empty() ? parent.acl_write : command.acl_write();
  made.acl_change = command.acl_change().empty() ? parent.acl_change : command.acl_change();
  made.directory = command.open_flags() & v1::OPEN_DIRECTORY;
  made.ephemeral = command.open_flags() & v1::OPEN_EPHEMERAL;
  made.both = command.open_flags() & v1::OPEN_BOTH;
  if (command.open_flags() & v1::OPEN_SESSION_OWNED) made.owner = command.session();
  made.changed_at = time_;
  made.contents = command.contents();
  made.permits = std::max(1u, command.permits());
  return made;
}

NaiveModel::Node& NaiveModel::Make(const v1::Command& command, uint64_t instance) {
  Node& node = nodes_[command.path()] = Made(command);
  node.instance = instance;
  node.content_changed = instance;
  applied_.effect = true;
  return node;
}

size_t NaiveModel::Bytes() const {
  size_t bytes = 0;
  for (const auto& [name, node] : nodes_) bytes += name.size() - name.rfind('/') - 1 + node.contents.size();
  return bytes;
}

void NaiveModel::Set(const v1::Command& command, Node& node, v1::Outcome& outcome) {
  if (node.directory && !node.both) return outcome.set_code(v1::IS_A_DIRECTORY);
  if (command.contents().size() > kContentBytesMax) return outcome.set_code(v1::TOO_LARGE);
  if (command.compare() && command.generation() != node.content_generation) {
    outcome.set_content_generation(node.content_generation);
    return outcome.set_code(v1::GENERATION_MISMATCH);
  }
  Write(node, command.contents(), outcome);
}

void NaiveModel::Write(Node& node, const std::string& contents, v1::Outcome& outcome) {
  const size_t bytes = Bytes() + contents.size() - node.contents.size();
  if (contents.size() > node.contents.size() && bytes > limits_.bytes_max) return outcome.set_code(v1::CELL_FULL);
  node.contents = contents;
  node.content_changed = position_;
  node.changed_at = time_;
  outcome.set_content_generation(++node.content_generation);
  outcome.set_content_length(node.contents.size());
  outcome.set_checksum(Hash64(node.contents));
  applied_.effect = true;
}

void NaiveModel::Add(const v1::Command& command, Node& node, v1::Outcome& outcome) {
  if (node.directory && !node.both) return outcome.set_code(v1::IS_A_DIRECTORY);
  std::istringstream text(node.contents.empty() ? "0" : node.contents);
  int64_t number = 0;
  const bool good = static_cast<bool>(text >> number) && (node.contents.empty() || std::to_string(number) == node.contents);
  if (!good) return outcome.set_code(v1::NOT_A_NUMBER);
  outcome.set_value(number);
  const __int128 sum = static_cast<__int128>(number) + command.delta();
  if (sum > INT64_MAX || sum < INT64_MIN) return outcome.set_code(v1::OUT_OF_BOUNDS);
  if (command.bounded() && (sum < command.min() || sum > command.max())) return outcome.set_code(v1::OUT_OF_BOUNDS);
  Write(node, std::to_string(static_cast<int64_t>(sum)), outcome);
  if (outcome.code() == v1::OK) outcome.set_value(static_cast<int64_t>(sum));
}

void NaiveModel::SetAcl(const v1::Command& command, Node& node, v1::Outcome& outcome) {
  const bool may = May(command.session(), node.acl_change);
  if (!may || !FindOpen(command.session(), command.handle())->changes_acl) return outcome.set_code(v1::PERMISSION_DENIED);
  for (const std::string& name : {command.acl_read(), command.acl_write(), command.acl_change()}) {
    if (!name.empty() && !IsCellName(name)) return outcome.set_code(v1::BAD_NAME);
  }
  outcome.set_acl_generation(node.acl_generation);
  if (command.compare() && command.generation() != node.acl_generation) return outcome.set_code(v1::GENERATION_MISMATCH);
  if (!command.acl_read().empty()) node.acl_read = command.acl_read();
  if (!command.acl_write().empty()) node.acl_write = command.acl_write();
  if (!command.acl_change().empty()) node.acl_change = command.acl_change();
  outcome.set_acl_generation(++node.acl_generation);
  applied_.effect = true;
}

bool NaiveModel::May(uint64_t session, const std::string& acl) const {
  if (judged_ || acl == "everyone") return true;
  const auto file = nodes_.find("/acl/" + acl);
  if (acl == "nobody" || file == nodes_.end()) return false;
  std::istringstream words(file->second.contents);
  for (std::string word; words >> word;) {
    if (word == principals_.at(session)) return true;
  }
  return false;
}

void NaiveModel::Delete(const v1::Command& command, const std::string& path, v1::Outcome& outcome) {
  if (!May(command.session(), nodes_[path].acl_write)) return outcome.set_code(v1::PERMISSION_DENIED);
  if (path == "/") return outcome.set_code(v1::ROOT_IS_PERMANENT);
  if (ChildCount(path) > 0) return outcome.set_code(v1::NOT_EMPTY);
  Take(path, {command.session(), command.handle()});
  applied_.effect = true;
}

void NaiveModel::Take(const std::string& path, std::pair<uint64_t, uint64_t> by) {
  for (const Hold& hold : nodes_[path].holds) {
    if (std::pair(hold.session, hold.handle) == by) continue;
    StartDelay(path, nodes_[path].permits, nodes_[path].mode, hold, handles_.at({hold.session, hold.handle}).lock_delay);
  }
  for (const Wait& wait : nodes_[path].waits) {
    v1::Outcome fate;
    fate.set_code(v1::STALE_HANDLE);
    fate.set_instance(nodes_[path].instance);
    Tell(wait, fate);
    applied_.decisions.push_back({Decision::kHandleInvalid, SessionId(wait.session), HandleId(wait.handle),
                                  RequestSeq(wait.seq), Position(), 0});
  }
  nodes_.erase(path);
}

// The oldest first. The session has no hold and no wait left.
void NaiveModel::TakeOwned(uint64_t session) {
  std::map<uint64_t, std::string> owned;
  for (const auto& [path, node] : nodes_) {
    if (node.owner == session) owned[node.instance] = path;
  }
  for (const auto& [instance, path] : owned) Take(path, {session, 0});
}

}  // namespace bramah::cell

#include "core/lock/tree.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/check.h"
#include "core/base/hash.h"

namespace bramah::lock {
namespace {

uint64_t HashExtras(uint64_t hash, const NodeExtras& extras) {
  return FoldHash(FoldHash(FoldHash(hash, extras.children_changed.value()), extras.children_made), extras.owner.value());
}

// `lock` and `checksum` are arguments so that the slow digest can pass recomputed ones.
uint64_t HashNode(const Node& node, uint64_t checksum, uint64_t lock) {
  uint64_t hash = FoldHash(Hash64(node.path.view()), node.instance.value());
  hash = FoldHash(hash, node.parent.value());
  hash = FoldHash(hash, (node.directory ? 1u : 0u) | (node.ephemeral ? 2u : 0u) | (node.both ? 4u : 0u));
  hash = FoldHash(hash, node.content_generation);
  hash = FoldHash(FoldHash(hash, node.content_changed.value()), static_cast<uint64_t>(node.changed_at));
  hash = FoldHash(hash, checksum);
  hash = FoldHash(hash, node.contents.size());
  hash = FoldHash(FoldHash(hash, node.acl->digest), node.acl_generation);
  if (node.extras) hash = HashExtras(hash, *node.extras);
  return FoldHash(hash, lock);
}

Blob Joined(std::string_view directory, std::string_view name) {
  const std::string_view between = directory.back() == '/' ? "" : "/";
  return Blob::Make(directory.size() + between.size() + name.size(), [&](char* to) {
    for (const std::string_view part : {directory, between, name}) to = std::copy(part.begin(), part.end(), to);
  });
}

std::string_view NameOf(const Node& node) { return node.path.view().substr(node.path.view().rfind('/') + 1); }

}  // namespace

const NodeExtras& Node::Extras() const {
  static const NodeExtras kNone;
  return extras ? *extras : kNone;
}

NodeExtras& Node::MutableExtras() {
  if (!extras) extras = Box<NodeExtras>(NodeExtras());
  return *extras;
}

void Tree::SetContents(Node& node, std::string_view bytes, Position now, Time at) {
  bytes_ += bytes.size() - node.contents.size();
  node.contents = Blob(bytes);
  node.checksum = Hash64(bytes);
  node.content_changed = now;
  node.changed_at = at;
}

Tree::Tree(Position root) : root_(root) {
  Node made;
  made.instance = root;
  Node& node = *nodes_.Add(std::move(made));
  node.parent = root;
  node.path = Blob("/");
  node.directory = true;
  const std::string everyone(kEveryone);
  node.acl = AclPtr(Acl({everyone, everyone, everyone}));
  SetContents(node, {}, root, 0);
  Refresh(node);
}

const Node* Tree::Resolve(std::string_view path) const {
  const Node* node = Find(root_);
  for (size_t at = 1; at < path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const NodeExtras::Children& children = node->children();
    const auto child = children.find(path.substr(at, end - at));
    if (child == children.end()) return nullptr;
    node = Find(child->second);
    at = end + 1;
  }
  return node;
}

Node& Tree::Create(Position instance, Time at, Position parent, std::string_view name, const NodeKind& kind,
                   std::string_view contents, AclPtr acl) {
  Node& node = Restore(instance, parent, name, kind, contents, std::move(acl));
  node.changed_at = at;
  Refresh(node);
  ++Find(parent)->MutableExtras().children_made;
  TouchChildren(parent, instance);
  return node;
}

Node& Tree::Restore(Position instance, Position parent, std::string_view name, const NodeKind& kind, std::string_view contents,
                    AclPtr acl) {
  Node* above = Find(parent);
  BRAMAH_CHECK(above != nullptr && above->directory);
  Node made;
  made.instance = instance;
  made.path = Joined(above->path.view(), name);
  Node* const added = nodes_.Add(std::move(made));
  const bool fresh = added != nullptr && above->MutableExtras().children.emplace(NameOf(*added), instance).second;
  BRAMAH_CHECK(fresh);
  Node& node = *added;
  node.parent = parent;
  node.directory = kind.directory;
  node.ephemeral = kind.ephemeral;
  node.both = kind.both;
  if (kind.owner) {
    node.MutableExtras().owner = kind.owner;
    owned_[kind.owner].insert(instance);
  }
  node.acl = std::move(acl);
  bytes_ += name.size();
  SetContents(node, contents, instance, 0);
  return node;
}

Node& Tree::TouchChildren(Position parent, Position now) {
  Node& node = *Find(parent);
  NodeExtras& extras = node.MutableExtras();
  extras.children_changed = std::max(extras.children_changed, now);
  Refresh(node);
  return node;
}

void Tree::Remove(Position instance, Position now) {
  const Node* node = Find(instance);
  BRAMAH_CHECK(node != nullptr && instance != root_ && node->children().empty());
  Node& above = TouchChildren(node->parent, now);
  above.MutableExtras().children.erase(NameOf(*node));
  Disown(*node);
  digest_ -= node->digest;
  bytes_ -= node->contents.size() + NameOf(*node).size();
  locked_.erase(instance);
  nodes_.Remove(instance);
}

void Tree::Refresh(Node& node) {
  digest_ -= node.digest;
  node.digest = HashNode(node, node.checksum, node.lock.digest());
  digest_ += node.digest;
  const bool locked = node.lock.mode() != v1::FREE;
  if (locked == node.locked) return;
  node.locked = locked;
  if (locked) {
    locked_.insert(node.instance);
  } else {
    locked_.erase(node.instance);
  }
}

void Tree::Disown(const Node& node) {
  const auto of_owner = owned_.find(node.owner());
  if (of_owner == owned_.end()) return;
  of_owner->second.erase(node.instance);
  if (of_owner->second.empty()) owned_.erase(of_owner);
}

const absl::btree_set<Position>& Tree::OwnedBy(SessionId session) const {
  static const absl::btree_set<Position> kNone;
  const auto of_owner = owned_.find(session);
  return of_owner == owned_.end() ? kNone : of_owner->second;
}

uint64_t Tree::DigestSlow() const {
  uint64_t sum = 0;
  for (const auto& [instance, node] : nodes_) sum += HashNode(*node, Hash64(node->contents.view()), node->lock.DigestSlow());
  return sum;
}

}  // namespace bramah::lock

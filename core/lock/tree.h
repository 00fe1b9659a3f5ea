// Tree: the nodes of a cell - a strict tree of files and directories, each with one name [Chubby §2.3].
//
// A node is known by its instance, the position of the entry that created it: unique for ever, so a handle that is bound to an
// instance can never reach another node of the same name [C-20, A-01].
#ifndef BRAMAH_CORE_LOCK_TREE_H_
#define BRAMAH_CORE_LOCK_TREE_H_

#include <cstdint>
#include <string_view>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "core/base/blob.h"
#include "core/base/box.h"
#include "core/base/id_map.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/lock/acl.h"
#include "core/lock/lock_state.h"

namespace bramah::lock {

// What a node is for as long as it exists.
struct NodeKind {
  bool directory = false;
  bool ephemeral = false;
  bool both = false;  // a directory that has contents as well
  SessionId owner;    // the session at whose end the node goes [D-46]; none: it has no such owner
};

// Of directories that had children, and of nodes with an owner: few nodes need it.
struct NodeExtras {
  // By name, in byte order. The names are ends of the children's paths: not copied, for there are many.
  using Children = absl::btree_map<std::string_view, Position>;
  Children children;
  uint64_t children_made = 0;  // +1 per child, never less [D-45]
  Position children_changed;   // the entry that last made, removed or wrote a child
  SessionId owner;
};

struct Node {
  Position instance;
  Position parent;  // the root's is its own
  Blob path;  // never changes
  uint64_t content_generation = 1;  // +1 per write, also of equal contents [D-45, C-10]
  Position content_changed;         // the entry that last wrote the contents, or made the node
  Time changed_at = 0;              // cluster time of that entry [L6]
  Blob contents;                    // none if !HasContents()
  uint64_t checksum = 0;            // Hash64(contents) [D-52]
  AclPtr acl;                       // never null
  uint64_t acl_generation = 1;      // +1 whenever the names are set [D-45, C-12]
  LockState lock;
  Box<NodeExtras> extras;  // none if all in it would be nothing
  bool directory = false;
  bool ephemeral = false;
  bool both = false;

  // ---- derived, in no snapshot
  bool locked = false;      // it is among Tree::locked(); kept by Tree
  uint32_t references = 0;  // handles bound to this instance
  uint64_t digest = 0;      // what the node adds to the tree's digest; kept by Tree

  bool HasContents() const { return !directory || both; }
  const NodeExtras::Children& children() const { return Extras().children; }
  uint64_t children_made() const { return Extras().children_made; }
  Position children_changed() const { return Extras().children_changed; }
  SessionId owner() const { return Extras().owner; }
  const NodeExtras& Extras() const;
  NodeExtras& MutableExtras();
  // An ephemeral node lives as long as a handle is open on it or, a directory, it has children [Chubby §2.3, D-47].
  bool Abandoned() const { return ephemeral && references == 0 && children().empty(); }
};

inline Position IdOf(const Node& node) { return node.instance; }

class Tree {
 public:
  using Nodes = IdMap<Position, Node>;  // parents before children: a parent is older

  // A tree of the root only, which everyone may read, write and change. Its instance precedes that of any other node.
  explicit Tree(Position root);

  // Null if there is no such instance (any more). Pointers are good until that node is removed.
  const Node* Find(Position instance) const { return nodes_.Find(instance); }
  Node* Find(Position instance) { return nodes_.Find(instance); }
  // Null if no node has this name. REQUIRES: IsCellPath(path).
  const Node* Resolve(std::string_view path) const;
  Position root() const { return root_; }

  // Adds a node of a free name, made by entry `instance` at cluster time `at`. REQUIRES: `parent` is a directory without a child
  // `name`; `instance` is new.
  Node& Create(Position instance, Time at, Position parent, std::string_view name, const NodeKind& kind,
               std::string_view contents, AclPtr acl);
  // For loading a snapshot: the same, but what its directory says of its children stays. The caller goes on to Refresh().
  Node& Restore(Position instance, Position parent, std::string_view name, const NodeKind& kind, std::string_view contents,
                AclPtr acl);
  // Removes a node without children at entry `now`. REQUIRES: it is not the root.
  void Remove(Position instance, Position now);
  // A child of `parent` was written at entry `now`. Returns the parent.
  Node& TouchChildren(Position parent, Position now);
  // By entry `now`, at cluster time `at`.
  void SetContents(Node& node, std::string_view bytes, Position now, Time at);
  // To be called after every change of `node` (not of its children or references): accounts for it in digest and locked().
  void Refresh(Node& node);

  const Nodes& nodes() const { return nodes_; }
  // The nodes whose lock is held.
  const absl::btree_set<Position>& locked() const { return locked_; }
  // The nodes that a session owns.
  const absl::btree_set<Position>& OwnedBy(SessionId session) const;

  // Of the last components of all names, and of all contents.
  uint64_t bytes() const { return bytes_; }

  uint64_t digest() const { return digest_; }
  uint64_t DigestSlow() const;

 private:
  void Disown(const Node& node);

  Position root_;
  uint64_t bytes_ = 0;
  Nodes nodes_;
  absl::btree_set<Position> locked_;
  absl::btree_map<SessionId, absl::btree_set<Position>> owned_;  // no empty sets
  uint64_t digest_ = 0;
};

}  // namespace bramah::lock

#endif  // BRAMAH_CORE_LOCK_TREE_H_

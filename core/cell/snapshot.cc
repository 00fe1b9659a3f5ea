// The encoding of a whole cell, little-endian [A-24, SN-02: everything that Apply reads is in it].
//
//   u32 magic, u32 version, u32 incarnation, u64 position and i64 cluster time of the last entry, u64 low and u64 high half of
//   the secret, name of the cell (empty without a secret), i64 longest lease (0: never set), u32 reserved positions
//   u64 sets of ACL names, in order of their first use, each: read, write, change
//   u64 nodes, each: u64 instance, u64 parent, name, u8 flags, u64 owner, u64 content generation, u64 content changed,
//     i64 changed at, contents, u64 children changed, u64 children made, u32 which ACL names, u64 ACL generation,
//     u32 permits, u8 lock mode, u64 lock generation, u64 holders (session, handle, seq, u32 permit, u64 generation),
//     u64 waiters (since, session, handle, seq, u8 mode)
//   u64 sessions, each: u64 id, nonce (high, low), principal, u8 caches, u64 first outstanding, u64 handles (id, instance,
//     u8 rights, i64 lock-delay, u32 events, u64 check digits),
//     u64 runs of closed handle ids (first, last), u64 results (seq, u32 code, u8 lock mode, u8 flags, eleven numbers,
//     u32 permits, u32 permit, u32 failed, u64 results of parts, which have no seq and no parts)
//   u64 pending lock-delays, each: path, i64 end for exclusive holders, u64 permits (u32 permit, u32 of so many, i64 end)
//
// Strings are a u32 length and bytes. All lists are in rising order of their first field, so a state has exactly one encoding.
#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/api/path.h"
#include "core/base/bytes.h"
#include "core/cell/cell.h"
#include "core/cell/command_check.h"
#include "core/cell/invariants.h"

namespace bramah::cell {
namespace {

constexpr uint32_t kMagic = 0x4c4c4543;  // "CELL"
constexpr uint32_t kVersion = 10;

// Flags of nodes.
constexpr uint8_t kDirectory = 1;
constexpr uint8_t kEphemeral = 2;
constexpr uint8_t kBoth = 4;

// Rights of handles.
constexpr uint8_t kWritable = 1;
constexpr uint8_t kReadable = 2;
constexpr uint8_t kChangesAcl = 4;

// Flags of results.
constexpr uint8_t kCreated = 1;
constexpr uint8_t kResultDirectory = 2;
constexpr uint8_t kResultEphemeral = 4;
constexpr uint8_t kResultBoth = 8;
constexpr uint8_t kGuarded = 16;

void SaveLock(const lock::LockState& lock, ByteWriter& out) {
  out.U32(lock.permits());
  out.U8(static_cast<uint8_t>(lock.mode()));
  out.U64(lock.generation().value());
  out.U64(lock.holders().size());
  for (const auto& [owner, hold] : lock.holders()) {
    out.U64(owner.session.value());
    out.U64(owner.handle.value());
    out.U64(hold.seq.value());
    out.U32(hold.permit);
    out.U64(hold.generation.value());
  }
  out.U64(lock.waiters().size());
  for (const auto& [since, waiter] : lock.waiters()) {
    out.U64(since.value());
    out.U64(waiter.owner.session.value());
    out.U64(waiter.owner.handle.value());
    out.U64(waiter.seq.value());
    out.U8(static_cast<uint8_t>(waiter.mode));
  }
}

void SaveNode(const lock::Node& node, uint32_t acl, ByteWriter& out) {
  out.U64(node.instance.value());
  out.U64(node.parent.value());
  out.Bytes(BaseName(node.path.view()));
  out.U8((node.directory ? kDirectory : 0) | (node.ephemeral ? kEphemeral : 0) | (node.both ? kBoth : 0));
  out.U64(node.owner().value());
  out.U64(node.content_generation);
  out.U64(node.content_changed.value());
  out.U64(static_cast<uint64_t>(node.changed_at));
  out.Bytes(node.contents.view());
  out.U64(node.children_changed().value());
  out.U64(node.children_made());
  out.U32(acl);
  out.U64(node.acl_generation);
  SaveLock(node.lock, out);
}

// Few nodes have names of their own, so each set of names is written once.
struct AclTable {
  std::vector<const lock::AclNames*> names;  // in order of their first use
  std::vector<uint32_t> of_nodes;            // for each node, in order of instances
};

AclTable AclsOf(const lock::Tree& tree) {
  AclTable table;
  std::map<std::tuple<std::string_view, std::string_view, std::string_view>, uint32_t> known;
  for (const auto& [instance, node] : tree.nodes()) {
    const lock::AclNames& names = node->acl->names;
    const auto [at, fresh] = known.emplace(std::tuple(std::string_view(names.read), std::string_view(names.write),
                                                      std::string_view(names.change)),
                                           static_cast<uint32_t>(table.names.size()));
    if (fresh) table.names.push_back(&names);
    table.of_nodes.push_back(at->second);
  }
  return table;
}

void SaveResult(const session::Result& result, ByteWriter& out) {
  out.U32(static_cast<uint32_t>(result.code));
  out.U8(static_cast<uint8_t>(result.lock_mode));
  out.U8((result.created ? kCreated : 0) | (result.directory ? kResultDirectory : 0) |
         (result.ephemeral ? kResultEphemeral : 0) | (result.both ? kResultBoth : 0) | (result.guarded ? kGuarded : 0));
  out.U64(result.handle.value());
  out.U64(result.instance.value());
  out.U64(result.content_generation);
  out.U64(result.content_length);
  out.U64(result.checksum);
  out.U64(result.lock_generation.value());
  out.U64(result.children_changed.value());
  out.U64(result.acl_generation);
  out.U64(static_cast<uint64_t>(result.value));
  out.U64(result.check_digits);
  out.U64(result.owner.value());
  out.U32(result.permits);
  out.U32(result.permit);
  out.U32(result.failed);
  out.U64(result.parts.size());
  for (const session::Result& part : result.parts) SaveResult(part, out);
}

void SaveSession(const session::Session& session, ByteWriter& out) {
  out.U64(session.id().value());
  out.U64(session.nonce().high);
  out.U64(session.nonce().low);
  out.Bytes(session.principal());
  out.U8(session.caches() ? 1 : 0);
  out.U64(session.results.first().value());
  out.U64(session.handles().size());
  for (const auto& [id, handle] : session.handles()) {
    out.U64(id.value());
    out.U64(handle.instance.value());
    out.U8((handle.readable ? kReadable : 0) | (handle.writable ? kWritable : 0) | (handle.changes_acl ? kChangesAcl : 0));
    out.U64(static_cast<uint64_t>(handle.lock_delay));
    out.U32(handle.events);
    out.U64(handle.check_digits);
  }
  out.U64(session.closed().runs().size());
  for (const auto& [first, last] : session.closed().runs()) {
    out.U64(first);
    out.U64(last);
  }
  out.U64(session.results.table().size());
  for (const auto& [seq, result] : session.results.table()) {
    out.U64(seq.value());
    SaveResult(result, out);
  }
}

// ---- loading. A loader returns false as soon as something cannot come from Save; a short read shows up at the next `ok`.

// Reads a count and then calls `load()` that often.
template <class Load>
bool LoadList(ByteReader& in, Load&& load) {
  for (uint64_t left = in.U64(); left > 0; --left) {
    if (!in.ok() || !load()) return false;
  }
  return in.ok();
}

template <class Map>
bool Append(Map& map, typename Map::key_type key, typename Map::mapped_type value) {
  if (!map.empty() && key <= map.rbegin()->first) return false;
  map.emplace_hint(map.end(), key, std::move(value));
  return true;
}

template <class Id>
Id Take(ByteReader& in) {
  return Id(in.U64());
}

bool LoadLock(ByteReader& in, lock::LockState& lock) {
  const uint32_t permits = in.U32();
  const uint8_t mode = in.U8();
  const Position generation = Take<Position>(in);
  lock::LockState::Holders holders;
  lock::LockState::Queue waiters;
  const auto load_holder = [&] {
    const SessionId session = Take<SessionId>(in);
    const HandleId handle = Take<HandleId>(in);
    lock::Hold hold;
    hold.seq = Take<RequestSeq>(in);
    hold.permit = in.U32();
    hold.generation = Take<Position>(in);
    return Append(holders, {session, handle}, hold);
  };
  const auto load_waiter = [&] {
    const Position since = Take<Position>(in);
    lock::Waiter waiter;
    waiter.owner.session = Take<SessionId>(in);
    waiter.owner.handle = Take<HandleId>(in);
    waiter.seq = Take<RequestSeq>(in);
    const uint8_t waiter_mode = in.U8();
    waiter.mode = static_cast<v1::LockMode>(waiter_mode);
    return (waiter_mode == v1::SHARED || waiter_mode == v1::EXCLUSIVE) && Append(waiters, since, waiter);
  };
  if (mode > v1::EXCLUSIVE || permits == 0 || permits > lock::kPermitsMax) return false;
  if (!LoadList(in, load_holder) || !LoadList(in, load_waiter)) return false;
  lock = lock::LockState::Restored(permits, static_cast<v1::LockMode>(mode), generation, std::move(holders), std::move(waiters));
  return true;
}

bool LoadHandles(ByteReader& in, session::Session& session) {
  HandleId previous;
  return LoadList(in, [&] {
    const HandleId id = Take<HandleId>(in);
    const Position instance = Take<Position>(in);
    const uint8_t rights = in.U8();
    const Duration lock_delay = static_cast<Duration>(in.U64());
    const uint32_t events = in.U32();
    const uint64_t check_digits = in.U64();
    if (id <= previous || rights > 7 || lock_delay < 0 || lock_delay > kLockDelayMax || events > kAllEvents) return false;
    previous = id;
    session.Open(id, {instance, (rights & kReadable) != 0, (rights & kWritable) != 0, (rights & kChangesAcl) != 0, lock_delay,
                      events, check_digits, Position()});
    return true;
  });
}

bool LoadResult(ByteReader& in, bool is_part, session::Result& result) {
  const uint32_t code = in.U32();
  const uint8_t mode = in.U8();
  const uint8_t flags = in.U8();
  result.code = static_cast<v1::Code>(code);
  result.lock_mode = static_cast<v1::LockMode>(mode);
  result.created = (flags & kCreated) != 0;
  result.directory = (flags & kResultDirectory) != 0;
  result.ephemeral = (flags & kResultEphemeral) != 0;
  result.both = (flags & kResultBoth) != 0;
  result.guarded = (flags & kGuarded) != 0;
  result.handle = Take<HandleId>(in);
  result.instance = Take<Position>(in);
  result.content_generation = in.U64();
  result.content_length = in.U64();
  result.checksum = in.U64();
  result.lock_generation = Take<Position>(in);
  result.children_changed = Take<Position>(in);
  result.acl_generation = in.U64();
  result.value = static_cast<int64_t>(in.U64());
  result.check_digits = in.U64();
  result.owner = Take<SessionId>(in);
  const uint32_t permits = in.U32();
  const uint32_t permit = in.U32();
  result.permits = static_cast<uint16_t>(permits);
  result.permit = static_cast<uint16_t>(permit);
  result.failed = in.U32();
  if (code > v1::Code_MAX || mode > v1::EXCLUSIVE || flags > 31) return false;
  if (permits > lock::kPermitsMax || permit >= lock::kPermitsMax) return false;
  return LoadList(in, [&] { return !is_part && LoadResult(in, /*is_part=*/true, result.parts.emplace_back()); });
}

bool LoadResults(ByteReader& in, session::Results& results) {
  RequestSeq previous;
  return LoadList(in, [&] {
    const RequestSeq seq = Take<RequestSeq>(in);
    session::Result result;
    if (!LoadResult(in, /*is_part=*/false, result) || seq <= previous || seq < results.first()) return false;
    previous = seq;
    results.Put(seq, result);
    return true;
  });
}

}  // namespace

void Cell::Save(std::string* bytes) const {
  bytes->clear();
  ByteWriter out(bytes);
  out.U32(kMagic);
  out.U32(kVersion);
  out.U32(incarnation_);
  out.U64(last_.value());
  out.U64(static_cast<uint64_t>(time_));
  out.U64(secret_.low);
  out.U64(secret_.high);
  out.Bytes(name_);
  out.U64(static_cast<uint64_t>(lease_max_));
  out.U32(reserved_);
  const AclTable acls = AclsOf(tree_);
  out.U64(acls.names.size());
  for (const lock::AclNames* names : acls.names) {
    out.Bytes(names->read);
    out.Bytes(names->write);
    out.Bytes(names->change);
  }
  out.U64(tree_.nodes().size());
  size_t at = 0;
  for (const auto& [instance, node] : tree_.nodes()) SaveNode(*node, acls.of_nodes[at++], out);
  out.U64(sessions_.size());
  for (const auto& [id, session] : sessions_.sessions()) SaveSession(*session, out);
  out.U64(delays_.table().size());
  for (const auto& [path, delay] : delays_.table()) {
    out.Bytes(path);
    out.U64(static_cast<uint64_t>(delay.exclusive));
    out.U64(delay.lost.size());
    for (const lock::LostPermit& lost : delay.lost) {
      out.U32(lost.permit);
      out.U32(lost.of);
      out.U64(static_cast<uint64_t>(lost.until));
    }
  }
}

bool Cell::Load(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.U32() != kMagic || in.U32() != kVersion) return false;
  incarnation_ = in.U32();
  last_ = Take<Position>(in);
  time_ = static_cast<Time>(in.U64());
  secret_.low = in.U64();
  secret_.high = in.U64();
  name_ = std::string(in.Bytes());
  lease_max_ = static_cast<Duration>(in.U64());
  reserved_ = in.U32();
  if (secret_ ? !IsCellName(name_) : !name_.empty()) return false;
  if (reserved_ > uint32_t{kBatchPartsMax} || incarnation_ > kIncarnationMax || time_ < 0 || time_ > kClusterTimeMax) return false;
  sessions_ = session::SessionTable();
  if (!LoadNodes(in) || last_.value() < tree_.nodes().last().value() + reserved_) return false;  // the latter are free
  return LoadSessions(in) && LoadDelays(in) && in.Finished() && Derive() && !CheckInvariants(View());
}

// The root comes first; its parent is itself.
bool Cell::LoadNodes(ByteReader& in) {
  std::vector<lock::AclPtr> acls;
  const auto load_acl = [&] {
    lock::AclNames names{std::string(in.Bytes()), std::string(in.Bytes()), std::string(in.Bytes())};
    const bool good = IsCellName(names.read) && IsCellName(names.write) && IsCellName(names.change);
    const auto same = [&names](const lock::AclPtr& acl) { return acl->names == names; };
    if (!good || std::any_of(acls.begin(), acls.end(), same)) return false;
    acls.push_back(lock::AclPtr(lock::Acl(std::move(names))));
    return true;
  };
  bool first = true;
  size_t acls_used = 0;
  const auto load_node = [&] { return LoadNode(in, acls, acls_used, std::exchange(first, false)); };
  return LoadList(in, load_acl) && LoadList(in, load_node) && !first && acls_used == acls.size();
}

bool Cell::LoadNode(ByteReader& in, const std::vector<lock::AclPtr>& acls, size_t& acls_used, bool first) {
  const Position instance = Take<Position>(in);
  const Position parent = Take<Position>(in);
  const std::string_view name = in.Bytes();
  const uint8_t flags = in.U8();
  const SessionId owner = Take<SessionId>(in);
  const uint64_t content_generation = in.U64();
  const Position content_changed = Take<Position>(in);
  const Time changed_at = static_cast<Time>(in.U64());
  const std::string_view contents = in.Bytes();
  const Position children_changed = Take<Position>(in);
  const uint64_t children_made = in.U64();
  const uint32_t acl = in.U32();
  const uint64_t acl_generation = in.U64();
  lock::LockState lock;
  if (!LoadLock(in, lock) || flags > (kDirectory | kEphemeral | kBoth) || contents.size() > kContentBytesMax) return false;
  if (acl > acls_used || acl >= acls.size()) return false;  // they stand in order of their first use
  acls_used = std::max<size_t>(acls_used, acl + 1);
  lock::Node* node = nullptr;
  if (first) {
    if (parent != instance || !name.empty() || flags != kDirectory || owner || !contents.empty()) return false;
    tree_ = lock::Tree(instance);
    node = tree_.Find(instance);
  } else {
    const lock::Node* above = tree_.Find(parent);
    if (instance <= tree_.nodes().last() || above == nullptr || !above->directory) return false;
    if (name.find('/') != name.npos || above->children().count(name) > 0) return false;
    const lock::NodeKind kind{(flags & kDirectory) != 0, (flags & kEphemeral) != 0, (flags & kBoth) != 0, owner};
    node = &tree_.Restore(instance, parent, name, kind, contents, acls[acl]);
  }
  if (children_changed || children_made > 0) {
    node->MutableExtras().children_changed = children_changed;
    node->MutableExtras().children_made = children_made;
  }
  node->content_generation = content_generation;
  node->content_changed = content_changed;
  node->changed_at = changed_at;
  node->acl = acls[acl];
  node->acl_generation = acl_generation;
  node->lock = std::move(lock);
  tree_.Refresh(*node);
  return true;
}

bool Cell::LoadSessions(ByteReader& in) {
  return LoadList(in, [&] { return LoadSession(in); });
}

bool Cell::LoadSession(ByteReader& in) {
  const SessionId id = Take<SessionId>(in);
  session::Nonce nonce;
  nonce.high = in.U64();
  nonce.low = in.U64();
  const std::string principal(in.Bytes());
  const uint8_t caches = in.U8();
  const RequestSeq first = Take<RequestSeq>(in);
  const bool in_order = sessions_.size() == 0 || id > sessions_.sessions().last();
  const bool good = in_order && first && principal.size() <= kComponentBytesMax && caches <= 1;
  session::Session* session = good ? sessions_.Create(id, nonce, principal, caches == 1) : nullptr;
  if (session == nullptr) return false;
  session->results.Trim(first);
  const auto load_closed_run = [&] {
    const uint64_t run_first = in.U64();
    return session->mutable_closed().AppendRun(run_first, in.U64());
  };
  if (!LoadHandles(in, *session) || !LoadList(in, load_closed_run) || !LoadResults(in, session->results)) return false;
  sessions_.Refresh(*session);
  return true;
}

bool Cell::LoadDelays(ByteReader& in) {
  delays_ = lock::Delays();
  return LoadList(in, [&] {
    const std::string_view path = in.Bytes();
    lock::Delay delay;
    delay.exclusive = static_cast<Time>(in.U64());
    const auto load_permit = [&] {
      lock::LostPermit lost;
      lost.permit = in.U32();
      lost.of = in.U32();
      lost.until = static_cast<Time>(in.U64());
      delay.lost.push_back(lost);
      return lost.of <= lock::kPermitsMax;
    };
    return LoadList(in, load_permit) && IsCellPath(path) && delays_.Append(path, delay);
  });
}

bool Cell::Derive() {
  subscriptions_.Clear();
  for (const auto& [id, session] : sessions_.sessions()) {
    for (const auto& [handle_id, handle] : session->handles()) {
      lock::Node* node = tree_.Find(handle.instance);
      if (node == nullptr) continue;
      ++node->references;
      subscriptions_.Add(handle.instance, {id, handle_id}, handle.events);
    }
  }
  for (const auto& [instance, node] : tree_.nodes()) {
    for (const auto& [since, waiter] : node->lock.waiters()) {
      session::Session* session = sessions_.Find(waiter.owner.session);
      if (session == nullptr || session->Find(waiter.owner.handle) == nullptr) return false;
      session->SetWaits(waiter.owner.handle, since);
    }
  }
  return true;
}

}  // namespace bramah::cell

// What a checker notes of the calls or handles of each client. Their ids rise, mostly by one: what is looked for is nearly always
// where it would be if no id were missing, and what is new comes last, so this costs two loads where a tree costs ten.
#ifndef BRAMAH_SIM_CHECK_BY_CLIENT_H_
#define BRAMAH_SIM_CHECK_BY_CLIENT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace bramah::sim {

// `Id` is a StrongId. Pointers that are returned are valid until something is put or taken.
template <class Id, class T>
class ByClient {
 public:
  T* Find(uint32_t client, Id id) {
    if (client >= clients_.size()) return nullptr;
    Entries& entries = clients_[client];
    const size_t at = Place(entries, id);
    return at < entries.size() && entries[at].first == id ? &entries[at].second : nullptr;
  }
  const T* Find(uint32_t client, Id id) const { return const_cast<ByClient*>(this)->Find(client, id); }

  // In place of what was there.
  void Put(uint32_t client, Id id, T value) {
    if (client >= clients_.size()) clients_.resize(client + 1);
    Entries& entries = clients_[client];
    const size_t at = Place(entries, id);
    if (at < entries.size() && entries[at].first == id) {
      entries[at].second = std::move(value);
    } else {
      entries.emplace(entries.begin() + static_cast<ptrdiff_t>(at), id, std::move(value));
    }
  }

  // Removes it.
  std::optional<T> Take(uint32_t client, Id id) {
    T* found = Find(client, id);
    if (found == nullptr) return std::nullopt;
    std::optional<T> value = std::move(*found);
    Entries& entries = clients_[client];
    entries.erase(entries.begin() + static_cast<ptrdiff_t>(Place(entries, id)));
    return value;
  }

  // Removes all of a client.
  void Forget(uint32_t client) {
    if (client < clients_.size()) clients_[client].clear();
  }

  // visit(client, id, value), by client and then by id.
  template <class Visit>
  void ForEach(const Visit& visit) const {
    for (uint32_t client = 0; client < clients_.size(); ++client) ForEach(client, visit);
  }
  template <class Visit>
  void ForEach(uint32_t client, const Visit& visit) const {
    if (client >= clients_.size()) return;
    for (const auto& [id, value] : clients_[client]) visit(client, id, value);
  }

 private:
  using Entries = std::vector<std::pair<Id, T>>;  // ids rise

  // The index of the first entry whose id is not lower.
  static size_t Place(const Entries& entries, Id id) {
    if (entries.empty() || entries.back().first < id) return entries.size();
    if (id <= entries.front().first) return 0;
    const size_t limit = std::min<uint64_t>(id - entries.front().first, entries.size() - 1);  // it cannot be further back
    if (entries[limit].first == id) return limit;
    const auto end = entries.begin() + static_cast<ptrdiff_t>(limit);
    const auto it = std::lower_bound(entries.begin(), end, id, [](const auto& entry, Id sought) { return entry.first < sought; });
    return static_cast<size_t>(it - entries.begin());
  }

  std::vector<Entries> clients_;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_BY_CLIENT_H_

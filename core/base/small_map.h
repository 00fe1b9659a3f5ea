// SmallMap: a map of a handful of keys in one piece of memory, in the order of the keys. For what is asked about in every step,
// such as the members of a cell; a tree is better from some dozens of keys on.
//
// Inserting and erasing invalidate pointers, references and iterators.
#ifndef BRAMAH_CORE_BASE_SMALL_MAP_H_
#define BRAMAH_CORE_BASE_SMALL_MAP_H_

#include <cstddef>
#include <utility>
#include <vector>

namespace bramah {

template <class K, class V>
class SmallMap {
 public:
  // Null if there is none.
  V* Find(const K& key) {
    for (auto& entry : entries_) {
      if (entry.first == key) return &entry.second;
    }
    return nullptr;
  }
  const V* Find(const K& key) const { return const_cast<SmallMap*>(this)->Find(key); }
  bool contains(const K& key) const { return Find(key) != nullptr; }
  // Inserts V() if there is none.
  V& operator[](const K& key) {
    if (V* const found = Find(key)) return *found;
    auto at = entries_.begin();
    while (at != entries_.end() && at->first < key) ++at;
    return entries_.insert(at, {key, V()})->second;
  }
  void clear() { entries_.clear(); }
  size_t size() const { return entries_.size(); }
  auto begin() { return entries_.begin(); }
  auto end() { return entries_.end(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

 private:
  std::vector<std::pair<K, V>> entries_;
};

}  // namespace bramah

#endif  // BRAMAH_CORE_BASE_SMALL_MAP_H_

// IdMap: objects by an id of their own, found in about one step and visited in the order of their ids. For tables of very many
// objects whose ids mostly rise as they are added, such as positions in a log.
//
// An object keeps its address as long as it lives; copying the map copies the objects. IdOf(const T&) says an object's id and is
// found where T is declared. The index is a hash table, but nothing ever visits it: a list holds the objects in order.
#ifndef BRAMAH_CORE_BASE_ID_MAP_H_
#define BRAMAH_CORE_BASE_ID_MAP_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace bramah {

// `Id` is a StrongId of 64 bits.
template <class Id, class T>
class IdMap {
  struct Item {
    T object;
    Item* before = nullptr;
    Item* after = nullptr;
  };

 public:
  // Yields (id, const T*).
  class Iterator {
   public:
    explicit Iterator(const Item* item) : item_(item) {}
    std::pair<Id, const T*> operator*() const { return {IdOf(item_->object), &item_->object}; }
    Iterator& operator++() {
      item_ = item_->after;
      return *this;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const Item* item_;
  };

  IdMap() = default;
  IdMap(const IdMap& other) {
    for (const Item* item = other.first_; item != nullptr; item = item->after) Add(item->object);
  }
  IdMap(IdMap&& other) noexcept { Swap(other); }
  IdMap& operator=(IdMap other) noexcept {
    Swap(other);
    return *this;
  }
  ~IdMap() {
    while (first_ != nullptr) delete std::exchange(first_, first_->after);
  }

  // Null if there is none. Pointers are good until that object is removed.
  T* Find(Id id) { return const_cast<T*>(std::as_const(*this).Find(id)); }
  const T* Find(Id id) const {
    const size_t at = SlotOf(id);
    return at == kNowhere ? nullptr : &slots_[at]->object;
  }
  // Null if its id is taken.
  T* Add(T object);
  // REQUIRES: there is such an object.
  void Remove(Id id);

  size_t size() const { return size_; }
  // The highest id. REQUIRES: size() > 0.
  Id last() const { return IdOf(last_->object); }
  Iterator begin() const { return Iterator(first_); }
  Iterator end() const { return Iterator(nullptr); }

 private:
  static constexpr size_t kNowhere = SIZE_MAX;
  static constexpr int kSlotBitsMin = 3;

  // Multiplied by 2^64 over the golden ratio, ids that follow each other come to lie far apart.
  size_t Home(Id id) const { return static_cast<size_t>(id.value() * 0x9e3779b97f4a7c15u >> (64 - slot_bits_)); }
  size_t After(size_t slot) const { return (slot + 1) & (slots_.size() - 1); }
  // How far `to` lies behind `from`; slots form a ring.
  size_t Distance(size_t from, size_t to) const { return (to - from) & (slots_.size() - 1); }
  size_t SlotOf(Id id) const {
    if (size_ == 0) return kNowhere;
    for (size_t at = Home(id); slots_[at] != nullptr; at = After(at)) {
      if (IdOf(slots_[at]->object) == id) return at;
    }
    return kNowhere;
  }
  void Enter(Item* item) {
    size_t at = Home(IdOf(item->object));
    while (slots_[at] != nullptr) at = After(at);
    slots_[at] = item;
  }
  void Grow();
  void Link(Item* item);
  void Swap(IdMap& other) noexcept {
    std::swap(first_, other.first_);
    std::swap(last_, other.last_);
    std::swap(size_, other.size_);
    std::swap(slot_bits_, other.slot_bits_);
    slots_.swap(other.slots_);
  }

  Item* first_ = nullptr;
  Item* last_ = nullptr;
  size_t size_ = 0;
  int slot_bits_ = 0;
  std::vector<Item*> slots_;  // an object stands in its home or, if that is taken, in the next free slot behind it
};

template <class Id, class T>
T* IdMap<Id, T>::Add(T object) {
  if (Find(IdOf(object)) != nullptr) return nullptr;
  if (size_ >= slots_.size() / 4 * 3) Grow();
  Item* const item = new Item{std::move(object)};
  ++size_;
  Enter(item);
  Link(item);
  return &item->object;
}

template <class Id, class T>
void IdMap<Id, T>::Grow() {
  slot_bits_ = slots_.empty() ? kSlotBitsMin : slot_bits_ + 1;
  slots_.assign(size_t{1} << slot_bits_, nullptr);
  for (Item* item = first_; item != nullptr; item = item->after) Enter(item);
}

template <class Id, class T>
void IdMap<Id, T>::Link(Item* item) {
  Item* before = last_;
  while (before != nullptr && IdOf(item->object) < IdOf(before->object)) before = before->before;
  item->before = before;
  item->after = before == nullptr ? first_ : before->after;
  (item->before == nullptr ? first_ : item->before->after) = item;
  (item->after == nullptr ? last_ : item->after->before) = item;
}

template <class Id, class T>
void IdMap<Id, T>::Remove(Id id) {
  size_t hole = SlotOf(id);
  const std::unique_ptr<Item> item(slots_[hole]);
  (item->before == nullptr ? first_ : item->before->after) = item->after;
  (item->after == nullptr ? last_ : item->after->before) = item->before;
  --size_;
  // Whoever could not get at home because of this one, or of one that moves up for it, moves up.
  for (size_t next = After(hole); slots_[next] != nullptr; next = After(next)) {
    if (Distance(Home(IdOf(slots_[next]->object)), next) < Distance(hole, next)) continue;
    slots_[hole] = slots_[next];
    hole = next;
  }
  slots_[hole] = nullptr;
}

}  // namespace bramah

#endif  // BRAMAH_CORE_BASE_ID_MAP_H_

// Box: an object of its own on the heap, or none, owned like a member: copying the box copies the object. For parts that most
// objects of a kind do without.
#ifndef BRAMAH_CORE_BASE_BOX_H_
#define BRAMAH_CORE_BASE_BOX_H_

#include <memory>
#include <utility>

namespace bramah {

template <class T>
class Box {
 public:
  Box() = default;  // holds nothing
  explicit Box(T value) : object_(std::make_unique<T>(std::move(value))) {}
  Box(const Box& other) : object_(other.object_ == nullptr ? nullptr : std::make_unique<T>(*other.object_)) {}
  Box(Box&&) noexcept = default;  // leaves an empty box
  Box& operator=(Box other) noexcept {
    object_ = std::move(other.object_);
    return *this;
  }

  explicit operator bool() const { return object_ != nullptr; }
  // REQUIRES: it holds something.
  T& operator*() { return *object_; }
  const T& operator*() const { return *object_; }
  T* operator->() { return object_.get(); }
  const T* operator->() const { return object_.get(); }

 private:
  std::unique_ptr<T> object_;
};

}  // namespace bramah

#endif  // BRAMAH_CORE_BASE_BOX_H_

// Box: an object of its own on the heap, owned like a member: copying the box copies the object. It keeps the nodes of a tree map
// small, and the address of the object for as long as it lives.
#ifndef BRAMAH_CORE_BASE_BOX_H_
#define BRAMAH_CORE_BASE_BOX_H_

#include <memory>
#include <utility>

namespace bramah {

template <class T>
class Box {
 public:
  explicit Box(T value) : object_(std::make_unique<T>(std::move(value))) {}
  Box(const Box& other) : object_(std::make_unique<T>(*other.object_)) {}
  Box(Box&&) noexcept = default;  // leaves an empty box, fit only to be assigned to or destroyed
  Box& operator=(Box other) noexcept {
    object_ = std::move(other.object_);
    return *this;
  }

  T& operator*() { return *object_; }
  const T& operator*() const { return *object_; }
  T* operator->() { return object_.get(); }
  const T* operator->() const { return object_.get(); }

 private:
  std::unique_ptr<T> object_;
};

}  // namespace bramah

#endif  // BRAMAH_CORE_BASE_BOX_H_

// Shared: an immutable object that many hold together; the last one frees it. The count is not atomic: like a Blob, it belongs to
// the thread that made it.
#ifndef BRAMAH_CORE_BASE_SHARED_H_
#define BRAMAH_CORE_BASE_SHARED_H_

#include <cstdint>
#include <utility>

namespace bramah {

template <class T>
class Shared {
 public:
  // Holds nothing, and is fit only to be assigned to, compared with nothing, or destroyed.
  Shared() = default;
  explicit Shared(T value) : rep_(new Rep{std::move(value), 1}) {}
  Shared(const Shared& other) : rep_(other.rep_) {
    if (rep_ != nullptr) ++rep_->references;
  }
  Shared(Shared&& other) noexcept : rep_(std::exchange(other.rep_, nullptr)) {}
  Shared& operator=(Shared other) noexcept {
    std::swap(rep_, other.rep_);
    return *this;
  }
  ~Shared() {
    if (rep_ != nullptr && --rep_->references == 0) delete rep_;
  }

  explicit operator bool() const { return rep_ != nullptr; }
  const T& operator*() const { return rep_->value; }
  const T* operator->() const { return &rep_->value; }

 private:
  struct Rep {
    const T value;
    uint32_t references;
  };
  Rep* rep_ = nullptr;
};

}  // namespace bramah

#endif  // BRAMAH_CORE_BASE_SHARED_H_

// Blob: an immutable, counted string of bytes. Copying one costs an increment.
//
// The count is not atomic: a Blob belongs to the thread that made it, and all copies stay there. A driver that hands bytes to
// another thread copies the bytes.
#ifndef BRAMAH_CORE_BASE_BLOB_H_
#define BRAMAH_CORE_BASE_BLOB_H_

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

namespace bramah {

class Blob {
 public:
  Blob() = default;
  explicit Blob(std::string_view bytes) {
    if (bytes.empty()) return;
    rep_ = Allocate(bytes.size());
    std::memcpy(rep_->bytes(), bytes.data(), bytes.size());
  }
  // A blob of `size` bytes filled by `fill(char*)`, which must write all of them.
  template <class Fill>
  static Blob Make(size_t size, Fill&& fill) {
    Blob blob;
    if (size == 0) return blob;
    blob.rep_ = Allocate(size);
    fill(blob.rep_->bytes());
    return blob;
  }
  Blob(const Blob& other) : rep_(other.rep_) {
    if (rep_ != nullptr) ++rep_->references;
  }
  Blob(Blob&& other) noexcept : rep_(std::exchange(other.rep_, nullptr)) {}
  Blob& operator=(Blob other) noexcept {
    std::swap(rep_, other.rep_);
    return *this;
  }
  ~Blob() {
    if (rep_ != nullptr && --rep_->references == 0) std::free(rep_);
  }

  std::string_view view() const { return rep_ == nullptr ? std::string_view() : std::string_view(rep_->bytes(), rep_->size); }
  size_t size() const { return rep_ == nullptr ? 0 : rep_->size; }
  bool empty() const { return rep_ == nullptr; }
  friend bool operator==(const Blob& a, const Blob& b) { return a.rep_ == b.rep_ || a.view() == b.view(); }

 private:
  struct Rep {
    size_t size;
    uint32_t references;
    char* bytes() { return reinterpret_cast<char*>(this + 1); }
  };
  static Rep* Allocate(size_t size) {
    void* memory = std::malloc(sizeof(Rep) + size);
    if (memory == nullptr) throw std::bad_alloc();
    return new (memory) Rep{size, 1};
  }
  Rep* rep_ = nullptr;
};

}  // namespace bramah

#endif  // BRAMAH_CORE_BASE_BLOB_H_

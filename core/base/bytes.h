// Bounded little-endian reading and writing of the fixed binary formats (log, snapshots, state). A reader never reads past its
// end: after the first short read it stays failed and returns zeros, so a caller checks `ok()` once.
#ifndef BRAMAH_CORE_BASE_BYTES_H_
#define BRAMAH_CORE_BASE_BYTES_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace bramah {

// The formats are little-endian, as is every machine that this is built for.
static_assert(std::endian::native == std::endian::little);

// Stores `value` little-endian at `to`, which must have room.
template <class T>
void StoreLittle(char* to, T value) {
  std::memcpy(to, &value, sizeof(T));
}

template <class T>
T LoadLittle(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

// Appends to a string that the caller owns.
class ByteWriter {
 public:
  explicit ByteWriter(std::string* out) : out_(out) {}
  void U8(uint8_t v) { out_->push_back(static_cast<char>(v)); }
  void U16(uint16_t v) { Put(v); }
  void U32(uint32_t v) { Put(v); }
  void U64(uint64_t v) { Put(v); }
  void I64(int64_t v) { Put(static_cast<uint64_t>(v)); }
  void Raw(std::string_view bytes) { out_->append(bytes); }
  // A 32-bit length, then the bytes.
  void Bytes(std::string_view bytes) {
    U32(static_cast<uint32_t>(bytes.size()));
    Raw(bytes);
  }

 private:
  template <class T>
  void Put(T v) {
    char buffer[sizeof(T)];
    StoreLittle(buffer, v);
    out_->append(buffer, sizeof(T));
  }
  std::string* out_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}
  uint8_t U8() { return Get<uint8_t>(); }
  uint16_t U16() { return Get<uint16_t>(); }
  uint32_t U32() { return Get<uint32_t>(); }
  uint64_t U64() { return Get<uint64_t>(); }
  int64_t I64() { return static_cast<int64_t>(Get<uint64_t>()); }
  std::string_view Raw(size_t size) {
    if (!ok_ || size > rest_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view result = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return result;
  }
  std::string_view Bytes() {
    const uint32_t size = U32();
    return Raw(size);
  }
  bool ok() const { return ok_; }
  std::string_view rest() const { return rest_; }
  // True if everything was read and nothing was missing.
  bool Finished() const { return ok_ && rest_.empty(); }

 private:
  template <class T>
  T Get() {
    const std::string_view bytes = Raw(sizeof(T));
    return ok_ ? LoadLittle<T>(bytes.data()) : T{};
  }
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace bramah

#endif  // BRAMAH_CORE_BASE_BYTES_H_

#include "core/base/hash.h"

#include <nmmintrin.h>

#include <array>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace bramah {
namespace {

constexpr std::array<uint32_t, 256> MakeTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82f63b78u : 0u);
    table[byte] = crc;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kTable = MakeTable();

uint32_t ByTable(const char* data, size_t size, uint32_t crc) {
  for (size_t i = 0; i < size; ++i) crc = kTable[(crc ^ static_cast<uint8_t>(data[i])) & 0xff] ^ (crc >> 8);
  return crc;
}

// The instruction computes the same function as the table, about thirty times faster.
__attribute__((target("sse4.2"))) uint32_t ByInstruction(const char* data, size_t size, uint32_t crc) {
  uint64_t wide = crc;
  for (; size >= 8; data += 8, size -= 8) {
    uint64_t word;
    std::memcpy(&word, data, 8);
    wide = _mm_crc32_u64(wide, word);
  }
  crc = static_cast<uint32_t>(wide);
  for (; size > 0; ++data, --size) crc = _mm_crc32_u8(crc, static_cast<uint8_t>(*data));
  return crc;
}

}  // namespace

uint32_t Crc32c(std::string_view bytes, uint32_t seed) {
  const uint32_t start = ~seed;
  return ~(__builtin_cpu_supports("sse4.2") ? ByInstruction(bytes.data(), bytes.size(), start)
                                            : ByTable(bytes.data(), bytes.size(), start));
}

uint64_t Hash64(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace bramah

#include "core/base/mac.h"

#include <bit>
#include <cstddef>

namespace bramah {
namespace {

struct Lanes {
  uint64_t a, b, c, d;

  void Round() {
    a += b;
    c += d;
    b = std::rotl(b, 13) ^ a;
    d = std::rotl(d, 16) ^ c;
    a = std::rotl(a, 32);
    c += b;
    a += d;
    b = std::rotl(b, 17) ^ c;
    d = std::rotl(d, 21) ^ a;
    c = std::rotl(c, 32);
  }
  void Absorb(uint64_t word) {
    d ^= word;
    Round();
    Round();
    a ^= word;
  }
};

// Up to eight bytes, little-endian.
uint64_t Word(std::string_view bytes) {
  uint64_t word = 0;
  for (size_t i = 0; i < bytes.size() && i < 8; ++i) word |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  return word;
}

}  // namespace

uint64_t Mac(const MacKey& key, std::string_view bytes) {
  Lanes lanes{key.low ^ 0x736f6d6570736575u, key.high ^ 0x646f72616e646f6du, key.low ^ 0x6c7967656e657261u,
              key.high ^ 0x7465646279746573u};
  const uint64_t length = bytes.size();
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) lanes.Absorb(Word(bytes));
  lanes.Absorb(Word(bytes) | length << 56);
  lanes.c ^= 0xff;
  for (int i = 0; i < 4; ++i) lanes.Round();
  return lanes.a ^ lanes.b ^ lanes.c ^ lanes.d;
}

}  // namespace bramah

// SipHash-2-4, the keyed hash behind check digits: who does not know the key can neither make them nor learn anything about the
// key from those it has seen. A published function with published test vectors, because what it computes is given away and comes
// back much later.
#ifndef BRAMAH_CORE_BASE_MAC_H_
#define BRAMAH_CORE_BASE_MAC_H_

#include <cstdint>
#include <string_view>

namespace bramah {

// 128 secret bits; all zero stands for none.
struct MacKey {
  uint64_t low = 0;   // the first eight bytes of the published form, little-endian
  uint64_t high = 0;
  explicit operator bool() const { return low != 0 || high != 0; }
  friend bool operator==(const MacKey&, const MacKey&) = default;
};

// SipHash-2-4 of `bytes`, of any length, under `key`.
uint64_t Mac(const MacKey& key, std::string_view bytes);

}  // namespace bramah

#endif  // BRAMAH_CORE_BASE_MAC_H_

// The published hash functions that are part of formats: CRC32C for records and frames, XXH3-64 for content checksums, state
// digests and trace hashes. Never a library hash that may change between runs or releases [D-52].
#ifndef BRAMAH_CORE_BASE_HASH_H_
#define BRAMAH_CORE_BASE_HASH_H_

#include <cstdint>
#include <string_view>

namespace bramah {

// CRC32C (Castagnoli) of `bytes`, continuing from `seed`: Crc32c(b, Crc32c(a)) == Crc32c(a + b). The seed of a whole is 0.
uint32_t Crc32c(std::string_view bytes, uint32_t seed = 0);

// XXH3-64 with seed 0.
uint64_t Hash64(std::string_view bytes);

// Folds one word into a running hash; the order of folding matters.
constexpr uint64_t FoldHash(uint64_t hash, uint64_t word) {
  const unsigned __int128 product =
      static_cast<unsigned __int128>(hash ^ 0x9e3779b97f4a7c15u) * (word ^ 0xd6e8feb86659fd93u);
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64) ^ (hash << 1 | hash >> 63);
}

}  // namespace bramah

#endif  // BRAMAH_CORE_BASE_HASH_H_

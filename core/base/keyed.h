// Keyed randomness: a draw is a pure function of (seed, stream, entity, ordinal). There is no generator whose state could shift,
// so leaving one decision out changes no other. Integers only, identical on every compiler.
#ifndef BRAMAH_CORE_BASE_KEYED_H_
#define BRAMAH_CORE_BASE_KEYED_H_

#include <cstdint>

namespace bramah {

// A bijective scrambler of 64 bits (the finaliser of SplitMix64).
constexpr uint64_t Scramble(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// The draw with this key; all 2^64 values are equally likely.
[[nodiscard]] constexpr uint64_t Draw(uint64_t seed, uint64_t stream, uint64_t entity, uint64_t ordinal) {
  uint64_t h = Scramble(seed ^ 0x6272616d6168u);
  h = Scramble(h ^ stream);
  h = Scramble(h ^ entity);
  return Scramble(h ^ ordinal);
}

// Maps a draw to [0, bound). REQUIRES: bound > 0. The bias is below bound / 2^64.
[[nodiscard]] constexpr uint64_t Below(uint64_t draw, uint64_t bound) {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(draw) * bound) >> 64);
}

// Maps a draw to [low, high]. REQUIRES: low <= high.
[[nodiscard]] constexpr int64_t Between(uint64_t draw, int64_t low, int64_t high) {
  return low + static_cast<int64_t>(Below(draw, static_cast<uint64_t>(high - low) + 1));
}

// True with probability ppm / 1,000,000.
[[nodiscard]] constexpr bool Chance(uint64_t draw, uint64_t ppm) { return Below(draw, 1'000'000) < ppm; }

}  // namespace bramah

#endif  // BRAMAH_CORE_BASE_KEYED_H_

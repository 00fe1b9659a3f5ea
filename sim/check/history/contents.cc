#include "sim/check/history/contents.h"

#include <string>

#include "absl/strings/numbers.h"
#include "core/base/hash.h"

namespace bramah::sim {
namespace {

bool MayHash(int64_t number, uint64_t hash) {
  return hash == Hash64(std::to_string(number)) || (number == 0 && hash == Hash64(""));
}

}  // namespace

bool Contents::Fits(const Contents& other) const {
  if (hash && other.hash && *hash != *other.hash) return false;
  if (legible && other.legible) return number == other.number;
  if (legible && number && other.hash) return MayHash(*number, *other.hash);
  if (other.legible && other.number && hash) return MayHash(*other.number, *hash);
  return true;
}

void Contents::Learn(const Contents& other) {
  if (!hash) hash = other.hash;
  if (legible) return;
  legible = other.legible;
  number = other.number;
}

std::optional<int64_t> ReadNumber(std::string_view text) {
  if (text.empty()) return 0;
  int64_t number = 0;
  const std::string copy(text);
  if (!absl::SimpleAtoi(copy, &number) || std::to_string(number) != copy) return std::nullopt;
  return number;
}

Contents ContentsOf(std::string_view text) { return {Hash64(text), true, ReadNumber(text)}; }

Contents ContentsOf(int64_t number) { return {std::nullopt, true, number}; }

std::optional<int64_t> Addend::To(int64_t number) const {
  int64_t sum = 0;
  if (__builtin_add_overflow(number, delta, &sum) || sum < min || sum > max) return std::nullopt;
  return sum;
}

std::optional<int64_t> Addend::Before(int64_t sum) const {
  int64_t number = 0;
  if (__builtin_sub_overflow(sum, delta, &number) || sum < min || sum > max) return std::nullopt;
  return number;
}

}  // namespace bramah::sim

// What answers tell about the contents of a file: a checksum, a number, that they are none; and what an Add makes of that.
#ifndef BRAMAH_SIM_CHECK_HISTORY_CONTENTS_H_
#define BRAMAH_SIM_CHECK_HISTORY_CONTENTS_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace bramah::sim {

// What is known of the contents of one state; nothing at first.
struct Contents {
  std::optional<uint64_t> hash;    // XXH3-64
  bool legible = false;            // `number` says all: they are that number, or none at all
  std::optional<int64_t> number = std::nullopt;

  // Whether both can be about the same contents.
  bool Fits(const Contents& other) const;
  // Takes over what `other` knows. REQUIRES: they fit.
  void Learn(const Contents& other);
};

// Nothing is a 0, and else a number is as std::to_string writes it.
std::optional<int64_t> ReadNumber(std::string_view text);
// Whoever has read these bytes.
Contents ContentsOf(std::string_view text);
// Whoever has been told the number: a 0 may be empty.
Contents ContentsOf(int64_t number);

// What an ADD asks for.
struct Addend {
  int64_t delta = 0;
  int64_t min = INT64_MIN;
  int64_t max = INT64_MAX;

  // Nothing if that has to be refused.
  std::optional<int64_t> To(int64_t number) const;
  // The number from which `sum` came; nothing if it cannot have come about so.
  std::optional<int64_t> Before(int64_t sum) const;
  bool operator==(const Addend&) const = default;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_HISTORY_CONTENTS_H_

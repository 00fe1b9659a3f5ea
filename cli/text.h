// Words of the command line: durations, seeds, lists, numbers. Pure.
#ifndef BRAMAH_CLI_TEXT_H_
#define BRAMAH_CLI_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/time.h"

namespace bramah::cli {

// "250ms", "5s", "1m30s", "1.5s" is refused: an integer and one of ns us ms s m h, once or more. Positive, at most 30 days.
std::optional<Duration> ParseDuration(std::string_view text);
// The shortest of those forms that is exact: "1m30s", "250ms"; "0s" for zero.
std::string FormatDuration(Duration duration);

// What is wrong with `text` as a decimal integer of 64 bits, negative only if `may_be_negative`; empty: nothing.
std::string ProblemOfInteger(const std::string& text, bool may_be_negative);

// Decimal or 0x hexadecimal.
std::optional<uint64_t> ParseNumber(std::string_view text);
// "A..B", half-open; nothing unless A < B.
std::optional<std::pair<uint64_t, uint64_t>> ParseSeedRange(std::string_view text);

std::vector<std::string> SplitList(std::string_view text, char separator);
// 16 hexadecimal digits.
std::string Hex16(uint64_t value);
bool IsUtf8(std::string_view bytes);
std::string Base64(std::string_view bytes);
// Control characters as \n, \t or \x1b: a name is one line, and no command to a terminal.
std::string Escaped(std::string_view text);
// Line breaks and other control characters become spaces: an error is one line, whatever a file name contains.
std::string OneLine(std::string_view text);

}  // namespace bramah::cli

#endif  // BRAMAH_CLI_TEXT_H_

#include "cli/text.h"

#include <array>
#include <charconv>
#include <cstdio>

namespace bramah::cli {
namespace {

struct Unit {
  std::string_view name;
  Duration length;
};
// Largest first; "ms" before "m" and "s" when reading.
constexpr std::array<Unit, 6> kUnits = {
    {{"h", 3600 * kSecond}, {"m", 60 * kSecond}, {"s", kSecond}, {"ms", kMillisecond}, {"us", kMicrosecond}, {"ns", 1}}};
constexpr Duration kLongest = 30 * 24 * 3600 * kSecond;

std::string_view TakeWhile(std::string_view& text, bool (*test)(char)) {
  size_t size = 0;
  while (size < text.size() && test(text[size])) ++size;
  const std::string_view taken = text.substr(0, size);
  text.remove_prefix(size);
  return taken;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return c >= 'a' && c <= 'z'; }

}  // namespace

std::optional<Duration> ParseDuration(std::string_view text) {
  Duration total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const std::string_view digits = TakeWhile(text, IsDigit);
    const std::string_view name = TakeWhile(text, IsLetter);
    Duration unit = 0;
    for (const Unit& known : kUnits) {
      if (known.name == name) unit = known.length;
    }
    int64_t count = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    if (unit == 0 || digits.empty() || error != std::errc() || count > (kLongest - total) / unit) return std::nullopt;
    total += count * unit;
  }
  return total > 0 ? std::optional(total) : std::nullopt;
}

std::string FormatDuration(Duration duration) {
  if (duration == 0) return "0s";
  std::string text = duration < 0 ? "-" : "";
  Duration rest = duration < 0 ? -duration : duration;
  for (const Unit& unit : kUnits) {
    const Duration count = rest / unit.length;
    if (count > 0) text += std::to_string(count) + std::string(unit.name);
    rest %= unit.length;
  }
  return text;
}

std::string ProblemOfInteger(const std::string& text, bool may_be_negative) {
  int64_t value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error == std::errc::result_out_of_range) return "'" + text + "' does not fit into 64 bits";
  if (error != std::errc() || end != last) return "'" + text + "' is no decimal integer";
  if (value < 0 && !may_be_negative) return "'" + text + "' is less than 0";
  const size_t digits = text[0] == '-' ? 1 : 0;
  if (text[digits] == '0' && text.size() > digits + 1) return "'" + text + "' begins with a zero, which others take for octal";
  return "";
}

std::optional<uint64_t> ParseNumber(std::string_view text) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::pair<uint64_t, uint64_t>> ParseSeedRange(std::string_view text) {
  const size_t dots = text.find("..");
  if (dots == std::string_view::npos) return std::nullopt;
  const std::optional<uint64_t> first = ParseNumber(text.substr(0, dots));
  const std::optional<uint64_t> last = ParseNumber(text.substr(dots + 2));
  if (!first.has_value() || !last.has_value() || *first >= *last) return std::nullopt;
  return std::make_pair(*first, *last);
}

std::vector<std::string> SplitList(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string Hex16(uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(value));
  return text;
}

bool IsUtf8(std::string_view bytes) {
  for (size_t i = 0; i < bytes.size();) {
    const uint8_t lead = static_cast<uint8_t>(bytes[i]);
    const size_t length = lead < 0x80                   ? 1
                          : lead >= 0xc2 && lead < 0xe0 ? 2
                          : lead >= 0xe0 && lead < 0xf0 ? 3
                          : lead >= 0xf0 && lead < 0xf5 ? 4
                                                        : 0;
    if (length == 0 || i + length > bytes.size()) return false;
    uint32_t point = length == 1 ? lead : lead & (0x7f >> length);
    for (size_t k = 1; k < length; ++k) {
      const uint8_t next = static_cast<uint8_t>(bytes[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      point = point << 6 | (next & 0x3f);
    }
    constexpr std::array<uint32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
    if (point < kSmallest[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return false;
    i += length;
  }
  return true;
}

std::string Base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t left = bytes.size() - i;
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) group = group << 8 | (k < left ? static_cast<uint8_t>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) text += k <= left ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const unsigned byte = static_cast<unsigned char>(c);
    char code[5];
    std::snprintf(code, sizeof(code), "\\x%02x", byte);
    const bool control = byte < 0x20 || byte == 0x7f;
    if (c == '\n' || c == '\t') {
      out += c == '\n' ? "\\n" : "\\t";
    } else if (control) {
      out += code;
    } else {
      out += c;
    }
  }
  return out;
}

std::string OneLine(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

}  // namespace bramah::cli

#include "core/api/sequencer.h"

#include <cstdint>
#include <utility>

#include "core/base/bytes.h"

namespace bramah {
namespace {

constexpr std::string_view kVersion = "s1:";
constexpr std::string_view kDigits = "0123456789abcdef";
constexpr size_t kNumber = 16;
constexpr size_t kPermitDigitsMax = 7;

void AppendNumber(uint64_t number, std::string& text) {
  for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[number >> shift & 15];
  text += ':';
}

// Takes sixteen digits and the colon behind them off the front.
std::optional<uint64_t> TakeNumber(std::string_view& text) {
  if (text.size() <= kNumber || text[kNumber] != ':') return std::nullopt;
  uint64_t number = 0;
  for (const char c : text.substr(0, kNumber)) {
    const size_t digit = kDigits.find(c);
    if (digit == kDigits.npos) return std::nullopt;
    number = number << 4 | digit;
  }
  text.remove_prefix(kNumber + 1);
  return number;
}

// Nothing for permit 0.
void AppendPermit(uint32_t permit, std::string& text) {
  bool begun = false;
  for (int shift = 28; shift >= 0; shift -= 4) {
    const uint32_t digit = permit >> shift & 15;
    begun = begun || digit != 0;
    if (begun) text += kDigits[digit];
  }
  text += ':';
}

bool IsPlain(char c) { return c > ' ' && c <= '~' && c != '%'; }

void AppendEscaped(std::string_view bytes, std::string& text) {
  for (const char c : bytes) {
    if (IsPlain(c)) {
      text += c;
      continue;
    }
    const uint8_t byte = static_cast<uint8_t>(c);
    text += '%';
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
}

// Nothing if that is not how AppendEscaped writes it.
std::optional<std::string> Unescape(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      bytes += text[i];
      continue;
    }
    const size_t high = i + 2 < text.size() ? kDigits.find(text[i + 1]) : kDigits.npos;
    const size_t low = i + 2 < text.size() ? kDigits.find(text[i + 2]) : kDigits.npos;
    if (high == kDigits.npos || low == kDigits.npos) return std::nullopt;
    bytes += static_cast<char>(high << 4 | low);
    i += 2;
  }
  std::string again;
  AppendEscaped(bytes, again);
  if (again != text) return std::nullopt;
  return bytes;
}

struct Parsed {
  Sequencer sequencer;
  uint64_t check = 0;
};

// Takes mode, permit and the colon behind them off the front.
bool TakeMode(std::string_view& text, Sequencer& sequencer) {
  const size_t end = text.find(':');
  if (end == text.npos || end == 0 || end > 1 + kPermitDigitsMax) return false;
  sequencer.mode = text[0] == 'x' ? v1::EXCLUSIVE : text[0] == 's' ? v1::SHARED : v1::FREE;
  for (const char c : text.substr(1, end - 1)) {
    const size_t digit = kDigits.find(c);
    if (digit == kDigits.npos || (digit == 0 && sequencer.permit == 0)) return false;
    sequencer.permit = sequencer.permit << 4 | static_cast<uint32_t>(digit);
  }
  text.remove_prefix(end + 1);
  return sequencer.mode == v1::EXCLUSIVE || (sequencer.mode == v1::SHARED && sequencer.permit == 0);
}

std::optional<Parsed> Parse(std::string_view text) {
  if (text.size() > kSequencerBytesMax || text.substr(0, kVersion.size()) != kVersion) return std::nullopt;
  text.remove_prefix(kVersion.size());
  Parsed parsed;
  if (!TakeMode(text, parsed.sequencer)) return std::nullopt;
  const auto instance = TakeNumber(text);
  const auto generation = instance ? TakeNumber(text) : std::nullopt;
  const auto check = generation ? TakeNumber(text) : std::nullopt;
  const auto name = check ? Unescape(text) : std::nullopt;
  const auto target = name ? ParseGlobalName(*name) : std::nullopt;
  if (!target || FormatGlobalName(target->cell, target->path) != *name) return std::nullopt;
  parsed.sequencer.instance = Position(*instance);
  parsed.sequencer.generation = Position(*generation);
  parsed.sequencer.cell = target->cell;
  parsed.sequencer.path = target->path;
  parsed.check = *check;
  return parsed;
}

uint64_t CheckDigits(const Sequencer& sequencer, const MacKey& key) {
  std::string bytes;
  ByteWriter out(&bytes);
  out.Bytes("sequencer");  // what else is ever made with the key says what it is, too
  out.U8(static_cast<uint8_t>(sequencer.mode));
  out.U64(sequencer.instance.value());
  out.U64(sequencer.generation.value());
  out.U32(sequencer.permit);
  out.Bytes(sequencer.cell);
  out.Bytes(sequencer.path);
  return Mac(key, bytes);
}

}  // namespace

std::string FormatSequencer(const Sequencer& sequencer, const MacKey& key) {
  std::string text(kVersion);
  text += sequencer.mode == v1::SHARED ? 's' : 'x';
  AppendPermit(sequencer.permit, text);
  AppendNumber(sequencer.instance.value(), text);
  AppendNumber(sequencer.generation.value(), text);
  AppendNumber(CheckDigits(sequencer, key), text);
  AppendEscaped(FormatGlobalName(sequencer.cell, sequencer.path), text);
  return text;
}

std::optional<Sequencer> ParseSequencer(std::string_view text) {
  std::optional<Parsed> parsed = Parse(text);
  if (!parsed) return std::nullopt;
  return std::move(parsed->sequencer);
}

std::optional<Sequencer> VerifySequencer(std::string_view text, const MacKey& key) {
  std::optional<Parsed> parsed = key ? Parse(text) : std::nullopt;
  if (!parsed || CheckDigits(parsed->sequencer, key) != parsed->check) return std::nullopt;
  return std::move(parsed->sequencer);
}

}  // namespace bramah

#include "core/api/path.h"

namespace bramah {
namespace {

// Length of the UTF-8 sequence at the start of `text`, 0 if it is not well-formed (overlong forms and surrogates included).
size_t Utf8Length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return continues(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    if (!continues(1) || !continues(2)) return 0;
    const bool overlong = lead == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = lead == 0xed && byte(1) >= 0xa0;
    return overlong || surrogate ? 0 : 3;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    const bool overlong = lead == 0xf0 && byte(1) < 0x90;
    const bool beyond = lead == 0xf4 && byte(1) >= 0x90;
    return overlong || beyond ? 0 : 4;
  }
  return 0;
}

bool IsComponent(std::string_view text) {
  if (text.empty() || text.size() > kComponentBytesMax || text == "." || text == "..") return false;
  while (!text.empty()) {
    if (text[0] == '/' || text[0] == '\0') return false;
    const size_t length = Utf8Length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

// Of a global name; neither is judged.
struct Halves {
  std::string_view cell;
  std::string_view path;
};

std::optional<Halves> Split(std::string_view name) {
  constexpr std::string_view kPrefix = "/ls/";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  const size_t end = name.find('/');
  return Halves{name.substr(0, end), end == std::string_view::npos ? std::string_view("/") : name.substr(end)};
}

}  // namespace

bool IsCellPath(std::string_view path) { return FaultOfPath(path) == v1::OK; }

v1::Code FaultOfPath(std::string_view path) {
  if (path == "/") return v1::OK;
  if (path.empty() || path.size() > kPathBytesMax) return v1::BAD_NAME;
  size_t depth = 0;
  for (; !path.empty(); ++depth) {
    if (path[0] != '/') return v1::BAD_NAME;
    path.remove_prefix(1);
    const size_t end = path.find('/');
    if (!IsComponent(path.substr(0, end))) return v1::BAD_NAME;
    path = end == std::string_view::npos ? std::string_view() : path.substr(end);
  }
  return depth > kPathDepthMax ? v1::TOO_DEEP : v1::OK;
}

bool IsBelow(std::string_view path, std::string_view directory) {
  if (directory == "/") return path != "/";
  return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

std::string PathBelow(std::string_view directory, std::string_view name) {
  std::string path(directory == "/" ? std::string_view() : directory);
  return path.append("/").append(name);
}

std::string_view ParentPath(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

std::string_view BaseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool IsCellName(std::string_view name) { return IsComponent(name); }

v1::Code FaultOfGlobalName(std::string_view name) {
  const std::optional<Halves> halves = Split(name);
  if (!halves.has_value() || !IsCellName(halves->cell)) return v1::BAD_NAME;
  return FaultOfPath(halves->path);
}

std::optional<GlobalName> ParseGlobalName(std::string_view name) {
  if (FaultOfGlobalName(name) != v1::OK) return std::nullopt;
  const Halves halves = *Split(name);
  return GlobalName{std::string(halves.cell), std::string(halves.path)};
}

std::string FormatGlobalName(std::string_view cell, std::string_view path) {
  std::string name = "/ls/" + std::string(cell);
  if (path != "/") name += path;
  return name;
}

}  // namespace bramah

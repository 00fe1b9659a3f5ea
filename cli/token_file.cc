#include "cli/token_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace bramah::cli {
namespace {

using net_real::Failure;

constexpr char kTokenStart[] = "bramah session ";
constexpr size_t kTokenBytesMax = 128;  // more than any token has

// 16 lower-case hex digits, exactly.
std::optional<uint64_t> ParseHex16(const std::string& text) {
  if (text.size() != 16) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f')) return std::nullopt;
    value = value << 4 | static_cast<uint64_t>(digit ? c - '0' : c - 'a' + 10);
  }
  return value;
}

}  // namespace

std::string FormatToken(const SessionToken& token) {
  char text[kTokenBytesMax];
  std::snprintf(text, sizeof(text), "%s%016llx %016llx%016llx\n", kTokenStart, static_cast<unsigned long long>(token.session),
                static_cast<unsigned long long>(token.nonce_high), static_cast<unsigned long long>(token.nonce_low));
  return text;
}

std::optional<SessionToken> ParseToken(const std::string& text) {
  const size_t start = std::strlen(kTokenStart);
  if (text.size() != start + 16 + 1 + 32 + 1) return std::nullopt;
  const auto session = ParseHex16(text.substr(start, 16));
  const auto high = ParseHex16(text.substr(start + 17, 16));
  const auto low = ParseHex16(text.substr(start + 33, 16));
  if (!session.has_value() || !high.has_value() || !low.has_value() || *session == 0) return std::nullopt;
  const SessionToken token{*session, *high, *low};
  return FormatToken(token) == text ? std::optional(token) : std::nullopt;
}

TokenFile::~TokenFile() {
  if (fd_ >= 0) close(fd_);
}

std::optional<Failure> TokenFile::Unusable(const std::string& what, int error) const {
  return Failure{net_real::kExitIo, "io", "cannot " + what + " the token file " + path_ + ": " + std::strerror(error),
                 "name a file on a local disk that may be written"};
}

std::optional<Failure> TokenFile::Open(const std::string& path) {
  path_ = path;
  fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
  if (fd_ < 0) return Unusable("open", errno);
  struct stat status;
  if (fstat(fd_, &status) != 0) return Unusable("look at", errno);
  if (!S_ISREG(status.st_mode)) return Unusable("use as", EINVAL);
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Unusable("lock", errno);
    return Failure{net_real::kExitConflict, "token_in_use", "a command that still runs uses the token file " + path,
                   "wait until it has ended, or name another file"};
  }
  std::string text(kTokenBytesMax, '\0');
  const ssize_t bytes = pread(fd_, text.data(), text.size(), 0);
  if (bytes < 0) return Unusable("read", errno);
  text.resize(static_cast<size_t>(bytes));
  if (text.empty()) return std::nullopt;
  former_ = ParseToken(text);
  if (former_.has_value()) return std::nullopt;
  return Failure{net_real::kExitBadData, "bad_token", path + " does not hold the token of a session",
                 "name another file, or remove this one: what its session held is then free when that has expired"};
}

// Not synced: after a crash of the machine an older token, or none, costs no more than waiting for a lease.
std::optional<Failure> TokenFile::Keep(const SessionToken& token) {
  const std::string text = FormatToken(token);
  if (ftruncate(fd_, 0) != 0) return Unusable("write", errno);
  const ssize_t bytes = pwrite(fd_, text.data(), text.size(), 0);
  if (bytes != static_cast<ssize_t>(text.size())) return Unusable("write", bytes < 0 ? errno : ENOSPC);
  kept_ = true;
  return std::nullopt;
}

// If this fails the session is named once more when it is gone, which does no harm.
void TokenFile::Clear() {
  if (kept_ && ftruncate(fd_, 0) == 0) kept_ = false;
}

}  // namespace bramah::cli

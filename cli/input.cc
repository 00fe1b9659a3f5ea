#include "cli/input.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace bramah::cli {
namespace {

using net_real::Failure;

Failure CannotRead(const std::string& name, int error) {
  return {net_real::kExitIo, "io", "cannot read " + name + ": " + std::strerror(error), "check what it is and who may read it"};
}

}  // namespace

std::optional<Failure> ReadInput(int fd, const std::string& name, size_t most, std::string* text) {
  char buffer[1 << 16];
  for (size_t left = most + 1; left > 0;) {
    const ssize_t size = read(fd, buffer, std::min(left, sizeof(buffer)));
    if (size == 0) break;
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return CannotRead(name, errno);
    text->append(buffer, static_cast<size_t>(size));
    left -= static_cast<size_t>(size);
  }
  return std::nullopt;
}

std::optional<Failure> ReadInputFile(const std::string& path, size_t most, std::string* text) {
  if (path == "-") return ReadInput(STDIN_FILENO, "standard input", most, text);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return CannotRead(path, errno);
  auto failure = ReadInput(fd, path, most, text);
  close(fd);
  return failure;
}

}  // namespace bramah::cli

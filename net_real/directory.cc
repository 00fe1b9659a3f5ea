#include "net_real/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace bramah::net_real {
namespace {

Failure CannotUse(const std::string& path, int error) {
  return {kExitDirectory, "bad_directory", "cannot use data directory " + path + ": " + std::strerror(error),
          "pass a --dir whose parent exists and that this user may write"};
}

// A new directory's name must be durable before anything in it is: otherwise a power cut loses the replica as a whole.
void SyncParent(const std::string& path) {
  std::string parent = path;
  while (parent.size() > 1 && parent.back() == '/') parent.pop_back();
  const size_t slash = parent.rfind('/');
  parent = slash == std::string::npos ? "." : parent.substr(0, std::max<size_t>(slash, 1));
  const int fd = open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

}  // namespace

Directory::~Directory() {
  if (fd_ >= 0) close(fd_);
}

std::optional<Failure> Directory::Open(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0) {
    SyncParent(path);
  } else if (errno != EEXIST) {
    return CannotUse(path, errno);
  }
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return CannotUse(path, errno);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    close(fd);
    if (error != EWOULDBLOCK) return CannotUse(path, error);
    return Failure{kExitDirectory, "directory_in_use", "another process uses data directory " + path,
                   "stop that process, or pass this replica's own --dir"};
  }
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
  return std::nullopt;
}

std::vector<FileInfo> Directory::List() const {
  std::vector<FileInfo> files;
  const int copy = openat(fd_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);  // a DIR owns its descriptor and its position
  DIR* listing = copy < 0 ? nullptr : fdopendir(copy);
  if (listing == nullptr) return files;
  while (const dirent* entry = readdir(listing)) {
    const std::optional<FileId> id = ParseFileName(entry->d_name);
    struct stat info;
    if (id.has_value() && fstatat(fd_, entry->d_name, &info, 0) == 0) {
      files.push_back({*id, static_cast<uint64_t>(info.st_size)});
    }
  }
  closedir(listing);
  std::sort(files.begin(), files.end(), [](const FileInfo& a, const FileInfo& b) { return a.id < b.id; });
  return files;
}

}  // namespace bramah::net_real

// A replica's data directory: created if missing, held by one process at a time, listed for the core.
#ifndef BRAMAH_NET_REAL_DIRECTORY_H_
#define BRAMAH_NET_REAL_DIRECTORY_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/api/files.h"
#include "net_real/failure.h"

namespace bramah::net_real {

class Directory {
 public:
  Directory() = default;
  Directory(Directory&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Directory& operator=(Directory&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Directory();

  // Opens `path`, creating it (not its parents) if missing, and takes the lock that lasts until this object or its process is
  // gone: two processes on one log would both believe their own promises. Exit 73 if the lock is taken or it is no directory.
  std::optional<Failure> Open(const std::string& path);

  // The files a replica may own, in order of id. Others are ignored, so an operator may leave notes.
  std::vector<FileInfo> List() const;

  int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

}  // namespace bramah::net_real

#endif  // BRAMAH_NET_REAL_DIRECTORY_H_

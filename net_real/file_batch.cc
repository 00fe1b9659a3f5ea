#include "net_real/file_batch.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace bramah::net_real {
namespace {

constexpr size_t kZeroChunk = 1 << 20;

std::string_view OpName(FileOp::Kind kind) {
  switch (kind) {
    case FileOp::kCreate: return "create";
    case FileOp::kZeroFill: return "extend";
    case FileOp::kWrite: return "write";
    case FileOp::kSyncData: return "sync";
    case FileOp::kRename: return "rename";
    case FileOp::kSyncDir: return "sync directory";
    case FileOp::kUnlink: return "remove";
    case FileOp::kRead: return "read";
  }
  return "operation";
}

DiskError Classify(FileOp::Kind kind, int error) {
  if (error == ENOSPC || error == EDQUOT) return DiskError::kNoSpace;
  if (kind == FileOp::kSyncData || kind == FileOp::kSyncDir) return DiskError::kSyncIo;
  return kind == FileOp::kRead ? DiskError::kReadIo : DiskError::kWriteIo;
}

int ErrorOf(int result) { return result == 0 ? 0 : errno; }

}  // namespace

Batch CopyBatch(Lane lane, Ticket ticket, absl::Span<const FileOp> ops) {
  Batch batch{lane, ticket, {}};
  batch.tasks.reserve(ops.size());
  for (const FileOp& op : ops) {
    batch.tasks.push_back({op.kind, op.file, op.to, op.offset, op.length, std::string(op.bytes.view())});
  }
  return batch;
}

FileRunner::~FileRunner() {
  for (const OpenFile& file : open_) close(file.fd);
}

BatchResult FileRunner::Run(const Batch& batch) {
  BatchResult result;
  result.lane = batch.lane;
  result.ticket = batch.ticket;
  for (size_t i = 0; i < batch.tasks.size(); ++i) {
    const FileTask& task = batch.tasks[i];
    int error = fault_ == nullptr ? 0 : fault_(task);
    if (error == 0) error = Execute(task, result);
    if (error == 0) continue;
    result.ok = false;
    result.failed_op = static_cast<uint16_t>(i);
    result.error = Classify(task.kind, error);
    result.what = std::string(OpName(task.kind)) + " " + FileName(task.file) + ": " + std::strerror(error);
    break;
  }
  return result;
}

int FileRunner::Execute(const FileTask& task, BatchResult& result) {
  int fd = -1;
  switch (task.kind) {
    case FileOp::kCreate: return Create(task.file);
    case FileOp::kZeroFill: return ZeroFill(task);
    case FileOp::kWrite: return Write(task.file, task.bytes, task.offset);
    case FileOp::kSyncData:
      if (const int error = Descriptor(task.file, &fd)) return error;
      return ErrorOf(fdatasync(fd));
    case FileOp::kRename:
      Forget(task.file);
      Forget(task.to);
      return ErrorOf(renameat(directory_, FileName(task.file).c_str(), directory_, FileName(task.to).c_str()));
    case FileOp::kSyncDir: return ErrorOf(fsync(directory_));
    case FileOp::kUnlink:
      Forget(task.file);
      if (unlinkat(directory_, FileName(task.file).c_str(), 0) == 0 || errno == ENOENT) return 0;
      return errno;
    case FileOp::kRead: return Read(task, result);
  }
  return EINVAL;
}

int FileRunner::Read(const FileTask& task, BatchResult& result) {
  int fd = -1;
  if (const int error = Descriptor(task.file, &fd)) return error;
  std::string bytes(task.length, '\0');
  size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t got = pread(fd, bytes.data() + have, bytes.size() - have, static_cast<off_t>(task.offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  bytes.resize(have);
  result.reads.push_back(std::move(bytes));
  return 0;
}

int FileRunner::Write(FileId file, std::string_view bytes, uint64_t offset) {
  int fd = -1;
  if (const int error = Descriptor(file, &fd)) return error;
  while (!bytes.empty()) {
    const ssize_t put = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    bytes.remove_prefix(static_cast<size_t>(put));
    offset += static_cast<uint64_t>(put);
  }
  return 0;
}

int FileRunner::ZeroFill(const FileTask& task) {
  const std::string zeros(std::min<uint64_t>(task.length, kZeroChunk), '\0');
  for (uint64_t done = 0; done < task.length;) {
    const uint64_t size = std::min<uint64_t>(task.length - done, zeros.size());
    if (const int error = Write(task.file, {zeros.data(), size}, task.offset + done)) return error;
    done += size;
  }
  return 0;
}

int FileRunner::Create(FileId file) {
  Forget(file);
  const int fd = openat(directory_, FileName(file).c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return errno;
  Remember(file, fd);
  return 0;
}

int FileRunner::Descriptor(FileId file, int* fd) {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const OpenFile& open) { return open.id == file; });
  if (found != open_.end()) {
    std::rotate(found, found + 1, open_.end());
  } else {
    const int opened = openat(directory_, FileName(file).c_str(), O_RDWR | O_CLOEXEC);
    if (opened < 0) return errno;
    Remember(file, opened);
  }
  *fd = open_.back().fd;
  return 0;
}

void FileRunner::Remember(FileId file, int fd) {
  open_.push_back({file, fd});
  if (open_.size() <= kOpenFilesMax) return;
  close(open_.front().fd);
  open_.erase(open_.begin());
}

void FileRunner::Forget(FileId file) {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const OpenFile& open) { return open.id == file; });
  if (found == open_.end()) return;
  close(found->fd);
  open_.erase(found);
}

}  // namespace bramah::net_real

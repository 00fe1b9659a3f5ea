// Carries out batches of file operations on a real directory. It decides nothing: names, bytes, order and syncs are the core's.
#ifndef BRAMAH_NET_REAL_FILE_BATCH_H_
#define BRAMAH_NET_REAL_FILE_BATCH_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "core/api/files.h"

namespace bramah::net_real {

// A FileOp whose bytes may cross threads (a Blob may not).
struct FileTask {
  FileOp::Kind kind = FileOp::kWrite;
  FileId file;
  FileId to;
  uint64_t offset = 0;
  uint64_t length = 0;
  std::string bytes;
};

struct Batch {
  Lane lane = Lane::kLog;
  Ticket ticket = 0;
  std::vector<FileTask> tasks;
};

struct BatchResult {
  Lane lane = Lane::kLog;
  Ticket ticket = 0;
  bool ok = true;
  uint16_t failed_op = 0;  // if !ok: operations before it are done, it and later ones unknown
  DiskError error = DiskError::kWriteIo;
  std::string what;  // if !ok: operation, file and the system's words
  std::vector<std::string> reads;
};

Batch CopyBatch(Lane lane, Ticket ticket, absl::Span<const FileOp> ops);

// Used by one thread at a time.
class FileRunner {
 public:
  // Tests let an operation fail: an errno instead of carrying it out, 0 to go on.
  using Fault = std::function<int(const FileTask&)>;

  // `directory` is borrowed.
  explicit FileRunner(int directory, Fault fault = nullptr) : directory_(directory), fault_(std::move(fault)) {}
  FileRunner(const FileRunner&) = delete;
  ~FileRunner();

  BatchResult Run(const Batch& batch);

 private:
  // Kept open between batches, least recently used first: a failed write-back is reported to descriptors that were open when it
  // happened, so the sync has to go through the one that wrote.
  struct OpenFile {
    FileId id;
    int fd;
  };
  static constexpr size_t kOpenFilesMax = 4;

  // All return 0 or an errno.
  int Execute(const FileTask& task, BatchResult& result);
  int Read(const FileTask& task, BatchResult& result);
  int Write(FileId file, std::string_view bytes, uint64_t offset);
  int ZeroFill(const FileTask& task);
  int Create(FileId file);
  int Descriptor(FileId file, int* fd);
  void Remember(FileId file, int fd);
  void Forget(FileId file);

  int directory_;
  Fault fault_;
  std::vector<OpenFile> open_;
};

}  // namespace bramah::net_real

#endif  // BRAMAH_NET_REAL_FILE_BATCH_H_

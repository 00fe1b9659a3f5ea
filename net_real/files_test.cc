// The executor of file operations against a real directory.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>

#include "gtest/gtest.h"
#include "net_real/directory.h"
#include "net_real/file_batch.h"
#include "net_real/lane.h"

namespace bramah::net_real {
namespace {

constexpr FileId kSegment{FileKind::kSegment, 7};
constexpr FileId kSnapshot{FileKind::kSnapshot, 9};
constexpr FileId kSnapshotTmp{FileKind::kSnapshotTmp, 9};

class FilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "/files_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
    ASSERT_FALSE(directory_.Open(path_).has_value());
  }
  void TearDown() override { std::filesystem::remove_all(path_); }

  std::string Contents(FileId id) const {
    std::ifstream file(path_ + "/" + FileName(id), std::ios::binary);
    std::ostringstream out;
    out << file.rdbuf();
    return out.str();
  }
  bool Exists(FileId id) const { return std::filesystem::exists(path_ + "/" + FileName(id)); }

  static FileTask Do(FileOp::Kind kind, FileId file, uint64_t offset = 0, uint64_t length = 0, std::string bytes = "") {
    return {kind, file, {}, offset, length, std::move(bytes)};
  }

  std::string path_;
  Directory directory_;
};

TEST_F(FilesTest, CarriesOutABatchInOrder) {
  FileRunner runner(directory_.fd());
  FileTask rename = Do(FileOp::kRename, kSnapshotTmp);
  rename.to = kSnapshot;
  const BatchResult result = runner.Run({Lane::kBulk,
                                         3,
                                         {Do(FileOp::kCreate, kSnapshotTmp), Do(FileOp::kZeroFill, kSnapshotTmp, 0, 3 << 20),
                                          Do(FileOp::kWrite, kSnapshotTmp, 2, 0, "hello"), Do(FileOp::kSyncData, kSnapshotTmp),
                                          rename, Do(FileOp::kSyncDir, {}), Do(FileOp::kRead, kSnapshot, 1, 8)}});
  ASSERT_TRUE(result.ok) << result.what;
  EXPECT_EQ(result.ticket, 3u);
  ASSERT_EQ(result.reads.size(), 1u);
  EXPECT_EQ(result.reads[0], std::string("\0hello\0\0", 8));
  EXPECT_EQ(std::filesystem::file_size(path_ + "/" + FileName(kSnapshot)), 3u << 20);
  EXPECT_FALSE(Exists(kSnapshotTmp));
}

TEST_F(FilesTest, ReadsFewerBytesAtTheEnd) {
  FileRunner runner(directory_.fd());
  const BatchResult result = runner.Run({Lane::kLog,
                                         1,
                                         {Do(FileOp::kCreate, kSegment), Do(FileOp::kWrite, kSegment, 0, 0, "abc"),
                                          Do(FileOp::kRead, kSegment, 1, 100), Do(FileOp::kRead, kSegment, 50, 1)}});
  ASSERT_TRUE(result.ok) << result.what;
  ASSERT_EQ(result.reads.size(), 2u);
  EXPECT_EQ(result.reads[0], "bc");
  EXPECT_EQ(result.reads[1], "");
}

TEST_F(FilesTest, CreateEmptiesAnExistingFile) {
  FileRunner runner(directory_.fd());
  ASSERT_TRUE(runner.Run({Lane::kLog, 1, {Do(FileOp::kCreate, kSegment), Do(FileOp::kWrite, kSegment, 0, 0, "old")}}).ok);
  ASSERT_TRUE(runner.Run({Lane::kLog, 2, {Do(FileOp::kCreate, kSegment), Do(FileOp::kWrite, kSegment, 0, 0, "n")}}).ok);
  EXPECT_EQ(Contents(kSegment), "n");
}

TEST_F(FilesTest, RemovingAMissingFileIsNoError) {
  FileRunner runner(directory_.fd());
  EXPECT_TRUE(runner.Run({Lane::kBulk, 1, {Do(FileOp::kUnlink, kSegment)}}).ok);
}

TEST_F(FilesTest, RemovedFileIsNotWrittenThroughAnOldDescriptor) {
  FileRunner runner(directory_.fd());
  ASSERT_TRUE(runner.Run({Lane::kLog, 1, {Do(FileOp::kCreate, kSegment), Do(FileOp::kUnlink, kSegment)}}).ok);
  const BatchResult result = runner.Run({Lane::kLog, 2, {Do(FileOp::kWrite, kSegment, 0, 0, "x")}});
  EXPECT_FALSE(result.ok);
  EXPECT_EQ(result.error, DiskError::kWriteIo);
}

TEST_F(FilesTest, StopsAtTheFirstFailureAndSaysWhich) {
  FileRunner runner(directory_.fd(), [](const FileTask& task) { return task.kind == FileOp::kSyncData ? EIO : 0; });
  const BatchResult result = runner.Run({Lane::kLog,
                                         5,
                                         {Do(FileOp::kCreate, kSegment), Do(FileOp::kWrite, kSegment, 0, 0, "a"),
                                          Do(FileOp::kSyncData, kSegment), Do(FileOp::kWrite, kSegment, 0, 0, "b")}});
  EXPECT_FALSE(result.ok);
  EXPECT_EQ(result.failed_op, 2);
  EXPECT_EQ(result.error, DiskError::kSyncIo);
  EXPECT_NE(result.what.find("sync wal-"), std::string::npos) << result.what;
  EXPECT_EQ(Contents(kSegment), "a");
}

TEST_F(FilesTest, TellsNoSpaceFromOtherErrors) {
  FileRunner full(directory_.fd(), [](const FileTask& task) { return task.kind == FileOp::kCreate ? 0 : ENOSPC; });
  EXPECT_EQ(full.Run({Lane::kLog, 1, {Do(FileOp::kCreate, kSegment), Do(FileOp::kWrite, kSegment, 0, 0, "a")}}).error,
            DiskError::kNoSpace);
  FileRunner missing(directory_.fd());
  EXPECT_EQ(missing.Run({Lane::kLog, 2, {Do(FileOp::kRead, kSnapshot, 0, 1)}}).error, DiskError::kReadIo);
}

TEST_F(FilesTest, WorksOnMoreFilesThanItKeepsOpen) {
  FileRunner runner(directory_.fd());
  for (uint64_t seq = 1; seq <= 20; ++seq) {
    const FileId id{FileKind::kSegment, seq};
    ASSERT_TRUE(runner.Run({Lane::kLog, seq, {Do(FileOp::kCreate, id), Do(FileOp::kWrite, id, 0, 0, std::to_string(seq))}}).ok);
  }
  for (uint64_t seq = 1; seq <= 20; ++seq) {
    const FileId id{FileKind::kSegment, seq};
    const BatchResult result = runner.Run({Lane::kLog, 20 + seq, {Do(FileOp::kSyncData, id), Do(FileOp::kRead, id, 0, 9)}});
    ASSERT_TRUE(result.ok) << result.what;
    EXPECT_EQ(result.reads[0], std::to_string(seq));
  }
}

TEST_F(FilesTest, LaneRunsBatchesInOrderAndLetsTheLastOneEnd) {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Ticket> done;
  {
    LaneThread lane(directory_.fd(), nullptr, [&](BatchResult result) {
      std::lock_guard<std::mutex> lock(mutex);
      done.push_back(result.ticket);
      changed.notify_one();
    });
    for (Ticket ticket = 1; ticket <= 3; ++ticket) {
      lane.Push({Lane::kLog, ticket, {Do(FileOp::kCreate, kSegment), Do(FileOp::kSyncData, kSegment)}});
    }
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return done.size() == 3; });
  }
  EXPECT_EQ(done, (std::vector<Ticket>{1, 2, 3}));
}

TEST_F(FilesTest, DirectoryIsHeldByOneAtATime) {
  Directory second;
  const auto failure = second.Open(path_);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->exit_code, kExitDirectory);
  EXPECT_EQ(failure->code, "directory_in_use");
  directory_ = Directory();
  EXPECT_FALSE(Directory().Open(path_).has_value());
}

TEST_F(FilesTest, DirectoryIsCreatedButNotItsParents) {
  Directory fresh;
  EXPECT_FALSE(fresh.Open(path_ + "/new").has_value());
  EXPECT_TRUE(std::filesystem::is_directory(path_ + "/new"));
  Directory orphan;
  const auto failure = orphan.Open(path_ + "/missing/new");
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->code, "bad_directory");
}

TEST_F(FilesTest, ListsOnlyFilesOfAReplicaInOrder) {
  std::ofstream(path_ + "/README") << "an operator's note";
  std::ofstream(path_ + "/" + FileName(kSegment)) << "12345";
  std::ofstream(path_ + "/" + FileName({FileKind::kIdentity, 0})) << "1";
  const std::vector<FileInfo> files = directory_.List();
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].id.kind, FileKind::kIdentity);
  EXPECT_EQ(files[1].id, kSegment);
  EXPECT_EQ(files[1].size, 5u);
}

}  // namespace
}  // namespace bramah::net_real

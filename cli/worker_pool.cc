#include "cli/worker_pool.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace bramah::cli {
namespace {

constexpr int kTickMilliseconds = 200;

struct Worker {
  pid_t pid = 0;
  int socket = -1;  // -1: ended
  std::optional<uint64_t> job;
};

bool WriteAll(int fd, const void* data, size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t put = send(fd, at, size, MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    at += put;
    size -= static_cast<size_t>(put);
  }
  return true;
}

bool ReadAll(int fd, void* data, size_t size) {
  char* at = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t got = read(fd, at, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

// The worker's life: a job, a length and that many bytes, until the parent closes the socket.
[[noreturn]] void Serve(int fd, const PoolJobs& jobs) {
  uint64_t job = 0;
  while (ReadAll(fd, &job, sizeof(job))) {
    const std::string result = jobs.work(job);
    const uint64_t size = result.size();
    if (!WriteAll(fd, &size, sizeof(size)) || !WriteAll(fd, result.data(), result.size())) break;
  }
  _exit(0);  // the parent's buffers and destructors are not this process's
}

// No code sends these to itself.
bool Killed(int status) { return WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTERM); }

std::string DescribeEnd(int status) {
  if (!WIFSIGNALED(status)) return "exit code " + std::to_string(WEXITSTATUS(status));
  return "signal " + std::to_string(WTERMSIG(status)) + " (" + strsignal(WTERMSIG(status)) + ")";
}

class Pool {
 public:
  Pool(uint32_t workers, const PoolJobs& jobs) : jobs_(jobs), workers_(workers) {}
  ~Pool() {
    for (Worker& worker : workers_) End(worker);
  }

  bool Run() {
    for (Worker& worker : workers_) Give(worker);
    while (Busy()) {
      WaitForResults();
      jobs_.tick();
    }
    return !failed_;
  }

 private:
  bool Busy() const {
    for (const Worker& worker : workers_) {
      if (worker.job.has_value()) return true;
    }
    return false;
  }

  void Give(Worker& worker) {
    const std::optional<uint64_t> job = failed_ ? std::nullopt : jobs_.next();
    if (!job.has_value()) return;
    if (worker.socket < 0 && !Start(worker)) {
      failed_ = true;
      return;
    }
    worker.job = job;
    WriteAll(worker.socket, &*job, sizeof(*job));  // if it fails the worker has ended, which the next read tells
  }

  bool Start(Worker& worker) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return false;
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(0);
      // Another worker's socket kept open here would hide the parent's closing of it.
      for (const Worker& other : workers_) {
        if (other.socket >= 0) close(other.socket);
      }
      close(ends[0]);
      Serve(ends[1], jobs_);
    }
    close(ends[1]);
    if (child < 0) {
      close(ends[0]);
      return false;
    }
    worker = {child, ends[0], std::nullopt};
    return true;
  }

  // Closes the socket and reaps; returns the worker's status.
  int End(Worker& worker) {
    if (worker.socket < 0) return 0;
    close(std::exchange(worker.socket, -1));
    int status = 0;
    while (waitpid(worker.pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
  }

  void WaitForResults() {
    std::vector<pollfd> polls;
    std::vector<Worker*> polled;
    for (Worker& worker : workers_) {
      if (!worker.job.has_value()) continue;
      polls.push_back({worker.socket, POLLIN, 0});
      polled.push_back(&worker);
    }
    if (poll(polls.data(), polls.size(), kTickMilliseconds) <= 0) return;
    for (size_t i = 0; i < polls.size(); ++i) {
      if (polls[i].revents != 0) Take(*polled[i]);
    }
  }

  void Take(Worker& worker) {
    const uint64_t job = *worker.job;
    uint64_t size = 0;
    std::string result;
    bool whole = ReadAll(worker.socket, &size, sizeof(size));
    if (whole) {
      result.resize(size);
      whole = ReadAll(worker.socket, result.data(), size);
    }
    worker.job.reset();
    if (whole) {
      jobs_.done(job, std::move(result));
    } else {
      const int status = End(worker);
      jobs_.crashed(job, DescribeEnd(status), Killed(status));
    }
    Give(worker);
  }

  const PoolJobs& jobs_;
  std::vector<Worker> workers_;
  bool failed_ = false;
};

}  // namespace

bool RunPool(uint32_t workers, const PoolJobs& jobs) { return Pool(workers, jobs).Run(); }

}  // namespace bramah::cli

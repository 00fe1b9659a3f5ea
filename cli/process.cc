#include "cli/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace bramah::cli {
namespace {

struct Image {
  std::vector<std::string> environment;
  std::vector<char*> argv;
  std::vector<char*> envp;
};

// Everything that allocates happens before the fork.
Image Prepare(const SpawnOptions& options) {
  Image image;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!options.environment.contains(text.substr(0, text.find('=')))) image.environment.push_back(text);
  }
  for (const auto& [name, value] : options.environment) image.environment.push_back(name + "=" + value);
  for (std::string& entry : image.environment) image.envp.push_back(entry.data());
  for (const std::string& arg : options.argv) image.argv.push_back(const_cast<char*>(arg.c_str()));
  image.envp.push_back(nullptr);
  image.argv.push_back(nullptr);
  return image;
}

void GiveTerminal(pid_t group) {
  // tcsetpgrp from a background group would stop the caller; blocked, the signal is ignored.
  sigset_t mask;
  sigset_t before;
  sigemptyset(&mask);
  sigaddset(&mask, SIGTTOU);
  sigprocmask(SIG_BLOCK, &mask, &before);
  tcsetpgrp(STDIN_FILENO, group);
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

// In the child, between fork and exec: system calls only. Returns only if exec failed.
void BecomeImage(const SpawnOptions& options, const Image& image, pid_t parent, const sigset_t& mask, bool terminal) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it died before the line above
  if (options.own_group) setpgid(0, 0);
  if (terminal) GiveTerminal(getpid());
  // The event loop's handlers must not run here: they write to pipes that the parent shares.
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action;
    if (sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) signal(number, SIG_DFL);
  }
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  execvpe(image.argv[0], image.argv.data(), image.envp.data());
}

}  // namespace

int Process::Start(const SpawnOptions& options) {
  const Image image = Prepare(options);
  const pid_t parent = getpid();
  has_terminal_ = options.own_group && options.take_terminal && isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
  int report[2];  // closed by exec, or carries the errno of exec
  if (pipe2(report, O_CLOEXEC) != 0) return errno;
  sigset_t all;
  sigset_t mask;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &mask);
  const pid_t child = fork();
  if (child == 0) {
    BecomeImage(options, image, parent, mask, has_terminal_);
    const int error = errno;
    const ssize_t ignored = write(report[1], &error, sizeof(error));
    _exit(ignored == sizeof(error) ? 126 : 127);
  }
  int error = child < 0 ? errno : 0;
  if (child > 0 && options.own_group) setpgid(child, child);  // both sides do it: whoever comes first
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  close(report[1]);
  ssize_t got = 0;
  while (child > 0 && (got = read(report[0], &error, sizeof(error))) < 0 && errno == EINTR) {
  }
  close(report[0]);
  if (child > 0 && got == sizeof(error)) {
    waitpid(child, nullptr, 0);
    ReturnTerminal();
    return error;
  }
  if (child < 0) return error;
  pid_ = child;
  own_group_ = options.own_group;
  return 0;
}

void Process::Signal(int signal) {
  if (!running()) return;
  kill(own_group_ ? -pid_ : pid_, signal);
}

bool Process::Poll() {
  if (!running()) return status_.has_value();
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return false;
  status_ = status;
  return true;
}

int Process::exit_code() const { return WIFSIGNALED(*status_) ? 128 + WTERMSIG(*status_) : WEXITSTATUS(*status_); }

std::string Process::DescribeEnd() const {
  if (!WIFSIGNALED(*status_)) return "exit code " + std::to_string(WEXITSTATUS(*status_));
  return "signal " + std::to_string(WTERMSIG(*status_)) + " (" + strsignal(WTERMSIG(*status_)) + ")";
}

void Process::ReturnTerminal() {
  if (has_terminal_) GiveTerminal(getpgrp());
  has_terminal_ = false;
}

}  // namespace bramah::cli

// Child processes that never outlive what protects them: own process group, killed when the parent dies.
#ifndef BRAMAH_CLI_PROCESS_H_
#define BRAMAH_CLI_PROCESS_H_

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace bramah::cli {

struct SpawnOptions {
  std::vector<std::string> argv;                   // argv[0] is looked up in PATH
  std::map<std::string, std::string> environment;  // added to the own one
  bool own_group = false;                          // signals of the terminal reach only the parent, which passes them on
  bool take_terminal = false;  // with own_group: the group becomes the terminal's foreground group if the parent's is
};

// One child. Not copyable; it does not kill the child when destroyed.
class Process {
 public:
  // Forks and executes. An errno if the program could not be run; 0 otherwise. REQUIRES: not started.
  int Start(const SpawnOptions& options);

  bool running() const { return pid_ > 0 && !status_.has_value(); }
  pid_t pid() const { return pid_; }
  // To the child's group if it has its own, else to the child. Nothing if it has ended.
  void Signal(int signal);
  // Reaps if the child has ended; true if it has, now or earlier. Does not block.
  bool Poll();
  // The child's exit code, or 128 + n if signal n ended it. REQUIRES: Poll() returned true.
  int exit_code() const;
  // "exit code 3", "signal 9 (Killed)". REQUIRES: as above.
  std::string DescribeEnd() const;
  // Gives the terminal back to this process's group, if it was given away.
  void ReturnTerminal();

 private:
  pid_t pid_ = 0;
  bool own_group_ = false;
  bool has_terminal_ = false;
  std::optional<int> status_;
};

}  // namespace bramah::cli

#endif  // BRAMAH_CLI_PROCESS_H_

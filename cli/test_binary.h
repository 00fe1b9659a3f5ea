// Runs the built `bramah` for tests: to the end, or in the background. Every wait has a deadline that only a failure reaches.
#ifndef BRAMAH_CLI_TEST_BINARY_H_
#define BRAMAH_CLI_TEST_BINARY_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/process.h"

namespace bramah::cli {

using Environment = std::map<std::string, std::string>;

struct Finished {
  int code = -1;  // 128 + n for a signal; -1 if the deadline passed
  std::string out;
  std::string err;
};

// A program with its output in files of a temporary directory.
class Background {
 public:
  Background(std::vector<std::string> argv, Environment environment, const std::string& input = "");
  ~Background();  // SIGKILL if it still runs

  Process& process() { return process_; }
  std::string out() const;
  std::string err() const;
  // Waits for its end.
  Finished Wait();

 private:
  std::string directory_;
  Process process_;
};

// The binary under test.
std::string BramahPath();
// `bramah ARGS...`, with no BRAMAH_* variables other than those given.
Finished Bramah(std::vector<std::string> args, Environment environment = {}, const std::string& input = "");
std::unique_ptr<Background> StartBramah(std::vector<std::string> args, Environment environment = {});

// Looks every 20 ms until `condition` holds; false after a generous deadline.
[[nodiscard]] bool WaitFor(const std::function<bool()>& condition);

}  // namespace bramah::cli

#endif  // BRAMAH_CLI_TEST_BINARY_H_

#include "cli/test_binary.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

namespace bramah::cli {
namespace {

constexpr auto kDeadline = std::chrono::seconds(90);

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

}  // namespace

Background::Background(std::vector<std::string> argv, Environment environment, const std::string& input) {
  for (const char* name : {"BRAMAH_ENDPOINTS", "BRAMAH_TIMEOUT", "BRAMAH_OUTPUT"}) environment.try_emplace(name, "");
  std::string pattern = (std::filesystem::temp_directory_path() / "bramah-test-XXXXXX").string();
  directory_ = mkdtemp(pattern.data());
  std::ofstream(directory_ + "/in", std::ios::binary) << input;
  // The shell only redirects: exec leaves one process, whose signals and exit code are the binary's own.
  SpawnOptions spawn;
  spawn.argv = {"/bin/sh", "-c", "d=$0; exec \"$@\" < \"$d/in\" > \"$d/out\" 2> \"$d/err\"", directory_};
  spawn.argv.insert(spawn.argv.end(), argv.begin(), argv.end());
  spawn.environment = std::move(environment);
  process_.Start(spawn);
}

Background::~Background() {
  process_.Signal(SIGKILL);
  while (process_.running() && !process_.Poll()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string Background::out() const { return ReadAll(directory_ + "/out"); }
std::string Background::err() const { return ReadAll(directory_ + "/err"); }

Finished Background::Wait() {
  Finished finished;
  if (WaitFor([this] { return process_.Poll(); })) finished.code = process_.exit_code();
  finished.out = out();
  finished.err = err();
  return finished;
}

std::string BramahPath() {
  const char* runfiles = getenv("TEST_SRCDIR");
  return std::string(runfiles == nullptr ? "." : runfiles) + "/bramah/cli/bramah";
}

std::unique_ptr<Background> StartBramah(std::vector<std::string> args, Environment environment) {
  args.insert(args.begin(), BramahPath());
  return std::make_unique<Background>(std::move(args), std::move(environment));
}

Finished Bramah(std::vector<std::string> args, Environment environment, const std::string& input) {
  args.insert(args.begin(), BramahPath());
  return Background(std::move(args), std::move(environment), input).Wait();
}

bool WaitFor(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace bramah::cli

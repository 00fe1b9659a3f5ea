// Real processes, real TCP, real files. Every wait is for something observed.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "cli/test_binary.h"
#include "core/base/time.h"
#include "gtest/gtest.h"
#include "net_real/client.h"
#include "net_real/clock.h"
#include "nlohmann/json.hpp"

namespace bramah::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// The rest of the line that begins with `start`; empty if there is none that has ended.
std::string LineAfter(const std::string& text, const std::string& start) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    if (end == std::string::npos) return "";
    if (text.compare(at, start.size(), start) == 0) return text.substr(at + start.size(), end - at - start.size());
    at = end + 1;
  }
  return "";
}

size_t CountLines(const std::string& text, const std::string& start) {
  size_t count = text.compare(0, start.size(), start) == 0 ? 1 : 0;
  for (size_t at = text.find("\n" + start); at != std::string::npos; at = text.find("\n" + start, at + 1)) ++count;
  return count;
}

int FreePort() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  close(fd);
  return ntohs(address.sin_port);
}

class CellTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/cell-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    scratch_ = pattern;
  }
  void TearDown() override {
    cell_.reset();
    fs::remove_all(scratch_);
  }

  // Starts a cell and waits until it serves; ASSERT_NO_FATAL_FAILURE around it.
  void Up(std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"cell", "up"});
    cell_ = StartBramah(flags, {{"TMPDIR", scratch_}});  // a killed cell leaves its temporary directory behind
    ASSERT_TRUE(WaitFor([&] { return !LineAfter(cell_->out(), "master: ").empty() || cell_->process().Poll(); }));
    ASSERT_TRUE(cell_->process().running()) << cell_->err();
    environment_ = {{"BRAMAH_ENDPOINTS", LineAfter(cell_->out(), "export BRAMAH_ENDPOINTS=")}};
  }

  Finished Run(std::vector<std::string> args, const std::string& input = "") {
    return Bramah(std::move(args), environment_, input);
  }
  std::unique_ptr<Background> Start(std::vector<std::string> args) { return StartBramah(std::move(args), environment_); }
  json Status() { return json::parse(Run({"status", "-o", "json"}).out); }

  pid_t MasterProcess() { return ProcessOf(Status()["master"]); }

  // 0 if the replica does not answer.
  pid_t ProcessOf(uint32_t id) {
    const json status = Status();
    for (const json& replica : status["replicas"]) {
      if (replica["id"] == id) return replica["pid"];
    }
    return 0;
  }

  std::vector<pid_t> ReplicaProcesses() {
    const json status = Status();
    std::vector<pid_t> processes;
    for (const json& replica : status["replicas"]) processes.push_back(replica["pid"]);
    return processes;
  }

  static void SignalAll(const std::vector<pid_t>& processes, int number) {
    for (const pid_t process : processes) ASSERT_EQ(kill(process, number), 0);
  }

  std::string scratch_;
  std::unique_ptr<Background> cell_;
  Environment environment_;
};

// [C-02, C-04, C-75]
TEST_F(CellTest, ServesFilesAndStopsCleanly) {
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "3"}));
  EXPECT_EQ(CountLines(cell_->out(), "export "), 1u);
  EXPECT_EQ(LineAfter(cell_->out(), "cell demo: 3 replicas in ").substr(0, 1), "/");
  const std::string directory = LineAfter(cell_->out(), "cell demo: 3 replicas in ");

  EXPECT_EQ(Run({"put", "/ls/demo/greeting", "hello"}).code, 0);
  EXPECT_EQ(Run({"cat", "/ls/local/greeting"}).out, "hello");
  EXPECT_EQ(Run({"create", "--dir", "/ls/demo/dir"}).code, 0);
  EXPECT_EQ(Run({"create", "/ls/demo/dir/a", "1"}).code, 0);
  EXPECT_EQ(Run({"ls", "/ls/demo"}).out, "dir/\ngreeting\n");
  EXPECT_EQ(json::parse(Run({"stat", "-o", "json", "/ls/demo/dir"}).out)["child_count"], 1);
  EXPECT_EQ(
      json::parse(Run({"put", "-o", "json", "/ls/demo/greeting", "again", "--if-generation", "1"}).out)["content_generation"], 2);

  const std::string big(256 * 1024, 'b');
  EXPECT_EQ(Run({"put", "/ls/demo/big"}, big).code, 0);
  EXPECT_EQ(Run({"cat", "/ls/demo/big"}).out, big);

  const json status = Status();
  EXPECT_EQ(status["phase"], "serving");
  EXPECT_EQ(status["replicas"].size(), 3u);
  EXPECT_GT(status["epoch"].get<uint64_t>(), 0u);
  EXPECT_EQ(status["lease_max_ns"], 12 * kSecond);

  cell_->process().Signal(SIGTERM);
  EXPECT_EQ(cell_->Wait().code, 0);
  EXPECT_FALSE(fs::exists(directory)) << "the temporary directory is still there";
  EXPECT_EQ(Run({"cat", "/ls/local/greeting", "--timeout", "200ms"}).code, 69);
}

// [C-08, C-29]
TEST_F(CellTest, RefusalsHaveTheirCodes) {
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "1"}));
  ASSERT_EQ(Run({"create", "--dir", "/ls/demo/dir"}).code, 0);
  ASSERT_EQ(Run({"put", "/ls/demo/dir/a", "1"}).code, 0);
  const auto refused = [&](std::vector<std::string> args, int code, const std::string& word) {
    const Finished run = Run(args);
    EXPECT_EQ(run.code, code) << args[0];
    EXPECT_EQ(run.err.substr(0, run.err.find(':', 8)), "bramah: " + word);
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1);
  };
  refused({"cat", "/ls/demo/none"}, 75, "not_found");
  refused({"create", "/ls/demo/none/a"}, 75, "not_found");
  refused({"create", "/ls/demo/dir/a"}, 75, "exists");
  refused({"rm", "/ls/demo/dir"}, 75, "not_empty");
  refused({"rm", "/ls/demo"}, 64, "root_is_permanent");
  refused({"cat", "/ls/demo/dir"}, 75, "is_a_directory");
  refused({"put", "/ls/demo/dir/a/b", "x"}, 75, "not_a_directory");
  refused({"put", "/ls/demo/dir/a", "x", "--if-generation", "9"}, 75, "generation_mismatch");
  EXPECT_EQ(Run({"add", "/ls/demo/n", "5"}).out, "5\n");
  EXPECT_EQ(Run({"add", "/ls/demo/n", "--min", "0", "--", "-2"}).out, "3\n");
  refused({"add", "/ls/demo/n", "1", "--max", "3"}, 75, "out_of_bounds");
  ASSERT_EQ(Run({"put", "/ls/demo/n", "three"}).code, 0);
  refused({"add", "/ls/demo/n", "1"}, 65, "not_a_number");
  refused({"cat", "/ls/other/a"}, 69, "wrong_cell");
  EXPECT_EQ(Run({"cat", "/ls/demo/dir/a"}).out, "1");
}

// [D-61]
TEST_F(CellTest, ABatchIsMadeWholeOrNotAtAll) {
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "1"}));
  ASSERT_EQ(Run({"put", "/ls/demo/a", "one"}).code, 0);
  ASSERT_EQ(Run({"put", "/ls/demo/n", "5"}).code, 0);
  const std::string file = scratch_ + "/batch";
  const auto batch = [&](const std::string& lines) {
    std::ofstream(file) << lines;
    return Run({"batch", file});
  };
  const std::string changes = "put /ls/demo/a two words\ncreate /ls/demo/b made\nmkdir /ls/demo/d\nadd /ls/demo/n 3\n";
  EXPECT_EQ(batch("# a guard that is true\nif /ls/demo/a is one\nif /ls/demo/b absent\n" + changes).out, "done\n");
  EXPECT_EQ(Run({"cat", "/ls/demo/a"}).out, "two words");
  EXPECT_EQ(Run({"cat", "/ls/demo/b"}).out, "made");
  EXPECT_EQ(Run({"cat", "/ls/demo/n"}).out, "8");
  EXPECT_EQ(Run({"ls", "/ls/demo/d"}).code, 0);

  const Finished guard = batch("if /ls/demo/a generation 1\nrm /ls/demo/b\n");
  EXPECT_EQ(guard.code, 75);
  EXPECT_EQ(guard.err.find("bramah: guard_failed: /ls/demo/a (line 1) "), 0u) << guard.err;
  EXPECT_EQ(batch("if /ls/demo/a generation 1\nrm /ls/demo/b\nelse\nadd /ls/demo/n 1\n").out, "done otherwise\n");
  const Finished refused = batch("add /ls/demo/n 1\ncreate /ls/demo/b again\n");
  EXPECT_EQ(refused.code, 75);
  EXPECT_EQ(refused.err.find("bramah: exists: /ls/demo/b (line 2) "), 0u) << refused.err;
  EXPECT_EQ(Run({"cat", "/ls/demo/n"}).out, "9");
  EXPECT_EQ(batch("put /ls/demo/a x\nrm /ls/demo/a\n").err.find("bramah: parts_overlap: "), 0u);
}

// [C-05, C-69]
TEST_F(CellTest, KeepsWhatItAcknowledgedWhenEverythingIsKilled) {
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "3", "--dir", scratch_ + "/cell", "--name", "prod"}));
  const std::string endpoints = environment_["BRAMAH_ENDPOINTS"];
  for (int i = 0; i < 5; ++i) ASSERT_EQ(Run({"put", "/ls/prod/f" + std::to_string(i), std::to_string(i)}).code, 0);
  const std::vector<pid_t> replicas = ReplicaProcesses();
  ASSERT_EQ(replicas.size(), 3u);
  cell_->process().Signal(SIGKILL);  // the replicas go with it
  EXPECT_EQ(cell_->Wait().code, 128 + SIGKILL);
  ASSERT_TRUE(
      WaitFor([&] { return std::all_of(replicas.begin(), replicas.end(), [](pid_t pid) { return kill(pid, 0) != 0; }); }));

  ASSERT_NO_FATAL_FAILURE(Up({"--dir", scratch_ + "/cell"}));
  EXPECT_EQ(environment_["BRAMAH_ENDPOINTS"], endpoints);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Run({"cat", "/ls/prod/f" + std::to_string(i)}).out, std::to_string(i));
}

// [C-32, C-67]
// A majority with blank directories would elect itself, and the one replica that keeps everything would be overwritten.
TEST_F(CellTest, AReplicaThatLostItsDirectoryIsNotMadeAnew) {
  const std::string directory = scratch_ + "/cell";
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "3", "--dir", directory}));
  ASSERT_EQ(Run({"put", "/ls/demo/a", "gold"}).code, 0);
  cell_->process().Signal(SIGTERM);
  ASSERT_EQ(cell_->Wait().code, 0);
  fs::rename(directory + "/r2", scratch_ + "/r2");
  ASSERT_NO_FATAL_FAILURE(Up({"--dir", directory}));
  EXPECT_EQ(CountLines(cell_->err(), "bramah: lost_replica: replica 2 stays down"), 1u) << cell_->err();
  EXPECT_EQ(Run({"cat", "/ls/demo/a"}).out, "gold");
  EXPECT_FALSE(fs::exists(directory + "/r2"));
  cell_->process().Signal(SIGTERM);
  ASSERT_EQ(cell_->Wait().code, 0);

  fs::rename(directory + "/r1", scratch_ + "/r1");
  const Finished refused = Bramah({"cell", "up", "--dir", directory});
  EXPECT_EQ(refused.code, 73);
  EXPECT_EQ(refused.err.find("bramah: lost_replica: only 1 of 3 replicas are left"), 0u) << refused.err;
  EXPECT_EQ(refused.out, "");
  EXPECT_FALSE(fs::exists(directory + "/r1"));
  for (const std::string name : {"/r1", "/r2"}) fs::rename(scratch_ + name, directory + name);
  ASSERT_NO_FATAL_FAILURE(Up({"--dir", directory}));
  EXPECT_EQ(Run({"cat", "/ls/demo/a"}).out, "gold");
}

// [C-32, C-67]
TEST_F(CellTest, ARestartDoesNotMakeALostReplicaAnew) {
  const std::string directory = scratch_ + "/cell";
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "3", "--dir", directory, "--restart"}));
  ASSERT_EQ(Run({"put", "/ls/demo/a", "gold"}).code, 0);
  const pid_t kept = ProcessOf(1);
  const pid_t lost = ProcessOf(2);
  fs::rename(directory + "/r2", scratch_ + "/r2");
  SignalAll({lost, kept}, SIGKILL);
  ASSERT_TRUE(WaitFor([&] { return CountLines(cell_->err(), "bramah: lost_replica: replica 2 stays down") == 1u; }));
  ASSERT_TRUE(WaitFor([&] { return ProcessOf(1) != 0 && ProcessOf(1) != kept; })) << "replica 1 is started again";
  EXPECT_EQ(Run({"cat", "/ls/demo/a"}).out, "gold");
  EXPECT_FALSE(fs::exists(directory + "/r2"));
  EXPECT_EQ(ProcessOf(2), 0);
}

TEST_F(CellTest, ADirectoryInUseIsRefusedBeforeAnythingIsSaid) {
  const std::string directory = scratch_ + "/cell";
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "1", "--dir", directory}));
  const Finished second = Bramah({"cell", "up", "--dir", directory});
  EXPECT_EQ(second.code, 73);
  EXPECT_EQ(second.out, "");
  EXPECT_EQ(second.err.find("bramah: directory_in_use:"), 0u) << second.err;
  EXPECT_EQ(std::count(second.err.begin(), second.err.end(), '\n'), 1) << second.err;
  EXPECT_EQ(Run({"put", "/ls/demo/a", "1"}).code, 0);
}

TEST_F(CellTest, OneDamagedReplicaDoesNotKeepTheOthersFromServing) {
  const std::string directory = scratch_ + "/cell";
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "3", "--dir", directory}));
  ASSERT_EQ(Run({"put", "/ls/demo/a", "gold"}).code, 0);
  cell_->process().Signal(SIGTERM);
  ASSERT_EQ(cell_->Wait().code, 0);
  fs::resize_file(directory + "/r1/identity", 10);
  ASSERT_NO_FATAL_FAILURE(Up({"--dir", directory}));
  EXPECT_EQ(Run({"cat", "/ls/demo/a"}).out, "gold");
  EXPECT_NE(cell_->err().find("replica 1 (process "), std::string::npos) << cell_->err();
  cell_->process().Signal(SIGTERM);
  ASSERT_EQ(cell_->Wait().code, 0);
  fs::resize_file(directory + "/r3/identity", 10);
  const Finished refused = Bramah({"cell", "up", "--dir", directory});
  EXPECT_GE(refused.code, 64) << "one of three is no majority";
}

TEST_F(CellTest, WhatRunsUnderNohupOutlivesItsTerminal) {
  cell_ = std::make_unique<Background>(
      std::vector<std::string>{"/bin/sh", "-c", "trap '' HUP; exec \"$0\" cell up -n 1", BramahPath()},
      Environment{{"TMPDIR", scratch_}});
  ASSERT_TRUE(WaitFor([&] { return !LineAfter(cell_->out(), "master: ").empty(); }));
  environment_ = {{"BRAMAH_ENDPOINTS", LineAfter(cell_->out(), "export BRAMAH_ENDPOINTS=")}};
  cell_->process().Signal(SIGHUP);
  EXPECT_EQ(Run({"put", "/ls/demo/a", "1"}).code, 0);
  cell_->process().Signal(SIGTERM);
  EXPECT_EQ(cell_->Wait().code, 0);
}

TEST_F(CellTest, LockSurvivesTheDeathOfTheMaster) {
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "3"}));
  const auto holder = Start(
      {"lock", "/ls/local/l", "--", "sh", "-c", "echo held $BRAMAH_LOCK_GENERATION; read line < " + scratch_ + "/go; exit 5"});
  ASSERT_EQ(mkfifo((scratch_ + "/go").c_str(), 0600), 0);
  ASSERT_TRUE(WaitFor([&] { return !LineAfter(holder->out(), "held ").empty(); }));
  const auto waiter = Start({"lock", "/ls/local/l", "--", "sh", "-c", "echo held $BRAMAH_LOCK_GENERATION"});
  ASSERT_TRUE(WaitFor([&] { return json::parse(Run({"stat", "-o", "json", "/ls/local/l"}).out)["lock_waiters"] == 1; }));

  const json before = Status();
  ASSERT_EQ(kill(MasterProcess(), SIGKILL), 0);
  ASSERT_TRUE(WaitFor([&] { return Status()["phase"] == "serving" && Status()["epoch"] > before["epoch"]; }));
  EXPECT_EQ(Run({"lock", "--try", "/ls/local/l", "--", "true"}).code, 75);
  EXPECT_EQ(Run({"lock", "--timeout", "200ms", "/ls/local/l", "--", "true"}).code, 75);
  EXPECT_TRUE(holder->process().running());
  EXPECT_EQ(waiter->out(), "");

  std::ofstream(scratch_ + "/go") << "go\n";
  EXPECT_EQ(holder->Wait().code, 5);
  const Finished second = waiter->Wait();
  EXPECT_EQ(second.code, 0);
  EXPECT_GT(std::stoull(LineAfter(second.out, "held ")), std::stoull(LineAfter(holder->out(), "held ")));
  EXPECT_NE(cell_->err().find("ended: signal 9"), std::string::npos) << cell_->err();
}

TEST_F(CellTest, SoManyRunSideBySideAsALockHasPermits) {
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "1"}));
  const std::string hold = "echo permit $BRAMAH_LOCK_PERMIT; read line < " + scratch_ + "/go";
  ASSERT_EQ(mkfifo((scratch_ + "/go").c_str(), 0600), 0);
  const auto first = Start({"lock", "--permits", "2", "/ls/local/pool", "--", "sh", "-c", hold});
  ASSERT_TRUE(WaitFor([&] { return first->out().find("permit 0") != std::string::npos; }));
  EXPECT_EQ(Run({"lock", "--permits", "2", "/ls/local/pool", "--", "sh", "-c", "echo permit $BRAMAH_LOCK_PERMIT"}).out,
            "permit 1\n");
  const Finished other = Run({"lock", "/ls/local/pool", "--", "true"});
  EXPECT_EQ(other.code, 75);
  EXPECT_NE(other.err.find("bramah: other_permits:"), std::string::npos) << other.err;
  EXPECT_EQ(json::parse(Run({"stat", "-o", "json", "/ls/local/pool"}).out)["lock_permits"], 2);
  std::ofstream(scratch_ + "/go") << "go\n";
  EXPECT_EQ(first->Wait().code, 0);
}

// [C-32]
TEST_F(CellTest, CommandUnderALockSeesWhatItNeeds) {
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "1"}));
  const Finished run = Run({"lock", "--shared", "/ls/demo/l", "--", "sh", "-c", "cat; env | grep ^BRAMAH_ | sort"}, "input\n");
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.out.substr(0, 6), "input\n");
  EXPECT_EQ(LineAfter(run.out, "BRAMAH_LOCK_PATH="), "/ls/demo/l");
  EXPECT_EQ(LineAfter(run.out, "BRAMAH_LOCK_MODE="), "shared");
  EXPECT_GT(std::stoull(LineAfter(run.out, "BRAMAH_LOCK_GENERATION=")), 0u);
  EXPECT_EQ(LineAfter(run.out, "BRAMAH_SESSION=").size(), 16u);
  EXPECT_EQ(LineAfter(run.out, "BRAMAH_SEQUENCER=").substr(0, 5), "s1:s:");
  EXPECT_EQ(Run({"lock", "/ls/demo/l", "--", "/no/such/program"}).code, 127);
  EXPECT_EQ(Run({"lock", "/ls/demo/l", "--", "sh", "-c", "kill -9 $$"}).code, 128 + SIGKILL);

  const auto signalled =
      Start({"lock", "/ls/demo/l", "--", "sh", "-c", "trap 'exit 42' TERM; echo ready; while :; do sleep 0.05; done"});
  ASSERT_TRUE(WaitFor([&] { return CountLines(signalled->out(), "ready") == 1; }));
  signalled->process().Signal(SIGTERM);
  EXPECT_EQ(signalled->Wait().code, 42);
  EXPECT_EQ(json::parse(Run({"stat", "-o", "json", "/ls/demo/l"}).out)["lock_mode"], "free");
}

// Without the token the lock would be free only when the session has expired, after twelve seconds.
TEST_F(CellTest, ACommandThatWasKilledTakesItsLockOverWhenItIsRunAgain) {
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "3"}));
  const std::string token = scratch_ + "/token";
  const auto hold = [&](const std::string& delay) {
    return Start({"lock", "--token", token, "--lock-delay", delay, "/ls/local/l", "--", "sh", "-c", "echo held; exec sleep 600"});
  };
  const auto kill_holding = [&](Background& holder) {
    ASSERT_TRUE(WaitFor([&] { return CountLines(holder.out(), "held") == 1u; })) << holder.err();
    holder.process().Signal(SIGKILL);
    EXPECT_EQ(holder.Wait().code, 128 + SIGKILL);
  };
  const auto first = hold("1ms");
  ASSERT_TRUE(WaitFor([&] { return CountLines(first->out(), "held") == 1u; }));
  EXPECT_EQ(fs::status(token).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  const Finished beside = Run({"lock", "--token", token, "/ls/local/l", "--", "true"});
  EXPECT_EQ(beside.code, 75);
  EXPECT_NE(beside.err.find("bramah: token_in_use: "), std::string::npos) << beside.err;
  ASSERT_NO_FATAL_FAILURE(kill_holding(*first));
  const auto second = hold("1s");  // a lock that is lost now is delayed
  ASSERT_NO_FATAL_FAILURE(kill_holding(*second));
  const Finished stranger = Run({"--principal", "eve", "lock", "--token", token, "/ls/local/l", "--", "true"});
  EXPECT_EQ(stranger.code, 77);
  EXPECT_NE(stranger.err.find("bramah: takeover_refused: "), std::string::npos) << stranger.err;
  const Finished again = Run({"lock", "--token", token, "--timeout", "8s", "/ls/local/l", "--", "true"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(fs::file_size(token), 0u) << "its session was ended";
}

TEST_F(CellTest, ALockThatATakeoverFreesIsDelayed) {
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "1"}));
  const std::string token = scratch_ + "/token";
  const auto holder =
      Start({"lock", "--token", token, "--lock-delay", "60s", "/ls/local/l", "--", "sh", "-c", "echo held; exec sleep 600"});
  ASSERT_TRUE(WaitFor([&] { return CountLines(holder->out(), "held") == 1u; }));
  holder->process().Signal(SIGKILL);
  holder->Wait();
  EXPECT_NE(Run({"lock", "--try", "/ls/local/l", "--", "true"}).err.find("bramah: lock_conflict: "), std::string::npos);
  const Finished again = Run({"lock", "--try", "--token", token, "/ls/local/l", "--", "true"});
  EXPECT_EQ(again.code, 75);
  EXPECT_NE(again.err.find("bramah: lock_delayed: "), std::string::npos) << again.err;
}

TEST_F(CellTest, ATokenFileThatHoldsSomethingElseIsRefused) {
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "1"}));
  const std::string token = scratch_ + "/token";
  std::ofstream(token) << "something else\n";
  for (const std::string verb : {"lock", "session"}) {
    std::vector<std::string> args = {verb, "--token", token};
    if (verb == "lock") args.insert(args.end(), {"/ls/local/l", "--", "true"});
    const Finished run = Run(args);
    EXPECT_EQ(run.code, 65) << verb;
    EXPECT_EQ(run.err.find("bramah: bad_token: "), 0u) << run.err;
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  }
}

//
TEST_F(CellTest, AnyReplicaAnswersStaleReadsWithoutAMajority) {
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "3"}));
  ASSERT_EQ(Run({"put", "/ls/demo/f", "hello"}).code, 0);
  EXPECT_EQ(Run({"cat", "--read", "stale", "/ls/demo/none"}).code, 75);
  // Until every replica has applied it.
  ASSERT_TRUE(WaitFor([&] {
    const json status = Status();
    return std::all_of(status["replicas"].begin(), status["replicas"].end(), [&](const json& replica) {
      return replica["applied_index"] == status["replicas"][0]["applied_index"];
    });
  }));
  std::vector<pid_t> stopped = {MasterProcess()};  // and one of the others
  for (const pid_t process : ReplicaProcesses()) {
    if (stopped.size() < 2 && process != stopped[0]) stopped.push_back(process);
  }
  SignalAll(stopped, SIGSTOP);
  EXPECT_EQ(Run({"cat", "/ls/demo/f", "--timeout", "500ms"}).code, 69);
  EXPECT_EQ(Run({"cat", "--read", "stale", "/ls/demo/f"}).out, "hello");
  EXPECT_EQ(Run({"ls", "--read", "stale", "/ls/demo"}).out, "f\n");
  const json shown = json::parse(Run({"stat", "--read", "stale", "/ls/demo/f", "-o", "json"}).out);
  EXPECT_EQ(shown["content_length"], 5);
  EXPECT_GT(shown["applied_index"], 0);
  SignalAll(stopped, SIGCONT);
}

// [C-14, C-15, C-30]
TEST_F(CellTest, AclsDecideWhoMayDoWhat) {
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "1"}));
  ASSERT_EQ(Run({"create", "--dir", "/ls/local/acl"}).code, 0);
  ASSERT_EQ(Run({"put", "/ls/local/acl/writers", "ann bob"}).code, 0);
  ASSERT_EQ(Run({"put", "/ls/local/f", "one"}).code, 0);
  const json shown = json::parse(Run({"acl", "/ls/local/f", "-o", "json"}).out);
  EXPECT_EQ(shown["acl_write"], "everyone");
  EXPECT_EQ(shown["acl_generation"], 1);
  ASSERT_EQ(Run({"acl", "/ls/local/f", "--write", "writers", "--change", "writers"}).code, 0);
  EXPECT_EQ(Run({"--principal", "ann", "put", "/ls/local/f", "two"}).code, 0);
  const Finished refused = Run({"--principal", "eve", "put", "/ls/local/f", "three"});
  EXPECT_EQ(refused.code, 77);
  EXPECT_NE(refused.err.find("bramah: permission_denied: "), std::string::npos) << refused.err;
  EXPECT_EQ(Run({"--principal", "eve", "lock", "/ls/local/f", "--", "true"}).code, 77);
  EXPECT_EQ(Run({"--principal", "eve", "rm", "/ls/local/f"}).code, 77);
  EXPECT_EQ(Run({"--principal", "eve", "acl", "/ls/local/f", "--write", "everyone"}).code, 77);
  EXPECT_EQ(Run({"--principal", "bob", "acl", "/ls/local/f", "--read", "nobody", "--if-generation", "1"}).code, 75);
  EXPECT_EQ(Run({"--principal", "eve", "cat", "/ls/local/f"}).out, "two");
  // Who takes the right to read from himself has done what he wanted.
  ASSERT_EQ(Run({"create", "/ls/demo/mine", "1"}).code, 0);
  const Finished last = Run({"acl", "/ls/demo/mine", "--read", "nobody"});
  EXPECT_EQ(last.code, 0) << last.err;
  EXPECT_NE(last.err.find("the names are set; "), std::string::npos) << last.err;
}

// What was set, and null for what may not be read any more, under the same names.
TEST_F(CellTest, WhoMayNotReadTheAclAnyMoreStillGetsAnObject) {
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "1"}));
  ASSERT_EQ(Run({"create", "/ls/demo/mine", "1"}).code, 0);
  const json before = json::parse(Run({"acl", "/ls/demo/mine", "-o", "json"}).out);
  EXPECT_EQ(before["readable"], true);
  const Finished set = Run({"-o", "json", "acl", "/ls/demo/mine", "--read", "nobody"});
  EXPECT_EQ(set.code, 0);
  EXPECT_EQ(set.err, "");
  const json expected = {{"path", "/ls/demo/mine"}, {"acl_generation", 2},  {"acl_read", "nobody"},
                         {"acl_write", nullptr},    {"acl_change", nullptr}, {"readable", false}};
  EXPECT_EQ(json::parse(set.out), expected);
  for (const auto& [key, value] : before.items()) EXPECT_TRUE(expected.contains(key)) << key;
}

// [C-38, C-39, C-41]
TEST_F(CellTest, AWatcherIsToldOfWritesChildrenAndRemoval) {
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "3"}));
  ASSERT_EQ(Run({"create", "--dir", "/ls/local/d"}).code, 0);
  ASSERT_EQ(Run({"put", "/ls/local/d/f", "one"}).code, 0);
  const auto file = Start({"watch", "/ls/local/d/f"});
  const auto directory = Start({"watch", "--count", "2", "/ls/local/d", "-o", "json"});
  ASSERT_TRUE(WaitFor([&] {
    return CountLines(file->out(), "watching generation 1") == 1u && directory->out().find("watching") != std::string::npos;
  }));
  ASSERT_EQ(Run({"put", "/ls/local/d/f", "two"}).code, 0);
  ASSERT_TRUE(WaitFor([&] { return CountLines(file->out(), "contents generation 2") == 1u; }));
  ASSERT_EQ(kill(MasterProcess(), SIGKILL), 0);
  ASSERT_EQ(Run({"put", "/ls/local/d/f", "three"}).code, 0);
  ASSERT_TRUE(WaitFor([&] { return CountLines(file->out(), "contents generation 3") == 1u; }));
  EXPECT_EQ(CountLines(file->out(), "failed_over"), 1u);
  ASSERT_EQ(Run({"rm", "/ls/local/d/f"}).code, 0);
  EXPECT_EQ(file->Wait().code, 0);
  EXPECT_NE(file->out().find("removed\n"), std::string::npos) << file->out();
  EXPECT_EQ(directory->Wait().code, 0);
  EXPECT_EQ(CountLines(directory->out(), "{\"event\":\"children\""), 2u) << directory->out();
}

// [C-32] A server that gets the sequencer can ask the cell about it.
TEST_F(CellTest, ASequencerIsGoodForAsLongAsTheLockIsHeld) {
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "1"}));
  ASSERT_EQ(mkfifo((scratch_ + "/go").c_str(), 0600), 0);
  const auto holder =
      Start({"lock", "/ls/local/l", "--", "sh", "-c", "echo sequencer $BRAMAH_SEQUENCER; read line < " + scratch_ + "/go"});
  ASSERT_TRUE(WaitFor([&] { return !LineAfter(holder->out(), "sequencer ").empty(); }));
  const std::string sequencer = LineAfter(holder->out(), "sequencer ");
  const json checked = json::parse(Run({"check", "--exclusive", sequencer, "-o", "json"}).out);
  EXPECT_EQ(checked["valid"], true);
  EXPECT_EQ(checked["path"], "/ls/demo/l");
  EXPECT_EQ(checked["mode"], "exclusive");
  EXPECT_EQ(checked["generation"], json::parse(Run({"stat", "-o", "json", "/ls/local/l"}).out)["lock_generation"]);
  std::string forged = sequencer;
  forged[5] = forged[5] == '0' ? '1' : '0';
  EXPECT_EQ(Run({"check", forged}).code, 65);
  EXPECT_EQ(Run({"check", "s1"}).code, 65);

  std::ofstream(scratch_ + "/go") << "go\n";
  EXPECT_EQ(holder->Wait().code, 0);
  const Finished late = Run({"check", sequencer});
  EXPECT_EQ(late.code, 76);
  EXPECT_NE(late.err.find("sequencer_invalid"), std::string::npos) << late.err;
}

// [C-44]
TEST_F(CellTest, CommandIsStoppedBeforeTheLeaseEndsWhenTheCellIsGone) {
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "3"}));
  const std::vector<pid_t> replicas = ReplicaProcesses();
  ASSERT_EQ(replicas.size(), 3u);
  const auto session = Start({"session"});
  // It ignores SIGTERM, so only SIGKILL ends it.
  const auto holder = Start({"lock", "/ls/local/l", "--", "sh", "-c",
                             "trap 'echo asked' TERM; echo $$ > " + scratch_ + "/pid; while :; do sleep 0.05; done"});
  ASSERT_TRUE(WaitFor([&] {
    return fs::exists(scratch_ + "/pid") && fs::file_size(scratch_ + "/pid") > 0 &&
           session->out().find(" active ") != std::string::npos;
  }));
  pid_t child = 0;
  std::ifstream(scratch_ + "/pid") >> child;
  SignalAll(replicas, SIGSTOP);
  bool dead_before_jeopardy = false;
  // The session was opened before the lock's: when it is in jeopardy the lock's lease has at most moments left.
  ASSERT_TRUE(WaitFor([&] {
    const bool jeopardy = session->out().find("jeopardy") != std::string::npos;
    dead_before_jeopardy = dead_before_jeopardy || (!jeopardy && kill(child, 0) != 0);
    return jeopardy;
  }));
  EXPECT_TRUE(dead_before_jeopardy);
  const Finished run = holder->Wait();
  EXPECT_EQ(run.code, 76);
  EXPECT_EQ(CountLines(run.out, "asked"), 1u);
  EXPECT_NE(run.err.find("bramah: lock_lost:"), std::string::npos) << run.err;  // the shell may say before that its sleep ended

  SignalAll(replicas, SIGCONT);
  ASSERT_TRUE(WaitFor([&] { return session->out().find(" safe ") != std::string::npos; }));
  session->process().Signal(SIGINT);
  const Finished closed = session->Wait();
  EXPECT_EQ(closed.code, 0);
  EXPECT_NE(closed.out.find(" closed "), std::string::npos) << closed.out;
}

// [C-78]
TEST_F(CellTest, OneOfTwoCandidatesIsElectedAndTheOtherTakesOver) {
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "1"}));
  const auto first = Start({"elect", "/ls/local/primary", "--value", "one"});
  ASSERT_TRUE(WaitFor([&] { return CountLines(first->out(), "elected one generation ") == 1; }));
  const auto second = Start({"elect", "/ls/local/primary", "--value", "two"});
  ASSERT_TRUE(WaitFor([&] { return CountLines(second->out(), "primary one") == 1; }));
  EXPECT_EQ(Run({"cat", "/ls/local/primary"}).out, "one");
  EXPECT_EQ(CountLines(second->out(), "elected"), 0u);
  first->process().Signal(SIGTERM);
  EXPECT_EQ(first->Wait().code, 0);
  ASSERT_TRUE(WaitFor([&] { return CountLines(second->out(), "elected two generation ") == 1; }));
  EXPECT_EQ(Run({"cat", "/ls/local/primary"}).out, "two");
  const Finished third = Run({"elect", "/ls/local/primary", "--value", "three", "--timeout", "300ms"});
  EXPECT_EQ(third.code, 75);
  second->process().Signal(SIGINT);
  EXPECT_EQ(second->Wait().code, 0);
  const Finished winner = Run({"elect", "/ls/local/primary", "--value", "three", "--", "sh", "-c", "exit 9"});
  EXPECT_EQ(winner.code, 9);
  EXPECT_EQ(CountLines(winner.out, "primary"), 0u) << "who wins at once has nobody else to show: " << winner.out;
}

// [C-06]
TEST_F(CellTest, EphemeralFileGoesWithItsCommand) {
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "1"}));
  const auto owner = Start({"create", "--ephemeral", "/ls/local/e", "here"});
  ASSERT_TRUE(WaitFor([&] { return Run({"cat", "/ls/local/e"}).out == "here"; }));
  owner->process().Signal(SIGINT);
  EXPECT_EQ(owner->Wait().code, 0);
  EXPECT_EQ(Run({"cat", "/ls/local/e"}).code, 75);
}

// One replica that is a cell of its own, to look at its directory.
constexpr Duration kPatience = 60 * kSecond;

// What a client is answered when it makes these calls, each waited for, or all started at once and then waited for.
std::string AnswersOf(const std::string& endpoint, bool waits) {
  net_real::ClientOptions options;
  options.endpoints = {endpoint};
  net_real::RealClient client(options);
  v1::Command command;
  command.set_kind(v1::OPEN_SESSION);
  EXPECT_EQ(client.Call(command, kPatience).code(), v1::OK);
  command.set_kind(v1::OPEN);
  command.set_path("/f");
  command.set_open_flags(v1::OPEN_WRITE | v1::OPEN_MUST_CREATE);
  const v1::Outcome open = client.Call(command, kPatience);
  EXPECT_EQ(open.code(), v1::OK);
  command.Clear();
  command.set_handle(open.handle());
  command.set_contents("text");
  command.set_mode(v1::EXCLUSIVE);
  command.set_delta(1);
  std::vector<v1::Outcome> answers;
  const auto keep = [&answers](const v1::Outcome& answer) { answers.push_back(answer); };
  const std::vector<v1::CommandKind> kinds = {v1::SET_CONTENTS, v1::GET_CONTENTS, v1::ADD,     v1::ACQUIRE, v1::GET_STAT,
                                              v1::RELEASE,      v1::READ_DIR,     v1::RELEASE, v1::DELETE,  v1::SET_CONTENTS};
  for (const v1::CommandKind kind : kinds) {
    command.set_kind(kind);
    if (waits) {
      keep(client.Call(command, kPatience));
    } else {
      client.Start(command, keep);
    }
  }
  EXPECT_TRUE(client.RunUntil([&] { return answers.size() == kinds.size(); }, net_real::Now() + kPatience));
  std::string text;
  for (const v1::Outcome& answer : answers) text += v1::Code_Name(answer.code()) + " '" + answer.contents() + "' ";
  client.EndSession(kPatience);
  return text;
}

// [C-33]
TEST_F(CellTest, CallsAreAnsweredTheSameWaitedForOrNot) {
  ASSERT_NO_FATAL_FAILURE(Up({"-n", "1"}));
  const std::string waited = AnswersOf(environment_["BRAMAH_ENDPOINTS"], /*waits=*/true);
  EXPECT_EQ(waited.substr(0, 39), "OK '' OK 'text' NOT_A_NUMBER '' OK '' O");
  EXPECT_EQ(AnswersOf(environment_["BRAMAH_ENDPOINTS"], /*waits=*/false), waited);
}

class ServerTest : public CellTest {
 protected:
  std::vector<std::string> Flags(const std::string& cell = "solo", int id = 1) const {
    const std::string members = std::to_string(id) + "=127.0.0.1:" + std::to_string(port_);
    return {"server", "--cell", cell, "--id", std::to_string(id), "--dir", scratch_ + "/data", "--members", members};
  }
  void StartServer() {
    environment_ = {{"BRAMAH_ENDPOINTS", "127.0.0.1:" + std::to_string(port_)}};
    cell_ = StartBramah(Flags());
    ASSERT_TRUE(WaitFor([&] { return Run({"status"}).code == 0 || cell_->process().Poll(); }));
    ASSERT_TRUE(cell_->process().running()) << cell_->err();
  }
  // The last line of stderr: log lines come before it.
  static std::string LastLine(const std::string& text) {
    const size_t end = text.find_last_not_of('\n');
    const size_t start = text.rfind('\n', end);
    return text.substr(start == std::string::npos ? 0 : start + 1, end == std::string::npos ? end : end - start);
  }
  void StopServer() {
    cell_->process().Signal(SIGTERM);
    EXPECT_EQ(cell_->Wait().code, 0);
  }

  const int port_ = FreePort();
};

TEST_F(ServerTest, StopsCleanlyAndStartsAgain) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_EQ(Run({"put", "/ls/solo/a", "1"}).code, 0);
  StopServer();
  ASSERT_NO_FATAL_FAILURE(StartServer());
  EXPECT_EQ(Run({"cat", "/ls/solo/a"}).out, "1");
  StopServer();
}

TEST_F(ServerTest, DirectoryInUseAndPortInUseAreRefused) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  const Finished same = Bramah(Flags());
  EXPECT_EQ(same.code, 73);
  EXPECT_EQ(LastLine(same.err).substr(0, 25), "bramah: directory_in_use:");
  std::vector<std::string> other = Flags();
  other[6] = scratch_ + "/other";
  const Finished port = Bramah(other);
  EXPECT_EQ(port.code, 78);
  EXPECT_EQ(LastLine(port.err).substr(0, 20), "bramah: port_in_use:");
  StopServer();
}

TEST_F(ServerTest, DirectoryOfAnotherCellOrReplicaIsRefusedAndUntouched) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_EQ(Run({"put", "/ls/solo/a", "1"}).code, 0);
  StopServer();
  for (const std::vector<std::string>& flags : {Flags("another", 1), Flags("solo", 2)}) {
    const Finished run = Bramah(flags);
    EXPECT_EQ(run.code, 73);
    EXPECT_EQ(LastLine(run.err).substr(0, 26), "bramah: foreign_directory:") << run.err;
  }
  ASSERT_NO_FATAL_FAILURE(StartServer());
  EXPECT_EQ(Run({"cat", "/ls/solo/a"}).out, "1");
  StopServer();
}

TEST_F(ServerTest, DamagedLogIsRefusedAndKept) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  for (int i = 0; i < 3; ++i) ASSERT_EQ(Run({"put", "/ls/solo/a", std::to_string(i)}).code, 0);
  StopServer();
  // The segment in use: the one after it is allocated, and all zeros.
  std::string segment;
  std::string bytes;
  for (const auto& entry : fs::directory_iterator(scratch_ + "/data")) {
    const std::string name = entry.path().filename().string();
    std::ifstream file(entry.path(), std::ios::binary);
    std::string contents{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!name.starts_with("wal-") || contents.find_last_not_of('\0') == std::string::npos || entry.path().string() < segment)
      continue;
    segment = entry.path().string();
    bytes = std::move(contents);
  }
  const size_t used = bytes.find_last_not_of('\0');
  ASSERT_NE(used, std::string::npos);
  // Far below the last synced batch; zeros may be the meaningless rest of a sector.
  bytes[bytes.find_last_not_of('\0', used / 2)] ^= 0x10;
  std::ofstream(segment, std::ios::binary | std::ios::in | std::ios::out) << bytes;
  const Finished run = Bramah(Flags());
  EXPECT_EQ(run.code, 65);
  EXPECT_EQ(LastLine(run.err).substr(0, 20), "bramah: corrupt_log:") << run.err;
  std::ifstream file(segment, std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()), bytes) << "evidence was changed";
}

}  // namespace
}  // namespace bramah::cli

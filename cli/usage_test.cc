// What the command line says when it cannot do what was asked: one line, a documented code, at once. No cell runs here.
#include <csignal>
#include <filesystem>
#include <fstream>

#include "cli/test_binary.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace bramah::cli {
namespace {

struct Case {
  std::vector<std::string> args;
  int code;
  std::string line;  // what stderr begins with, up to the remedy
};

void PrintTo(const Case& c, std::ostream* out) {
  for (const std::string& arg : c.args) *out << arg << ' ';
}

class UsageTest : public testing::TestWithParam<Case> {};

TEST_P(UsageTest, OneLineAndADocumentedCode) {
  const Finished run = Bramah(GetParam().args);
  EXPECT_EQ(run.code, GetParam().code);
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err.substr(0, GetParam().line.size()), GetParam().line);
  ASSERT_FALSE(run.err.empty());
  EXPECT_EQ(run.err.find('\n'), run.err.size() - 1) << "more than one line: " << run.err;
  EXPECT_NE(run.err.find("; "), std::string::npos) << "no remedy: " << run.err;
}

const std::string kBig(256 * 1024, 'x');  // an argument may not be longer than 128 KiB, so contents come by standard input

INSTANTIATE_TEST_SUITE_P(
    Verbs, UsageTest,
    testing::Values(
        Case{{}, 64, "bramah: usage: A subcommand is required; run 'bramah --help'"},
        Case{{"frobnicate"}, 64, "bramah: usage: 'bramah' has no command 'frobnicate'; run 'bramah --help'"},
        Case{{"-o", "text", "sim", "frob"}, 64, "bramah: usage: 'bramah sim' has no command 'frob'; run 'bramah sim --help'"},
        Case{{"ls"}, 64, "bramah: usage: path is required; run 'bramah ls --help'"},
        Case{{"ls", "--no-such-flag", "/ls/local"},
             64,
             "bramah: usage: The following argument was not expected: --no-such-flag; run 'bramah ls --help'"},
        Case{{"ls", "/ls/local", "extra"}, 64, "bramah: usage: "},
        Case{{"ls", "/tmp"}, 64, "bramah: bad_path: '/tmp' is no path; write /ls/<cell>/name/name"},
        Case{{"cat", "/ls/local//a"}, 64, "bramah: bad_path: "}, Case{{"cat", "/ls/local/a/"}, 64, "bramah: bad_path: "},
        Case{{"cat", "/ls/local/.."}, 64, "bramah: bad_path: "}, Case{{"cat", "/ls"}, 64, "bramah: bad_path: "},
        Case{{"cat", ""}, 64, "bramah: bad_path: "},
        Case{{"cat", "/ls/local/" + std::string(300, 'n')}, 64, "bramah: bad_path: "},
        Case{{"lock", "nowhere", "--", "true"}, 64, "bramah: bad_path: "},
        Case{{"lock", "/ls/local/l"}, 64, "bramah: usage: no command; write 'bramah lock PATH -- CMD ARGS...'"},
        Case{{"lock", "/ls/local/l", "--"}, 64, "bramah: usage: no command"},
        Case{{"lock", "--lock-delay", "long", "/ls/local/l", "--", "true"},
             64,
             "bramah: usage: --lock-delay: 'long' is no duration"},
        Case{{"elect", "--lock-delay", "2m", "/ls/local/l", "--value", "v"},
             64,
             "bramah: usage: --lock-delay: '2m' is more than the 1m allowed"},
        Case{{"elect", "/ls/local/l"}, 64, "bramah: usage: --value is required; run 'bramah elect --help'"},
        Case{{"--timeout", "fast", "status"},
             64,
             "bramah: usage: --timeout: 'fast' is no duration such as 500ms, 5s or 1m; run 'bramah status --help'"},
        Case{{"status", "--timeout", "5"}, 64, "bramah: usage: --timeout: '5' is no duration"},
        Case{{"-o", "yaml", "status"}, 64, "bramah: usage: "},
        Case{{"--endpoints", "nonsense", "status"}, 64, "bramah: usage: --endpoints: 'nonsense' is not host:port"},
        Case{{"status"}, 78, "bramah: no_endpoints: no endpoints of a cell are known; pass --endpoints"},
        Case{{"ls", "/ls/local"}, 78, "bramah: no_endpoints: "}, Case{{"session"}, 78, "bramah: no_endpoints: "},
        Case{{"batch", "/dev/null"}, 64, "bramah: bad_batch: nothing is to be done; "},
        Case{{"batch", "no-such-file"}, 74, "bramah: io: cannot read no-such-file: No such file or directory; "},
        Case{{"batch", "/"}, 74, "bramah: io: cannot read /: Is a directory; "},
        Case{{"add", "/ls/local/n", "010"}, 64, "bramah: usage: delta: '010' begins with a zero, "},
        Case{{"add", "/ls/local/n", ""}, 64, "bramah: usage: delta: '' is no decimal integer; "},
        Case{{"add", "/ls/local/n", "99999999999999999999"},
             64,
             "bramah: usage: delta: '99999999999999999999' does not fit into 64 bits; "},
        Case{{"put", "/ls/local/a", "x", "--if-generation", "-1"}, 64, "bramah: usage: --if-generation: '-1' is less than 0; "},
        Case{{"lock", "--permits", "010", "/ls/local/l", "--", "true"}, 64, "bramah: usage: --permits: '010' begins with a zero"},
        Case{{"create", "--dir", "--ephemeral", "/ls/local/a"}, 64, "bramah: usage: "},
        Case{{"create", "--both", "/ls/local/a"}, 64, "bramah: usage: "},
        Case{{"create", "--owned", "--ephemeral", "/ls/local/a"}, 64, "bramah: usage: "},
        Case{{"create", "--owned", "--dir", "/ls/local/a"}, 64, "bramah: usage: "},
        Case{{"create", "--dir", "/ls/local/a", "x"}, 64, "bramah: usage: "},
        Case{{"put", "/ls/local/a", "x", "--if-generation", "many"}, 64, "bramah: usage: "},
        Case{{"cell"}, 64, "bramah: usage: A subcommand is required; run 'bramah cell --help'"},
        Case{{"cell", "up", "-n", "0"}, 64, "bramah: usage: "},
        Case{{"cell", "up", "--name", "a/b"}, 64, "bramah: usage: 'a/b' is no name for a cell"},
        Case{{"cell", "up", "--dir", "/proc/none"}, 73, "bramah: bad_directory: cannot use /proc/none"},
        Case{{"cell", "up", "--dir", "/etc"}, 73, "bramah: foreign_directory: /etc has files but no cell.json"},
        Case{{"server", "--id", "1"}, 64, "bramah: usage: "},
        Case{{"server", "--cell", "c", "--id", "1", "--dir", "/tmp/x", "--members", "1"},
             64,
             "bramah: usage: --members: '1' is not ID=host:port with a new ID"},
        Case{{"server", "--cell", "c", "--id", "1", "--dir", "/tmp/x", "--members", "1=a:1,1=a:2"},
             64,
             "bramah: usage: --members: '1=a:2' is not"},
        Case{{"server", "--cell", "c", "--id", "3", "--dir", "/tmp/x", "--members", "1=127.0.0.1:1"},
             78,
             "bramah: bad_configuration: replica 3 is not among the members"},
        Case{{"server", "--cell", "c", "--id", "1", "--dir", "/tmp/x", "--members", "1=10.0.0.1:1"},
             78,
             "bramah: bad_configuration: 10.0.0.1:1 can be reached by other machines"},
        Case{{"server", "--cell", "c", "--id", "1", "--dir", "/proc/none", "--members", "1=127.0.0.1:1"},
             73,
             "bramah: bad_directory: "},
        Case{{"server", "--cell", "c", "--id", "1", "--dir", "/tmp/x", "--members", "1=127.0.0.1:1", "--heartbeat", "200ms"},
             78,
             "bramah: bad_configuration: the heartbeat must be shorter"}));

INSTANTIATE_TEST_SUITE_P(
    Sim, UsageTest,
    testing::Values(
        Case{{"sim"}, 64, "bramah: usage: A subcommand is required; run 'bramah sim --help'"},
        Case{{"sim", "run"}, 64, "bramah: usage: how many seeds?"},
        Case{{"sim", "run", "--seeds", "9..3"}, 64, "bramah: usage: '9..3' is no range of seeds"},
        Case{{"sim", "run", "--seeds", "0..3", "--profile", "no-such"}, 64, "bramah: usage: "},
        Case{{"sim", "run", "--seeds", "0..3", "--ignore", "lock.none"}, 64,
             "bramah: usage: --ignore: no checker is called 'lock.none'; see 'bramah sim checkers'; run 'bramah sim run --help'"},
        Case{{"sim", "replay", "3", "--ignore", "core.check"}, 64,
             "bramah: usage: --ignore: no run goes on after core.check; ignore another; run 'bramah sim replay --help'"},
        Case{{"sim", "run", "--seeds", "0..3", "--jobs", "0"}, 64, "bramah: usage: "},
        Case{{"sim", "replay"}, 64, "bramah: usage: subject is required"},
        Case{{"sim", "replay", "99999999999999999999"}, 64, "bramah: usage: '99999999999999999999' is no 64-bit seed"},
        Case{{"sim", "replay", "0xfg"}, 64, "bramah: usage: "},
        Case{{"sim", "replay", "no-such.plan"}, 74, "bramah: io: cannot read plan no-such.plan: No such file or directory"},
        Case{{"sim", "replay", "/dev/null"}, 65, "bramah: bad_plan: /dev/null: "},
        Case{{"sim", "shrink", "3"}, 64, "bramah: usage: --out is required"}));

TEST(UsageTest, HelpNamesEveryVerbTheCodesAndTheLimits) {
  const Finished run = Bramah({"--help"});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.err, "");
  for (const char* word :
       {"server", "cell", "status", "ls", "cat", "batch", "put", "create", "rm", "stat", "lock", "elect",
        "Tell whether the lock", "Print what happens", "ACL names of a node", "session", "sim", "64 usage", "65 bad data",
        "69 cell", "70", "73", "74", "75", "76", "77", "78", "128+n", "BRAMAH_ENDPOINTS", "Not built yet"}) {
    EXPECT_NE(run.out.find(word), std::string::npos) << word;
  }
}

TEST(UsageTest, ErrorsAreJsonOnRequestBeforeAndAfterTheVerb) {
  for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{{"-o", "json", "cat", "/tmp"},
                                                                                    {"cat", "/tmp", "-o", "json"},
                                                                                    {"cat", "-ojson", "/tmp"},
                                                                                    {"cat", "/tmp", "--output=json"}}) {
    const Finished run = Bramah(args);
    EXPECT_EQ(run.code, 64);
    const auto json = nlohmann::json::parse(run.err);
    EXPECT_EQ(json["error"]["code"], "bad_path");
    EXPECT_EQ(json["error"]["message"], "'/tmp' is no path");
    EXPECT_TRUE(json["error"]["remedy"].is_string());
    EXPECT_EQ(json.size(), 1u);
    EXPECT_EQ(json["error"].size(), 3u);
  }
  const Finished parse = Bramah({"-o", "json", "cat"});
  EXPECT_EQ(nlohmann::json::parse(parse.err)["error"]["code"], "usage");
  const Finished environment = Bramah({"cat", "/tmp"}, {{"BRAMAH_OUTPUT", "json"}});
  EXPECT_EQ(nlohmann::json::parse(environment.err)["error"]["code"], "bad_path");
}

TEST(UsageTest, EnvironmentIsCheckedLikeFlags) {
  EXPECT_EQ(Bramah({"status"}, {{"BRAMAH_TIMEOUT", "soon"}}).code, 64);
  EXPECT_EQ(Bramah({"status"}, {{"BRAMAH_OUTPUT", "xml"}}).code, 64);
  EXPECT_EQ(Bramah({"status"}, {{"BRAMAH_ENDPOINTS", "xml"}}).code, 64);
}

// [C-75]
TEST(UsageTest, ContentsAboveTheLimitAreRefusedBeforeAnythingIsSent) {
  const Finished refused = Bramah({"put", "/ls/local/a"}, {}, kBig + "x");
  EXPECT_EQ(refused.code, 65);
  EXPECT_EQ(refused.err.substr(0, 51), "bramah: too_large: the contents are more than 26214");
  const Finished at_limit = Bramah({"put", "/ls/local/a"}, {}, kBig);
  EXPECT_EQ(at_limit.code, 78);  // went on to look for the cell
}

TEST(UsageTest, UnreachableCellEndsWithinTheTimeout) {
  for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{
           {"cat", "/ls/local/a"}, {"lock", "/ls/local/a", "--", "true"}, {"session"}, {"status"}}) {
    const Finished run = Bramah(args, {{"BRAMAH_ENDPOINTS", "127.0.0.1:1"}, {"BRAMAH_TIMEOUT", "300ms"}});
    EXPECT_EQ(run.code, 69) << args[0];
    EXPECT_NE(run.err.find("bramah: unavailable: "), std::string::npos) << run.err;
  }
}

TEST(UsageTest, StatusOfAnUnreachableCellIsStillAnObject) {
  const Finished run = Bramah({"status", "-o", "json"}, {{"BRAMAH_ENDPOINTS", "127.0.0.1:1,127.0.0.1:2"}});
  const auto json = nlohmann::json::parse(run.out);
  EXPECT_EQ(json["master"], 0);
  EXPECT_EQ(json["phase"], "none");
  EXPECT_EQ(json["lease_max_ns"], 0);
  ASSERT_EQ(json["replicas"].size(), 2u);
  for (const char* field : {"id", "endpoint", "pid", "role", "term", "commit_index", "applied_index", "reachable"}) {
    EXPECT_TRUE(json["replicas"][1].contains(field)) << field;
  }
  EXPECT_EQ(json["replicas"][1]["endpoint"], "127.0.0.1:2");
  EXPECT_EQ(json["replicas"][1]["reachable"], false);
}

TEST(UsageTest, DirectoryOfAnotherCellIsRefused) {
  std::string directory = testing::TempDir() + "/cellXXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  std::ofstream(directory + "/cell.json") << R"({"cell":"prod","endpoints":["127.0.0.1:1","127.0.0.1:2","127.0.0.1:3"]})";
  const Finished name = Bramah({"cell", "up", "--dir", directory, "--name", "demo"});
  EXPECT_EQ(name.code, 73);
  EXPECT_NE(name.err.find("holds cell 'prod' of 3 replicas"), std::string::npos) << name.err;
  EXPECT_EQ(Bramah({"cell", "up", "--dir", directory, "-n", "5"}).code, 73);
  std::ofstream(directory + "/cell.json") << "{";
  EXPECT_EQ(Bramah({"cell", "up", "--dir", directory}).code, 73);
  std::filesystem::remove_all(directory);
}

// A command in a shell that redirects; $0 is the binary.
Finished Shell(const std::string& command) { return Background({"/bin/sh", "-c", "exec " + command, BramahPath()}, {}).Wait(); }

TEST(UsageTest, InputThatCannotBeReadIsNotTakenForEmpty) {
  for (const char* command : {"$0 put /ls/local/v < /", "$0 put /ls/local/v <&-", "$0 create /ls/local/v - < /"}) {
    const Finished run = Shell(command);
    EXPECT_EQ(run.code, 74) << command;
    EXPECT_EQ(run.err.find("bramah: io: cannot read standard input: "), 0u) << run.err;
  }
}

TEST(UsageTest, OutputThatCannotBeWrittenIsAFailure) {
  for (const char* command : {"$0 --help >/dev/full", "$0 --version >/dev/full", "$0 sim plan 1 >/dev/full"}) {
    const Finished run = Shell(command);
    EXPECT_EQ(run.code, 74) << command;
    EXPECT_EQ(run.err.find("bramah: io: cannot write standard output; "), 0u) << run.err;
  }
}

// Whether the kernel's set of signals of that name has SIGTERM in it.
bool HasSigterm(Background& program, const std::string& set) {
  std::ifstream status("/proc/" + std::to_string(program.process().pid()) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(set + ":")) return (std::stoull(line.substr(set.size() + 1), nullptr, 16) >> (SIGTERM - 1) & 1) != 0;
  }
  return false;
}

// A sweep that has begun its first seed: it handles signals as it wants to.
bool HasWorker(Background& program) {
  const std::string pid = std::to_string(program.process().pid());
  std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
  pid_t child = 0;
  return static_cast<bool>(children >> child);
}

// A sweep without end ends, and tells of what was done.
TEST(UsageTest, AnInterruptedSweepShowsWhatWasDone) {
  const auto sweep = StartBramah({"sim", "run", "--seeds", "0..1000000", "--duration", "1s", "--jobs", "1"});
  ASSERT_TRUE(WaitFor([&] { return HasWorker(*sweep); }));
  sweep->process().Signal(SIGTERM);
  const Finished run = sweep->Wait();
  EXPECT_EQ(run.code, 128 + SIGTERM);
  EXPECT_NE(run.out.find("seeds, "), std::string::npos) << run.out;
  EXPECT_NE(run.err.find("interrupted: "), std::string::npos) << run.err;
}

// As `timeout` sends it: to the process, and to its group.
TEST(UsageTest, ASignalThatComesTwiceStillLeavesTimeToTell) {
  const auto sweep = StartBramah({"sim", "run", "--seeds", "0..1000000", "--duration", "600s", "--jobs", "1"});
  ASSERT_TRUE(WaitFor([&] { return HasWorker(*sweep); }));
  sweep->process().Signal(SIGTERM);
  // While one is pending another is the same.
  ASSERT_TRUE(WaitFor([&] { return !HasSigterm(*sweep, "ShdPnd"); }));
  sweep->process().Signal(SIGTERM);
  const Finished run = sweep->Wait();
  EXPECT_EQ(run.code, 128 + SIGTERM);
  EXPECT_NE(run.out.find("ok: 1 seeds, "), std::string::npos) << run.out;
}

TEST(UsageTest, ASweepThatLeftNothingOutWasNotInterrupted) {
  const auto sweep = StartBramah({"sim", "run", "--seeds", "0..1", "--duration", "600s", "--jobs", "1"});
  ASSERT_TRUE(WaitFor([&] { return HasWorker(*sweep) || sweep->process().Poll(); }));
  sweep->process().Signal(SIGTERM);
  const Finished run = sweep->Wait();
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.err.find("interrupted: "), std::string::npos) << run.err;
  EXPECT_NE(run.out.find("ok: 1 seeds, "), std::string::npos) << run.out;
}

// As of a job that a script has put into the background.
TEST(UsageTest, ASweepThatIsToIgnoreASignalIgnoresIt) {
  Background sweep({"/bin/sh", "-c", "trap '' INT TERM; exec \"$0\" sim run --seeds 0..3 --duration 300s --jobs 1", BramahPath()},
                   {});
  ASSERT_TRUE(WaitFor([&] { return HasWorker(sweep) || sweep.process().Poll(); }));
  for (const int number : {SIGINT, SIGTERM}) sweep.process().Signal(number);
  const Finished run = sweep.Wait();
  EXPECT_EQ(run.code, 0);
  EXPECT_NE(run.out.find("ok: 3 seeds, "), std::string::npos) << run.out;
}

}  // namespace
}  // namespace bramah::cli

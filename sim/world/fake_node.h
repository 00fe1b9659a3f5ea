// For tests: nodes whose steps are written as functions, and a world of them.
#ifndef BRAMAH_SIM_WORLD_FAKE_NODE_H_
#define BRAMAH_SIM_WORLD_FAKE_NODE_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "sim/world/world.h"

namespace bramah::sim {

using StepFunction = std::function<void(ProcessId, Time now, const Input&, Effects&)>;

class FakeNode : public Node {
 public:
  FakeNode(ProcessId process, const StepFunction* step) : process_(process), step_(step) {}
  void Step(Time now, const Input& input, Effects& out) override { (*step_)(process_, now, input, out); }

 private:
  ProcessId process_;
  const StepFunction* step_;
};

// Writes down what happens: "1.5 r1 up", one line per input, in milliseconds of real time.
class Diary : public Observer {
 public:
  void Crashed(Time at, ProcessId process, bool machine) override { Note(at, process, machine ? "machine down" : "down"); }
  void Stepped(Time at, ProcessId process, const Node&, const Input& input, const Effects&) override {
    Note(at, process, Name(input));
  }
  void MessageLeft(Time, ProcessId, const Claim&) override { ++left; }
  void DiskOperation(Time, ProcessId, const FileOp&) override { ++disk_operations; }
  void Report(std::string_view checker, Time, const std::string&) override { reports.emplace_back(checker); }

  std::vector<std::string> lines;
  std::vector<Time> times;
  std::vector<std::string> reports;
  int left = 0;
  int disk_operations = 0;

  int Count(const std::string& line) const {
    int count = 0;
    for (const std::string& other : lines) count += other == line;
    return count;
  }
  // Time of the first such line, or -1.
  Time When(const std::string& line) const {
    for (size_t i = 0; i < lines.size(); ++i) {
      if (lines[i] == line) return times[i];
    }
    return -1;
  }

 private:
  static std::string Name(const Input& input) {
    if (const auto* deliver = std::get_if<Deliver>(&input)) {
      const auto* ping = deliver->message.As<v1::Ping>();
      return "ping " + std::to_string(ping == nullptr ? 0 : ping->number());
    }
    if (const auto* down = std::get_if<ConnDown>(&input)) return down->why == CloseReason::kUnreachable ? "unreachable" : "down";
    if (const auto* failed = std::get_if<DiskFailed>(&input)) return "disk failed at " + std::to_string(failed->op);
    static constexpr const char* kNames[] = {"boot", "up", "down", "writable", "deliver", "timer", "disk", "disk failed", "call"};
    return kNames[input.index()];
  }
  void Note(Time at, ProcessId process, const std::string& what) {
    lines.push_back("p" + std::to_string(process) + " " + what);
    times.push_back(at);
  }
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_WORLD_FAKE_NODE_H_

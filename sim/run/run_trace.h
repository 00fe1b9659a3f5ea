// One run read back from its trace: what every process told, sent and answered, and when.
#ifndef BRAMAH_SIM_RUN_RUN_TRACE_H_
#define BRAMAH_SIM_RUN_RUN_TRACE_H_

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/time.h"
#include "core/wire/wire.pb.h"
#include "sim/plan/plan.h"
#include "sim/run/run.h"

namespace bramah::sim {

using Json = nlohmann::json;

// One effect of a step.
struct Told {
  Time at;
  std::string process;
  Json effect;

  bool Is(const std::string& event) const { return effect["effect"] == "event" && effect["event"] == event; }
  // The message, if it is an M.
  template <class M>
  std::optional<M> Sent() const {
    if (effect["effect"] != "send" || effect["message"] != M::descriptor()->name()) return std::nullopt;
    M message;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(effect["body"], &message));
    return message;
  }
};

class RunTrace : public testing::Test {
 protected:
  void Run(const std::string& text) {
    const auto plan = ParsePlan(text);
    ASSERT_TRUE(plan.ok()) << plan.status();
    RunOptions options;
    options.trace = [this](const std::string& line) {
      const Json step = Json::parse(line);
      if (!step.contains("effects")) return;  // the header
      for (const Json& effect : step["effects"]) told_.push_back({step["at_ns"], step["process"], effect});
    };
    const RunResult result = RunPlan(*plan, options);
    ASSERT_EQ(result.verdict, Verdict::kOk) << result.note;
    for (const Told& told : told_) {
      if (told.Is("MasterServing")) masters_.push_back(told);
    }
    ASSERT_FALSE(masters_.empty());
  }
  // When `process` told of `event`; exactly once.
  Time Once(const std::string& process, const std::string& event) const {
    std::vector<Time> times;
    for (const Told& told : told_) {
      if (told.process == process && told.Is(event)) times.push_back(told.at);
    }
    EXPECT_EQ(times.size(), 1u) << process << " " << event;
    return times.empty() ? 0 : times[0];
  }
  // The Requests of `client` for calls of `kind`.
  std::vector<std::pair<Time, v1::Command>> Asked(const std::string& client, v1::CommandKind kind) const {
    std::vector<std::pair<Time, v1::Command>> asked;
    for (const Told& told : told_) {
      const auto request = told.process == client ? told.Sent<v1::Request>() : std::nullopt;
      if (request.has_value() && request->command().kind() == kind) asked.emplace_back(told.at, request->command());
    }
    return asked;
  }

  // The answers that `client` gave its application, of calls in the order of their answers.
  std::vector<std::pair<Time, v1::Outcome>> Answers(const std::string& client) const {
    std::vector<std::pair<Time, v1::Outcome>> answers;
    for (const Told& told : told_) {
      if (told.process != client || told.effect["effect"] != "reply") continue;
      v1::Outcome outcome;
      EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(told.effect["outcome"], &outcome));
      answers.emplace_back(told.at, outcome);
    }
    return answers;
  }

  std::vector<Told> told_;
  std::vector<Told> masters_;  // what each said when it began to serve
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_RUN_RUN_TRACE_H_

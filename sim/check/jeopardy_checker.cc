#include "sim/check/jeopardy_checker.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace bramah::sim {

void JeopardyChecker::Called(uint32_t client, CallId call, bool wait) {
  if (!wait) hasty_.Put(client, call, {});
}

void JeopardyChecker::Answered(Time at, uint32_t client, CallId call, v1::Code code) {
  const bool hasty = hasty_.Take(client, call).has_value();
  if (code != v1::JEOPARDY) return;
  const auto report = [&](const char* what) {
    const std::string who = absl::StrCat("c", client, " call ", call.value());
    reporter_->Report("history.reply", at, absl::StrCat(who, " was answered JEOPARDY, ", what));
  };
  if (!hasty) return report("although it was made to wait");
  if (states_[client - 1] != client::SessionState::kJeopardy) report("in which its session is not");
}

}  // namespace bramah::sim

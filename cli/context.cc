#include "cli/context.h"

#include <cstdio>
#include <utility>

#include "cli/text.h"
#include "nlohmann/json.hpp"

namespace bramah::cli {

int Report(const Context& context, const Failure& failure) {
  const std::string cause = OneLine(failure.cause);
  const std::string remedy = OneLine(failure.remedy);
  std::string line = "bramah: " + failure.code + ": " + cause + "; " + remedy;
  if (context.json) {
    const nlohmann::ordered_json error = {{"code", failure.code}, {"message", cause}, {"remedy", remedy}};
    line = nlohmann::ordered_json{{"error", error}}.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  }
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", line.c_str());
  return failure.exit_code;
}

Failure UsageFailure(std::string cause, std::string remedy) {
  return {net_real::kExitUsage, "usage", std::move(cause), std::move(remedy)};
}

CLI::Option* AddDuration(CLI::App& app, const std::string& name, Duration* value, const std::string& help,
                         bool may_be_zero) {
  const auto set = [name, value, may_be_zero](const std::string& text) {
    const std::optional<Duration> parsed = ParseDuration(text);
    const bool none = may_be_zero && (text == "0" || text == "0s");
    if (!parsed.has_value() && !none) throw CLI::ValidationError(name, "'" + text + "' is no duration such as 500ms, 5s or 1m");
    *value = none ? 0 : *parsed;
  };
  return app.add_option_function<std::string>(name, set, help)->type_name("DURATION")->default_str(FormatDuration(*value));
}

}  // namespace bramah::cli

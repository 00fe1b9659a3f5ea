// Where checkers report: the first violation of a run is kept, later ones may be its consequences.
#ifndef BRAMAH_SIM_CHECK_REPORTER_H_
#define BRAMAH_SIM_CHECK_REPORTER_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "sim/check/violation.h"

namespace bramah::sim {

class Reporter {
 public:
  bool failed() const { return first_.has_value(); }
  const std::optional<Violation>& first() const { return first_; }
  void Report(std::string_view checker, Time at, std::string message) {
    if (!first_.has_value()) first_ = Violation{std::string(checker), at, std::move(message)};
  }

 private:
  std::optional<Violation> first_;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_REPORTER_H_

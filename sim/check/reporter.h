// Where checkers report: the first violation of a run is kept, later ones may be its consequences. Reports of checkers that are
// to be ignored do not count; so one can ask whether any other checker would have noticed.
#ifndef BRAMAH_SIM_CHECK_REPORTER_H_
#define BRAMAH_SIM_CHECK_REPORTER_H_

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "sim/check/checker_ids.h"
#include "sim/check/violation.h"

namespace bramah::sim {

class Reporter {
 public:
  explicit Reporter(std::vector<std::string> ignored = {}) : ignored_(std::move(ignored)) {}

  bool failed() const { return first_.has_value(); }
  const std::optional<Violation>& first() const { return first_; }
  void Report(std::string_view checker, Time at, std::string message) {
    BRAMAH_CHECK(IsChecker(checker));
    if (std::find(ignored_.begin(), ignored_.end(), checker) != ignored_.end()) return;
    if (!first_.has_value()) first_ = Violation{std::string(checker), at, std::move(message)};
  }

 private:
  std::vector<std::string> ignored_;
  std::optional<Violation> first_;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_REPORTER_H_

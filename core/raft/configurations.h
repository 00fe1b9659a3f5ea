// Configurations: those of the log, from its base on. The last one is in force from the moment it is in the log [Raft §6].
#ifndef BRAMAH_CORE_RAFT_CONFIGURATIONS_H_
#define BRAMAH_CORE_RAFT_CONFIGURATIONS_H_

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/ids.h"
#include "core/wire/wire.pb.h"

namespace bramah::raft {

class Configurations {
 public:
  // `bootstrap` counts until the log holds a configuration.
  explicit Configurations(const v1::Configuration& bootstrap) : known_{{LogIndex(), bootstrap}} {}

  const v1::Configuration& current() const { return known_.back().second; }
  // Changes whenever current() does.
  uint64_t version() const { return version_; }
  // The one in force at `index`, which is not before the log's base.
  const v1::Configuration& At(LogIndex index) const {
    for (auto it = known_.rbegin(); it != known_.rend(); ++it) {
      if (it->first <= index) return it->second;
    }
    return known_.front().second;
  }

  // The log has an entry of that kind at `index`. Bytes that are no configuration change nothing, on every replica alike.
  void Append(LogIndex index, std::string_view payload) {
    v1::Configuration configuration;
    if (!Parse(payload, &configuration)) return;
    known_.emplace_back(index, std::move(configuration));
    ++version_;
  }
  void TruncateFrom(LogIndex index) {
    while (known_.size() > 1 && known_.back().first >= index) {
      known_.pop_back();
      ++version_;
    }
  }
  void CompactTo(LogIndex base) {
    while (known_.size() > 1 && known_[1].first <= base) known_.erase(known_.begin());
  }
  // The log starts anew behind `base`.
  void Reset(LogIndex base, std::string_view payload) {
    v1::Configuration configuration;
    if (Parse(payload, &configuration)) known_.front() = {base, std::move(configuration)};
    known_.resize(1);
    ++version_;
  }

 private:
  static bool Parse(std::string_view payload, v1::Configuration* configuration) {
    return configuration->ParseFromArray(payload.data(), static_cast<int>(payload.size())) && configuration->members_size() > 0;
  }

  std::vector<std::pair<LogIndex, v1::Configuration>> known_;  // by index, never empty
  uint64_t version_ = 1;
};

}  // namespace bramah::raft

#endif  // BRAMAH_CORE_RAFT_CONFIGURATIONS_H_

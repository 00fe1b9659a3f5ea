// DrivenCell: a Cell with a log of its own, and builders of the commands that the benchmarks give it.
#ifndef BRAMAH_TOOLS_CORE_BENCH_DRIVEN_CELL_H_
#define BRAMAH_TOOLS_CORE_BENCH_DRIVEN_CELL_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "core/api/cache.h"
#include "core/base/check.h"
#include "core/base/probe.h"
#include "core/cell/cell.h"

namespace bramah::bench {

inline v1::Command CommandOf(v1::CommandKind kind, uint64_t session, uint64_t seq, uint64_t handle) {
  v1::Command command;
  command.set_kind(kind);
  command.set_session(session);
  command.set_seq(seq);
  command.set_first_outstanding(seq);
  command.set_handle(handle);
  return command;
}

inline v1::Command OpenOf(uint64_t session, uint64_t seq, uint64_t handle, const std::string& path, uint32_t flags) {
  v1::Command command = CommandOf(v1::OPEN, session, seq, handle);
  command.set_path(path);
  command.set_open_flags(flags);
  return command;
}

class DrivenCell {
 public:
  DrivenCell() : cell_(&limits_, /*incarnation=*/1) {}
  DrivenCell(const DrivenCell&) = delete;

  const cell::Applied& Apply(const v1::Command& command) {
    time_ += kMicrosecond;
    cell_.Apply(LogIndex(++index_), time_, command, applied_, probes_);
    return applied_;
  }
  // Names in the command what it would touch now.
  void Cover(v1::Command& command) const {
    Touches touches;
    cell_.TouchedBy(command, time_, touches);
    v1::Command stat = CommandOf(v1::GET_STAT, command.session(), 0, command.handle());
    v1::Outcome node;
    cell_.Read(stat, node);
    // Commands of a batch are covered before those ahead of them have run: also what they may touch then.
    if (command.kind() != v1::OPEN && node.code() == v1::OK) {
      touches.push_back({node.instance(), kCacheNode});
      touches.push_back({uint64_t{1} << 48, v1::CACHE_CHILDREN});
    }
    SetCovers(touches, command);
  }
  // Covers and applies; the answer must be `code`.
  const v1::Outcome& Do(v1::Command command, v1::Code code = v1::OK) {
    Cover(command);
    BRAMAH_CHECK(Apply(command).outcome.code() == code);
    return applied_.outcome;
  }
  uint64_t CreateSession() {
    v1::Command command;
    command.set_kind(v1::CREATE_SESSION);
    // Spread like the random numbers that they stand for.
    command.set_nonce_high(++nonces_ * 0x9e3779b97f4a7c15u);
    command.set_nonce_low(nonces_ * 0xd6e8feb86659fd93u);
    command.set_principal("somebody");
    return Do(command).session();
  }
  const cell::Cell& cell() const { return cell_; }

 private:
  static constexpr uint32_t kMany = 2'000'000;
  const cell::Limits limits_{.sessions_max = kMany,
                             .handles_per_session_max = kMany,
                             .children_max = kMany,
                             .bytes_max = uint64_t{1} << 40,
                             .results_per_session_max = 1'024};
  cell::Cell cell_;
  cell::Applied applied_;
  Probes probes_;
  uint64_t index_ = 0;
  uint64_t nonces_ = 0;
  Time time_ = 0;
};

}  // namespace bramah::bench

#endif  // BRAMAH_TOOLS_CORE_BENCH_DRIVEN_CELL_H_

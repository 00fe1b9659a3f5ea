// The remarks of a run, made from calls and answers. What a handle was answered earlier tells what a later answer means: which
// hold a Release ended, whose hold an Acquire repeats.
#ifndef BRAMAH_SIM_CHECK_HISTORY_REMARK_BOOK_H_
#define BRAMAH_SIM_CHECK_HISTORY_REMARK_BOOK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/wire/wire.pb.h"
#include "sim/check/by_client.h"
#include "sim/check/history/remark.h"

namespace bramah::sim {

class RemarkBook {
 public:
  using Problem = std::optional<std::string>;

  // `reads_count`: as for History.
  explicit RemarkBook(bool reads_count) : reads_count_(reads_count) {}

  // One call, or one part of a Batch, as far as its answer will not repeat it.
  struct Asked {
    Remark remark;
    std::string sequencer;  // that it is about, or that has to be valid for it to succeed
  };
  Asked Ask(uint32_t client, const v1::Command& command, uint64_t now) const;
  // It was made, just after Ask. Not for parts.
  void Called(uint32_t client, const v1::Command& command, uint64_t now);
  // Any Open that succeeded.
  void Opened(uint32_t client, const v1::Outcome& outcome);
  // Of which call and node an answer tells.
  struct About {
    CallId call;
    std::string_view path;
    uint64_t instance = 0;  // 0: not known
  };
  // It was answered, so that the outcome is known. Returns what cannot be an answer to it.
  Problem Answered(const Asked& asked, const About& about, uint64_t now, const v1::Outcome& outcome);
  void Unknown(const Asked& asked, const About& about);
  void Stopped(uint32_t client) { handles_.Forget(client); }

  const RemarksByPath& remarks() const { return remarks_; }

 private:
  struct Handle {
    uint32_t permits = 0;      // of the lock
    LockRemark hold;           // the last that it was told of
    bool released = true;      // a Release was called since
    uint32_t under_way = 0;    // Acquires that were not answered, or so that their outcome is unknown
    uint64_t asked = 0;        // when the first of them was called
    std::string tied;          // sequencer
  };

  Problem Acquired(Remark remark, std::string_view path, const v1::Outcome& outcome);
  Problem AclSet(Remark remark, std::string_view path, const v1::Outcome& outcome);
  Problem Read(Remark remark, std::string_view path, const v1::Outcome& outcome);
  void Sequenced(const std::string& sequencer, Remark remark, v1::Code code);
  void Add(std::string_view path, const Remark& remark);

  bool reads_count_;
  ByClient<HandleId, Handle> handles_;
  RemarksByPath remarks_;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_HISTORY_REMARK_BOOK_H_

// The history of a run: what applications asked and what they were answered, reduced to what bears on the existence and the
// contents of names, and to remarks on the rest (remark.h). Made incrementally; judged at the end (linearizability.h).
#ifndef BRAMAH_SIM_CHECK_HISTORY_HISTORY_H_
#define BRAMAH_SIM_CHECK_HISTORY_HISTORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "core/base/ids.h"
#include "core/wire/wire.pb.h"
#include "sim/check/by_client.h"
#include "sim/check/history/contents.h"
#include "sim/check/history/remark_book.h"

namespace bramah::sim {

// Whether the code leaves open if the command took effect, or ever will.
bool OutcomeUnknown(v1::Code code);

// What one call says about one name at one instant between its call and its answer. A node is identified by its instance, its
// contents by the content generation: so most operations name the very state they saw or made.
struct Operation {
  enum Kind : uint8_t {
    kCreate,   // the name came into being: (instance, 1) with `value`
    kWrite,    // the contents of `instance` went from generation - 1 to `generation`, now `value`
    kRemove,   // `instance` went away
    kSee,      // (instance, generation) was there, with `value` if has_value
    kPresent,  // `instance` was there; 0: any
    kAbsent,   // nothing of that name was there
    kGone,     // `instance` was not there any more
    kRefusal,  // an ADD found `instance` with that `number`, or with contents that are none
  };
  static constexpr uint64_t kForever = UINT64_MAX;

  Kind kind = kSee;
  // kCreate, kWrite, kRemove with unknown outcome: it happened once, at any time after the call, or never. A kCreate of this sort
  // knows no instance; a kWrite knows its generation only if it was a compare-and-set, else it is 0.
  bool maybe = false;
  bool ephemeral = false;  // kCreate, kSee: the node may vanish without being asked to
  bool has_value = false;
  uint32_t client = 0;
  CallId call;
  uint64_t called = 0;           // every call and every answer of the history has its own number, rising from 1
  uint64_t answered = kForever;
  uint64_t instance = 0;
  uint64_t generation = 0;
  uint64_t value = 0;            // XXH3-64 of the contents; kWrite: not known if !has_value, which only an ADD can do to it
  bool legible = false;          // `number` tells what the contents are: that number, or none
  std::optional<int64_t> number;
  std::optional<Addend> add;     // kWrite: by an ADD; kRefusal: which

  // What it tells of the contents that it saw or left.
  Contents contents() const;
  void SetContents(const Contents& contents);
};

// "c3 call 7 (write)"
std::string Describe(const Operation& operation);

class History {
 public:
  // By name, in the order in which the outcomes became known.
  using ByPath = absl::btree_map<std::string, std::vector<Operation>>;

  // `reads_count`: what was answered without an entry is current. If not, as when clocks lie, only entries bear witness.
  explicit History(bool reads_count = true) : reads_count_(reads_count), book_(reads_count) {}

  void Called(uint32_t client, CallId call, const v1::Command& command, std::string_view path);
  // Returns what is wrong with an answer that does not fit its question, nothing if it may be right [history.reply].
  std::optional<std::string> Answered(uint32_t client, CallId call, const v1::Outcome& outcome);
  // The client died: what it had asked is never answered, and its next incarnation counts calls and handles anew.
  void Stopped(uint32_t client);
  // The end: what was never answered stays unknown. Call it once, before operations().
  void Close();

  const ByPath& operations() const { return operations_; }
  const RemarksByPath& remarks() const { return book_.remarks(); }
  // Values of writes that were refused, rising: nobody may ever see them.
  const std::vector<uint64_t>& refused() const { return refused_; }
  uint64_t size() const { return events_; }

 private:
  struct Pending {
    v1::CommandKind kind = v1::NONE;
    uint32_t open_flags = 0;
    bool compare = false;
    uint64_t generation = 0;
    uint64_t value = 0;
    Contents contents;  // of `value`
    Addend add;         // ADD
    uint64_t called = 0;
    uint64_t instance = 0;  // of the node that the handle was opened on; 0: unknown
    std::string path;
    RemarkBook::Asked asked;
    std::vector<Pending> parts;      // of a Batch
    std::vector<Pending> otherwise;  // of a Batch
  };
  struct Listing {  // one READ_DIR
    Operation operation;
    std::vector<std::string> names;  // rising
  };
  using Problem = std::optional<std::string>;

  Pending Asked(uint32_t client, const v1::Command& command, std::string_view path) const;
  void Unknown(uint32_t client, CallId call, const Pending& pending);
  void RefusedParts(const std::vector<Pending>& parts);
  Problem Batched(const Operation& operation, const Pending& pending, const v1::Outcome& outcome);
  Problem Refused(Operation operation, const Pending& pending, const v1::Outcome& outcome);
  Problem AddRefused(Operation operation, const Pending& pending, const v1::Outcome& outcome);
  Problem Opened(Operation operation, const Pending& pending, const v1::Outcome& outcome);
  Problem Written(Operation operation, const Pending& pending, const v1::Outcome& outcome);
  Problem Added(Operation operation, const Pending& pending, const v1::Outcome& outcome);
  Problem Read(Operation operation, const Pending& pending, const v1::Outcome& outcome);
  void Listed(Operation operation, const Pending& pending, const v1::Outcome& outcome);
  void AddAbsences();
  void AddPresences();
  void Add(const std::string& path, const Operation& operation) { operations_[path].push_back(operation); }

  bool reads_count_;
  uint64_t events_ = 0;
  ByClient<CallId, Pending> pending_;
  struct Opening {
    uint64_t instance = 0;
    std::string path;
  };
  ByClient<HandleId, Opening> opened_;
  absl::btree_map<std::string, std::vector<Listing>> listings_;         // by directory
  absl::btree_set<std::string> owned_;                                  // names that somebody asked to make and own
  RemarkBook book_;
  ByPath operations_;
  std::vector<uint64_t> refused_;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_HISTORY_HISTORY_H_

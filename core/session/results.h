// Results: the exactly-once table of one session [D-56, A-22, Diss §6.3]. Replicated state, so that a request which was answered
// by one master is answered the same by the next.
//
// A session numbers its commands 1, 2, ... and says with each which is the first whose answer it still waits for. Older answers
// are trimmed, and a late copy of an older command must have no effect.
#ifndef BRAMAH_CORE_SESSION_RESULTS_H_
#define BRAMAH_CORE_SESSION_RESULTS_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/ids.h"
#include "core/wire/wire.pb.h"

namespace bramah::session {

// What a stored Outcome consists of; everything that a command which changes state can answer.
struct Result {
  v1::Code code = v1::OK;
  v1::LockMode lock_mode = v1::FREE;
  bool created = false;
  bool directory = false;
  bool ephemeral = false;
  bool both = false;
  uint16_t permits = 0;
  uint16_t permit = 0;
  HandleId handle;
  Position instance;
  uint64_t content_generation = 0;
  uint64_t content_length = 0;
  uint64_t checksum = 0;
  Position lock_generation;
  Position children_changed;
  uint64_t acl_generation = 0;
  int64_t value = 0;
  uint64_t check_digits = 0;
  SessionId owner{};
  bool guarded = false;
  uint32_t failed = 0;
  std::vector<Result> parts{};  // of a Batch
  friend bool operator==(const Result&, const Result&) = default;
};

Result FromOutcome(const v1::Outcome& outcome);
// Sets exactly the fields of `result`; leaves the others alone.
void ToOutcome(const Result& result, v1::Outcome& outcome);

class Results {
 public:
  // By seq. Mostly one or two, and what is new goes to the end: a vector needs no allocation for it.
  using Table = std::vector<std::pair<RequestSeq, Result>>;

  // Every smaller seq is settled: its answer is forgotten, and its command must not be executed (again).
  RequestSeq first() const { return first_; }
  // Raises first(), never lowers it.
  void Trim(RequestSeq first);
  // Null if `seq` has no answer here.
  const Result* Find(RequestSeq seq) const;
  // Stores or replaces. REQUIRES: seq >= first().
  void Put(RequestSeq seq, const Result& result);
  // Replaces the answer of `seq` if it is still kept.
  void Revise(RequestSeq seq, const Result& result);
  // Settles a call on `handle` that was not executed yet as CANCELLED: it never will be.
  void GiveUp(RequestSeq seq, HandleId handle);
  const Table& table() const { return table_; }

  uint64_t digest() const;
  uint64_t DigestSlow() const;

 private:
  // Where `seq` is, or belongs.
  Table::iterator Place(RequestSeq seq);

  RequestSeq first_{1};
  Table table_;
  uint64_t items_ = 0;  // sum of the hashes of the entries
};

}  // namespace bramah::session

#endif  // BRAMAH_CORE_SESSION_RESULTS_H_

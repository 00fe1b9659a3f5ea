// What a message tells others about durable state: all of it that a checker looks at. Taken when the message is made, so that one
// that waits for the disk need not be read again when it leaves.
#ifndef BRAMAH_SIM_CHECK_CLAIM_H_
#define BRAMAH_SIM_CHECK_CLAIM_H_

#include <cstdint>

#include "core/base/ids.h"
#include "core/wire/kinds.h"
#include "core/wire/wire.pb.h"

namespace bramah::sim {

struct Claim {
  enum Kind : uint8_t {
    kNone,
    kVote,      // granted in `term`
    kLog,       // the log up to `index` is stored, in `term`
    kSnapshot,  // so is a snapshot at `index`
  };
  Kind kind = kNone;
  Term term;
  LogIndex index;
};

inline Claim ClaimOf(const Message& message) {
  if (const auto* append = message.As<v1::AppendReply>()) {
    if (append->success()) return {Claim::kLog, Term(append->term()), LogIndex(append->match_index())};
  } else if (const auto* vote = message.As<v1::VoteReply>()) {
    if (vote->granted() && !vote->pre_vote()) return {Claim::kVote, Term(vote->term()), LogIndex()};
  } else if (const auto* snapshot = message.As<v1::SnapshotReply>()) {
    if (snapshot->installed()) return {Claim::kSnapshot, Term(snapshot->term()), LogIndex(snapshot->last_index())};
  }
  return Claim();
}

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_CLAIM_H_

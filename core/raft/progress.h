// Progress: the leader's knowledge of one follower. Invariant: match < next.
#ifndef BRAMAH_CORE_RAFT_PROGRESS_H_
#define BRAMAH_CORE_RAFT_PROGRESS_H_

#include <cstdint>

#include "core/base/ids.h"
#include "core/raft/types.h"

namespace bramah::raft {

struct Progress {
  enum State : uint8_t {
    kProbe,      // `next` is a guess: one message per round or answer until it is confirmed
    kReplicate,  // `next` is optimistic: entries are pipelined [Diss §10.2.2]
    kSnapshot,   // the entries it needs are gone: a snapshot is on its way
  };
  State state = kProbe;
  LogIndex match;           // durable there and equal to our log; never falls within a term
  LogIndex next;            // first entry of the next message
  uint64_t acked_round = 0;  // latest of our rounds that it answered

  // kSnapshot: what is being sent. The blob is kept so that a newer snapshot of ours does not disturb the transfer.
  Snapshot sending;
  uint64_t offset = 0;

  // The follower has stored everything up to `index`.
  void Matched(LogIndex index) {
    if (index > match) match = index;
    if (next <= match) next = match.Next();
    if (state == kProbe) {
      state = kReplicate;
      next = match.Next();
    }
  }
  // The follower refused; `guess` is the largest previous index worth trying.
  void Refused(LogIndex guess) {
    next = guess.Next() > match ? guess.Next() : match.Next();
    state = kProbe;
  }
  void StartSnapshot(const Snapshot& snapshot) {
    state = kSnapshot;
    sending = snapshot;
    offset = 0;
  }
  void FinishSnapshot() {
    state = kProbe;
    Matched(sending.meta.index);
    sending = Snapshot();
  }
};

}  // namespace bramah::raft

#endif  // BRAMAH_CORE_RAFT_PROGRESS_H_

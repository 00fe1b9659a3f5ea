// Session: the client's view of its session - opening it, the local lease (core/client/lease.h), the three states
//
//   kActive    now < lease_end: everything of the session is valid
//   kJeopardy  the local lease ran out, or the master said that it is closing the session; nobody knows, calls wait [Chubby §2.8]
//   kExpired   no answer came within the grace period, or the master said so; final
//
// and the KeepAlive that is outstanding. It decides when something has to be sent and what an answer means; it knows neither
// calls nor connections.
#ifndef BRAMAH_CORE_CLIENT_SESSION_H_
#define BRAMAH_CORE_CLIENT_SESSION_H_

#include <cstdint>

#include "core/api/effects.h"
#include "core/client/client.h"

namespace bramah::client {

// What an answer of a replica meant.
enum class Verdict : uint8_t {
  kIgnored,    // not the answer to what is outstanding, or of an old epoch
  kMalformed,  // no correct server sends this
  kNotMaster,  // ask somebody else
  kGranted,    // a lease was granted; state and lease end have moved accordingly
  kNewEpoch,   // the master has changed; the epoch was adopted
  kClosing,    // the session is being ended, not yet finally
  kOver,       // the session has ended
  kRefused,    // the cell makes no session for this client
};

// The session of a former life of the client, to be taken over; id 0: none.
struct Former {
  uint64_t session = 0;
  uint64_t nonce_high = 0;
  uint64_t nonce_low = 0;
  bool is_gone = false;  // whoever used it runs no more
};

class Session {
 public:
  explicit Session(const ClientConfig* config) : config_(config) {}
  void Seed(uint64_t seed) { seed_ = seed; }

  SessionState state() const { return state_; }
  SessionId id() const { return id_; }
  Epoch epoch() const { return epoch_; }
  Time lease_end() const { return lease_end_; }
  // Whether there is something to say to a master.
  bool wanted() const { return state_ == SessionState::kOpening || alive(); }
  bool alive() const { return state_ == SessionState::kActive || state_ == SessionState::kJeopardy; }
  // An answer of the master was due and has not come.
  bool Overdue(Time now) const { return alive() && now >= OverdueAt(); }

  // Begins a new session, forgetting the last one.
  void Open(const Former& former = Former());
  // With which it was created; whoever knows them may take it over.
  uint64_t nonce_high() const { return nonce_high_; }
  uint64_t nonce_low() const { return nonce_low_; }
  // Why it is being ended, if the master has said so and nothing has come of it yet; else END_UNKNOWN.
  v1::SessionEnd closing_reason() const { return closing_reason_; }
  bool clock_trusted() const { return clock_trusted_; }
  // The bound on the rate error of clocks that the cell works by, as the last grant said; 0 before the first.
  int64_t rho_ppm() const { return rho_ppm_; }
  // Number of the last item processed in this epoch.
  uint64_t processed() const { return processed_; }
  // The session is over; `state` is kNone or kExpired.
  void End(SessionState state);

  // Compares `now` with the lease: active becomes jeopardy at lease_end. Returns true if the grace period has ended too; the
  // caller then ends the session. Called before a Step looks at its input.
  bool Advance(Time now);
  // The clock is wrong: whatever it measures is no lease. Once it is right again only what is asked from then on grants one.
  void OnClockRate(Time now, bool trusted);
  // Takes over a higher epoch; false for any other. What is outstanding was meant for an earlier master and is forgotten.
  bool Adopt(Epoch epoch);
  Verdict OnCreateReply(Time now, const v1::CreateSessionReply& reply);
  Verdict OnKeepAliveReply(Time now, const v1::KeepAliveReply& reply);
  // Whether the item with this number is the next one to process; it then counts as processed, to be acknowledged by the next
  // KeepAlive.
  bool TakeItem(uint64_t number);

  // Sends CreateSession or KeepAlive on `conn` if that is due; returns whether an earlier one was repeated.
  bool Transmit(Time now, ConnId conn, Effects& out);
  // When Transmit is due on the stream `conn`, and when the stream should be given up because the answer does not come although
  // the stream lives; kNever: no such instant.
  Time TransmitAt(ConnId conn) const;
  Time GiveUpAt(ConnId conn) const;
  // When Advance has something to do.
  Time AdvanceAt() const;

 private:
  // The request that waits for its answer.
  struct Ask {
    uint64_t nonce = 0;      // 0: none
    Time first_sent = 0;     // c of L2: a repetition does not move it
    Time last_sent = 0;
    Time on_stream_since = 0;
    ConnId conn;             // stream of the latest copy
  };

  bool creating() const { return state_ == SessionState::kOpening && !id_; }
  Time OverdueAt() const;
  Verdict Grant(Time now, Duration hold, Duration lease, int64_t rho_ppm);
  Verdict OnGrantedKeepAlive(Time now, const v1::KeepAliveReply& reply);
  void StartOver(Time at);

  const ClientConfig* config_;
  uint64_t seed_ = 0;
  bool clock_trusted_ = true;
  int64_t rho_ppm_ = 0;  // as the last grant said
  SessionState state_ = SessionState::kNone;
  SessionId id_;
  Epoch epoch_;
  Time lease_end_ = INT64_MIN;
  Duration lease_length_ = 0;  // longest L granted to this session
  Ask ask_;
  uint64_t nonces_ = 0;        // rises for ever
  Time next_ask_at_ = INT64_MIN;
  uint64_t processed_ = 0;     // number of the last item of this epoch
  uint64_t creations_ = 0;     // ordinal of the 128-bit nonce
  uint64_t nonce_high_ = 0;
  uint64_t nonce_low_ = 0;
  Former former_;
  v1::SessionEnd closing_reason_ = v1::END_UNKNOWN;
};

// A number of the wire as a reason.
v1::SessionEnd ReasonOf(uint32_t reason);

}  // namespace bramah::client

#endif  // BRAMAH_CORE_CLIENT_SESSION_H_

#include "core/client/client.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <variant>

#include "core/client/calls.h"
#include "core/client/connection.h"
#include "core/client/session.h"
#include "core/client/stale_reads.h"

namespace bramah::client {
namespace {

// Items taken from one KeepAliveReply; what is left over is not acknowledged, so the master repeats it.
constexpr int kItemsPerReply = 256;

}  // namespace

// Composes connection, session and calls, and owns the order of effects. Every Step has the same four parts: the lease is
// compared with the clock, the input is taken, what is due is done, and timers and view follow the state.
struct Client::State {
  explicit State(const ClientConfig* given) : config(given), connection(given), session(given), calls(given), stale(given) {
    armed.fill(kNever);
  }

  void Step(Time at, const Input& input, Effects& out);

  // Input.
  void On(const Boot& boot, Effects& out);
  void On(const ConnUp& up, Effects& out);
  void On(const ConnDown& down, Effects& out);
  void On(const Deliver& deliver, Effects& out);
  void On(const Call& call, Effects& out);
  void On(const TimerFired& fired, Effects& out);
  void On(const ClockRate& rate, Effects& out);
  void On(const Writable&, Effects&) {}
  void On(const DiskDone&, Effects& out) { Malformed(out); }
  void On(const DiskFailed&, Effects& out) { Malformed(out); }

  // Messages of the present stream.
  void OnCreateReply(const v1::CreateSessionReply& reply, Effects& out);
  void OnKeepAliveReply(const v1::KeepAliveReply& reply, Effects& out);
  void OnReply(const v1::Reply& reply, Effects& out);
  void OnStaleReply(const v1::Reply& reply, Effects& out);

  // Calls about the session itself.
  void OpenSession(const Call& call, Effects& out);
  void CancelOpening(CallId call, Effects& out);
  void DescribeSession(v1::Outcome& outcome) const;

  // Consequences.
  void CheckLease(Effects& out);
  void EnterJeopardy(Effects& out);
  void Granted(SessionState before, Time lease_before, Effects& out);
  void BeSafe(Effects& out);
  void FoundMaster(Effects& out);
  void FailedOver(Effects& out);
  void EndSession(v1::SessionEnd reason, v1::Code code, Effects& out);
  void AnswerOpening(v1::Code code, Effects& out);

  bool wanted() const { return session.wanted() || stale.wanted(); }
  void RunDue(Effects& out);
  void EndIfIdle(Effects& out);
  Time IdleEndAt() const;
  void ArmTimers(Effects& out);
  void UpdateView();
  void Malformed(Effects& out) { SOMETIMES(out.probes(), kMalformedMessage, true); }
  CoreEvent& Tell(CoreEvent::Kind kind, Effects& out);
  Context Here(Effects& out) {
    return {now, connection.up(), session.id(), session.epoch(), state(), out};
  }
  // The session's, but that it is not safe while any lock is in doubt.
  SessionState state() const {
    return session.state() == SessionState::kActive && calls.doubts() ? SessionState::kJeopardy : session.state();
  }

  const ClientConfig* config;
  Time now = INT64_MIN;
  Time used_at = INT64_MIN;  // by the application, last
  bool booted = false;
  v1::SessionEnd ended = v1::END_UNKNOWN;  // why the last session did
  bool clock_trusted = true;
  Connection connection;
  Session session;
  Calls calls;
  StaleReads stale;
  std::optional<CallId> opening;        // the OPEN_SESSION that is unanswered
  std::array<Time, kTimerCount> armed;  // kNever: not armed
  ClientView view;
};

// -------------------------------------------------------------------------------------------------------------------- facade

Client::Client(const ClientConfig* config) : state_(std::make_unique<State>(config)) { state_->UpdateView(); }
Client::~Client() = default;
Client::Client(const Client& other) : state_(std::make_unique<State>(*other.state_)) { state_->UpdateView(); }
Client& Client::operator=(const Client& other) {
  *state_ = *other.state_;
  state_->UpdateView();
  return *this;
}
void Client::Step(Time now, const Input& input, Effects& out) { state_->Step(now, input, out); }
const ClientView& Client::view() const { return state_->view; }

void Client::State::Step(Time at, const Input& input, Effects& out) {
  now = std::max(now, at);
  // A client that slept past its lease must know before it believes anything the input says.
  CheckLease(out);
  const bool doubting = session.state() == SessionState::kActive && calls.doubts();
  std::visit([this, &out](const auto& concrete) { On(concrete, out); }, input);
  if (doubting && state() == SessionState::kActive) BeSafe(out);
  RunDue(out);
  ArmTimers(out);
  UpdateView();
}

void Client::State::RunDue(Effects& out) {
  if (!wanted()) return;
  if (now >= session.GiveUpAt(connection.up())) connection.Abandon(now, CloseReason::kStalled, out);
  EndIfIdle(out);
  connection.Run(now, session, out);
  if (connection.up()) stale.Retry(now, connection.up(), out);
  const bool repeated = session.Transmit(now, connection.up(), out);
  SOMETIMES(out.probes(), kClientResent, repeated);
  if (connection.up()) calls.Retry(Here(out));
}

// A session costs the cell something, and a KeepAlive every few seconds [Chubby §2.8].
void Client::State::EndIfIdle(Effects& out) {
  if (state() != SessionState::kActive || !calls.idle()) used_at = now;
  if (now >= IdleEndAt()) calls.EndIdle(Here(out));
}

Time Client::State::IdleEndAt() const {
  const bool idle = config->idle_end > 0 && state() == SessionState::kActive && calls.idle();
  return idle ? used_at + config->idle_end : kNever;
}

void Client::State::ArmTimers(Effects& out) {
  const bool any = wanted();
  const ConnId up = connection.up();
  const auto arm = [this, &out](TimerId timer, Time due) {
    Time& present = armed[static_cast<size_t>(timer)];
    if (due != kNever) due = std::max(due, now);
    if (due == present) return;
    present = due;
    due == kNever ? out.Cancel(timer) : out.Arm(timer, due);
  };
  arm(TimerId::kLease, std::min(session.AdvanceAt(), IdleEndAt()));
  arm(TimerId::kConnect, any ? connection.DialAt() : kNever);
  arm(TimerId::kProbe, any ? std::min({connection.ProbeAt(), session.TransmitAt(up), session.GiveUpAt(up)}) : kNever);
  arm(TimerId::kRetry, any && up ? std::min(calls.retry_at(), stale.retry_at()) : kNever);
}

void Client::State::UpdateView() {
  view.state = state();
  view.session = session.id();
  view.epoch = session.epoch();
  view.rho_ppm = session.rho_ppm();
  view.lease_end = session.alive() ? session.lease_end() : 0;
  view.reason = session.wanted() ? session.closing_reason() : ended;
  view.clock_trusted = session.clock_trusted();
  view.held = &calls.held();
  view.watches = &calls.watches();
  view.cache = &calls.cache();
  view.calls_pending = calls.pending() + stale.pending() + (opening.has_value() ? 1 : 0);
  view.keepalive_overdue = session.Overdue(now);
}

CoreEvent& Client::State::Tell(CoreEvent::Kind kind, Effects& out) {
  CoreEvent& event = out.Event(kind);
  event.session = session.id();
  event.epoch = session.epoch();
  return event;
}

// --------------------------------------------------------------------------------------------------------------------- input

void Client::State::On(const Boot& boot, Effects& out) {
  if (booted) return Malformed(out);
  booted = true;
  connection.Seed(boot.seed);
  session.Seed(boot.seed);
}

void Client::State::On(const ConnUp& up, Effects& out) {
  if (connection.OnUp(now, up, out)) {
    stale.Resend(now, connection.up(), out);  // before the replica says that it is not the master, and is left
    // The KeepAlive before other calls: everything else depends on it.
    session.Transmit(now, connection.up(), out);
    if (session.alive()) calls.Resend(Here(out));
  }
}

void Client::State::On(const ConnDown& down, Effects&) { connection.OnDown(now, down); }

void Client::State::On(const ClockRate& rate, Effects& out) {
  if (rate.trusted == clock_trusted) return;
  clock_trusted = rate.trusted;
  Tell(clock_trusted ? CoreEvent::kClockTrusted : CoreEvent::kClockDoubted, out);
  SOMETIMES(out.probes(), kClockDoubted, !clock_trusted);
  session.OnClockRate(now, clock_trusted);
  CheckLease(out);
}

void Client::State::On(const TimerFired& fired, Effects&) {
  if (fired.timer < TimerId::kCount) armed[static_cast<size_t>(fired.timer)] = kNever;
}

void Client::State::On(const Deliver& deliver, Effects& out) {
  if (!connection.Hear(now, deliver.conn)) {
    SOMETIMES(out.probes(), kStaleStreamDropped, true);
    return;
  }
  const Message& message = deliver.message;
  if (message.body == nullptr) return Malformed(out);
  if (const auto* ping = message.As<v1::Ping>()) return connection.OnPing(*ping, out);
  if (const auto* created = message.As<v1::CreateSessionReply>()) return OnCreateReply(*created, out);
  if (const auto* kept = message.As<v1::KeepAliveReply>()) return OnKeepAliveReply(*kept, out);
  if (const auto* reply = message.As<v1::Reply>()) return OnReply(*reply, out);
  Malformed(out);
}

void Client::State::On(const Call& call, Effects& out) {
  if (call.command == nullptr) {
    out.Reply(call.call).set_code(v1::MALFORMED);
    return;
  }
  if (call.command->kind() == v1::OPEN_SESSION) return OpenSession(call, out);
  if (StaleReads::Is(*call.command)) return stale.Accept(now, connection.up(), call.call, *call.command, out);
  if (call.command->kind() == v1::END_SESSION) stale.GiveUp(out);
  if (call.command->kind() == v1::END_SESSION && session.state() == SessionState::kOpening) return CancelOpening(call.call, out);
  calls.Accept(Here(out), call);
}

void Client::State::OpenSession(const Call& call, Effects& out) {
  const v1::Command& command = *call.command;
  const bool open = session.alive() && !calls.ending();
  if (open && command.takes_over() == 0) return DescribeSession(out.Reply(call.call));
  if (session.wanted()) {
    out.Reply(call.call).set_code(calls.ending() ? v1::SESSION_CLOSING : v1::BUSY);
    return;
  }
  opening = call.call;
  connection.UnpinCell();
  calls.Begin();
  session.Open({command.takes_over(), command.former_high(), command.former_low(), command.former_is_gone()});
}

void Client::State::DescribeSession(v1::Outcome& outcome) const {
  outcome.set_session(session.id().value());
  outcome.set_epoch(session.epoch().value());
  outcome.set_nonce_high(session.nonce_high());
  outcome.set_nonce_low(session.nonce_low());
}

void Client::State::CancelOpening(CallId call, Effects& out) {
  out.Reply(call).set_code(v1::OK);
  AnswerOpening(v1::CANCELLED, out);
  calls.EndAll(Here(out), v1::CANCELLED);
  session.End(SessionState::kNone);
  connection.Drop(out);
}

void Client::State::AnswerOpening(v1::Code code, Effects& out) {
  if (!opening.has_value()) return;
  v1::Outcome& outcome = out.Reply(*opening);
  outcome.set_code(code);
  opening.reset();
  if (code == v1::OK) DescribeSession(outcome);
}

// ------------------------------------------------------------------------------------------------------------------ messages

void Client::State::OnCreateReply(const v1::CreateSessionReply& reply, Effects& out) {
  const SessionState before = session.state();
  switch (session.OnCreateReply(now, reply)) {
    case Verdict::kGranted:
      return Granted(before, INT64_MIN, out);
    case Verdict::kNotMaster:
      return connection.NotMaster(now, reply.located(), out);
    case Verdict::kRefused:
      AnswerOpening(reply.code(), out);
      calls.EndAll(Here(out), v1::NO_SESSION);
      session.End(SessionState::kNone);
      return connection.Drop(out);
    case Verdict::kMalformed:
      return Malformed(out);
    default:
      return;
  }
}

void Client::State::OnKeepAliveReply(const v1::KeepAliveReply& reply, Effects& out) {
  const SessionState before = state();
  const Time lease_before = session.lease_end();
  const Epoch epoch_before = session.epoch();
  switch (session.OnKeepAliveReply(now, reply)) {
    case Verdict::kGranted:
      stale.Saw(reply.applied_index());
      if (session.epoch() != epoch_before) calls.FlushCache(Here(out));
      if (session.epoch() != epoch_before && before == SessionState::kJeopardy) calls.DoubtHolds();
      Granted(before, lease_before, out);
      if (before != SessionState::kOpening && session.epoch() != epoch_before) FailedOver(out);
      for (int i = 0; i < std::min(reply.items_size(), kItemsPerReply); ++i) {
        if (session.TakeItem(reply.items(i).number())) calls.OnItem(Here(out), reply.items(i));
      }
      return;
    case Verdict::kNewEpoch:
      FoundMaster(out);
      if (session.alive()) FailedOver(out);
      return;
    case Verdict::kNotMaster:
      return connection.NotMaster(now, reply.located(), out);
    case Verdict::kClosing:
      SOMETIMES(out.probes(), kSessionClosingSeen, true);
      return CheckLease(out);
    case Verdict::kOver: {
      const bool told = session.closing_reason() != v1::END_UNKNOWN;
      const v1::SessionEnd reason = told ? session.closing_reason() : ReasonOf(reply.reason());
      // Whether the end that was asked for came first is not known.
      const bool guess = calls.ending() && reason == v1::END_NO_KEEPALIVE;
      return EndSession(guess ? v1::END_UNKNOWN : reason, v1::SESSION_EXPIRED, out);
    }
    case Verdict::kMalformed:
      return Malformed(out);
    default:
      return;
  }
}

void Client::State::OnReply(const v1::Reply& reply, Effects& out) {
  const v1::Outcome& outcome = reply.outcome();
  const Epoch epoch(reply.epoch());
  if (StaleReads::IsId(reply.id())) return OnStaleReply(reply, out);
  stale.Saw(reply.applied_index());
  if (outcome.code() == v1::NOT_MASTER) return connection.NotMaster(now, reply.located(), out);
  if (!session.alive() || !calls.Waits(reply.id())) return;
  // What an earlier master saw may be older than what was missed since.
  if (calls.IsLook(reply.id()) && epoch < session.epoch()) return;
  switch (outcome.code()) {
    case v1::WRONG_EPOCH:
      if (epoch < session.epoch()) return connection.NotMaster(now, reply.located(), out);
      if (!session.Adopt(epoch)) return;  // adopted since
      FoundMaster(out);
      return FailedOver(out);
    case v1::SESSION_CLOSING:
      return;  // not final; the call is sent again
    case v1::QUEUED:
      // What waited under an earlier master may have been granted since; only the present one's word ends the asking.
      if (epoch < session.epoch()) return;
      break;
    case v1::SESSION_EXPIRED:
      if (epoch >= session.epoch()) EndSession(session.closing_reason(), v1::SESSION_EXPIRED, out);
      return;
    default:
      break;
  }
  Freshness fresh;
  fresh.classes = epoch == session.epoch() ? reply.classes() : 0;
  fresh.overtaken = session.processed() > reply.item_number();
  if (!calls.IsEnd(reply.id())) return calls.OnOutcome(Here(out), reply.id(), outcome, fresh);
  if (outcome.code() == v1::OK) EndSession(calls.end_reason() == v1::END_IDLE ? v1::END_IDLE : v1::END_CLOSED, v1::OK, out);
}

// With a session it is that which decides where the stream leads.
void Client::State::OnStaleReply(const v1::Reply& reply, Effects& out) {
  const bool answered = stale.OnReply(reply, out);
  if (session.wanted()) return;
  if (!answered) return connection.NotMaster(now, reply.located(), out);
  connection.Succeed();
  if (!stale.wanted()) connection.Drop(out);
}

// -------------------------------------------------------------------------------------------------------------- consequences

void Client::State::CheckLease(Effects& out) {
  const SessionState before = state();
  const bool abandoned = session.Advance(now);
  if (before == SessionState::kActive && session.state() == SessionState::kJeopardy) EnterJeopardy(out);
  if (!abandoned) return;
  // The master may still keep the session: it should know that nobody does here [D-27].
  if (!calls.ending()) calls.SendAbandoned(Here(out));
  EndSession(v1::END_ABANDONED, v1::SESSION_EXPIRED, out);
}

void Client::State::EnterJeopardy(Effects& out) {
  Tell(CoreEvent::kSessionJeopardy, out);
  SOMETIMES(out.probes(), kClientJeopardy, true);
  calls.Pause(Here(out));
}

// The master granted a lease: what this changes compared with before.
void Client::State::Granted(SessionState before, Time lease_before, Effects& out) {
  FoundMaster(out);
  connection.Succeed();
  if (state() != SessionState::kActive) return;  // granted too long ago to be of use, or there are doubts
  if (before == SessionState::kJeopardy) return BeSafe(out);
  if (before == SessionState::kOpening) {
    connection.PinCell();
    Tell(CoreEvent::kSessionOpened, out);
    AnswerOpening(v1::OK, out);
  }
  if (session.lease_end() != lease_before) Tell(CoreEvent::kSessionActive, out).time = session.lease_end();
  if (before == SessionState::kOpening) calls.Resume(Here(out));
}

void Client::State::BeSafe(Effects& out) {
  Tell(CoreEvent::kSessionSafe, out).time = session.lease_end();
  SOMETIMES(out.probes(), kClientSafe, true);
  calls.Resume(Here(out));
}

void Client::State::FoundMaster(Effects& out) {
  if (view.master == connection.member() && view.epoch == session.epoch()) return;
  view.master = connection.member();
  Tell(CoreEvent::kMasterFound, out).replica = view.master;
}

// Whatever the former master had not told yet is lost with it: the library looks for itself, in the new epoch [D-22].
void Client::State::FailedOver(Effects& out) {
  calls.FlushCache(Here(out));  // before the next KeepAlive tells the master that this was done
  if (state() == SessionState::kJeopardy) calls.DoubtHolds();
  Tell(CoreEvent::kMasterFailedOver, out);
  calls.Resend(Here(out));
  calls.LookAtAll(Here(out));
}

// The session is over, whoever ended it. `code` answers END_SESSION if that is what happened, and every other call.
void Client::State::EndSession(v1::SessionEnd reason, v1::Code code, Effects& out) {
  const bool asked = calls.ending();
  calls.EndAll(Here(out), asked && reason == v1::END_CLOSED ? v1::OK : code);
  Tell(CoreEvent::kSessionEnded, out).reason = reason;
  ended = reason;
  SOMETIMES(out.probes(), kClientExpired, !asked);
  session.End(asked ? SessionState::kNone : SessionState::kExpired);
  if (asked || !connection.up()) connection.Drop(out);
}

}  // namespace bramah::client

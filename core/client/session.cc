#include "core/client/session.h"

#include <algorithm>

#include "core/base/keyed.h"
#include "core/client/draws.h"
#include "core/client/lease.h"

namespace bramah::client {
namespace {

// A stream that lives but brings no answer is given up after so many times `stall`: longer than a master may hold a KeepAlive.
constexpr int kPatience = 4;

// An answer that has not come when so many times `stall` are left of the lease should have been here.
constexpr int kWorry = 2;

}  // namespace

v1::SessionEnd ReasonOf(uint32_t reason) {
  const int value = static_cast<int>(reason);
  return v1::SessionEnd_IsValid(value) ? static_cast<v1::SessionEnd>(value) : v1::END_UNKNOWN;
}

void Session::Open(const Former& former) {
  state_ = SessionState::kOpening;
  former_ = former;
  StartOver(INT64_MIN);
}

// A fresh 128-bit nonce: the next CreateSession, not before `at`, makes another session.
void Session::StartOver(Time at) {
  id_ = SessionId();
  epoch_ = Epoch();
  lease_end_ = INT64_MIN;
  lease_length_ = 0;
  ask_ = Ask();
  next_ask_at_ = at;
  processed_ = 0;
  closing_reason_ = v1::END_UNKNOWN;
  ++creations_;
  nonce_high_ = Draw(seed_, kSessionNonceDraw, 1, creations_);
  nonce_low_ = Draw(seed_, kSessionNonceDraw, 2, creations_);
}

void Session::End(SessionState state) {
  state_ = state;
  ask_ = Ask();
}

bool Session::Advance(Time now) {
  if (state_ == SessionState::kActive && now >= lease_end_) state_ = SessionState::kJeopardy;
  return state_ == SessionState::kJeopardy && now >= AdvanceAt();
}

Time Session::AdvanceAt() const {
  if (state_ == SessionState::kActive) return lease_end_;
  return state_ == SessionState::kJeopardy ? lease_end_ + config_->grace : kNever;
}

void Session::OnClockRate(Time now, bool trusted) {
  if (trusted == clock_trusted_) return;
  clock_trusted_ = trusted;
  if (!trusted) {
    if (state_ == SessionState::kActive) lease_end_ = std::min(lease_end_, now);
  } else if (creating()) {
    StartOver(now);  // the answer to any copy of the request would be taken for that to the next
  } else {
    ask_ = Ask();
    next_ask_at_ = now;
  }
}

bool Session::Adopt(Epoch epoch) {
  if (!id_ || epoch <= epoch_) return false;
  epoch_ = epoch;
  processed_ = 0;
  ask_ = Ask();
  next_ask_at_ = INT64_MIN;
  return true;
}

Verdict Session::OnCreateReply(Time now, const v1::CreateSessionReply& reply) {
  if (!creating()) return Verdict::kIgnored;
  if (reply.code() == v1::NOT_MASTER) return Verdict::kNotMaster;
  if (ask_.nonce == 0 || reply.nonce_high() != nonce_high_ || reply.nonce_low() != nonce_low_) return Verdict::kIgnored;
  if (reply.code() == v1::SESSION_EXPIRED) {  // this nonce made a session that is over
    StartOver(now + config_->keepalive_retry);
    return Verdict::kIgnored;
  }
  if (reply.code() == v1::TOO_MANY_SESSIONS || reply.code() == v1::TAKEOVER_REFUSED) return Verdict::kRefused;
  if (reply.code() != v1::OK || reply.session() == 0 || reply.epoch() == 0) return Verdict::kMalformed;
  if (!IsGrant(reply.hold_ns(), reply.lease_ns(), reply.rho_ppm())) return Verdict::kMalformed;
  id_ = SessionId(reply.session());
  epoch_ = Epoch(reply.epoch());
  return Grant(now, reply.hold_ns(), reply.lease_ns(), reply.rho_ppm());
}

Verdict Session::OnKeepAliveReply(Time now, const v1::KeepAliveReply& reply) {
  if (!wanted() || creating()) return Verdict::kIgnored;
  if (reply.code() == v1::NOT_MASTER) return Verdict::kNotMaster;
  if (reply.session() != id_.value() || ask_.nonce == 0 || reply.nonce() != ask_.nonce) return Verdict::kIgnored;
  const Epoch epoch(reply.epoch());
  if (reply.code() == v1::WRONG_EPOCH) {
    if (Adopt(epoch)) return Verdict::kNewEpoch;
    return epoch < epoch_ ? Verdict::kNotMaster : Verdict::kMalformed;  // an earlier master, still talking
  }
  // An answer of an earlier master says nothing about what the present one promises.
  if (epoch < epoch_) return Verdict::kIgnored;
  switch (reply.code()) {
    case v1::OK:
      return OnGrantedKeepAlive(now, reply);
    case v1::SESSION_CLOSING:
      // What is left of the lease is given back: the master may end the session once the next KeepAlive says so.
      if (state_ == SessionState::kActive) lease_end_ = std::min(lease_end_, now);
      closing_reason_ = ReasonOf(reply.reason());
      ask_ = Ask();
      next_ask_at_ = now + config_->keepalive_retry;
      return Verdict::kClosing;
    case v1::SESSION_EXPIRED:
      if (state_ != SessionState::kOpening) return Verdict::kOver;
      StartOver(now + config_->keepalive_retry);  // nobody was told of this session yet
      return Verdict::kIgnored;
    default:
      return Verdict::kMalformed;
  }
}

Verdict Session::OnGrantedKeepAlive(Time now, const v1::KeepAliveReply& reply) {
  if (!IsGrant(reply.hold_ns(), reply.lease_ns(), reply.rho_ppm())) return Verdict::kMalformed;
  if (Epoch(reply.epoch()) > epoch_) {
    epoch_ = Epoch(reply.epoch());
    processed_ = 0;
  }
  return Grant(now, reply.hold_ns(), reply.lease_ns(), reply.rho_ppm());
}

// The outstanding request was granted.
Verdict Session::Grant(Time now, Duration hold, Duration lease, int64_t rho_ppm) {
  const Time before = lease_end_;
  rho_ppm_ = rho_ppm;
  if (clock_trusted_) lease_end_ = std::max(before, LeaseEnd(ask_.first_sent, hold, lease, rho_ppm));
  lease_length_ = std::max(lease_length_, lease);
  closing_reason_ = v1::END_UNKNOWN;  // a new master knows nothing of it
  ask_ = Ask();
  // An answer that brought nothing is not followed at once, lest two machines talk in a circle.
  next_ask_at_ = lease_end_ > before ? INT64_MIN : now + config_->keepalive_retry;
  if (now < lease_end_) state_ = SessionState::kActive;
  return Verdict::kGranted;
}

bool Session::TakeItem(uint64_t number) {
  if (number != processed_ + 1) return false;
  processed_ = number;
  next_ask_at_ = INT64_MIN;
  return true;
}

bool Session::Transmit(Time now, ConnId conn, Effects& out) {
  if (!conn || now < TransmitAt(conn)) return false;
  const bool repeated = ask_.nonce != 0;
  if (!repeated) ask_ = Ask{++nonces_, now, now, now, conn};
  if (ask_.conn != conn) ask_.on_stream_since = now;
  ask_.conn = conn;
  ask_.last_sent = now;
  if (creating()) {
    auto& create = out.Send<v1::CreateSession>(conn);
    create.set_nonce_high(nonce_high_);
    create.set_nonce_low(nonce_low_);
    create.set_caches(config_->cache);
    create.set_takes_over(former_.session);
    create.set_former_high(former_.nonce_high);
    create.set_former_low(former_.nonce_low);
    create.set_former_is_gone(former_.is_gone);
    return repeated;
  }
  auto& keep_alive = out.Send<v1::KeepAlive>(conn);
  keep_alive.set_session(id_.value());
  keep_alive.set_epoch(epoch_.value());
  keep_alive.set_nonce(ask_.nonce);
  keep_alive.set_acknowledged(processed_);
  return repeated;
}

Time Session::TransmitAt(ConnId conn) const {
  if (!wanted() || !conn) return kNever;
  if (ask_.nonce == 0) return next_ask_at_;
  if (ask_.conn != conn) return INT64_MIN;
  return std::max(ask_.last_sent + config_->keepalive_retry, OverdueAt());
}

// A master answers with a margin of the lease left (5 s of 12 or of 60 s); when only a third is left, and no more than a client
// needs to find another way to the master, something is wrong.
Time Session::OverdueAt() const {
  if (state_ != SessionState::kActive) return INT64_MIN;
  return lease_end_ - std::min(lease_length_ / 3, kWorry * config_->stall);
}

Time Session::GiveUpAt(ConnId conn) const {
  if (!wanted() || ask_.nonce == 0 || ask_.conn != conn) return kNever;
  if (state_ == SessionState::kActive) {
    // The last moment at which another stream may still save the lease, unless this one is hardly tried yet.
    const Time last_call = lease_end_ - std::min(config_->stall, lease_length_ / 4);
    if (ask_.on_stream_since + config_->keepalive_retry <= last_call) return last_call;
  }
  return std::max(ask_.on_stream_since, OverdueAt()) + kPatience * config_->stall;
}

}  // namespace bramah::client

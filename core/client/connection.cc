#include "core/client/connection.h"

#include <algorithm>

namespace bramah::client {
namespace {

constexpr uint32_t kProtocolVersion = 1;
constexpr char kAnyCell[] = "local";

}  // namespace

void Connection::Run(Time now, const Session& session, Effects& out) {
  if (phase_ == Phase::kDialling && now >= DialAt()) Abandon(now, CloseReason::kUnreachable, out);
  if (phase_ == Phase::kUp && asked_at_ != kNever && now >= asked_at_ + config_->stall / 2) {
    Abandon(now, CloseReason::kStalled, out);
  }
  if (phase_ == Phase::kUp && now >= ProbeAt()) {
    if (asked_at_ == kNever) asked_at_ = now;
    pinged_at_ = now;
    out.Send<v1::Ping>(conn_).set_number(++pings_);
  }
  if (phase_ != Phase::kIdle || now < DialAt()) return;
  phase_ = Phase::kDialling;
  dialled_at_ = now;
  conn_ = ConnId(2 * dials_ + 1);
  ++dials_;
  v1::Hello& hello = out.Connect(conn_, locator_.endpoint());
  hello.set_version(kProtocolVersion);
  hello.set_cell(config_->cell);
  hello.set_role(v1::Hello::CLIENT);
  hello.set_principal(config_->principal);
  hello.set_session(session.id().value());
  hello.set_connection_number(dials_);
  hello.set_epoch(session.epoch().value());
  hello.set_nonce_high(session.nonce_high());
  hello.set_nonce_low(session.nonce_low());
}

bool Connection::OnUp(Time now, const ConnUp& up, Effects& out) {
  if (phase_ != Phase::kDialling || up.conn != conn_) return false;
  if (IsForeign(up.peer)) {
    Abandon(now, CloseReason::kForeign, out);
    return false;
  }
  phase_ = Phase::kUp;
  heard_at_ = now;
  asked_at_ = kNever;
  member_ = ReplicaId(up.peer->member());
  peer_cell_ = up.peer->cell();
  return true;
}

bool Connection::IsForeign(const v1::Hello* peer) const {
  if (peer == nullptr || peer->version() != kProtocolVersion || peer->role() != v1::Hello::SERVER) return true;
  if (config_->cell != kAnyCell && peer->cell() != config_->cell) return true;
  return !cell_.empty() && peer->cell() != cell_;
}

void Connection::OnDown(Time now, const ConnDown& down) {
  if (phase_ == Phase::kIdle || down.conn != conn_) return;
  phase_ = Phase::kIdle;
  locator_.Fail(now);
}

bool Connection::Hear(Time now, ConnId conn) {
  if (phase_ != Phase::kUp || conn != conn_) return false;
  heard_at_ = now;
  asked_at_ = kNever;
  return true;
}

void Connection::OnPing(const v1::Ping& ping, Effects& out) const {
  if (ping.reply()) return;
  v1::Ping& answer = out.Send<v1::Ping>(conn_);
  answer.set_number(ping.number());
  answer.set_reply(true);
}

void Connection::NotMaster(Time now, const v1::Located& located, Effects& out) {
  if (phase_ != Phase::kUp) return;
  phase_ = Phase::kIdle;
  out.Close(conn_, CloseReason::kSuperseded);
  const bool followed = locator_.NotMaster(now, located.endpoint());
  SOMETIMES(out.probes(), kClientRedirected, followed);
}

void Connection::Abandon(Time now, CloseReason why, Effects& out) {
  if (phase_ == Phase::kIdle) return;
  phase_ = Phase::kIdle;
  out.Close(conn_, why);
  locator_.Fail(now);
}

void Connection::Drop(Effects& out) {
  if (phase_ == Phase::kIdle) return;
  phase_ = Phase::kIdle;
  out.Close(conn_, CloseReason::kShutdown);
}

Time Connection::DialAt() const {
  if (locator_.endpoint().empty()) return kNever;
  if (phase_ == Phase::kIdle) return locator_.dial_at();
  return phase_ == Phase::kDialling ? dialled_at_ + config_->stall : kNever;
}

// The first question after half of `stall` in silence, another after three quarters, should the first have been lost.
Time Connection::ProbeAt() const {
  if (phase_ != Phase::kUp) return kNever;
  if (asked_at_ == kNever) return heard_at_ + config_->stall / 2;
  return std::min(pinged_at_ + config_->stall / 4, asked_at_ + config_->stall / 2);
}

}  // namespace bramah::client

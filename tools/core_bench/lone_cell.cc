#include "tools/core_bench/lone_cell.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace bramah::bench {
namespace {

constexpr uint64_t kIndexMask = (uint64_t{1} << 48) - 1;

replica::ServerConfig ConfigOf(Duration lease) {
  replica::ServerConfig config;
  config.self = ReplicaId(1);
  config.bootstrap.add_members()->set_id(1);
  config.bootstrap.set_election_min_ns(kSecond);
  config.bootstrap.set_rho_ppm(1'000);
  config.bootstrap.set_lease_ns(lease);
  config.bootstrap.set_incarnation(1);
  config.keepalive_spacing = 0;  // figures are for a given lease
  // The disk could not give a snapshot back.
  config.snapshot_after_bytes = UINT64_MAX;
  config.snapshot_after_entries = UINT64_MAX;
  return config;
}

v1::Hello HelloOf(const std::string& cell) {
  v1::Hello hello;
  hello.set_version(1);
  hello.set_cell(cell);
  hello.set_role(v1::Hello::CLIENT);
  hello.set_connection_number(1);
  hello.set_principal("somebody");
  return hello;
}

}  // namespace

LoneCell::LoneCell(Duration lease, bool frames)
    : frames_(frames), config_(ConfigOf(lease)), identity_{config_.cell, config_.self}, server_(&config_) {
  timers_.fill(kNever);
  Boot boot;
  boot.expect = &identity_;
  boot.seed = 7;
  boot.secret = {1, 2};
  Step(boot);
  AdvanceUntil([this] { return server_.view().phase == replica::Phase::kServing; });
}

void LoneCell::Step(const Input& input) {
  ++steps_;
  if (watch_) watch_(true);
  server_.Step(now_, input, effects_);
  if (watch_) watch_(false);
  BRAMAH_CHECK(!server_.view().halted);
  CarryOut();
  while (!disk_.empty()) {
    const DiskDone done = disk_.front();
    disk_.pop_front();
    Step(done);
  }
}

void LoneCell::CarryOut() {
  for (const Effects::Ref ref : effects_.ops()) {
    switch (ref.op) {
      case Effects::Op::kSend:
        OnSend(effects_.send(ref));
        break;
      case Effects::Op::kDisk:
        disk_.push_back({effects_.disk(ref).lane, effects_.disk(ref).ticket, {}});
        break;
      case Effects::Op::kArm:
        timers_[static_cast<size_t>(effects_.timer(ref).timer)] = effects_.timer(ref).at;
        break;
      case Effects::Op::kCancel:
        timers_[static_cast<size_t>(effects_.timer(ref).timer)] = kNever;
        break;
      default:
        break;
    }
  }
  for (const CoreEvent& event : effects_.events()) {
    if (event.kind != CoreEvent::kSessionLease) continue;
    clients_[by_session_[event.session.value() & kIndexMask]].lease_until = event.time;
  }
  effects_.Clear();
}

void LoneCell::OnSend(const Effects::SendOp& send) {
  if (frames_) {
    bytes_.clear();
    EncodeFrame(send.kind, *send.body, &bytes_);
  }
  const Message message{send.kind, send.body};
  const size_t number = ClientOf(send.to);
  Client& client = clients_[number];
  if (const auto* reply = message.As<v1::KeepAliveReply>()) return OnKeepAliveReply(client, *reply);
  if (const auto* reply = message.As<v1::Reply>()) {
    reply_ = *reply;
    ++replies_;
  }
  if (const auto* created = message.As<v1::CreateSessionReply>()) {
    BRAMAH_CHECK(created->code() == v1::OK);
    client.session = SessionId(created->session());
    by_session_.resize((created->session() & kIndexMask) + 1);
    by_session_.back() = number;
    keepalives_due_.push_back({now_ + kLatency, number});
  }
}

void LoneCell::OnKeepAliveReply(Client& client, const v1::KeepAliveReply& reply) {
  if (client.dead) return;
  BRAMAH_CHECK(reply.code() == v1::OK);
  if (reply.items_size() > 0) ++client.told;
  for (const v1::SessionItem& item : reply.items()) client.acknowledged = std::max(client.acknowledged, item.number());
  keepalives_due_.push_back({now_ + kLatency, static_cast<size_t>(&client - clients_.data())});
}

void LoneCell::Deliver(size_t client, MessageKind kind, const google::protobuf::Message& body) {
  Message message{kind, &body};
  if (frames_) {
    bytes_.clear();
    EncodeFrame(kind, body, &bytes_);
    message = DecodeFrame(bytes_, slots_).message;
  }
  Step(bramah::Deliver{ConnOf(client), message});
}

void LoneCell::SendKeepAlive(size_t number) {
  Client& client = clients_[number];
  if (client.dead) return;
  ++keepalives_;
  keepalive_.set_session(client.session.value());
  keepalive_.set_epoch(server_.view().epoch.value());
  keepalive_.set_nonce(++client.nonce);
  keepalive_.set_acknowledged(client.acknowledged);
  Deliver(number, MessageKind::kKeepAlive, keepalive_);
}

bool LoneCell::DoNext(Time until) {
  const auto timer = std::min_element(timers_.begin(), timers_.end());
  const Time keepalive = keepalives_due_.empty() ? kNever : keepalives_due_.front().at;
  const Time next = std::min(*timer, keepalive);
  if (next > until) return false;
  now_ = std::max(now_, next);
  if (keepalive <= *timer) {
    const size_t client = keepalives_due_.front().client;
    keepalives_due_.pop_front();
    SendKeepAlive(client);
  } else {
    *timer = kNever;
    Step(TimerFired{static_cast<TimerId>(timer - timers_.begin())});
  }
  return true;
}

void LoneCell::AdvanceTo(Time at) {
  while (DoNext(at)) {
  }
  now_ = at;
}

void LoneCell::AdvanceUntil(const std::function<bool()>& done) {
  while (!done()) BRAMAH_CHECK(DoNext(kNever - 1));
}

size_t LoneCell::AddClient(bool caches) {
  const size_t number = clients_.size();
  clients_.emplace_back();
  const v1::Hello hello = HelloOf(config_.cell);
  Step(ConnUp{ConnOf(number), &hello});
  v1::CreateSession create;
  create.set_nonce_high((number + 1) * 0x9e3779b97f4a7c15u);
  create.set_caches(caches);
  Deliver(number, MessageKind::kCreateSession, create);
  BRAMAH_CHECK(clients_[number].session);
  return number;
}

void LoneCell::Send(size_t number, v1::Command command) {
  Client& client = clients_[number];
  command.set_session(client.session.value());
  if (command.kind() < v1::GET_CONTENTS) {
    command.set_seq(++client.seq);
    command.set_first_outstanding(client.seq);
  }
  command.set_handle(1);
  command.set_check_digits(client.check_digits);
  v1::Request request;
  request.set_epoch(server_.view().epoch.value());
  *request.mutable_command() = std::move(command);
  Deliver(number, MessageKind::kRequest, request);
}

const v1::Reply& LoneCell::Call(size_t client, const v1::Command& command) {
  const uint64_t before = replies_;
  Send(client, command);
  BRAMAH_CHECK(replies_ == before + 1 && reply_.outcome().code() == v1::OK);
  if (command.kind() == v1::OPEN) clients_[client].check_digits = reply_.outcome().check_digits();
  return reply_;
}

}  // namespace bramah::bench

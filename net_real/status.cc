#include "net_real/status.h"

#include <unistd.h>

#include <memory>

#include "asio/io_context.hpp"
#include "core/wire/frame.h"
#include "net_real/connection.h"

namespace bramah::net_real {
namespace {

// Connection ids are positions in `answers`, counted from 1.
class Asker : public ConnectionOwner {
 public:
  explicit Asker(const std::vector<std::string>& endpoints) : answers_(endpoints.size()), pending_(endpoints.size()) {
    v1::Hello hello;
    hello.set_version(1);
    hello.set_cell("local");
    hello.set_role(v1::Hello::CLIENT);
    hello.set_process_id(static_cast<uint64_t>(getpid()));
    for (size_t i = 0; i < endpoints.size(); ++i) {
      answers_[i].endpoint = endpoints[i];
      connections_.push_back(std::make_shared<Connection>(io_, ConnId(i + 1), this, &slots_));
      connections_.back()->Dial(endpoints[i], hello);
    }
  }

  std::vector<ReplicaStatus> Run(Duration timeout) {
    BootTimer limit(io_);
    limit.expires_at(ToTimePoint(Now() + timeout));
    limit.async_wait([this](std::error_code) { io_.stop(); });
    if (pending_ > 0) io_.run();
    for (auto& connection : connections_) connection->Close();
    return std::move(answers_);
  }

 private:
  void OnUp(ConnId conn, const v1::Hello& hello) override {
    ReplicaStatus& answer = answers_[conn.value() - 1];
    answer.process_id = hello.process_id();
    answer.cell = hello.cell();
    v1::StatusRequest request;
    request.set_id(conn.value());
    std::string frame;
    EncodeFrame(MessageKind::kStatusRequest, request, &frame);
    connections_[conn.value() - 1]->Queue(frame);
    connections_[conn.value() - 1]->Flush();
  }

  void OnMessage(ConnId conn, const Message& message) override {
    const auto* reply = message.As<v1::StatusReply>();
    if (reply == nullptr) return;
    ReplicaStatus& answer = answers_[conn.value() - 1];
    answer.reachable = true;
    answer.reply = *reply;
    connections_[conn.value() - 1]->Close();
    Finish();
  }

  void OnWritable(ConnId) override {}
  void OnDown(ConnId, CloseReason) override { Finish(); }

  void Finish() {
    if (--pending_ == 0) io_.stop();
  }

  asio::io_context io_{1};
  MessageSlots slots_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<ReplicaStatus> answers_;
  size_t pending_;
};

}  // namespace

std::vector<ReplicaStatus> AskStatus(const std::vector<std::string>& endpoints, Duration timeout) {
  return Asker(endpoints).Run(timeout);
}

}  // namespace bramah::net_real

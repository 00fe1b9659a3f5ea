#include "net_real/connection.h"

#include <fcntl.h>

#include <string>
#include <utility>

#include "asio/buffer.hpp"
#include "asio/io_context.hpp"
#include "asio/post.hpp"
#include "asio/write.hpp"
#include "core/wire/frame.h"
#include "net_real/endpoint.h"

namespace bramah::net_real {
namespace {

using asio::ip::tcp;

constexpr size_t kReadBytes = 64 << 10;

}  // namespace

Connection::Connection(asio::io_context& io, ConnId id, ConnectionOwner* owner, MessageSlots* slots)
    : id_(id), owner_(owner), slots_(slots), socket_(io), resolver_(io), handshake_(io) {}

void Connection::Dial(std::string_view endpoint, const v1::Hello& hello) {
  EncodeFrame(MessageKind::kHello, hello, &filling_);
  handshake_.expires_at(ToTimePoint(Now() + kHandshakeMax));
  handshake_.async_wait([self = shared_from_this()](std::error_code error) {
    if (!error && !self->up_) self->Fail(CloseReason::kUnreachable);
  });
  const std::optional<HostPort> target = ParseEndpoint(endpoint);
  if (!target.has_value()) {
    asio::post(socket_.get_executor(), [self = shared_from_this()] { self->Fail(CloseReason::kUnreachable); });
    return;
  }
  std::error_code error;
  const asio::ip::address address = asio::ip::make_address(target->host, error);
  if (!error) return Connect({address, target->port});
  resolver_.async_resolve(target->host, std::to_string(target->port),
                          [self = shared_from_this()](std::error_code failed, const tcp::resolver::results_type& found) {
                            if (failed || found.empty()) return self->Fail(CloseReason::kUnreachable);
                            self->Connect(*found.begin());
                          });
}

void Connection::Connect(const tcp::endpoint& endpoint) {
  if (owner_ == nullptr) return;
  std::error_code error;
  socket_.open(endpoint.protocol(), error);
  // A command that runs under a lock must not keep the session's stream open.
  if (!error) fcntl(socket_.native_handle(), F_SETFD, FD_CLOEXEC);
  socket_.async_connect(endpoint, [self = shared_from_this()](std::error_code error) {
    if (self->owner_ == nullptr) return;
    if (error) return self->Fail(CloseReason::kUnreachable);
    self->Begin();
  });
}

void Connection::Adopt(tcp::socket socket, const v1::Hello& hello) {
  EncodeFrame(MessageKind::kHello, hello, &filling_);
  socket_ = std::move(socket);
  handshake_.expires_at(ToTimePoint(Now() + kHandshakeMax));
  handshake_.async_wait([self = shared_from_this()](std::error_code error) {
    if (!error && !self->up_) self->Fail(CloseReason::kStalled);
  });
  Begin();
}

void Connection::Begin() {
  std::error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  Flush();
  Read();
}

void Connection::Read() {
  const size_t have = received_.size();
  received_.resize(have + kReadBytes);
  socket_.async_read_some(asio::buffer(received_.data() + have, kReadBytes),
                          [self = shared_from_this(), have](std::error_code error, size_t got) {
                            if (self->owner_ == nullptr) return;
                            self->received_.resize(have + got);
                            if (error) return self->Fail(self->up_ ? CloseReason::kPeerClosed : CloseReason::kUnreachable);
                            self->TakeFrames();
                            if (self->owner_ != nullptr) self->Read();
                          });
}

void Connection::TakeFrames() {
  size_t used = 0;
  while (owner_ != nullptr) {
    const FrameResult frame = DecodeFrame(std::string_view(received_).substr(used), *slots_);
    if (frame.status == FrameStatus::kIncomplete) break;
    if (frame.status == FrameStatus::kMalformed) return Fail(CloseReason::kMalformed);
    used += frame.consumed;
    if (up_) {
      owner_->OnMessage(id_, frame.message);
    } else if (!TakeHello(frame.message)) {
      return Fail(CloseReason::kMalformed);
    }
  }
  received_.erase(0, used);
}

bool Connection::TakeHello(const Message& message) {
  const v1::Hello* hello = message.As<v1::Hello>();
  if (hello == nullptr) return false;
  up_ = true;
  handshake_.cancel();
  owner_->OnUp(id_, *hello);
  return true;
}

void Connection::Queue(std::string_view frame) {
  if (owner_ == nullptr || overflowed_) return;
  filling_.append(frame);
  const size_t queued = filling_.size() + writing_.size();
  if (queued > kQueueBytesLow) was_full_ = true;
  if (queued <= kQueueBytesMax) return;
  overflowed_ = true;
  filling_.clear();
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->Fail(CloseReason::kStalled); });
}

void Connection::Flush() {
  if (owner_ == nullptr || !writing_.empty() || filling_.empty() || !socket_.is_open()) return;
  std::swap(writing_, filling_);
  asio::async_write(socket_, asio::buffer(writing_), [self = shared_from_this()](std::error_code error, size_t) {
    if (self->owner_ == nullptr) return;
    if (error) return self->Fail(CloseReason::kPeerClosed);
    self->writing_.clear();
    self->Flush();
    if (!self->was_full_ || self->filling_.size() + self->writing_.size() > kQueueBytesLow) return;
    self->was_full_ = false;
    self->owner_->OnWritable(self->id_);
  });
}

void Connection::Close() {
  if (owner_ == nullptr) return;
  owner_ = nullptr;
  std::error_code ignored;
  if (writing_.empty() && !filling_.empty() && socket_.is_open()) {
    socket_.non_blocking(true, ignored);
    socket_.write_some(asio::buffer(filling_), ignored);
  }
  handshake_.cancel();
  resolver_.cancel();
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  socket_.close(ignored);
}

void Connection::Fail(CloseReason why) {
  if (owner_ == nullptr) return;
  ConnectionOwner* owner = owner_;
  Close();
  owner->OnDown(id_, why);
}

}  // namespace bramah::net_real

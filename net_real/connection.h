// One TCP connection that carries frames. Both sides say Hello first; after that whole messages come out and go in.
#ifndef BRAMAH_NET_REAL_CONNECTION_H_
#define BRAMAH_NET_REAL_CONNECTION_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "asio/ip/tcp.hpp"
#include "core/api/step.h"
#include "core/base/ids.h"
#include "core/wire/kinds.h"
#include "net_real/clock.h"

namespace bramah::net_real {

// Hears what happens to its connections. Calls come from the event loop, never from within a call to the connection.
class ConnectionOwner {
 public:
  // The peer said `hello`; the connection is usable. Once, before anything else.
  virtual void OnUp(ConnId conn, const v1::Hello& hello) = 0;
  // `message` is borrowed for the call.
  virtual void OnMessage(ConnId conn, const Message& message) = 0;
  // The queue fell below its low-water mark after it had been above.
  virtual void OnWritable(ConnId conn) = 0;
  // Last call for this connection.
  virtual void OnDown(ConnId conn, CloseReason why) = 0;

 protected:
  ~ConnectionOwner() = default;
};

// Lives on the thread of its io_context, kept alive by its pending operations.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  static constexpr size_t kQueueBytesMax = 8 << 20;  // a peer that is further behind is cut off
  static constexpr size_t kQueueBytesLow = 1 << 20;
  static constexpr Duration kHandshakeMax = 2 * kSecond;

  // `owner` and `slots` (the decoding buffers, shared by all connections of a loop) outlive Close() or OnDown.
  Connection(asio::io_context& io, ConnId id, ConnectionOwner* owner, MessageSlots* slots);

  // Exactly one of these, once. Says `hello` as soon as the stream stands.
  void Dial(std::string_view endpoint, const v1::Hello& hello);
  void Adopt(asio::ip::tcp::socket socket, const v1::Hello& hello);

  // Appends a frame to the queue; Flush starts writing it.
  void Queue(std::string_view frame);
  void Flush();

  // Hands what is queued to the kernel as far as it takes it at once, then closes. The owner hears nothing more.
  void Close();

 private:
  void Connect(const asio::ip::tcp::endpoint& endpoint);
  void Begin();
  void Read();
  // Takes whole frames out of `received_`.
  void TakeFrames();
  bool TakeHello(const Message& message);
  void Fail(CloseReason why);

  const ConnId id_;
  ConnectionOwner* owner_;  // null once closed
  MessageSlots* slots_;
  asio::ip::tcp::socket socket_;
  asio::ip::tcp::resolver resolver_;
  BootTimer handshake_;
  bool up_ = false;  // the peer's Hello has come
  std::string received_;
  std::string filling_;  // queued; becomes writing_ when that is done
  std::string writing_;  // handed to the socket
  bool was_full_ = false;
  bool overflowed_ = false;  // frames were dropped: nothing may follow them
};

}  // namespace bramah::net_real

#endif  // BRAMAH_NET_REAL_CONNECTION_H_

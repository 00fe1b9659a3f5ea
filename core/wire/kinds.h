// The kinds of message, their numbers on the wire, and the type of each. One list; everything else is generated from it.
#ifndef BRAMAH_CORE_WIRE_KINDS_H_
#define BRAMAH_CORE_WIRE_KINDS_H_

#include <cstdint>
#include <string_view>

#include "core/wire/wire.pb.h"

namespace bramah {

// Type, number of the kind in a frame. Numbers are never reused.
#define BRAMAH_MESSAGES(X)   \
  X(Hello, 1)                \
  X(Ping, 2)                 \
  X(VoteRequest, 10)         \
  X(VoteReply, 11)           \
  X(AppendRequest, 12)       \
  X(AppendReply, 13)         \
  X(SnapshotChunk, 14)       \
  X(SnapshotReply, 15)       \
  X(StateDigest, 16)         \
  X(CreateSession, 20)       \
  X(CreateSessionReply, 21)  \
  X(KeepAlive, 22)           \
  X(KeepAliveReply, 23)      \
  X(Request, 24)             \
  X(Reply, 25)               \
  X(StatusRequest, 30)       \
  X(StatusReply, 31)

enum class MessageKind : uint8_t {
  kNone = 0,
#define BRAMAH_KIND(Type, number) k##Type = number,
  BRAMAH_MESSAGES(BRAMAH_KIND)
#undef BRAMAH_KIND
};

template <class M>
struct KindOf;
#define BRAMAH_KIND_OF(Type, number)                              \
  template <>                                                     \
  struct KindOf<v1::Type> {                                       \
    static constexpr MessageKind kKind = MessageKind::k##Type;    \
  };
BRAMAH_MESSAGES(BRAMAH_KIND_OF)
#undef BRAMAH_KIND_OF

// "AppendRequest"; "unknown" for a number outside the list.
std::string_view KindName(MessageKind kind);

// A decoded message, borrowed from whoever decoded it.
struct Message {
  MessageKind kind = MessageKind::kNone;
  const google::protobuf::Message* body = nullptr;

  // The body as its type, or null if the message is of another kind.
  template <class M>
  const M* As() const {
    return kind == KindOf<M>::kKind ? static_cast<const M*>(body) : nullptr;
  }
};

// One long-lived, reused object per kind: the buffer that Decode fills and a Message borrows from.
struct MessageSlots {
#define BRAMAH_SLOT(Type, number) v1::Type slot_##Type;
  BRAMAH_MESSAGES(BRAMAH_SLOT)
#undef BRAMAH_SLOT
  // The slot of `kind`, null for an unknown kind.
  google::protobuf::Message* Slot(MessageKind kind);
};

}  // namespace bramah

#endif  // BRAMAH_CORE_WIRE_KINDS_H_

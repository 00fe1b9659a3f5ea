// Frames: how a message becomes bytes. The simulator and the real network both call these functions, so every simulated message
// has passed through production bytes.
//
//   uint32 length    of what follows the CRC: 1 + size of the payload; little-endian
//   uint32 crc       CRC32C of what follows
//   uint8  kind      MessageKind
//   ...    payload   the Protocol Buffers encoding of that kind
#ifndef BRAMAH_CORE_WIRE_FRAME_H_
#define BRAMAH_CORE_WIRE_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/wire/kinds.h"

namespace bramah {

inline constexpr size_t kFrameHeaderBytes = 8;
// Largest `length` a receiver accepts: contents of 256 KiB, or one append batch, with room to spare.
inline constexpr uint32_t kFrameLengthMax = 4 << 20;

// Appends the frame of (kind, body) to `out`.
void EncodeFrame(MessageKind kind, const google::protobuf::Message& body, std::string* out);

enum class FrameStatus : uint8_t {
  kComplete,    // `message` is set and `consumed` bytes were used
  kIncomplete,  // the bytes are a proper prefix of a frame
  kMalformed,   // wrong length, CRC, kind or payload: the stream cannot be trusted further
};

struct FrameResult {
  FrameStatus status = FrameStatus::kIncomplete;
  Message message;  // borrowed from the slots until the next decoding of that kind
  size_t consumed = 0;
};

// Reads one frame from the start of `bytes` into `slots`.
FrameResult DecodeFrame(std::string_view bytes, MessageSlots& slots);

}  // namespace bramah

#endif  // BRAMAH_CORE_WIRE_FRAME_H_

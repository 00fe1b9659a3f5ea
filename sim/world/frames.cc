#include "sim/world/frames.h"

#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/wire/frame.h"

namespace bramah::sim {

FrameId Frames::Take() {
  FrameId id;
  if (free_.empty()) {
    id = static_cast<FrameId>(frames_.size());
    frames_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
    frames_[id].bytes.clear();
    frames_[id].decoding = 0;
  }
  frames_[id].references = 1;
  return id;
}

FrameId Frames::Encode(MessageKind kind, const google::protobuf::Message& body) {
  const FrameId id = Take();
  Frame& frame = frames_[id];
  EncodeFrame(kind, body, &frame.bytes);
  frame.hash = Hash64(frame.bytes);
  return id;
}

Message Frames::Decode(FrameId id) {
  Frame& frame = frames_[id];
  if (frame.decoding != 0 && frame.decoding == in_slot_[static_cast<size_t>(frame.message.kind)]) return frame.message;
  const FrameResult decoded = DecodeFrame(frame.bytes, slots_);
  BRAMAH_CHECK(decoded.status == FrameStatus::kComplete);
  frame.message = decoded.message;
  frame.decoding = in_slot_[static_cast<size_t>(frame.message.kind)] = ++decodings_;
  return frame.message;
}

}  // namespace bramah::sim

// Frames: the encoded messages that are under way, counted and reused, so that a duplicate shares the bytes and the steady state
// allocates nothing. Every message passes through its production bytes; equal ones that leave together are encoded once, and one
// frame that arrives several times in a row is decoded once.
#ifndef BRAMAH_SIM_WORLD_FRAMES_H_
#define BRAMAH_SIM_WORLD_FRAMES_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/wire/kinds.h"

namespace bramah::sim {

using FrameId = uint32_t;

class Frames {
 public:
  // A new frame of this message, with one reference.
  FrameId Encode(MessageKind kind, const google::protobuf::Message& body);
  // Borrowed until another frame of that kind is decoded.
  Message Decode(FrameId id);
  // XXH3-64 of the bytes.
  uint64_t hash(FrameId id) const { return frames_[id].hash; }

  void Share(FrameId id) { ++frames_[id].references; }
  void Release(FrameId id) {
    if (--frames_[id].references == 0) free_.push_back(id);
  }
  // Frames that somebody refers to.
  size_t in_use() const { return frames_.size() - free_.size(); }

 private:
  struct Frame {
    std::string bytes;
    uint64_t hash = 0;
    uint32_t references = 0;
    Message message;        // of its latest decoding
    uint64_t decoding = 0;  // the number of that, 0: never
  };

  FrameId Take();

  std::vector<Frame> frames_;
  std::vector<FrameId> free_;
  MessageSlots slots_;
  std::array<uint64_t, 256> in_slot_ = {};  // by kind: the decoding whose result the slot holds
  uint64_t decodings_ = 0;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_WORLD_FRAMES_H_

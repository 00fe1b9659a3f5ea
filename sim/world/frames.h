// Frames: the encoded messages that are under way, counted and reused, so that a duplicate shares the bytes and the steady state
// allocates nothing.
#ifndef BRAMAH_SIM_WORLD_FRAMES_H_
#define BRAMAH_SIM_WORLD_FRAMES_H_

#include <cstdint>
#include <string>
#include <vector>

namespace bramah::sim {

using FrameId = uint32_t;

class Frames {
 public:
  struct Frame {
    std::string bytes;
    uint64_t hash = 0;  // XXH3-64 of bytes
    uint32_t references = 0;
  };
  // An empty frame with one reference.
  FrameId Take() {
    FrameId id;
    if (free_.empty()) {
      id = static_cast<FrameId>(frames_.size());
      frames_.emplace_back();
    } else {
      id = free_.back();
      free_.pop_back();
      frames_[id].bytes.clear();
    }
    frames_[id].references = 1;
    return id;
  }
  // Valid until the next Take.
  Frame& at(FrameId id) { return frames_[id]; }
  void Share(FrameId id) { ++frames_[id].references; }
  void Release(FrameId id) {
    if (--frames_[id].references == 0) free_.push_back(id);
  }
  // Frames that somebody refers to.
  size_t in_use() const { return frames_.size() - free_.size(); }

 private:
  std::vector<Frame> frames_;
  std::vector<FrameId> free_;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_WORLD_FRAMES_H_

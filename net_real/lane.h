// A disk lane: one thread that carries out batches one after the other.
#ifndef BRAMAH_NET_REAL_LANE_H_
#define BRAMAH_NET_REAL_LANE_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "net_real/file_batch.h"

namespace bramah::net_real {

class LaneThread {
 public:
  // `done` is called on the lane's thread, once per batch, in order. `directory` is borrowed.
  LaneThread(int directory, FileRunner::Fault fault, std::function<void(BatchResult)> done);
  // Lets the batch in flight end; batches that have not begun are dropped, as in a crash.
  ~LaneThread();

  void Push(Batch batch);

 private:
  void Run();

  FileRunner runner_;
  std::function<void(BatchResult)> done_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Batch> queue_;  // guarded by mutex_, as is stop_
  bool stop_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace bramah::net_real

#endif  // BRAMAH_NET_REAL_LANE_H_

#include "net_real/lane.h"

#include <utility>

namespace bramah::net_real {

LaneThread::LaneThread(int directory, FileRunner::Fault fault, std::function<void(BatchResult)> done)
    : runner_(directory, std::move(fault)), done_(std::move(done)), thread_([this] { Run(); }) {}

LaneThread::~LaneThread() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void LaneThread::Push(Batch batch) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(std::move(batch));
  }
  wake_.notify_one();
}

void LaneThread::Run() {
  while (true) {
    Batch batch;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [this] { return stop_ || !queue_.empty(); });
      if (stop_) return;
      batch = std::move(queue_.front());
      queue_.pop_front();
    }
    done_(runner_.Run(batch));
  }
}

}  // namespace bramah::net_real

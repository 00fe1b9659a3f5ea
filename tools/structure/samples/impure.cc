// An object that refers to each part of the outside world once; symbol_test must name them all.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <mutex>
#include <random>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"

namespace impure {

int UseAll(const char* name) {
  absl::Mutex absl_mutex;
  absl_mutex.Lock();
  std::mutex mutex;
  mutex.lock();
  std::thread([] {}).detach();
  std::ifstream file(name);
  std::cout << name;
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto since = std::chrono::steady_clock::now().time_since_epoch().count();
  return open(name, O_RDONLY) + socket(AF_INET, SOCK_STREAM, 0) + static_cast<int>(std::random_device()()) + std::rand() +
         (std::getenv(name) != nullptr) + static_cast<int>(absl::ToUnixSeconds(absl::Now())) + static_cast<int>(since);
}

}  // namespace impure

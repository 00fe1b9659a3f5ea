// Meter: processor time and memory of this process. Processor time, because what else the machine does is not our speed.
#ifndef BRAMAH_TOOLS_CORE_BENCH_METER_H_
#define BRAMAH_TOOLS_CORE_BENCH_METER_H_

#include <malloc.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <fstream>

// There only if jemalloc is linked.
extern "C" int mallctl(const char* name, void* old, size_t* old_size, void* fresh, size_t fresh_size) __attribute__((weak));

namespace bramah::bench {

inline double ProcessorSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Seconds since it was made.
class Stopwatch {
 public:
  double seconds() const { return ProcessorSeconds() - start_; }

 private:
  double start_ = ProcessorSeconds();
};

struct Memory {
  double allocated = 0;  // as the allocator counts it: whole size classes
  double resident = 0;   // pages of the process in memory
};

inline double AllocatedBytes() {
  if (mallctl == nullptr) return static_cast<double>(mallinfo2().uordblks);
  uint64_t epoch = 1;
  size_t size = sizeof(epoch);
  mallctl("epoch", &epoch, &size, &epoch, size);
  size_t allocated = 0;
  size = sizeof(allocated);
  mallctl("stats.allocated", &allocated, &size, nullptr, 0);
  return static_cast<double>(allocated);
}

// Gives back to the system what was freed, so that `resident` does not depend on what ran before.
inline void ReturnFreedMemory() {
  if (mallctl == nullptr) {
    malloc_trim(0);
  } else {
    mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0);  // 4096: all arenas
  }
}

inline Memory MemoryNow() {
  ReturnFreedMemory();
  uint64_t total = 0;
  uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return {AllocatedBytes(), static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE))};
}

}  // namespace bramah::bench

#endif  // BRAMAH_TOOLS_CORE_BENCH_METER_H_

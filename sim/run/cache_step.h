// Steps of clients that keep answers, as plain values. Every number is relative, so any part of a list of steps means something,
// and a long list that shows a bug can be shrunk to a short one.
#ifndef BRAMAH_SIM_RUN_CACHE_STEP_H_
#define BRAMAH_SIM_RUN_CACHE_STEP_H_

#include <rapidcheck.h>

#include <cstdint>
#include <ostream>
#include <vector>

#include "core/wire/wire.pb.h"

namespace bramah::sim {

inline constexpr int64_t kCacheClients = 3;

struct CacheStep {
  enum What : int64_t {
    kCall,
    kDeliver,  // one message arrives
    kSettle,   // all messages of the client arrive, but for the nth oldest ones
    kPass,     // time
    kBreak,    // the client's stream
  };
  int64_t what = kCall;
  int64_t client = 0;
  int64_t kind = 0;  // a call: which
  int64_t nth = 0;   // which handle, counted back from the latest; which message, counted from the oldest; how many come late
  int64_t path = 0;
  int64_t more = 0;  // OPEN: flags; kDeliver: even: to the client; kPass: how long; others: what else there is to choose
};

v1::CommandKind KindOf(const CacheStep& step);
const char* PathOf(const CacheStep& step);

// As many as the size that rapidcheck asks for, or fewer.
rc::Gen<std::vector<CacheStep>> CacheSteps();

// How a list of steps is printed: one a line.
void showValue(const std::vector<CacheStep>& steps, std::ostream& os);  // NOLINT: rapidcheck looks for this name

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_RUN_CACHE_STEP_H_

// Speaks of std::thread and std::chrono, of double and getenv("HOME"), but uses none of them.
#include "core/base/ids.h"

#include <vector>

#include "absl/container/btree_map.h"

namespace bramah {
const char* const kText = "float std::unordered_map rand()";
}  // namespace bramah

#include "core/base/probe.h"

namespace bramah {
namespace {

struct Entry {
  std::string_view name;
  std::string_view meaning;
};

constexpr Entry kEntries[] = {
#define BRAMAH_PROBE_ENTRY(name, text) {#name, text},
    BRAMAH_PROBES(BRAMAH_PROBE_ENTRY)
#undef BRAMAH_PROBE_ENTRY
};

}  // namespace

std::string_view ProbeName(ProbeId id) { return kEntries[static_cast<size_t>(id)].name; }
std::string_view ProbeMeaning(ProbeId id) { return kEntries[static_cast<size_t>(id)].meaning; }

}  // namespace bramah

#include "core/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace bramah {
namespace {

void PrintAndAbort(const CheckFailure& failure) {
  std::fprintf(stderr, "bramah: core.check: %s:%d: %s does not hold; please report this line\n", failure.file, failure.line,
               failure.condition);
  std::abort();
}

// The one mutable static below the drivers: it decides what happens after a bug was found, never what the protocol does.
constinit CheckHandler handler = &PrintAndAbort;

}  // namespace

CheckHandler SetCheckHandler(CheckHandler next) {
  const CheckHandler previous = handler;
  handler = next;
  return previous;
}

void FailCheck(const CheckFailure& failure) {
  handler(failure);
  std::abort();
}

}  // namespace bramah

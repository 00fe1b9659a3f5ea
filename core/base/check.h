// BRAMAH_CHECK(condition): "we can argue that this always holds". Always compiled in. Input from a peer, a client or a disk is
// never the subject of a check: that is validated and answered or counted.
//
// A failed check calls the installed handler, which must not return: production logs and aborts (the default); the simulator
// throws, so that the seed is reported under the id `core.check` and the sweep goes on.
#ifndef BRAMAH_CORE_BASE_CHECK_H_
#define BRAMAH_CORE_BASE_CHECK_H_

namespace bramah {

struct CheckFailure {
  const char* file;
  int line;
  const char* condition;
};

using CheckHandler = void (*)(const CheckFailure&);

// Installs `handler` for the whole process and returns the previous one. Call it before any node runs.
CheckHandler SetCheckHandler(CheckHandler handler);

[[noreturn]] void FailCheck(const CheckFailure& failure);

}  // namespace bramah

#define BRAMAH_CHECK(condition) \
  (static_cast<bool>(condition) ? static_cast<void>(0) : ::bramah::FailCheck({__FILE__, __LINE__, #condition}))

#endif  // BRAMAH_CORE_BASE_CHECK_H_

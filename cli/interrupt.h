// SIGINT and SIGTERM for a program without an event loop, which looks now and then whether one came.
#ifndef BRAMAH_CLI_INTERRUPT_H_
#define BRAMAH_CLI_INTERRUPT_H_

#include <csignal>

#include "core/base/time.h"

namespace bramah::cli {

// Whether whoever started this program wants it to ignore the signal: nohup does with SIGHUP, and a shell with SIGINT for what a
// script starts in the background.
bool IsIgnored(int number);

// From now on SIGINT and SIGTERM, if they are not ignored, are noted instead of ending this process. What it forks later takes no
// notice of them.
void CatchInterrupts();

// The signal that asked to end; 0: none yet.
const volatile std::sig_atomic_t& Interrupted();

// Whether a further signal, so long after the first, ends the process at once. `timeout` signals its command and then the group
// of both, so the same wish arrives twice in a moment; a second Ctrl-C comes from somebody who has waited.
bool EndsAtOnce(int number, Duration since_first);

}  // namespace bramah::cli

#endif  // BRAMAH_CLI_INTERRUPT_H_

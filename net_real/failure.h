// Failure: why a command ends without success, in the words a user reads. One failure is one line: what happened, and what to do.
#ifndef BRAMAH_NET_REAL_FAILURE_H_
#define BRAMAH_NET_REAL_FAILURE_H_

#include <string>

#include "core/api/effects.h"

namespace bramah::net_real {

// Exit codes of every verb; the meanings follow sysexits(3) where it has one.
enum ExitCode : int {
  kExitOk = 0,
  kExitUsage = 64,        // usage or malformed path
  kExitBadData = 65,      // log, plan, history, contents
  kExitUnavailable = 69,  // no master could be reached
  kExitInternal = 70,
  kExitDirectory = 73,  // wrong or foreign data directory
  kExitIo = 74,
  kExitConflict = 75,  // the cell's state refuses the request, or time ran out
  kExitLockLost = 76,  // lost, or no longer certain
  kExitPermission = 77,
  kExitConfig = 78,  // configuration, or port in use
};

struct Failure {
  int exit_code = kExitInternal;
  std::string code;    // one lower-case word that scripts may compare, "port_in_use"
  std::string cause;   // one line, without a full stop
  std::string remedy;  // one line, imperative; never empty
};

// What a halted replica tells its operator. `detail` is what the core says, "what was found" or "what was found; remedy"; a
// remedy of the core's wins. `directory` is the replica's; `system` the operating system's words for a failed operation, if there
// was one.
Failure FailureOfHalt(HaltReason why, const std::string& detail, const std::string& directory, const std::string& system = "");

}  // namespace bramah::net_real

#endif  // BRAMAH_NET_REAL_FAILURE_H_

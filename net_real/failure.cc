#include "net_real/failure.h"

namespace bramah::net_real {

Failure FailureOfHalt(HaltReason why, const std::string& detail, const std::string& directory) {
  const std::string evidence = "keep " + directory + " as evidence and start this replica on a copy of a backup";
  switch (why) {
    case HaltReason::kForeignDirectory:
      return {kExitDirectory, "foreign_directory", directory + " belongs to another replica: " + detail,
              "pass the --cell, --id and --dir that belong together"};
    case HaltReason::kIncompleteFormat:
      return {kExitDirectory, "incomplete_directory", directory + " has files but no identity: " + detail,
              "if the replica never ran, empty the directory and start again"};
    case HaltReason::kCorruptLog:
      return {kExitBadData, "corrupt_log", "the log in " + directory + " is damaged: " + detail, evidence};
    case HaltReason::kCorruptVote:
      return {kExitBadData, "corrupt_vote", "both vote slots in " + directory + " are damaged: " + detail, evidence};
    case HaltReason::kCorruptSnapshot:
      return {kExitBadData, "corrupt_snapshot", "no snapshot in " + directory + " is readable: " + detail, evidence};
    case HaltReason::kDiskFailure:
      return {kExitIo, "disk_failure", "the disk under " + directory + " failed: " + detail,
              "repair the disk, then start the replica again; what it acknowledged is in its log"};
    case HaltReason::kDivergedState:
      return {kExitInternal, "diverged_state", "this replica's state differs from the others': " + detail,
              "keep " + directory + " as evidence, report it, and do not restart this replica"};
    case HaltReason::kMisconfigured:
      return {kExitConfig, "misconfigured", "the flags contradict the log in " + directory + ": " + detail,
              "pass the --members that the cell was created with"};
  }
  return {kExitInternal, "internal", detail, "report it"};
}

}  // namespace bramah::net_real

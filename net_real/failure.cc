#include "net_real/failure.h"

namespace bramah::net_real {
namespace {

// The failure of that reason, without what the core found.
Failure Describe(HaltReason why, const std::string& directory) {
  const std::string evidence = "keep the directory as evidence and replace this member";
  switch (why) {
    case HaltReason::kForeignDirectory:
      return {kExitDirectory, "foreign_directory", directory + " belongs to another replica",
              "pass the --cell, --id and --dir that belong together"};
    case HaltReason::kIncompleteFormat:
      return {kExitDirectory, "incomplete_directory", directory + " has files but no identity",
              "if the replica never ran, empty the directory and start again"};
    case HaltReason::kCorruptLog: return {kExitBadData, "corrupt_log", "the log in " + directory + " is damaged", evidence};
    case HaltReason::kCorruptVote:
      return {kExitBadData, "corrupt_vote", "both vote slots in " + directory + " are damaged", evidence};
    case HaltReason::kCorruptSnapshot:
      return {kExitBadData, "corrupt_snapshot", "no snapshot in " + directory + " is readable", evidence};
    case HaltReason::kDiskFailure:
      return {kExitIo, "disk_failure", "the disk under " + directory + " failed",
              "check the disk, then start the replica again; what it acknowledged is in its log"};
    case HaltReason::kDivergedState:
      return {kExitInternal, "diverged_state", "this replica's state differs from the others'", evidence};
    case HaltReason::kMisconfigured:
      return {kExitConfig, "misconfigured", "the flags contradict the log in " + directory,
              "pass the --members that the cell was created with"};
  }
  return {kExitInternal, "internal", "the replica stopped", "report it"};
}

}  // namespace

Failure FailureOfHalt(HaltReason why, const std::string& detail, const std::string& directory, const std::string& system) {
  Failure failure = Describe(why, directory);
  const size_t split = detail.rfind("; ");
  const std::string found = detail.substr(0, split);
  if (!found.empty()) failure.cause += ": " + found;
  if (!system.empty()) failure.cause += " (" + system + ")";
  if (split != std::string::npos) failure.remedy = detail.substr(split + 2);
  return failure;
}

}  // namespace bramah::net_real

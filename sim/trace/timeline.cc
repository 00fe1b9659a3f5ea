#include "absl/strings/str_cat.h"
#include "sim/trace/trace.h"

namespace bramah::sim {
namespace {

// "0x1.2a": epoch or position as incarnation and counter.
std::string Show(uint64_t position) { return absl::StrCat(position >> 48, ".", position & 0xffff'ffff'ffffu); }

std::string Seconds(Time at) {
  return absl::StrCat(at / kSecond, ".", absl::Dec(at % kSecond / kMillisecond, absl::kZeroPad3), "s");
}

std::string SessionLine(const CoreEvent& event) {
  const std::string session = absl::StrCat("session ", Show(event.session.value()));
  switch (event.kind) {
    case CoreEvent::kSessionClosing:
      return absl::StrCat("began to close ", session);
    case CoreEvent::kSessionOpened:
      return absl::StrCat("opened ", session, " in epoch ", Show(event.epoch.value()));
    case CoreEvent::kSessionJeopardy:
      return absl::StrCat(session, " is in jeopardy");
    case CoreEvent::kSessionSafe:
      return absl::StrCat(session, " is safe, local lease until ", Seconds(event.time), " local");
    case CoreEvent::kSessionEnded:
      return absl::StrCat(session, " ended: ", v1::SessionEnd_Name(static_cast<v1::SessionEnd>(event.reason)));
    case CoreEvent::kLockHeld:
      return absl::StrCat("holds a lock (", v1::LockMode_Name(event.mode), ") by handle ", event.handle.value(), ", generation ",
                          Show(event.generation.value()));
    case CoreEvent::kLockDropped:
      return absl::StrCat("no longer holds the lock of handle ", event.handle.value(), ", generation ",
                          Show(event.generation.value()));
    default:
      return "";
  }
}

std::string AppliedLine(const CoreEvent& event) {
  const bool shown = event.command == v1::NEW_EPOCH || event.command == v1::EXPIRE_SESSION ||
                     event.command == v1::CREATE_SESSION || event.command == v1::SET_LEASE_MAX;
  if (!shown || !event.effect) return "";
  return absl::StrCat("applied ", v1::CommandKind_Name(event.command), " at index ", event.index.value(),
                      event.session ? absl::StrCat(" of session ", Show(event.session.value())) : "");
}

std::string EventLine(const CoreEvent& event) {
  switch (event.kind) {
    case CoreEvent::kRecovered:
      return absl::StrCat("recovered: term ", event.term.value(), ", last index ", event.index.value());
    case CoreEvent::kVoteGranted:
      return absl::StrCat("voted for r", event.replica.value(), " in term ", event.term.value());
    case CoreEvent::kBecameCandidate:
      return absl::StrCat("is a candidate in term ", event.term.value());
    case CoreEvent::kBecameLeader:
      return absl::StrCat("became leader of term ", event.term.value());
    case CoreEvent::kSteppedDown:
      return absl::StrCat("stepped down in term ", event.term.value());
    case CoreEvent::kMasterServing:
      return absl::StrCat("serves as master in epoch ", Show(event.epoch.value()));
    case CoreEvent::kLeaseMaxProposed:
      return absl::StrCat("wants leases of up to ", Seconds(event.time));
    case CoreEvent::kSnapshotTaken:
      return absl::StrCat("took a snapshot at index ", event.index.value());
    case CoreEvent::kSnapshotInstalled:
      return absl::StrCat("installed a snapshot of index ", event.index.value());
    case CoreEvent::kClockDoubted:
      return "doubts its clock";
    case CoreEvent::kClockTrusted:
      return "trusts its clock again";
    case CoreEvent::kMasterFound:
      return absl::StrCat("found master r", event.replica.value());
    case CoreEvent::kApplied:
      return AppliedLine(event);
    default:
      return SessionLine(event);
  }
}

}  // namespace

std::string TimelineLine(std::string_view process, const CoreEvent& event) {
  const std::string line = EventLine(event);
  return line.empty() ? line : absl::StrCat(std::string(process), " ", line);
}

}  // namespace bramah::sim

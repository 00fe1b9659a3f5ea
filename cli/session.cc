#include "cli/session.h"

#include <algorithm>
#include <utility>

#include "cli/text.h"
#include "net_real/clock.h"

namespace bramah::cli {
namespace {

constexpr Duration kGoodbye = 1 * kSecond;

struct Explanation {
  v1::Code code;
  int exit_code;
  const char* word;
  const char* cause;  // follows the name
  const char* remedy;
};

using namespace net_real;  // exit codes

constexpr Explanation kExplanations[] = {
    {v1::NOT_FOUND, kExitConflict, "not_found", "does not exist, or its directory does not",
     "create it, and its directory first"},
    {v1::EXISTS, kExitConflict, "exists", "exists already", "remove it, or use 'put' to change it"},
    {v1::NOT_EMPTY, kExitConflict, "not_empty", "is a directory with children", "remove its children first"},
    {v1::NOT_A_DIRECTORY, kExitConflict, "not_a_directory", "is or is below a file", "name a directory"},
    {v1::IS_A_DIRECTORY, kExitConflict, "is_a_directory", "is a directory", "name a file, or use 'ls'"},
    {v1::BAD_NAME, kExitUsage, "bad_path", "is no valid name", "write /ls/<cell>/name/name"},
    {v1::TOO_DEEP, kExitUsage, "too_deep", "has more than 64 levels", "write a shorter path"},
    {v1::TOO_LARGE, kExitBadData, "too_large", "would exceed 256 KiB", "store less, or a reference to it"},
    {v1::GENERATION_MISMATCH, kExitConflict, "generation_mismatch", "has changed since",
     "read it again, then repeat with the new generation"},
    {v1::LOCK_CONFLICT, kExitConflict, "lock_conflict", "is locked by another session", "wait by leaving out --try"},
    {v1::LOCK_DELAYED, kExitConflict, "lock_delayed", "was locked by a session that was lost a moment ago",
     "try again when its lock-delay is over, or wait by leaving out --try"},
    {v1::LIMIT_REACHED, kExitConflict, "limit_reached", "has too many calls of this session under way", "wait for some of them"},
    {v1::TOO_MANY_SESSIONS, kExitConflict, "too_many_sessions", "has as many sessions as it may", "end some of them"},
    {v1::TOO_MANY_HANDLES, kExitConflict, "too_many_handles", "would need more handles than a session may have", "close some"},
    {v1::TOO_MANY_CHILDREN, kExitConflict, "too_many_children", "would be one too many in its directory", "use another one"},
    {v1::CELL_FULL, kExitConflict, "cell_full", "does not fit: the cell holds as many bytes as it may",
     "remove what is not needed"},
    {v1::OUT_OF_BOUNDS, kExitConflict, "out_of_bounds", "would leave its bounds", "add less, or allow more by --min and --max"},
    {v1::GUARD_FAILED, kExitConflict, "guard_failed", "is not as the guard says", "read it again and retry"},
    {v1::PARTS_OVERLAP, kExitUsage, "parts_overlap", "is changed twice", "change it once"},
    {v1::TOO_MANY_PARTS, kExitUsage, "too_many_parts", "has too many changes", "make at most 64 at once"},
    {v1::TOO_MANY_PERMITS, kExitUsage, "too_many_permits", "may not have so many permits", "ask for at most 1024"},
    {v1::NOT_A_NUMBER, kExitBadData, "not_a_number", "does not contain a decimal number of 64 bits", "put one there first"},
    {v1::ROOT_IS_PERMANENT, kExitUsage, "root_is_permanent", "is the root", "name something below it"},
    {v1::SEQUENCER_INVALID, kExitLockLost, "sequencer_invalid", "is not held as the sequencer says",
     "refuse the request: its sender held the lock once, or in another mode"},
    {v1::BAD_SEQUENCER, kExitBadData, "bad_sequencer", "is named by a sequencer that this cell never gave out",
     "refuse the request, or ask the cell that it comes from"},
    {v1::PERMISSION_DENIED, kExitPermission, "permission_denied", "does not permit that to this principal",
     "see 'bramah acl' for the names of its ACLs, or say who you are with --principal"},
    {v1::STALE_HANDLE, kExitConflict, "removed", "was removed meanwhile", "start again"},
    {v1::CANCELLED, kExitConflict, "cancelled", "was given up", "start again"},
    {v1::TIMED_OUT, kExitConflict, "timed_out", "was not answered in time; the outcome is unknown",
     "look at the state, then repeat or raise --timeout"},
    {v1::SESSION_EXPIRED, kExitUnavailable, "session_expired", "was not reached before the session ended", "start again"},
    {v1::SESSION_CLOSING, kExitUnavailable, "session_expired", "was not reached before the session ended", "start again"},
    {v1::UNAVAILABLE, kExitUnavailable, "unavailable", "cannot be reached: no master answers", "see 'bramah status'"},
    {v1::JEOPARDY, kExitUnavailable, "unavailable", "cannot be reached: no master answers", "see 'bramah status'"},
};

}  // namespace

std::optional<Failure> ParseTarget(const std::string& text, GlobalName* target) {
  const std::optional<GlobalName> parsed = ParseGlobalName(text);
  if (!parsed.has_value()) {
    v1::Outcome outcome;
    outcome.set_code(FaultOfGlobalName(text));
    if (outcome.code() == v1::TOO_DEEP) return FailureOfOutcome(outcome, "'" + text + "'");
    return Failure{kExitUsage, "bad_path", "'" + text + "' is no path",
                   "write /ls/<cell>/name/name: names of 1 to 255 bytes, no empty name, '.' or '..'"};
  }
  *target = *parsed;
  return std::nullopt;
}

Failure FailureOfOutcome(const v1::Outcome& outcome, const std::string& name) {
  for (const Explanation& known : kExplanations) {
    if (known.code == outcome.code()) return {known.exit_code, known.word, name + " " + known.cause, known.remedy};
  }
  return {kExitInternal, "internal", name + ": unexpected answer " + v1::Code_Name(outcome.code()), "report it"};
}

CellSession::CellSession(const Context& context, std::string cell, std::function<void(const CoreEvent&)> on_event)
    : context_(context), cell_(std::move(cell)) {
  ClientOptions options;
  options.cell = cell_;
  options.principal = context.principal;
  options.endpoints = context.endpoints;
  options.on_event = std::move(on_event);
  if (!options.endpoints.empty()) client_ = std::make_unique<RealClient>(std::move(options));
}

// What is left to its lease may be taken over by the next life, as if this process had been killed.
CellSession::~CellSession() {
  if (client_ == nullptr || abandoned_) return;
  client_->EndSession(kGoodbye);
  if (client_->view().state == SessionState::kNone) token_.Clear();
}

std::optional<Failure> CellSession::Prepare() {
  if (client_ == nullptr) {
    return Failure{kExitConfig, "no_endpoints", "no endpoints of a cell are known",
                   "pass --endpoints host:port,... or set BRAMAH_ENDPOINTS as 'bramah cell up' prints it"};
  }
  deadline_ = Now() + context_.timeout;
  return std::nullopt;
}

std::optional<v1::Outcome> CellSession::Ask(const v1::Command& command) {
  // Shared, since the answer may come after this function has given up.
  const auto answer = std::make_shared<std::optional<v1::Outcome>>();
  client_->Start(command, [answer](const v1::Outcome& outcome) { *answer = outcome; });
  client_->RunUntil([&] { return answer->has_value() || WrongCell(); }, deadline_);
  return *answer;
}

std::optional<Failure> CellSession::Open() {
  if (auto failure = Prepare()) return failure;
  v1::Command command;
  command.set_kind(v1::OPEN_SESSION);
  if (!token_path_.empty()) {
    if (auto failure = token_.Open(token_path_)) return failure;
    const SessionToken former = token_.former().value_or(SessionToken());
    command.set_takes_over(former.session);
    command.set_former_high(former.nonce_high);
    command.set_former_low(former.nonce_low);
    command.set_former_is_gone(true);  // else the file would be locked
  }
  const std::optional<v1::Outcome> answer = Ask(command);
  if (!answer.has_value()) return Unavailable();
  if (answer->code() == v1::TAKEOVER_REFUSED) {
    const std::string cause = token_path_ + " holds the token of a session that is not this principal's";
    return Failure{kExitPermission, "takeover_refused", cause,
                   "say who you are with --principal, or remove the file if it is of another cell"};
  }
  if (answer->code() == v1::TOO_MANY_SESSIONS) return FailureOfOutcome(*answer, "/ls/" + cell_);
  if (answer->code() != v1::OK) return Unavailable();
  if (token_path_.empty()) return std::nullopt;
  return token_.Keep({answer->session(), answer->nonce_high(), answer->nonce_low()});
}

std::optional<Failure> CellSession::ReadStale(v1::CommandKind kind, const GlobalName& target, v1::Outcome* outcome) {
  if (auto failure = Prepare()) return failure;
  v1::Command command;
  command.set_kind(kind);
  command.set_path(target.path);
  command.set_stale(true);
  const std::optional<v1::Outcome> answer = Ask(command);
  if (!answer.has_value()) return Unavailable("replica with any state");
  *outcome = *answer;
  if (answer->code() == v1::OK) return std::nullopt;
  return FailureOfOutcome(*answer, FormatGlobalName(target.cell, target.path));
}

bool CellSession::WrongCell() const {
  const std::string& peer = client_->peer_cell();
  return cell_ != "local" && !peer.empty() && peer != cell_;
}

Failure CellSession::Unavailable(const char* who) const {
  if (WrongCell()) {
    const std::string& peer = client_->peer_cell();
    return {kExitUnavailable, "wrong_cell", "the endpoints belong to cell '" + peer + "', not '" + cell_ + "'",
            "write /ls/" + peer + "/... or pass that cell's --endpoints"};
  }
  std::string tried;
  for (const std::string& endpoint : context_.endpoints) tried += (tried.empty() ? "" : ",") + endpoint;
  const std::string within = " within " + FormatDuration(context_.timeout);
  return {kExitUnavailable, "unavailable", std::string("no ") + who + " answered at " + tried + within,
          "check that a majority of the replicas runs ('bramah status'), or raise --timeout"};
}

std::optional<Failure> CellSession::Call(const v1::Command& command, const std::string& name, v1::Outcome* outcome) {
  *outcome = client_->Call(command, std::max<Duration>(deadline_ - Now(), 0));
  if (outcome->code() == v1::OK) return std::nullopt;
  return FailureOfOutcome(*outcome, name);
}

std::optional<Failure> CellSession::OpenNode(const GlobalName& target, const OpenWish& wish, v1::Outcome* outcome) {
  v1::Command command;
  command.set_kind(v1::OPEN);
  command.set_path(target.path);
  command.set_open_flags(wish.flags);
  command.set_contents(wish.contents);
  command.set_lock_delay_ns(wish.lock_delay);
  command.set_events(wish.events);
  command.set_permits(wish.permits);
  return Call(command, FormatGlobalName(target.cell, target.path), outcome);
}

}  // namespace bramah::cli

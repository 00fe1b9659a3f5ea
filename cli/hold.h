// Taking a lock and living under it: what `lock` and `elect` have in common.
#ifndef BRAMAH_CLI_HOLD_H_
#define BRAMAH_CLI_HOLD_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "cli/session.h"
#include "net_real/client.h"

namespace bramah::cli {

struct LockWish {
  GlobalName target;
  std::string name;  // as the user wrote it
  v1::LockMode mode = v1::EXCLUSIVE;
  bool try_only = false;
  uint32_t permits = 1;     // how many may hold it exclusively at a time
  uint32_t events = 0;      // bits of v1::EventKind that the session is told of
  Duration lock_delay = 0;  // how long nobody gets the lock if this process is lost while it holds it
  Time deadline = kNever;   // for waiting
  std::string token;        // file for the token of the session; empty: none is kept
};

// --lock-delay, which sets `wish->lock_delay`.
void AddLockDelayOption(CLI::App& verb, Duration fallback, const std::shared_ptr<LockWish>& wish);

// --token, which sets `path`.
void AddTokenOption(CLI::App& verb, std::string* path);

struct HeldByUs {
  uint64_t handle = 0;
  uint64_t generation = 0;
  uint32_t permit = 0;  // which one of several
  std::string sequencer;  // of the hold
};

// What ended a phase early: a signal, or a failure.
struct Interruption {
  int signal = 0;
  std::optional<Failure> failure;
  // Exit code after telling the failure, if it is one.
  int Tell(const Context& context) const;
};

// Opens (creating if needed) and acquires. `held` has its handle as soon as the node is open, so that `waiting` may use it; that
// is called while the lock belongs to others, at first and whenever anything happened.
std::optional<Interruption> TakeLock(CellSession& session, const LockWish& wish, HeldByUs* held,
                                     std::function<void()> waiting = nullptr);

// Whether the client library believes, at this instant, that the lock is held.
bool BelievesHeld(const net_real::ClientView& view, uint64_t handle);

// Holds until SIGINT, SIGTERM or SIGHUP (nothing is returned then), or until the lock is uncertain.
std::optional<Failure> HoldUntilSignalled(CellSession& session, const LockWish& wish, const HeldByUs& held);

// Runs `argv` with the BRAMAH_* variables, passes signals on to it, stops it when the lock becomes uncertain (exit 76), and
// otherwise returns its code.
int RunUnderLock(const Context& context, CellSession& session, const LockWish& wish, const HeldByUs& held,
                 const std::vector<std::string>& argv);

// Frees the lock if it is held, so that the next waiter gets it without waiting for the session to end.
void ReleaseLock(CellSession& session, const HeldByUs& held);

}  // namespace bramah::cli

#endif  // BRAMAH_CLI_HOLD_H_

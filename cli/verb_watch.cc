// bramah watch PATH: prints what happens to a node, one line each, until it is removed or a signal comes.
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/context.h"
#include "cli/loop.h"
#include "cli/session.h"
#include "cli/text.h"
#include "nlohmann/json.hpp"

namespace bramah::cli {
namespace {

using nlohmann::ordered_json;

struct WatchArgs {
  std::string path;
  uint64_t count = 0;  // 0: no limit
};

constexpr uint32_t kEverything = v1::EVENT_CONTENTS | v1::EVENT_CHILDREN | v1::EVENT_HANDLE_INVALID | v1::EVENT_LOCK_ACQUIRED;

// The word for an event that is shown; null for any other.
const char* WordOf(CoreEvent::Kind kind) {
  switch (kind) {
    case CoreEvent::kContentsModified: return "contents";
    case CoreEvent::kChildrenChanged: return "children";
    case CoreEvent::kHandleInvalid: return "removed";
    case CoreEvent::kLockAcquired: return "locked";
    case CoreEvent::kMasterFailedOver: return "failed_over";
    case CoreEvent::kEventsLost: return "events_lost";
    default: return nullptr;
  }
}

// Prints events of the node as they are told: first that it is watched, then at most so many.
class EventPrinter {
 public:
  EventPrinter(bool json, std::string path, uint64_t most) : json_(json), path_(std::move(path)), most_(most) {}

  // What was told before is printed now.
  void Start(uint64_t generation) {
    Print("watching", generation);
    started_ = true;
    for (const CoreEvent& event : std::exchange(early_, {})) On(event);
  }
  void On(const CoreEvent& event) {
    const char* const word = WordOf(event.kind);
    if (word == nullptr || done()) return;
    if (!started_) return early_.push_back(event);
    Print(word, event.kind == CoreEvent::kContentsModified ? event.content_generation : event.generation.value());
    if (event.handle) ++printed_;
    removed_ = event.kind == CoreEvent::kHandleInvalid;
  }
  bool done() const { return removed_ || (most_ != 0 && printed_ >= most_); }

 private:
  void Print(const char* word, uint64_t generation) {
    if (json_) {
      const ordered_json line = {{"event", word}, {"path", path_}, {"generation", generation}};
      std::printf("%s\n", line.dump(-1, ' ', false, ordered_json::error_handler_t::replace).c_str());
    } else if (generation != 0) {
      std::printf("%s generation %llu\n", word, static_cast<unsigned long long>(generation));
    } else {
      std::printf("%s\n", word);
    }
    std::fflush(stdout);
  }

  const bool json_;
  const std::string path_;
  const uint64_t most_;  // events of the node; 0: no limit
  bool started_ = false;
  std::vector<CoreEvent> early_;
  uint64_t printed_ = 0;
  bool removed_ = false;
};

int RunWatch(const Context& context, const WatchArgs& args) {
  GlobalName target;
  if (auto failure = ParseTarget(args.path, &target)) return Report(context, *failure);
  const auto printer = std::make_shared<EventPrinter>(context.json, args.path, args.count);
  CellSession session(context, target.cell, [printer](const CoreEvent& event) { printer->On(event); });
  if (auto failure = session.Open()) return Report(context, *failure);
  net_real::RealClient& client = session.client();
  bool signalled = false;
  const Signals signals(client.io(), {SIGINT, SIGTERM, SIGHUP}, [&signalled](int) { signalled = true; });
  v1::Outcome opened;
  if (auto failure = session.OpenNode(target, {.events = kEverything}, &opened)) return Report(context, *failure);
  printer->Start(opened.content_generation());
  const auto expired = [&client] { return client.view().state == net_real::SessionState::kExpired; };
  client.RunUntil([&] { return signalled || printer->done() || expired(); }, kNever);
  if (!expired()) return net_real::kExitOk;
  return Report(context, {net_real::kExitUnavailable, "session_expired", "the cell was not reached within lease and grace period",
                          "check the cell with 'bramah status', then start again; what happened meanwhile was not shown"});
}

}  // namespace

void AddWatchVerb(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand("watch", "Print what happens to a node, until it is removed or a signal comes");
  auto args = std::make_shared<WatchArgs>();
  verb->add_option("path", args->path, "/ls/<cell>/...")->required()->type_name("PATH");
  verb->add_option("--count", args->count, "End after so many events of the node")->type_name("N");
  verb->footer(
      "Lines: 'watching', then 'contents' (written), 'children' (of a directory: one was made, removed or written), 'locked',\n"
      "'removed'; generations rise. Several changes may be shown as one. 'failed_over' and 'events_lost': contents, children\n"
      "and removal are looked after, but an acquisition of the lock may have gone unseen.");
  verb->callback([args, &context] { context.run = [args, &context] { return RunWatch(context, *args); }; });
}

}  // namespace bramah::cli

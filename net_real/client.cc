#include "net_real/client.h"

#include <map>
#include <optional>
#include <utility>

#include "asio/executor_work_guard.hpp"
#include "asio/post.hpp"
#include "net_real/node.h"

namespace bramah::net_real {
namespace {

client::ClientConfig ConfigOf(const ClientOptions& options) {
  client::ClientConfig config;
  config.cell = options.cell;
  config.principal = options.principal;
  config.endpoints = options.endpoints;
  config.cache = options.cache;
  config.idle_end = options.idle_end;
  return config;
}

}  // namespace

class RealClient::Host : public Node {
 public:
  Host(asio::io_context& io, ClientOptions options)
      : Node(io), options_(std::move(options)), config_(ConfigOf(options_)), core_(&config_) {
    asio::post(io, [this] {
      Feed(Boot{nullptr, EntropySeed(), {}, {}});
      WatchClock();
    });
  }

  void Ask(const v1::Command& command, std::function<void(const v1::Outcome&)> answer) {
    const CallId call(next_call_++);
    answers_[call] = std::move(answer);
    Feed(bramah::Call{call, &command});
  }

  const ClientView& view() const { return core_.view(); }
  const std::string& peer_cell() const { return peer_cell_; }

 private:
  void Step(Time now, const Input& input, Effects& out) override { core_.Step(now, input, out); }
  int64_t RhoPpm() override { return core_.view().rho_ppm; }

  void OnReply(CallId call, const v1::Outcome& outcome) override {
    const auto found = answers_.find(call);
    if (found == answers_.end()) return;
    const auto answer = std::move(found->second);
    answers_.erase(found);
    answer(outcome);
  }

  void OnEvent(const CoreEvent& event) override {
    if (options_.on_event != nullptr) options_.on_event(event);
  }

  void OnPeer(const v1::Hello& hello) override { peer_cell_ = hello.cell(); }

  const ClientOptions options_;
  const client::ClientConfig config_;
  client::Client core_;
  uint64_t next_call_ = 1;
  std::map<CallId, std::function<void(const v1::Outcome&)>> answers_;
  std::string peer_cell_;
};

RealClient::RealClient(ClientOptions options)
    : io_(std::make_unique<asio::io_context>(1)), host_(std::make_unique<Host>(*io_, std::move(options))) {}
RealClient::~RealClient() = default;

const ClientView& RealClient::view() const { return host_->view(); }
const std::string& RealClient::peer_cell() const { return host_->peer_cell(); }
asio::io_context& RealClient::io() { return *io_; }
void RealClient::Wake() {
  asio::post(*io_, [] {});
}

// Posted, so that an answer may ask again: steps do not nest.
void RealClient::Start(const v1::Command& command, std::function<void(const v1::Outcome&)> answer) {
  asio::post(*io_, [host = host_.get(), command, answer = std::move(answer)] { host->Ask(command, answer); });
}

v1::Outcome RealClient::Call(const v1::Command& command, Duration timeout) {
  const Time deadline = timeout == kNever ? kNever : Now() + timeout;
  // Shared, since the answer may come after this call has given up.
  const auto answer = std::make_shared<std::optional<v1::Outcome>>();
  Start(command, [answer](const v1::Outcome& outcome) { *answer = outcome; });
  if (RunUntil([&] { return answer->has_value(); }, deadline)) return **answer;
  v1::Outcome late;
  late.set_code(v1::TIMED_OUT);
  return late;
}

void RealClient::EndSession(Duration timeout) {
  const SessionState state = view().state;
  if (state != SessionState::kActive && state != SessionState::kJeopardy) return;
  v1::Command command;
  command.set_kind(v1::END_SESSION);
  Call(command, timeout);
}

bool RealClient::RunUntil(const std::function<bool()>& done, Time deadline) {
  const auto work = asio::make_work_guard(*io_);
  BootTimer limit(*io_);
  const auto late = std::make_shared<bool>(false);  // shared: the cancelled wait outlives this frame
  if (deadline != kNever) {
    limit.expires_at(ToTimePoint(deadline));
    limit.async_wait([late](std::error_code error) { *late = !error; });
  }
  while (!*late && !done()) io_->run_one();
  return done();
}

}  // namespace bramah::net_real

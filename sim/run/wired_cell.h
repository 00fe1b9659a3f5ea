// A cell of one replica and a few clients, wired by hand: no network, no plan. Whoever drives decides when a message arrives, in
// which order, and when time passes; a step of a node does nothing else by itself. Messages of one stream may overtake each
// other.
#ifndef BRAMAH_SIM_RUN_WIRED_CELL_H_
#define BRAMAH_SIM_RUN_WIRED_CELL_H_

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/api/effects.h"
#include "core/api/step.h"
#include "core/cell/cell.h"
#include "core/client/client.h"
#include "core/replica/server.h"
#include "sim/disk/disk.h"

namespace bramah::sim {

class WiredCell {
 public:
  // Called after every step of any node; `client` is its number, or -1 for the server.
  using Look = std::function<void(int client, Effects& effects)>;

  WiredCell(const std::vector<client::ClientConfig>& clients, Look look) : look_(std::move(look)), configs_(clients) {
    v1::Member& member = *config_.bootstrap.add_members();
    member.set_id(1);
    member.set_endpoint("r1");
    config_.self = ReplicaId(1);
    config_.bootstrap.set_election_min_ns(150 * kMillisecond);
    config_.bootstrap.set_lease_ns(12 * kSecond);
    config_.bootstrap.set_incarnation(1);
    server_ = std::make_unique<replica::Server>(&config_);
    expect_.cell = config_.cell;
    expect_.member = config_.self;
    Boot boot;
    boot.expect = &expect_;
    boot.seed = 1;
    boot.secret = {1, 2};
    StepServer(boot);
    for (size_t i = 0; i < configs_.size(); ++i) {
      clients_.push_back(std::make_unique<Node>(&configs_[i]));
      Boot of_client;
      of_client.seed = i + 2;
      StepClient(static_cast<int>(i), of_client);
    }
    Pass(kSecond);
  }

  const cell::Cell& cell() const { return *server_->view().cell; }
  bool serving() const { return server_->view().phase == replica::Phase::kServing; }
  const client::ClientView& view(int client) const { return clients_[static_cast<size_t>(client)]->client.view(); }
  Time now() const { return now_; }

  void Call(int client, CallId call, const v1::Command& command) { StepClient(client, bramah::Call{call, &command}); }
  // Lets the clock of all run, and their timers fire; no message arrives.
  void Pass(Duration d) {
    const Time until = now_ + d;
    while (FireBefore(until)) {
    }
    now_ = until;
  }
  // The message that is `nth` in line, to or from the client, arrives; false if there are not so many.
  bool Deliver(int client, bool to_client, size_t nth) {
    Link& link = clients_[static_cast<size_t>(client)]->link;
    auto& queue = to_client ? link.to_client : link.to_server;
    if (nth >= queue.size()) return false;
    const Letter letter = std::move(queue[nth]);
    queue.erase(queue.begin() + static_cast<ptrdiff_t>(nth));
    const Message message{letter.kind, letter.body.get()};
    if (to_client) StepClient(client, bramah::Deliver{link.at_client, message});
    if (!to_client) StepServer(bramah::Deliver{link.at_server, message});
    return true;
  }
  // All messages of the client arrive, and those that these cause, a bounded number; but for the oldest `late` ones to it.
  void Settle(int client, size_t late) {
    for (int i = 0; i < 200; ++i) {
      if (!Deliver(client, false, 0) && !Deliver(client, true, late)) return;
    }
  }
  // The stream breaks, and what was under way is lost.
  void Break(int client) {
    const Link link = std::exchange(clients_[static_cast<size_t>(client)]->link, Link());
    if (!link.at_client) return;
    StepServer(ConnDown{link.at_server, CloseReason::kPeerClosed});
    StepClient(client, ConnDown{link.at_client, CloseReason::kPeerClosed});
  }

 private:
  struct Letter {
    MessageKind kind;
    std::shared_ptr<google::protobuf::Message> body;
  };
  struct Link {
    ConnId at_client;
    ConnId at_server;
    std::deque<Letter> to_client;
    std::deque<Letter> to_server;
  };
  struct Node {
    explicit Node(const client::ClientConfig* config) : client(config) {}
    client::Client client;
    Link link;
    std::map<TimerId, Time> timers;
  };
  struct Dial {
    int client;
    ConnId conn;
    v1::Hello hello;
  };
  struct Done {
    Lane lane;
    Ticket ticket;
    std::vector<Blob> reads;
  };

  static Letter Copy(const Effects::SendOp& send) {
    std::shared_ptr<google::protobuf::Message> body(send.body->New());
    body->CopyFrom(*send.body);
    return {send.kind, std::move(body)};
  }
  static void CarryTimer(const Effects& out, Effects::Ref ref, std::map<TimerId, Time>& timers) {
    if (ref.op == Effects::Op::kArm) timers[out.timer(ref).timer] = out.timer(ref).at;
    if (ref.op == Effects::Op::kCancel) timers.erase(out.timer(ref).timer);
  }

  // The disk is done at once, so a message waits for nothing.
  void StepServer(const Input& input) {
    out_.Clear();
    server_->Step(now_, input, out_);
    std::vector<Done> done;
    std::vector<ConnId> closed;
    for (const Effects::Ref ref : out_.ops()) {
      CarryTimer(out_, ref, timers_);
      if (ref.op == Effects::Op::kSend) Post(out_.send(ref));
      if (ref.op == Effects::Op::kListen) hello_ = out_.connect(ref).hello;
      if (ref.op == Effects::Op::kClose) closed.push_back(out_.close(ref).conn);
      if (ref.op != Effects::Op::kDisk) continue;
      Done& batch = done.emplace_back(Done{out_.disk(ref).lane, out_.disk(ref).ticket, {}});
      for (const FileOp& op : out_.file_ops(out_.disk(ref))) disk_.Apply(op, &batch.reads);
    }
    look_(-1, out_);
    for (const Done& batch : done) StepServer(DiskDone{batch.lane, batch.ticket, batch.reads});
    for (const ConnId conn : closed) HangUp(conn);
  }
  void Post(const Effects::SendOp& send) {
    for (auto& node : clients_) {
      if (node->link.at_server == send.to) node->link.to_client.push_back(Copy(send));
    }
  }
  void HangUp(ConnId at_server) {
    for (size_t i = 0; i < clients_.size(); ++i) {
      if (clients_[i]->link.at_server != at_server) continue;
      const Link link = std::exchange(clients_[i]->link, Link());
      StepClient(static_cast<int>(i), ConnDown{link.at_client, CloseReason::kPeerClosed});
    }
  }

  void StepClient(int number, const Input& input) {
    Node& node = *clients_[static_cast<size_t>(number)];
    out_.Clear();
    node.client.Step(now_, input, out_);
    std::vector<Dial> dials;
    std::optional<ConnId> closed;
    for (const Effects::Ref ref : out_.ops()) {
      CarryTimer(out_, ref, node.timers);
      if (ref.op == Effects::Op::kSend && out_.send(ref).to == node.link.at_client) {
        node.link.to_server.push_back(Copy(out_.send(ref)));
      }
      if (ref.op == Effects::Op::kConnect) dials.push_back({number, out_.connect(ref).conn, out_.connect(ref).hello});
      if (ref.op == Effects::Op::kClose && out_.close(ref).conn == node.link.at_client) {
        closed = std::exchange(node.link, Link()).at_server;
      }
    }
    look_(number, out_);
    if (closed) StepServer(ConnDown{*closed, CloseReason::kPeerClosed});
    for (const Dial& dial : dials) Connect(dial);
  }
  void Connect(const Dial& dial) {
    Link& link = clients_[static_cast<size_t>(dial.client)]->link;
    link = Link();
    link.at_client = dial.conn;
    link.at_server = ConnId(conns_ += 2);
    StepServer(ConnUp{link.at_server, &dial.hello});
    if (link.at_client == dial.conn) StepClient(dial.client, ConnUp{dial.conn, &hello_});
  }

  // The first timer that is due by `until`; false if there is none.
  bool FireBefore(Time until) {
    std::map<TimerId, Time>* of = &timers_;
    int owner = -1;
    auto first = First(timers_);
    for (size_t i = 0; i < clients_.size(); ++i) {
      const auto at = First(clients_[i]->timers);
      if (at.second >= first.second) continue;
      first = at;
      owner = static_cast<int>(i);
      of = &clients_[i]->timers;
    }
    if (first.second > until) return false;
    now_ = std::max(now_, first.second);
    of->erase(first.first);
    owner < 0 ? StepServer(TimerFired{first.first}) : StepClient(owner, TimerFired{first.first});
    return true;
  }
  static std::pair<TimerId, Time> First(const std::map<TimerId, Time>& timers) {
    std::pair<TimerId, Time> first{TimerId::kCount, kNever};
    for (const auto& [timer, at] : timers) {
      if (at < first.second) first = {timer, at};
    }
    return first;
  }

  Look look_;
  std::vector<client::ClientConfig> configs_;
  replica::ServerConfig config_;
  Identity expect_;
  std::unique_ptr<replica::Server> server_;
  std::vector<std::unique_ptr<Node>> clients_;
  Disk disk_;
  v1::Hello hello_;
  std::map<TimerId, Time> timers_;  // of the server
  Effects out_;
  uint64_t conns_ = 0;
  Time now_ = 100 * kSecond;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_RUN_WIRED_CELL_H_

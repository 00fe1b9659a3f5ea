#include "core/client/stale_reads.h"

#include <algorithm>
#include <utility>

#include "core/api/path.h"
#include "core/client/calls.h"

namespace bramah::client {
namespace {

v1::Code JudgeStaleRead(const v1::Command& asked, size_t pending) {
  const v1::CommandKind kind = asked.kind();
  if (kind != v1::GET_CONTENTS && kind != v1::GET_STAT && kind != v1::READ_DIR) return v1::MALFORMED;
  if (!IsCellPath(asked.path())) return FaultOfPath(asked.path());
  return pending >= kCallsMax ? v1::LIMIT_REACHED : v1::OK;
}

}  // namespace

void StaleReads::Accept(Time now, ConnId conn, CallId call, const v1::Command& asked, Effects& out) {
  const v1::Code refusal = JudgeStaleRead(asked, reads_.size());
  if (refusal != v1::OK) {
    out.Reply(call).set_code(refusal);
    return;
  }
  Read read;
  read.call = call;
  read.command.set_kind(asked.kind());
  read.command.set_path(asked.path());
  read.command.set_with_stat(asked.with_stat());
  if (reads_.empty()) retry_at_ = now + config_->keepalive_retry;
  Send(++last_id_, read, conn, out);
  reads_.emplace(last_id_, std::move(read));
}

void StaleReads::Send(uint64_t id, const Read& read, ConnId conn, Effects& out) const {
  if (!conn) return;
  v1::Request& request = out.Send<v1::Request>(conn);
  request.set_id(id);
  request.set_stale(true);
  request.set_applied_at_least(seen_);
  *request.mutable_command() = read.command;
}

void StaleReads::Resend(Time now, ConnId conn, Effects& out) {
  retry_at_ = now + config_->keepalive_retry;
  for (const auto& [id, read] : reads_) Send(id, read, conn, out);
}

void StaleReads::Retry(Time now, ConnId conn, Effects& out) {
  if (!reads_.empty() && now >= retry_at_) Resend(now, conn, out);
}

// An answer that was overtaken by a newer one would go back: it is asked for again.
bool StaleReads::OnReply(const v1::Reply& reply, Effects& out) {
  const auto at = reads_.find(reply.id());
  if (at == reads_.end()) return true;  // answered since
  if (reply.outcome().code() == v1::UNAVAILABLE || reply.outcome().code() == v1::NOT_MASTER) return false;
  if (reply.applied_index() == 0 || reply.applied_index() < seen_) return true;
  Saw(reply.applied_index());
  v1::Outcome& outcome = out.Reply(at->second.call);
  outcome = reply.outcome();
  outcome.set_applied_index(reply.applied_index());
  reads_.erase(at);
  return true;
}

void StaleReads::Saw(uint64_t applied_index) { seen_ = std::max(seen_, applied_index); }

void StaleReads::GiveUp(Effects& out) {
  for (const auto& [id, read] : reads_) out.Reply(read.call).set_code(v1::CANCELLED);
  reads_.clear();
}

}  // namespace bramah::client

#include <google/protobuf/text_format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/hash.h"
#include "sim/plan/plan.h"
#include "sim/trace/trace.h"

namespace bramah::sim {
namespace {

using Json = nlohmann::ordered_json;

std::string Text(const google::protobuf::Message& message) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  std::string text;
  printer.PrintToString(message, &text);
  return text;
}

std::string LaneName(Lane lane) { return lane == Lane::kLog ? "log" : "bulk"; }

struct InputJson {
  Json operator()(const Boot& boot) const { return {{"input", "boot"}, {"files", boot.files.size()}}; }
  Json operator()(const ConnUp& up) const { return {{"input", "up"}, {"conn", up.conn.value()}, {"hello", Text(*up.peer)}}; }
  Json operator()(const ConnDown& down) const {
    return {{"input", "down"}, {"conn", down.conn.value()}, {"why", static_cast<int>(down.why)}};
  }
  Json operator()(const Writable& writable) const { return {{"input", "writable"}, {"conn", writable.conn.value()}}; }
  Json operator()(const Deliver& deliver) const {
    return {{"input", "deliver"},
            {"conn", deliver.conn.value()},
            {"message", std::string(KindName(deliver.message.kind))},
            {"body", Text(*deliver.message.body)}};
  }
  Json operator()(const TimerFired& fired) const { return {{"input", "timer"}, {"timer", static_cast<int>(fired.timer)}}; }
  Json operator()(const DiskDone& done) const {
    return {{"input", "disk"}, {"lane", LaneName(done.lane)}, {"ticket", done.ticket}};
  }
  Json operator()(const DiskFailed& failed) const {
    return {{"input", "disk_failed"},
            {"lane", LaneName(failed.lane)},
            {"ticket", failed.ticket},
            {"op", failed.op},
            {"error", static_cast<int>(failed.error)}};
  }
  Json operator()(const Call& call) const {
    Json json = {{"input", "call"}, {"call", call.call.value()}, {"command", Text(*call.command)}};
    if (!call.wait) json["wait"] = false;
    return json;
  }
  Json operator()(const ClockRate& rate) const { return {{"input", "clock"}, {"trusted", rate.trusted}}; }
};

std::string OperationText(const FileOp& op) {
  static constexpr const char* kNames[] = {"create", "zero-fill", "write", "sync", "rename", "sync-dir", "unlink", "read"};
  std::string text = kNames[op.kind];
  if (op.kind != FileOp::kSyncDir) absl::StrAppend(&text, " ", FileName(op.file));
  if (op.kind == FileOp::kRename) absl::StrAppend(&text, " to ", FileName(op.to));
  if (op.kind == FileOp::kWrite) absl::StrAppend(&text, " ", op.offset, "+", op.bytes.size());
  if (op.kind == FileOp::kRead || op.kind == FileOp::kZeroFill) absl::StrAppend(&text, " ", op.offset, "+", op.length);
  return text;
}

Json EffectJson(const Effects& effects, Effects::Ref ref) {
  switch (ref.op) {
    case Effects::Op::kSend: {
      const Effects::SendOp& op = effects.send(ref);
      Json json = {
          {"effect", "send"}, {"conn", op.to.value()}, {"message", std::string(KindName(op.kind))}, {"body", Text(*op.body)}};
      if (op.after.log != 0) json["after_log"] = op.after.log;
      if (op.after.bulk != 0) json["after_bulk"] = op.after.bulk;
      return json;
    }
    case Effects::Op::kDisk: {
      const Effects::DiskOp& op = effects.disk(ref);
      Json ops = Json::array();
      for (const FileOp& file_op : effects.file_ops(op)) ops.push_back(OperationText(file_op));
      return {{"effect", "disk"}, {"lane", LaneName(op.lane)}, {"ticket", op.ticket}, {"ops", ops}};
    }
    case Effects::Op::kArm:
      return {{"effect", "arm"}, {"timer", static_cast<int>(effects.timer(ref).timer)}, {"at_local_ns", effects.timer(ref).at}};
    case Effects::Op::kCancel:
      return {{"effect", "cancel"}, {"timer", static_cast<int>(effects.timer(ref).timer)}};
    case Effects::Op::kReply:
      return {{"effect", "reply"}, {"call", effects.reply(ref).call.value()}, {"outcome", Text(*effects.reply(ref).outcome)}};
    case Effects::Op::kConnect:
      return {{"effect", "connect"}, {"conn", effects.connect(ref).conn.value()}, {"endpoint", effects.connect(ref).endpoint}};
    case Effects::Op::kListen:
      return {{"effect", "listen"}};
    case Effects::Op::kClose:
      return {{"effect", "close"}, {"conn", effects.close(ref).conn.value()}, {"why", static_cast<int>(effects.close(ref).why)}};
    case Effects::Op::kEvent: {
      const CoreEvent& event = effects.event(ref);
      Json json = {{"effect", "event"}, {"event", std::string(EventName(event.kind))}};
      const auto put = [&json](const char* name, uint64_t value) {
        if (value != 0) json[name] = value;
      };
      put("term", event.term.value());
      put("index", event.index.value());
      put("epoch", event.epoch.value());
      put("session", event.session.value());
      put("seq", event.seq.value());
      put("handle", event.handle.value());
      put("generation", event.generation.value());
      const bool applied = event.kind == CoreEvent::kApplied || event.kind == CoreEvent::kPartApplied;
      if (applied) json["command"] = v1::CommandKind_Name(event.command);
      if (event.kind == CoreEvent::kApplied) json["code"] = v1::Code_Name(event.code);
      if (event.time != 0) json["time_ns"] = event.time;
      return json;
    }
    case Effects::Op::kHalt:
      return {{"effect", "halt"}, {"detail", effects.halt(ref).detail}};
  }
  return {};
}

}  // namespace

std::string TraceHeader(const v1::Plan& plan) {
  const Json json = {{"format", "bramah-trace"},
                     {"version", 1},
                     {"plan_hash", absl::StrCat(absl::Hex(Hash64(FormatPlan(plan)), absl::kZeroPad16))},
                     {"seed", plan.seed()},
                     {"build", __VERSION__}};
  return json.dump();
}

std::string TraceLine(Time at, std::string_view process, const Input& input, const Effects& effects) {
  Json json = {{"at_ns", at}, {"process", std::string(process)}};
  json.update(std::visit(InputJson(), input));
  Json list = Json::array();
  for (Effects::Ref ref : effects.ops()) list.push_back(EffectJson(effects, ref));
  json["effects"] = list;
  // Contents may hold any bytes; what is not UTF-8 is replaced, so that every line is valid JSON.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace bramah::sim

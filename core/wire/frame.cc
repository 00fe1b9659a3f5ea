#include "core/wire/frame.h"

#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/hash.h"

namespace bramah {

void EncodeFrame(MessageKind kind, const google::protobuf::Message& body, std::string* out) {
  const size_t payload = body.ByteSizeLong();
  const size_t start = out->size();
  out->resize(start + kFrameHeaderBytes + 1 + payload);
  char* to = out->data() + start;
  to[kFrameHeaderBytes] = static_cast<char>(kind);
  body.SerializeWithCachedSizesToArray(reinterpret_cast<uint8_t*>(to + kFrameHeaderBytes + 1));
  StoreLittle<uint32_t>(to, static_cast<uint32_t>(1 + payload));
  StoreLittle<uint32_t>(to + 4, Crc32c({to + kFrameHeaderBytes, 1 + payload}));
}

FrameResult DecodeFrame(std::string_view bytes, MessageSlots& slots) {
  FrameResult result;
  if (bytes.size() < kFrameHeaderBytes) return result;
  const uint32_t length = LoadLittle<uint32_t>(bytes.data());
  if (length == 0 || length > kFrameLengthMax) {
    result.status = FrameStatus::kMalformed;
    return result;
  }
  if (bytes.size() < kFrameHeaderBytes + length) return result;
  result.status = FrameStatus::kMalformed;
  const std::string_view body = bytes.substr(kFrameHeaderBytes, length);
  if (Crc32c(body) != LoadLittle<uint32_t>(bytes.data() + 4)) return result;
  const MessageKind kind = static_cast<MessageKind>(body[0]);
  google::protobuf::Message* slot = slots.Slot(kind);
  if (slot == nullptr || !slot->ParseFromArray(body.data() + 1, static_cast<int>(body.size() - 1))) return result;
  result.status = FrameStatus::kComplete;
  result.message = {kind, slot};
  result.consumed = kFrameHeaderBytes + length;
  return result;
}

}  // namespace bramah

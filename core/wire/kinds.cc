#include "core/wire/kinds.h"

namespace bramah {

std::string_view KindName(MessageKind kind) {
  switch (kind) {
#define BRAMAH_NAME(Type, number) \
  case MessageKind::k##Type:      \
    return #Type;
    BRAMAH_MESSAGES(BRAMAH_NAME)
#undef BRAMAH_NAME
    case MessageKind::kNone:
      break;
  }
  return "unknown";
}

google::protobuf::Message* MessageSlots::Slot(MessageKind kind) {
  switch (kind) {
#define BRAMAH_CASE(Type, number) \
  case MessageKind::k##Type:      \
    return &slot_##Type;
    BRAMAH_MESSAGES(BRAMAH_CASE)
#undef BRAMAH_CASE
    case MessageKind::kNone:
      break;
  }
  return nullptr;
}

}  // namespace bramah

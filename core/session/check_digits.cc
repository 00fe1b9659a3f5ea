#include "core/session/check_digits.h"

#include <string>

#include "core/base/bytes.h"

namespace bramah::session {

uint64_t CheckDigits(SessionId session, HandleId id, const Handle& handle, const MacKey& key) {
  if (!key) return 0;
  std::string bytes;
  ByteWriter out(&bytes);
  out.Bytes("handle");  // what else is made with the key says what it is, too
  out.U64(session.value());
  out.U64(id.value());
  out.U64(handle.instance.value());
  out.U8((handle.readable ? 1 : 0) | (handle.writable ? 2 : 0) | (handle.changes_acl ? 4 : 0));
  out.U64(static_cast<uint64_t>(handle.lock_delay));
  out.U32(handle.events);
  return Mac(key, bytes);
}

}  // namespace bramah::session

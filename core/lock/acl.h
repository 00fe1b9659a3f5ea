// Access control [Chubby §2.3]: a node has three ACL names, for reading it, for writing it (which includes locking), and for
// changing these names. An ACL is the file of that name in the directory /acl; it lists principals. So who may do something is
// changed by writing a file, like anything else in the cell.
#ifndef BRAMAH_CORE_LOCK_ACL_H_
#define BRAMAH_CORE_LOCK_ACL_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/hash.h"
#include "core/base/shared.h"

namespace bramah::lock {

inline constexpr std::string_view kAclDirectory = "/acl";
// Names without a file: the ACL of everybody, also of those who did not say who they are, and that of nobody [D-50].
inline constexpr std::string_view kEveryone = "everyone";
inline constexpr std::string_view kNobody = "nobody";

struct AclNames {
  std::string read;
  std::string write;
  std::string change;
  friend bool operator==(const AclNames&, const AclNames&) = default;
};

// Nodes that took theirs from their directory share it.
struct Acl {
  explicit Acl(AclNames given)
      : names(std::move(given)), digest(FoldHash(FoldHash(Hash64(names.read), Hash64(names.write)), Hash64(names.change))) {}
  AclNames names;
  uint64_t digest;
};
using AclPtr = Shared<Acl>;

// Whether the contents of an ACL file list `principal`: names stand between blanks, tabs and line ends.
bool Lists(std::string_view contents, std::string_view principal);

}  // namespace bramah::lock

#endif  // BRAMAH_CORE_LOCK_ACL_H_

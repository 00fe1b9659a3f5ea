#include "core/lock/acl.h"

namespace bramah::lock {

bool Lists(std::string_view contents, std::string_view principal) {
  constexpr std::string_view kBetween = " \t\r\n";
  if (principal.empty()) return false;
  for (size_t at = contents.find_first_not_of(kBetween); at != contents.npos;) {
    const size_t end = contents.find_first_of(kBetween, at);
    if (contents.substr(at, end - at) == principal) return true;
    at = contents.find_first_not_of(kBetween, end);
  }
  return false;
}

}  // namespace bramah::lock

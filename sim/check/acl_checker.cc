#include "sim/check/acl_checker.h"

#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"

namespace bramah::sim {
namespace {

bool Permits(const cell::AccessView::List& acl, const std::string& principal) {
  if (acl.name == "everyone") return true;
  if (acl.name == "nobody" || !acl.contents.has_value()) return false;
  std::istringstream words(*acl.contents);
  for (std::string word; words >> word;) {
    if (word == principal) return true;
  }
  return false;
}

}  // namespace

void AclChecker::Applied(const CoreEvent& applied) {
  if (!applied.effect) return;
  switch (applied.command) {
    case v1::OPEN:
      opened_.emplace_back(applied.session, applied.handle);
      return;
    case v1::SET_ACL:
    case v1::SET_CONTENTS:
    case v1::ADD:
    case v1::DELETE:
      opened_.clear();
      return;
    default:
      return;
  }
}

void AclChecker::AfterStep(Time at, const cell::Cell& cell) {
  for (const auto& [session, handle] : opened_) {
    const auto access = cell.AccessOf(session, handle);
    if (access.has_value()) CheckAccess(at, *access);
  }
  opened_.clear();
}

void AclChecker::CheckAccess(Time at, const cell::AccessView& access) {
  const auto check = [&](bool has, const cell::AccessView::List& acl, const char* right) {
    if (!has || Permits(acl, access.principal)) return;
    reporter_->Report("acl.enforced", at,
                      absl::StrCat(access.principal, " may ", right, " ", access.path, " through handle ",
                                   access.handle.handle.value(), ", although the ACL ", acl.name, " does not list it"));
  };
  check(access.handle.readable, access.read, "read");
  check(access.handle.writable, access.write, "write");
  check(access.handle.changes_acl, access.change, "change the ACLs of");
}

}  // namespace bramah::sim

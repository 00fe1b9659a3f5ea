// acl.enforced: no handle has a right that the ACLs did not give to its principal when it was opened [Chubby §2.3, D-49].
//
// Looked at right after the step that applied the Open, with the checker's own reading of names and files. A step that went on to
// change ACLs, or what they stand in, is left out: the state when the Open was applied is gone.
#ifndef BRAMAH_SIM_CHECK_ACL_CHECKER_H_
#define BRAMAH_SIM_CHECK_ACL_CHECKER_H_

#include <utility>
#include <vector>

#include "core/api/event.h"
#include "core/cell/cell.h"
#include "sim/check/reporter.h"

namespace bramah::sim {

class AclChecker {
 public:
  explicit AclChecker(Reporter* reporter) : reporter_(reporter) {}

  // At the first application of an index; only collects.
  void Applied(const CoreEvent& applied);
  // After the step that applied.
  void AfterStep(Time at, const cell::Cell& cell);
  void CheckAccess(Time at, const cell::AccessView& access);

 private:
  Reporter* reporter_;
  std::vector<std::pair<SessionId, HandleId>> opened_;  // in this step, and no ACL has changed since
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_CHECK_ACL_CHECKER_H_

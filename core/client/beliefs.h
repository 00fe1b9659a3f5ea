// Beliefs: the locks that this client believes to hold [L5], sorted by handle. A belief starts with a grant and ends, never to
// return by itself, when the client sends what may free the lock, closes the handle, or its session ends. That it counts
// only while the session is active is for whoever reads the list to observe.
#ifndef BRAMAH_CORE_CLIENT_BELIEFS_H_
#define BRAMAH_CORE_CLIENT_BELIEFS_H_

#include <vector>

#include "core/api/effects.h"
#include "core/client/client.h"

namespace bramah::client {

class Beliefs {
 public:
  const std::vector<HeldLock>& held() const { return held_; }
  // Replaces what was believed about the same handle; nothing happens if that is the same hold.
  void Start(SessionId session, HeldLock lock, Effects& out);
  // Does nothing if nothing is believed about the handle.
  void End(SessionId session, HandleId handle, Effects& out);
  void EndAll(SessionId session, Effects& out);

 private:
  std::vector<HeldLock> held_;
};

}  // namespace bramah::client

#endif  // BRAMAH_CORE_CLIENT_BELIEFS_H_

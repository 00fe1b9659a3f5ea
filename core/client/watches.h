// Watches: the handles that asked for events, and what their application was told last [Chubby §2.5].
//
// News come as items of the session, each once and in order within one epoch. What happened while no master could tell - between
// two of them, or because there was too much - the library finds by looking at the nodes again, and tells as if it had been told
// [D-22]. Both ways meet here: only what is newer than the last thing told is told. Content generations and positions of changes
// rise, so a number is enough to know.
#ifndef BRAMAH_CORE_CLIENT_WATCHES_H_
#define BRAMAH_CORE_CLIENT_WATCHES_H_

#include <cstdint>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/api/effects.h"
#include "core/client/client.h"
#include "core/wire/wire.pb.h"

namespace bramah::client {

class Watches {
 public:
  // An Open with these bits of v1::EventKind was asked for.
  void Add(HandleId handle, uint32_t events);
  // Closed, poisoned, or never opened.
  void Remove(HandleId handle);
  void RemoveAll();
  // The Open was answered, which the application knows; what came before the answer is told now. True: events may be missing
  // since, so the node has to be looked at.
  bool Opened(SessionId session, HandleId handle, const v1::Outcome& opened, Effects& out);
  // The application changed the contents, or removed the node, through the handle: it knows, and is not told [D-23]. A write of
  // somebody else that came just before is told, if it was not yet.
  void Wrote(SessionId session, HandleId handle, uint64_t content_generation, Effects& out);
  void Deleted(HandleId handle);
  void OnItem(SessionId session, const v1::SessionItem& item, Effects& out);
  // How the node was found. REQUIRES: code OK, or STALE_HANDLE.
  void OnLook(SessionId session, HandleId handle, const v1::Outcome& stat, Effects& out);
  // Events may be missing: the handles to be looked at now. Those whose Open is unanswered follow when it is.
  std::vector<HandleId> Suspect();

  const std::vector<Watch>& open() const { return open_; }

 private:
  struct Opening {
    uint32_t events = 0;
    bool suspect = false;
    std::vector<v1::SessionItem> early;
  };

  Watch* Find(HandleId handle);
  void TellContents(SessionId session, Watch& watch, uint64_t generation, Effects& out);
  void TellChildren(SessionId session, Watch& watch, uint64_t position, Effects& out);
  void TellGone(SessionId session, Watch& watch, Effects& out);

  std::vector<Watch> open_;  // by handle
  absl::btree_map<HandleId, Opening> opening_;
};

}  // namespace bramah::client

#endif  // BRAMAH_CORE_CLIENT_WATCHES_H_

// Sequencer: what the holder of a lock gives to a server that acts for it, and what that server checks before it acts
// [Chubby §2.4]. It describes the lock as it was when it was acquired: cell and path, instance, mode, generation; check digits
// under a secret of the cell make it unforgeable [D-40].
//
// Applications treat it as opaque. It is printable ASCII without blanks, so it can travel in an environment variable or a header:
//
//   s1:x:<instance>:<generation>:<check digits>:<name>
//
// Numbers are 16 hexadecimal digits; x is exclusive, s shared; of a lock with several permits x is followed by the number of the
// permit in hexadecimal digits, without zeros before it, and not at all if it is 0. The name is /ls/<cell>/<path>, in which every
// other byte is written as % and two hexadecimal digits. There is one way to write each sequencer.
//
// A server without a session compares the generation with the largest it has seen for the name, and refuses what is smaller: it
// rises whenever a lock is acquired anew, whatever happened to the node in between. If the lock has several permits, the
// server keeps the largest for each of these.
#ifndef BRAMAH_CORE_API_SEQUENCER_H_
#define BRAMAH_CORE_API_SEQUENCER_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/api/path.h"
#include "core/base/ids.h"
#include "core/base/mac.h"
#include "core/wire/wire.pb.h"

namespace bramah {

// At most 64 bytes before the name, which is "/ls/", a cell name and a path, each byte of it up to three.
inline constexpr size_t kSequencerBytesMax = 64 + 3 * (4 + kComponentBytesMax + kPathBytesMax);

struct Sequencer {
  std::string cell;
  std::string path;              // in the cell
  Position instance;
  v1::LockMode mode = v1::FREE;  // SHARED or EXCLUSIVE
  Position generation;           // the fencing token
  uint32_t permit = 0;           // EXCLUSIVE: which one of several
  friend bool operator==(const Sequencer&, const Sequencer&) = default;
};

// REQUIRES: cell, path and mode are as said above.
std::string FormatSequencer(const Sequencer& sequencer, const MacKey& key);

// What the text says, if it has the form above. Its check digits are not looked at: enough for a server that compares
// generations, and not for one that has to distrust its callers.
std::optional<Sequencer> ParseSequencer(std::string_view text);
// What the text says, if it was made with `key`. Nothing is made with no key.
std::optional<Sequencer> VerifySequencer(std::string_view text, const MacKey& key);

}  // namespace bramah

#endif  // BRAMAH_CORE_API_SEQUENCER_H_

// Sequencer: what the holder of a lock gives to a server that acts for it, and what that server checks before it acts
// [Chubby §2.4]. It describes the lock as it was when it was acquired: name, instance, mode, generation; check digits under a
// secret of the cell make it unforgeable, and say which cell it is of [D-40].
//
// Applications treat it as opaque. It is printable, so it can travel in an environment variable or a header:
//
//   s1:x:<instance>:<generation>:<check digits>:<path>      numbers in 16 hexadecimal digits; x exclusive, s shared
//
// A server without a session compares the generation with the largest it has seen for the name, and refuses what is smaller: it
// rises whenever a lock is acquired anew, whatever happened to the node in between.
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

inline constexpr size_t kSequencerBytesMax = kPathBytesMax + 56;

struct Sequencer {
  std::string path;
  Position instance;
  v1::LockMode mode = v1::FREE;  // SHARED or EXCLUSIVE
  Position generation;           // the fencing token
  friend bool operator==(const Sequencer&, const Sequencer&) = default;
};

std::string FormatSequencer(const Sequencer& sequencer, const MacKey& key);

// What the text says, if it has the form above. Its check digits are not looked at: enough for a server that compares
// generations, and not for one that has to distrust its callers.
std::optional<Sequencer> ParseSequencer(std::string_view text);
// What the text says, if it was made with `key`.
std::optional<Sequencer> VerifySequencer(std::string_view text, const MacKey& key);

}  // namespace bramah

#endif  // BRAMAH_CORE_API_SEQUENCER_H_

// Streams of the client's keyed draws (core/base/keyed.h): one number per purpose, never reused.
#ifndef BRAMAH_CORE_CLIENT_DRAWS_H_
#define BRAMAH_CORE_CLIENT_DRAWS_H_

#include <cstdint>

namespace bramah::client {

inline constexpr uint64_t kEndpointDraw = 101;      // where in the list of endpoints to start
inline constexpr uint64_t kBackoffDraw = 102;       // jitter; ordinal: number of the back-off
inline constexpr uint64_t kSessionNonceDraw = 103;  // entity: high or low half; ordinal: number of the CreateSession

}  // namespace bramah::client

#endif  // BRAMAH_CORE_CLIENT_DRAWS_H_

// Names [Chubby §2.3, D-51]. Outside a cell a name is /ls/<cell>/<path>; inside it is the rest, "/" or "/a/b".
//
// A component is 1..255 bytes of UTF-8 without '/', NUL, and is neither "." nor ".."; at most 64 components, 4096 bytes in all.
#ifndef BRAMAH_CORE_API_PATH_H_
#define BRAMAH_CORE_API_PATH_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.h"
#include "core/wire/wire.pb.h"

namespace bramah {

inline constexpr size_t kPathBytesMax = 4096;
inline constexpr size_t kPathDepthMax = 64;
inline constexpr size_t kComponentBytesMax = 255;
inline constexpr size_t kContentBytesMax = 256 * 1024;  // [Chubby §4.5, C-75]; also of all parts of a Batch together [D-61]
// How many guards, changes, and changes otherwise a Batch may have.
inline constexpr int kBatchPartsMax = 64;
inline constexpr Duration kLockDelayMax = 60 * kSecond;  // [Chubby §2.4, C-36]
inline constexpr Duration kLeaseLongest = 60 * kSecond;  // no load makes leases longer [Chubby §4.1, D-25]

// Whether `path` is a name inside a cell: "/", or components each preceded by one slash and none after the last.
bool IsCellPath(std::string_view path);
// OK if it is; else what an API call with this path is refused with.
v1::Code FaultOfPath(std::string_view path);

// Whether `path` is the name of something below `directory`: "/a/b" is below "/a" and "/". REQUIRES: IsCellPath of both.
bool IsBelow(std::string_view path, std::string_view directory);
// The path of `name`, which may have several components, seen from `directory`; perhaps no cell path, if `name` is not made so.
std::string PathBelow(std::string_view directory, std::string_view name);

// "/a/b" -> "/a"; "/a" -> "/". REQUIRES: IsCellPath(path) and path != "/".
std::string_view ParentPath(std::string_view path);
// "/a/b" -> "b". REQUIRES: as above.
std::string_view BaseName(std::string_view path);

struct GlobalName {
  std::string cell;  // "local" stands for the cell the caller is connected to
  std::string path;
};
// Splits "/ls/demo/a/b" into {"demo", "/a/b"} and "/ls/demo" or "/ls/demo/" into {"demo", "/"}; nothing outside the grammar.
std::optional<GlobalName> ParseGlobalName(std::string_view name);
// OK if it can be; else why not, as of FaultOfPath.
v1::Code FaultOfGlobalName(std::string_view name);
std::string FormatGlobalName(std::string_view cell, std::string_view path);
// A cell name is a component.
bool IsCellName(std::string_view name);

}  // namespace bramah

#endif  // BRAMAH_CORE_API_PATH_H_

// Reading what a user hands over. Real files only.
#ifndef BRAMAH_CLI_INPUT_H_
#define BRAMAH_CLI_INPUT_H_

#include <cstddef>
#include <optional>
#include <string>

#include "net_real/failure.h"

namespace bramah::cli {

// Appends what `fd` has to `text`, but not more than `most` + 1 bytes: whoever finds more than `most` knows that it is too much.
// A failure is one of reading: what was read then is not what was meant. `name` is for its message.
std::optional<net_real::Failure> ReadInput(int fd, const std::string& name, size_t most, std::string* text);
// The same with the file `path`, or standard input if that is "-".
std::optional<net_real::Failure> ReadInputFile(const std::string& path, size_t most, std::string* text);

}  // namespace bramah::cli

#endif  // BRAMAH_CLI_INPUT_H_

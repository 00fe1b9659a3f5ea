// TokenFile: what a command must keep to take over its session when it is started again after it was killed: the session's id and
// the nonce with which it was created.
//
// The file is locked (flock) for as long as this object lives, and the operating system drops the lock with the process: whoever
// gets it knows that the process which used the session is gone.
#ifndef BRAMAH_CLI_TOKEN_FILE_H_
#define BRAMAH_CLI_TOKEN_FILE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "net_real/failure.h"

namespace bramah::cli {

struct SessionToken {
  uint64_t session = 0;
  uint64_t nonce_high = 0;
  uint64_t nonce_low = 0;
  friend bool operator==(const SessionToken&, const SessionToken&) = default;
};

// One line of text, and back; nothing if it is not what FormatToken makes.
std::string FormatToken(const SessionToken& token);
std::optional<SessionToken> ParseToken(const std::string& text);

class TokenFile {
 public:
  TokenFile() = default;
  TokenFile(const TokenFile&) = delete;
  TokenFile& operator=(const TokenFile&) = delete;
  ~TokenFile();

  // Locks the file, creating it (0600) if there is none, and reads it. Exit 75 if a process has it locked, 65 if it holds
  // something else, 74 if it cannot be used. REQUIRES: not open.
  std::optional<net_real::Failure> Open(const std::string& path);
  // What the file held when it was opened: of a process that is gone.
  const std::optional<SessionToken>& former() const { return former_; }
  // From now on it holds `token`.
  std::optional<net_real::Failure> Keep(const SessionToken& token);
  // The session that Keep named is over. What others have left stays.
  void Clear();

 private:
  std::optional<net_real::Failure> Unusable(const std::string& what, int error) const;

  std::string path_;
  int fd_ = -1;
  bool kept_ = false;
  std::optional<SessionToken> former_;
};

}  // namespace bramah::cli

#endif  // BRAMAH_CLI_TOKEN_FILE_H_

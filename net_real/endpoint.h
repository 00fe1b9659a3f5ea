// Endpoints: "host:port" or "[v6]:port".
#ifndef BRAMAH_NET_REAL_ENDPOINT_H_
#define BRAMAH_NET_REAL_ENDPOINT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bramah::net_real {

struct HostPort {
  std::string host;
  uint16_t port = 0;
};

// Nothing if `text` is neither form, the host is empty or the port is above 65535. Port 0 is accepted: "any" when listening.
std::optional<HostPort> ParseEndpoint(std::string_view text);
std::string FormatEndpoint(const HostPort& endpoint);

// Whether only this machine can reach it: localhost, 127.0.0.0/8, ::1.
bool IsLoopback(const HostPort& endpoint);

}  // namespace bramah::net_real

#endif  // BRAMAH_NET_REAL_ENDPOINT_H_

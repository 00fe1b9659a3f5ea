#include "net_real/endpoint.h"

#include <charconv>

#include "asio/ip/address.hpp"

namespace bramah::net_real {

std::optional<HostPort> ParseEndpoint(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of(":[] \t\n/") != std::string_view::npos) {
    return std::nullopt;
  }
  HostPort result;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
  if (host.empty() || error != std::errc() || end != port.data() + port.size()) return std::nullopt;
  result.host = std::string(host);
  return result;
}

std::string FormatEndpoint(const HostPort& endpoint) {
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  return (v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
}

bool IsLoopback(const HostPort& endpoint) {
  if (endpoint.host == "localhost") return true;
  std::error_code error;
  const asio::ip::address address = asio::ip::make_address(endpoint.host, error);
  return !error && address.is_loopback();
}

}  // namespace bramah::net_real

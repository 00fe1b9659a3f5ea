#include "net_real/endpoint.h"

#include "gtest/gtest.h"

namespace bramah::net_real {
namespace {

TEST(EndpointTest, ReadsHostAndPort) {
  const auto endpoint = ParseEndpoint("db1.example:7000");
  ASSERT_TRUE(endpoint.has_value());
  EXPECT_EQ(endpoint->host, "db1.example");
  EXPECT_EQ(endpoint->port, 7000);
  EXPECT_EQ(FormatEndpoint(*endpoint), "db1.example:7000");
}

TEST(EndpointTest, ReadsAddressOfVersionSixInBrackets) {
  const auto endpoint = ParseEndpoint("[::1]:0");
  ASSERT_TRUE(endpoint.has_value());
  EXPECT_EQ(endpoint->host, "::1");
  EXPECT_EQ(FormatEndpoint(*endpoint), "[::1]:0");
}

TEST(EndpointTest, RefusesEverythingElse) {
  for (const char* text :
       {"", ":", "host", "host:", ":70", "host:port", "host:70000", "host:-1", "host:7 ", "::1:70", "a b:70", "[]:7"}) {
    EXPECT_FALSE(ParseEndpoint(text).has_value()) << text;
  }
}

TEST(EndpointTest, KnowsLoopback) {
  EXPECT_TRUE(IsLoopback({"localhost", 1}));
  EXPECT_TRUE(IsLoopback({"127.3.2.1", 1}));
  EXPECT_TRUE(IsLoopback({"::1", 1}));
  EXPECT_FALSE(IsLoopback({"0.0.0.0", 1}));
  EXPECT_FALSE(IsLoopback({"10.0.0.1", 1}));
  EXPECT_FALSE(IsLoopback({"example.org", 1}));
}

}  // namespace
}  // namespace bramah::net_real

#include "core/wire/frame.h"

#include <gtest/gtest.h>

#include <string>

namespace bramah {
namespace {

std::string SampleFrame() {
  v1::AppendRequest request;
  request.set_term(7);
  request.set_prev_index(41);
  request.add_entries("first");
  request.add_entries(std::string(300, 'x'));
  std::string bytes;
  EncodeFrame(MessageKind::kAppendRequest, request, &bytes);
  return bytes;
}

TEST(Frame, RoundTrip) {
  const std::string bytes = SampleFrame() + "next";
  MessageSlots slots;
  const FrameResult result = DecodeFrame(bytes, slots);
  ASSERT_EQ(result.status, FrameStatus::kComplete);
  EXPECT_EQ(result.consumed, bytes.size() - 4);
  const auto* request = result.message.As<v1::AppendRequest>();
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(request->term(), 7u);
  EXPECT_EQ(request->entries(1), std::string(300, 'x'));
  EXPECT_EQ(result.message.As<v1::AppendReply>(), nullptr);
}

TEST(Frame, EveryProperPrefixIsIncomplete) {
  const std::string bytes = SampleFrame();
  MessageSlots slots;
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeFrame(std::string_view(bytes).substr(0, size), slots).status, FrameStatus::kIncomplete) << size;
  }
}

TEST(Frame, EveryFlippedBitOfBodyOrCrcIsMalformed) {
  const std::string bytes = SampleFrame();
  MessageSlots slots;
  for (size_t at = 4; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string broken = bytes;
      broken[at] = static_cast<char>(broken[at] ^ (1 << bit));
      EXPECT_EQ(DecodeFrame(broken, slots).status, FrameStatus::kMalformed) << at << "." << bit;
    }
  }
}

TEST(Frame, AbsurdLengthIsMalformedAtOnce) {
  const std::string bytes(8, '\xff');
  MessageSlots slots;
  EXPECT_EQ(DecodeFrame(bytes, slots).status, FrameStatus::kMalformed);
}

TEST(Frame, ASlotIsReusedWithoutLeavingsOfTheMessageBefore) {
  MessageSlots slots;
  ASSERT_EQ(DecodeFrame(SampleFrame(), slots).status, FrameStatus::kComplete);
  v1::AppendRequest empty;
  empty.set_term(8);
  std::string bytes;
  EncodeFrame(MessageKind::kAppendRequest, empty, &bytes);
  const FrameResult result = DecodeFrame(bytes, slots);
  EXPECT_EQ(result.message.As<v1::AppendRequest>()->entries_size(), 0);
  EXPECT_EQ(result.message.As<v1::AppendRequest>()->prev_index(), 0u);
}

}  // namespace
}  // namespace bramah

#include "core/replica/item_queue.h"

#include <gtest/gtest.h>

#include <string>

namespace bramah::replica {
namespace {

const HandleId kHandle(4);
constexpr size_t kItemsMax = 6;

// "3: contents 7 of 4", one per line.
std::string Text(const ItemQueue& queue) {
  std::string text;
  for (const ItemQueue::Entry& entry : queue.entries()) {
    text += std::to_string(entry.item.number()) + ": " + v1::ItemKind_Name(entry.item.kind()).substr(5) + " " +
            std::to_string(entry.item.generation()) + " of " + std::to_string(entry.item.handle()) + "\n";
  }
  return text;
}

TEST(ItemQueue, NumbersRiseAndAcknowledgedItemsGo) {
  ItemQueue queue;
  queue.Add(5, v1::ITEM_LOCK_GRANTED, kHandle, RequestSeq(3), 70);
  queue.AddEvent(6, v1::ITEM_CONTENTS, kHandle, 2, kItemsMax);
  EXPECT_EQ(Text(queue), "1: LOCK_GRANTED 70 of 4\n2: CONTENTS 2 of 4\n");
  EXPECT_EQ(queue.oldest(), 5);
  queue.Sent(2);
  queue.Acknowledge(1);
  EXPECT_EQ(Text(queue), "2: CONTENTS 2 of 4\n");
  EXPECT_EQ(queue.oldest(), 6);
  queue.Acknowledge(2);
  EXPECT_TRUE(queue.empty());
  queue.AddEvent(7, v1::ITEM_CONTENTS, kHandle, 3, kItemsMax);
  EXPECT_EQ(Text(queue), "3: CONTENTS 3 of 4\n");
}

TEST(ItemQueue, WhatWasNeverSentCannotBeAcknowledged) {
  ItemQueue queue;
  queue.Add(5, v1::ITEM_LOCK_GRANTED, kHandle, RequestSeq(3), 70);
  queue.Add(5, v1::ITEM_LOCK_GRANTED, kHandle, RequestSeq(4), 71);
  queue.Sent(1);
  queue.Acknowledge(UINT64_MAX);
  EXPECT_EQ(Text(queue), "2: LOCK_GRANTED 71 of 4\n");
}

TEST(ItemQueue, AnUnsentEventIsBroughtUpToDate) {
  ItemQueue queue;
  queue.AddEvent(1, v1::ITEM_CONTENTS, kHandle, 2, kItemsMax);
  queue.AddEvent(2, v1::ITEM_CHILDREN, kHandle, 90, kItemsMax);
  queue.AddEvent(3, v1::ITEM_CONTENTS, HandleId(5), 2, kItemsMax);
  queue.AddEvent(4, v1::ITEM_CONTENTS, kHandle, 3, kItemsMax);
  EXPECT_EQ(Text(queue), "1: CONTENTS 3 of 4\n2: CHILDREN 90 of 4\n3: CONTENTS 2 of 5\n");
  EXPECT_EQ(queue.oldest(), 1) << "the client has not been told for so long";
}

TEST(ItemQueue, ASentEventIsFollowedByAnother) {
  ItemQueue queue;
  queue.AddEvent(1, v1::ITEM_CONTENTS, kHandle, 2, kItemsMax);
  queue.Sent(queue.last_number());
  queue.AddEvent(2, v1::ITEM_CONTENTS, kHandle, 3, kItemsMax);
  queue.AddEvent(3, v1::ITEM_CONTENTS, kHandle, 4, kItemsMax);
  EXPECT_EQ(Text(queue), "1: CONTENTS 2 of 4\n2: CONTENTS 4 of 4\n");
}

TEST(ItemQueue, GrantsAreNeverMerged) {
  ItemQueue queue;
  queue.Add(1, v1::ITEM_HANDLE_INVALID, kHandle, RequestSeq(3), 0);
  queue.AddEvent(2, v1::ITEM_HANDLE_INVALID, kHandle, 80, kItemsMax);
  queue.Add(3, v1::ITEM_LOCK_GRANTED, kHandle, RequestSeq(4), 70);
  queue.Add(4, v1::ITEM_LOCK_GRANTED, kHandle, RequestSeq(5), 71);
  EXPECT_EQ(queue.entries().size(), 4u);
}

TEST(ItemQueue, AnEventIsNotMergedWithOneBeforeAGrantOfItsHandle) {
  ItemQueue queue;
  queue.AddEvent(1, v1::ITEM_LOCK_REQUESTED, kHandle, 2, kItemsMax);
  queue.Add(2, v1::ITEM_LOCK_GRANTED, HandleId(5), RequestSeq(4), 70);
  queue.AddEvent(3, v1::ITEM_LOCK_REQUESTED, kHandle, 3, kItemsMax);
  EXPECT_EQ(queue.entries().size(), 2u);
  queue.Add(4, v1::ITEM_LOCK_GRANTED, kHandle, RequestSeq(4), 71);
  queue.AddEvent(5, v1::ITEM_LOCK_REQUESTED, kHandle, 4, kItemsMax);
  EXPECT_EQ(Text(queue),
            "1: LOCK_REQUESTED 3 of 4\n2: LOCK_GRANTED 70 of 5\n3: LOCK_GRANTED 71 of 4\n4: LOCK_REQUESTED 4 of 4\n");
}

// [EV-05]
TEST(ItemQueue, TooManyEventsBecomeOneItemThatSaysSo) {
  ItemQueue queue;
  for (uint64_t i = 1; i <= kItemsMax + 3; ++i) queue.AddEvent(1, v1::ITEM_CONTENTS, HandleId(i), 2, kItemsMax);
  EXPECT_EQ(queue.entries().size(), kItemsMax + 1);
  EXPECT_EQ(queue.entries().back().item.kind(), v1::ITEM_EVENTS_LOST);
  queue.AddEvent(2, v1::ITEM_CONTENTS, HandleId(1), 3, kItemsMax);
  EXPECT_EQ(queue.entries().front().item.generation(), 2u) << "it is part of what was lost";
  queue.Add(2, v1::ITEM_LOCK_GRANTED, kHandle, RequestSeq(9), 70);
  EXPECT_EQ(queue.entries().back().item.kind(), v1::ITEM_LOCK_GRANTED);
}

// The client looks when it processes the marker, so what happens after it was sent needs another.
TEST(ItemQueue, WhatIsLostAfterTheMarkerWentOutNeedsAnother) {
  ItemQueue queue;
  for (uint64_t i = 1; i <= kItemsMax + 1; ++i) queue.AddEvent(1, v1::ITEM_CONTENTS, HandleId(i), 2, kItemsMax);
  queue.Sent(queue.last_number());
  queue.AddEvent(2, v1::ITEM_CONTENTS, HandleId(1), 3, kItemsMax);
  EXPECT_EQ(queue.entries().size(), kItemsMax + 2);
  EXPECT_EQ(queue.entries().back().item.kind(), v1::ITEM_EVENTS_LOST);
  queue.Sent(queue.last_number());
  queue.Acknowledge(kItemsMax + 2);
  queue.AddEvent(3, v1::ITEM_CONTENTS, HandleId(1), 4, kItemsMax);
  EXPECT_EQ(queue.entries().back().item.kind(), v1::ITEM_CONTENTS);
}

}  // namespace
}  // namespace bramah::replica

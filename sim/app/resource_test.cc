#include "sim/app/resource.h"

#include <gtest/gtest.h>

namespace bramah::sim {
namespace {

class Resource : public ::testing::Test {
 protected:
  bool Acts(uint64_t instance, v1::LockMode mode, uint32_t permit, uint64_t generation) {
    ResourceRequest request;
    request.path = "/l";
    request.token = Position(generation);
    request.sequencer = FormatSequencer({"demo", "/l", Position(instance), mode, Position(generation), permit}, {1, 2});
    return resource_.Accept(request);
  }
  bool Permit(uint32_t permit, uint64_t generation) { return Acts(5, v1::EXCLUSIVE, permit, generation); }
  bool Shared(uint64_t generation) { return Acts(5, v1::SHARED, 0, generation); }

  FencedResource resource_;
};

TEST_F(Resource, C37ServesNobodyAfterItsSuccessor) {
  EXPECT_TRUE(Permit(0, 10));
  EXPECT_TRUE(Permit(0, 10));
  EXPECT_TRUE(Permit(0, 20));
  EXPECT_FALSE(Permit(0, 10));
}

TEST_F(Resource, A01PermitsDoNotStandInEachOthersWay) {
  EXPECT_TRUE(Permit(1, 20));
  EXPECT_TRUE(Permit(0, 10));
  EXPECT_FALSE(Permit(1, 15));
}

TEST_F(Resource, A01WhoSharesComesAfterEveryPermitAndEveryPermitAfterThem) {
  EXPECT_TRUE(Permit(0, 10));
  EXPECT_TRUE(Shared(30));
  EXPECT_FALSE(Permit(1, 20)) << "a late request, of a permit that nothing was seen of";
  EXPECT_TRUE(Permit(1, 40));
  EXPECT_FALSE(Shared(30));
}

TEST_F(Resource, A01NobodyOfAnEarlierInstanceIsServed) {
  EXPECT_TRUE(Acts(5, v1::EXCLUSIVE, 3, 17));
  EXPECT_TRUE(Acts(40, v1::EXCLUSIVE, 0, 50));
  EXPECT_FALSE(Acts(5, v1::EXCLUSIVE, 3, 17));
}

TEST_F(Resource, WhatIsNoSequencerIsRefused) { EXPECT_FALSE(resource_.Accept(ResourceRequest())); }

}  // namespace
}  // namespace bramah::sim

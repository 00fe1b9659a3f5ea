#include "sim/check/event_delivery.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bramah::sim {
namespace {

constexpr uint32_t kEverything = v1::EVENT_CONTENTS | v1::EVENT_CHILDREN | v1::EVENT_HANDLE_INVALID;

// A cell with the file /f, written once, so that the root's children changed then.
class Delivery : public ::testing::Test {
 protected:
  void SetUp() override {
    v1::Command create;
    create.set_kind(v1::CREATE_SESSION);
    create.set_nonce_low(1);
    session = Apply(create).session();
    v1::Command open = Command(v1::OPEN);
    open.set_path("/f");
    open.set_open_flags(v1::OPEN_WRITE | v1::OPEN_MAY_CREATE);
    file = Position(Apply(open).instance());
    Apply(Command(v1::SET_CONTENTS));
    written = Position(index);
  }
  v1::Outcome Apply(v1::Command command) {
    Touches touches;
    cell.TouchedBy(command, 1, touches);
    SetCovers(touches, command);
    cell.Apply(LogIndex(++index), 1, command, applied, probes);
    EXPECT_EQ(applied.outcome.code(), v1::OK);
    return applied.outcome;
  }
  v1::Command Command(v1::CommandKind kind) {
    v1::Command command;
    command.set_kind(kind);
    command.set_session(session);
    command.set_seq(++seq);
    command.set_handle(1);
    return command;
  }
  std::string Untold(client::Watch watch) {
    const std::vector<client::Watch> watches{watch};
    client::ClientView view;
    view.watches = &watches;
    return EventDelivery(cell).FindUntold(view).value_or("");
  }

  cell::Limits limits;
  cell::Cell cell{&limits, 0};
  cell::Applied applied;
  Probes probes;
  uint64_t index = 0, session = 0, seq = 0;
  Position file, written;
};

TEST_F(Delivery, WhoKnowsTheLatestStateIsContent) {
  EXPECT_EQ(Untold({HandleId(4), kEverything, file, 2, Position(), false}), "");
  const Position root = cell.View().nodes[0].instance;
  EXPECT_EQ(Untold({HandleId(4), kEverything, root, 1, written, false}), "");
}

TEST_F(Delivery, AnOldGenerationIsNoticed) {
  EXPECT_EQ(Untold({HandleId(4), kEverything, file, 1, Position(), false}),
            "through handle 4 that /f is at content generation 2, not 1");
  EXPECT_EQ(Untold({HandleId(4), v1::EVENT_CHILDREN, file, 1, Position(), false}), "") << "it did not ask";
}

TEST_F(Delivery, ChangedChildrenAreNoticed) {
  const Position root = cell.View().nodes[0].instance;
  EXPECT_EQ(Untold({HandleId(4), kEverything, root, 1, file, false}), "through handle 4 that the children of / have changed");
  EXPECT_EQ(Untold({HandleId(4), v1::EVENT_CONTENTS, root, 1, file, false}), "");
}

TEST_F(Delivery, ANodeThatIsGoneIsNoticed) {
  Apply(Command(v1::DELETE));
  EXPECT_EQ(Untold({HandleId(4), kEverything, file, 2, Position(), false}), "through handle 4 that its node is gone");
  EXPECT_EQ(Untold({HandleId(4), kEverything, file, 2, Position(), true}), "");
  EXPECT_EQ(Untold({HandleId(4), v1::EVENT_CONTENTS, file, 2, Position(), false}), "");
}

}  // namespace
}  // namespace bramah::sim

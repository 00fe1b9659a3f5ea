// A file with a number in it, which several clients change without looking.
#include "sim/app/actor.h"
#include "sim/plan/streams.h"

namespace bramah::sim {

// Mostly adds, up or down, and half the time within bounds that are met soon. One in 32 puts something there that is no number,
// so that adds are refused until somebody puts one there. Draws depend, like Value, on the operation alone.
void Actor::Count(uint32_t id) {
  const Task& task = tasks_[id];
  const v1::Operation& operation = OperationOf(task);
  const uint64_t draw = Scramble(static_cast<uint64_t>(operation.at_ns()));
  const bool writes = draw % 8 == 0;
  v1::Command& command = NewCall(id, writes ? v1::SET_CONTENTS : v1::ADD, operation.path());
  command.set_handle(task.handle.value());
  if (writes) {
    command.set_contents(draw % 32 == 0 ? Value(task.operation) : std::to_string(draw >> 8 & 7));
    return;
  }
  const int64_t delta = 1 + operation.at_ns() % 9;
  command.set_delta((draw >> 16) % 4 == 0 ? -delta : delta);
  command.set_bounded((draw >> 24) % 2 == 0);
  if (command.bounded()) command.set_max(30);
}

}  // namespace bramah::sim

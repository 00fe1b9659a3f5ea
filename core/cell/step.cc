#include "core/cell/step.h"

#include <iterator>
#include <ostream>
#include <string>

#include "core/base/keyed.h"

namespace bramah::cell {
namespace {

struct Path {
  std::string_view name;
  bool directory;  // mostly
};

// The likely ones first.
constexpr Path kPaths[] = {{"/a", false},       {"/d", true},         {"/d/x", false},   {"/", true},     {"/d/y", false},
                           {"/d/e", true},      {"/d/e/p", false},    {"/d/e/q", false}, {"/b", true},    {"/b/x", false},
                           {"/d/e/f", true},    {"/d/e/f/z", true},   {"/d-", false},    {"/a/x", false}, {"/d/", true},
                           {"/acl/few", false}, {"/acl/more", false}, {"/acl", true}};
constexpr uint64_t kLikelyPaths = 3;

// The last one did not say who it is.
constexpr std::string_view kPrincipals[] = {"p", "q", "r", ""};
// Two are files, as long as nobody deletes them; the last one is no name.
constexpr std::string_view kAclNames[] = {"", "everyone", "few", "more", "none", "nobody", "bad/name"};
constexpr std::string_view kListings[] = {"new", "p", "p q", "q\nr\n"};

struct Number {
  const char* name;
  int64_t Step::*value;
  std::string_view (*text_of)(int64_t) = nullptr;
};

constexpr Number kNumbers[] = {
    {"seconds", &Step::seconds},       {"nth", &Step::nth},
    {"stray", &Step::stray},           {"settles", &Step::settles},
    {"sequencer", &Step::sequencer},   {"flaw", &Step::flaw},
    {"lock_delay", &Step::lock_delay}, {"size", &Step::size},
    {"through", &Step::through},       {"lists", &Step::lists},
    {"generation", &Step::generation},
    {"delta", &Step::delta},           {"bounds", &Step::bounds},
    {"exclusive", &Step::exclusive},   {"try_only", &Step::try_only},
    {"undoes", &Step::undoes},         {"abandoned", &Step::abandoned},
    {"secret", &Step::secret},         {"principal", &Step::principal},
    {"caches", &Step::caches},         {"permits", &Step::permits},
    {"forged", &Step::forged},         {"lease", &Step::lease},
    {"made", &Step::made, [](int64_t path) { return kPaths[path].name; }},
    {"acl_read", &Step::acl_read, AclName},
    {"acl_write", &Step::acl_write, AclName},
    {"acl_change", &Step::acl_change, AclName},
};

// A number of which every bit counts.
struct Bits {
  const char* name;
  int64_t Step::*value;
  std::string (*name_of)(int bit);
};

constexpr Bits kBits[] = {
    {"flags", &Step::flags, [](int bit) { return v1::OpenFlag_Name(static_cast<v1::OpenFlag>(1 << bit)); }},
    {"events", &Step::events, [](int bit) { return v1::EventKind_Name(static_cast<v1::EventKind>(1 << bit)); }},
    {"guards", &Step::guards, [](int bit) { return std::to_string(bit); }},
    {"parts", &Step::parts, [](int bit) { return std::to_string(bit); }},
    {"gives_up", &Step::gives_up, [](int bit) { return std::to_string(bit + 1); }},
};
constexpr int kBitsMax = 8;

class Dice {
 public:
  explicit Dice(uint64_t seed) : seed_(seed) {}
  uint64_t Pick(uint64_t bound) { return Below(Draw(seed_, 1, 0, ordinal_++), bound); }
  int64_t From(int64_t low, int64_t high) { return Between(Draw(seed_, 1, 0, ordinal_++), low, high); }
  bool Percent(uint64_t percent) { return Pick(100) < percent; }

 private:
  const uint64_t seed_;
  uint64_t ordinal_ = 0;
};

void DrawAclNames(Dice& dice, Step& step) {
  for (int64_t Step::*name : {&Step::acl_read, &Step::acl_write, &Step::acl_change}) {
    if (dice.Percent(50)) step.*name = dice.From(1, dice.Percent(90) ? 5 : 6);
  }
}

void DrawOpen(Dice& dice, Step& step) {
  step.kind = v1::OPEN;
  step.stray = dice.Percent(5);
  if (dice.Percent(90)) step.flags |= v1::OPEN_WRITE;
  if (dice.Percent(80)) step.flags |= v1::OPEN_MAY_CREATE;
  if (dice.Percent(10)) step.flags |= v1::OPEN_MUST_CREATE;
  if (kPaths[step.path].directory != dice.Percent(10)) step.flags |= v1::OPEN_DIRECTORY;
  if (dice.Percent(45)) step.flags |= v1::OPEN_EPHEMERAL;
  const bool file = !(step.flags & v1::OPEN_DIRECTORY);
  // Mostly where it goes together.
  if (dice.Percent(file ? 1 : 40)) step.flags |= v1::OPEN_BOTH;
  if (dice.Percent(file && !(step.flags & v1::OPEN_EPHEMERAL) ? 50 : 1)) step.flags |= v1::OPEN_SESSION_OWNED;
  if (dice.Percent(60)) step.events = dice.From(0, 31);
  if (dice.Percent(75)) step.lock_delay = dice.Percent(5) ? 70 : dice.From(1, 20);
  if (dice.Percent(40)) step.flags |= v1::OPEN_CHANGE_ACL;
  if (dice.Percent(30)) DrawAclNames(dice, step);
  if (dice.Percent(10)) step.lists = dice.From(1, 3);
  if (dice.Percent(60)) step.permits = dice.Percent(2) ? 1'025 : dice.From(1, 3);
  if (dice.Percent(8)) step.through = dice.From(1, 6);
}

// A command on a handle.
void DrawUse(Dice& dice, Step& step) {
  const int64_t farthest = dice.From(0, 7);
  step.nth = dice.From(0, farthest);
  step.stray = dice.Percent(4);
  if (dice.Percent(10)) step.sequencer = dice.From(1, 5);
  if (step.sequencer > 0 && dice.Percent(5)) step.flaw = dice.From(1, 40);
  if (dice.Percent(3)) step.forged = dice.From(1, 3);
  const uint64_t roll = dice.Pick(85);
  if (roll < 8) {
    step.kind = dice.Percent(50) ? v1::CLOSE : v1::POISON;
    if (dice.Percent(60)) step.gives_up = dice.From(0, 255);
  } else if (roll < 18) {
    step.kind = v1::SET_CONTENTS;
    step.size = dice.Percent(40) ? 0 : dice.From(1, 30);  // nothing is a number, too
    if (dice.Percent(30)) step.lists = dice.From(1, 3);
    if (dice.Percent(50)) step.generation = dice.From(1, 3);
  } else if (roll < 21) {
    step.kind = v1::DELETE;
  } else if (roll < 28) {
    step.kind = v1::SET_ACL;
    DrawAclNames(dice, step);
    if (dice.Percent(30)) step.generation = dice.From(1, 3);
  } else if (roll < 31) {
    step.kind = v1::ADD;
    step.delta = dice.From(-8, 12);
    if (dice.Percent(50)) step.bounds = dice.From(1, 9);
  } else if (roll < 66) {
    step.kind = v1::ACQUIRE;
    step.exclusive = dice.Percent(50);
    step.try_only = dice.Percent(20);
  } else {
    step.kind = v1::RELEASE;
    if (dice.Percent(40)) step.undoes = dice.From(1, 8);
  }
}

void DrawBatch(Dice& dice, Step& step) {
  step.kind = v1::BATCH;
  step.nth = dice.From(0, 4);
  step.stray = dice.Percent(2);
  if (dice.Percent(10)) step.sequencer = dice.From(1, 5);
  if (dice.Percent(3)) step.forged = dice.From(1, 3);
  if (dice.Percent(40)) step.guards = 1 << dice.From(0, 4) | 1 << dice.From(0, 4);
  step.parts = 1 << dice.From(0, 7) | 1 << dice.From(0, 7) | 1 << dice.From(0, 7);
  step.made = dice.From(0, std::size(kPaths) - 2);
  if (dice.Percent(50)) step.size = dice.From(1, 10);
  if (dice.Percent(30)) step.lists = dice.From(1, 3);
  if (dice.Percent(30)) step.generation = dice.From(1, 3);
  step.delta = dice.From(-8, 12);
  DrawAclNames(dice, step);
}

// A command of a session, with a number.
void DrawCall(Dice& dice, Step& step) {
  if (dice.Percent(12)) step.what = Step::kKeepBack;
  if (dice.Percent(30)) step.settles = dice.From(1, 10);
  if (dice.Percent(30)) {
    DrawOpen(dice, step);
  } else if (dice.Percent(10)) {
    DrawBatch(dice, step);
  } else if (dice.Percent(1)) {
    step.kind = v1::END_SESSION;
    step.abandoned = dice.Percent(50);
  } else {
    DrawUse(dice, step);
  }
}

}  // namespace

std::string_view PathOf(const Step& step) { return kPaths[step.path].name; }
std::string_view MadeBy(const Step& step, int64_t nth) {
  return kPaths[static_cast<size_t>(step.made + nth) % std::size(kPaths)].name;
}
std::string_view Principal(int64_t number) { return kPrincipals[static_cast<size_t>(number) % std::size(kPrincipals)]; }
std::string_view AclName(int64_t number) { return kAclNames[number]; }
std::string_view Listing(int64_t number) { return kListings[number]; }

bool UsesHandle(const Step& step) {
  switch (step.kind) {
    case v1::CLOSE:
    case v1::POISON:
    case v1::SET_CONTENTS:
    case v1::SET_ACL:
    case v1::ADD:
    case v1::DELETE:
    case v1::ACQUIRE:
    case v1::RELEASE:
    case v1::BATCH:
      return true;
    default:
      return false;
  }
}

Step OpenFor(const Step& step) {
  Step open;
  open.kind = v1::OPEN;
  open.path = step.path;
  open.flags = v1::OPEN_WRITE | v1::OPEN_MAY_CREATE | (kPaths[step.path].directory ? v1::OPEN_DIRECTORY : 0);
  if (step.kind == v1::SET_ACL) open.flags |= v1::OPEN_CHANGE_ACL;
  return open;
}

Step DrawStep(uint64_t seed) {
  Dice dice(seed);
  Step step;
  step.client = dice.From(0, kClients - 1);
  if (dice.Percent(15)) step.seconds = dice.Percent(5) ? dice.From(-2, 30) : dice.From(1, 3);
  step.path = static_cast<int64_t>(dice.Pick(dice.Percent(50) ? kLikelyPaths : std::size(kPaths)));
  step.principal = dice.From(0, dice.Percent(10) ? 3 : 2);
  step.caches = dice.Percent(50);
  const uint64_t roll = dice.Pick(100);
  if (roll < 2) {
    step.kind = v1::CREATE_SESSION;
    if (dice.Percent(80)) step.principal = 0;
  } else if (roll < 4) {
    step.kind = v1::EXPIRE_SESSION;
  } else if (roll < 7) {
    step.kind = v1::EXPIRE_LOCK_DELAYS;
  } else if (roll < 8) {
    step.kind = v1::SET_LEASE_MAX;
    step.lease = dice.From(-1, 62);
  } else if (roll < 9) {
    step.kind = v1::NEW_EPOCH;
    step.secret = dice.From(0, 5);
  } else if (roll < 11) {
    step.what = Step::kReload;
  } else if (roll < 26) {
    step.what = roll < 16 ? Step::kDeliver : Step::kRepeat;
    step.nth = dice.From(0, step.what == Step::kDeliver ? 3 : 30);
    step.settles = step.what == Step::kRepeat && dice.Percent(50);
  } else {
    DrawCall(dice, step);
  }
  return step;
}

std::vector<Step> Simpler(const Step& step) {
  std::vector<Step> simpler;
  const auto with = [&](int64_t Step::*field, int64_t value) {
    if (value == step.*field) return;
    simpler.push_back(step);
    simpler.back().*field = value;
  };
  const auto lower = [&](int64_t Step::*field) {
    const int64_t value = step.*field;
    with(field, 0);
    if (value / 2 != 0) with(field, value / 2);
    if (value > 2) with(field, value - 1);
  };
  if (step.what == Step::kKeepBack) {
    simpler.push_back(step);
    simpler.back().what = Step::kSend;
  }
  lower(&Step::client);
  lower(&Step::path);
  for (const Number& number : kNumbers) lower(number.value);
  for (const Bits& bits : kBits) {
    for (int bit = 0; bit < kBitsMax; ++bit) with(bits.value, step.*bits.value & ~(1 << bit));
  }
  return simpler;
}

std::vector<Step> CountingLess(const Step& step) {
  std::vector<Step> less;
  for (int64_t Step::*field : {&Step::nth, &Step::undoes, &Step::sequencer}) {
    if (step.*field == 0) continue;
    less.push_back(step);
    less.back().*field -= 1;
  }
  if (step.gives_up > 1) {
    less.push_back(step);
    less.back().gives_up >>= 1;
  }
  return less;
}

void showValue(const std::vector<Step>& steps, std::ostream& os) {
  for (const Step& step : steps) {
    os << "  ";
    if (step.what == Step::kReload) {
      os << "the lasting cell is loaded from a snapshot";
    } else {
      os << "client " << step.client << ": ";
    }
    if (step.what == Step::kDeliver) os << "deliver what was kept back";
    if (step.what == Step::kRepeat) os << "repeat what was sent";
    if (step.what == Step::kKeepBack) os << "keep back ";
    if (step.kind != v1::NONE) os << v1::CommandKind_Name(step.kind);
    if (step.kind == v1::OPEN || (UsesHandle(step) && step.path != 0)) os << " " << PathOf(step);
    for (const Number& number : kNumbers) {
      const int64_t value = step.*number.value;
      if (value == 0) continue;
      os << " " << number.name << "=" << (number.text_of ? std::string(number.text_of(value)) : std::to_string(value));
    }
    for (const Bits& bits : kBits) {
      const char* before = "=";
      if (step.*bits.value != 0) os << " " << bits.name;
      for (int bit = 0; bit < kBitsMax; ++bit) {
        if ((step.*bits.value >> bit & 1) == 0) continue;
        os << before << bits.name_of(bit);
        before = "|";
      }
    }
    os << "\n";
  }
}

}  // namespace bramah::cell

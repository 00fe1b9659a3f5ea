#include "sim/check/history/history.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/api/path.h"
#include "core/base/hash.h"

namespace bramah::sim {
namespace {

constexpr uint32_t kCreating = v1::OPEN_MAY_CREATE | v1::OPEN_MUST_CREATE;

bool Creates(v1::CommandKind kind, uint32_t open_flags) {
  return kind == v1::CREATE || (kind == v1::OPEN && (open_flags & kCreating) != 0);
}

// With its last handle, or with the session that owns it.
bool MayVanish(const v1::Outcome& outcome) { return outcome.ephemeral() || outcome.owner() != 0; }

// What the master, or the library from its cache, may answer by itself: reads, that a name is absent, and an Open that got a
// handle which the library had kept, thus no number.
bool NeedsNoEntry(v1::CommandKind kind, const v1::Outcome& outcome) {
  const bool kept = outcome.seq() == 0 && !outcome.created();
  return kind >= v1::GET_CONTENTS || (kind == v1::OPEN && (outcome.code() == v1::NOT_FOUND || kept));
}

}  // namespace

bool OutcomeUnknown(v1::Code code) {
  switch (code) {
    case v1::CANCELLED:
    case v1::POISONED:
    case v1::SESSION_EXPIRED:
    case v1::SESSION_CLOSING:
    case v1::WRONG_EPOCH:
    case v1::NOT_MASTER:
    case v1::TIMED_OUT:
    case v1::UNAVAILABLE:
      return true;
    default:
      return false;
  }
}

std::string Describe(const Operation& operation) {
  static constexpr const char* kNames[] = {"create",  "write",  "remove",       "read",
                                           "present", "absent", "stale handle", "refused add"};
  const char* const name = operation.kind == Operation::kWrite && operation.add ? "add" : kNames[operation.kind];
  std::string text = absl::StrCat("c", operation.client, " call ", operation.call.value(), " (", name);
  if (operation.instance != 0) absl::StrAppend(&text, " of instance ", operation.instance);
  if (operation.generation != 0) absl::StrAppend(&text, ", generation ", operation.generation);
  return text + (operation.maybe ? ", outcome unknown)" : ")");
}

Contents Operation::contents() const {
  Contents contents;
  if (has_value) contents.hash = value;
  contents.legible = legible;
  contents.number = number;
  return contents;
}

void Operation::SetContents(const Contents& contents) {
  has_value = contents.hash.has_value();
  value = contents.hash.value_or(0);
  legible = contents.legible;
  number = contents.number;
}

void History::Called(uint32_t client, CallId call, const v1::Command& command, std::string_view path) {
  ++events_;
  Pending pending = Asked(client, command, path);
  if ((command.open_flags() & v1::OPEN_SESSION_OWNED) != 0) owned_.insert(pending.path);
  for (const v1::Command& part : command.parts()) pending.parts.push_back(Asked(client, part, part.path()));
  for (const v1::Command& part : command.otherwise()) pending.otherwise.push_back(Asked(client, part, part.path()));
  // A guard says of a change through the same handle what its own comparison would.
  for (const v1::Command& guard : command.guards()) {
    for (int i = 0; i < command.parts_size(); ++i) {
      if (!guard.compare() || guard.handle() == 0 || guard.handle() != command.parts(i).handle()) continue;
      pending.parts[static_cast<size_t>(i)].compare = true;
      pending.parts[static_cast<size_t>(i)].generation = guard.generation();
    }
  }
  book_.Called(client, command, events_);
  pending_.Put(client, call, std::move(pending));
}

// Where `path` says nothing, the handle does.
History::Pending History::Asked(uint32_t client, const v1::Command& command, std::string_view path) const {
  Pending pending;
  pending.kind = command.kind();
  pending.open_flags = command.open_flags();
  pending.compare = command.compare();
  pending.generation = command.generation();
  pending.called = events_;
  pending.path = std::string(path);
  pending.asked = book_.Ask(client, command, events_);
  pending.add.delta = command.delta();
  if (command.bounded()) pending.add.min = command.min();
  if (command.bounded()) pending.add.max = command.max();
  const bool writes = command.kind() == v1::SET_CONTENTS || Creates(command.kind(), command.open_flags());
  if (writes) pending.contents = ContentsOf(command.contents());
  pending.value = pending.contents.hash.value_or(0);
  const Opening* opened = command.kind() == v1::OPEN ? nullptr : opened_.Find(client, HandleId(command.handle()));
  if (opened == nullptr) return pending;
  pending.instance = opened->instance;
  if (path.empty()) pending.path = opened->path;
  return pending;
}

std::optional<std::string> History::Answered(uint32_t client, CallId call, const v1::Outcome& outcome) {
  ++events_;
  const std::optional<Pending> asked = pending_.Take(client, call);
  if (!asked.has_value()) return absl::StrCat("c", client, " call ", call.value(), " was answered twice, or never asked");
  const Pending& pending = *asked;
  if (OutcomeUnknown(outcome.code())) {
    Unknown(client, call, pending);
    return std::nullopt;
  }
  Operation operation;
  operation.client = client;
  operation.call = call;
  operation.called = pending.called;
  operation.answered = events_;
  operation.instance = outcome.instance() != 0 ? outcome.instance() : pending.instance;
  if (pending.kind == v1::OPEN && outcome.code() == v1::OK) {
    opened_.Put(client, HandleId(outcome.handle()), {outcome.instance(), pending.path});
    book_.Opened(client, outcome);
  }
  Problem problem;
  if (outcome.instance() != 0 && pending.instance != 0 && outcome.instance() != pending.instance) {
    problem = absl::StrCat("speaks of instance ", outcome.instance(), ", the handle belongs to ", pending.instance);
  } else if (!reads_count_ && NeedsNoEntry(pending.kind, outcome)) {
    return std::nullopt;
  } else if (outcome.code() != v1::OK) {
    problem = Refused(operation, pending, outcome);
  } else if (pending.kind == v1::OPEN) {
    problem = Opened(operation, pending, outcome);
  } else if (pending.kind == v1::SET_CONTENTS) {
    problem = Written(operation, pending, outcome);
  } else if (pending.kind == v1::ADD) {
    problem = Added(operation, pending, outcome);
  } else if (pending.kind == v1::BATCH) {
    problem = Batched(operation, pending, outcome);
  } else if (pending.kind == v1::GET_CONTENTS || pending.kind == v1::GET_STAT) {
    problem = Read(operation, pending, outcome);
  } else if (pending.kind == v1::READ_DIR) {
    Listed(operation, pending, outcome);
  } else if (pending.kind == v1::DELETE) {
    operation.kind = Operation::kRemove;
    Add(pending.path, operation);
  } else if ((pending.kind == v1::ACQUIRE || pending.kind == v1::RELEASE) && outcome.instance() != 0) {
    operation.kind = Operation::kPresent;
    Add(pending.path, operation);
  }
  if (!problem.has_value()) problem = book_.Answered(pending.asked, {call, pending.path, operation.instance}, events_, outcome);
  if (!problem.has_value()) return problem;
  return absl::StrCat("the answer to c", client, " call ", call.value(), " (", v1::CommandKind_Name(pending.kind), " ",
                      pending.path, ") ", *problem);
}

// All parts of the branch that was taken happened, at one instant; here each is a change of its own name at that time.
History::Problem History::Batched(const Operation& operation, const Pending& pending, const v1::Outcome& outcome) {
  const std::vector<Pending>& done = outcome.guarded() ? pending.parts : pending.otherwise;
  RefusedParts(outcome.guarded() ? pending.otherwise : pending.parts);
  if (outcome.parts_size() != static_cast<int>(done.size())) return "does not answer all of its parts";
  Problem problem;
  for (size_t i = 0; i < done.size() && !problem.has_value(); ++i) {
    const v1::Outcome& answer = outcome.parts(static_cast<int>(i));
    Operation part = operation;
    part.instance = answer.instance();
    if (done[i].kind == v1::SET_CONTENTS) {
      problem = Written(part, done[i], answer);
    } else if (done[i].kind == v1::ADD) {
      problem = Added(part, done[i], answer);
    } else if (done[i].kind == v1::CREATE) {
      part.kind = Operation::kCreate;
      part.generation = 1;
      part.SetContents(done[i].contents);
      Add(done[i].path, part);
    } else if (done[i].kind == v1::DELETE) {
      part.kind = Operation::kRemove;
      Add(done[i].path, part);
    }
    if (problem.has_value()) break;
    problem = book_.Answered(done[i].asked, {operation.call, done[i].path, part.instance}, operation.answered, answer);
  }
  return problem;
}

void History::RefusedParts(const std::vector<Pending>& parts) {
  for (const Pending& part : parts) {
    if (part.value != 0) refused_.push_back(part.value);
  }
}

void History::Unknown(uint32_t client, CallId call, const Pending& pending) {
  for (const std::vector<Pending>* parts : {&pending.parts, &pending.otherwise}) {
    for (const Pending& part : *parts) Unknown(client, call, part);
  }
  if (!IsCellPath(pending.path)) return;
  book_.Unknown(pending.asked, {call, pending.path, pending.instance});
  Operation operation;
  operation.maybe = true;
  operation.client = client;
  operation.call = call;
  operation.called = pending.called;
  operation.SetContents(pending.contents);
  operation.instance = pending.instance;
  if (Creates(pending.kind, pending.open_flags)) {
    operation.kind = Operation::kCreate;
    operation.ephemeral = (pending.open_flags & (v1::OPEN_EPHEMERAL | v1::OPEN_SESSION_OWNED)) != 0;
  } else if (pending.kind == v1::SET_CONTENTS) {
    operation.kind = Operation::kWrite;
    operation.generation = pending.compare ? pending.generation + 1 : 0;
  } else if (pending.kind == v1::ADD) {
    operation.kind = Operation::kWrite;
    operation.add = pending.add;
    operation.generation = pending.compare ? pending.generation + 1 : 0;
  } else if (pending.kind == v1::DELETE) {
    operation.kind = Operation::kRemove;
  } else {
    return;
  }
  Add(pending.path, operation);
}

History::Problem History::Refused(Operation operation, const Pending& pending, const v1::Outcome& outcome) {
  if (pending.kind == v1::SET_CONTENTS) refused_.push_back(pending.value);
  RefusedParts(pending.parts);
  RefusedParts(pending.otherwise);
  if (pending.kind == v1::BATCH) return {};  // a correct one, too, is about any of its parts
  switch (outcome.code()) {
    case v1::NOT_FOUND:
      // Below a directory that may come and go, the missing name may as well be the directory's.
      if (pending.kind != v1::OPEN || ParentPath(pending.path) != "/") return {};
      operation.kind = Operation::kAbsent;
      operation.instance = 0;
      break;
    case v1::EXISTS:
      operation.kind = Operation::kPresent;
      operation.instance = 0;
      break;
    case v1::STALE_HANDLE:
      if (operation.instance == 0) return {};
      operation.kind = Operation::kGone;
      break;
    case v1::GENERATION_MISMATCH:
      operation.kind = outcome.content_generation() == 0 ? Operation::kPresent : Operation::kSee;
      operation.generation = outcome.content_generation();
      break;
    case v1::NOT_EMPTY:
    case v1::LOCK_CONFLICT:
    case v1::LOCK_DELAYED:
      operation.kind = Operation::kPresent;
      break;
    case v1::NOT_WRITABLE:
    case v1::IS_A_DIRECTORY:
    case v1::TOO_LARGE:
    case v1::CELL_FULL:
      if (outcome.instance() == 0) return {};  // the library's, or an Open's
      operation.kind = Operation::kPresent;
      break;
    case v1::NOT_A_NUMBER:
    case v1::OUT_OF_BOUNDS:
      return AddRefused(operation, pending, outcome);
    default:
      return {};
  }
  const bool identified = operation.kind == Operation::kAbsent || outcome.code() == v1::EXISTS || operation.instance != 0;
  if (identified) Add(pending.path, operation);
  return {};
}

// Says what it found: what is no number, or which number there is.
History::Problem History::AddRefused(Operation operation, const Pending& pending, const v1::Outcome& outcome) {
  if (pending.kind != v1::ADD) return "refuses what only an Add can be refused for";
  operation.kind = Operation::kRefusal;
  operation.legible = true;
  operation.add = pending.add;
  if (outcome.code() == v1::OUT_OF_BOUNDS) operation.number = outcome.value();
  if (operation.instance != 0) Add(pending.path, operation);
  if (!operation.number || !pending.add.To(*operation.number)) return {};
  return absl::StrCat("says that ", pending.add.delta, " cannot be added to ", *operation.number, ", and it can");
}

History::Problem History::Opened(Operation operation, const Pending& pending, const v1::Outcome& outcome) {
  operation.kind = outcome.created() ? Operation::kCreate : Operation::kSee;
  operation.ephemeral = MayVanish(outcome);
  operation.generation = outcome.content_generation();
  if (outcome.created()) operation.SetContents(pending.contents);
  if (pending.path != "/") Add(pending.path, operation);
  if (outcome.created() && (pending.open_flags & kCreating) == 0) return "claims a creation that was not asked for";
  if (outcome.created() && outcome.content_generation() != 1) return "creates with a content generation other than 1";
  if (!outcome.created() && (pending.open_flags & v1::OPEN_MUST_CREATE) != 0) return "opens what had to be created";
  return std::nullopt;
}

History::Problem History::Written(Operation operation, const Pending& pending, const v1::Outcome& outcome) {
  operation.kind = Operation::kWrite;
  operation.generation = outcome.content_generation();
  operation.SetContents(pending.contents);
  Add(pending.path, operation);
  if (pending.compare && outcome.content_generation() != pending.generation + 1) {
    return absl::StrCat("compared with generation ", pending.generation, " and made ", outcome.content_generation());
  }
  if (outcome.checksum() != 0 && outcome.checksum() != pending.value) return "has the checksum of other contents";
  return std::nullopt;
}

// Says what it found as well: what is there now, without what was added.
History::Problem History::Added(Operation operation, const Pending& pending, const v1::Outcome& outcome) {
  operation.kind = Operation::kWrite;
  operation.generation = outcome.content_generation();
  operation.SetContents(ContentsOf(absl::StrCat(outcome.value())));
  operation.add = pending.add;
  Add(pending.path, operation);
  if (!pending.add.Before(outcome.value())) {
    return absl::StrCat("makes ", outcome.value(), ", which is not within its bounds, by adding ", pending.add.delta);
  }
  if (outcome.checksum() != 0 && outcome.checksum() != operation.value) return "has the checksum of another number";
  return std::nullopt;
}

History::Problem History::Read(Operation operation, const Pending& pending, const v1::Outcome& outcome) {
  operation.kind = Operation::kSee;
  operation.ephemeral = MayVanish(outcome);
  operation.generation = outcome.content_generation();
  const bool reads = pending.kind == v1::GET_CONTENTS;
  if (!outcome.directory()) operation.SetContents(reads ? ContentsOf(outcome.contents()) : Contents{outcome.checksum()});
  if (pending.path != "/") Add(pending.path, operation);
  if (reads && outcome.checksum() != Hash64(outcome.contents())) return "carries contents of another checksum";
  return std::nullopt;
}

void History::Listed(Operation operation, const Pending& pending, const v1::Outcome& outcome) {
  Listing listing;
  listing.operation = operation;
  listing.operation.kind = Operation::kAbsent;
  listing.operation.instance = 0;
  for (const v1::ChildStat& child : outcome.children()) {
    operation.kind = Operation::kSee;
    const std::string path = absl::StrCat(pending.path == "/" ? "" : pending.path, "/", child.name());
    operation.ephemeral = child.ephemeral() || owned_.contains(path);  // a listing does not say who owns what
    operation.instance = child.instance();
    operation.generation = child.content_generation();
    Add(path, operation);
    listing.names.push_back(child.name());
  }
  std::sort(listing.names.begin(), listing.names.end());
  listings_[pending.path].push_back(std::move(listing));
}

// A name that a listing does not show was absent then.
void History::AddAbsences() {
  for (auto& [path, operations] : operations_) {
    const auto listings = listings_.find(std::string(ParentPath(path)));
    if (listings == listings_.end()) continue;
    const std::string name(BaseName(path));
    for (const Listing& listing : listings->second) {
      if (!std::binary_search(listing.names.begin(), listing.names.end(), name)) operations.push_back(listing.operation);
    }
  }
}

// Whatever was seen of an instance, it was there. The root always is, and nobody made it.
void History::AddPresences() {
  for (const auto& [path, remarks] : book_.remarks()) {
    std::vector<Operation>& operations = operations_[path];  // so that it is judged
    for (const Remark& remark : remarks) {
      const bool seen = remark.content_generation != 0;  // by an operation that there is already
      if (path == "/" || remark.maybe || seen || remark.lock.kind == LockRemark::kOver) continue;
      Operation operation;
      operation.kind = Operation::kPresent;
      operation.client = remark.client;
      operation.call = remark.call;
      operation.called = remark.called;
      operation.answered = remark.answered;
      operation.instance = remark.instance;
      operations.push_back(operation);
    }
  }
}

void History::Stopped(uint32_t client) {
  pending_.ForEach(client, [&](uint32_t, CallId call, const Pending& pending) { Unknown(client, call, pending); });
  pending_.Forget(client);
  opened_.Forget(client);
  book_.Stopped(client);
}

void History::Close() {
  pending_.ForEach([this](uint32_t client, CallId call, const Pending& pending) { Unknown(client, call, pending); });
  pending_ = {};
  AddAbsences();
  AddPresences();
  std::sort(refused_.begin(), refused_.end());
}

}  // namespace bramah::sim

// What a plan must satisfy to be run.
#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/api/event.h"
#include "core/api/path.h"
#include "sim/plan/plan.h"

namespace bramah::sim {
namespace {

constexpr uint32_t kReplicasMax = 99;
constexpr uint32_t kClientsMax = 9'999;
constexpr int64_t kTimeMax = 86'400 * kSecond;
constexpr int64_t kDriftMax = 500'000;
constexpr uint64_t kSlewMax = 300'000;
constexpr Duration kSlewNoticed = 200 * kMillisecond;  // after this long at most, by a clock that is slewed by kSlewMax

bool HasFault(const v1::Plan& plan, v1::Fault::Kind kind) {
  return std::any_of(plan.fault().begin(), plan.fault().end(), [kind](const v1::Fault& fault) { return fault.kind() == kind; });
}

// The shortest time that one process lets another rely on. A workload may draw a lock-delay as short as it likes.
Duration ShortestPromise(const v1::Plan& plan) {
  Duration shortest = ElectionMinOf(plan);
  if (plan.knobs().lease_ns() > 0) shortest = std::min(shortest, plan.knobs().lease_ns());
  for (const v1::Operation& operation : plan.operation()) {
    if (operation.lock_delay_ns() > 0) shortest = std::min(shortest, operation.lock_delay_ns());
  }
  for (const v1::Workload& workload : plan.workload()) {
    if (workload.lock_delay_ns() > 0) return 0;
  }
  return shortest;
}

// Where a value stands in the plan: "network.loss_ppm", or "operation[7].path".
struct Field {
  Field(const char* whole) : name(whole) {}  // NOLINT: a plain name is a field
  Field(const char* of, int at, const char* what) : list(of), index(at), name(what) {}
  std::string Text() const { return list == nullptr ? name : absl::StrCat(list, "[", index, "]", name); }

  const char* list = nullptr;
  int index = 0;
  const char* name;
};

// Remembers the first complaint. Words are made only for a complaint: a plan has tens of thousands of values.
class Complaints {
 public:
  explicit Complaints(const v1::Plan& plan) : plan_(plan) {}
  template <class... Words>
  void Need(bool good, const Field& field, const Words&... complaint) {
    if (!good && status_.ok()) status_ = absl::InvalidArgumentError(absl::StrCat(field.Text(), ": ", complaint...));
  }
  void Time(int64_t value, const Field& field) {
    Need(value >= 0 && value <= kTimeMax, field, value, " is not a time from 0 to ", kTimeMax, " ns");
  }
  void Range(int64_t low, int64_t high, const Field& low_field, const Field& high_field) {
    Time(low, low_field);
    Time(high, high_field);
    Need(low <= high, high_field, high, " is less than the minimum ", low);
  }
  void Share(uint64_t ppm, const Field& field) { Need(ppm <= 1'000'000, field, ppm, " is more than 1000000 parts per million"); }
  void Most(uint64_t value, uint64_t limit, const Field& field) { Need(value <= limit, field, value, " is more than ", limit); }
  // "r1" .. "rN", and "c1" .. "cM" if clients may be named; "r*", "c*" if groups may be.
  void Process(const std::string& name, bool clients, bool groups, const Field& field) {
    if (groups && (name == "r*" || name == "c*")) return;
    uint64_t number = 0;
    bool digits = name.size() > 1 && name.size() <= 6 && name[1] != '0';
    for (size_t i = 1; i < name.size() && digits; ++i) {
      digits = name[i] >= '0' && name[i] <= '9';
      number = number * 10 + static_cast<uint64_t>(name[i] - '0');
    }
    const bool known =
        digits && ((name[0] == 'r' && number <= plan_.replicas()) || (clients && name[0] == 'c' && number <= plan_.clients()));
    Need(known, field, "unknown process \"", name, "\"");
  }
  const absl::Status& status() const { return status_; }

 private:
  const v1::Plan& plan_;
  absl::Status status_;
};

void CheckKnobs(const v1::Knobs& knobs, Complaints& bad) {
  bad.Time(knobs.election_min_ns(), "knobs.election_min_ns");
  bad.Time(knobs.heartbeat_ns(), "knobs.heartbeat_ns");
  bad.Time(knobs.lease_ns(), "knobs.lease_ns");
  bad.Time(knobs.keepalive_margin_ns(), "knobs.keepalive_margin_ns");
  bad.Time(knobs.grace_ns(), "knobs.grace_ns");
  bad.Time(knobs.keepalive_spacing_ns(), "knobs.keepalive_spacing_ns");
  bad.Need(knobs.rho_ppm() >= 0 && knobs.rho_ppm() <= kDriftMax, "knobs.rho_ppm", knobs.rho_ppm(), " is not in 0..", kDriftMax);
  const bool both = knobs.election_min_ns() > 0 && knobs.heartbeat_ns() > 0;
  bad.Need(!both || knobs.heartbeat_ns() < knobs.election_min_ns() / 2, "knobs.heartbeat_ns",
           "must be below half of election_min_ns");
  const bool lease = knobs.lease_ns() > 0 && knobs.keepalive_margin_ns() > 0;
  bad.Need(!lease || knobs.keepalive_margin_ns() < knobs.lease_ns(), "knobs.keepalive_margin_ns", "must be below lease_ns");
  const uint64_t segment = knobs.segment_bytes();
  bad.Need(segment == 0 || (segment >= 4'096 && segment <= (1u << 30)), "knobs.segment_bytes", segment,
           " is not in 4096..1073741824");
}

void CheckFault(const v1::Plan& plan, int i, Complaints& bad) {
  const v1::Fault& fault = plan.fault(i);
  const auto at = [i](const char* name) { return Field("fault", i, name); };
  bad.Need(v1::Fault::Kind_IsValid(fault.kind()) && fault.kind() != v1::Fault::NONE, at(".kind"), "missing");
  bad.Time(fault.at_ns(), at(".at_ns"));
  bad.Time(fault.for_ns(), at(".for_ns"));
  bad.Need(!fault.has_on() || fault.at_ns() == 0, at(".at_ns"), "a fault has either at_ns or on");
  if (fault.has_on()) {
    bool known = false;
    for (int kind = 0; kind <= CoreEvent::kLast; ++kind)
      known |= EventName(static_cast<CoreEvent::Kind>(kind)) == fault.on().event();
    bad.Need(known, at(".on.event"), "unknown event \"", fault.on().event(), "\"");
    if (!fault.on().process().empty()) bad.Process(fault.on().process(), true, false, at(".on.process"));
    bad.Time(fault.on().after_ns(), at(".on.after_ns"));
  }
  const bool link = fault.kind() == v1::Fault::CUT || fault.kind() == v1::Fault::SLOW_LINK;
  const bool disk = fault.kind() >= v1::Fault::FAIL_SYNC && fault.kind() <= v1::Fault::BIT_FLIP;
  for (const std::string& name : fault.process()) bad.Process(name, !disk, true, at(".process"));
  for (const std::string& name : fault.from()) bad.Process(name, true, true, at(".from"));
  for (const std::string& name : fault.to()) bad.Process(name, true, true, at(".to"));
  bad.Need(link || (fault.from().empty() && fault.to().empty()), at(".from"), "only CUT and SLOW_LINK have links");
  bad.Need(!link || fault.process().empty(), at(".process"), "CUT and SLOW_LINK name links, not processes");
  const bool named = link ? !fault.from().empty() && !fault.to().empty() : !fault.process().empty();
  bad.Need(named || fault.has_on(), at(""), "names nobody");
  for (const std::string& name : fault.process()) {
    bad.Need(fault.kind() != v1::Fault::STOP_CLIENT || name[0] == 'c', at(".process"), "STOP_CLIENT is for clients");
  }
  const bool freeze = fault.kind() == v1::Fault::FREEZE_CLOCK;
  bad.Need(!freeze || plan.clocks_lie(), at(".kind"), "FREEZE_CLOCK is for plans with clocks_lie");
  const bool slew = fault.kind() == v1::Fault::FAST_CLOCK || fault.kind() == v1::Fault::SLOW_CLOCK;
  bad.Need(!slew || plan.clock_watch(), at(".kind"), "slews are for plans with clock_watch");
  if (slew) bad.Most(fault.amount(), kSlewMax, at(".amount"));
  bad.Need(!slew || fault.amount() > 0, at(".amount"), "a slew of nothing");
  // What two slews make until they are noticed must fit into what the shortest promise has to spare, with drifts of at most half
  // of rho.
  const int64_t made = 2 * static_cast<int64_t>(std::min(fault.amount(), kSlewMax)) * kSlewNoticed / kMillion;
  const bool fits = plan.clocks_lie() || made <= RhoOf(plan) * (ShortestPromise(plan) / kMillion);
  bad.Need(!slew || fits, at(".amount"), fault.amount(),
           " is too much for rho_ppm and the shortest of election_min_ns, lease_ns, lock-delays");
  const bool unnoticed = slew && !plan.clocks_lie() && HasFault(plan, v1::Fault::PAUSE);
  bad.Need(!unnoticed, at(".kind"), "no slew together with a PAUSE, in which nobody notices it, if no clock lies");
  const bool time = freeze || slew || fault.kind() == v1::Fault::SLOW_LINK || fault.kind() == v1::Fault::SLOW_DISK;
  if (time) bad.Most(fault.amount(), kTimeMax, at(".amount"));
}

bool IsLock(v1::Operation::Kind kind) { return kind == v1::Operation::LOCK || kind == v1::Operation::TRY_LOCK; }

void CheckOperation(const v1::Plan& plan, int i, Complaints& bad) {
  const v1::Operation& operation = plan.operation(i);
  const auto at = [i](const char* name) { return Field("operation", i, name); };
  bad.Need(v1::Operation::Kind_IsValid(operation.kind()) && operation.kind() != v1::Operation::NONE, at(".kind"), "missing");
  bad.Process(operation.client(), true, false, at(".client"));
  bad.Need(operation.client()[0] == 'c', at(".client"), "is not a client");
  bad.Time(operation.at_ns(), at(".at_ns"));
  bad.Time(operation.hold_ns(), at(".hold_ns"));
  bad.Time(operation.lock_delay_ns(), at(".lock_delay_ns"));
  bad.Need(!operation.fenced() || IsLock(operation.kind()), at(".fenced"), "only LOCK and TRY_LOCK can be");
  const bool read = operation.kind() == v1::Operation::GET || operation.kind() == v1::Operation::LIST;
  bad.Need(!operation.stale() || read, at(".stale"), "only GET and LIST can be");
  const bool path = operation.kind() == v1::Operation::END_SESSION || IsCellPath(operation.path());
  bad.Need(path, at(".path"), "\"", operation.path(), "\" is no name in a cell");
  bad.Most(operation.bytes(), kContentBytesMax, at(".bytes"));
  bad.Most(operation.permits(), 1'024, at(".permits"));
  bad.Time(operation.patience_ns(), at(".patience_ns"));
  const bool waits = operation.kind() == v1::Operation::LOCK;
  bad.Need(operation.patience_ns() == 0 || waits, at(".patience_ns"), "only LOCK waits");
  bad.Need(!operation.again() || IsLock(operation.kind()), at(".again"), "is for locks");
  bad.Need(!operation.no_wait() || !operation.stale(), at(".no_wait"), "is for a session, which a stale read has none of");
}

void CheckWorkload(const v1::Plan& plan, int i, Complaints& bad) {
  const v1::Workload& workload = plan.workload(i);
  const auto at = [i](const char* name) { return Field("workload", i, name); };
  bad.Need(v1::Operation::Kind_IsValid(workload.kind()) && workload.kind() != v1::Operation::NONE, at(".kind"), "missing");
  bad.Most(workload.clients(), plan.clients(), at(".clients"));
  const bool paced = workload.every_ns() >= 1'000 && workload.every_ns() <= kTimeMax;
  bad.Need(paced, at(".every_ns"), workload.every_ns(), " is not in 1000..", kTimeMax);
  bad.Most(workload.paths(), 1'000'000, at(".paths"));
  bad.Need(IsCellPath(absl::StrCat("/", workload.prefix(), "0")), at(".prefix"), "does not make names");
  bad.Time(workload.hold_ns(), at(".hold_ns"));
  bad.Time(workload.lock_delay_ns(), at(".lock_delay_ns"));
  bad.Need(!workload.fenced() || IsLock(workload.kind()), at(".fenced"), "only LOCK and TRY_LOCK can be");
  bad.Time(workload.patience_ns(), at(".patience_ns"));
  const bool waits = workload.kind() == v1::Operation::LOCK;
  bad.Need(workload.patience_ns() == 0 || waits, at(".patience_ns"), "only LOCK waits");
  bad.Need(!workload.again() || IsLock(workload.kind()), at(".again"), "is for locks");
  bad.Need(!workload.no_wait() || !workload.stale(), at(".no_wait"), "is for a session, which a stale read has none of");
  bad.Most(workload.bytes(), kContentBytesMax, at(".bytes"));
  bad.Most(workload.permits(), 1'024, at(".permits"));
}

}  // namespace

absl::Status ValidatePlan(const v1::Plan& plan) {
  Complaints bad(plan);
  bad.Need(plan.version() == 1, "version", plan.version(), " is not 1, the only version there is");
  bad.Need(plan.replicas() >= 1 && plan.replicas() <= kReplicasMax, "replicas", plan.replicas(), " is not in 1..", kReplicasMax);
  bad.Most(plan.clients(), kClientsMax, "clients");
  bad.Time(plan.duration_ns(), "duration_ns");
  CheckKnobs(plan.knobs(), bad);
  const v1::Network& network = plan.network();
  bad.Range(network.delay_min_ns(), network.delay_max_ns(), "network.delay_min_ns", "network.delay_max_ns");
  bad.Time(network.late_max_ns(), "network.late_max_ns");
  bad.Share(network.late_ppm(), "network.late_ppm");
  bad.Share(uint64_t{network.loss_ppm()} + network.duplicate_ppm() + network.break_ppm(),
            "network.loss_ppm + duplicate_ppm + break_ppm");
  const v1::Disk& disk = plan.disk();
  bad.Range(disk.write_min_ns(), disk.write_max_ns(), "disk.write_min_ns", "disk.write_max_ns");
  bad.Range(disk.sync_min_ns(), disk.sync_max_ns(), "disk.sync_min_ns", "disk.sync_max_ns");
  bad.Share(uint64_t{disk.lost_ppm()} + disk.torn_ppm(), "disk.lost_ppm + torn_ppm");
  for (int i = 0; i < plan.clock_size(); ++i) {
    const auto at = [i](const char* name) { return Field("clock", i, name); };
    bad.Process(plan.clock(i).process(), true, false, at(".process"));
    const int64_t drift = plan.clock(i).drift_ppm();
    bad.Need(drift >= -kDriftMax && drift <= kDriftMax, at(".drift_ppm"), drift, " is not in +-", kDriftMax);
    const int64_t rho = RhoOf(plan);
    const int64_t bound = plan.clock_watch() ? rho / 2 : rho;  // beyond half of it the watch doubts the clock
    const bool honest = drift >= -bound && drift <= bound;
    bad.Need(honest || plan.clocks_lie(), at(".drift_ppm"), drift, " is beyond the bound ", bound, ", but clocks_lie is not set");
  }
  for (int i = 0; i < plan.fault_size() && bad.status().ok(); ++i) CheckFault(plan, i, bad);
  for (int i = 0; i < plan.operation_size() && bad.status().ok(); ++i) CheckOperation(plan, i, bad);
  for (int i = 0; i < plan.workload_size() && bad.status().ok(); ++i) CheckWorkload(plan, i, bad);
  return bad.status();
}

}  // namespace bramah::sim

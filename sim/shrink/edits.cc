#include "sim/shrink/edits.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace bramah::sim {
namespace {

template <class T>
void Keep(google::protobuf::RepeatedPtrField<T>* list, const std::vector<int>& kept) {
  google::protobuf::RepeatedPtrField<T> rest;
  for (const int i : kept) rest.Add()->Swap(list->Mutable(i));
  list->Swap(&rest);
}

// New names of the processes whose names start with `letter`; others and groups keep theirs.
class Renaming {
 public:
  Renaming(char letter, const std::vector<uint32_t>& kept) : letter_(letter), kept_(kept) {}

  // False if the process is gone.
  bool Rename(std::string* name) const {
    uint32_t number = 0;
    if (name->empty() || (*name)[0] != letter_ || !absl::SimpleAtoi(name->substr(1), &number)) return true;
    const auto it = std::lower_bound(kept_.begin(), kept_.end(), number);
    if (it == kept_.end() || *it != number) return false;
    *name = absl::StrCat(std::string(1, letter_), it - kept_.begin() + 1);
    return true;
  }
  // False if the list named somebody, and all are gone.
  bool RenameAll(google::protobuf::RepeatedPtrField<std::string>* names) const {
    if (names->empty()) return true;
    google::protobuf::RepeatedPtrField<std::string> rest;
    for (std::string& name : *names) {
      if (Rename(&name)) rest.Add(std::move(name));
    }
    names->Swap(&rest);
    return !names->empty();
  }

 private:
  char letter_;
  const std::vector<uint32_t>& kept_;
};

bool Rename(const Renaming& renaming, v1::Fault* fault) {
  const bool event = !fault->has_on() || renaming.Rename(fault->mutable_on()->mutable_process());
  const bool process = renaming.RenameAll(fault->mutable_process());
  const bool from = renaming.RenameAll(fault->mutable_from());
  const bool to = renaming.RenameAll(fault->mutable_to());
  return event && process && from && to;
}

v1::Plan KeepProcesses(const v1::Plan& plan, char letter, const std::vector<uint32_t>& kept) {
  v1::Plan out = plan;
  const Renaming renaming(letter, kept);
  std::vector<int> clocks;
  for (int i = 0; i < out.clock_size(); ++i) {
    if (renaming.Rename(out.mutable_clock(i)->mutable_process())) clocks.push_back(i);
  }
  std::vector<int> faults;
  for (int i = 0; i < out.fault_size(); ++i) {
    if (Rename(renaming, out.mutable_fault(i))) faults.push_back(i);
  }
  std::vector<int> operations;
  for (int i = 0; i < out.operation_size(); ++i) {
    if (renaming.Rename(out.mutable_operation(i)->mutable_client())) operations.push_back(i);
  }
  Keep(out.mutable_clock(), clocks);
  Keep(out.mutable_fault(), faults);
  Keep(out.mutable_operation(), operations);
  return out;
}

// A time that reads well: a few digits, close to `time` and not later.
Time Round(Time time, Duration unit) { return time / unit * unit; }

template <class Item>
void RoundTimes(Item* item, Duration unit) {
  item->set_at_ns(Round(item->at_ns(), unit));
}

// Sets every field of the sub-message to its default, one edit per field.
std::vector<Edit> ClearEdits(const google::protobuf::Descriptor* type, google::protobuf::Message* (*part)(v1::Plan&)) {
  std::vector<Edit> edits;
  for (int i = 0; i < type->field_count(); ++i) {
    const google::protobuf::FieldDescriptor* field = type->field(i);
    edits.push_back([field, part](v1::Plan& plan) {
      google::protobuf::Message* message = part(plan);
      message->GetReflection()->ClearField(message, field);
    });
  }
  return edits;
}

void AddFaultEdits(const v1::Plan& plan, int i, std::vector<Edit>* edits) {
  const v1::Fault& fault = plan.fault(i);
  for (const int64_t divisor : {16, 4, 2}) {
    edits->push_back([i, divisor](v1::Plan& p) { p.mutable_fault(i)->set_for_ns(p.fault(i).for_ns() / divisor); });
  }
  for (int name = 0; name < fault.process_size() && fault.process_size() > 1; ++name) {
    edits->push_back([i, who = fault.process(name)](v1::Plan& p) {
      auto* names = p.mutable_fault(i)->mutable_process();
      if (names->size() > 1) names->erase(std::remove(names->begin(), names->end(), who), names->end());
    });
  }
  edits->push_back([i](v1::Plan& p) { p.mutable_fault(i)->set_between_effects(false); });
  edits->push_back([i](v1::Plan& p) { p.mutable_fault(i)->set_amount(0); });
  edits->push_back([i](v1::Plan& p) {
    if (p.fault(i).has_on()) p.mutable_fault(i)->mutable_on()->set_after_ns(0);
  });
  for (const Duration unit : {kSecond, 100 * kMillisecond, 10 * kMillisecond, kMillisecond}) {
    edits->push_back([i, unit](v1::Plan& p) { RoundTimes(p.mutable_fault(i), unit); });
    edits->push_back([i, unit](v1::Plan& p) {
      const Duration time = Round(p.fault(i).for_ns(), unit);
      if (time > 0) p.mutable_fault(i)->set_for_ns(time);
    });
  }
}

void AddOperationEdits(int i, std::vector<Edit>* edits) {
  edits->push_back([i](v1::Plan& p) { p.mutable_operation(i)->set_hold_ns(0); });
  edits->push_back([i](v1::Plan& p) { p.mutable_operation(i)->set_hold_ns(p.operation(i).hold_ns() / 4); });
  edits->push_back([i](v1::Plan& p) { p.mutable_operation(i)->set_lock_delay_ns(0); });
  edits->push_back([i](v1::Plan& p) { p.mutable_operation(i)->set_fenced(false); });
  edits->push_back([i](v1::Plan& p) { p.mutable_operation(i)->set_shared(false); });
  edits->push_back([i](v1::Plan& p) { p.mutable_operation(i)->set_with_stat(false); });
  edits->push_back([i](v1::Plan& p) { p.mutable_operation(i)->set_stale(false); });
  edits->push_back([i](v1::Plan& p) { p.mutable_operation(i)->set_again(false); });
  edits->push_back([i](v1::Plan& p) { p.mutable_operation(i)->set_no_wait(false); });
  edits->push_back([i](v1::Plan& p) { p.mutable_operation(i)->clear_patience_ns(); });
  edits->push_back([i](v1::Plan& p) { p.mutable_operation(i)->set_bytes(0); });
  for (const Duration unit : {kSecond, 100 * kMillisecond, 10 * kMillisecond, kMillisecond}) {
    edits->push_back([i, unit](v1::Plan& p) { RoundTimes(p.mutable_operation(i), unit); });
    edits->push_back([i, unit](v1::Plan& p) {
      const Duration time = Round(p.operation(i).hold_ns(), unit);
      if (time > 0) p.mutable_operation(i)->set_hold_ns(time);
    });
  }
}

}  // namespace

v1::Plan KeepFaults(const v1::Plan& plan, const std::vector<int>& kept) {
  v1::Plan out = plan;
  Keep(out.mutable_fault(), kept);
  return out;
}

v1::Plan KeepOperations(const v1::Plan& plan, const std::vector<int>& kept) {
  v1::Plan out = plan;
  Keep(out.mutable_operation(), kept);
  return out;
}

v1::Plan KeepClocks(const v1::Plan& plan, const std::vector<int>& kept) {
  v1::Plan out = plan;
  Keep(out.mutable_clock(), kept);
  return out;
}

v1::Plan KeepReplicas(const v1::Plan& plan, const std::vector<uint32_t>& kept) {
  v1::Plan out = KeepProcesses(plan, 'r', kept);
  out.set_replicas(static_cast<uint32_t>(kept.size()));
  return out;
}

v1::Plan KeepClients(const v1::Plan& plan, const std::vector<uint32_t>& kept) {
  v1::Plan out = KeepProcesses(plan, 'c', kept);
  out.set_clients(static_cast<uint32_t>(kept.size()));
  return out;
}

v1::Plan CutAfter(const v1::Plan& plan, Time end) {
  v1::Plan out = plan;
  out.set_duration_ns(std::min<Time>(plan.duration_ns(), end));
  std::vector<int> faults;
  for (int i = 0; i < plan.fault_size(); ++i) {
    if (plan.fault(i).has_on() || plan.fault(i).at_ns() <= end) faults.push_back(i);
  }
  std::vector<int> operations;
  for (int i = 0; i < plan.operation_size(); ++i) {
    if (plan.operation(i).at_ns() <= end) operations.push_back(i);
  }
  Keep(out.mutable_fault(), faults);
  Keep(out.mutable_operation(), operations);
  return out;
}

v1::Plan MoveEarlier(const v1::Plan& plan, Time from, Duration by) {
  v1::Plan out = plan;
  for (v1::Fault& fault : *out.mutable_fault()) {
    if (!fault.has_on() && fault.at_ns() >= from) fault.set_at_ns(std::max<Time>(0, fault.at_ns() - by));
  }
  for (v1::Operation& operation : *out.mutable_operation()) {
    if (operation.at_ns() >= from) operation.set_at_ns(std::max<Time>(0, operation.at_ns() - by));
  }
  out.set_duration_ns(std::max<Time>(0, plan.duration_ns() - by));
  return out;
}

std::vector<Time> PlannedTimes(const v1::Plan& plan) {
  std::vector<Time> times;
  for (const v1::Fault& fault : plan.fault()) {
    if (!fault.has_on()) times.push_back(fault.at_ns());
  }
  for (const v1::Operation& operation : plan.operation()) times.push_back(operation.at_ns());
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());
  return times;
}

std::vector<Edit> WeatherEdits() {
  std::vector<Edit> edits = {
      [](v1::Plan& p) {
        p.mutable_network()->set_loss_ppm(0);
        p.mutable_network()->set_duplicate_ppm(0);
        p.mutable_network()->set_late_ppm(0);
        p.mutable_network()->set_break_ppm(0);
      },
      [](v1::Plan& p) { p.mutable_network()->set_loss_ppm(0); },
      [](v1::Plan& p) { p.mutable_network()->set_duplicate_ppm(0); },
      [](v1::Plan& p) { p.mutable_network()->set_late_ppm(0); },
      [](v1::Plan& p) { p.mutable_network()->set_break_ppm(0); },
      [](v1::Plan& p) {
        if (p.network().late_ppm() == 0) p.mutable_network()->set_late_max_ns(0);
      },
      [](v1::Plan& p) { p.mutable_network()->set_delay_max_ns(p.network().delay_min_ns()); },
      [](v1::Plan& p) { p.mutable_disk()->set_torn_ppm(0); },
      [](v1::Plan& p) { p.mutable_disk()->set_lost_ppm(0); },
      [](v1::Plan& p) { p.mutable_disk()->set_write_max_ns(p.disk().write_min_ns()); },
      [](v1::Plan& p) { p.mutable_disk()->set_sync_max_ns(p.disk().sync_min_ns()); },
  };
  return edits;
}

std::vector<Edit> KnobEdits() {
  return ClearEdits(v1::Knobs::descriptor(), [](v1::Plan& plan) -> google::protobuf::Message* { return plan.mutable_knobs(); });
}

std::vector<Edit> DetailEdits(const v1::Plan& plan) {
  std::vector<Edit> edits;
  for (int i = 0; i < plan.fault_size(); ++i) AddFaultEdits(plan, i, &edits);
  for (int i = 0; i < plan.operation_size(); ++i) AddOperationEdits(i, &edits);
  return edits;
}

}  // namespace bramah::sim
